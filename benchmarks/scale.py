"""``make bench-scale``: PostgreSQL and several workers, against the report as one SQL query.

A server of its own is started in a temporary folder (its settings are in the table's head), every
size gets a database, every step a process. ``--stores`` and ``--workers`` take several numbers.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from benchmarks.__main__ import RESULTS, ROOT, run_step
from benchmarks.hours import hours_after
from benchmarks.memory import peak_megabytes
from restmon.demo import generator
from tests.support.clusters import Cluster, binaries, cluster
from tests.support.environment import free_port

ONE_QUERY = Path(__file__).with_name("one_query.sql")
SERVER = {"shared_buffers": "1GB", "work_mem": "64MB", "max_wal_size": "4GB"}
DAYS = 8
LOGGED = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"
ROWS = """CREATE TABLE poll_row (
    timestamp bigint, store_id integer, status smallint,
    PRIMARY KEY (store_id, timestamp) INCLUDE (status)
);
INSERT INTO poll_row SELECT timestamp, store_id, status FROM poll"""


def memory(found: dict[str, Any]) -> str:
    """The peak memory of a step, in words."""
    return f"peak memory {found['megabytes']:,.0f} MB"


@dataclass
class Line:
    """One line of the table."""

    stores: int
    measure: str
    seconds: float
    note: str = ""


class Scale:
    """The measures of one size, on a server."""

    def __init__(self, server: Cluster, folder: Path, stores: int, repeat: int) -> None:
        self.server = server
        self.stores = stores
        self.repeat = repeat
        self.folder = folder / str(stores)
        self.folder.mkdir()
        self.url = server.create(f"scale_{stores}")
        self.lines: list[Line] = []
        self.env = {
            **os.environ,
            "RESTMON_DATABASE_URL": self.url,
            "RESTMON_QUEUE_URL": "",
            "RESTMON_DATA_DIR": str(self.folder / "files"),
            "RESTMON_WORKERS": "1",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    def add(self, measure: str, seconds: float, note: str = "") -> None:
        self.lines.append(Line(self.stores, measure, round(seconds, 3), note))
        print(f"  {self.stores:,}: {measure}: {seconds:.2f} s {note}", file=sys.stderr, flush=True)

    def step(self, *arguments: object) -> Any:
        """Run one step of ``benchmarks.workload``."""
        return run_step(self.folder, self.env, *arguments)

    def value(self, query: str) -> Any:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query)
            return (cursor.fetchone() or (None,))[0] if cursor.description else None

    def imports(self, days: int) -> None:
        """Some days of polls, with hours and zones, into an empty database."""
        data = self.folder / "data"
        generator.generate(data, generator.DemoPlan(stores=self.stores, days=days))
        kinds = ("polls", "business_hours", "timezones")
        found = self.step("import_files", *(f"{kind}={data / kind}.csv" for kind in kinds))
        polls = found["counts"]["kinds"]["polls"]["new"]
        size = self.value("SELECT pg_database_size(current_database())")
        each = self.value("SELECT pg_total_relation_size('poll_block')") / polls
        note = f"{polls:,} polls; database {size / 1e6:,.0f} MB, {each:.1f} bytes a poll; "
        self.add("import", found["seconds"], note + memory(found))

    def hourly(self) -> None:
        """An hour's polls, one a store, right after a checkpoint, when the server logs whole
        pages."""
        seconds, logged, peak = [], [], 0.0
        for path in hours_after(self.folder / "data", self.folder / "hours", self.repeat):
            self.value("CHECKPOINT")
            before = self.value(LOGGED)
            found = self.step("import_files", f"polls={path}")
            seconds.append(found["seconds"])
            peak = max(peak, found["megabytes"])
            logged.append(self.value(LOGGED) - before)
        size = self.value("SELECT pg_total_relation_size('poll_block')")
        note = f"{median(logged) / 1e6:.1f} MB of log; then the polls take {size / 1e6:,.0f} MB"
        note += f"; {memory({'megabytes': peak})}"
        self.add("hourly import, one poll a store", median(seconds), note)

    def one_process(self) -> bytes:
        """Reports without a queue; returns the CSV."""
        found = [self.step("cold_report") for _ in range(self.repeat)]
        seconds = median(one["seconds"] for one in found)
        self.add("cold report, one process", seconds, memory(found[-1]))
        warm = self.step("again")
        self.add("warm report, one process", median(warm["seconds"]), memory(warm))
        path = self.folder / "report.csv"
        subprocess.run(
            [sys.executable, "-m", "restmon", "report", "--output", str(path)],
            cwd=self.folder,
            env=self.env,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return path.read_bytes()

    def workers(self, number: int, expected: bytes) -> None:
        """Reports through the queue by a number of worker processes of one thread each."""
        running = []
        try:
            for n in range(number):
                log = (self.folder / f"worker-{number}-{n}.log").open("wb")
                running.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "restmon", "worker"],
                        cwd=self.folder,
                        env=self.env,
                        stdout=log,
                        stderr=log,
                    )
                )
            while self.value("SELECT count(*) FROM worker_heartbeat") < number:
                time.sleep(0.1)
            for turn in ("first", "second"):
                found = self.step("queued_report")
                if Path(found["path"]).read_bytes() != expected:
                    raise SystemExit("the report by workers is not that of one process")
                peak = max(peak_megabytes(process.pid) for process in running)
                note = f"{found['note']}; {memory({'megabytes': peak})} a worker"
                self.add(f"report, {number} workers, {turn}", found["seconds"], note)
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(30)

    def one_query(self, expected: bytes) -> None:
        """The competitor, over the same polls as rows."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(ROWS)
            connection.execute("VACUUM (ANALYZE) poll_row")
        as_of = self.value("SELECT max(timestamp) FROM poll_row")
        text = ONE_QUERY.read_text().replace("{as_of}", str(as_of))
        seconds = []
        lines: list[str] = []
        for _ in range(self.repeat):
            begin = time.perf_counter()
            with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
                cursor.execute("SET jit = off")
                with cursor.copy(text) as copy:
                    lines = b"".join(copy).decode().splitlines()
            seconds.append(time.perf_counter() - begin)
        ours = expected.decode().splitlines()[1:]
        same = sum(a == b for a, b in zip(ours, lines, strict=True)) / len(ours)
        self.add("report as one SQL query", median(seconds), f"{same:.2%} of its lines are ours")


def main() -> None:
    """Measure, print the table, write it to the results folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stores", type=int, nargs="+", default=[14_000, 140_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-query", action="store_true", help="leave out the SQL query")
    options = parser.parse_args()
    programs = binaries()
    if programs is None:
        raise SystemExit("PostgreSQL's programs (initdb, pg_ctl) are not installed.")
    lines: list[Line] = []
    with (
        tempfile.TemporaryDirectory(prefix="restmon-scale-") as temporary,
        cluster(programs, free_port(), durable=True, **SERVER) as server,
    ):
        for stores in options.stores:
            scale = Scale(server, Path(temporary), stores, options.repeat)
            scale.imports(options.days)
            expected = scale.one_process()
            for number in options.workers:
                scale.workers(number, expected)
            if not options.no_query:
                scale.one_query(expected)
            scale.hourly()
            lines += scale.lines
    print(f"{os.cpu_count()} cores, PostgreSQL with {SERVER}, median of {options.repeat}\n")
    print("| stores | what | seconds | |\n| ---: | --- | ---: | --- |")
    for line in lines:
        print(f"| {line.stores:,} | {line.measure} | {line.seconds:.2f} | {line.note} |")
    RESULTS.mkdir(exist_ok=True)
    name = f"scale-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    (RESULTS / name).write_text(json.dumps([asdict(line) for line in lines], indent=1) + "\n")


if __name__ == "__main__":
    main()
