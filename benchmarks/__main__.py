"""``make bench``: measure, print a table, write JSON to ``benchmarks/results/``.

Every step runs in a process of its own on data of the demo generator (with the real hours and
zones where ``RESTMON_REAL_DATA``, or ``../shared/data`` beside the checkout, has them). All
figures are medians of one run, and what is compared is measured in turn, so that the ratios hold
on noisy machines too.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import load, whole_answers
from benchmarks.hours import hours_after
from restmon.demo import generator
from restmon.storage import database

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
KINDS = ("polls", "business_hours", "timezones")
WEEK_DAYS = 8
"""A report reads a week and a day."""
MONTH_DAYS = 31
BYTES_A_POLL = 17


def run_step(folder: Path, env: dict[str, str], *arguments: object) -> Any:
    """Run one step of ``benchmarks.workload`` in a process of its own; returns what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.workload", *map(str, arguments)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the step {arguments} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


@dataclass(frozen=True)
class Size:
    """How much of everything: stores, days of the long history, the factor of stores of the many,
    store pages, clients of the API and their requests each."""

    stores: int = 13_891
    days: int = 136
    many: int = 10
    pages: int = 200
    clients: int = 50
    requests: int = 40


QUICK = Size(stores=100, days=16, many=2, pages=10, clients=5, requests=4)


@dataclass(frozen=True)
class Line:
    """One line of the table; ``ratio`` is measured ÷ baseline."""

    measure: str
    value: float
    unit: str
    baseline: str
    baseline_value: float | None
    ratio: float | None
    target: str
    reached: bool


class Bench:
    """The data sets and databases of one run, in a folder."""

    def __init__(self, folder: Path, repeat: int, size: Size) -> None:
        self.folder = folder
        self.repeat = repeat
        self.size = size
        self.lines: list[Line] = []
        real = Path(os.environ.get("RESTMON_REAL_DATA", ROOT.parent / "shared" / "data"))
        self.sources: dict[str, Path] = {}
        if (real / "menu_hours.csv.gz").exists():
            self.sources = {
                "hours_from": real / "menu_hours.csv.gz",
                "timezones_from": real / "timezones.csv.gz",
            }

    # --- data -----------------------------------------------------------------------------------

    def say(self, what: str) -> None:
        """Tell on standard error what is going on."""
        print(f"  {what}", file=sys.stderr, flush=True)

    def prepare(self) -> None:
        """Make the databases that are not there from an earlier run with the same folder."""
        stores, days = self.size.stores, self.size.days
        made = [self.folder / f"{name}-loaded" for name in ("months", "many", "week")]
        key = json.dumps([asdict(self.size), sorted(p.stem for p in _migrations())])
        notes = [self.folder / f"{name}.json" for name in ("months-by-duckdb", "months", "many")]
        if all(path.exists() and path.read_text() == key for path in made) and all(
            path.exists() for path in notes
        ):
            return
        for path in made:
            path.unlink(missing_ok=True)
        # The long history's file, some 1.7 GB, goes again once it is in the database; the week is
        # its end, so that both databases give the same report.
        data = self.generate("data-months", stores, days)
        self.note("months-by-duckdb", self.peer_import(data))
        week = self.folder / "data-week"
        shutil.rmtree(week, ignore_errors=True)
        shutil.copytree(data, week, ignore=shutil.ignore_patterns("polls.csv"))
        cut(data / "polls.csv", week / "polls.csv", days=WEEK_DAYS)
        self.load("months", data)
        shutil.rmtree(data)
        self.load("week", week)
        self.step("months", "write_rows", MONTH_DAYS)
        self.step("week", "write_rows")
        data = self.generate("data-many", stores * self.size.many, WEEK_DAYS)
        self.load("many", data)
        hours_after(data, self.folder / "hours-many", self.repeat)
        shutil.rmtree(data)
        for path in made:
            path.write_text(key)

    def generate(self, name: str, stores: int, days: int) -> Path:
        """Make a data set."""
        self.say(f"making {name}: {stores:,} stores, {days} days")
        target = self.folder / name
        shutil.rmtree(target, ignore_errors=True)
        generator.generate(target, generator.DemoPlan(stores=stores, days=days, **self.sources))
        return target

    def load(self, name: str, data: Path) -> None:
        """Import a data set into a new database."""
        self.drop(name)
        done = self.step(name, "import_files", *(f"{kind}={data / kind}.csv" for kind in KINDS))
        self.note(name, done)
        polls = done["counts"]["kinds"]["polls"]["new"]
        self.say(f"{name}: {polls:,} polls imported in {done['seconds']:.1f} s")

    def note(self, name: str, done: dict[str, Any]) -> None:
        """Keep what a step of `prepare` took, beside its database."""
        (self.folder / f"{name}.json").write_text(json.dumps(done))

    def noted(self, name: str) -> dict[str, Any]:
        """What was noted."""
        found: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text())
        return found

    def peer_import(self, data: Path) -> dict[str, Any]:
        """What DuckDB takes to import the files of a folder, in process: seconds, megabytes."""
        path = self.folder / "months.duckdb"
        path.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.duckdb_peer", "import", str(path)],
            cwd=data,
            env=self.env("months"),
            capture_output=True,
            text=True,
            check=True,
        )
        path.unlink()
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    # --- steps ----------------------------------------------------------------------------------

    def env(self, name: str) -> dict[str, str]:
        """The settings of a step that works on the named database."""
        home = self.folder / name
        home.mkdir(exist_ok=True)
        # As where restmon is installed, its modules are compiled once and not at each start.
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        return {
            **kept,
            "RESTMON_DATABASE_URL": f"sqlite:///{home / 'restmon.db'}",
            "RESTMON_QUEUE_URL": f"sqlite:///{home / 'queue.db'}",
            "RESTMON_DATA_DIR": str(home / "files"),
            "PYTHONPATH": str(ROOT),
        }

    def step(self, name: str, *arguments: object) -> Any:
        """Run one step of ``benchmarks.workload`` on a database."""
        return run_step(self.folder, self.env(name), *arguments)

    def drop(self, name: str) -> None:
        """Remove a database."""
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def copy(self, name: str, to: str) -> None:
        """Copy a database, down to the disk."""
        self.drop(to)
        shutil.copytree(self.folder / name, self.folder / to)
        os.sync()

    def add(
        self,
        measure: str,
        value: float,
        baseline: str = "",
        baseline_value: float | None = None,
        *,
        most: float | None = None,
        least: float | None = None,
        under: float | None = None,
        over: float | None = None,
        unit: str = "s",
        also: bool = True,
    ) -> None:
        """Put a line into the table: ``most`` bounds measured ÷ baseline from above, ``least``
        baseline ÷ measured from below, ``under`` and ``over`` the value; ``also`` is a further
        condition."""
        ratio = None if baseline_value is None else value / baseline_value
        targets, reached = [], also
        if most is not None and ratio is not None:
            targets.append(f"≤ {most:g} ×")
            reached &= ratio <= most
        if least is not None and ratio is not None:
            targets.append(f"baseline ÷ ours ≥ {least:g}")
            reached &= 1 / ratio >= least
        if under is not None:
            targets.append(f"< {told(under, unit)}")
            reached &= value < under
        if over is not None:
            targets.append(f"≥ {told(over, unit)}")
            reached &= value >= over
        line = Line(
            measure, value, unit, baseline, baseline_value, ratio, ", ".join(targets), reached
        )
        self.lines.append(line)
        self.say(" ".join(row_of(line)[:4]))

    # --- the measures ---------------------------------------------------------------------------

    def imports(self) -> None:
        """Into an empty database, and the same file again."""
        shell = shutil.which("sqlite3")
        seconds = defaultdict(list)
        polls = self.folder / "data-week" / "polls.csv"
        for _ in range(self.repeat):
            if shell:
                raw_db = self.folder / "raw.db"
                raw_db.unlink(missing_ok=True)
                begin = time.perf_counter()
                subprocess.run(
                    [shell, str(raw_db), ".mode csv", f".import {polls} polls"], check=True
                )
                seconds["raw"].append(time.perf_counter() - begin)
                raw_db.unlink()
            self.drop("fresh")
            for name in ("first", "again"):
                found = self.step("fresh", "import_files", f"polls={polls}")
                seconds[name].append(found["seconds"])
        self.drop("fresh")
        first, again = median(seconds["first"]), median(seconds["again"])
        raw = median(seconds["raw"]) if shell else None
        self.add(
            "import of the polls", first, "sqlite3 shell's .import", raw, most=0.8, also=bool(shell)
        )
        self.add("the same file again", again, "first import", first, most=0.7)

    def hourly(self, hours: list[Path]) -> None:
        """An hour's polls into a week's and into months'."""
        for name in ("week", "months"):
            self.copy(name, f"{name}-copy")
        seconds = defaultdict(list)
        for hour in hours:
            for name in ("week", "months"):
                found = self.step(f"{name}-copy", "import_files", f"polls={hour}")
                seconds[name].append(found["seconds"])
        self.add(
            "hourly import, one poll a store, into 30 million",
            median(seconds["months"]),
            "into 1.8 million",
            median(seconds["week"]),
            most=1.3,
            under=0.5,
        )
        self.drop("week-copy")
        self.drop("months-copy")

    def live(self, hours: list[Path]) -> None:
        """Items of a live feed into a week's polls."""
        self.copy("week", "week-copy")
        found = self.step("week-copy", "take_items", *hours)
        self.drop("week-copy")
        self.add(
            "10,000 items of a live feed",
            median(found["seconds"]),
            "executemany into a bare table",
            median(found["bare"]),
            under=0.5,
        )

    def alerts(self, hours: list[Path]) -> None:
        """A rule of every condition, when polls came in, and when many stores go down."""
        self.copy("week", "week-copy")
        found = self.step("week-copy", "evaluate_alerts", *hours)
        self.drop("week-copy")
        self.add(
            "alerts evaluation of 14,000 stores, CPU time", median(found["seconds"]), under=0.5
        )
        self.add("the same, 1,300 of them go down", found["down"], under=1.0)

    def reports(self, hours: list[Path]) -> None:
        """Cold and warm reports, of a week, of months, of many stores; and in Polars."""
        steps = {
            "bare": ("week", "bare_read"),
            "cold": ("week", "cold_report"),
            "months": ("months", "cold_report"),
            "polars": ("week", "polars_report"),
            "many": ("many", "cold_report"),
        }
        seconds, peak = defaultdict(list), []
        for _ in range(self.repeat):
            for name, (on, step) in steps.items():
                found = self.step(on, step)
                seconds[name].append(found["seconds"])
                if name == "cold":
                    peak.append(found["megabytes"])
                    polls = found["polls"]
        of = {name: median(each) for name, each in seconds.items()}
        self.add("cold report", of["cold"], "bare ADBC read", of["bare"], most=0.8, under=1.0)
        self.copy("week", "week-copy")
        warm = self.step("week-copy", "warm_report", *hours)["seconds"]
        self.drop("week-copy")
        self.add(
            "warm report, one poll a store since", median(warm), "cold", of["cold"], under=0.05
        )
        self.add("report, 30 million stored", of["months"], "1.8 million", of["cold"], most=1.2)
        self.add("report for 140,000 stores", of["many"], "for 14,000", of["cold"], under=3.0)
        self.copy("many", "many-copy")
        more = sorted((self.folder / "hours-many").iterdir())[: self.repeat]
        warm = self.step("many-copy", "warm_report", *more)["seconds"]
        self.drop("many-copy")
        self.add("warm report for 140,000 stores", median(warm), "cold", of["many"], under=0.3)
        self.add(
            "peak memory of a report",
            median(peak),
            "the polls' columns",
            polls * BYTES_A_POLL / 2**20,
            under=600,
            unit="MB",
        )
        self.add("our report", of["cold"], "Polars, the same", of["polars"], least=1)

    def large_imports(self) -> None:
        """What it took to make the databases of many stores and of months, once."""
        many, months, peer = map(self.noted, ("many", "months", "months-by-duckdb"))
        self.add("import of 140,000 stores", many["seconds"], under=14)
        self.add(
            "import of 30 million polls", months["seconds"], "DuckDB", peer["seconds"], most=1.0
        )
        self.add(
            "its peak memory",
            months["megabytes"],
            "DuckDB",
            peer["megabytes"],
            under=600,
            unit="MB",
        )

    def duckdb(self, hours: list[Path]) -> None:
        """Imports and a report against DuckDB, each as a whole process from the shell."""
        data = self.folder / "data-week"
        files = ["--polls", "polls.csv", "--business-hours", "business_hours.csv"]
        files += ["--timezones", "timezones.csv"]
        ours, peer = ["-m", "restmon"], ["-m", "benchmarks.duckdb_peer"]
        output, week = self.folder / "shell-report.csv", self.folder / "week.duckdb"
        seconds = defaultdict(list)
        for hour in hours[: self.repeat]:
            self.drop("fresh")
            week.unlink(missing_ok=True)
            for name, on, command in (
                ("our import", "fresh", [*ours, "import", *files]),
                ("import", "fresh", [*peer, "import", week]),
                ("our report", "fresh", [*ours, "report", "--output", output]),
                ("report", "fresh", [*peer, "report", week, output]),
                ("our upsert", "fresh", [*ours, "import", "--polls", hour]),
                ("upsert", "fresh", [*peer, "upsert", week, hour]),
            ):
                seconds[name].append(self.time_process(on, data, command))
        disk = (self.folder / "fresh" / "restmon.db").stat().st_size, week.stat().st_size
        of = {name: median(each) for name, each in seconds.items()}
        for measure, name, reach in (
            ("import of all three files, whole process", "import", {"most": 1.0}),
            ("hourly import into 1.8 million, whole process", "upsert", {"under": 0.3}),
            ("report, whole process", "report", {"most": 0.8}),
        ):
            self.add(measure, of[f"our {name}"], "DuckDB", of[name], **reach)
        self.add("bytes on disk", disk[0] / 2**20, "DuckDB", disk[1] / 2**20, unit="MB")
        for path in (output, week):
            path.unlink()
        self.drop("fresh")

    def time_process(self, name: str, folder: Path, arguments: list[object]) -> float:
        """The seconds of a whole process of Python in a folder, on a database."""
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=folder,
            env=self.env(name),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - begin

    def start_up(self) -> None:
        """The help, and a report, each as a whole process from the shell."""
        output = self.folder / "shell-report.csv"
        commands = {
            "click": ["-c", "import click"],
            "help": ["-m", "restmon", "--help"],
            "report": ["-m", "restmon", "report", "--output", str(output)],
        }
        seconds = defaultdict(list)
        for _ in range(self.repeat):
            for name, arguments in commands.items():
                begin = time.perf_counter()
                subprocess.run(
                    [sys.executable, *arguments],
                    cwd=self.folder,
                    env=self.env("week"),
                    stdout=subprocess.DEVNULL,
                    check=True,
                )
                seconds[name].append(time.perf_counter() - begin)
        output.unlink()
        of = {name: median(each) for name, each in seconds.items()}
        self.add(
            "python -m restmon --help", of["help"], "Python importing click", of["click"], most=2
        )
        cold = next(line.value for line in self.lines if line.measure == "cold report")
        self.add("report from the shell", of["report"], "cold, in process", cold, most=2.5)

    def pandas(self) -> None:
        """The same in plain pandas. It works store by store, so that a part of the stores takes
        that part of the time."""
        cold = next(line.value for line in self.lines if line.measure == "cold report")
        parts = 20 if self.size.stores > 1000 else 1
        each = [
            self.step("week", "pandas_report", self.folder / "data-week", parts, part)["seconds"]
            for part in range(self.repeat)
        ]
        name = f"pandas, {parts} × a {parts}th of the stores" if parts > 1 else "pandas"
        self.add("our report", cold, name, median(each) * parts, least=100)

    def store_pages(self) -> None:
        """What one store's page reads, 30 days, from months of polls."""
        each = self.step("months", "store_pages", self.size.pages)["seconds"]
        p95 = float(np.percentile(each, 95))
        self.add("store page, 30 days, 30 million stored, p95", p95, under=0.05)

    def reruns(self) -> None:
        """The Overview, when many sessions run it again at once."""
        from benchmarks import pages, reruns

        port = load.free_port()
        env = self.env("week") | {"RESTMON_DASHBOARD_PORT": str(port)}
        with pages.served(["restmon", "dashboard"], port, env) as url:
            seconds, session = reruns.p95(url, self.repeat)
        script = reruns.write_bare_page(session.kinds)
        with pages.bare(script, "--runner.postScriptGC=false") as url:
            least, _ = reruns.p95(url, self.repeat)
        self.add(
            f"Overview, run again by {reruns.SESSIONS} sessions at once, p95",
            seconds,
            "Streamlit, as many elements",
            least,
            under=1.0,
        )

    def stores_answers(self) -> None:
        """What ``GET /stores`` takes."""
        each = self.step("week", "stores_answers", self.size.pages)["seconds"]
        p95 = float(np.percentile(each, 95))
        self.add("GET /stores, pages of 100 of 14,000 stores, p95", p95, under=0.05)

    def details(self) -> None:
        """A week in detail, as a workbook; a month in detail; a week's incidents and outages."""
        seconds = defaultdict(list)
        steps = ("cold_report", "week_in_detail", "workbook", "incidents")
        for _ in range(self.repeat):
            for step in steps:
                seconds[step].append(self.step("week", step)["seconds"])
        of = {name: median(each) for name, each in seconds.items()}
        self.add(
            "report of a week in detail", of["week_in_detail"], "plain", of["cold_report"], most=1.5
        )
        self.add("its workbook", of["workbook"], under=5)
        months = defaultdict(list)
        for _ in range(min(self.repeat, 3)):
            for step, *arguments in (("month_in_detail",), ("bare_read", 30)):
                found = self.step("months", step, *arguments)
                months[step].append(found["seconds"])
        self.add(
            "report of 30 days in detail, 30 million stored",
            median(months["month_in_detail"]),
            "bare ADBC read of them",
            median(months["bare_read"]),
        )
        self.add("incidents of a week", of["incidents"], "report", of["cold_report"])
        self.copy("week", "week-copy")  # it makes a group
        each = self.step("week-copy", "outages_answers", self.size.pages)["seconds"]
        self.drop("week-copy")
        p95 = float(np.percentile(each, 95))
        self.add("GET /outages, a week of 500 stores, p95", p95, under=0.1)

    def answers_a_second(self) -> None:
        """Whole reports that ``/get_report`` gives."""
        self.copy("week", "week-copy")
        found = whole_answers.measure(self.env("week-copy"), self.folder)
        self.drop("week-copy")
        self.add(
            "/get_report, JSON with the CSV, gzip",
            found["gzip"],
            "not compressed",
            found["plain"],
            over=500,
            unit="a second",
        )

    def status_under_load(self) -> None:
        """``/get_report`` asked by many while reports run."""
        self.copy("week", "week-copy")
        found = load.measure(
            self.env("week-copy"), self.folder, self.size.clients, self.size.requests
        )
        self.drop("week-copy")
        for error in found.errors[:3]:
            self.say(error)
        self.add(
            f"/get_report while reports run, {self.size.clients} clients, p95;"
            f" {len(found.latencies):,} answers, {len(found.errors)} errors,"
            f" {found.reports} reports meanwhile",
            float(np.percentile(found.latencies, 95)),
            under=0.05,
            also=not found.errors and found.reports > 1,
        )

    def table(self) -> str:
        """The results as Markdown."""
        head = ["measure", "measured", "baseline", "ratio", "to reach", "reached"]
        rows = [head, ["---"] * len(head), *(row_of(line) for line in self.lines)]
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _migrations() -> list[Path]:
    return list(database.MIGRATIONS.glob("[0-9]*.py"))


def cut(source: Path, target: Path, days: int) -> None:
    """Copy the polls of the last days of a file of polls that goes on day by day."""
    first = np.datetime64(generator.END.replace(tzinfo=None), "s") - np.timedelta64(days, "D")
    since = str(first).replace("T", " ").encode()
    with source.open("rb") as lines, target.open("wb") as out:
        out.write(next(lines))
        out.writelines(line for line in lines if line.rsplit(b",", 1)[1] >= since)


def told(value: float, unit: str) -> str:
    """A value for people."""
    if unit != "s":
        return f"{value:.0f} {unit}"
    return f"{value * 1000:.3g} ms" if value < 0.1 else f"{value:.2f} s"


def row_of(line: Line) -> list[str]:
    """A line's cells."""
    base = (
        "—"
        if line.baseline_value is None
        else f"{line.baseline}: {told(line.baseline_value, line.unit)}"
    )
    ratio = "—" if line.ratio is None else f"{line.ratio:.2g} ×"
    if line.ratio is not None and "÷" in line.target:
        ratio = f"1 ÷ {1 / line.ratio:.3g}"
    reached = "yes" if line.reached else "**no**"
    return [line.measure, told(line.value, line.unit), base, ratio, line.target, reached]


def machine() -> dict[str, Any]:
    """What it was measured on."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def main() -> None:
    """Run all measures."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--folder", type=Path, help="keep the databases here (default: temporary)")
    parser.add_argument("--repeat", type=int, default=5, help="repetitions of each measure")
    parser.add_argument("--quick", action="store_true", help="small: to try the benchmark itself")
    parser.add_argument("--output", type=Path, help="the JSON file (default: by date)")
    options = parser.parse_args()
    if not shutil.which("sqlite3"):
        print("  There is no sqlite3 shell: one baseline will be missing.", file=sys.stderr)
    begin = time.perf_counter()
    now, on = datetime.now(UTC), machine()
    size = QUICK if options.quick else Size()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="restmon-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(folder.resolve(), options.repeat, size)
    try:
        bench.prepare()
        hours = hours_after(bench.folder / "data-week", bench.folder / "hours", options.repeat)
        bench.imports()
        bench.hourly(hours)
        bench.live(hours)
        bench.alerts(hours)
        bench.reports(hours)
        bench.large_imports()
        bench.duckdb(hours)
        bench.start_up()
        bench.store_pages()
        bench.reruns()
        bench.stores_answers()
        bench.details()
        bench.answers_a_second()
        bench.status_under_load()
        bench.pandas()
    finally:
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    result = {
        "date": now.isoformat(timespec="seconds"),
        **on,
        "size": asdict(size),
        "repeat": options.repeat,
        "minutes": round((time.perf_counter() - begin) / 60, 1),
        "lines": [asdict(line) for line in bench.lines],
    }
    output = options.output or RESULTS / f"{'quick' if options.quick else f'{now:%Y-%m-%d}'}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    bench.say(f"{output} written, after {result['minutes']} minutes")
    print(f"Measured on {now:%Y-%m-%d}, {on['cores']} cores, {on['memory_gb']} GB of memory,")
    print(f"Python {on['python']}; medians of {options.repeat}.\n\n{bench.table()}")


if __name__ == "__main__":
    main()
