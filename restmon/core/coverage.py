"""How much of the open time the polls cover (SEMANTICS.md, "Coverage"). Pure."""

import numpy as np
from numpy.typing import NDArray

from restmon.core.aggregation import Stretches
from restmon.core.instants import HOUR, MINUTE, WEEK
from restmon.core.intervals import OpenIntervals, merge
from restmon.core.observations import Polls, are_observations
from restmon.core.open_clock import OpenClock

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEAR = 90 * MINUTE
"""Open time at most this far from an observation is covered."""
STALE_GAPS = 3
STALE_AT_LEAST = 3 * HOUR
GAP_BITS = 40


def measure_coverage(
    clock: OpenClock, polls: Polls, lo: int | Ints, hi: int | Ints, near: int = NEAR
) -> tuple[Ints, Ints]:
    """Return how much of the open time in [lo, hi) was seen.

    Each observation covers ``near`` to both of its sides; with ``near`` 2 and two stretches of
    open time::

        open       [=================]      [========]
        polls        x  x         x             x      x
        covered    [======]     [====]      [========]

    Parameters
    ----------
    clock : OpenClock
        Of all stores' intervals.
    polls : Polls
        Those at or before ``as_of``, from ``near`` before ``lo`` on at least. The ones outside
        of open intervals do not count.
    lo, hi : int, or int64 array of shape (stores,)
        Instants, for all stores or for each.
    near : int
        Microseconds.

    Returns
    -------
    covered, open_time : int64 arrays of shape (stores,), half microseconds
        Coverage is covered ÷ open_time, and there is none where a store has no open time.
    """
    stores = clock.intervals.stores
    lo_of, hi_of = (np.broadcast_to(np.asarray(edge, np.int64), (stores,)) for edge in (lo, hi))
    store, begin, end = _near_polls(clock, polls, lo_of, hi_of, near)
    covered = np.zeros(stores, np.int64)
    np.add.at(covered, store, end - begin)
    every = np.arange(stores)
    return covered, clock.at(every, 2 * hi_of) - clock.at(every, 2 * lo_of)


def covered_stretches(
    clock: OpenClock, polls: Polls, lo: int | Ints, hi: int | Ints, near: int = NEAR
) -> Stretches:
    """Return the covered open time in [lo, hi), a stretch for each group of observations and open
    interval. The parameters are those of `measure_coverage`."""
    stores = clock.intervals.stores
    lo_of, hi_of = (np.broadcast_to(np.asarray(edge, np.int64), (stores,)) for edge in (lo, hi))
    store, begin, end = _near_polls(clock, polls, lo_of, hi_of, near)
    n, interval, begin, end = clock.cut(begin, end)
    return Stretches(
        store[n], clock.doubled_instants(interval, begin), clock.doubled_instants(interval, end)
    )


def _near_polls(
    clock: OpenClock, polls: Polls, lo: Ints, hi: Ints, near: int
) -> tuple[Ints, Ints, Ints]:
    """(store, begin, end) of the time that each group of observations covers, as clock readings."""
    seen = polls.where(are_observations(clock.intervals, polls))
    first, last = _groups(seen, 2 * near)
    store = seen.store[first]
    begin = np.clip(seen.time[first] - near, lo[store], hi[store])
    end = np.clip(seen.time[last] + near, lo[store], hi[store])
    return store, clock.at(store, 2 * begin), clock.at(store, 2 * end)


def _groups(polls: Polls, gap: int) -> tuple[Ints, Ints]:
    """(first, last) poll of each group of a store's polls that are at most a gap apart."""
    begins = np.ones(len(polls.time), bool)
    begins[1:] = (polls.store[1:] != polls.store[:-1]) | (np.diff(polls.time) > gap)
    first = np.flatnonzero(begins)
    return first, np.append(first[1:], len(begins))[: len(first)] - 1


def find_stale(clock: OpenClock, polls: Polls, as_of: int) -> Flags:
    """Return which stores are stale: no poll came for too much of their open time.

    Too much is three times the median gap between the polls of the week before ``as_of``, at
    least 3 hours. A store without a poll is not stale: it never was fresh.

    Parameters
    ----------
    clock : OpenClock
    polls : Polls
        Those at or before ``as_of``, in or out of business hours; of each store its newest one
        at least, and those of the last week.
    as_of : int

    Returns
    -------
    bool array of shape (stores,)
    """
    stores = clock.intervals.stores
    every = np.arange(stores)
    newest = np.full(stores, as_of, np.int64)
    newest[polls.store] = polls.time  # sorted by time, so the newest one stays
    age = (clock.at(every, 2 * as_of) - clock.at(every, 2 * newest)) // 2
    late = age > STALE_AT_LEAST  # only these need their gaps measured
    gaps = _median_gaps(stores, polls.where(late[polls.store]), as_of)
    return late & (age > STALE_GAPS * gaps)


def is_feed_stale(intervals: OpenIntervals, polls: Polls, as_of: int) -> bool:
    """Return whether all stores together are stale, as if they were one store that is open
    whenever one of them is. False without polls."""
    if not len(polls.time):
        return False
    together = merge(1, np.zeros_like(intervals.store), intervals.start, intervals.end)
    time = np.sort(polls.time)
    times = Polls(np.zeros_like(time), time, np.ones(len(time), np.int8))
    gap = int(_median_gaps(1, times, as_of)[0])
    since = together.clipped(int(time[-1]), as_of)
    return int((since.end - since.start).sum()) > max(STALE_GAPS * gap, STALE_AT_LEAST)


def _median_gaps(stores: int, polls: Polls, as_of: int) -> Ints:
    """The median gap between neighboring polls of the last week in microseconds, shape (stores,).
    Of an even number of gaps it is the lower middle one; with fewer than two polls it is 0."""
    recent = polls.between(as_of - WEEK, as_of)
    same = recent.store[1:] == recent.store[:-1]
    store, gap = recent.store[1:][same], np.diff(recent.time)[same]
    # Sorted by store, then gap: a gap of a week fits into 40 bits.
    sorted_gaps = np.sort((store << GAP_BITS) + gap) & ((1 << GAP_BITS) - 1)
    count = np.bincount(store, minlength=stores)
    before = np.cumsum(count) - count
    result = np.zeros(stores, np.int64)
    some = np.flatnonzero(count)
    result[some] = sorted_gaps[before[some] + (count[some] - 1) // 2]
    return result
