"""The last observation before a window, however long ago (SEMANTICS.md, "From polls to time").

Found by index look-ups for the stores that need it: a store's last poll, and where that was made
in closed hours, the last poll of each open interval before it, in steps that grow. The history
in between is not read.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon import database
from restmon.hours import DAY, OpenIntervals, WeeklyHours, open_intervals
from restmon.snapshot import Stores
from restmon.uptime import Polls

Ints = NDArray[np.int64]

FIRST_STEP = 2 * DAY
STEP_FACTOR = 4
BEGINNING = -(2**61)


@dataclass(frozen=True)
class _Subset:
    """Some of the stores, numbered from 0, with their hours."""

    hours: WeeklyHours
    zone_of_store: Ints


def subset_of(stores: Stores, chosen: Ints) -> _Subset:
    """The hours and zones of the chosen stores (sorted indices), renumbered from 0."""
    place = np.full(len(stores.ids), -1, np.int64)
    place[chosen] = np.arange(len(chosen))
    hours = stores.hours
    kept = place[hours.store] >= 0
    return _Subset(
        WeeklyHours(
            place[hours.store[kept]],
            hours.day_of_week[kept],
            hours.start[kept],
            hours.end[kept],
        ),
        stores.zone_of_store[chosen],
    )


def intervals_of(stores: Stores, chosen: Ints, lo: Ints, hi: int | Ints) -> OpenIntervals:
    """The open intervals of the chosen stores only (store: 0 … len(chosen) - 1)."""
    subset = subset_of(stores, chosen)
    return open_intervals(len(chosen), subset.hours, subset.zone_of_store, stores.zones, lo, hi)


def last_observations(stores: Stores, wanted: Ints, before: int) -> Polls:
    """The last observation before the instant ``before`` of each wanted store that has one.

    ``wanted`` are sorted store indices; the caller holds a read transaction.
    """
    found: list[tuple[Ints, Ints, NDArray[np.int8]]] = []
    before_of = np.full(len(wanted), before, np.int64)
    step = FIRST_STEP
    while len(wanted):
        rows = stores.rows[wanted]
        n, time, status = database.last_polls_in_ranges(
            rows, np.full(len(rows), BEGINNING), before_of
        )
        wanted = wanted[n]
        if not len(wanted):
            break
        # Is that poll in an open interval? If not, which is the last one that is?
        intervals = intervals_of(stores, wanted, time - step, time + 1)
        hit = _open_at(intervals, time)
        found.append((wanted[hit], time[hit], status[hit]))
        missed = np.flatnonzero(~hit)
        wanted_before = (time - step)[missed]
        if len(missed):
            chosen = np.isin(intervals.store, missed)
            owner = intervals.store[chosen]
            start = np.maximum(intervals.start[chosen], (time - step)[owner])
            end = np.minimum(intervals.end[chosen], time[owner])
            some = start < end
            owner, start, end = owner[some], start[some], end[some]
            n, seen, seen_status = database.last_polls_in_ranges(
                stores.rows[wanted[owner]], start, end
            )
            last = np.append(owner[n][1:] != owner[n][:-1], True) if len(n) else n.astype(bool)
            lucky = owner[n][last]
            found.append((wanted[lucky], seen[last], seen_status[last]))
            still = ~np.isin(missed, lucky)
            missed, wanted_before = missed[still], wanted_before[still]
        wanted, before_of = wanted[missed], wanted_before
        step *= STEP_FACTOR
    if not found:
        return Polls.none()
    store, instant, state = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(store)
    return Polls(store[order], instant[order], state[order])


def _open_at(intervals: OpenIntervals, time: Ints) -> NDArray[np.bool_]:
    """Whether each store s is open at time[s]."""
    inside = (intervals.start <= time[intervals.store]) & (time[intervals.store] < intervals.end)
    hit = np.zeros(len(time), bool)
    hit[intervals.store[inside]] = True
    return hit
