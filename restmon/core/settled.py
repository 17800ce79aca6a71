"""A timeline that goes on: the part before an instant stays, and later observations follow. Pure.

What follows changes nothing before its first switch, so that the settled part need not be looked at
again::

    settled, until 12:00       up  ........ | down ..... | up ................ (to the last closing)
    later, 12:00 to 13:10                                     | down ......... (to the last closing)
    both, joined               up  ........ | down ..... | up | down .........

All timelines here are of runs, and of one clock.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.observations import NOWHERE, Observations, Polls, Statuses, intervals_around
from restmon.core.timeline import Timeline, takeovers

Ints = NDArray[np.int64]

UNSEEN = -1
"""The status of a store's last observation if it has none."""


@dataclass(frozen=True)
class Settled:
    """The timeline of the observations before an instant, and the last of them of each store.

    Attributes
    ----------
    line : Timeline
        Of runs.
    method : str
        That of the timeline.
    time, interval : int64 arrays of shape (stores,)
        The last observation's instant, and the index of its interval or NOWHERE. Without meaning
        for a store that has no observation.
    status : int8 array of shape (stores,)
        The last observation's status, or UNSEEN.
    """

    line: Timeline
    method: str
    time: Ints
    interval: Ints
    status: Statuses


def settle(
    line: Timeline, method: str, polls: Polls, earlier: Polls, until: int | None = None
) -> Settled:
    """Return the part of a timeline that the observations before an instant make.

    Parameters
    ----------
    line, method, polls, earlier
        A timeline of runs, and what `build_timeline` made it of.
    until : int, optional
        An instant, later than all of ``earlier``. None: after all polls.
    """
    clock = line.clock
    time = np.zeros(line.stores, np.int64)
    interval = np.full(line.stores, NOWHERE, np.int64)
    status = np.full(line.stores, UNSEEN, np.int8)
    time[earlier.store], status[earlier.store] = earlier.time, earlier.status
    interval[earlier.store] = intervals_around(earlier, clock)
    first, after = polls.ranges_in(clock.intervals)
    if until is not None:
        cut = np.flatnonzero(clock.intervals.end > until)
        store = clock.intervals.store[cut]
        after = after.copy()
        after[cut] = np.minimum(after[cut], polls.places(store, np.full(len(cut), until)))
        line = _cut(line, line.time < until)
    some = np.flatnonzero(first < after)
    store, last = clock.intervals.store[some], after[some] - 1
    # In order of time, so a store's last one stays.
    time[store], interval[store], status[store] = polls.time[last], some, polls.status[last]
    return Settled(line, method, time, interval, status)


def _cut(line: Timeline, mask: NDArray[np.bool_]) -> Timeline:
    """The timeline with the first entries of each store, those of the mask, alone."""
    if mask.all():
        return line
    store = line.store[mask]
    is_last = np.append(store[1:] != store[:-1], True)[: len(store)]
    end = np.where(is_last, line.clock.end_of(store), line.end[mask])
    return Timeline(
        line.clock,
        line.stores,
        store,
        line.time[mask],
        line.status[mask],
        line.begin[mask],
        end,
        line.tie[mask],
    )


def go_on(settled: Settled, polls: Polls) -> Settled:
    """Return the settled part with the observations of some polls more.

    Parameters
    ----------
    settled : Settled
    polls : Polls
        All polls from the settled part's instant on, up to another. None is later than the days of
        the intervals.
    """
    found, before = _observe(settled, polls)
    later = _runs_of(settled, found.where(found.is_first | (found.status != before)))
    time, interval, status = settled.time.copy(), settled.interval.copy(), settled.status.copy()
    # In order of time, so a store's last one stays.
    store = found.store
    time[store], interval[store], status[store] = found.time, found.interval, found.status
    return Settled(_join(settled.line, later), settled.method, time, interval, status)


def _observe(settled: Settled, polls: Polls) -> tuple[Observations, Statuses]:
    """Those of the polls that are observations, and the status before each (UNSEEN: none)."""
    around = intervals_around(polls, settled.line.clock)
    inside = around != NOWHERE
    store, time, status = polls.store[inside], polls.time[inside], polls.status[inside]
    interval = around[inside]
    head = np.append(True, store[1:] != store[:-1])[: len(store)]
    owner = store[head]
    time_before, interval_before = np.roll(time, 1), np.roll(interval, 1)
    time_before[head], interval_before[head] = settled.time[owner], settled.interval[owner]
    before = np.roll(status, 1)
    before[head] = settled.status[owner]
    is_first = before == UNSEEN
    found = Observations(store, time, status, interval, time_before, interval_before, is_first)
    return found, before


def _runs_of(settled: Settled, found: Observations) -> Timeline:
    """The runs that begin with these observations, each to the next one or the last closing."""
    clock, stores = settled.line.clock, settled.line.stores
    takeover, tie = takeovers(clock, found, settled.method)
    begin = np.where(found.is_first, clock.begin_of(found.store), takeover)
    is_last = np.append(found.store[1:] != found.store[:-1], True)[: len(found.store)]
    end = np.where(is_last, clock.end_of(found.store), np.roll(begin, -1))
    tie &= ~found.is_first
    return Timeline(clock, stores, found.store, found.time, found.status, begin, end, tie)


def _join(line: Timeline, later: Timeline) -> Timeline:
    """A timeline and the runs that follow it as one."""
    if not len(later.store):
        return line
    at = np.searchsorted(line.store, later.store, "right")
    head = np.append(True, later.store[1:] != later.store[:-1])
    cut = np.searchsorted(line.store, later.store[head]) < at[head]
    end = line.end.copy()
    end[at[head][cut] - 1] = later.begin[head][cut]
    return Timeline(
        line.clock,
        line.stores,
        np.insert(line.store, at, later.store),
        np.insert(line.time, at, later.time),
        np.insert(line.status, at, later.status),
        np.insert(line.begin, at, later.begin),
        np.insert(end, at, later.end),
        np.insert(line.tie, at, later.tie),
    )
