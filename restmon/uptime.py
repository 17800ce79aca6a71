"""Observations and open intervals to up and down time (SEMANTICS.md, "From polls to time").

Pure: arrays in, arrays out, all stores at once. Instants are int64 microseconds since the epoch,
UTC. Inside, time is measured on the *open clock*: a counter of half microseconds that runs only
while a store is open, through all stores' intervals one after the other. On it a midpoint is a
whole number, a span's open time is a difference, and closed hours have no length.
"""

from dataclasses import dataclass

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
    some = polls.between(lo, hi - 1)
    result = np.zeros(stores, bool)
    if len(some.store) and len(intervals.start):
        edges = (intervals.start, intervals.end, some.time)
        space = KeySpace.covering(
            stores, min(int(a.min()) for a in edges), max(int(a.max()) for a in edges)
        )
        poll_key = space.keys(some.store, some.time)
        from_ = np.searchsorted(poll_key, space.keys(intervals.store, intervals.start))
        to = np.searchsorted(poll_key, space.keys(intervals.store, intervals.end))
        result[intervals.store[to > from_]] = True
    return result


@dataclass(frozen=True)
class Timeline:
    """What every store's status is at every open instant.

    Observation n (of store ``store[n]``, status ``status[n]``, made at ``time[n]``) holds on the
    open clock from ``begin[n]`` to ``end[n]``. Sorted by store, then time.
    """

    clock: OpenClock
    stores: int
    store: Ints
    time: Ints
    status: NDArray[np.int8]
    begin: Ints
    end: Ints


def timeline(
    stores: int,
    intervals: OpenIntervals,
    polls: Polls,
    method: str = NEAREST,
    carried: Polls | None = None,
) -> Timeline:
    """The timeline of all stores by ``method`` (one of :data:`METHODS`).

    ``polls`` are those at or before ``as_of``; the ones outside open intervals are left out here.
    ``carried`` has at most one observation a store, earlier than all of its ``polls``: it is
    taken as an observation wherever it lies.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    carried = carried or Polls.none()
    edges = [a for a in (intervals.start, intervals.end, polls.time, carried.time) if len(a)]
    lo = min((int(a.min()) for a in edges), default=0)
    hi = max((int(a.max()) for a in edges), default=0)
    space = KeySpace.covering(stores, lo, hi)
    clock = OpenClock(intervals, space)

    # The polls of an interval are one range of the sorted polls.
    poll_key = space.keys(polls.store, polls.time)
    from_ = np.searchsorted(poll_key, clock.start_key)
    to = np.searchsorted(poll_key, space.keys(intervals.store, intervals.end))
    counts = to - from_
    interval = np.repeat(np.arange(len(counts)), counts)
    shift = np.repeat(from_ - (np.cumsum(counts) - counts), counts)
    picked = np.arange(len(interval)) + shift
    store, time, status = polls.store[picked], polls.time[picked], polls.status[picked]

    if len(carried.store):
        at = np.searchsorted(store, carried.store)
        key = space.keys(carried.store, carried.time)
        p = np.searchsorted(clock.start_key, key, "right") - 1
        inside = (p >= 0) & (p >= intervals.first[carried.store])
        inside[inside] = carried.time[inside] < intervals.end[p[inside]]
        interval = np.insert(interval, at, np.where(inside, p, -1))
        store = np.insert(store, at, carried.store)
        time = np.insert(time, at, carried.time)
        status = np.insert(status, at, carried.status)

    begin, end = _takeovers(clock, store, time, interval, method)
    return Timeline(clock, stores, store, time, status, begin, end)


def _takeovers(
    clock: OpenClock, store: Ints, time: Ints, interval: Ints, method: str
) -> tuple[Ints, Ints]:
    """The readings from and to which each observation holds."""
    if not len(store):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    intervals = clock.intervals
    a, b = interval[:-1], interval[1:]
    # Where the intervals differ the second one's opening counts; also where the stores do, for
    # now.
    opening = clock.total[b]
    # On the doubled clock the midpoint of two instants is their sum, a whole number.
    here = 2 * time[1:] if method == PREVIOUS else time[:-1] + time[1:]
    here -= 2 * intervals.start[b]
    here += opening
    reading = np.where(a == b, here, opening)
    last = np.flatnonzero(store[:-1] != store[1:])
    if method != PREVIOUS:
        # Unobserved intervals between: the midpoint, between the two observations' intervals.
        n = np.flatnonzero(b - a > 1)
        n = n[store[n] == store[n + 1]]
        closed = np.where(a[n] >= 0, intervals.end[a[n]], time[n])
        doubled = np.clip(time[n] + time[n + 1], 2 * closed, 2 * intervals.start[b[n]])
        reading[n] = clock.at(store[n], doubled)

    begin = np.empty(len(store), np.int64)
    end = np.empty(len(store), np.int64)
    begin[1:] = end[:-1] = reading
    first = np.append(0, last + 1)
    last = np.append(last, len(store) - 1)
    begin[first] = clock.begin_of(store[first])
    end[last] = clock.end_of(store[last])
    return begin, end


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
