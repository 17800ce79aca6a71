"""Which range of time the Store page shows; the page's address keeps it."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from restmon.core.instants import DAY, SECOND, as_datetime
from restmon.core.timeline import METHODS, NEAREST
from restmon.dashboard import filters, jobs_table

LENGTHS = {"1 day": DAY, "7 days": 7 * DAY, "30 days": 30 * DAY}
DATES = "Dates"
MOST_DAYS = 92
NAMES = ("range", "dates", "method")


def choose_range(newest: int, zone: str) -> tuple[int, int, str]:
    """The range to show, [lo, hi), and the method, from the controls."""
    filters.restore_dates(*NAMES)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control(
            "Range",
            [*LENGTHS, DATES],
            default="7 days",
            required=True,
            key="range",
            bind="query-params",
        )
        method = st.segmented_control(
            "Between polls",
            METHODS,
            default=NEAREST,
            required=True,
            key="method",
            bind="query-params",
            format_func=jobs_table.METHOD_NAMES.__getitem__,
        )
        found = _choose_dates(newest, zone) if name == DATES else (newest - LENGTHS[name], newest)
    filters.keep_dates(*NAMES)
    return *found, method or NEAREST


def _choose_dates(newest: int, zone: str) -> tuple[int, int]:
    last = as_datetime(newest, zone).date()
    picked = st.date_input(
        "Dates (local)",
        (last - timedelta(days=6), last),
        max_value=last,
        key="dates",
        bind="query-params",
        width=260,
    )
    if isinstance(picked, date) or len(picked) != 2:
        st.info("Choose the first and the last day.")
        st.stop()
    first, last = picked
    if (last - first).days >= MOST_DAYS:
        st.info(f"Choose at most {MOST_DAYS} days.")
        st.stop()
    return start_of(first, zone), start_of(last + timedelta(days=1), zone)


def start_of(day: date, zone: str) -> int:
    """The instant at which a local date begins."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return round(midnight.timestamp()) * SECOND
