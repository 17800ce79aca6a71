"""The fast core applied to the stores of `tests/support/stores.py`, everything in arrays, no
database."""

import numpy as np

from restmon.core.hours import DEFAULT_ZONE, Schedule, WeeklyHours, open_intervals
from restmon.core.observations import Polls
from restmon.core.timeline import Timeline, build_timeline
from tests.support.stores import DAY, AStore


def build(stores: list[AStore], as_of: int, method: str, *, runs: bool = False) -> Timeline:
    """The timeline of the stores with all of their polls at or before ``as_of``."""
    hours = [(s, *row) for s, store in enumerate(stores) for row in store.hours]
    table = np.array(hours, np.int64).reshape(-1, 4)
    zones = sorted({store.zone or DEFAULT_ZONE for store in stores})
    zone_of_store = np.array([zones.index(s.zone or DEFAULT_ZONE) for s in stores], np.int64)
    seen = polls_of(stores, as_of)
    lo = min([as_of - 8 * DAY, *seen.time.tolist()])
    intervals = open_intervals(Schedule(zones, zone_of_store, WeeklyHours(*table.T)), lo, as_of)
    return build_timeline(intervals, seen, method, runs=runs)


def polls_of(stores: list[AStore], as_of: int) -> Polls:
    """The stores' polls at or before ``as_of``."""
    polls = sorted(
        (s, t, int(active))
        for s, store in enumerate(stores)
        for t, active in dict(store.polls).items()
        if t <= as_of
    )
    columns = np.array(polls, np.int64).reshape(-1, 3)
    return Polls(columns[:, 0], columns[:, 1], columns[:, 2].astype(np.int8))
