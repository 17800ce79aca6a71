"""Which window of outages is shown; the page's address keeps it."""

from datetime import timedelta

import streamlit as st

from restmon.core.instants import DAY, HOUR, as_datetime, as_text, date_of
from restmon.dashboard import filters
from restmon.dashboard.clock import moment
from restmon.reporting.windows import Window, parse_window

THIS_MONTH, LAST_MONTH = "This month", "Last month"
LENGTHS = {"Last 24 hours": "24h", "Last 7 days": "7d", "Last 30 days": "30d"}
CHOICES = (*LENGTHS, THIS_MONTH, LAST_MONTH)
USUAL = filters.USUAL_LAST
WIDTH = 168


def choose_window(zone: str, as_of: int) -> Window | None:
    """Return the window that the address names by instants, as a chart's point does, or else the
    chosen length or month. Raises BadRequest for words that say no window."""
    window = parse_window({name: st.query_params.get(name) for name in ("from", "to")})
    if window is None:
        filters.restore_dates(filters.LAST)
        chosen = st.selectbox(
            "When",
            CHOICES,
            index=CHOICES.index(USUAL),
            key=filters.LAST,
            bind="query-params",
            width=WIDTH,
        )
        filters.keep_dates(filters.LAST)
        return window_of(chosen or USUAL, zone, as_of)
    lo, hi = window.of_all(as_of)
    st.markdown(
        f"From **{moment(lo, zone)}** to **{moment(hi, zone)}**",
        help=f"{moment(lo)} – {moment(hi)}",
        width=300,
    )
    if st.button("Show the last 7 days", icon=":material/close:", key="whole_week"):
        for name in ("from", "to"):
            st.query_params.pop(name, None)
        st.rerun()
    return window


def window_of(words: str, zone: str, as_of: int) -> Window | None:
    """Return the window that is called so. A month is that of the zone's clock."""
    if words in LENGTHS:
        return parse_window({"last": LENGTHS[words]})
    day = as_datetime(as_of - 1, zone).date().replace(day=1)
    if words == LAST_MONTH:
        day -= timedelta(days=1)
    return parse_window({"month": f"{day:%Y-%m}"})


def describe_window(window: Window | None, as_of: int) -> str:
    """Return a window in words, as they follow "lost": ``in October`` or ``in the last 7 days``."""
    if window is not None and window.month is not None:
        first = date_of(window.month[0])
        part = " so far" if window.month[1] * DAY > as_of else ""
        return f"in {first:%B}{part}"
    names = {value: name for name, value in LENGTHS.items()}
    words = dict(window.words) if window is not None else {"last": "7d"}
    if words.get("last") in names:
        return f"in the {names[words['last']].lower()}"
    return "in this window"


def window_address(lo: int, hi: int) -> dict[str, str]:
    """Return the query parameters of a window between two instants."""
    return {"from": _text(lo), "to": _text(hi)}


def hour_address(end: int) -> dict[str, str]:
    """Return the query parameters of the hour that ends at an instant."""
    return window_address(end - HOUR, end)


def current_window() -> dict[str, str]:
    """Return the query parameters of the window that is shown, for a link."""
    names = ("from", "to") if "from" in st.query_params else ("last",)
    return {name: st.query_params[name] for name in names if name in st.query_params}


def _text(instant: int) -> str:
    return as_text(instant).replace(" UTC", "Z").replace(" ", "T").replace(".000000", "")
