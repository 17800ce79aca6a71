"""Figures of many stores: uptime over time, by weekday and hour, and how it is distributed."""

import numpy as np
import plotly.graph_objects as go

from restmon.charts.style import DOWN, MUTED, UP, Floats, Frame, Ints, make_figure, wall_clock

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


EDGES = (0, 50, 80, 90, 95, 98, 99, 99.9, 100)


SHARES = ("< 50", "50–80", "80–90", "90–95", "95–98", "98–99", "99–99.9", "> 99.9", "100")


def draw_uptime_over_time(ends: Ints, up: Floats, down: Floats, zone: str = "UTC") -> go.Figure:
    """The share of uptime of a fleet in the hour that ends at each instant."""
    wall = wall_clock(ends, zone)
    total = up + down
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total > 0, 100 * up / total, np.nan)
    lowest = np.nanmin(share) if np.isfinite(share).any() else 0.0
    floor = max(0.0, np.floor((lowest - 2) / 5) * 5)
    line = {
        "type": "scatter",
        "x": wall,
        "y": share,
        "mode": "lines",
        "line": {"color": UP, "width": 2},
        "customdata": np.stack([down, total], 1),
        "hovertemplate": (
            "Hour to %{x|%a %d %b %H:%M}<br>%{y:.2f} % up, %{customdata[0]:,.0f} of "
            "%{customdata[1]:,.0f} open hours down<extra></extra>"
        ),
    }
    return make_figure(
        [line],
        Frame("Uptime, hour by hour", height=320, left=74, bottom=66),
        x={"title": f"Hour ({zone})", "tickformat": "%a<br>%d", "nticks": 8},
        y={
            "title": "Uptime (%)",
            "range": [floor, 100 + (100 - floor) * 0.04],
            "ticksuffix": " %",
        },
    )


def draw_heat_map(down: Floats, open_time: Floats) -> go.Figure:
    """Down time as a share of open time by weekday (0 = Monday) and local hour: (7, 24) each."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(open_time > 0, 100 * down / open_time, np.nan)
    highest = float(np.nanmax(share)) if np.isfinite(share).any() else 1.0
    cells = {
        "type": "heatmap",
        "z": share,
        "x": [f"{hour:02d}" for hour in range(24)],
        "y": DAYS,
        "customdata": np.stack([down, open_time], 2),
        "colorscale": [[0, "#E3EEF8"], [0.35, "#F6C79B"], [0.7, DOWN], [1, "#7A2E00"]],
        "zmin": 0,
        "zmax": max(highest, 1.0),
        "xgap": 1,
        "ygap": 1,
        "colorbar": {
            "title": {"text": "Down"},
            "thickness": 10,
            "ticksuffix": " %",
            "outlinewidth": 0,
            "xpad": 6,
        },
        "hovertemplate": (
            "%{y} %{x}:00, local time<br>%{z:.1f} % down: %{customdata[0]:,.1f} of "
            "%{customdata[1]:,.1f} open hours<extra></extra>"
        ),
    }
    return make_figure(
        [cells],
        Frame("When stores are down", height=330, left=66),
        x={
            "title": "Hour of the day (each store's local time)",
            "type": "category",
            "dtick": 3,
        },
        y={"title": "Weekday", "autorange": "reversed"},
    )


def draw_distribution(shares: Floats) -> go.Figure:
    """How many stores had how much weekly uptime; ``shares`` are percentages, NaN left out."""
    known = shares[np.isfinite(shares)]
    at = np.searchsorted(np.array(EDGES[1:], float), known, "right")
    at = np.where(known >= 100, len(SHARES) - 1, at)
    counts = np.bincount(at, minlength=len(SHARES))
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [f"{share} %" for share in SHARES],
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
            "range": [0, 1.15 * max(int(counts.max()), 1)],
            "nticks": 6,
        },
        y={"title": "Uptime, last week", "type": "category"},
    )
