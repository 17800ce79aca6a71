"""The time of stores by local dates, from polls (SEMANTICS.md, "From polls to time")."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.aggregation import Stretches, down_stretches, open_stretches
from restmon.core.coverage import covered_stretches
from restmon.core.instants import MINUTE, as_datetime, day_number
from restmon.core.outage_statistics import find_begun
from restmon.core.periods import BY_DAY, find_periods, sum_by_store
from restmon.reporting.snapshot import Stores
from restmon.reporting.window_lines import Reading, WindowLine, read_lines
from restmon.reporting.windows import find_midnights
from restmon.settings import get_settings

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class StoreDays:
    """The time of stores on local dates: int64 arrays of shape (stores, days).

    Day k is the date ``first + k`` (days since 1970-01-01) in each store's own zone, cut at
    ``as_of``. ``open``, ``up``, ``down`` and ``covered`` are half microseconds, exact; a store that
    was never observed has no ``up`` and ``down``. ``begun`` is how many outages begin.
    """

    as_of: int
    first: int
    open: Ints
    up: Ints
    down: Ints
    covered: Ints
    begun: Ints

    @classmethod
    def zero(cls, as_of: int, first: int, stores: int, days: int) -> "StoreDays":
        """Return days without any time."""
        return cls(as_of, first, *(np.zeros((stores, days), np.int64) for _ in range(5)))

    @property
    def days(self) -> int:
        """How many dates there are."""
        return int(self.open.shape[1])

    @property
    def dates(self) -> Ints:
        """The dates: int64 array of shape (days,)."""
        return self.first + np.arange(self.days)


def find_last_date(stores: Stores, as_of: int) -> int:
    """The latest local date of any of the stores at an instant."""
    return max((day_number(as_datetime(as_of, zone).date()) for zone in stores.zones), default=0)


def find_first_date(stores: Stores, instant: int) -> int:
    """The earliest local date of any of the stores at an instant."""
    return min((day_number(as_datetime(instant, zone).date()) for zone in stores.zones), default=0)


def measure_days(stores: Stores, first: Ints, last: int, how: Reading) -> StoreDays:
    """The time of stores on the dates from each store's first (int64, shape (stores,)) to the last
    one, 0 before its first. The caller holds a read transaction."""
    count = len(stores.ids)
    begin = int(first.min()) if count else last + 1
    result = StoreDays.zero(how.as_of, begin, count, max(last + 1 - begin, 0))
    if not count or not result.days:
        return result
    lo, hi = np.empty(count, np.int64), np.empty(count, np.int64)
    for day in np.unique(first).tolist():
        mine = first == day
        lo[mine] = find_midnights(day, stores.zones)[stores.zone_of_store[mine]]
    hi[:] = find_midnights(last + 1, stores.zones)[stores.zone_of_store]
    hi = np.minimum(hi, how.as_of)
    lo = np.minimum(lo, hi)
    for piece in read_lines(stores, lo, hi, how):
        _measure(piece, how, result)
    return result


def _measure(piece: WindowLine, how: Reading, result: StoreDays) -> None:
    """Write the time of the stores of a piece into the result."""
    line, lo, hi = piece.line, piece.lo, piece.hi
    near = get_settings().covered_minutes * MINUTE
    opened = open_stretches(line.clock.intervals, lo, hi)
    down = down_stretches(line, lo, hi)
    covered = covered_stretches(line.clock, piece.polls, lo, hi, near)
    store, start = find_begun(line, how.as_of, lo, hi)
    begun = Stretches(store, 2 * start, 2 * start + 1)
    zone_of_store = piece.stores.zone_of_store
    for zone in np.unique(zone_of_store).tolist():
        mine = zone_of_store == zone
        ends = int(lo[mine].min()), int(hi[mine].max())
        periods = find_periods(piece.stores.zones[zone], *ends, BY_DAY)
        own = np.flatnonzero(mine)
        place = np.full(len(mine), -1, np.int64)
        place[own] = np.arange(len(own))
        at = np.ix_(piece.first + own, periods.number - result.first)
        sums = [
            sum_by_store(_renumber(found.of_stores(mine), place), len(own), periods.edges)
            for found in (opened, down, covered, begun)
        ]
        observed = line.observed[own][:, None]
        result.open[at] = sums[0]
        result.up[at] = np.where(observed, sums[0] - sums[1], 0)
        result.down[at], result.covered[at], result.begun[at] = sums[1:]


def _renumber(found: Stretches, place: Ints) -> Stretches:
    return Stretches(place[found.store], found.start, found.end)
