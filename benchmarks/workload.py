"""One measured step in a process of its own: ``python -m benchmarks.workload STEP [ARGUMENTS]``.

Prints one line of JSON: the seconds of the step itself (modules already imported), and the
peak memory of the process in megabytes. The database is the one of RESTMON_DATABASE_URL.
"""

import csv
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks import rows
from benchmarks.memory import peak_megabytes
from restmon.core.instants import DAY
from restmon.ingest import imports, incoming_files
from restmon.reporting import computation, reports, snapshot
from restmon.settings import get_settings
from restmon.storage import database, models
from restmon.storage.poll_blocks import PERIOD_BITS

Step = Callable[..., Any]


def clock(step: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    step()
    return time.perf_counter() - begin


def import_files(*pairs: str) -> dict[str, Any]:
    """Import ``kind=path`` files."""
    files = [incoming_files.source_file(*pair.split("=", 1)) for pair in pairs]
    row: Any = None

    def run() -> None:
        nonlocal row
        row = imports.run_now(files)

    seconds = clock(run)
    assert row.status == "Complete", row.error
    return {"seconds": seconds, "counts": row.counts}


def take_items(*hours: str) -> dict[str, Any]:
    """10,000 items of a live feed for each hour, and the same rows by one executemany into a bare
    table of SQLite, both committed to the disk."""
    from restmon.access.roles import THIS_MACHINE
    from restmon.ingest import live_feed

    seconds, bare = [], []
    with tempfile.TemporaryDirectory() as folder:
        raw = sqlite3.connect(Path(folder) / "raw.db")
        raw.executescript(
            "PRAGMA journal_mode = wal; PRAGMA synchronous = full;"
            "CREATE TABLE polls (store_id, timestamp_utc, status, PRIMARY KEY (store_id,"
            " timestamp_utc)) WITHOUT ROWID"
        )
        for path in hours:
            with Path(path).open(newline="") as file:
                items = list(islice(csv.DictReader(file), live_feed.MOST_ITEMS))
            names = ("store_id", "timestamp_utc", "status")
            rows = [tuple(item[name] for name in names) for item in items]
            seconds.append(clock(lambda: live_feed.take("polls", items, THIS_MACHINE)))  # noqa: B023

            def write() -> None:
                raw.executemany("INSERT OR REPLACE INTO polls VALUES (?, ?, ?)", rows)  # noqa: B023
                raw.commit()

            bare.append(clock(write))
        raw.close()
    return {"seconds": seconds, "bare": bare}


def cold_report() -> dict[str, Any]:
    """The first report of this process, CSV text included."""
    seconds = clock(lambda: computation.compute().csv())
    with database.reading():
        return {"seconds": seconds, "polls": len(snapshot.cache.get().polls.time)}


def week_in_detail() -> dict[str, Any]:
    """The first report of this process in detail, of a week, CSV text included."""
    from restmon.reporting.details import compute_details
    from restmon.reporting.details_table import make_table
    from restmon.reporting.scopes import Scope

    return {"seconds": clock(lambda: make_table(compute_details(Scope())).csv())}


def month_in_detail() -> dict[str, Any]:
    """The first report of this process in detail, of 30 days, CSV text included."""
    from restmon.reporting.details import compute_details
    from restmon.reporting.details_table import make_table
    from restmon.reporting.scopes import Scope
    from restmon.reporting.windows import parse_window

    month = parse_window({"last": "30d"})
    return {"seconds": clock(lambda: make_table(compute_details(Scope(), month)).csv())}


def workbook() -> dict[str, Any]:
    """A workbook of a report in detail that is computed."""
    from restmon.reporting.details import compute_details
    from restmon.reporting.details_table import make_table
    from restmon.reporting.scopes import Scope
    from restmon.reporting.workbook import make_workbook

    table = make_table(compute_details(Scope()))
    return {"seconds": clock(lambda: make_workbook(table))}


def incidents() -> dict[str, Any]:
    """The first list of incidents of this process, of a week of all stores."""
    from restmon.reporting import incident_list
    from restmon.reporting.scopes import Scope

    def run() -> None:
        incident_list.make_rows(incident_list.list_incidents(Scope()), None)

    return {"seconds": clock(run)}


def outages_answers(number: str) -> dict[str, Any]:
    """Answers of ``GET /outages`` without a server, of a week and a group of 500 stores, once the
    first one is made."""
    import httpx

    import api_server
    from restmon.stores import groups

    with database.session():
        ids = snapshot.read_stores().ids
    if not any(group.name == "bench" for group in groups.list_groups()):
        groups.create("bench")
    groups.set_members("bench", ids[:: max(1, len(ids) // 500)][:500])
    transport = httpx.WSGITransport(api_server.serve, remote_addr="127.0.0.1")
    chosen: list[dict[str, str]] = [{}, {"min_minutes": "60"}, {"ongoing": "true"}]
    with httpx.Client(transport=transport, base_url="http://127.0.0.1") as client:

        def ask(query: dict[str, str]) -> None:
            query = {"last": "7d", "group": "bench"} | query
            client.get("/outages", params=query).raise_for_status()

        first = clock(lambda: ask({}))
        each = [clock(lambda n=n: ask(chosen[n % len(chosen)])) for n in range(int(number))]
    return {"seconds": each, "first": first}


def warm_report(*hours: str) -> dict[str, Any]:
    """Reports of a process that has served one; each file of polls is imported before one."""
    computation.compute().csv()
    each = []
    for path in hours:
        imports.run_now([incoming_files.source_file("polls", path)])
        each.append(clock(lambda: computation.compute().csv()))
    return {"seconds": each}


def again() -> dict[str, Any]:
    """Reports of a process that has served one, nothing having changed."""
    computation.compute().csv()
    return {"seconds": [clock(lambda: computation.compute().csv()) for _ in range(3)]}


def queued_report() -> dict[str, Any]:
    """A report by the workers that run: from the request to the end; and its shards."""
    from jobs.queue import huey
    from jobs.tasks import enqueue_report
    from restmon.reporting import shards

    huey.connect()
    begin = time.perf_counter()
    report = enqueue_report()
    while (found := reports.get(report.id)).status == "Running":
        time.sleep(0.02)
    seconds = time.perf_counter() - begin
    assert found.status == "Complete", found.error
    parts: list[Any] = shards.list_shards(report.id)
    note = "not parted"
    if parts:
        each = [(part.finished_at - part.started_at) / 1e6 for part in parts]
        waited = [(part.started_at - part.requested_at) / 1e6 for part in parts]
        note = (
            f"{len(parts)} shards, each {min(each):.2f} to {max(each):.2f} s, waited up to "
            f"{max(waited):.2f} s"
        )
    copy = get_settings().data_dir / "queued.csv"
    copy.write_bytes(reports.read_csv(found))
    return {"seconds": seconds, "path": str(copy), "note": note}


def evaluate_alerts(*hours: str) -> dict[str, Any]:
    """Evaluations of a rule of every condition, in seconds of processor time: after each file of
    polls, and after one in which about a tenth of the stores goes down."""
    from datetime import datetime, timedelta
    from types import SimpleNamespace

    from restmon.notify import channels, evaluation, rules
    from restmon.notify.conditions import CONDITIONS

    def evaluate_after(path: Path) -> float:
        moment = max(line.rsplit(",", 1)[1] for line in path.read_text().splitlines()[1:])
        seconds = datetime.fromisoformat(moment.replace(" UTC", "+00:00")).timestamp() + 60
        models.time = SimpleNamespace(  # type: ignore[assignment]
            time_ns=lambda: round(seconds * 10**9)
        )
        imports.run_now([incoming_files.source_file("polls", path)])
        begin = time.process_time()
        evaluation.evaluate_rules()
        return time.process_time() - begin

    channel = channels.add_channel("Bench", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/")
    for condition in CONDITIONS:
        rules.add_rule(rules.Wanted(condition, reminder=60), [channel])
    evaluation.evaluate_rules()
    each = [evaluate_after(Path(path)) for path in hours]
    with tempfile.TemporaryDirectory() as folder:
        head, *lines = Path(hours[-1]).read_text().splitlines()
        later = Path(folder) / "later.csv"
        with later.open("w") as file:
            file.write(head + "\n")
            for n, line in enumerate(lines):
                store, status, text = line.split(",")
                at = datetime.fromisoformat(text.replace(" UTC", "+00:00")) + timedelta(minutes=40)
                status = status if n % 11 else "inactive"
                file.write(f"{store},{status},{at:%Y-%m-%d %H:%M:%S.%f} UTC\n")
        return {"seconds": each, "down": evaluate_after(later)}


def bare_read(days: str = "7") -> dict[str, Any]:
    """The last days' polls of all stores, as rows, through ADBC into Arrow, nothing else."""
    import adbc_driver_sqlite.dbapi as adbc

    with database.session():
        newest = database.newest_poll() or 0
    lo = newest - int(days) * DAY
    with adbc.connect(str(rows_path())) as connection, connection.cursor() as cur:

        def read() -> None:
            cur.execute(
                "SELECT store_id, timestamp, status FROM poll"
                f" WHERE period >= {lo >> PERIOD_BITS} AND timestamp >= {lo}"
            )
            cur.fetch_arrow_table()

        return {"seconds": clock(read)}


def store_pages(number: str) -> dict[str, Any]:
    """The page data of single stores over 30 days, for a number of stores spread over all."""
    from restmon.reporting import store_timeline

    with database.session():
        ids = snapshot.read_stores().ids
        newest = database.newest_poll() or 0
    lo = newest - 30 * 24 * snapshot.HOUR
    chosen = ids[:: max(1, len(ids) // int(number))][: int(number)]
    each = [
        clock(lambda store=store: store_timeline.read_store(store, lo, newest)) for store in chosen
    ]
    return {"seconds": each}


def stores_answers(number: str) -> dict[str, Any]:
    """Answers of ``GET /stores`` without a server, once the first one is made: pages of 100 of
    different searches, filters and orders, and the pages after them."""
    import httpx

    import api_server

    queries: list[dict[str, Any]] = [
        {},
        {"sort": "-down"},
        {"sort": "uptime_percent", "status": "up"},
        {"sort": "name", "search": "1"},
        {"sort": "-last_poll", "zone": "America/Chicago"},
    ]
    transport = httpx.WSGITransport(api_server.serve, remote_addr="127.0.0.1")
    seconds: list[float] = []
    with httpx.Client(transport=transport, base_url="http://127.0.0.1") as client:

        def ask(query: dict[str, Any]) -> Any:
            begin = time.perf_counter()
            answer = client.get("/stores", params=query)
            seconds.append(time.perf_counter() - begin)
            return answer.raise_for_status().json()

        ask({})
        seconds.clear()
        for n in range(int(number) // 2):
            query = queries[n % len(queries)]
            found = ask(query)
            ask(query | ({"cursor": found["next"]} if found["next"] else {}))
    return {"seconds": seconds}


def polars_report() -> dict[str, Any]:
    """The Polars competitor, from the same database to the CSV text."""
    from benchmarks import polars_report

    path = str(rows_path())
    return {"seconds": clock(lambda: polars_report.from_database(path))}


def write_rows(days: str = "") -> dict[str, Any]:
    """The same stores and polls (of the last days) as rows, beside the database."""
    return {"seconds": clock(lambda: rows.write_rows(rows_path(), int(days) if days else None))}


def rows_path() -> Path:
    """The file of `write_rows`."""
    return get_settings().database_path.with_name(rows.NAME)


def pandas_report(folder: str, parts: str, part: str) -> dict[str, Any]:
    """The pandas competitor, from data frames in memory to the CSV text, of one store in so many,
    from the given one on."""
    from benchmarks import pandas_report

    polls, hours, zones = pandas_report.read(Path(folder))
    as_of = polls["timestamp_utc"].max()
    stores = sorted({*polls["store_id"], *hours["store_id"], *zones["store_id"]})
    chosen = set(stores[int(part) % int(parts) :: int(parts)])
    frames = [frame[frame["store_id"].isin(chosen)] for frame in (polls, hours, zones)]
    return {"seconds": clock(lambda: pandas_report.report(*frames, as_of))}


STEPS: dict[str, Step] = {
    step.__name__: step
    for step in (
        import_files,
        take_items,
        cold_report,
        warm_report,
        again,
        queued_report,
        bare_read,
        write_rows,
        store_pages,
        stores_answers,
        week_in_detail,
        month_in_detail,
        workbook,
        incidents,
        outages_answers,
        evaluate_alerts,
        polars_report,
        pandas_report,
    )
}


if __name__ == "__main__":
    database.configure()
    found = STEPS[sys.argv[1]](*sys.argv[2:])
    found["megabytes"] = peak_megabytes()
    print(json.dumps(found))
