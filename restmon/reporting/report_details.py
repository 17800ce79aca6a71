"""The details of a report that is on record, and what it is of.

A report of a window of its own has nothing else: a worker writes them. Those of a plain report are
computed when they are first asked for, as long as what it read has not changed, and then kept.
"""

from pathlib import Path

from restmon.errors import DataChanged, NotFound, RestmonError
from restmon.files import write_file
from restmon.reporting import shards
from restmon.reporting.details import Details, Progress, compute_details
from restmon.reporting.details_table import Table, make_table, read_table
from restmon.reporting.scopes import Scope
from restmon.reporting.windows import LAST_WEEK, Window, parse_window
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import Report

SUFFIX = ".details.json"


def path_of(report_id: str) -> Path:
    """Where the details of a report stand."""
    return get_settings().reports_dir / f"{report_id}{SUFFIX}"


def window_of(report: Report) -> Window:
    """The window of a report's details: the last week for a plain report."""
    return parse_window(report.window or {}) or LAST_WEEK


def describe(report: Report) -> dict[str, object]:
    """What a report is of: the words of its window, its group and its store, None without."""
    scope = Scope.on_record(report.groups, report.scope)
    window = None if report.window is None else window_of(report).text
    return {"window": window, "group": scope.group, "store_id": scope.store}


def compute(report: Report, progress: Progress = lambda _: None) -> Details:
    """The details of a report, of the data as they are now. Raises what `compute_details` does."""
    scope = Scope.on_record(report.groups, report.scope)
    return compute_details(scope, window_of(report), report.as_of, report.method, progress)


def read(report: Report) -> Table:
    """The details of a complete report.

    Raises DataChanged where they are not kept and what the report read has changed since, NotFound
    where they are no longer in the reports folder, RestmonError where they are damaged.
    """
    path = path_of(report.id)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if report.window is not None:
            raise NotFound(
                f"The details of report {report.id} are no longer in the reports folder.",
                "Trigger a new report.",
            ) from None
        return _make(report, path)
    except OSError as error:
        raise RestmonError(
            f"The details of report {report.id} cannot be read: {error.strerror or error}.",
            "Make the reports folder readable, or trigger a new report.",
        ) from None
    return read_table(content)


def _make(report: Report, path: Path) -> Table:
    revision, as_of = report.data_revision, report.as_of
    with database.reading():
        if revision is None or as_of is None or not shards.is_unchanged_since(revision, as_of):
            raise DataChanged(
                f"The data that report {report.id} was made of have changed since.",
                "Trigger a new report, and ask for its details.",
            )
        table = make_table(compute(report))
    write_file(path, table.as_json().encode())
    return table
