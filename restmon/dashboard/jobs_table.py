"""The progress and the table of reports and imports."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from restmon.access.roles import THIS_MACHINE
from restmon.core.timeline import NEAREST, PREVIOUS
from restmon.dashboard import filters, notices, store_data
from restmon.dashboard.html_table import Cell, Column, show_table, time_cell
from restmon.storage.models import COMPLETE, FAILED, RUNNING, Import, Report

STATUS_NAMES = {RUNNING: "◔ Running", COMPLETE: "✓ Complete", FAILED: "✗ Failed"}

THROUGH = {"cli": "command line", "api": "API"}

AT_ONCE, MORE = 10, 20

METHOD_NAMES = {NEAREST: "Nearest poll", PREVIOUS: "Previous poll"}

REJECTED_COLUMNS: dict[str, Any] = {
    "file": "File",
    "line": st.column_config.NumberColumn("Line", format="localized"),
    "column": "Column",
    "value": "Value",
    "reason": "Reason",
}


def show_progress(jobs: list[Any], known: list[str], describe: Callable[[Any], str]) -> None:
    """Show the progress of each running job under the name that ``describe`` returns.

    Runs the page again once the running jobs are no longer the ones with the ids ``known``.
    """
    notices.show_missing_worker()
    rows = [row for row in jobs if row.status == RUNNING]
    if [row.id for row in rows] != known:
        st.rerun()
    for row in rows:
        text = "waiting for a worker" if row.lease_until is None else f"{row.progress:.0%}"
        st.progress(min(max(row.progress, 0.0), 1.0), text=f"{describe(row)}: {text}")


def describe_requester(row: Report | Import) -> str:
    """Return who requested a report or an import, and through what."""
    through = THROUGH.get(row.requested_by, row.requested_by)
    return through if row.actor in {"", THIS_MACHINE.name} else f"{row.actor}, {through}"


def show_jobs(
    rows: Sequence[Any],
    heads: Sequence[Column],
    write: Callable[[Any], tuple[str, *tuple[Cell | str, ...]]],
    *,
    chosen: str | None,
    parameter: str,
    name: str,
) -> None:
    """Show reports, imports or documents in a table, the newest first, some at a time.

    ``write`` returns the cells of a row below the ``heads``; the state stands behind the first, and
    who requested it and when behind the last. A row opens the same page with its id in the query
    parameter ``parameter``. ``name`` is for screen readers.
    """
    zone = notices.zone_of(store_data.visible_stores())
    most = f"most_{name.lower().replace(' ', '_')}"
    shown = rows[: st.session_state.get(most, AT_ONCE)]
    filters.remember()
    kept = filters.kept_filters()
    cells: list[list[Cell | str]] = []
    for row in shown:
        first, *rest = write(row)
        opens = Cell(first, href=f"?{urlencode({parameter: row.id, **kept})}")
        requested = time_cell(row.requested_at, zone)
        cells.append([opens, STATUS_NAMES[row.status], *rest, describe_requester(row), requested])
    show_table(
        f"{name}, newest first",
        [heads[0], Column("Status"), *heads[1:], Column("Requested by"), Column("Requested")],
        cells,
        current=next((n for n, row in enumerate(shown) if row.id == chosen), None),
    )
    if len(rows) > len(shown):
        rest_of = min(MORE, len(rows) - len(shown))
        if st.button(f"Show {rest_of} more", key=f"{most}_button"):
            st.session_state[most] = len(shown) + MORE
            st.rerun()
