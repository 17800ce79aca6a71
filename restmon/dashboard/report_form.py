"""The choice of a report's window and stores."""

from datetime import date, timedelta

import streamlit as st

from restmon.core.instants import as_datetime
from restmon.dashboard.identity import current_actor
from restmon.errors import BadRequest
from restmon.reporting.reports import Part
from restmon.stores import groups

USUAL, THIS_MONTH, LAST_MONTH, DATES = "usual", "this month", "last month", "dates"
WINDOWS = {
    USUAL: "Last hour, day and week",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    THIS_MONTH: "The month of the newest poll",
    LAST_MONTH: "The month before",
    DATES: "Between two dates",
}
"""The windows to choose from. The first one gives the seven columns."""


def choose_part(newest: int) -> Part:
    """Show the choice of a window and a group, and return it. ``newest`` is the instant of the
    newest poll. Raises BadRequest if only one of the two dates is chosen."""
    chosen: tuple[date, ...] = ()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        window = st.selectbox(
            "Window",
            list(WINDOWS),
            format_func=WINDOWS.__getitem__,
            key="report_window",
            width=260,
            help="A month and a date begin at midnight in each store's own time zone.",
        )
        if window == DATES:
            last = as_datetime(newest).date()
            chosen = st.date_input(
                "First and last date",
                value=(last - timedelta(days=6), last),
                max_value=last,
                key="report_dates",
                width=260,
            )
        names = [entry.name for entry in groups.list_groups(current_actor().groups)]
        group = None
        if names:
            group = st.selectbox(
                "Of the stores of",
                names,
                index=None,
                placeholder="All groups",
                key="report_group",
                width=260,
            )
    return Part(_words(window, chosen, as_datetime(newest).date()), group)


def _words(window: str, chosen: tuple[date, ...], newest: date) -> dict[str, str | None]:
    """The words of a window, in the form that the API takes."""
    if window == USUAL:
        return {}
    if window == THIS_MONTH:
        return {"month": f"{newest:%Y-%m}"}
    if window == LAST_MONTH:
        return {"month": f"{newest.replace(day=1) - timedelta(days=1):%Y-%m}"}
    if window != DATES:
        return {"last": window}
    if len(chosen) != 2:
        raise BadRequest("The last date is not chosen.", "Choose the first and the last date.")
    first, last = chosen
    if last >= newest:  # a window ends at the newest poll at the latest
        return {"from": first.isoformat()}
    return {"from": first.isoformat(), "to": (last + timedelta(days=1)).isoformat()}
