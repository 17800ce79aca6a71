"""The progress and the table of reports and imports."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from restmon.access.roles import THIS_MACHINE
from restmon.core.instants import as_datetime
from restmon.core.timeline import NEAREST, PREVIOUS
from restmon.dashboard.notices import show_missing_worker
from restmon.storage.models import COMPLETE, FAILED, RUNNING, Import, Report

STATUS_NAMES = {RUNNING: "◔ Running", COMPLETE: "✓ Complete", FAILED: "✗ Failed"}

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
    show_missing_worker()
    rows = [row for row in jobs if row.status == RUNNING]
    if [row.id for row in rows] != known:
        st.rerun()
    for row in rows:
        text = "waiting for a worker" if row.lease_until is None else f"{row.progress:.0%}"
        st.progress(min(max(row.progress, 0.0), 1.0), text=f"{describe(row)}: {text}")


def describe_requester(row: Report | Import) -> str:
    """Return who requested a report or an import, and through what: page, API or CLI."""
    if row.actor in {"", THIS_MACHINE.name}:
        return str(row.requested_by)
    return f"{row.actor}, {row.requested_by}"


def show_jobs(
    rows: list[Any],
    columns: Mapping[str, list[Any]],
    config: dict[str, Any],
    *,
    chosen: str | None,
    parameter: str,
    name: str,
) -> None:
    """Show all reports or imports in a table: status, ``columns``, requester and time.

    ``config`` describes the ``columns``. The id of the row that the user selects goes into the
    query parameter ``parameter``.
    """
    ids = [row.id for row in rows]
    # New rows need a new key: the selection is kept by row number.
    key = f"{name}_{ids[0][:8]}"

    def pick() -> None:
        picked = st.session_state[key]["selection"]["rows"]
        if picked and picked[0] < len(ids):
            st.query_params[parameter] = ids[picked[0]]

    table = {
        "status": [STATUS_NAMES[row.status] for row in rows],
        **columns,
        "requested_by": [describe_requester(row) for row in rows],
        "requested_at": [as_datetime(row.requested_at) for row in rows],
    }
    st.dataframe(
        pd.DataFrame(table),
        hide_index=True,
        column_config={
            "status": "Status",
            **config,
            "requested_by": "Requested by",
            "requested_at": st.column_config.DatetimeColumn(
                "Requested (UTC)", format="YYYY-MM-DD HH:mm:ss", timezone="UTC"
            ),
        },
        on_select=pick,
        selection_mode="single-row",
        selection_default={"selection": {"rows": [n for n, i in enumerate(ids) if i == chosen]}},
        key=key,
        alt=f"Table of all {parameter}s, newest first",
        height=min(36 * (len(rows) + 1) + 2, 300),
        placeholder="–",
    )
