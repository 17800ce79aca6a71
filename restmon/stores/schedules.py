"""Reads when stores are open, as the arrays that the core takes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from peewee import fn

from restmon.core.hours import ALWAYS, CLOSED, NEVER, OtherHoursRows, Schedule, WeeklyHours
from restmon.storage import database, models
from restmon.storage.models import GroupMember, StoreDirectory

Ints = NDArray[np.int64]


def make_schedule(
    rows: Ints,
    zones: list[str],
    hours: Ints,
    unreadable: NDArray[np.bool_],
    only_store: int | None = None,
) -> Schedule:
    """Return the schedule of stores. The caller holds a read transaction.

    Parameters
    ----------
    rows : int64 array of shape (stores,)
        Their row ids.
    zones : list of str, one a store
        IANA names.
    hours : int64 array of shape (lines, 4)
        Their weekly hours: row id, day of week, start, end.
    unreadable : bool array of shape (stores,)
        Their hours could not be read.
    only_store : int, optional
        The row id, if there is only one store.
    """
    names = sorted(set(zones))
    place_of_zone = {zone: i for i, zone in enumerate(names)}
    places = _Places(rows)
    opened_on, closed_on = _lifespans(places, only_store)
    return Schedule(
        names,
        np.fromiter(map(place_of_zone.__getitem__, zones), np.int64, len(zones)),
        WeeklyHours(places.of(hours[:, 0]), hours[:, 1], hours[:, 2], hours[:, 3]),
        _other_hours(places, only_store),
        opened_on,
        closed_on,
        unreadable if unreadable.any() else None,
    )


class _Places:
    """Finds the places of row ids among the stores."""

    def __init__(self, rows: Ints) -> None:
        self.stores = len(rows)
        self._order = np.argsort(rows)
        self._sorted = rows[self._order]

    def of(self, rows: Ints) -> Ints:
        """The place of each row id, -1 for an unknown one."""
        if not len(rows) or not self.stores:
            return np.full(len(rows), -1, np.int64)
        at = np.minimum(np.searchsorted(self._sorted, rows), self.stores - 1)
        return np.where(self._sorted[at] == rows, self._order[at], -1)


def _only(query: Any, store: int | None) -> Any:
    """A query of a table with a store, limited to one store if one is given."""
    return query if store is None else query.where(query.model.store == store)


def _table(query: Any, columns: int) -> Ints:
    return np.array(database.tuples(query), np.int64).reshape(-1, columns)


def _lifespans(places: _Places, only_store: int | None) -> tuple[Ints | None, Ints | None]:
    """The first and the last date of each store, or None if no store has any."""
    query = StoreDirectory.select(
        StoreDirectory.store,
        fn.COALESCE(StoreDirectory.opened_on, ALWAYS),
        fn.COALESCE(StoreDirectory.closed_on, NEVER),
    ).where(StoreDirectory.opened_on.is_null(False) | StoreDirectory.closed_on.is_null(False))
    table = _table(_only(query, only_store), 3)
    place = places.of(table[:, 0])
    table, place = table[place >= 0], place[place >= 0]
    if not len(place):
        return None, None
    opened_on = np.full(places.stores, ALWAYS, np.int64)
    closed_on = np.full(places.stores, NEVER, np.int64)
    opened_on[place], closed_on[place] = table[:, 1], table[:, 2]
    return opened_on, closed_on


def _other_hours(places: _Places, only_store: int | None) -> OtherHoursRows | None:
    """The other hours of the stores and of their groups, or None."""
    dated = models.OtherHours
    columns = (
        dated.date,
        fn.COALESCE(dated.start_time, CLOSED),
        fn.COALESCE(dated.end_time, CLOSED),
    )
    own_query = dated.select(dated.store, *columns).where(dated.store.is_null(False))
    group_query = dated.select(GroupMember.store, *columns).join(
        GroupMember, on=(GroupMember.group == dated.group)
    )
    if only_store is not None:
        own_query = own_query.where(dated.store == only_store)
        group_query = group_query.where(GroupMember.store == only_store)
    own, of_groups = _table(own_query, 4), _table(group_query, 4)
    table = np.concatenate([own, of_groups])
    is_own = np.arange(len(table)) < len(own)
    place = places.of(table[:, 0])
    mine = place >= 0
    if not mine.any():
        return None
    return OtherHoursRows(place[mine], table[mine, 1], table[mine, 2], table[mine, 3], is_own[mine])
