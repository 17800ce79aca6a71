"""Which window of outages is shown; the page's address keeps it."""

import streamlit as st

from restmon.core.instants import HOUR, as_text
from restmon.dashboard.clock import moment
from restmon.reporting.windows import Window, parse_window

LENGTHS = {"24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days"}
USUAL = "7d"
WIDTH = 168


def choose_window(zone: str, as_of: int) -> Window | None:
    """Return the window that the address names by instants, as a chart's point does, or else the
    chosen length. Raises BadRequest for words that say no window."""
    window = parse_window({name: st.query_params.get(name) for name in ("from", "to")})
    if window is None:
        length = st.selectbox(
            "When",
            list(LENGTHS),
            index=list(LENGTHS).index(USUAL),
            format_func=LENGTHS.__getitem__,
            key="last",
            bind="query-params",
            width=WIDTH,
        )
        return parse_window({"last": length or USUAL})
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
