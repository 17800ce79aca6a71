"""Figures of many stores: uptime over time, and by weekday and hour."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from restmon.charts.style import (
    NO_DATA_HATCH,
    NO_DATA_KEY,
    SEEN_ENOUGH,
    UP,
    Floats,
    Frame,
    Ints,
    key,
    make_figure,
    wall_clock,
)
from restmon.core.formatting import US, Style, hour_of_day
from restmon.core.instants import HOUR

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


HEAT = [
    [0, "rgba(128, 142, 156, 0.16)"],
    [0.02, "rgba(217, 96, 26, 0.25)"],
    [1, "rgba(217, 96, 26, 1)"],
]
"""From no downtime on. The page shines through, less so where there is more downtime, so that a
little of it is near the color of the page, light or dark, in the cells and in the legend."""


FEW_OPEN, VERY_FEW_OPEN = 0.25, 0.05
"""Of the open time of the busiest hour of the week: hours with less are faded."""


@dataclass(frozen=True)
class HourLine:
    """A fleet hour by hour: the instants at which the hours end, and the hours of business that
    were up, down, and seen (near a poll) in each."""

    ends: Ints
    up: Floats
    down: Floats
    seen: Floats


def draw_uptime_over_time(found: HourLine, zone: str = "UTC", style: Style = US) -> go.Figure:
    """The share of uptime of a fleet in the hour that ends at each instant. Hours of which less
    than four fifths were seen lie on a gray hatched ground, and the line is pale in them."""
    wall = wall_clock(found.ends, zone)
    total = found.up + found.down
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total > 0, 100 * found.up / total, np.nan)
        seen = np.where(total > 0, found.seen / total, np.nan)
    unseen = seen < SEEN_ENOUGH
    lowest = np.nanmin(share) if np.isfinite(share).any() else 0.0
    floor = max(0.0, np.floor((lowest - 2) / 5) * 5)
    time = "%I:%M %p" if style.twelve_hours else "%H:%M"
    line = {
        "type": "scatter",
        "x": wall,
        "y": share,
        "mode": "lines+markers",
        "line": {"color": UP, "width": 2},
        "marker": {
            "size": np.where(unseen, 5, 3),
            "color": np.where(unseen, "#FFFFFF", UP),
            "line": {"width": 1, "color": UP},
        },
        "customdata": np.stack([found.down, total, 100 * seen], 1),
        "text": [
            f"{one:%a, %b} {one.day}, {one:{time}} UTC" for one in wall_clock(found.ends, "UTC")
        ],
        "hovertemplate": (
            f"Hour to %{{x|%a, %b %-d, {time}}} (%{{text}})<br>"
            "%{y:.2f}% up: %{customdata[0]:,.0f} of %{customdata[1]:,.0f} open hours "
            "down<br>%{customdata[2]:.0f}% of it near a poll"
            "<extra></extra>"
        ),
    }
    ground = {
        "type": "bar",
        "x": wall[unseen],
        "y": np.full(int(unseen.sum()), 100.0 - floor),
        "base": floor,
        "width": HOUR / 1000,
        "offset": -HOUR / 1000,
        "marker": {"color": "rgba(128, 142, 156, 0.12)", "pattern": NO_DATA_HATCH},
        "hoverinfo": "skip",
    }
    return make_figure(
        [line, ground],
        Frame(
            "Uptime, hour by hour",
            height=330,
            left=74,
            bottom=66,
            subtitle=key(("●", UP, "uptime"), (*NO_DATA_KEY[:2], "little or no data")),
        ),
        # Plotly selects no point where both axes are fixed: this one cannot move either way.
        x={
            "title": f"Hour ({zone})",
            "tickformat": "%a<br>%-m/%-d",
            "nticks": 8,
            "fixedrange": False,
            **_kept_range(wall),
        },
        y={
            "title": "Uptime",
            "range": [floor, 100 + (100 - floor) * 0.04],
            "ticksuffix": "%",
        },
        bargap=0,
        hovermode="closest",
    )


def _kept_range(wall: pd.DatetimeIndex) -> dict[str, Any]:
    """The options of an axis that shows all of the hours and cannot be moved."""
    if not len(wall):
        return {}
    edges = [wall[0] - pd.Timedelta(hours=2), wall[-1] + pd.Timedelta(hours=2)]
    return {"range": edges, "minallowed": edges[0], "maxallowed": edges[1]}


def draw_heat_map(down: Floats, open_time: Floats, style: Style = US) -> go.Figure:
    """Down time as a share of open time by weekday (0 = Monday) and local hour: (7, 24) each.
    Hours in which few stores are open are faded."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(open_time > 0, 100 * down / open_time, np.nan)
    highest = float(np.nanmax(share)) if np.isfinite(share).any() else 1.0
    busy = open_time / max(float(open_time.max(initial=0.0)), 1e-9)
    few, very_few = busy < FEW_OPEN, busy < VERY_FEW_OPEN
    every_hour = [hour_of_day(hour, style) for hour in range(24)]
    cells = {
        "type": "heatmap",
        "x": every_hour,
        "y": DAYS,
        "customdata": np.stack([down, open_time], 2),
        "colorscale": HEAT,
        "zmin": 0,
        "zmax": max(highest, 1.0),
        "xgap": 1,
        "ygap": 1,
        "showscale": False,
        "hoverongaps": False,
        "hovertemplate": (
            "%{y} %{x}, local time<br>%{z:.1f}% down: %{customdata[0]:,.1f} of "
            "%{customdata[1]:,.1f} open hours<extra></extra>"
        ),
    }
    scale = {
        "title": {"text": "Down"},
        "thickness": 10,
        "ticksuffix": "%",
        "outlinewidth": 0,
        "xpad": 6,
    }
    traces = [
        cells | {"z": np.where(~few, share, np.nan), "showscale": True, "colorbar": scale},
        cells | {"z": np.where(few & ~very_few, share, np.nan), "opacity": 0.45},
        cells | {"z": np.where(very_few, share, np.nan), "opacity": 0.2},
    ]
    return make_figure(
        traces,
        Frame(
            "When stores are down",
            height=330,
            left=66,
            subtitle="Faded: hours in which few stores are open",
        ),
        x={
            "title": "Hour of the day (each store's local time)",
            "type": "category",
            "tickvals": every_hour[::6],
            "categoryarray": every_hour,
        },
        y={"title": "Weekday", "autorange": "reversed", "showgrid": False},
    )
