"""Downtime and open time of each store on each local date of a window."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.aggregation import down_stretches, open_stretches
from restmon.core.coverage import covered_stretches
from restmon.core.instants import MINUTE
from restmon.core.periods import BY_DAY, find_periods, sum_by_store
from restmon.reporting.snapshot import Stores
from restmon.reporting.window_lines import Reading, read_lines
from restmon.settings import get_settings

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Daily:
    """Sums of half microseconds: int64 arrays of shape (stores, days). ``days`` are days after
    1970-01-01, in order. ``open`` is all open time, ``up`` and ``down`` what was observed,
    ``covered`` the part of ``open`` that was seen (SEMANTICS.md, "Coverage")."""

    days: Ints
    open: Ints
    up: Ints
    down: Ints
    covered: Ints


def measure_daily(stores: Stores, lo: Ints, hi: Ints, how: Reading) -> Daily:
    """The days of the stores in [lo, hi) of each (int64 arrays of shape (stores,), instants). The
    caller holds a read transaction."""
    count = len(stores.ids)
    periods = {}
    for zone in np.unique(stores.zone_of_store).tolist():
        mine = stores.zone_of_store == zone
        begin, end = int(lo[mine].min()), int(hi[mine].max())
        periods[zone] = find_periods(stores.zones[zone], begin, end, BY_DAY)
    days = np.unique(np.concatenate([np.empty(0, np.int64), *(p.number for p in periods.values())]))
    sums = np.zeros((4, count, len(days)), np.int64)
    near = get_settings().covered_minutes * MINUTE
    for piece in read_lines(stores, lo, hi, how):
        line, edges = piece.line, (piece.lo, piece.hi)
        opened = open_stretches(line.clock.intervals, *edges)
        kinds = (
            opened,
            opened.of_stores(line.observed),
            down_stretches(line, *edges),
            covered_stretches(line.clock, piece.polls, *edges, near),
        )
        for zone, found in periods.items():
            mine = piece.stores.zone_of_store == zone
            if mine.any() and len(found.number):
                at = np.searchsorted(days, found.number)
                own = slice(piece.first, piece.first + len(mine))
                for kind, stretches in enumerate(kinds):
                    mine_alone = stretches.of_stores(mine)
                    sums[kind, own, at[0] : at[-1] + 1] += sum_by_store(
                        mine_alone, len(mine), found.edges
                    )
    opened_time, observed, down, covered = sums
    return Daily(days, opened_time, observed - down, down, covered)
