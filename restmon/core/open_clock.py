"""Business hours and time zones to open intervals in UTC (SEMANTICS.md, "Open intervals").

Pure: arrays in, arrays out. Instants are int64 microseconds since the epoch, UTC; wall-clock
times int64 microseconds since local midnight.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from restmon.keys import KeySpace

Ints = NDArray[np.int64]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
END_OF_DAY = DAY - MINUTE
DEFAULT_ZONE = "America/Chicago"
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True)
class WeeklyHours:
    """Rows of business hours of all stores: int64 arrays of one length.

    ``store`` is the store's index (0 …), ``day_of_week`` 0 = Monday … 6 = Sunday, ``start`` and
    ``end`` wall-clock microseconds (an end of 24:00 is 86,400,000,000).
    """

    store: Ints
    day_of_week: Ints
    start: Ints
    end: Ints


@dataclass(frozen=True)
class OpenIntervals:
    """Merged open intervals [start, end), sorted by store, then start.

    ``first`` has one entry more than there are stores: store s owns the intervals
    ``first[s]`` to ``first[s + 1] - 1``.
    """

    store: Ints
    start: Ints
    end: Ints
    first: Ints


@dataclass(frozen=True)
class ZoneOffsets:
    """UTC offsets of one zone over a range: ``offset[k]`` (microseconds east of UTC) holds on
    [begin[k], begin[k + 1]), the first from the beginning, the last for ever."""

    begin: Ints
    offset: Ints

    def starts_to_utc(self, wall: Ints) -> Ints:
        """The first instant at which the local clock has reached each wall time (microseconds
        since 1970-01-01 00:00 local): of a time that happens twice the first occurrence, of one
        that is skipped the jump itself."""
        reached = np.maximum.accumulate(self.begin[1:] + self.offset[:-1])
        k = np.searchsorted(reached, wall, side="right")
        return np.maximum(self.begin[k], wall - self.offset[k])

    def ends_to_utc(self, wall: Ints) -> Ints:
        """The last instant before which the local clock has not passed each wall time: of a time
        that happens twice the second occurrence, of one that is skipped the jump itself."""
        local_begin = self.begin + self.offset
        coming = np.minimum.accumulate(local_begin[::-1])[::-1]
        k = np.searchsorted(coming, wall, side="right") - 1
        until = np.append(self.begin[1:], np.iinfo(np.int64).max)
        return np.minimum(until[k], wall - self.offset[k])


@lru_cache(maxsize=4096)
def zone_offsets(zone: str, lo: int, hi: int) -> ZoneOffsets:
    """The offsets in effect in ``zone`` between the instants lo and hi (microseconds).

    Offsets are compared once in six hours and each change is found by bisection to the second.
    """
    info = ZoneInfo(zone)

    def offset_at(second: int) -> timedelta:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
        return moment.astimezone(info).utcoffset() or timedelta()

    earliest, latest = -62_135_400_000, 253_402_200_000  # a day inside years 1 and 9999
    left = min(max(lo // SECOND, earliest), latest)
    last = min(max(hi // SECOND, earliest), latest)
    offset = offset_at(left)
    begins, offsets = [np.iinfo(np.int64).min // 2], [offset]
    while left < last:
        right = min(left + 6 * 3600, last)
        if offset_at(right) != offset:
            while right - left > 1:
                middle = (left + right) // 2
                if offset_at(middle) == offset:
                    left = middle
                else:
                    right = middle
            offset = offset_at(right)
            begins.append(right * SECOND)
            offsets.append(offset)
        left = right
    microseconds = [round(o / timedelta(microseconds=1)) for o in offsets]
    return ZoneOffsets(np.array(begins, np.int64), np.array(microseconds, np.int64))


def open_intervals(
    stores: int,
    hours: WeeklyHours,
    zone_of_store: Ints,
    zones: list[str],
    lo: int | Ints,
    hi: int | Ints,
) -> OpenIntervals:
    """The open intervals of all stores between lo and hi.

    ``zone_of_store`` (int64, one a store) indexes ``zones`` (IANA names). ``lo`` and ``hi`` are
    one instant, or one a store. Every local date whose intervals can touch [lo, hi] is expanded,
    so intervals that begin before lo or end after hi are there whole, at least to those edges. A
    store without rows is open from lo to hi (and a day beyond both); a store whose rows come to
    nothing has no interval.
    """
    lo_of_store = np.broadcast_to(np.asarray(lo, np.int64), (stores,))
    hi_of_store = np.broadcast_to(np.asarray(hi, np.int64), (stores,))
    if stores == 0:
        empty = np.empty(0, np.int64)
        return OpenIntervals(empty, empty, empty, np.zeros(1, np.int64))
    row, start, end = _expand(hours, zone_of_store, zones, lo_of_store, hi_of_store)
    has_rows = np.zeros(stores, bool)
    has_rows[hours.store] = True
    always = np.flatnonzero(~has_rows)
    store = np.concatenate([hours.store[row], always])
    start = np.concatenate([start, lo_of_store[always] - DAY])
    end = np.concatenate([end, hi_of_store[always] + DAY])
    return merge(stores, store, start, end)


def _expand(
    hours: WeeklyHours, zone_of_store: Ints, zones: list[str], lo_of_store: Ints, hi_of_store: Ints
) -> tuple[Ints, Ints, Ints]:
    """(row of ``hours``, start, end) of every row on every local date, empty ones dropped."""
    nothing = np.empty(0, np.int64)
    if not len(hours.store):
        return nothing, nothing, nothing
    # The end of day, written in three ways, means midnight; an end at or before the start is on
    # the next date.
    end_wall = np.where(hours.end >= END_OF_DAY, DAY, hours.end)
    end_wall = np.where(end_wall <= hours.start, end_wall + DAY, end_wall)
    # Local dates differ from UTC's by at most a day, an interval lasts up to two.
    first_date = lo_of_store[hours.store] // DAY - 3
    last_date = hi_of_store[hours.store] // DAY + 1
    first_date += (hours.day_of_week - EPOCH_WEEKDAY - first_date) % 7
    weeks = np.maximum((last_date - first_date) // 7 + 1, 0)
    row = np.repeat(np.arange(len(hours.store)), weeks)
    week = np.arange(len(row)) - np.repeat(np.cumsum(weeks) - weeks, weeks)
    midnight = (first_date[row] + 7 * week) * DAY
    zone = zone_of_store[hours.store][row]
    start, end = midnight + hours.start[row], midnight + end_wall[row]

    by_zone = np.argsort(zone, kind="stable")
    edges = np.searchsorted(zone[by_zone], np.arange(len(zones) + 1))
    span = int(first_date.min() - 1) * DAY, int(last_date.max() + 3) * DAY
    for z in np.flatnonzero(np.diff(edges)):
        offsets = zone_offsets(zones[z], *span)
        rows = by_zone[edges[z] : edges[z + 1]]
        if len(offsets.begin) == 1:
            start[rows] -= offsets.offset[0]
            end[rows] -= offsets.offset[0]
        else:
            start[rows] = offsets.starts_to_utc(start[rows])
            end[rows] = offsets.ends_to_utc(end[rows])
    kept = end > start
    if not kept.all():
        row, start, end = row[kept], start[kept], end[kept]
    return row, start, end


def merge(stores: int, store: Ints, start: Ints, end: Ints) -> OpenIntervals:
    """Sort intervals by store and start, and merge those of one store that overlap or touch."""
    if not len(store):
        return OpenIntervals(store, start, end, np.zeros(stores + 1, np.int64))
    lo, hi = int(start.min()), int(end.max())
    space = KeySpace.covering(stores, lo, hi)
    key = space.keys(store, start)
    order = np.argsort(key, kind="stable")
    key, store = key[order], store[order]
    # Keys of a store's ends never reach the next store's, so the running maximum is per store.
    end_key = np.maximum.accumulate(space.keys(store, end[order]))
    begins = np.ones(len(key), bool)
    begins[1:] = key[1:] > end_key[:-1]
    at = np.flatnonzero(begins)
    last = np.append(at[1:], len(key)) - 1
    owner = store[at]
    return OpenIntervals(
        owner,
        key[at] - owner * space.span + lo,
        end_key[last] - owner * space.span + lo,
        np.searchsorted(owner, np.arange(stores + 1)),
    )


def replaced(intervals: OpenIntervals, chosen: Ints, by: OpenIntervals) -> OpenIntervals:
    """The intervals with those of the ``chosen`` stores (sorted indices) put in their place.

    Store n of ``by`` is store ``chosen[n]`` here.
    """
    stores = len(intervals.first) - 1
    other = np.ones(stores, bool)
    other[chosen] = False
    kept = other[intervals.store]
    store = np.concatenate([intervals.store[kept], chosen[by.store]])
    order = np.argsort(store, kind="stable")
    store = store[order]
    return OpenIntervals(
        store,
        np.concatenate([intervals.start[kept], by.start])[order],
        np.concatenate([intervals.end[kept], by.end])[order],
        np.searchsorted(store, np.arange(stores + 1)),
    )
