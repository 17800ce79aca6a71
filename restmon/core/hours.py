"""Schedules to open intervals in UTC (SEMANTICS.md, "Open intervals").

Pure: arrays in, arrays out. Instants are int64 microseconds since the epoch, UTC; wall-clock
times int64 microseconds since local midnight; dates int64 days since 1970-01-01.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.instants import DAY, EPOCH_WEEKDAY, MINUTE
from restmon.core.intervals import OpenIntervals, merge
from restmon.core.keys import KeySpace
from restmon.core.zone_offsets import zone_offsets

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

END_OF_DAY = DAY - MINUTE
"""An end at this time of day or later means midnight."""
CLOSED = -1
"""The start and the end of a row that says that a store is closed on that day."""
ALWAYS, NEVER = -(2**40), 2**40
"""The ``opened_on`` and ``closed_on`` of a store without such a date."""
DEFAULT_ZONE = "America/Chicago"
DAYS_BEFORE, DAYS_AFTER = 3, 1
"""How many dates before and after an instant's UTC date can have an interval that touches it: local
dates differ from UTC's by at most a day, and an interval lasts up to two."""


@dataclass(frozen=True)
class WeeklyHours:
    """Rows of weekly business hours of all stores: int64 arrays of one length.

    Attributes
    ----------
    store : the store's index
    day_of_week : 0 = Monday … 6 = Sunday
    start, end : wall-clock times
        An end of 24:00 is 86,400,000,000. Both are CLOSED on a day that is closed on purpose.
    """

    store: Ints
    day_of_week: Ints
    start: Ints
    end: Ints

    @classmethod
    def none(cls) -> "WeeklyHours":
        """Return no row."""
        return cls(*(np.empty(0, np.int64) for _ in range(4)))


@dataclass(frozen=True)
class OtherHoursRows:
    """Rows of other hours on dates, which replace the weekly rows there: arrays of one length.

    Attributes
    ----------
    store : int64, the store's index
        An entry of a group has a row for each of its stores.
    date : int64, days since 1970-01-01
    start, end : int64, wall-clock times, as in `WeeklyHours`
    own : bool
        It is an entry of the store itself; otherwise of one of its groups.
    """

    store: Ints
    date: Ints
    start: Ints
    end: Ints
    own: Flags

    @classmethod
    def none(cls) -> "OtherHoursRows":
        """Return no row."""
        nothing = np.empty(0, np.int64)
        return cls(nothing, nothing, nothing, nothing, np.empty(0, bool))

    def where(self, mask: Flags) -> "OtherHoursRows":
        """Return the rows of a mask."""
        return OtherHoursRows(
            self.store[mask], self.date[mask], self.start[mask], self.end[mask], self.own[mask]
        )


@dataclass(frozen=True)
class Schedule:
    """When all stores are open, on their own clocks.

    Attributes
    ----------
    zones : list of str
        IANA names.
    zone_of_store : int64 array of shape (stores,)
        Indexes ``zones``.
    weekly : WeeklyHours
        A store without any row is open around the clock.
    other : OtherHoursRows, optional
    opened_on, closed_on : int64 arrays of shape (stores,), optional
        The first date on which a store opens, and the first on which it no longer does. ALWAYS
        and NEVER if there is no such date.
    unreadable : bool array of shape (stores,), optional
        The store's hours could not be read. It is never open.
    """

    zones: list[str]
    zone_of_store: Ints
    weekly: WeeklyHours
    other: OtherHoursRows | None = None
    opened_on: Ints | None = None
    closed_on: Ints | None = None
    unreadable: Flags | None = None

    @property
    def stores(self) -> int:
        """How many stores there are."""
        return len(self.zone_of_store)

    @property
    def hours_unreadable(self) -> Flags:
        """Whether each store's hours could not be read: bool, shape (stores,)."""
        return np.zeros(self.stores, bool) if self.unreadable is None else self.unreadable

    @property
    def hours_assumed(self) -> Flags:
        """Whether each store counts as open around the clock because it has no hours: bool, shape
        (stores,)."""
        assumed = ~self.hours_unreadable
        assumed[self.weekly.store] = False
        return assumed

    @property
    def has_exceptions(self) -> Flags:
        """Whether some week of each store may differ from its usual one: bool, shape (stores,)."""
        result = np.zeros(self.stores, bool)
        if self.other is not None:
            result[self.other.store] = True
        if self.opened_on is not None:
            result |= self.opened_on != ALWAYS
        if self.closed_on is not None:
            result |= self.closed_on != NEVER
        return result

    def chosen(self, stores: Ints) -> "Schedule":
        """Return the schedule of some stores (sorted indices), numbered from 0 in that order."""
        place = np.full(self.stores, -1, np.int64)
        place[stores] = np.arange(len(stores))
        weekly, other = self.weekly, self.other
        mine = place[weekly.store] >= 0
        if other is not None:
            other = other.where(place[other.store] >= 0)
            other = OtherHoursRows(
                place[other.store], other.date, other.start, other.end, other.own
            )
        return Schedule(
            self.zones,
            self.zone_of_store[stores],
            WeeklyHours(
                place[weekly.store[mine]],
                weekly.day_of_week[mine],
                weekly.start[mine],
                weekly.end[mine],
            ),
            other,
            None if self.opened_on is None else self.opened_on[stores],
            None if self.closed_on is None else self.closed_on[stores],
            None if self.unreadable is None else self.unreadable[stores],
        )


def open_intervals(schedule: Schedule, lo: int | Ints, hi: int | Ints) -> OpenIntervals:
    """Return the open intervals of all stores between lo and hi.

    Expands every local date whose intervals can touch [lo, hi]. So intervals that begin before lo
    or end after hi are whole. A store without hours is open from a day before lo to a day after hi.
    A store whose rows open nothing has no interval.

    Parameters
    ----------
    schedule : Schedule
    lo, hi : int, or int64 array of shape (stores,)
        Instants, for all stores or for each.

    Raises
    ------
    zoneinfo.ZoneInfoNotFoundError
        For a zone that is not known.
    ValueError
        When the keys of (store, instant) do not fit into 64 bits (see `KeySpace`).
    """
    stores = schedule.stores
    if stores == 0:
        return OpenIntervals.none(0)
    lo_of_store = np.broadcast_to(np.asarray(lo, np.int64), (stores,))
    hi_of_store = np.broadcast_to(np.asarray(hi, np.int64), (stores,))
    dates = _Dates(lo_of_store // DAY - DAYS_BEFORE, hi_of_store // DAY + DAYS_AFTER)
    always = schedule.hours_assumed
    other = _other_rows(schedule, dates)
    weekly = schedule.weekly
    if schedule.has_exceptions.any():
        by_date = always & (_have_rows(stores, other) | _cut_short(schedule, dates))
        weekly = _with_whole_days(weekly, np.flatnonzero(by_date))
        always &= ~by_date
    rows = _weekly_rows(weekly, dates)
    if schedule.has_exceptions.any():
        rows = _without(rows, other, stores).where_open(schedule)
        rows = rows.and_more(other.where_open(schedule))
    if schedule.unreadable is not None:
        rows = rows.where(~schedule.unreadable[rows.store])
    store, start, end = _to_utc(rows, schedule)
    around_the_clock = np.flatnonzero(always)
    return merge(
        stores,
        np.concatenate([store, around_the_clock]),
        np.concatenate([start, lo_of_store[around_the_clock] - DAY]),
        np.concatenate([end, hi_of_store[around_the_clock] + DAY]),
    )


@dataclass(frozen=True)
class _Dates:
    """The local dates to expand, from ``first`` to ``last``, both included: int64 arrays of shape
    (stores,)."""

    first: Ints
    last: Ints


@dataclass(frozen=True)
class _DateRows:
    """Rows on dates: int64 arrays of one length; ``start`` and ``end`` as in `WeeklyHours`."""

    store: Ints
    date: Ints
    start: Ints
    end: Ints

    def where(self, mask: Flags) -> "_DateRows":
        return _DateRows(self.store[mask], self.date[mask], self.start[mask], self.end[mask])

    def and_more(self, others: "_DateRows") -> "_DateRows":
        if not len(others.store):
            return self
        return _DateRows(
            np.concatenate([self.store, others.store]),
            np.concatenate([self.date, others.date]),
            np.concatenate([self.start, others.start]),
            np.concatenate([self.end, others.end]),
        )

    def where_open(self, schedule: Schedule) -> "_DateRows":
        """The rows that open something: without closed ones, those before ``opened_on``, and those
        from ``closed_on`` on."""
        opens = self.start != CLOSED
        if schedule.opened_on is not None:
            opens &= self.date >= schedule.opened_on[self.store]
        if schedule.closed_on is not None:
            opens &= self.date < schedule.closed_on[self.store]
        return self.where(opens)


def _weekly_rows(hours: WeeklyHours, dates: _Dates) -> _DateRows:
    """The weekly rows on each date of their weekday, without those of closed days."""
    first = dates.first[hours.store]
    first += (hours.day_of_week - EPOCH_WEEKDAY - first) % 7
    weeks = np.maximum((dates.last[hours.store] - first) // 7 + 1, 0)
    weeks[hours.start == CLOSED] = 0
    row = np.repeat(np.arange(len(hours.store)), weeks)
    week = np.arange(len(row)) - np.repeat(np.cumsum(weeks) - weeks, weeks)
    return _DateRows(hours.store[row], first[row] + 7 * week, hours.start[row], hours.end[row])


def _other_rows(schedule: Schedule, dates: _Dates) -> _DateRows:
    """The rows of other hours that count, also closed ones. On a date with an entry of the store
    itself, only its own rows count."""
    other = schedule.other or OtherHoursRows.none()
    other = other.where(
        (other.date >= dates.first[other.store]) & (other.date <= dates.last[other.store])
    )
    rows = _DateRows(other.store, other.date, other.start, other.end)
    counts = other.own | ~_on_dates_of(rows, rows.where(other.own), schedule.stores)
    return rows.where(counts)


def _without(rows: _DateRows, other: _DateRows, stores: int) -> _DateRows:
    """The rows, without those on dates of the others."""
    return rows.where(~_on_dates_of(rows, other, stores))


def _on_dates_of(rows: _DateRows, others: _DateRows, stores: int) -> Flags:
    """Which rows have a (store, date) that one of the others has."""
    if not len(rows.store) or not len(others.store):
        return np.zeros(len(rows.store), bool)
    lo = min(int(rows.date.min()), int(others.date.min()))
    hi = max(int(rows.date.max()), int(others.date.max()))
    space = KeySpace.covering(stores, lo, hi)
    known = np.unique(space.keys(others.store, others.date))
    key = space.keys(rows.store, rows.date)
    return known[np.minimum(np.searchsorted(known, key), len(known) - 1)] == key


def _have_rows(stores: int, rows: _DateRows) -> Flags:
    result = np.zeros(stores, bool)
    result[rows.store] = True
    return result


def _cut_short(schedule: Schedule, dates: _Dates) -> Flags:
    """Whether each store opens first, or closes for good, on one of the dates or outside them."""
    result = np.zeros(schedule.stores, bool)
    if schedule.opened_on is not None:
        result |= schedule.opened_on > dates.first
    if schedule.closed_on is not None:
        result |= schedule.closed_on <= dates.last
    return result


def _with_whole_days(hours: WeeklyHours, stores: Ints) -> WeeklyHours:
    """The hours, with 00:00 to 24:00 on every weekday for some stores that have none."""
    if not len(stores):
        return hours
    more = 7 * len(stores)
    return WeeklyHours(
        np.concatenate([hours.store, np.repeat(stores, 7)]),
        np.concatenate([hours.day_of_week, np.tile(np.arange(7), len(stores))]),
        np.concatenate([hours.start, np.zeros(more, np.int64)]),
        np.concatenate([hours.end, np.full(more, DAY)]),
    )


def _to_utc(rows: _DateRows, schedule: Schedule) -> tuple[Ints, Ints, Ints]:
    """(store, start, end) of the rows as intervals in UTC, empty ones dropped."""
    if not len(rows.store):
        return rows.store, rows.start, rows.end
    # The end of day, written in three ways, means midnight; an end at or before the start is on
    # the next date.
    end_wall = np.where(rows.end >= END_OF_DAY, DAY, rows.end)
    end_wall = np.where(end_wall <= rows.start, end_wall + DAY, end_wall)
    start, end = rows.date * DAY + rows.start, rows.date * DAY + end_wall

    zone = schedule.zone_of_store[rows.store]
    by_zone = np.argsort(zone, kind="stable")
    edges = np.searchsorted(zone[by_zone], np.arange(len(schedule.zones) + 1))
    span = int(rows.date.min() - 7) * DAY, int(rows.date.max() + 7) * DAY
    for z in np.flatnonzero(np.diff(edges)):
        offsets = zone_offsets(schedule.zones[z], *span)
        mine = by_zone[edges[z] : edges[z + 1]]
        if len(offsets.begin) == 1:
            start[mine] -= offsets.offset[0]
            end[mine] -= offsets.offset[0]
        else:
            start[mine] = offsets.starts_to_utc(start[mine])
            end[mine] = offsets.ends_to_utc(end[mine])
    some = end > start
    if some.all():
        return rows.store, start, end
    return rows.store[some], start[some], end[some]
