"""Observations and open intervals to up and down time (SEMANTICS.md, "From polls to time").

Pure: arrays in, arrays out, all stores at once. Instants are int64 microseconds since the epoch,
UTC. Inside, time is measured on the *open clock*: a counter of half microseconds that runs only
while a store is open, through all stores' intervals one after the other. On it a midpoint is a
whole number, a span's open time is a difference, and closed hours have no length.
"""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from restmon.hours import OpenIntervals
from restmon.keys import KeySpace

Ints = NDArray[np.int64]

NEAREST = "nearest"
PREVIOUS = "previous"
METHODS = (NEAREST, PREVIOUS)


@dataclass(frozen=True)
class Polls:
    """Polls of all stores: arrays of one length, sorted by store, then time, each pair once.

    ``store`` is the store's index, ``time`` int64 microseconds, ``status`` int8, 1 = active.
    """

    store: Ints
    time: Ints
    status: NDArray[np.int8]

    @classmethod
    def none(cls) -> "Polls":
        """No polls at all."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int8))

    def between(self, lo: int, hi: int) -> "Polls":
        """Those with lo <= time <= hi."""
        kept = (self.time >= lo) & (self.time <= hi)
        if kept.all():
            return self
        return Polls(self.store[kept], self.time[kept], self.status[kept])

    @cached_property
    def keyed(self) -> tuple[KeySpace, Ints]:
        """The (store, time) pairs as sorted keys, and their space: instants beyond the last poll
        come after all of the store's."""
        if not len(self.store):
            return KeySpace(0, 1), np.empty(0, np.int64)
        lo, hi = int(self.time.min()), int(self.time.max())
        space = KeySpace.covering(int(self.store[-1]) + 1, lo, hi + 1)
        return space, space.keys(self.store, self.time)

    def places(self, store: Ints, instant: Ints) -> Ints:
        """How many polls come before each (store, instant)."""
        space, key = self.keyed
        return np.searchsorted(key, space.clipped_keys(store, instant))


class OpenClock:
    """The open clock of a set of intervals (see the module's text)."""

    def __init__(self, intervals: OpenIntervals, space: KeySpace) -> None:
        self.intervals = intervals
        self.space = space
        self.start_key = space.keys(intervals.store, intervals.start)
        length = 2 * (intervals.end - intervals.start)
        self.total = np.zeros(len(length) + 1, np.int64)
        """Reading at the start of each interval, and at the end of the last."""
        np.cumsum(length, out=self.total[1:])

    def begin_of(self, store: Ints) -> Ints:
        """The reading before each store's first interval."""
        return self.total[self.intervals.first[store]]

    def end_of(self, store: Ints) -> Ints:
        """The reading after each store's last interval."""
        return self.total[self.intervals.first[store + 1]]

    def at(self, store: Ints, doubled: Ints) -> Ints:
        """The reading of each (store, instant), instants in half microseconds."""
        p = (
            np.searchsorted(self.start_key, self.space.clipped_keys(store, doubled >> 1), "right")
            - 1
        )
        before = p < self.intervals.first[store]
        p = np.maximum(p, 0)
        if not len(self.start_key):
            return np.zeros(len(store), np.int64)
        gone = np.clip(doubled - 2 * self.intervals.start[p], 0, self.total[p + 1] - self.total[p])
        return np.where(before, self.begin_of(store), self.total[p] + gone)

    def instants(self, reading: Ints, *, closing: bool) -> Ints:
        """The instants (whole microseconds, rounded down) at which the clock shows a reading.

        Where closed time lies between, ``closing`` says which: the closing before or the opening
        after it.
        """
        side = "left" if closing else "right"
        p = np.searchsorted(self.total, reading, side) - 1  # type: ignore[call-overload]
        p = np.clip(p, 0, len(self.intervals.start) - 1)
        return self.intervals.start[p] + (reading - self.total[p]) // 2

    def cut(self, begin: Ints, end: Ints) -> tuple[Ints, Ints, Ints, Ints]:
        """Stretches [begin, end) of the clock cut at every closing inside them.

        Returns (index of the stretch, index of the interval, begin, end) of each piece, int64, in
        the order of the stretches, then of time; a stretch without length has no piece.
        """
        n, before = cut(self.total, begin, end)
        interval = before - 1
        return (
            n,
            interval,
            np.maximum(begin[n], self.total[interval]),
            np.minimum(end[n], self.total[interval + 1]),
        )

    def doubled_instants(self, interval: Ints, reading: Ints) -> Ints:
        """The instants, in half microseconds, at which the clock shows each reading, each in the
        interval given for it (an opening and the closing before it have one reading)."""
        return 2 * self.intervals.start[interval] + reading - self.total[interval]


def cut(at: Ints, begin: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Stretches [begin, end) cut at each of the sorted points ``at`` inside them.

    Returns (index of the stretch, number of points at or before the piece) of each piece, int64,
    in the order of the stretches, then of time; a stretch without length has no piece.
    """
    first = np.searchsorted(at, begin, "right")
    last = np.searchsorted(at, end, "left")
    pieces = np.where(begin < end, last - first + 1, 0)
    n = np.repeat(np.arange(len(begin)), pieces)
    return n, first[n] + np.arange(len(n)) - np.repeat(np.cumsum(pieces) - pieces, pieces)


def observed_between(
    stores: int, intervals: OpenIntervals, polls: Polls, lo: int, hi: int
) -> NDArray[np.bool_]:
    """Whether each store has an observation with lo <= time < hi."""
    some = np.flatnonzero((intervals.start < hi) & (intervals.end > lo))
    store = intervals.store[some]
    first = polls.places(store, np.maximum(intervals.start[some], lo))
    after = polls.places(store, np.minimum(intervals.end[some], hi))
    result = np.zeros(stores, bool)
    result[store[after > first]] = True
    return result


@dataclass(frozen=True)
class Timeline:
    """What every store's status is at every open instant.

    Observation n (of store ``store[n]``, status ``status[n]``, made at ``time[n]``) holds on the
    open clock from ``begin[n]`` to ``end[n]``. Sorted by store, then time. A timeline of *runs*
    has one entry for all of a store's observations of one status that follow each other, made
    at the time of the first.
    """

    clock: OpenClock
    stores: int
    store: Ints
    time: Ints
    status: NDArray[np.int8]
    begin: Ints
    end: Ints


@dataclass(frozen=True)
class _Marks:
    """Observations with the one before each: arrays of one length, sorted by store, then time.

    ``interval`` is the index of the open interval the observation lies in, -1 where in none;
    ``opens`` says that it is the store's first and has none before it.
    """

    store: Ints
    time: Ints
    status: NDArray[np.int8]
    interval: Ints
    time_before: Ints
    interval_before: Ints
    opens: NDArray[np.bool_]

    def where(self, kept: NDArray[np.bool_]) -> "_Marks":
        return _Marks(*(getattr(self, column.name)[kept] for column in fields(self)))


def timeline(
    stores: int,
    intervals: OpenIntervals,
    polls: Polls,
    method: str = NEAREST,
    carried: Polls | None = None,
    *,
    runs: bool = False,
) -> Timeline:
    """The timeline of all stores by ``method`` (one of :data:`METHODS`).

    ``polls`` are those at or before ``as_of``; the ones outside open intervals are left out here.
    ``carried`` has at most one observation a store, earlier than all of its ``polls``: it is
    taken as an observation wherever it lies. ``runs``: a timeline of runs, from which uptime and
    outages follow as well; it takes a small part of the time.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    carried = carried or Polls.none()
    edges = [a for a in (intervals.start, intervals.end, polls.time, carried.time) if len(a)]
    lo = min((int(a.min()) for a in edges), default=0)
    hi = max((int(a.max()) for a in edges), default=0)
    clock = OpenClock(intervals, KeySpace.covering(stores, lo, hi))
    marks = _marks(intervals, polls, runs=runs)
    if len(carried.store):
        marks = _with_carried(marks, carried, clock)
        if runs:
            # A first observation that repeats the carried one begins no run.
            new = np.append(True, marks.status[1:] != marks.status[:-1])
            marks = marks.where(marks.opens | new)
    if not len(marks.store):
        nothing = np.empty(0, np.int64)
        return Timeline(clock, stores, marks.store, marks.time, marks.status, nothing, nothing)
    begin = np.where(marks.opens, clock.begin_of(marks.store), _takeovers(clock, marks, method))
    end = np.where(
        np.append(marks.opens[1:], True), clock.end_of(marks.store), np.append(begin[1:], 0)
    )
    return Timeline(clock, stores, marks.store, marks.time, marks.status, begin, end)


def _marks(intervals: OpenIntervals, polls: Polls, *, runs: bool) -> _Marks:
    """All observations, or those alone that begin a run."""
    # The observations in an interval are one range of the sorted polls.
    first = polls.places(intervals.store, intervals.start)
    after = polls.places(intervals.store, intervals.end)
    observed = np.flatnonzero(first < after)
    if not len(observed):
        nothing, flags = np.empty(0, np.int64), np.empty(0, bool)
        return _Marks(nothing, nothing, np.empty(0, np.int8), nothing, nothing, nothing, flags)
    first, after = first[observed], after[observed]
    store = intervals.store[observed]

    # Further ones in the interval of the one before,
    if runs:
        turn = np.flatnonzero(polls.status[1:] != polls.status[:-1]) + 1
        k = np.searchsorted(first, turn, "right") - 1
        inside = first[k] < turn
        inside &= turn < after[k]
        inside &= k >= 0
        turn, k = turn[inside], k[inside]
    else:
        lengths = after - first - 1
        k = np.repeat(np.arange(len(first)), lengths)
        turn = np.arange(len(k)) + np.repeat(first + 1 - (np.cumsum(lengths) - lengths), lengths)
    # and the first ones of the intervals.
    last = np.append(0, after[:-1] - 1)
    opens = np.append(True, store[1:] != store[:-1])
    if runs:
        openers = np.flatnonzero(opens | (polls.status[first] != polls.status[last]))
    else:
        openers = np.arange(len(first))

    n = np.concatenate([turn, first[openers]])
    order = np.argsort(n, kind="stable")
    n = n[order]
    before = np.concatenate([turn - 1, last[openers]])[order]
    interval = observed[np.concatenate([k, openers])[order]]
    interval_before = observed[np.concatenate([k, openers - 1])[order]]
    opens = np.concatenate([np.zeros(len(turn), bool), opens[openers]])[order]
    return _Marks(
        intervals.store[interval],
        polls.time[n],
        polls.status[n],
        interval,
        polls.time[before],
        interval_before,
        opens,
    )


def _with_carried(marks: _Marks, carried: Polls, clock: OpenClock) -> _Marks:
    """The observations with one more before all others of its store."""
    intervals = clock.intervals
    key = clock.space.keys(carried.store, carried.time)
    p = np.searchsorted(clock.start_key, key, "right") - 1
    inside = (p >= 0) & (p >= intervals.first[carried.store])
    inside[inside] = carried.time[inside] < intervals.end[p[inside]]
    p = np.where(inside, p, -1)

    at = np.searchsorted(marks.store, carried.store)
    time_before, interval_before = marks.time_before.copy(), marks.interval_before.copy()
    opens = marks.opens.copy()
    followed = np.flatnonzero(np.append(marks.store, -1)[at] == carried.store)
    time_before[at[followed]] = carried.time[followed]
    interval_before[at[followed]] = p[followed]
    opens[at[followed]] = False
    return _Marks(
        np.insert(marks.store, at, carried.store),
        np.insert(marks.time, at, carried.time),
        np.insert(marks.status, at, carried.status),
        np.insert(marks.interval, at, p),
        np.insert(time_before, at, carried.time),
        np.insert(interval_before, at, p),
        np.insert(opens, at, np.ones(len(at), bool)),
    )


def _takeovers(clock: OpenClock, marks: _Marks, method: str) -> Ints:
    """The reading from which each observation holds, wherever there is one before it."""
    intervals = clock.intervals
    a, b = marks.interval_before, marks.interval
    # In one interval: halfway on the doubled clock, where the midpoint of two instants is their
    # sum. Else, for now, the opening of the second one's.
    opening = clock.total[b]
    here = marks.time + (marks.time if method == PREVIOUS else marks.time_before)
    here -= 2 * intervals.start[b]
    here += opening
    reading = np.where(a == b, here, opening)
    if method != PREVIOUS:
        # Unobserved intervals between: the midpoint, between the two observations' intervals.
        n = np.flatnonzero((b - a > 1) & ~marks.opens)
        a, b, before, time = a[n], b[n], marks.time_before[n], marks.time[n]
        closed = np.where(a >= 0, intervals.end[a], before)
        doubled = np.clip(before + time, 2 * closed, 2 * intervals.start[b])
        reading[n] = clock.at(marks.store[n], doubled)
    return reading


def uptime(line: Timeline, as_of: int, windows: list[int]) -> tuple[Ints, Ints]:
    """Up and down time in the windows [as_of - w, as_of) (SEMANTICS.md, "Now").

    ``windows`` are lengths in microseconds. Returns (up, down), int64 arrays of shape (stores,
    len(windows)), in half microseconds, exact. A store with no observation has 0 and 0; for
    every other one up + down is the open time in the window.
    """
    observed = np.zeros(line.stores, bool)
    observed[line.store] = True
    up = np.zeros((line.stores, len(windows)), np.int64)
    down = np.zeros_like(up)
    if not len(line.store):
        return up, down
    store = np.flatnonzero(observed)
    up_before = np.zeros(len(line.store) + 1, np.int64)
    np.cumsum(np.where(line.status == 1, line.end - line.begin, 0), out=up_before[1:])

    def up_until(reading: Ints) -> Ints:
        n = np.searchsorted(line.begin, reading, "right") - 1
        return up_before[n] + np.where(line.status[n] == 1, reading - line.begin[n], 0)

    def reading_at(instant: int) -> Ints:
        return line.clock.at(store, np.full(len(store), 2 * instant, np.int64))

    at_end = reading_at(as_of)
    up_at_end = up_until(at_end)
    for column, window in enumerate(windows):
        at_begin = reading_at(as_of - window)
        up[store, column] = up_at_end - up_until(at_begin)
        down[store, column] = at_end - at_begin - up[store, column]
    return up, down


@dataclass(frozen=True)
class Spans:
    """Stretches of one status inside business hours: arrays of one length.

    ``start`` and ``end`` are int64 microseconds (rounded down), ``status`` int8, and ``poll``
    the int64 instant of the observation that decides it. ``observation`` is that observation's
    index in the timeline, ``interval`` the index of the open interval the span lies in.
    """

    store: Ints
    start: Ints
    end: Ints
    status: NDArray[np.int8]
    poll: Ints
    observation: Ints
    interval: Ints


def spans(line: Timeline, lo: int, hi: int) -> Spans:
    """The timeline cut at every switch and every opening and closing, inside [lo, hi)."""
    clock = line.clock
    n, interval, begin, end = clock.cut(line.begin, line.end)
    start = np.maximum(clock.doubled_instants(interval, begin) >> 1, lo)
    stop = np.minimum(clock.doubled_instants(interval, end) >> 1, hi)
    kept = start < stop
    n, interval = n[kept], interval[kept]
    return Spans(line.store[n], start[kept], stop[kept], line.status[n], line.time[n], n, interval)
