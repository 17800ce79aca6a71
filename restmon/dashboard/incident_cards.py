"""The incidents of the last week, in words."""

import streamlit as st

from restmon.core.findings import count_of
from restmon.core.formatting import clock, duration, share
from restmon.dashboard import filters, outage_window
from restmon.dashboard.clock import moment
from restmon.dashboard.page_links import link_to
from restmon.reporting.fleet import Fleet
from restmon.reporting.incident_list import FoundIncidents
from restmon.reporting.style import read_style

MOST_SHOWN = 5


def show_incidents(found: Fleet, zone: str) -> None:
    """The newest incidents of all of the visitor's stores in the last week."""
    st.header(
        "Incidents of the last week",
        help="At least 5 stores, and 5% of the open ones, were down at once, at least twice the "
        "usual share. So the cause was likely shared. All your stores count, whatever the filters.",
    )
    _link_to_outages()
    every = found.incidents
    newest = range(len(every.ids))[::-1][:MOST_SHOWN]
    if not len(newest):
        st.caption("There was none: no time at which unusually many stores were down at once.")
        return
    for n in newest:
        _link_to(every, n, zone, {})


def _link_to_outages() -> None:
    with st.container(horizontal=True):
        link_to("outages", "See all outages of the week", icon=":material/list:")
        link_to(
            "outages",
            "See what last month cost",
            icon=":material/payments:",
            query_params={filters.LAST: outage_window.LAST_MONTH},
        )


def show_found_incidents(found: FoundIncidents, zone: str, window: dict[str, str]) -> None:
    """The incidents of some stores in a window, whose query parameters are given, the newest
    first."""
    if not found.ids:
        return
    with st.expander(count_of(len(found.ids), "incident"), expanded=len(found.ids) <= MOST_SHOWN):
        for n in range(len(found.ids))[::-1]:
            _link_to(found, n, zone, window)


def _link_to(found: FoundIncidents, n: int, zone: str, window: dict[str, str]) -> None:
    link_to(
        "outages",
        describe_incident(found, n, zone),
        icon=":material/crisis_alert:",
        query_params={"incident": found.ids[n], **window},
        help=f"{moment(int(found.incidents.start[n]))}: see the outages that are part of it.",
    )


def describe_incident(found: FoundIncidents, n: int, zone: str) -> str:
    """Return when an incident was, how many stores it struck, and how much time they lost."""
    events = found.incidents
    start, end = int(events.start[n]), int(events.end[n])
    struck = int((events.incident == n).sum())
    peak = share(float(events.peak_share[n]), 1.0)
    return (
        f"**{moment(start, zone)} to {clock(end, zone, read_style())}**: "
        f"{count_of(struck, 'store')} down, up to {peak} of the open stores at once; "
        f"{duration(int(found.lost[n]))} down in all"
    )
