"""Incidents: many stores down at once (SEMANTICS.md, "An incident"). Pure.

The status of a store counts at the start of each quarter hour of the UTC clock. A stretch of time
counts for the quarters that start in it, so two steps a stretch, up and down, count all quarters.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.aggregation import Stretches, open_stretches
from restmon.core.instants import HOUR
from restmon.core.outages import down_runs
from restmon.core.timeline import Timeline

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

QUARTER = HOUR // 4
FEWEST_STORES = 5
LOWEST_PERCENT = 5
TIMES_MEDIAN = 2


@dataclass(frozen=True)
class Quarters:
    """How many stores are down at the start of each quarter hour: arrays of one length.

    Attributes
    ----------
    start : int64 array, instants
    down : int64 array
        How many stores are open and down.
    open : int64 array
        How many are open and have an observation.
    """

    start: Ints
    down: Ints
    open: Ints


@dataclass(frozen=True)
class Incidents:
    """Incidents in the order of time (arrays of one length), and the stores in each.

    Attributes
    ----------
    start, end : int64 arrays, instants
        The start of the first quarter hour, and the end of the last.
    most_down : int64 array
        The most stores down at once.
    peak_share : float64 array
        The highest share of open, observed stores that were down.
    incident, store : int64 arrays of one length, sorted
        One entry for each incident and store that is down in any of its quarters.
    """

    start: Ints
    end: Ints
    most_down: Ints
    peak_share: Floats
    incident: Ints
    store: Ints


def count_quarters(line: Timeline, lo: int, hi: int, chosen: Flags | None = None) -> Quarters:
    """Return the counts at the start of each quarter hour in [lo, hi) (instants). With ``chosen``
    (bool, shape (stores,)), counts only these stores."""
    wanted = line.observed if chosen is None else line.observed & chosen
    start = np.arange(-(-lo // QUARTER), -(-hi // QUARTER)) * QUARTER
    counted = []
    for found in (down_at_instants(line), _open_stretches(line)):
        first, after = _quarters_of(found.of_stores(wanted), start)
        change = np.bincount(first, minlength=len(start) + 1)
        change = change - np.bincount(after, minlength=len(start) + 1)
        counted.append(np.cumsum(change)[: len(start)])
    return Quarters(start, *counted)


def find_incidents(line: Timeline, lo: int, hi: int, chosen: Flags | None = None) -> Incidents:
    """Return the incidents of a set of stores in [lo, hi).

    Parameters
    ----------
    line : Timeline
        Up to ``as_of``, which is not before ``hi``.
    lo, hi : int
        Instants.
    chosen : bool array of shape (stores,), optional
        The set; all stores without it.
    """
    wanted = line.observed if chosen is None else line.observed & chosen
    return gather_incidents(
        count_quarters(line, lo, hi, chosen), down_at_instants(line).of_stores(wanted)
    )


def gather_incidents(found: Quarters, down: Stretches) -> Incidents:
    """Return the incidents of some counts.

    Parameters
    ----------
    found : Quarters
        The result of `count_quarters`. If it was called for stores in several parts, the sums of
        the parts.
    down : Stretches
        When these stores were down (`down_at_instants`), in any order.
    """
    share = np.divide(found.down, found.open, out=np.zeros(len(found.start)), where=found.open > 0)
    unusual = _are_unusual(found)
    edges = np.diff(unusual.astype(np.int8), prepend=0, append=0)
    first, after = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if not len(first):
        nothing = np.empty(0, np.int64)
        return Incidents(nothing, nothing, nothing, np.empty(0), nothing, nothing)
    incident, store = _struck(down, found.start, first, after)
    # Between two incidents no quarter is unusual, so each maximum may run on to the next one.
    return Incidents(
        found.start[first],
        found.start[after - 1] + QUARTER,
        np.maximum.reduceat(np.where(unusual, found.down, 0), first),
        np.maximum.reduceat(np.where(unusual, share, 0), first),
        incident,
        store,
    )


def measure_lost_time(found: Incidents, down: Stretches) -> Ints:
    """Return how long the stores of each incident were down in it, summed.

    Parameters
    ----------
    found : Incidents
    down : Stretches
        The stores' down time (see `aggregation.down_stretches`), in any order.

    Returns
    -------
    int64 array, one an incident, half microseconds
    """
    start, end = 2 * found.start, 2 * found.end
    earliest = np.searchsorted(end, down.start, "right")
    touched = np.maximum(np.searchsorted(start, down.end, "left") - earliest, 0)
    n = np.repeat(np.arange(len(touched)), touched)
    before = np.repeat(np.cumsum(touched) - touched, touched)
    incident = earliest[n] + np.arange(len(n)) - before
    stores = 1 + max((int(a.max()) for a in (down.store, found.store) if len(a)), default=0)
    struck = np.isin(incident * stores + down.store[n], found.incident * stores + found.store)
    n, incident = n[struck], incident[struck]
    length = np.minimum(down.end[n], end[incident]) - np.maximum(down.start[n], start[incident])
    result = np.zeros(len(start), np.int64)
    np.add.at(result, incident, length)
    return result


def _are_unusual(found: Quarters) -> Flags:
    """Which quarter hours belong to an incident. Compares shares as products of whole numbers. A
    quarter in which no store is open has a share of 0."""
    if not len(found.start):
        return np.zeros(0, bool)
    many = (found.down >= FEWEST_STORES) & (100 * found.down >= LOWEST_PERCENT * found.open)
    # The middle one or two, by size. Equal shares may have any order.
    opened = np.maximum(found.open, 1)
    order = np.argsort(found.down / opened, kind="stable")
    a, b = order[(len(order) - 1) // 2], order[len(order) // 2]
    # share >= 2 * (share of a + share of b) / 2
    median = found.down[a] * opened[b] + found.down[b] * opened[a]
    usual = opened[a] * opened[b]
    return many & (2 * found.down * usual >= TIMES_MEDIAN * median * opened)


def _open_stretches(line: Timeline) -> Stretches:
    intervals = line.clock.intervals
    if not len(intervals.start):
        return Stretches(intervals.store, intervals.start, intervals.end)
    return open_stretches(intervals, int(intervals.start.min()), int(intervals.end.max()))


def down_at_instants(line: Timeline) -> Stretches:
    """Return when stores are down. At a tie the instant belongs to the earlier observation, so a
    stretch begins or ends half a microsecond later there."""
    clock = line.clock
    first, last = down_runs(line)
    if not len(first):
        nothing = np.empty(0, np.int64)
        return Stretches(nothing, nothing, nothing)
    begin, end = line.begin[first], line.end[last]
    n, interval, piece_begin, piece_end = clock.cut(begin, end)
    start = clock.doubled_instants(interval, piece_begin)
    stop = clock.doubled_instants(interval, piece_end)
    after = np.minimum(last + 1, len(line.store) - 1)
    ends_in_tie = line.tie[after] & (line.store[after] == line.store[first]) & (after > last)
    start += line.tie[first][n] & (piece_begin == begin[n])
    # At a tie at an opening, the half microsecond must not fall into the interval before it.
    opening = np.searchsorted(clock.total, end)
    at_opening = ends_in_tie & (clock.total[opening] == end)
    stop += (ends_in_tie & ~at_opening)[n] & (piece_end == end[n])
    k = np.flatnonzero(at_opening)
    instant = 2 * clock.intervals.start[opening[k]]
    return Stretches(
        np.concatenate([line.store[first][n], line.store[first][k]]),
        np.concatenate([start, instant]),
        np.concatenate([stop, instant + 1]),
    )


def _quarters_of(found: Stretches, start: Ints) -> tuple[Ints, Ints]:
    """(first, after): the quarters that start in each stretch are ``first`` to ``after - 1``."""
    return np.searchsorted(2 * start, found.start), np.searchsorted(2 * start, found.end)


def _struck(down: Stretches, start: Ints, first: Ints, after: Ints) -> tuple[Ints, Ints]:
    """(incident, store) for each store that is down at the start of one of an incident's quarters,
    ``first`` to ``after - 1``."""
    begin, end = _quarters_of(down, start)
    # The incidents that each stretch can touch, from the first that ends after it begins.
    earliest = np.searchsorted(after, begin, "right")
    latest = np.searchsorted(first, end, "left")
    touched = np.where(begin < end, np.maximum(latest - earliest, 0), 0)
    n = np.repeat(np.arange(len(begin)), touched)
    before = np.repeat(np.cumsum(touched) - touched, touched)
    incident = earliest[n] + np.arange(len(n)) - before
    stores = int(down.store.max()) + 1 if len(down.store) else 1
    pair = np.unique(incident * stores + down.store[n])
    return pair // stores, pair % stores
