"""The stored details of a report, and its description.

A report with its own window has only details, which a worker writes. For a plain report the details
are computed at the first request, if the data that it read have not changed, and then stored.
"""

from pathlib import Path

from restmon.errors import DataChanged, NotFound, RestmonError
from restmon.files import write_file
from restmon.reporting import shards
from restmon.reporting.details import Details, Progress, compute_details
from restmon.reporting.details_table import DetailsTable, make_table, read_table
from restmon.reporting.scopes import Scope
from restmon.reporting.windows import LAST_WEEK, Window, parse_window
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import Report

SUFFIX = ".details.json"


def path_of(report_id: str) -> Path:
    """The path of a report's details."""
    return get_settings().reports_dir / f"{report_id}{SUFFIX}"


def window_of(report: Report) -> Window:
    """The window of a report's details: the last week for a plain report."""
    return parse_window(report.window or {}) or LAST_WEEK


def describe(report: Report) -> dict[str, object]:
    """A report's window in words, its group and its store; None without one."""
    scope = Scope.on_record(report.groups, report.scope)
    window = None if report.window is None else window_of(report).text
    return {"window": window, "group": scope.group, "store_id": scope.store}


def compute(report: Report, progress: Progress = lambda _: None) -> Details:
    """Compute a report's details from the data as they are now. Raises what `compute_details`
    does."""
    scope = Scope.on_record(report.groups, report.scope)
    return compute_details(scope, window_of(report), report.as_of, report.method, progress)


def read(report: Report) -> DetailsTable:
    """The details of a complete report.

    Raises DataChanged if they were not stored and the data have changed since the report, NotFound
    if they are no longer in the reports folder, and RestmonError if they are damaged.
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


def _make(report: Report, path: Path) -> DetailsTable:
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
