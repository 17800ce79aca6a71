"""Faults while restmon works, with real processes. Afterward, everything must be whole.

The tests do a little of this. ``python -m tests.support.soak`` (``make soak``) does much, for
minutes, and prints figures. A seed draws everything, and count and time are bounded.

Every import gives each store the same new polls, and no store has its own hours or zone. So in any
consistent state of the data all stores are alike, and so are all lines of a report after the
store's id. A half import, or a report of two states of the data, would break that.
"""

import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from jobs import tasks
from jobs.queue import huey
from restmon.core.instants import HOUR, SECOND
from restmon.ingest import imports, incoming_files
from restmon.leasing import heartbeats
from restmon.ops import cleanup
from restmon.reporting import reports
from restmon.settings import get_settings
from restmon.storage import database, files, models
from restmon.storage.files import Kind
from restmon.storage.models import COMPLETE, FAILED, RUNNING, Import, Poll, Report, Shard, Store
from tests.support.clusters import binaries, cluster
from tests.support.environment import free_port, wait_until
from tests.support.http import Answer, http, multipart
from tests.support.workers import ended, polls, start_changed, start_worker
from tests.support.workspace import POLLS_HEADER, Workspace, make_workspace, open_workspace

STORES = 120
POLLS_EACH = 100
BEGIN = 1_674_000_000 * SECOND


def batch(number: int) -> bytes:
    """The file of an import: the same polls for every store, in an hour of its own."""
    lines = []
    for n in range(POLLS_EACH):
        instant = BEGIN + number * HOUR + n * 23 * SECOND
        status = "inactive" if (number + n // 40) % 5 == 0 else "active"
        moment = reports.as_text(instant)
        lines += [f"s{store:04d},{status},{moment}\n" for store in range(STORES)]
    return (POLLS_HEADER + "".join(lines)).encode()


@dataclass
class Seen:
    """The results of a run of faults."""

    kills: Counter[str] = field(default_factory=Counter)
    imports: Counter[str] = field(default_factory=Counter)
    reports: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    taken_up: int = 0
    polls: int = 0


class Client:
    """A thread that imports and requests reports through the API without end.

    Only counts a request without an answer, because the API may have been killed. An answer of 500,
    or one that is not JSON, is a failure.
    """

    def __init__(self, workspace: Workspace, numbers: Any, seen: Seen) -> None:
        self.workspace, self.numbers, self.seen = workspace, numbers, seen
        self.promised: list[int] = []
        self.bad: list[str] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self.stop.is_set():
            number = next(self.numbers)
            body, form = multipart([("polls", f"{number}.csv", batch(number))])
            done = self._ask("/import_data?wait=true", body, form)
            if done is not None and done.status == 200:
                self.promised.append(number)
            for _ in range(2):
                self._ask("/trigger_report")
            self.stop.wait(0.5)

    def _ask(self, path: str, body: bytes | None = None, headers: Any = None) -> Answer | None:
        try:
            answer = http(self.workspace.api + path, "POST", body, headers, timeout=120)
            code = answer.json.get("error", {}).get("code") if answer.status >= 400 else None
        except (httpx.HTTPError, ValueError) as error:  # ValueError: cut off in the middle
            self.seen.refused[type(error).__name__] += 1
            self.stop.wait(0.2)
            return None
        if answer.status >= 400:
            self.seen.refused[str(code)] += 1
            worn_out = "died or was stopped" in answer.text
            if not worn_out and answer.status not in {409, 503}:
                self.bad.append(answer.text)
        return answer


def kills(workspace: Workspace, count: int, seed: int, clients: int = 2, workers: int = 2) -> Seen:
    """Kill workers, the API and the dashboard ``count`` times at random moments of their work, and
    check what is left."""
    chance = random.Random(seed)
    seen = Seen()
    numbers = iter(range(10**6))
    running = {f"worker {n}": start_worker(workspace) for n in range(workers)}
    running["api"] = workspace.start_api()
    running["dashboard"] = workspace.start_dashboard()
    again = {"api": workspace.start_api, "dashboard": workspace.start_dashboard}
    asking = [Client(workspace, numbers, seen) for _ in range(clients)]
    for client in asking:
        client.thread.start()
    for n in range(count):
        time.sleep(chance.uniform(0.05, 2.5))
        name = {4: "dashboard", 9: "api"}.get(n % 10) or chance.choice([*running][:workers])
        running[name].kill()
        seen.kills[name.split()[0]] += 1
        running[name] = again.get(name, partial(start_worker, workspace))()
    for client in asking:
        client.stop.set()
    for client in asking:
        client.thread.join(180)
        assert not client.thread.is_alive(), "a request hangs"
    settle()
    promised = [number for client in asking for number in client.promised]
    bad = [text for client in asking for text in client.bad]
    assert bad == []
    check(seen, promised)
    assert http(workspace.dashboard).status == 200
    for name, process in running.items():
        assert process.stop(signal.SIGTERM, 60) == 0, (name, process.output[-2000:])
    return seen


def settle(seconds: float = 180) -> None:
    """Wait until no report, shard or import is Running."""

    def at_rest() -> bool:
        with database.session():
            return not any(
                model.select().where(model.status == RUNNING).exists()
                for model in (Report, Import, Shard)
            )

    wait_until("no job is running", at_rest, seconds)


def check(seen: Seen, promised: list[int]) -> None:
    """Check that nothing is lost, doubled, half done or stuck, and count what is there."""
    with database.session():
        rows = list(Import.select())
        complete = {int(row.files[0]["name"].split(".")[0]): row for row in rows if is_done(row)}
        assert set(promised) <= set(complete), "a promised import is not there"
        expected = len(complete) * STORES * POLLS_EACH
        # Compared here: PostgreSQL's DISTINCT over so many once took minutes.
        each = database.tuples(Poll.select(Poll.store, Poll.timestamp))
        assert len(each) == expected
        assert len(set(each)) == expected, "a poll is there twice"
        assert sum(row.counts["new"] for row in complete.values()) == expected
        assert not Store.select().count() or Store.select().count() == STORES
        for row in rows:
            seen.imports[row.status] += 1
            assert is_done(row) or "died or was stopped" in row.error, row.error
        found = list(Report.select())
        for report in found:
            seen.reports[report.status] += 1
            if report.status == FAILED:
                assert "died or was stopped" in report.error, report.error
                continue
            lines = reports.read_csv(report).decode().splitlines()[1:]
            assert len(lines) == report.stores == STORES
            alike = {line.split(",", 1)[1] for line in lines}
            assert len(alike) == 1, "a report is of two states of the data"
        seen.taken_up = sum(max(job.attempts - 1, 0) for job in [*rows, *found])
    seen.polls = expected
    whole()


def is_done(row: Import) -> bool:
    """Whether the import is complete."""
    return bool(row.status == COMPLETE)


def whole() -> None:
    """Run the database's own check, and check that folders and queue are empty."""
    settings = get_settings()
    if settings.uses_sqlite:
        with database.session():
            (verdict,) = models.database.execute_sql("PRAGMA integrity_check").fetchone()
        assert verdict == "ok"
    # A killed process leaves files that it had begun to write, until the hourly cleaning.
    cleanup.clean(older_than=0)
    assert [path.name for path in settings.spool_dir.iterdir()] == []
    assert [path.name for path in settings.reports_dir.glob("**/*.part")] == []
    wait_until("the queue is empty", lambda: huey.pending_count() == 0)


def three_at_once(workspace: Workspace, rounds: int) -> Seen:
    """Import by two command lines and the API at once, with two workers."""
    seen = Seen()
    running = [start_worker(workspace), start_worker(workspace), workspace.start_api()]
    bad: list[str] = []

    def importing(first: int, place: int) -> None:
        folder = workspace.path / f"importer-{place}"
        folder.mkdir()
        for number in range(first, first + rounds):
            path = folder / f"{number}.csv"
            path.write_bytes(batch(number))
            done = workspace.restmon("import", "--polls", path, "--json")
            if done.returncode or "Traceback" in done.stderr:
                bad.append(done.stderr)

    numbers = iter(range(20_000, 10**6))
    threads = [
        threading.Thread(target=importing, args=(first, place))
        for place, first in enumerate((0, rounds, rounds))
    ]
    client = Client(workspace, numbers, seen)
    client.thread.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.stop.set()
    client.thread.join(180)
    settle()
    assert bad + client.bad == []
    with database.session():
        rows = list(Import.select())
        assert all(is_done(row) for row in rows)
        # Two of the three import the same files. The second import of a file changes nothing.
        names = {row.files[0]["name"] for row in rows}
        assert sum(row.counts["new"] for row in rows) == len(names) * STORES * POLLS_EACH
        assert Poll.select().count() == len(names) * STORES * POLLS_EACH
        for report in Report.select():
            seen.reports[report.status] += 1
            lines = reports.read_csv(report).decode().splitlines()[1:]
            assert len({line.split(",", 1)[1] for line in lines}) == 1
    seen.imports[COMPLETE] = len(rows)
    whole()
    for process in running:
        assert process.stop(signal.SIGTERM, 60) == 0, process.output[-2000:]
    return seen


# Single faults


LITTLE_ROOM = 400_000
"""Bytes of a file: fewer than `LARGE_IMPORT` hours write into the log of the database, more than a
worker writes besides."""
LARGE_IMPORT = 20
FULL_DISK = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
"""
NO_ROOM_FOR_REPORTS = """
import resource
from contextlib import contextmanager
from restmon.storage.files.folder import FolderFiles
beside = FolderFiles.prepare
@contextmanager
def with_little_room(*args):
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    try:
        with beside(*args) as part:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
            yield part
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
FolderFiles.prepare = with_little_room
"""


def spooled(workspace: Workspace, *numbers: int) -> Any:
    """A spooled upload of some batches."""
    lines = b"".join(batch(number).removeprefix(POLLS_HEADER.encode()) for number in numbers)
    content = io.BytesIO(POLLS_HEADER.encode() + lines)
    (file,) = incoming_files.spool(content, "polls", f"{numbers[0]}.csv")
    return file


def disk_full(workspace: Workspace) -> None:
    """An import and a report find no room. Each fails in a sentence, leaves nothing half done, and
    succeeds once there is room again."""
    first = imports.run_now(
        [incoming_files.source_file("polls", workspace.write("0.csv", batch(0)))]
    )
    assert first.status == COMPLETE
    large = range(1, 1 + LARGE_IMPORT)
    worker = start_changed(workspace, FULL_DISK.format(limit=LITTLE_ROOM))
    row = ended(imports.get, tasks.enqueue_import([spooled(workspace, *large)]).id)
    assert row.status == FAILED
    assert "cannot be used" in row.error or "could not be written" in row.error, row.error
    assert "Traceback" not in row.error
    assert polls() == STORES * POLLS_EACH
    worker.stop(signal.SIGTERM)
    worker = start_changed(workspace, NO_ROOM_FOR_REPORTS)
    report = ended(reports.get, tasks.enqueue_report().id)
    assert report.status == FAILED
    assert "cannot be written: File too large. Make room" in report.error
    assert not list(get_settings().reports_dir.glob("*"))
    worker.stop(signal.SIGTERM)
    worker = start_worker(workspace)
    again = tasks.enqueue_import([spooled(workspace, *large)])
    assert ended(imports.get, again.id).status == COMPLETE
    assert ended(reports.get, tasks.enqueue_report().id).status == COMPLETE
    assert polls() == (1 + LARGE_IMPORT) * STORES * POLLS_EACH
    whole()
    assert worker.stop(signal.SIGTERM) == 0


LOCKING = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("ROLLBACK")
"""
IMPATIENT = """
from restmon.storage.sqlite import connection
connection.BUSY_SECONDS = {patience}
"""


def locked(workspace: Workspace, seconds: float, patience: float = 60) -> None:
    """Another program keeps the SQLite file locked. Jobs complete once it lets go. ``patience`` is
    how long restmon's own statements wait."""
    path = get_settings().database_path
    worker = start_worker(workspace, attempts=30, change=IMPATIENT.format(patience=patience))
    workspace.start_api()
    row = tasks.enqueue_import([spooled(workspace, 0)])
    assert ended(imports.get, row.id).status == COMPLETE
    report, row = tasks.enqueue_report(), tasks.enqueue_import([spooled(workspace, 1)])
    with subprocess.Popen(
        [sys.executable, "-c", LOCKING, str(path), str(seconds)], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"locked\n"
        begin = time.monotonic()
        reading = http(f"{workspace.api}/get_report?report_id={report.id}")
        assert reading.status == 200, reading.text
        asked = http(f"{workspace.api}/trigger_report", "POST", timeout=seconds + 60)
        assert asked.status == 202, asked.text
        assert time.monotonic() - begin > seconds / 2, "it was not locked"
        other.wait(seconds + 60)
    for get, job_id in (
        (reports.get, report.id),
        (imports.get, row.id),
        (reports.get, asked.json["report_id"]),
    ):
        job = ended(get, job_id)
        assert job.status == COMPLETE, job.error
    assert polls() == 2 * STORES * POLLS_EACH
    whole()
    assert worker.stop(signal.SIGTERM, 60) == 0


SHIFTED = """
import types, time
from pathlib import Path
from restmon.storage import models
models.time = types.SimpleNamespace(
    time_ns=lambda: time.time_ns() + int(Path({offset!r}).read_text()) * 10**9
)
"""


def clock_steps_back(workspace: Workspace) -> None:
    """A worker whose clock is an hour ahead dies at its work, and the clock steps back. Another
    worker takes its jobs at once, not an hour later."""
    offset = workspace.write("offset", "3600")
    imports.run_now([incoming_files.source_file("polls", workspace.write("0.csv", batch(0)))])
    shifted = SHIFTED.format(offset=str(offset))
    slow = start_worker(workspace, slow=True, change=shifted)
    report, row = tasks.enqueue_report(), tasks.enqueue_import([spooled(workspace, 1)])
    wait_until("the worker is at both", lambda: slow.output.count("at it") == 2)
    for get, job in ((reports.get, report), (imports.get, row)):
        # On PostgreSQL leases use the server's clock, which was right all the time.
        ahead = 3000 if get_settings().uses_sqlite else 0
        assert get(job.id).lease_until > models.now() + ahead * SECOND
    slow.kill()
    # On PostgreSQL the sign of life has the right time, and counts for 30 seconds.
    assert not (get_settings().uses_sqlite and heartbeats.is_worker_alive())
    worker = start_worker(workspace, change=shifted)
    assert ended(reports.get, report.id).status == COMPLETE
    offset.write_text("0")
    assert ended(imports.get, row.id).status == COMPLETE
    assert ended(reports.get, tasks.enqueue_report().id).status == COMPLETE
    assert wait_until("it is seen", heartbeats.is_worker_alive)
    assert polls() == 2 * STORES * POLLS_EACH
    whole()
    assert worker.stop(signal.SIGTERM, 60) == 0


def files_go(workspace: Workspace) -> None:
    """An upload, a report's CSV and the database itself are removed or cut off under running
    processes. Each gives one sentence, and a backup brings everything back."""
    worker, api = start_worker(workspace), workspace.start_api()
    file = spooled(workspace, 1)
    files.delete(Kind.UPLOAD, file.upload)
    row = ended(imports.get, tasks.enqueue_import([file]).id)
    assert row.status == FAILED
    assert "The upload 1.csv is no longer in the spool folder" in row.error
    assert ended(imports.get, tasks.enqueue_import([spooled(workspace, 0)]).id).status == COMPLETE
    report = ended(reports.get, tasks.enqueue_report().id)
    url = f"{workspace.api}/get_report?report_id={report.id}"
    key = reports.csv_key(report.id)
    text = files.read(Kind.REPORT, key)
    files.save(Kind.REPORT, key, text[:-10])
    for form in ("", "&format=csv"):
        answer = http(url + form)
        assert answer.status == 500
        assert "is damaged. Trigger" in " ".join(answer.json["error"].values())
    files.delete(Kind.REPORT, key)
    assert http(url).status == 404
    files.save(Kind.REPORT, key, text)
    assert http(url).status == 200

    stored = polls()
    backup = workspace.path / "backup.db"
    assert workspace.restmon("backup", backup).returncode == 0
    main = get_settings().database_path
    for harm in ("removed", "cut off", "overwritten"):
        models.database.close()
        if harm == "removed":
            for part in main.parent.glob(f"{main.name}*"):
                part.unlink()
        elif harm == "cut off":
            os.truncate(main, main.stat().st_size // 3)
        else:
            main.write_bytes(b"no database" * 9999)
        for ask in ("/trigger_report", "/healthz", f"/get_report?report_id={report.id}"):
            answer = http(workspace.api + ask)
            assert answer.status in {200, 202, 404, 503}, (harm, answer.text)
        done = workspace.restmon("report", "--output", workspace.path / "r.csv")
        assert "Traceback" not in done.stderr
        worker.stop(signal.SIGTERM, 60)
        api.stop(signal.SIGTERM, 60)
        assert "Traceback" not in api.output
        back = workspace.restmon("restore", backup, "--force")
        assert back.returncode == 0, back.stderr
        worker, api = start_worker(workspace), workspace.start_api()
        assert polls() == stored
        assert ended(reports.get, tasks.enqueue_report().id).status == COMPLETE
        whole()


@dataclass
class Load:
    """The answers to clients: their number by status, and their seconds, sorted."""

    statuses: Counter[int]
    seconds: list[float]

    def quantile(self, part: float) -> float:
        """The time that this part of all answers did not exceed."""
        return self.seconds[min(int(part * len(self.seconds)), len(self.seconds) - 1)]


def load(workspace: Workspace, requests: int, clients: int) -> Load:
    """Send requests of several clients at once, for reports, their state and health, while imports
    and reports run."""
    workspace.import_now(batch(0).decode().removeprefix(POLLS_HEADER))
    running = [start_worker(workspace), workspace.start_api()]
    known = [reports.request().id for _ in range(3)]
    for report_id in known:
        assert reports.work(report_id)
    found = Load(Counter(), [])
    lock = threading.Lock()

    def ask(number: int) -> None:
        chance = random.Random(number)
        for n in range(requests // clients):
            path = chance.choice(
                [
                    *[f"/get_report?report_id={report_id}" for report_id in known],
                    *[f"/get_report?report_id={known[0]}&format={f}" for f in ("csv", "status")],
                    "/healthz",
                    "/metrics",
                    f"/get_report?report_id={'0' * 32}",
                ]
            )
            method, body, form = "GET", None, None
            if n % 100 == 50:
                path, method = "/trigger_report", "POST"
            elif n % 100 == 99:
                path, method = "/import_data", "POST"
                body, form = multipart([("polls", "1.csv", batch(number * 1000 + n))])
            begin = time.perf_counter()
            try:
                status = http(workspace.api + path, method, body, form, timeout=60).status
            except httpx.HTTPError:
                status = 0
            seconds = time.perf_counter() - begin
            with lock:
                found.statuses[status] += 1
                found.seconds.append(seconds)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.seconds.sort()
    settle(600)
    for process in running:
        assert process.stop(signal.SIGTERM, 60) == 0, process.output[-2000:]
        assert "Traceback" not in process.output
    return found


# All of it, for minutes


def tell(name: str, found: Any) -> None:
    """Print a figure of the run."""
    print(f"{name:34} {found}", flush=True)


def on(url: str, what: Any, *arguments: Any) -> Any:
    """Run a fault in a new workspace. Its processes end with it."""
    with tempfile.TemporaryDirectory(prefix="restmon-soak-") as folder:
        made = make_workspace(Path(folder), url)
        with open_workspace(made):
            try:
                return what(made, *arguments)
            finally:
                made.stop_all()
                for process in made.started:
                    if "Traceback" in process.output and process.log.name.startswith("api"):
                        print(process.output[-4000:], file=sys.stderr)


def main() -> None:
    """Run all faults and the load, on SQLite and, if it is installed, on PostgreSQL."""
    count = int(os.environ.get("RESTMON_SOAK_KILLS", "100"))
    seed = int(os.environ.get("RESTMON_SOAK_SEED", str(int(time.time()))))
    print(f"seed {seed}: RESTMON_SOAK_SEED={seed} repeats the moments of the kills")
    with ExitStack() as stack:
        urls = {"SQLite": lambda: ""}
        programs = binaries()
        if programs is None:
            print("PostgreSQL is not on this machine: left out")
        else:
            server = stack.enter_context(cluster(programs, free_port(), durable=True))
            urls["PostgreSQL"] = lambda: server.create(f"soak_{models.new_id()}")
        for name, url in urls.items():
            seen = on(url(), kills, count, seed)
            tell(f"{name}: kills survived", f"{dict(seen.kills)}")
            tell(f"{name}: imports", f"{dict(seen.imports)}, {seen.polls:,} polls, none twice")
            tell(f"{name}: reports", f"{dict(seen.reports)}, {seen.taken_up} jobs taken up again")
            tell(f"{name}: answers that failed", dict(seen.refused))
            seen = on(url(), three_at_once, 10)
            tell(
                f"{name}: importers at once", f"{dict(seen.imports)}, reports {dict(seen.reports)}"
            )
            on(url(), clock_steps_back)
            tell(f"{name}: clock an hour back", "taken up at once")
            found = on(url(), load, 5000, 16)
            times = ", ".join(f"p{q} {found.quantile(q / 100) * 1000:.1f} ms" for q in (50, 95, 99))
            errors = sum(n for status, n in found.statuses.items() if not 200 <= status < 405)
            tell(f"{name}: {found.statuses.total():,} requests", f"{times}; {errors} errors")
        on("", disk_full)
        tell("full disk", "told; done when there was room")
        for seconds, patience in ((30, 60), (30, 5)):
            on("", locked, seconds, patience)
            tell(f"locked {seconds} s, patience {patience} s", "done when it was let go")
        on("", files_go)
        tell("files removed, cut off, overwritten", "told; restored from a backup")


if __name__ == "__main__":
    main()
