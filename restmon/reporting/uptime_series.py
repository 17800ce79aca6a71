"""Uptime by hour, day, week or month, of one store or the sums of many."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.aggregation import Stretches, down_stretches, open_stretches
from restmon.core.coverage import covered_stretches
from restmon.core.instants import MINUTE
from restmon.core.outage_statistics import measure_outages
from restmon.core.periods import Periods, find_periods, sum_in_periods
from restmon.core.timeline import NEAREST
from restmon.reporting.scopes import Scope, choose_as_of, read_scope
from restmon.reporting.snapshot import FOR_EVER, Stores
from restmon.reporting.window_lines import Reading, WindowLine, read_lines
from restmon.reporting.windows import LAST_WEEK, Window
from restmon.settings import get_settings
from restmon.storage import database

Ints = NDArray[np.int64]

OPEN, OBSERVED, DOWN, COVERED = range(4)


@dataclass(frozen=True)
class Sums:
    """Sums of some stores in each period: int64 arrays of one length, half microseconds.

    ``open`` is the open time of all stores, and ``covered`` the covered part of it (SEMANTICS.md,
    "Coverage"). ``up`` and ``down`` are sums of the observed stores.
    """

    open: Ints
    up: Ints
    down: Ints
    covered: Ints

    def total(self) -> "Sums":
        """The sums of all periods, as arrays of one entry."""
        return Sums(*(column.sum(keepdims=True) for column in vars(self).values()))


@dataclass(frozen=True)
class UptimeSeries:
    """The uptime of some stores in a window, by periods.

    ``number`` are the periods (see `core.periods`), in which ``begin`` and ``end`` (instants) are
    the first and the last that any store's clock has of it. ``lo`` and ``hi`` are the edges of the
    window, the widest of all stores. ``stores`` is how many there are, ``never_observed`` how many
    of them have no time at all. ``outages`` is how many overlap the window.
    """

    as_of: int
    method: str
    by: str
    lo: int
    hi: int
    number: Ints
    begin: Ints
    end: Ints
    sums: Sums
    stores: int
    never_observed: int
    outages: int


def read_series(
    scope: Scope,
    by: str,
    window: Window | None = None,
    as_of: int | None = None,
    method: str = NEAREST,
) -> UptimeSeries:
    """The uptime of the stores of a scope in a window (None: the last week), by one of
    `core.periods.PERIODS`.

    Raises NoPolls, NotFound where the group or store is gone, BadRequest for a window that cannot
    be as of that instant.
    """
    with database.reading():
        how = Reading(choose_as_of(scope, as_of), method)
        stores = read_scope(scope)
        lo, hi = (window or LAST_WEEK).of_stores(how.as_of, stores.zones, stores.zone_of_store)
        found = _Adding(stores, lo, hi, by)
        for piece in read_lines(stores, lo, hi, how):
            found.add(piece, how.as_of)
    return found.series(how)


class _Adding:
    """Adds up the time of stores by periods, some stores at a time."""

    def __init__(self, stores: Stores, lo: Ints, hi: Ints, by: str) -> None:
        self._by, self._count = by, len(stores.ids)
        self._lo, self._hi = lo, hi
        self._periods: dict[int, Periods] = {}
        for zone in np.unique(stores.zone_of_store).tolist():
            first = int(np.argmax(stores.zone_of_store == zone))
            ends = int(lo[first]), int(hi[first])
            self._periods[zone] = find_periods(stores.zones[zone], *ends, by)
        numbers = [periods.number for periods in self._periods.values()]
        self._number = np.unique(np.concatenate([np.empty(0, np.int64), *numbers]))
        self._sums = np.zeros((4, len(self._number)), np.int64)
        self._never_observed = self._outages = 0

    def add(self, piece: WindowLine, as_of: int) -> None:
        """Add the time of some stores."""
        line, (lo, hi) = piece.line, (piece.lo, piece.hi)
        opened = open_stretches(line.clock.intervals, lo, hi)
        near = get_settings().covered_minutes * MINUTE
        kinds = (
            opened,
            opened.of_stores(line.observed),
            down_stretches(line, lo, hi),
            covered_stretches(line.clock, piece.polls, lo, hi, near),
        )
        for zone, periods in self._periods.items():
            mine = piece.stores.zone_of_store == zone
            if mine.any():
                at = np.searchsorted(self._number, periods.number)
                for kind, found in enumerate(kinds):
                    own: Stretches = found.of_stores(mine)
                    self._sums[kind, at] += sum_in_periods(own, periods.edges)
        self._never_observed += int((~line.observed).sum())
        self._outages += int(measure_outages(line, as_of, lo, hi).outages.sum())

    def series(self, how: Reading) -> UptimeSeries:
        """The series of the sums so far."""
        begin = np.full(len(self._number), FOR_EVER, np.int64)
        end = np.full(len(self._number), -FOR_EVER, np.int64)
        for periods in self._periods.values():
            at = np.searchsorted(self._number, periods.number)
            begin[at] = np.minimum(begin[at], periods.edges[:-1])
            end[at] = np.maximum(end[at], periods.edges[1:])
        opened, observed, down, covered = self._sums
        return UptimeSeries(
            as_of=how.as_of,
            method=how.method,
            by=self._by,
            lo=int(self._lo.min()) if self._count else how.as_of,
            hi=int(self._hi.max()) if self._count else how.as_of,
            number=self._number,
            begin=begin,
            end=end,
            sums=Sums(opened, observed - down, down, covered),
            stores=self._count,
            never_observed=self._never_observed,
            outages=self._outages,
        )
