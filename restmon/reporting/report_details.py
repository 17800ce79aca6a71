"""The stored details of a report, and its description.

A report with its own window has only details, which a worker writes. For a plain report the details
are computed at the first request, if the data that it read have not changed, and then stored.
"""

from restmon.errors import DataChanged, NotFound, RestmonError
from restmon.reporting import shards
from restmon.reporting.details import Details, Progress, compute_details
from restmon.reporting.details_table import DetailsTable, make_table, read_table
from restmon.reporting.scopes import Scope
from restmon.reporting.windows import LAST_WEEK, Window, parse_window
from restmon.storage import database, files
from restmon.storage.files import Kind
from restmon.storage.models import Report

SUFFIX = ".details.json"


def key_of(report_id: str) -> str:
    """The key of a report's details (`files.Kind.REPORT`)."""
    return f"{report_id}{SUFFIX}"


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
    if they are gone, and RestmonError if they are damaged.
    """
    try:
        content = files.read(Kind.REPORT, key_of(report.id))
    except FileNotFoundError:
        if report.window is not None:
            raise _explain_gone(report) from None
        return _make(report)
    except OSError as error:
        raise RestmonError(
            f"The details of report {report.id} cannot be read: {error.strerror or error}.",
            "Make the reports folder readable, or trigger a new report.",
        ) from None
    return read_table(content)


def find_problem(report: Report) -> RestmonError | None:
    """Why `read` would not give the details of a complete report; None if it would, unless they are
    damaged."""
    if files.find(Kind.REPORT, key_of(report.id)) is not None:
        return None
    return _explain_gone(report) if report.window is not None else _find_change(report)


def _explain_gone(report: Report) -> NotFound:
    return NotFound(
        f"The details of report {report.id} are no longer in {files.where(Kind.REPORT)}.",
        "Trigger a new report.",
    )


def _find_change(report: Report) -> DataChanged | None:
    revision, as_of = report.data_revision, report.as_of
    with database.reading():
        if revision and as_of is not None and shards.is_unchanged_since(revision, as_of):
            return None
    return DataChanged(
        f"The data that report {report.id} was made of have changed since.",
        "Trigger a new report, and ask for its details.",
    )


def _make(report: Report) -> DetailsTable:
    with database.reading():
        if problem := _find_change(report):
            raise problem
        table = make_table(compute(report))
    files.save(Kind.REPORT, key_of(report.id), table.as_json().encode())
    return table
