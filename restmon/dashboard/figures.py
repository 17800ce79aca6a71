"""Percentages as figures: how sure they are, and how they changed."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from restmon.charts.style import SEEN_ENOUGH
from restmon.core.formatting import change, share
from restmon.core.status_now import DOWN, NOT_REPORTING
from restmon.reporting.fleet import Fleet

WINDOWS = ("hour", "day", "week")


def show_figures(found: Fleet, mask: NDArray[np.bool_], *, stale: bool) -> None:
    """How many stores are down, and the uptime of three windows with its coverage."""
    down = int((found.status_now[mask] == DOWN).sum())
    silent = int((found.status_now[mask] == NOT_REPORTING).sum())
    open_now = int((found.open_now & found.observed)[mask].sum())
    with st.grid(4, min_column_width=180):
        with st.container(border=True, height="stretch"):
            st.metric("Down at the last poll" if stale else "Down now", f"{down:,}")
            st.caption(f"of {open_now:,} open stores; {silent:,} not reporting")
        for n, name in enumerate(WINDOWS):
            with st.container(border=True, height="stretch"):
                _show_window(found, mask, n, name)


def _show_window(found: Fleet, mask: NDArray[np.bool_], n: int, name: str) -> None:
    up, down = int(found.up[mask, n].sum()), int(found.down[mask, n].sum())
    open_time, covered = int(found.open_time[mask, n].sum()), int(found.covered[mask, n].sum())
    st.metric(f"Uptime, last {name}", share(up, up + down))
    st.caption(describe_coverage(covered, open_time))
    up_before = int(found.up_before[mask, n].sum())
    all_before = up_before + int(found.down_before[mask, n].sum())
    if found.has_before[n] and all_before and up + down:
        text = change(up_before / all_before, up / (up + down), name)
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
