"""The last 90 days of one store as a strip."""

from datetime import timedelta

import numpy as np
import streamlit as st

from restmon.charts.day_strip import STYLE, Days, write_key, write_strip
from restmon.core.formatting import clock
from restmon.core.instants import as_datetime
from restmon.dashboard.day_strips import FEWEST
from restmon.reporting.scopes import Scope
from restmon.reporting.style import read_style
from restmon.reporting.uptime_series import read_series
from restmon.reporting.windows import parse_window
from restmon.storage import database

DAYS = 90


def show_strip(store_id: str, as_of: int, zone: str) -> None:
    """The last 90 local dates of a store up to ``as_of``, a bar each, or those since its first poll
    where they are fewer."""
    first = as_datetime(as_of, zone).date() - timedelta(days=DAYS - 1)
    with database.reading():
        found = read_series(Scope(store=store_id), "day", parse_window({"from": f"{first}"}), as_of)
    sums = found.sums
    days = Days(found.number, sums.open, sums.up, sums.down, sums.covered)
    seen = np.flatnonzero(days.covered)
    if len(seen):
        days = days.last(max(len(days) - int(seen[0]), FEWEST))
    style = read_style()
    strip = write_strip(days, "", "", style, clock(as_of, zone, style))
    st.html(f"<style>{STYLE}</style>{strip}{write_key()}")
