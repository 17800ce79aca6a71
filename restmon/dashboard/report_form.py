"""The form that makes a report: its window in words, its stores, and its method."""

from datetime import date, datetime, time, timedelta

import streamlit as st

from jobs import tasks
from restmon.core.instants import as_datetime, from_datetime
from restmon.core.timeline import METHODS, NEAREST
from restmon.dashboard import jobs_table, messages, store_data
from restmon.dashboard.clock import moment
from restmon.dashboard.identity import current_actor
from restmon.errors import BadRequest
from restmon.reporting import calendar_windows
from restmon.reporting.reports import Part
from restmon.stores import groups

USUAL, DATES = "usual", "dates"
WINDOWS = {
    USUAL: calendar_windows.USUAL,
    "24h": "Last 24 hours",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    calendar_windows.THIS_WEEK: "This week",
    calendar_windows.LAST_WEEK: "Last week",
    calendar_windows.THIS_MONTH: "This month",
    calendar_windows.LAST_MONTH: "Last month",
    DATES: "Dates …",
}
"""The windows to choose from. The first one gives the seven columns."""
WIDTH = 260


def show_report_form(newest: int) -> None:
    """Show the form, and put the report that it asks for into the queue. ``newest`` is the instant
    of the newest poll."""
    with st.container(border=True):
        st.header("Make a report")
        with messages.stop_on_error():
            part = choose_part(newest)
        with st.form("trigger", border=False):
            with st.expander("More choices"):
                method = st.segmented_control(
                    "Between two polls, the status is that of the",
                    METHODS,
                    default=NEAREST,
                    required=True,
                    format_func=jobs_table.METHOD_NAMES.__getitem__,
                    key="report_method",
                    help="The Help page draws both.",
                )
                when = st.datetime_input(
                    "As of (UTC); empty: the newest poll",
                    value=None,
                    min_value=datetime(1970, 1, 1),
                    max_value=datetime.combine(as_datetime(newest).date(), time(23, 59)),
                    step=60,
                    key="as_of",
                    help=f"The report ends there. The newest poll is from {moment(newest)}.",
                    width=WIDTH,
                )
            pressed = st.form_submit_button(
                "Make the report", type="primary", icon=":material/play_arrow:"
            )
        if pressed:
            as_of = None if when is None else from_datetime(when)
            with messages.stop_on_error():
                row = tasks.enqueue_report(
                    as_of=as_of,
                    method=method or NEAREST,
                    requested_by="dashboard",
                    actor=current_actor(),
                    part=part,
                )
            st.query_params["report"] = row.id


def choose_part(newest: int) -> Part:
    """Show the choice of a window and a group, and return it. Raises BadRequest if only one of the
    two dates is chosen."""
    chosen: tuple[date, ...] = ()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        window = st.selectbox(
            "Time",
            list(WINDOWS),
            format_func=WINDOWS.__getitem__,
            key="report_window",
            width=WIDTH,
            help="A week is Monday to Sunday. Weeks, months and dates begin at midnight in each "
            "store's own time zone. All others end at the newest poll.",
        )
        if window == DATES:
            last = as_datetime(newest).date()
            chosen = st.date_input(
                "First and last day",
                value=(last - timedelta(days=6), last),
                max_value=last,
                key="report_dates",
                width=WIDTH,
            )
        names = [entry.name for entry in groups.list_groups(current_actor().groups)]
        group = None
        if names:
            group = st.selectbox(
                "Group",
                names,
                index=None,
                placeholder="All stores",
                key="report_group",
                width=WIDTH,
            )
    return Part(_words(window, chosen, newest), group)


def _words(window: str, chosen: tuple[date, ...], newest: int) -> dict[str, str]:
    """The words of a window, in the form that the API takes."""
    if window == USUAL:
        return {}
    if window in calendar_windows.CALENDAR:
        stores = store_data.visible_stores()
        zones = [stores.zones[n] for n in sorted(set(stores.zone_of_store.tolist()))]
        return calendar_windows.words_of(window, newest, zones)
    if window != DATES:
        return {"last": window}
    if len(chosen) != 2:
        raise BadRequest("The last day is missing.", "Choose the first and the last day.")
    first, last = chosen
    if last >= as_datetime(newest).date():  # a window ends at the newest poll at the latest
        return {"from": first.isoformat()}
    return {"from": first.isoformat(), "to": (last + timedelta(days=1)).isoformat()}
