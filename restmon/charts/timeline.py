"""Figures of one store: its time day by day, and the uptime of each day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from restmon.charts.style import (
    DOWN,
    HATCH,
    NO_DATA_HATCH,
    NO_DATA_KEY,
    OPEN,
    PALE,
    POLL_EDGE,
    STATUS_KEY,
    TIMELINE_KEY,
    UP,
    Floats,
    Frame,
    Ints,
    date_names,
    key,
    make_figure,
    wall_clock,
    whole_percent,
)
from restmon.core.formatting import US, Style, day, hour_of_day
from restmon.core.instants import HOUR
from restmon.core.open_clock import cut_at

QUARTER = HOUR // 4


@dataclass(frozen=True)
class DrawnStretches:
    """Stretches of time to draw: ``start`` and ``end`` (int64 instants) and, for each, the
    ``text`` that is shown over it."""

    start: Ints
    end: Ints
    text: Sequence[str]

    def chosen(self, mask: NDArray[np.bool_]) -> "DrawnStretches":
        """Those where the mask is true."""
        kept = np.flatnonzero(mask)
        return DrawnStretches(
            self.start[kept], self.end[kept], [self.text[n] for n in kept.tolist()]
        )


@dataclass(frozen=True)
class PollMarks:
    """Polls to mark: ``time`` (int64 instants), ``active`` and ``counted`` (bool), ``text``."""

    time: Ints
    active: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    text: Sequence[str]


def _day_starts(lo: int, hi: int, zone: str) -> Ints:
    """The instants in (lo, hi) at which a local date begins or the clocks change."""
    # All zones' offsets are whole quarters of an hour; one quarter before lo is there to compare.
    quarters = np.arange(lo // QUARTER, -(-hi // QUARTER)) * QUARTER
    if len(quarters) < 2:
        return quarters[:0]
    wall = wall_clock(quarters, zone)
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
    shown = wall_clock(np.concatenate([cuts - QUARTER, cuts]), zone).to_numpy("datetime64[us]")
    before, after = shown.view(np.int64).reshape(2, -1)
    by = before + QUARTER - after
    back, by = cuts[by > 0], by[by > 0]
    return _Repeats(back - by, back, back + by)


def _by_day(stretches: DrawnStretches, cuts: Ints) -> DrawnStretches:
    """The stretches cut at the instants."""
    n, k = cut_at(cuts, stretches.start, stretches.end)
    edges = np.concatenate([[np.iinfo(np.int64).min], cuts, [np.iinfo(np.int64).max]])
    start = np.maximum(stretches.start[n], edges[k])
    end = np.minimum(stretches.end[n], edges[k + 1])
    return DrawnStretches(start, end, [stretches.text[i] for i in n.tolist()])


@dataclass(frozen=True)
class StoreMarks:
    """What is drawn of a store: ``open_hours`` is shaded; ``up`` and ``down`` lie on it, pale and
    hatched where they are not in ``seen`` (sorted), whose texts do not count; ``polls`` are
    marked. ``unseen_note`` is added to what is shown over time that was not seen."""

    open_hours: DrawnStretches
    up: DrawnStretches
    down: DrawnStretches
    polls: PollMarks
    seen: DrawnStretches
    unseen_note: str = "no data"


def _split(some: DrawnStretches, seen: DrawnStretches) -> tuple[DrawnStretches, DrawnStretches]:
    """The parts of the stretches that were seen, and the parts that were not."""
    cut = _by_day(some, np.unique(np.concatenate([seen.start, seen.end])))
    if not len(seen.start):
        return cut.chosen(np.zeros(len(cut.start), bool)), cut
    at = np.searchsorted(seen.start, cut.start, "right") - 1
    inside = (at >= 0) & (seen.end[np.maximum(at, 0)] > cut.start)
    return cut.chosen(inside), cut.chosen(~inside)


def draw_timeline(zone: str, lo: int, hi: int, marks: StoreMarks, style: Style = US) -> go.Figure:
    """A store's time from lo to hi, one row for each local date of the zone, newest on top.

    Where the clocks go back, the upper half of the row is the hour's first time and the lower half
    its second.
    """
    cuts = _day_starts(lo, hi, zone)
    twice = _repeats(cuts, zone)
    cuts = np.unique(np.concatenate([cuts, twice.begin, twice.end]))
    days = wall_clock(np.array([lo, hi - 1]), zone).normalize()
    dates = date_names(pd.date_range(days[0], days[1], freq="D"))

    def placed(instants: Ints, turn: Ints, width: float) -> tuple[Floats, Floats]:
        """(hour of the day, place on the axis of the dates) of instants."""
        wall = wall_clock(instants, zone)
        midnight = wall.normalize()
        row = np.asarray((midnight - days[0]) / pd.Timedelta(days=1), float)
        hour = np.asarray((wall - midnight) / pd.Timedelta(hours=1), float)
        return hour, row + np.array([0, width / 4, -width / 4])[turn]

    def bars(stretches: DrawnStretches, width: float, marker: dict[str, Any]) -> dict[str, Any]:
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

    (up, up_unseen), (down, down_unseen) = (_split(s, marks.seen) for s in (marks.up, marks.down))

    def noted(unseen: DrawnStretches) -> DrawnStretches:
        texts = [f"{text}<br>{marks.unseen_note}" for text in unseen.text]
        return DrawnStretches(unseen.start, unseen.end, texts)

    traces = [
        bars(marks.open_hours, 0.86, {"color": OPEN}),
        bars(up, 0.5, {"color": UP}),
        bars(down, 0.5, {"color": DOWN, "pattern": HATCH}),
        bars(noted(up_unseen), 0.5, {"color": PALE[UP], "pattern": NO_DATA_HATCH}),
        bars(noted(down_unseen), 0.5, {"color": PALE[DOWN], "pattern": NO_DATA_HATCH}),
    ]
    polls = marks.polls
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
        (day, *more) = date_names(wall_clock(twice.back, zone))
        title.append(f"Clocks went back on {day}{' and later' if more else ''}: the hour that")
        title.append("comes twice is halved, the first time on top")
    below = 16 * (len(title) - 1)
    return make_figure(
        traces,
        Frame(
            "When the store was up and down",
            height=143 + 30 * max(len(dates), 2) + below,
            left=108,
            bottom=50 + below,
            subtitle=TIMELINE_KEY,
        ),
        x={
            "range": [-0.25, 24.25],
            "tickvals": list(range(0, 25, 6)),
            "ticktext": [hour_of_day(hour, style) for hour in range(0, 25, 6)],
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
        barmode="overlay",
    )


@dataclass(frozen=True)
class DayBars:
    """The hours up and down of local dates: ``seen_up`` and ``seen_down`` are the parts of them
    that are near a poll."""

    dates: Sequence[Any]
    up: Floats
    down: Floats
    seen_up: Floats
    seen_down: Floats


def draw_daily_uptime(found: DayBars, style: Style = US) -> go.Figure:
    """Hours up and down of each local date, stacked, pale and hatched where nobody saw them, with
    the share of uptime above."""
    days = pd.DatetimeIndex(list(found.dates))
    names = [f"{day:%a}<br>{day.day}" for day in days]
    if len(days) > 10:
        names = [f"{day.day}<br>{day:%b}" for day in days]
    seen = (found.seen_up + found.seen_down).tolist()
    shares = [
        "no data" if up + down and not saw else whole_percent(up, up + down)
        for up, down, saw in zip(found.up.tolist(), found.down.tolist(), seen, strict=True)
    ]
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "x": names,
            "y": hours,
            "name": name,
            "marker": marker,
            "customdata": date_names(days),
            "hovertemplate": f"%{{customdata}}: %{{y:.2f}} h {name.lower()}<extra></extra>",
        }
        for name, hours, marker in (
            ("Up", found.seen_up, {"color": UP}),
            (
                "Up, no poll near",
                np.maximum(found.up - found.seen_up, 0),
                {"color": PALE[UP], "pattern": NO_DATA_HATCH},
            ),
            ("Down", found.seen_down, {"color": DOWN, "pattern": HATCH}),
            (
                "Down, no poll near",
                np.maximum(found.down - found.seen_down, 0),
                {"color": PALE[DOWN], "pattern": NO_DATA_HATCH},
            ),
        )
    ]
    if len(names) <= 10:
        traces[-1] |= {"text": shares, "textposition": "outside", "cliponaxis": False}
    title = "Local date"
    if len(days):
        title += f", {day(days[0], style)} – {day(days[-1], style)}"
    return make_figure(
        traces,
        Frame(
            "Uptime of each day",
            height=340,
            left=56,
            bottom=66,
            subtitle=key(*STATUS_KEY, NO_DATA_KEY),
        ),
        x={"title": title, "type": "category", "nticks": 8},
        y={"title": "Hours of business", "rangemode": "tozero", "showgrid": True},
        barmode="stack",
    )
