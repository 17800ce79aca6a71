"""The fast core applied to the stores of `tests/stores.py`, everything in arrays, no database."""

import numpy as np

from restmon.hours import DEFAULT_ZONE, WeeklyHours, open_intervals
from restmon.uptime import Polls, Timeline, timeline
from tests.stores import DAY, AStore


def build(stores: list[AStore], as_of: int, method: str, *, runs: bool = False) -> Timeline:
    """The timeline of the stores with all of their polls at or before ``as_of``."""
    hours = [(s, *row) for s, store in enumerate(stores) for row in store.hours]
    table = np.array(hours, np.int64).reshape(-1, 4)
    zones = sorted({store.zone or DEFAULT_ZONE for store in stores})
    zone_of_store = np.array([zones.index(s.zone or DEFAULT_ZONE) for s in stores], np.int64)
    polls = sorted(
        (s, t, int(active))
        for s, store in enumerate(stores)
        for t, active in dict(store.polls).items()
        if t <= as_of
    )
    columns = np.array(polls, np.int64).reshape(-1, 3)
    lo = min([as_of - 8 * DAY, *columns[:, 1].tolist()])
    intervals = open_intervals(len(stores), WeeklyHours(*table.T), zone_of_store, zones, lo, as_of)
    seen = Polls(columns[:, 0], columns[:, 1], columns[:, 2].astype(np.int8))
    return timeline(len(stores), intervals, seen, method, runs=runs)
