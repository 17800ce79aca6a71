"""One measured step in a process of its own: ``python -m benchmarks.workload STEP [ARGUMENTS]``.

Prints one line of JSON: the seconds of the step itself (modules already imported), and the
peak memory of the process in megabytes. The database is the one of RESTMON_DATABASE_URL.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from restmon import database, imports, reports, snapshot
from restmon.settings import get_settings

Step = Callable[..., Any]


def clock(step: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    step()
    return time.perf_counter() - begin


def import_files(*pairs: str) -> dict[str, Any]:
    """Import ``kind=path`` files."""
    files = [imports.source_file(*pair.split("=", 1)) for pair in pairs]
    row: Any = None

    def run() -> None:
        nonlocal row
        row = imports.run_now(files)

    seconds = clock(run)
    assert row.status == "Complete", row.error
    return {"seconds": seconds, "counts": row.counts}


def cold_report() -> dict[str, Any]:
    """The first report of this process, CSV text included."""
    return {"seconds": clock(lambda: reports.compute().csv())}


def warm_report(*hours: str) -> dict[str, Any]:
    """Reports of a process that has served one; each file of polls is imported before one."""
    reports.compute().csv()
    each = []
    for path in hours:
        imports.run_now([imports.source_file("polls", path)])
        each.append(clock(lambda: reports.compute().csv()))
    return {"seconds": each}


def bare_read() -> dict[str, Any]:
    """The week's polls of all stores through ADBC into Arrow, nothing else."""
    import adbc_driver_sqlite.dbapi as adbc

    newest = 0
    with database.session():
        newest = database.newest_poll() or 0
    lo = newest - snapshot.WEEK
    with adbc.connect(str(get_settings().database_path)) as connection, connection.cursor() as cur:

        def read() -> None:
            cur.execute(
                "SELECT store.id, poll.timestamp, poll.status FROM store CROSS JOIN poll"
                f" ON poll.store_id = store.id AND poll.timestamp >= {lo}"
            )
            cur.fetch_arrow_table()

        return {"seconds": clock(read)}


def hourly_imports(*hours: str) -> dict[str, Any]:
    """Import one hour's polls after the other."""
    each = [import_files(f"polls={path}")["seconds"] for path in hours]
    return {"seconds": each}


def store_pages(number: str) -> dict[str, Any]:
    """The page data of single stores over 30 days, for a number of stores spread over all."""
    from restmon import store_view

    with database.session():
        ids = snapshot.read_stores().ids
        newest = database.newest_poll() or 0
    lo = newest - 30 * 24 * snapshot.HOUR
    chosen = ids[:: max(1, len(ids) // int(number))][: int(number)]
    each = [clock(lambda store=store: store_view.view(store, lo, newest)) for store in chosen]
    return {"seconds": each}


def polars_report() -> dict[str, Any]:
    """The Polars competitor, from the same database to the CSV text."""
    from benchmarks import polars_report

    path = str(get_settings().database_path)
    return {"seconds": clock(lambda: polars_report.from_database(path))}


def pandas_report(folder: str) -> dict[str, Any]:
    """The pandas competitor, from data frames in memory to the CSV text."""
    import pandas as pd

    from benchmarks import pandas_report

    polls = pd.read_csv(Path(folder) / "polls.csv", dtype={"store_id": str})
    polls["timestamp_utc"] = pd.to_datetime(polls["timestamp_utc"], utc=True, format="ISO8601")
    hours = pd.read_csv(Path(folder) / "business_hours.csv", dtype=str)
    hours["day"] = hours["day"].astype(int)
    hours = hours.rename(columns={"start_time_local": "start", "end_time_local": "end"})
    zones = pd.read_csv(Path(folder) / "timezones.csv", dtype=str)
    as_of = polls["timestamp_utc"].max()
    return {"seconds": clock(lambda: pandas_report.report(polls, hours, zones, as_of))}


STEPS: dict[str, Step] = {
    step.__name__: step
    for step in (
        import_files,
        cold_report,
        warm_report,
        bare_read,
        hourly_imports,
        store_pages,
        polars_report,
        pandas_report,
    )
}


if __name__ == "__main__":
    database.configure()
    found = STEPS[sys.argv[1]](*sys.argv[2:])
    found["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))
