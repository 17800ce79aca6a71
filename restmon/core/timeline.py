"""Makes each store's timeline of observations and open intervals (SEMANTICS.md, "From polls to
time").

Pure: arrays in, arrays out, all stores at once. Uptime, outages and everything else about whether a
store was up are readings of the timeline.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from restmon.core.intervals import OpenIntervals
from restmon.core.keys import KeySpace
from restmon.core.observations import (
    Observations,
    Polls,
    Statuses,
    find_observations,
    with_earlier,
)
from restmon.core.open_clock import OpenClock

Ints = NDArray[np.int64]

NEAREST = "nearest"
PREVIOUS = "previous"
METHODS = (NEAREST, PREVIOUS)


@dataclass(frozen=True)
class Timeline:
    """The status of every store at every open instant.

    Observation n decides the status on the open clock from ``begin[n]`` to ``end[n]``. A store's
    first one decides from before its first interval, its last one to after its last interval.
    Sorted by store, then time.

    A timeline of *runs* has one entry for all of a store's observations of one status that
    follow each other, made at the time of the first.

    Attributes
    ----------
    clock : OpenClock
    stores : int
        How many there are, observed or not.
    store, time, status : arrays of one length, as in `Polls`
    begin, end : int64 arrays of the same length
        Readings of the clock, half microseconds.
    tie : bool array of the same length
        At the very instant of its ``begin`` the store is open and the observation before it still
        decides, because a tie goes to the earlier one. No length of time depends on it.
    """

    clock: OpenClock
    stores: int
    store: Ints
    time: Ints
    status: Statuses
    begin: Ints
    end: Ints
    tie: NDArray[np.bool_]

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Whether each store has an observation: bool, shape (stores,)."""
        result = np.zeros(self.stores, bool)
        result[self.store] = True
        return result

    @cached_property
    def up_before(self) -> Ints:
        """The up time on the clock before each entry's ``begin``, through all stores: int64 half
        microseconds, one more than entries (the last is all up time)."""
        result = np.zeros(len(self.store) + 1, np.int64)
        np.cumsum(np.where(self.status == 1, self.end - self.begin, 0), out=result[1:])
        return result


def build_timeline(
    intervals: OpenIntervals,
    polls: Polls,
    method: str = NEAREST,
    earlier: Polls | None = None,
    *,
    runs: bool = False,
) -> Timeline:
    """Return the timeline of all stores of the intervals.

    Parameters
    ----------
    intervals : OpenIntervals
    polls : Polls
        Those at or before ``as_of``. The ones outside of open intervals are left out here.
    method : str
        One of METHODS.
    earlier : Polls, optional
        At most one of each store, earlier than all of its ``polls``: its last observation before
        the time of the polls. It counts even if it lies in no interval.
    runs : bool
        Return a timeline of runs. Uptime and outages follow from it as well, and it takes a small
        part of the time.

    Raises
    ------
    ValueError
        For an unknown method, or for keys that do not fit into 64 bits (see `KeySpace`).
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    earlier = earlier or Polls.none()
    stores = intervals.stores
    edges = [a for a in (intervals.start, intervals.end, polls.time, earlier.time) if len(a)]
    lo = min((int(a.min()) for a in edges), default=0)
    hi = max((int(a.max()) for a in edges), default=0)
    clock = OpenClock(intervals, KeySpace.covering(stores, lo, hi))
    found = find_observations(intervals, polls, turns_only=runs)
    if len(earlier.store):
        found = with_earlier(found, earlier, clock)
        if runs:
            # A first observation with the earlier one's status begins no run.
            differs = np.append(True, found.status[1:] != found.status[:-1])
            found = found.where(found.is_first | differs)
    if not len(found.store):
        nothing, no = np.empty(0, np.int64), np.empty(0, bool)
        return Timeline(clock, stores, found.store, found.time, found.status, nothing, nothing, no)
    takeover, tie = takeovers(clock, found, method)
    begin = np.where(found.is_first, clock.begin_of(found.store), takeover)
    tie &= ~found.is_first
    end = np.where(
        np.append(found.is_first[1:], True), clock.end_of(found.store), np.append(begin[1:], 0)
    )
    return Timeline(clock, stores, found.store, found.time, found.status, begin, end, tie)


def takeovers(clock: OpenClock, found: Observations, method: str) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the reading at which each observation takes over from the one before it, and whether
    there is a tie at that instant.

    Between observation a and the next one, b, there are three cases. ``nearest``::

        one interval             neighboring intervals      an interval without any between
        [--a-----|-----b--]      [--a--]      [|---b--]     [--a--]   [---|---]   [---b--]
             midpoint                      opening                 midpoint, clamped

    With ``previous``, b takes over at its own instant in one interval, and otherwise at the opening
    of its interval, since the first observation of an interval also covers its beginning. An
    observation without one before it has a value without meaning.
    """
    intervals = clock.intervals
    a, b = found.interval_before, found.interval
    opening = clock.total[b]
    # On the doubled clock the midpoint of two instants is their sum.
    inside = found.time + (found.time if method == PREVIOUS else found.time_before)
    inside -= 2 * intervals.start[b]
    inside += opening
    reading = np.where(a == b, inside, opening)
    if method == PREVIOUS:
        return reading, np.zeros(len(reading), bool)
    tie = a == b
    n = np.flatnonzero((b - a > 1) & ~found.is_first)
    a, b = a[n], b[n]
    time_a, time_b = found.time_before[n], found.time[n]
    # An earlier observation may lie in no interval. Then only its own time bounds it.
    closing = np.where(a >= 0, intervals.end[a], time_a)
    midpoint = np.clip(time_a + time_b, 2 * closing, 2 * intervals.start[b])
    reading[n] = clock.at(found.store[n], midpoint)
    tie[n] = clock.open_at(found.store[n], midpoint) & (midpoint < 2 * intervals.start[b])
    return reading, tie


@dataclass(frozen=True)
class Spans:
    """Stretches of one status inside business hours: arrays of one length.

    Attributes
    ----------
    store : int64 array
    start, end : int64 arrays, instants, rounded down
    status : int8 array
    poll : int64 array
        The instant of the observation that decides it.
    observation : int64 array
        That observation's index in the timeline.
    interval : int64 array
        The index of the open interval it lies in.
    """

    store: Ints
    start: Ints
    end: Ints
    status: Statuses
    poll: Ints
    observation: Ints
    interval: Ints


def cut_spans(line: Timeline, lo: int, hi: int) -> Spans:
    """Return the timeline cut at every switch and every opening and closing, inside [lo, hi)."""
    clock = line.clock
    n, interval, begin, end = clock.cut(line.begin, line.end)
    start = np.maximum(clock.doubled_instants(interval, begin) >> 1, lo)
    stop = np.minimum(clock.doubled_instants(interval, end) >> 1, hi)
    some = start < stop
    n, interval = n[some], interval[some]
    return Spans(line.store[n], start[some], stop[some], line.status[n], line.time[n], n, interval)
