"""The week hour by hour, and the ways from an hour to the stores that were down in it."""

from typing import Any

import numpy as np
import streamlit as st

from restmon.core.formatting import clock, share
from restmon.core.instants import MINUTE
from restmon.dashboard import filters, outage_window, widgets
from restmon.dashboard.clock import moment, utc
from restmon.dashboard.page_links import link_to
from restmon.reporting.fleet import Fleet
from restmon.reporting.fleet_view import FleetView
from restmon.reporting.style import read_style

WORST = 3


def show_hours(view: FleetView, figure: Any, zone: str) -> None:
    """The chart, whose points lead to the outages of their hours, and links to the worst hours."""
    found, uptime = view.found, view.uptime_by_hour
    options: dict[str, Any] = {"on_select": "rerun", "selection_mode": "points"}
    selectable = not widgets.is_phone()
    picked = widgets.show_chart(
        figure,
        "Line of the uptime of all chosen stores in each hour of the last week, on a hatched gray "
        "ground where there is little or no data; the worst hours are links below",
        key="over_time",
        **(options if selectable else {}),
    )
    points = picked.selection.points if selectable else []
    if points and points[0]["curve_number"] == 0:
        end = int(found.hour_edges[points[0]["point_index"] + 1])
        filters.carry(times_in=zone)
        st.switch_page("pages/outages.py", query_params=outage_window.hour_address(end))
    worst = [n for n in np.argsort(uptime, kind="stable")[:WORST].tolist() if uptime[n] < 1]
    if not worst:
        return
    text = "The worst hours"
    if selectable:
        text += "; a click on a point of the line opens any other"
    st.caption(f"{text}:")
    for n in worst:
        begin, end = (int(edge) // MINUTE * MINUTE for edge in found.hour_edges[n : n + 2])
        link_to(
            "outages",
            f"{moment(begin, zone)} to {clock(end, zone, read_style())}: "
            f"{share(float(uptime[n]), 1.0)} up",
            icon=":material/trending_down:",
            query_params=_address(found, n, zone),
            help=utc(begin, end),
        )


def _address(found: Fleet, hour: int, zone: str) -> dict[str, str]:
    """The query parameters of the outages of an hour of the week, of the chosen stores."""
    window = outage_window.hour_address(int(found.hour_edges[hour + 1]))
    return window | filters.current_filters(times_in=zone)
