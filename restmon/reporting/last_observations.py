"""Finds the last observation before a window, however long ago (SEMANTICS.md, "From polls to
time").

It makes index look-ups for the stores that need it, and does not read the history in between.
"""

import numpy as np
from numpy.typing import NDArray

from restmon.core.hours import open_intervals
from restmon.core.instants import DAY
from restmon.core.intervals import OpenIntervals
from restmon.core.observations import Polls
from restmon.reporting.snapshot import Stores
from restmon.storage import database

Ints = NDArray[np.int64]

FIRST_STEP = 2 * DAY
STEP_FACTOR = 4
BEGINNING = -(2**61)
"""Before all polls."""


def intervals_of(stores: Stores, chosen: Ints, lo: int | Ints, hi: int | Ints) -> OpenIntervals:
    """Return the open intervals of the chosen stores (sorted indices), which are numbered from 0.

    ``lo`` and ``hi`` are instants, for all or for each of them.
    """
    return open_intervals(stores.schedule.chosen(chosen), lo, hi)


def last_observations(stores: Stores, wanted: Ints, before: int) -> Polls:
    """Return the last observation before an instant of each wanted store that has one.

    For most stores it is their last poll. The others were polled outside of business hours. Each
    round looks up the wanted stores' last poll before ``before``. If that poll does not count, it
    searches each open interval of the step before it. If these have no poll either, the next round
    goes on from there, with a step four times as long::

                 round 2, 8 days             round 1, 2 days
        |---------------------------------|--------------------| last poll   before
        ...  [=x====]    [======]   x         [====]   [====]   x             |
              found: the last in the last interval that has any

    Parameters
    ----------
    stores : Stores
    wanted : int64 array
        Sorted indices of stores.
    before : int
        An instant.

    The caller holds a read transaction.
    """
    parts: list[Polls] = []
    before_of = np.full(len(wanted), before, np.int64)
    step = FIRST_STEP
    while len(wanted):
        last = _last_polls(stores, wanted, before_of)
        wanted, far = last.store, last.time - step
        if not len(wanted):
            break
        intervals = intervals_of(stores, wanted, far, last.time + 1)
        counts = intervals.open_at(last.time)
        parts.append(Polls(wanted[counts], last.time[counts], last.status[counts]))
        inside = intervals.clipped(far, np.where(counts, far, last.time))
        found = _last_in_intervals(stores, wanted, inside)
        parts.append(found)
        open_question = ~counts & ~np.isin(wanted, found.store)
        wanted, before_of = wanted[open_question], far[open_question]
        step *= STEP_FACTOR
    if not parts:
        return Polls.none()
    store, time, status = (
        np.concatenate([getattr(part, column) for part in parts])
        for column in ("store", "time", "status")
    )
    order = np.argsort(store)
    return Polls(store[order], time[order], status[order])


def _last_polls(stores: Stores, wanted: Ints, before: Ints) -> Polls:
    """The last poll of each wanted store before its instant, if there is one."""
    n, time, status = database.last_polls_in_ranges(
        stores.rows[wanted], np.full(len(wanted), BEGINNING), before
    )
    return Polls(wanted[n], time, status)


def _last_in_intervals(stores: Stores, wanted: Ints, intervals: OpenIntervals) -> Polls:
    """The last poll of each wanted store inside its intervals, if there is one. Store n of the
    intervals is ``wanted[n]``."""
    if not len(intervals.store):
        return Polls.none()
    n, time, status = database.last_polls_in_ranges(
        stores.rows[wanted[intervals.store]], intervals.start, intervals.end
    )
    owner = intervals.store[n]
    is_last = np.ones(len(owner), bool)
    is_last[:-1] = owner[1:] != owner[:-1]
    return Polls(wanted[owner[is_last]], time[is_last], status[is_last])
