"""Open time and down time by hour, by local weekday and hour, and by local date. Pure.

Arrays in, arrays out. A stretch is a pair of instants [start, end) in *half microseconds* since
the epoch, UTC, in which midpoints are whole numbers. Sums are exact: they are kept as float64
whole numbers below 2**53.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.hours import DAY, EPOCH_WEEKDAY, HOUR, OpenIntervals, zone_offsets
from restmon.outages import down_runs
from restmon.uptime import Timeline, cut

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CELLS = 7 * 24
"""Hours of a week, Monday 00:00 first."""


@dataclass(frozen=True)
class Stretches:
    """Stretches [start, end) of stores: int64 arrays of one length, half microseconds."""

    store: Ints
    start: Ints
    end: Ints


def open_stretches(intervals: OpenIntervals, lo: int, hi: int) -> Stretches:
    """The open intervals clipped to [lo, hi) (microseconds), sorted by store, then time."""
    start, end = np.maximum(intervals.start, lo), np.minimum(intervals.end, hi)
    kept = start < end
    return Stretches(intervals.store[kept], 2 * start[kept], 2 * end[kept])


def down_stretches(line: Timeline, lo: int, hi: int) -> Stretches:
    """The down time inside [lo, hi) (microseconds), sorted by store, then time."""
    clock = line.clock
    first, last = down_runs(line)
    store = line.store[first]
    begin = np.maximum(line.begin[first], clock.at(store, np.full(len(store), 2 * lo, np.int64)))
    end = np.minimum(line.end[last], clock.at(store, np.full(len(store), 2 * hi, np.int64)))
    n, interval, begin, end = clock.cut(begin, end)
    return Stretches(
        store[n], clock.doubled_instants(interval, begin), clock.doubled_instants(interval, end)
    )


def of_stores(found: Stretches, chosen: NDArray[np.bool_]) -> Stretches:
    """Those of the chosen stores (bool, one a store)."""
    kept = chosen[found.store]
    return found if kept.all() else Stretches(found.store[kept], found.start[kept], found.end[kept])


def by_bucket(stores: int, found: Stretches, origin: Ints, width: int, columns: int) -> Floats:
    """How much of each store's stretches lies in each bucket of ``width`` half microseconds.

    Bucket k of store s begins at ``origin[s] + k * width``; all stretches lie in the buckets.
    Returns half microseconds, of shape (stores, columns).
    """
    # A stretch is the step up at its start less the step up at its end. A step fills the rest of
    # its bucket and all buckets after it: a running sum of two numbers a step.
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
    """The stretches by elapsed hour from the instant ``begin`` (microseconds) on.

    They lie in [begin, begin + hours). Returns half microseconds, of shape (stores, hours).
    """
    return by_bucket(stores, found, np.full(stores, 2 * begin, np.int64), 2 * HOUR, hours)


def by_weekday_hour(
    found: Stretches, zone_of_store: Ints, zones: list[str], lo: int, hi: int
) -> Floats:
    """The stretches by what the clock of each store's zone shows: weekday and hour.

    They lie in [lo, hi) (microseconds). An hour that happens twice adds to one cell. Returns
    half microseconds, of shape (stores, 7, 24), Monday and 00:00 first.
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

    zone = zone_of_store[found.store]
    parts = []
    changing = np.array([len(o.begin) > 1 for o in offsets])
    still = np.flatnonzero(~changing[zone])
    shift = 2 * lowest[zone[still]]
    parts.append((found.store[still], found.start[still] + shift, found.end[still] + shift))
    for z in np.flatnonzero(changing):
        own = np.flatnonzero(zone == z)
        start, end = found.start[own], found.end[own]
        changes = 2 * offsets[z].begin[1:]
        n, k = cut(changes, start, end)
        edges = np.array([2 * lo, *changes, 2 * hi], np.int64)
        shift = 2 * offsets[z].offset[k]
        parts.append(
            (
                found.store[own[n]],
                np.maximum(start[n], edges[k]) + shift,
                np.minimum(end[n], edges[k + 1]) + shift,
            )
        )
    local = Stretches(*(np.concatenate(column) for column in zip(*parts, strict=True)))
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


def local_days(zone: str, lo: int, hi: int) -> tuple[NDArray[np.datetime64], Ints]:
    """The local dates of [lo, hi) (microseconds) and the instants between them.

    Returns (dates, datetime64[D]; edges, int64 microseconds, one more than dates, from lo to
    hi). A date begins at the first instant at which the clock has reached its midnight.
    """
    if lo >= hi:
        return np.empty(0, "datetime64[D]"), np.empty(0, np.int64)
    dates = np.arange(lo // DAY - 2, hi // DAY + 4)
    edges = zone_offsets(zone, lo - 3 * DAY, hi + 3 * DAY).starts_to_utc(dates * DAY)
    edges = np.clip(edges, lo, hi)
    some = np.flatnonzero(edges[:-1] < edges[1:])
    return dates[some].astype("datetime64[D]"), np.append(edges[some], hi)


def covered(found: Stretches, edges: Ints) -> Ints:
    """How much of one store's stretches lies between neighbouring edges (microseconds).

    The stretches are sorted and disjoint. Returns int64 half microseconds, one less than edges.
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
