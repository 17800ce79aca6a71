"""Figures of many stores: uptime over time, by weekday and hour, and how it is distributed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from restmon.charts.style import (
    DOWN,
    MUTED,
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
    [0.02, "rgba(246, 199, 155, 0.75)"],
    [0.35, "#F0A766"],
    [0.7, DOWN],
    [1, "#7A2E00"],
]
"""From no downtime on, whose color fits a light and a dark page."""


EDGES = (0, 50, 80, 90, 95, 98, 99, 99.9, 100)


SHARES = ("< 50", "50–80", "80–90", "90–95", "95–98", "98–99", "99–99.9", "> 99.9", "100")


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
        "hovertemplate": (
            f"Hour to %{{x|%a, %b %-d, {time}}}<br>%{{y:.2f}}% up: %{{customdata[0]:,.0f}} of "
            "%{customdata[1]:,.0f} open hours down<br>%{customdata[2]:.0f}% of it near a poll"
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
        y={"title": "Weekday", "autorange": "reversed"},
    )


def draw_distribution(shares: Floats) -> go.Figure:
    """Draw how many stores had how much weekly uptime. ``shares`` are percentages; NaN is left
    out."""
    known = shares[np.isfinite(shares)]
    at = np.searchsorted(np.array(EDGES[1:], float), known, "right")
    at = np.where(known >= 100, len(SHARES) - 1, at)
    counts = np.bincount(at, minlength=len(SHARES))
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [f"{share}%" for share in SHARES],
        "x": counts,
        "marker": {"color": [DOWN] * 4 + [MUTED] * 2 + [UP] * 3},
        "text": [f"{count:,}" for count in counts],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{x:,} stores with %{y} uptime<extra></extra>",
    }
    return make_figure(
        [bars],
        Frame("Stores by their uptime", height=330, left=100),
        x={
            "title": "Stores",
            "showgrid": True,
            "tickformat": ",",
            "range": [0, 1.15 * max(int(counts.max()), 1)],
            "nticks": 6,
        },
        y={"title": "Uptime, last week", "type": "category"},
    )
