"""What is known about each store at one instant: its last poll, its last status, its status now."""

import numpy as np
from numpy.typing import NDArray

from restmon.core import status_now
from restmon.core.hours import Schedule
from restmon.core.instants import as_datetime, day_number
from restmon.core.observations import Polls
from restmon.core.timeline import Timeline
from restmon.reporting import last_observations
from restmon.reporting.freshness import find_stale_stores
from restmon.reporting.snapshot import Stores
from restmon.storage import database

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

UP, DOWN, NEVER_OBSERVED = 1, 0, -1
NEVER = -(2**63)
"""In place of an instant: it has not happened."""


def find_last_polls(stores: Stores, polls: Polls, as_of: int) -> tuple[Ints, NDArray[np.int8]]:
    """(instant, status) of each store's last poll at or before ``as_of``; NEVER and -1 without one.
    Looks up polls that are not in memory. The caller holds a read transaction."""
    count = len(stores.ids)
    last = np.full(count, NEVER, np.int64)
    status = np.full(count, -1, np.int8)
    last[polls.store] = polls.time
    status[polls.store] = polls.status
    missing = np.flatnonzero(last == NEVER)
    n, time, found = database.last_polls_in_ranges(
        stores.rows[missing],
        np.full(len(missing), last_observations.BEGINNING),
        np.full(len(missing), as_of + 1),
    )
    last[missing[n]] = time
    status[missing[n]] = found
    return last, status


def find_last_status(line: Timeline) -> NDArray[np.int8]:
    """The status of each store's last observation, UP or DOWN, or NEVER_OBSERVED: int8, shape
    (stores,)."""
    status = np.full(line.stores, NEVER_OBSERVED, np.int8)
    # Later observations overwrite earlier ones, so the last one remains.
    status[line.store] = line.status
    return status


def find_current_status(
    stores: Stores, polls: Polls, line: Timeline, last_poll: Ints, as_of: int
) -> NDArray[np.int8]:
    """The status to show of each store (see `core.status_now`): int8, shape (stores,).

    ``polls`` are those of the week before ``as_of`` at least, ``line`` is good at ``as_of``, and
    ``last_poll`` is what `find_last_polls` gives.
    """
    schedule = stores.schedule
    status = find_last_status(line)
    return status_now.find_status_now(
        status_now.KnownFacts(
            retired=_retired(schedule, as_of),
            unreadable=schedule.hours_unreadable,
            observed=status != NEVER_OBSERVED,
            stale=find_stale_stores(schedule, polls, last_poll, as_of),
            open=line.clock.intervals.open_at(as_of),
            up=status == UP,
        )
    )


def _retired(schedule: Schedule, as_of: int) -> Flags:
    """Whether each store's last day was before ``as_of``, on its own clock."""
    if schedule.closed_on is None:
        return np.zeros(schedule.stores, bool)
    dates = [day_number(as_datetime(as_of, zone).date()) for zone in schedule.zones]
    return schedule.closed_on <= np.array(dates, np.int64)[schedule.zone_of_store]
