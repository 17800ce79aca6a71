"""The stores that need somebody now: those that are down, and those that have stopped reporting."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.status_now import DOWN, NOT_REPORTING
from restmon.reporting.fleet import Present
from restmon.reporting.outage_list import find_ongoing
from restmon.reporting.snapshot import cache
from restmon.reporting.window_lines import Reading
from restmon.storage import database

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Attention:
    """Stores, those that are down first, the costliest and then the longest first; then those that
    have stopped reporting, the longest first. Arrays of one length.

    Attributes
    ----------
    store : int64 array
        Places among the stores of the fleet.
    since : int64 array, instants
        When the outage began, or when the last poll was.
    down_for : int64 array, half microseconds
        The open time of the outage, 0 where the store is not known to be down.
    cause : array of str or None
    lost : float64 array
        The estimate of the sales lost in the outage so far, NaN where there is none.
    """

    store: Ints
    since: Ints
    down_for: Ints
    cause: NDArray[np.object_]
    lost: NDArray[np.float64]


def find_attention(fleet: Present, groups: frozenset[int] | None) -> Attention:
    """The stores of a fleet, which is that of the groups (row ids; None: all stores), that need
    somebody."""
    with database.reading():
        key = ("attention", fleet.as_of, fleet.method, groups)
        return cache.remember(fleet.revision, key, lambda: _find(fleet))


def _find(fleet: Present) -> Attention:
    down = np.flatnonzero(fleet.status_now == DOWN)
    silent = np.flatnonzero(fleet.status_now == NOT_REPORTING)
    silent = silent[np.argsort(fleet.last_poll[silent], kind="stable")]
    since = fleet.down_since[down].copy()
    open_time = np.zeros(len(down), np.int64)
    cause = np.full(len(down), None, object)
    lost = np.full(len(down), np.nan)
    if len(down):
        mask = np.zeros(len(fleet.ids), bool)
        mask[down] = True
        found = find_ongoing(fleet.stores.chosen(mask), Reading(fleet.as_of, fleet.method, False))
        since[found.store] = found.start
        open_time[found.store] = found.open_time
        cause[found.store] = found.cause
        lost[found.store] = found.lost
    order = np.lexsort((down, -open_time, -np.nan_to_num(lost, nan=-1.0)))
    nothing = len(silent)
    return Attention(
        np.concatenate([down[order], silent]),
        np.concatenate([since[order], fleet.last_poll[silent]]),
        np.concatenate([open_time[order], np.zeros(nothing, np.int64)]),
        np.concatenate([cause[order], np.full(nothing, None, object)]),
        np.concatenate([lost[order], np.full(nothing, np.nan)]),
    )
