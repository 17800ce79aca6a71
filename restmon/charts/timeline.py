"""Arrays to Plotly figures. Pure: no database, no clock, no settings.

Instants are int64 microseconds since the epoch, UTC. Colours are told apart also by people who do
not see red and green, and none is the only signal: down time is hatched, inactive polls are
crosses. Backgrounds stay transparent, so that the figures fit a light and a dark page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from restmon.hours import HOUR

Ints = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]

UP = "#2F7FC1"
DOWN = "#D9601A"
OPEN = "rgba(128, 142, 156, 0.30)"
MUTED = "#808E9C"
GROUND = {1: "#1D5C93", 0: "#A8420C"}
POLL_EDGE = {1: "#0F3A5F", 0: "#7A2E00"}
HATCH = {
    "shape": "/",
    "size": 7,
    "solidity": 0.25,
    "fillmode": "overlay",
    "fgcolor": "#FFFFFF",
    "fgopacity": 0.6,
}
QUARTER = HOUR // 4
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EDGES = (0, 50, 80, 90, 95, 98, 99, 99.9, 100)
SHARES = ("< 50", "50–80", "80–90", "90–95", "95–98", "98–99", "99–99.9", "> 99.9", "100")


@dataclass(frozen=True)
class Stretches:
    """Stretches of time to draw: ``start`` and ``end`` (int64 instants) and, for each, the
    ``text`` that is shown over it."""

    start: Ints
    end: Ints
    text: Sequence[str]

    def chosen(self, mask: NDArray[np.bool_]) -> "Stretches":
        """Those where the mask is true."""
        kept = np.flatnonzero(mask)
        return Stretches(self.start[kept], self.end[kept], [self.text[n] for n in kept.tolist()])


@dataclass(frozen=True)
class PollMarks:
    """Polls to mark: ``time`` (int64 instants), ``active`` and ``counted`` (bool), ``text``."""

    time: Ints
    active: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    text: Sequence[str]


def key(*entries: tuple[str, str, str]) -> str:
    """What the colours and symbols mean, as one line: (symbol, colour, text) each."""
    return "   ".join(f'<span style="color:{c}"><b>{s}</b></span> {text}' for s, c, text in entries)


STATUS_KEY = (("■", UP, "up"), ("▨", DOWN, "down"))
TIMELINE_KEY = key(
    *STATUS_KEY, ("■", "#B9C1C9", "open"), ("○", UP, "active"), ("✕", DOWN, "inactive")
)


def figure(
    traces: Sequence[dict[str, Any]],
    title: str,
    height: int,
    subtitle: str = "",
    *,
    x: dict[str, Any],
    y: dict[str, Any],
    left: int,
    bottom: int = 50,
    **options: Any,
) -> go.Figure:
    """The traces in the look that all figures share: title and key above, no legend over data.

    ``x`` and ``y`` are what is the figure's own of its axes; ``left`` and ``bottom`` (pixels) the
    room for their labels. Plotly can find that out by itself (``automargin``), by drawing
    everything twice: a tenth of the time that a page takes to load; nor need it measure each
    label in search of one that is too wide for its place. The figure is made in one piece, since
    adding to it and updating it part by part takes ten times as long.
    """
    axis = {
        "fixedrange": True,
        "automargin": False,
        "tickangle": 0,
        "ticklabeloverflow": "allow",
    }
    look = {
        "title": {
            "text": title,
            "subtitle": {"text": subtitle, "font": {"size": 13}},
            "x": 0,
            "xanchor": "left",
            "xref": "container",
            "y": 1,
            "yanchor": "top",
            "yref": "container",
            "pad": {"t": 6, "l": 2},
            "font": {"size": 16},
        },
        "height": height,
        "margin": {"l": left, "r": 18, "t": 64 if subtitle else 44, "b": bottom},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "hoverlabel": {"align": "left"},
        "dragmode": False,
        "xaxis": {**axis, **x},
        "yaxis": {**axis, **y},
    }
    return go.Figure(traces, look | options)


def _wall(instants: Ints, zone: str) -> pd.DatetimeIndex:
    """What the clocks of a zone show at the instants."""
    utc = pd.DatetimeIndex(np.asarray(instants, np.int64).view("datetime64[us]")).tz_localize("UTC")
    return utc.tz_convert(ZoneInfo(zone)).tz_localize(None)


def _day_starts(lo: int, hi: int, zone: str) -> Ints:
    """The instants in (lo, hi) at which a local date begins or the clocks change."""
    # All zones' offsets are whole quarters of an hour; one quarter before lo is there to compare.
    quarters = np.arange(lo // QUARTER, -(-hi // QUARTER)) * QUARTER
    if len(quarters) < 2:
        return quarters[:0]
    wall = _wall(quarters, zone)
    shown = wall.to_numpy("datetime64[us]").view(np.int64)
    new_date = np.diff(shown // (24 * HOUR)) != 0
    jump = np.diff(shown) != QUARTER
    return quarters[1:][new_date | jump]


@dataclass(frozen=True)
class _Repeats:
    """Where the clocks go back: the time from ``begin`` to ``back`` and that from ``back`` to
    ``end`` show the same on the clock. int64 instants."""

    begin: Ints
    back: Ints
    end: Ints

    def turn(self, instants: Ints) -> Ints:
        """0 for an instant whose clock time comes once, else 1 or 2: the first or second time."""
        t = np.asarray(instants)[:, None]
        first = ((self.begin <= t) & (t < self.back)).any(1)
        second = ((self.back <= t) & (t < self.end)).any(1)
        return np.where(second, 2, np.where(first, 1, 0))


def _repeats(cuts: Ints, zone: str) -> _Repeats:
    """The clock times that come twice, of the places found by `_day_starts`."""
    shown = _wall(np.concatenate([cuts - QUARTER, cuts]), zone).to_numpy("datetime64[us]")
    before, after = shown.view(np.int64).reshape(2, -1)
    by = before + QUARTER - after
    back, by = cuts[by > 0], by[by > 0]
    return _Repeats(back - by, back, back + by)


def _by_day(stretches: Stretches, cuts: Ints) -> Stretches:
    """The stretches cut at the instants."""
    first = np.searchsorted(cuts, stretches.start, "right")
    pieces = np.searchsorted(cuts, stretches.end, "left") - first + 1
    n = np.repeat(np.arange(len(pieces)), pieces)
    k = np.arange(len(n)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    padded = np.append(cuts, 0)
    start = np.where(k == 0, stretches.start[n], padded[(first[n] + k - 1).clip(0)])
    end = np.where(k == pieces[n] - 1, stretches.end[n], padded[first[n] + k])
    return Stretches(start, end, [stretches.text[i] for i in n.tolist()])


def _date_names(wall: pd.DatetimeIndex) -> list[str]:
    return [f"{day:%a} {day.day} {day:%b}" for day in wall]


def timeline(
    zone: str,
    lo: int,
    hi: int,
    open_hours: Stretches,
    up: Stretches,
    down: Stretches,
    polls: PollMarks,
) -> go.Figure:
    """A store's time from lo to hi, one row for each local date of the zone, newest on top.

    ``open_hours`` is shaded; ``up`` and ``down`` lie on it, ``polls`` are marked. Where the clocks
    go back, the upper half of the row is the hour's first time and the lower half its second.
    """
    cuts = _day_starts(lo, hi, zone)
    twice = _repeats(cuts, zone)
    cuts = np.unique(np.concatenate([cuts, twice.begin, twice.end]))
    days = _wall(np.array([lo, hi - 1]), zone).normalize()
    dates = _date_names(pd.date_range(days[0], days[1], freq="D"))

    def placed(instants: Ints, turn: Ints, width: float) -> tuple[Floats, Floats]:
        """(hour of the day, place on the axis of the dates) of instants."""
        wall = _wall(instants, zone)
        midnight = wall.normalize()
        row = np.asarray((midnight - days[0]) / pd.Timedelta(days=1), float)
        hour = np.asarray((wall - midnight) / pd.Timedelta(hours=1), float)
        return hour, row + np.array([0, width / 4, -width / 4])[turn]

    def bars(stretches: Stretches, width: float, marker: dict[str, Any]) -> dict[str, Any]:
        cut = _by_day(stretches, cuts)
        turn = twice.turn(cut.start)
        hour, row = placed(cut.start, turn, width)
        return {
            "type": "bar",
            "orientation": "h",
            "y": row,
            "x": (cut.end - cut.start) / HOUR,
            "base": hour,
            "width": np.where(turn > 0, width / 2, width) if turn.any() else width,
            "marker": marker | {"line": {"width": 0}},
            "customdata": list(cut.text),
            "hovertemplate": "%{customdata}<extra></extra>",
        }

    traces = [
        bars(open_hours, 0.86, {"color": OPEN}),
        bars(up, 0.5, {"color": UP}),
        bars(down, 0.5, {"color": DOWN, "pattern": HATCH}),
    ]
    hour, row = placed(polls.time, twice.turn(polls.time), 0.86)
    texts = np.array(polls.text, object)
    for active, symbol in ((True, "circle"), (False, "x")):
        mine = polls.active == active
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": hour[mine],
                "y": row[mine],
                "marker": {
                    "symbol": symbol,
                    "size": 7 if active else 9,
                    "color": "#FFFFFF",
                    "opacity": np.where(polls.counted[mine], 1.0, 0.55),
                    "line": {"width": 1.5, "color": POLL_EDGE[active]},
                },
                "cliponaxis": False,
                "customdata": texts[mine],
                "hovertemplate": "%{customdata}<extra></extra>",
            }
        )
    title = [f"Local time ({zone})"]
    if len(twice.back):
        (day, *more) = _date_names(_wall(twice.back, zone))
        title.append(f"Clocks went back on {day}{' and later' if more else ''}: the hour that")
        title.append("comes twice is halved, the first time on top")
    below = 16 * (len(title) - 1)
    return figure(
        traces,
        "When the store was up and down",
        125 + 30 * max(len(dates), 2) + below,
        TIMELINE_KEY,
        x={
            "range": [-0.25, 24.25],
            "tickvals": list(range(0, 25, 6)),
            "ticktext": [f"{hour:02d}:00" for hour in range(0, 25, 6)],
            "title": "<br>".join(title),
            "showgrid": True,
        },
        y={
            "title": "Local date",
            "tickvals": list(range(len(dates))),
            "ticktext": dates,
            "showgrid": False,
            "zeroline": False,
            "range": [-0.6, len(dates) - 0.4],
        },
        left=108,
        bottom=50 + below,
        barmode="overlay",
    )


def _date(day: pd.Timestamp) -> str:
    return f"{day.day} {day:%b %Y}"


def whole_percent(part: float, whole: float) -> str:
    """A share in whole percents, 100 % and 0 % only where they are exact; "closed" of nothing."""
    if not whole:
        return "closed"
    percent = 100 * part / whole
    if part and percent < 1:
        return "< 1 %"
    if part != whole and percent > 99:
        return "> 99 %"
    return f"{percent:.0f} %"


def daily_uptime(dates: Sequence[Any], up: Floats, down: Floats) -> go.Figure:
    """Hours up and down of each local date, stacked, with the share of uptime above."""
    days = pd.DatetimeIndex(list(dates))
    names = [f"{day:%a}<br>{day.day}" for day in days]
    if len(days) > 10:
        names = [f"{day.day}<br>{day:%b}" for day in days]
    told = [whole_percent(u, u + d) for u, d in zip(up.tolist(), down.tolist(), strict=True)]
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "x": names,
            "y": hours,
            "name": name,
            "marker": marker,
            "customdata": _date_names(days),
            "hovertemplate": f"%{{customdata}}: %{{y:.2f}} h {name.lower()}<extra></extra>",
        }
        for name, hours, marker in (
            ("Up", up, {"color": UP}),
            ("Down", down, {"color": DOWN, "pattern": HATCH}),
        )
    ]
    if len(names) <= 10:
        traces[1] |= {"text": told, "textposition": "outside", "cliponaxis": False}
    title = "Local date"
    if len(days):
        title += f", {_date(days[0])} – {_date(days[-1])}"
    return figure(
        traces,
        "Uptime of each day",
        340,
        key(*STATUS_KEY),
        x={"title": title, "type": "category", "nticks": 8},
        y={"title": "Hours of business", "rangemode": "tozero", "showgrid": True},
        left=56,
        bottom=66,
        barmode="stack",
    )


def uptime_over_time(ends: Ints, up: Floats, down: Floats, zone: str = "UTC") -> go.Figure:
    """The share of uptime of a fleet in the hour that ends at each instant."""
    wall = _wall(ends, zone)
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
    return figure(
        [line],
        "Uptime, hour by hour",
        320,
        x={"title": f"Hour ({zone})", "tickformat": "%a<br>%d", "nticks": 8},
        y={
            "title": "Uptime (%)",
            "range": [floor, 100 + (100 - floor) * 0.04],
            "ticksuffix": " %",
        },
        left=74,
        bottom=66,
    )


def heat_map(down: Floats, open_time: Floats) -> go.Figure:
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
    return figure(
        [cells],
        "When stores are down",
        330,
        x={
            "title": "Hour of the day (each store's local time)",
            "type": "category",
            "dtick": 3,
        },
        y={"title": "Weekday", "autorange": "reversed"},
        left=66,
    )


def distribution(shares: Floats) -> go.Figure:
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
    return figure(
        [bars],
        "Stores by their uptime",
        330,
        x={
            "title": "Stores",
            "showgrid": True,
            "range": [0, 1.15 * max(int(counts.max()), 1)],
            "nticks": 6,
        },
        y={"title": "Uptime, last week", "type": "category"},
        left=100,
    )


def example(
    rows: Sequence[tuple[str, Ints, Ints, NDArray[np.int8]]],
    opens: int,
    closes: int,
    polls: Sequence[tuple[int, int]],
) -> go.Figure:
    """The worked example drawn: a row a method, (name, span starts, span ends, statuses), times
    in microseconds since midnight; ``polls`` are (time, status)."""
    places = list(range(len(rows)))
    bar = {"type": "bar", "orientation": "h", "hoverinfo": "skip"}
    traces: list[dict[str, Any]] = [
        {
            **bar,
            "y": places,
            "x": [(closes - opens) / HOUR] * len(rows),
            "base": [opens / HOUR] * len(rows),
            "width": 0.86,
            "marker": {"color": OPEN},
        }
    ]
    annotations = []
    for status, marker in ((1, {"color": UP}), (0, {"color": DOWN, "pattern": HATCH})):
        for place, (_, start, end, statuses) in zip(places, rows, strict=True):
            mine = statuses == status
            length = (end - start)[mine] / HOUR
            traces.append(
                {
                    **bar,
                    "y": [place] * len(length),
                    "x": length,
                    "base": start[mine] / HOUR,
                    "width": 0.5,
                    "marker": marker,
                }
            )
            for begin, hours in zip((start[mine] / HOUR).tolist(), length.tolist(), strict=True):
                # With a ground of its own: letters on the hatching are hard to read.
                annotations.append(
                    {
                        "x": begin + hours / 2,
                        "y": place,
                        "text": f"<b>{hours * 60:g} min</b>",
                        "showarrow": False,
                        "font": {"color": "#FFFFFF", "size": 14},
                        "bgcolor": GROUND[status],
                        "borderpad": 2,
                    }
                )
    for status, symbol in ((1, "circle"), (0, "x")):
        mine = [time / HOUR for time, found in polls if found == status]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [time for _ in places for time in mine],
                "y": [place - 0.36 for place in places for _ in mine],
                "marker": {
                    "symbol": symbol,
                    "size": 11,
                    "color": "#FFFFFF",
                    "line": {"width": 2, "color": POLL_EDGE[status]},
                },
                "hoverinfo": "skip",
            }
        )
    ticks = [opens / HOUR, *(time / HOUR for time, _ in polls), closes / HOUR]
    return figure(
        traces,
        "Two polls, three open hours",
        280,
        TIMELINE_KEY,
        x={
            "range": [opens / HOUR - 0.15, closes / HOUR + 0.15],
            "tickvals": ticks,
            "ticktext": [f"{int(t):02d}:{round(t % 1 * 60):02d}" for t in ticks],
            "title": "Monday, local time",
            "showgrid": False,
        },
        y={
            "title": "Method",
            "range": [len(rows) - 0.5, -0.5],
            "tickvals": places,
            "ticktext": [name.replace(" ", "<br>") for name, *_ in rows],
            "showgrid": False,
        },
        left=98,
        barmode="overlay",
        annotations=annotations,
    )
