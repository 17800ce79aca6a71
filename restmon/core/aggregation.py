"""Open time and down time by hour, by local weekday and hour, and by local date. Pure.

A stretch is a pair of instants [start, end) in *half microseconds* since the epoch, UTC, in which
midpoints are whole numbers. Sums are exact: they are kept as float64 whole numbers below 2**53.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.instants import DAY, EPOCH_WEEKDAY, HOUR
from restmon.core.intervals import OpenIntervals
from restmon.core.open_clock import cut_at
from restmon.core.outages import down_runs
from restmon.core.timeline import Timeline
from restmon.core.zone_offsets import ZoneOffsets, zone_offsets

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

CELLS = 7 * 24
"""Hours of a week, Monday 00:00 first."""


@dataclass(frozen=True)
class Stretches:
    """Stretches [start, end) of stores, sorted by store, then time: int64 arrays of one length.

    Attributes
    ----------
    store : the store's index
    start, end : instants in half microseconds
    """

    store: Ints
    start: Ints
    end: Ints

    def of_stores(self, mask: Flags) -> "Stretches":
        """Return those of the stores of a mask (bool, shape (stores,))."""
        mine = mask[self.store]
        if mine.all():
            return self
        return Stretches(self.store[mine], self.start[mine], self.end[mine])


def open_stretches(intervals: OpenIntervals, lo: int | Ints, hi: int | Ints) -> Stretches:
    """Return the open intervals inside [lo, hi) (instants, of all stores or of each)."""
    inside = intervals.clipped(lo, hi)
    return Stretches(inside.store, 2 * inside.start, 2 * inside.end)


def down_stretches(line: Timeline, lo: int | Ints, hi: int | Ints) -> Stretches:
    """Return the down time inside [lo, hi), a stretch for each outage and interval. The instants
    are those of all stores, or int64 arrays of shape (stores,)."""
    clock = line.clock
    first, last = down_runs(line)
    store = line.store[first]
    lo_of, hi_of = (
        np.broadcast_to(np.asarray(edge, np.int64), (line.stores,))[store] for edge in (lo, hi)
    )
    begin = np.maximum(line.begin[first], clock.at(store, 2 * lo_of))
    end = np.minimum(line.end[last], clock.at(store, 2 * hi_of))
    n, interval, begin, end = clock.cut(begin, end)
    return Stretches(
        store[n], clock.doubled_instants(interval, begin), clock.doubled_instants(interval, end)
    )


def by_bucket(stores: int, found: Stretches, origin: Ints, width: int, columns: int) -> Floats:
    """Return how much of each store's stretches lies in each of its buckets.

    A stretch is a step up at its start and a step down at its end. A step fills the rest of its
    own bucket and the whole of each bucket after it: the running sum of two numbers. With
    buckets of 10, a stretch [13, 28) is::

        bucket             0    1    2    3
        step up at 13      .   +7   +3    .     running sum   0   7  10  10
        step down at 28    .    .   -2   -8                   0   0  -2 -10
        in the bucket                                         0   7   8   0

    Parameters
    ----------
    stores : int
    found : Stretches
        All of them inside the buckets.
    origin : int64 array of shape (stores,), instants in half microseconds
        Bucket k of store s begins at ``origin[s] + k * width``.
    width : int
        Half microseconds.
    columns : int
        How many buckets there are.

    Returns
    -------
    float64 array of shape (stores, columns), half microseconds
    """
    row = columns + 2
    store = np.concatenate([found.store, found.store])
    place = np.concatenate([found.start, found.end]) - origin[store]
    bucket, gone = np.divmod(place, width)
    rest = width - gone
    for falling in (gone, rest):
        np.negative(falling[len(found.start) :], out=falling[len(found.start) :])
    at = store * row + bucket
    steps = np.bincount(
        np.concatenate([at, at + 1]), np.concatenate([rest, gone]), minlength=stores * row
    )
    table = np.asarray(steps, np.float64).reshape(stores, row)
    np.cumsum(table, axis=1, out=table)
    return table[:, :columns]


def by_hour(stores: int, found: Stretches, begin: int, hours: int) -> Floats:
    """Return the stretches by elapsed hour from the instant ``begin`` on.

    All of them lie in those hours. Returns a float64 array of shape (stores, hours), half
    microseconds.
    """
    return by_bucket(stores, found, np.full(stores, 2 * begin, np.int64), 2 * HOUR, hours)


def by_weekday_hour(
    found: Stretches, zone_of_store: Ints, zones: list[str], lo: int, hi: int
) -> Floats:
    """Return the stretches by weekday and hour on the clock of each store's zone.

    An hour that happens twice adds to one cell.

    Parameters
    ----------
    found : Stretches
        All of them inside [lo, hi).
    zone_of_store : int64 array of shape (stores,)
        Indexes ``zones``.
    zones : list of str
        IANA names.
    lo, hi : int
        Instants.

    Returns
    -------
    float64 array of shape (stores, 7, 24), half microseconds
        Monday and 00:00 first.
    """
    stores = len(zone_of_store)
    cells = np.zeros((stores, CELLS))
    if not stores:
        return cells.reshape(0, 7, 24)
    offsets = [zone_offsets(zone, lo, hi) for zone in zones]
    lowest = np.array([o.offset.min() for o in offsets], np.int64)
    highest = np.array([o.offset.max() for o in offsets], np.int64)
    origin = (lo + lowest) // HOUR * HOUR  # on the local clock
    columns = max(CELLS, int((-(-(hi + highest - origin) // HOUR)).max()))

    local = _on_local_clocks(found, zone_of_store, offsets, lo, hi)
    table = by_bucket(stores, local, 2 * origin[zone_of_store], 2 * HOUR, columns)
    for column in range(CELLS, columns, CELLS):
        more = table[:, column : column + CELLS]
        table[:, : more.shape[1]] += more
    first = (origin // HOUR + EPOCH_WEEKDAY * 24) % CELLS
    first_of_store = first[zone_of_store]
    for cell in np.unique(first):
        chosen = first_of_store == cell
        cells[chosen] = np.roll(table[chosen, :CELLS], cell, axis=1)
    return cells.reshape(stores, 7, 24)


def _on_local_clocks(
    found: Stretches, zone_of_store: Ints, offsets: list[ZoneOffsets], lo: int, hi: int
) -> Stretches:
    """The stretches inside [lo, hi), in local time, cut where clocks change; in no order."""
    zone = zone_of_store[found.store]
    changing = np.array([len(o.begin) > 1 for o in offsets])
    first_offset = np.array([o.offset[0] for o in offsets], np.int64)
    still = np.flatnonzero(~changing[zone])
    shift = 2 * first_offset[zone[still]]
    parts = []
    parts.append((found.store[still], found.start[still] + shift, found.end[still] + shift))
    for z in np.flatnonzero(changing):
        own = np.flatnonzero(zone == z)
        start, end = found.start[own], found.end[own]
        changes = 2 * offsets[z].begin[1:]
        n, k = cut_at(changes, start, end)
        edges = np.array([2 * lo, *changes, 2 * hi], np.int64)
        shift = 2 * offsets[z].offset[k]
        parts.append(
            (
                found.store[own[n]],
                np.maximum(start[n], edges[k]) + shift,
                np.minimum(end[n], edges[k + 1]) + shift,
            )
        )
    return Stretches(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def local_days(zone: str, lo: int, hi: int) -> tuple[NDArray[np.datetime64], Ints]:
    """Return the local dates of [lo, hi) (instants) and the instants between them.

    A date begins at the first instant at which the clock has reached its midnight.

    Returns
    -------
    dates : datetime64[D] array
    edges : int64 array, instants, one more than dates
        From lo to hi.
    """
    if lo >= hi:
        return np.empty(0, "datetime64[D]"), np.empty(0, np.int64)
    dates = np.arange(lo // DAY - 2, hi // DAY + 4)
    edges = zone_offsets(zone, lo - 3 * DAY, hi + 3 * DAY).starts_to_utc(dates * DAY)
    edges = np.clip(edges, lo, hi)
    some = np.flatnonzero(edges[:-1] < edges[1:])
    return dates[some].astype("datetime64[D]"), np.append(edges[some], hi)


def sum_between(found: Stretches, edges: Ints) -> Ints:
    """Return how much of one store's stretches lies between neighboring edges.

    Parameters
    ----------
    found : Stretches
        Sorted and disjoint.
    edges : int64 array, sorted instants

    Returns
    -------
    int64 array, half microseconds, one less than edges
    """
    if not len(edges):
        return np.empty(0, np.int64)
    before = np.zeros(len(found.start) + 1, np.int64)
    np.cumsum(found.end - found.start, out=before[1:])
    if not len(found.start):
        return np.zeros(len(edges) - 1, np.int64)
    p = np.searchsorted(found.start, 2 * edges, "right") - 1
    last = np.maximum(p, 0)
    inside = np.clip(2 * edges - found.start[last], 0, found.end[last] - found.start[last])
    return np.diff(np.where(p < 0, 0, before[last] + inside))
