"""``make bench``: measure, print a table, write JSON to ``benchmarks/results/``.

Every step runs in a process of its own on data of the demo generator (with the real hours and
zones where ``RESTMON_REAL_DATA``, or ``../shared/data`` beside the checkout, has them). All
figures of a table are medians of one run, so their ratios hold on noisy machines.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

import numpy as np

from restmon import demo

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
DAY_OF_POLLS = 8
MONTHS_OF_POLLS = 125


@dataclass
class Line:
    """One line of the table; ``ratio`` is measured ÷ baseline."""

    measure: str
    seconds: float
    baseline: str
    baseline_seconds: float | None
    ratio: float | None
    target: str
    reached: bool


class Bench:
    """The data sets and databases of one run, in a folder."""

    def __init__(self, folder: Path, repeat: int, stores: int) -> None:
        self.folder = folder
        self.repeat = repeat
        self.stores = stores
        self.lines: list[Line] = []
        real = Path(os.environ.get("RESTMON_REAL_DATA", ROOT.parent / "shared" / "data"))
        self.sources: dict[str, Path] = {}
        if (real / "menu_hours.csv.gz").exists():
            self.sources = {
                "hours_from": real / "menu_hours.csv.gz",
                "timezones_from": real / "timezones.csv.gz",
            }

    def generate(self, name: str, stores: int, days: int) -> Path:
        """A data set, made once a folder."""
        target = self.folder / name
        if not (target / "timezones.csv").exists():
            print(f"  making {name}: {stores:,} stores, {days} days", file=sys.stderr)
            demo.generate(target, stores=stores, days=days, **self.sources)
        return target

    def env(self, database: str) -> dict[str, str]:
        """The settings of a step that works on the named database."""
        home = self.folder / database
        home.mkdir(exist_ok=True)
        return {
            **os.environ,
            "RESTMON_DATABASE_URL": f"sqlite:///{home / 'restmon.db'}",
            "RESTMON_QUEUE_URL": f"sqlite:///{home / 'queue.db'}",
            "RESTMON_DATA_DIR": str(home / "files"),
            "PYTHONPATH": str(ROOT),
        }

    def step(self, database: str, *arguments: object) -> Any:
        """Run one step of ``benchmarks.workload`` on a database."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.workload", *map(str, arguments)],
            cwd=self.folder,
            env=self.env(database),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"the step {arguments} failed:\n{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    def drop(self, database: str) -> None:
        shutil.rmtree(self.folder / database, ignore_errors=True)

    def copy(self, database: str, to: str) -> None:
        self.drop(to)
        shutil.copytree(self.folder / database, self.folder / to)

    def add(
        self,
        measure: str,
        seconds: float,
        baseline: str = "—",
        baseline_seconds: float | None = None,
        most: float | None = None,
        least: float | None = None,
        under: float | None = None,
    ) -> None:
        """Put a line into the table: ``most`` bounds measured ÷ baseline from above, ``least``
        baseline ÷ measured from below, ``under`` the seconds."""
        ratio = None if baseline_seconds is None else seconds / baseline_seconds
        targets, reached = [], True
        if most is not None and ratio is not None:
            targets.append(f"≤ {most} ×")
            reached &= ratio <= most
        if least is not None and ratio is not None:
            targets.append(f"baseline ÷ ours ≥ {least:g}")
            reached &= 1 / ratio >= least
        if under is not None:
            targets.append(f"< {under:g} s")
            reached &= seconds < under
        self.lines.append(
            Line(measure, seconds, baseline, baseline_seconds, ratio, ", ".join(targets), reached)
        )
        told = "" if ratio is None else f", {ratio:.3f} × of {baseline}"
        print(f"  {measure}: {seconds:.4f} s{told}", file=sys.stderr)

    # --- the measures -----------------------------------------------------------------------

    def imports(self, data: Path) -> None:
        """Into an empty database, and the same file again."""
        raw, first, again = [], [], []
        polls = data / "polls.csv"
        for _ in range(self.repeat):
            raw_db = self.folder / "raw.db"
            raw_db.unlink(missing_ok=True)
            begin = time.perf_counter()
            subprocess.run(
                ["sqlite3", str(raw_db), ".mode csv", f".import {polls} polls"], check=True
            )
            raw.append(time.perf_counter() - begin)
            self.drop("fresh")
            first.append(self.step("fresh", "import_files", f"polls={polls}")["seconds"])
            again.append(self.step("fresh", "import_files", f"polls={polls}")["seconds"])
        self.add("import of the polls", median(first), "sqlite3 .import", median(raw), most=2.0)
        self.add("the same file again", median(again), "first import", median(first), most=0.7)
        self.drop("fresh")

    def load(self, database: str, data: Path) -> None:
        """Import a whole data set into a database."""
        kinds = ("polls", "business_hours", "timezones")
        self.step(database, "import_files", *(f"{kind}={data / kind}.csv" for kind in kinds))

    def hours_after(self, data: Path, name: str, number: int) -> list[Path]:
        """Files of one hour's polls each (one a store), after the end of a data set."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        with (data / "timezones.csv").open() as file:
            ids = [line.split(",")[0] for line in file][1:]
        rng = np.random.default_rng(7)
        begin = np.datetime64("2026-11-01T18:00:00", "us")
        paths = []
        for hour in range(number):
            offsets = rng.integers(0, 3_600_000_000, len(ids))
            when = begin + hour * 3_600_000_000 + offsets
            status = np.where(rng.random(len(ids)) < 0.95, "active", "inactive")
            path = folder / f"hour-{hour}.csv"
            with path.open("w") as out:
                out.write("store_id,status,timestamp_utc\n")
                for store, state, moment in zip(ids, status, when, strict=True):
                    out.write(f"{store},{state},{str(moment).replace('T', ' ')} UTC\n")
            paths.append(path)
        return paths

    def reports(self, small: str, large: str) -> None:
        """Cold and warm reports, on a week and on months of stored polls."""
        cold, bare, cold_large, memory = [], [], [], []
        for _ in range(self.repeat):
            bare.append(self.step(small, "bare_read")["seconds"])
            found = self.step(small, "cold_report")
            cold.append(found["seconds"])
            memory.append(found["megabytes"])
            cold_large.append(self.step(large, "cold_report")["seconds"])
        self.add(
            "cold report",
            median(cold),
            "bare ADBC read of the week",
            median(bare),
            most=3.0,
            under=1.0,
        )
        self.add(
            "cold report, 30 million polls stored",
            median(cold_large),
            "1.8 million stored",
            median(cold),
            most=1.2,
        )
        self.peak = median(memory)

    def hourly(self, small: str, large: str, hours: list[Path]) -> None:
        """An hour's polls into a week's and into months'; and the report after each."""
        self.copy(small, "small-copy")
        into_large = self.step(large, "hourly_imports", *hours)["seconds"]
        into_small = self.step("small-copy", "hourly_imports", *hours)["seconds"]
        self.add(
            "an hour's polls into 30 million",
            median(into_large),
            "into 1.8 million",
            median(into_small),
            most=1.3,
            under=0.5,
        )
        self.copy(small, "small-copy")
        warm = self.step("small-copy", "warm_report", *hours)["seconds"]
        cold = next(line for line in self.lines if line.measure == "cold report").seconds
        self.add("warm report, 14,000 new polls", median(warm), "cold report", cold, most=0.4)
        self.drop("small-copy")

    def many_stores(self, small: str) -> None:
        """Ten times the stores."""
        data = self.generate("data-many", self.stores * 10, DAY_OF_POLLS)
        self.load("many", data)
        ours, base = [], []
        for _ in range(self.repeat):
            ours.append(self.step("many", "cold_report")["seconds"])
            base.append(self.step(small, "cold_report")["seconds"])
        self.add("report for 140,000 stores", median(ours), "for 14,000", median(base), most=11.0)

    def store_pages(self, large: str) -> None:
        """What one store's page reads, 30 days, from months of polls."""
        each = self.step(large, "store_pages", 200)["seconds"]
        self.add("store page, 30 days, p95", float(np.percentile(each, 95)), under=0.05)

    def status_under_load(self, large: str, clients: int = 50, each: int = 40) -> None:
        """``/get_report`` asked by many while reports run."""
        env = self.env(large)
        port = 18_765
        env |= {"RESTMON_API_PORT": str(port), "PYTHONUNBUFFERED": "1"}
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "restmon", name],
                env=env,
                cwd=self.folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for name in ("api", "worker")
        ]
        base = f"http://127.0.0.1:{port}"
        latencies: list[float] = []
        errors: list[str] = []
        busy = threading.Event()
        try:
            for _ in range(200):
                try:
                    urlopen(f"{base}/openapi.json", timeout=5).read()
                    break
                except OSError:
                    time.sleep(0.1)

            def trigger() -> str:
                return str(json.load(urlopen(f"{base}/trigger_report", timeout=60))["report_id"])

            ids = [trigger()]

            def keep_busy() -> None:
                while not busy.is_set():
                    ids.append(trigger())
                    busy.wait(0.3)

            def client(number: int) -> None:
                time.sleep(number * 0.02)
                for _ in range(each):
                    begin = time.perf_counter()
                    try:
                        url = f"{base}/get_report?report_id={ids[-1]}&format=status"
                        urlopen(url, timeout=30).read()
                        latencies.append(time.perf_counter() - begin)
                    except OSError as error:
                        errors.append(str(error))
                    time.sleep(0.5)

            feeder = threading.Thread(target=keep_busy)
            feeder.start()
            with ThreadPoolExecutor(clients) as pool:
                list(pool.map(client, range(clients)))
            busy.set()
            feeder.join()
        finally:
            busy.set()
            for process in started:
                process.terminate()
            for process in started:
                process.wait(30)
        self.add(
            f"/get_report while reports run, {clients} clients, p95 ({len(errors)} errors)",
            float(np.percentile(latencies, 95)) if latencies else float("inf"),
            under=0.05,
        )
        self.lines[-1].reached &= not errors

    def competitors(self, small: str, data: Path) -> None:
        """The same report written in Polars and in pandas."""
        ours, polars = [], []
        for _ in range(self.repeat):
            ours.append(self.step(small, "cold_report")["seconds"])
            polars.append(self.step(small, "polars_report")["seconds"])
        self.add("our report", median(ours), "Polars", median(polars), least=1)
        pandas = self.step(small, "pandas_report", data)["seconds"]
        self.add("our report", median(ours), "pandas (once)", pandas, least=100)

    def table(self) -> str:
        """The results as Markdown."""
        rows = ["| measure | measured | baseline | ratio | to reach | |", "|" + " --- |" * 6]
        for x in self.lines:
            base = (
                "—" if x.baseline_seconds is None else f"{x.baseline}: {told(x.baseline_seconds)}"
            )
            ratio = "—" if x.ratio is None else f"{x.ratio:.2g} ×"
            done = "yes" if x.reached else "**no**"
            rows.append(
                f"| {x.measure} | {told(x.seconds)} | {base} | {ratio} | {x.target} | {done} |"
            )
        memory = "yes" if self.peak <= 600 else "**no**"
        rows.append(
            f"| peak memory of a report | {self.peak:.0f} MB | — | — | ≤ 600 MB | {memory} |"
        )
        return "\n".join(rows)


def told(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds:.2f} s"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--folder", type=Path, help="keep the data here (default: temporary)")
    parser.add_argument("--repeat", type=int, default=5, help="repetitions of each measure")
    parser.add_argument("--stores", type=int, default=13_891)
    parser.add_argument("--quick", action="store_true", help="small: to try the benchmark itself")
    options = parser.parse_args()
    stores, months = (300, 20) if options.quick else (options.stores, MONTHS_OF_POLLS)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="restmon-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    if not shutil.which("sqlite3"):
        raise SystemExit("The sqlite3 shell is needed for the baseline; install it first.")
    bench = Bench(folder.resolve(), options.repeat, stores)
    try:
        small = bench.generate("data-week", stores, DAY_OF_POLLS)
        large = bench.generate("data-months", stores, months)
        bench.imports(small)
        bench.drop("week")
        bench.drop("months")
        bench.load("week", small)
        bench.load("months", large)
        bench.reports("week", "months")
        bench.competitors("week", small)
        bench.store_pages("months")
        bench.many_stores("week")
        bench.hourly("week", "months", bench.hours_after(small, "hours", options.repeat))
        bench.status_under_load("months")
    finally:
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(bench.table())
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    result = {
        "date": now.isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
        "stores": stores,
        "repeat": options.repeat,
        "peak_megabytes": bench.peak,
        "lines": [asdict(line) for line in bench.lines],
    }
    name = "quick" if options.quick else f"{now:%Y-%m-%d}"
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
