"""Percentages as figures: how sure they are, and how they changed."""

import streamlit as st

from restmon.charts.style import SEEN_ENOUGH
from restmon.core.formatting import change, share
from restmon.core.status_now import DOWN, NOT_REPORTING
from restmon.reporting.fleet_view import FleetView, WindowSums

WINDOWS = ("hour", "day", "week")


def show_figures(view: FleetView, *, stale: bool) -> None:
    """How many stores are down, and the uptime of three windows with its coverage."""
    with st.grid(4, min_column_width=180):
        with st.container(border=True, height="stretch"):
            st.metric("Down at the last poll" if stale else "Down now", f"{view.counts[DOWN]:,}")
            silent = view.counts[NOT_REPORTING]
            st.caption(f"of {view.open_now:,} open stores; {silent:,} not reporting")
        parts = zip(WINDOWS, view.windows, view.found.has_before, strict=True)
        for name, window, has_before in parts:
            with st.container(border=True, height="stretch"):
                _show_window(window, name, has_before=has_before)


def _show_window(window: WindowSums, name: str, *, has_before: bool) -> None:
    time, before = window.up + window.down, window.up_before + window.down_before
    st.metric(f"Uptime, last {name}", share(window.up, time))
    st.caption(describe_coverage(window.covered, window.open_time))
    if has_before and before and time:
        text = change(window.up_before / before, window.up / time, name)
        arrow = "↓ " if " lower " in text else "↑ " if " higher " in text else ""
        st.markdown(f":small[{arrow}{text}]")


def is_seen(covered: float, open_time: float) -> bool:
    """Return whether so much of the open time was seen that a number of it may be called good."""
    return open_time > 0 and covered >= SEEN_ENOUGH * open_time


def describe_coverage(covered: float, open_time: float) -> str:
    """Return how much of the open time was seen, as text."""
    if not open_time:
        return "no open time"
    return f"coverage {share(covered, open_time)}"


def show_good_news(text: str, covered: float, open_time: float) -> None:
    """Show good news: with a green tick where enough was seen, else with how little was."""
    if is_seen(covered, open_time):
        st.success(text, icon=":material/check_circle:")
        return
    doubt = "but no time was open" if not open_time else f"but only {share(covered, open_time)}"
    rest = "" if not open_time else " of the open time was near a poll"
    st.info(f"{text.removesuffix('.')}, {doubt}{rest}.", icon=":material/visibility_off:")
