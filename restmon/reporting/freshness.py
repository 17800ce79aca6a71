"""Which stores' polls have stopped (SEMANTICS.md, "Coverage")."""

import numpy as np
from numpy.typing import NDArray

from restmon.core.coverage import find_stale
from restmon.core.hours import Schedule, open_intervals
from restmon.core.instants import DAY
from restmon.core.intervals import OpenIntervals
from restmon.core.keys import KeySpace, sort_order
from restmon.core.observations import Polls
from restmon.core.open_clock import OpenClock

Ints = NDArray[np.int64]

LONGEST = 400 * DAY
"""How far back open time is counted. A store that is not open for more than a year is closed."""
BEGINNING = -(2**62)


def open_since(schedule: Schedule, begin: Ints, end: int) -> OpenIntervals:
    """Return the open intervals of each store from its instant on, 400 days back at most."""
    return open_intervals(schedule, np.clip(begin, end - LONGEST, end), end)


def find_stale_stores(schedule: Schedule, polls: Polls, newest: Ints, at: int) -> NDArray[np.bool_]:
    """Return which stores have had no poll for too much open time before an instant.

    Parameters
    ----------
    schedule : Schedule
    polls : Polls
        Those of the week before ``at``, at least.
    newest : int64 array of shape (stores,)
        The instant of each store's newest poll at or before ``at``. A store without a poll has one
        before all polls.
    at : int
        An instant.

    Returns
    -------
    bool array of shape (stores,)
    """
    count = len(newest)
    if not count:
        return np.zeros(0, bool)
    polls = polls.between(BEGINNING, at)
    has_earlier = newest > BEGINNING
    has_earlier[polls.store] = False
    earlier, known = np.flatnonzero(has_earlier), polls
    if len(earlier):
        store = np.concatenate([polls.store, earlier])
        when = np.concatenate([polls.time, newest[earlier]])
        order = sort_order(store, when)
        known = Polls(store[order], when[order], np.ones(len(store), np.int8))
    since = np.full(count, at, np.int64)
    since[known.store] = known.time  # in order of time, so the newest one stays
    intervals = open_since(schedule, since, at)
    lo, hi = max(int(since.min()), at - LONGEST) - 3 * DAY, at + 3 * DAY
    clock = OpenClock(intervals, KeySpace.covering(count, lo, hi))
    return find_stale(clock, known, at)
