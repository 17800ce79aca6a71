"""The timeline of one store: a row a day, its open hours, when it was up and down, its polls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from restmon.charts.style import (
    DOWN,
    HATCH,
    NO_DATA_HATCH,
    OPEN,
    PALE,
    POLL_EDGE,
    TIMELINE_KEY,
    UP,
    Floats,
    Frame,
    Ints,
    date_names,
    make_figure,
    wall_clock,
)
from restmon.core.formatting import US, Style, hour_of_day, no_markup
from restmon.core.instants import HOUR
from restmon.core.open_clock import cut_at

QUARTER = HOUR // 4
ROW, STATUS = 0.86, 0.5
"""How wide the bars of open hours, and of up and down, are in their row."""
OTHER_HOURS = "◆"
"""Marks a date with other hours."""


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
    marked. ``unseen_note`` is added to what is shown over time that was not seen. ``other_hours``
    are the local dates with other hours, each with what it is, such as ``Thanksgiving: closed``."""

    open_hours: DrawnStretches
    up: DrawnStretches
    down: DrawnStretches
    polls: PollMarks
    seen: DrawnStretches
    unseen_note: str = "no data"
    other_hours: Mapping[date, str] = field(default_factory=dict)


def _split(some: DrawnStretches, seen: DrawnStretches) -> tuple[DrawnStretches, DrawnStretches]:
    """The parts of the stretches that were seen, and the parts that were not."""
    cut = _by_day(some, np.unique(np.concatenate([seen.start, seen.end])))
    if not len(seen.start):
        return cut.chosen(np.zeros(len(cut.start), bool)), cut
    at = np.searchsorted(seen.start, cut.start, "right") - 1
    inside = (at >= 0) & (seen.end[np.maximum(at, 0)] > cut.start)
    return cut.chosen(inside), cut.chosen(~inside)


class _Rows:
    """A row for each local date of a zone from ``lo`` to ``hi``, and where instants are on them.

    Where the clocks go back, the upper half of the row is the hour's first time and the lower half
    its second.
    """

    def __init__(self, zone: str, lo: int, hi: int) -> None:
        dates = _day_starts(lo, hi, zone)
        self.zone = zone
        self.twice = _repeats(dates, zone)
        self._cuts = np.unique(np.concatenate([dates, self.twice.begin, self.twice.end]))
        first, last = wall_clock(np.array([lo, hi - 1]), zone).normalize()
        self.days = pd.date_range(first, last, freq="D")

    def place(self, instants: Ints, width: float) -> tuple[Floats, Floats]:
        """(hour of the day, place on the axis of dates) of instants, for marks of a width."""
        wall = wall_clock(instants, self.zone)
        midnight = wall.normalize()
        row = np.asarray((midnight - self.days[0]) / pd.Timedelta(days=1), float)
        hour = np.asarray((wall - midnight) / pd.Timedelta(hours=1), float)
        above = np.array([0, width / 4, -width / 4])[self.twice.turn(instants)]
        return hour, row + above

    def draw_bars(
        self, stretches: DrawnStretches, width: float, marker: dict[str, Any]
    ) -> dict[str, Any]:
        """The trace of stretches, cut where a row ends."""
        cut = _by_day(stretches, self._cuts)
        halved = self.twice.turn(cut.start) > 0
        hour, row = self.place(cut.start, width)
        return {
            "type": "bar",
            "orientation": "h",
            "y": row,
            "x": (cut.end - cut.start) / HOUR,
            "base": hour,
            "width": np.where(halved, width / 2, width) if halved.any() else width,
            "marker": marker | {"line": {"width": 0}},
            # A chosen bar leaves the others as they are.
            "unselected": {"marker": {"opacity": 1}},
            "customdata": list(cut.text),
            "hovertemplate": "%{customdata}<extra></extra>",
        }


def draw_timeline(zone: str, lo: int, hi: int, marks: StoreMarks, style: Style = US) -> go.Figure:
    """A store's time from lo to hi, one row for each local date of the zone, newest on top. The
    text of each stretch and poll is its ``customdata``."""
    rows = _Rows(zone, lo, hi)
    names = date_names(rows.days)
    for n, day in enumerate(rows.days):
        if day.date() in marks.other_hours:
            names[n] = f"{OTHER_HOURS} {names[n]}"
    title = _name_axis(rows)
    below = 16 * (len(title) - 1)
    return make_figure(
        [
            *_draw_status(rows, marks),
            *_draw_closed_dates(rows, marks),
            *_draw_polls(rows, marks.polls),
        ],
        Frame(
            "When the store was up and down",
            height=143 + 30 * max(len(names), 2) + below,
            left=122 if marks.other_hours else 108,
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
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "showgrid": False,
            "zeroline": False,
            "range": [-0.6, len(names) - 0.4],
        },
        barmode="overlay",
    )


def _draw_status(rows: _Rows, marks: StoreMarks) -> list[dict[str, Any]]:
    """The open hours, and on them the time up and down: what was seen, and what was not."""
    up, up_unseen = _split(marks.up, marks.seen)
    down, down_unseen = _split(marks.down, marks.seen)

    def note(unseen: DrawnStretches) -> DrawnStretches:
        texts = [f"{text}<br>{marks.unseen_note}" for text in unseen.text]
        return DrawnStretches(unseen.start, unseen.end, texts)

    return [
        rows.draw_bars(marks.open_hours, ROW, {"color": OPEN}),
        rows.draw_bars(up, STATUS, {"color": UP}),
        rows.draw_bars(down, STATUS, {"color": DOWN, "pattern": HATCH}),
        rows.draw_bars(note(up_unseen), STATUS, {"color": PALE[UP], "pattern": NO_DATA_HATCH}),
        rows.draw_bars(note(down_unseen), STATUS, {"color": PALE[DOWN], "pattern": NO_DATA_HATCH}),
    ]


def _draw_closed_dates(rows: _Rows, marks: StoreMarks) -> list[dict[str, Any]]:
    """What the dates with other hours are, in the rows that are empty."""
    opened = set(wall_clock(marks.open_hours.start, rows.zone).date)
    opened |= set(wall_clock(marks.open_hours.end - 1, rows.zone).date)
    found = [
        (n, marks.other_hours[day.date()])
        for n, day in enumerate(rows.days)
        if day.date() in marks.other_hours and day.date() not in opened
    ]
    if not found:
        return []
    return [
        {
            "type": "scatter",
            "mode": "text",
            "x": [0.2] * len(found),
            "y": [n for n, _ in found],
            "text": [no_markup(text) for _, text in found],
            "textposition": "middle right",
            "hoverinfo": "skip",
        }
    ]


def _draw_polls(rows: _Rows, polls: PollMarks) -> list[dict[str, Any]]:
    """The polls: circles where they were active, crosses where not, pale where they do not
    count."""
    hour, row = rows.place(polls.time, ROW)
    texts = np.array(polls.text, object)
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": hour[mine],
            "y": row[mine],
            "marker": {
                "symbol": symbol,
                "size": size,
                "color": "#FFFFFF",
                "opacity": np.where(polls.counted[mine], 1.0, 0.55),
                "line": {"width": 1.5, "color": edge},
            },
            "unselected": {"marker": {"opacity": 1}},
            "cliponaxis": False,
            "customdata": texts[mine],
            "hovertemplate": "%{customdata}<extra></extra>",
        }
        for mine, symbol, size, edge in (
            (polls.active, "circle", 7, POLL_EDGE[True]),
            (~polls.active, "x", 9, POLL_EDGE[False]),
        )
    ]


def _name_axis(rows: _Rows) -> list[str]:
    """The title of the axis of hours, in lines. It says which half is which where clocks went
    back."""
    title = [f"Local time ({rows.zone})"]
    if len(rows.twice.back):
        (day, *more) = date_names(wall_clock(rows.twice.back, rows.zone))
        title.append(f"Clocks went back on {day}{' and later' if more else ''}: the hour that")
        title.append("comes twice is halved, the first time on top")
    return title
