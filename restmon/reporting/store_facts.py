"""What is known about stores besides their hours: names, groups, sales."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from peewee import chunked

from restmon.core.aggregation import Stretches, by_weekday_hour
from restmon.core.instants import HOUR
from restmon.core.lost_sales import HourlySalesRows, estimate_lost_sales
from restmon.reporting.snapshot import Stores
from restmon.storage import database, models
from restmon.storage.models import Group, GroupMember, StoreDirectory

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

AT_ONCE = 500
CELLS_AT_ONCE = 20_000_000


@dataclass(frozen=True)
class Sales:
    """The usual sales of stores: ``per_hour`` (float64, shape (stores,), NaN where not known), and
    ``hourly``."""

    per_hour: Floats
    hourly: HourlySalesRows

    def of_range(self, first: int, after: int) -> "Sales":
        """The sales of the stores from ``first`` to before ``after``."""
        own = self.hourly
        a, b = np.searchsorted(own.store, [first, after])
        hourly = HourlySalesRows(
            own.store[a:b] - first, own.day_of_week[a:b], own.hour[a:b], own.sales[a:b]
        )
        return Sales(self.per_hour[first:after], hourly)

    def estimate_lost(self, stores: Stores, owner: Ints, down: Stretches) -> Floats:
        """Return the sales lost in some down time (SEMANTICS.md, "Lost sales").

        Parameters
        ----------
        stores : Stores
        owner : int64 array
            The store of each row of the result. A store may own several.
        down : Stretches
            Down time. Its ``store`` is a row of the result.

        Returns
        -------
        float64 array of the shape of ``owner``; NaN where there is no estimate
        """
        if not len(owner):
            return np.zeros(0)
        hours = np.zeros(len(owner))
        np.add.at(hours, down.store, down.end - down.start)
        result = estimate_lost_sales(hours[:, None, None], self.per_hour[owner])
        by_hour = np.zeros(len(self.per_hour), bool)
        by_hour[self.hourly.store] = True
        rows = np.flatnonzero(by_hour[owner])
        if not len(down.start):
            result[rows] = 0.0
            return result
        lo, hi = int(down.start.min()) // 2, -(-int(down.end.max()) // 2)
        most = max(CELLS_AT_ONCE // ((hi - lo) // HOUR + 170), 1)
        for k in range(0, len(rows), most):
            some = rows[k : k + most]
            result[some] = self._by_hour(stores, owner[some], _only(down, some, len(owner)))
        return result

    def _by_hour(self, stores: Stores, owner: Ints, down: Stretches) -> Floats:
        """The estimate for stores whose rate depends on the hour."""
        lo = int(down.start.min()) // 2 if len(down.start) else 0
        hi = -(-int(down.end.max()) // 2) if len(down.start) else HOUR
        table = by_weekday_hour(down, stores.zone_of_store[owner], stores.zones, lo, hi)
        own = self.hourly
        first = np.searchsorted(own.store, owner)
        counts = np.searchsorted(own.store, owner, "right") - first
        row = np.repeat(np.arange(len(owner)), counts)
        n = np.repeat(first, counts) + np.arange(len(row))
        n -= np.repeat(np.cumsum(counts) - counts, counts)
        rates = HourlySalesRows(row, own.day_of_week[n], own.hour[n], own.sales[n])
        return estimate_lost_sales(table, self.per_hour[owner], rates)


def _only(down: Stretches, rows: Ints, count: int) -> Stretches:
    """The stretches of some rows, numbered in their order."""
    place = np.full(count, -1, np.int64)
    place[rows] = np.arange(len(rows))
    mine = place[down.store] >= 0
    return Stretches(place[down.store[mine]], down.start[mine], down.end[mine])


def read_sales(stores: Stores) -> Sales:
    """The usual sales of the stores. The caller holds a read transaction."""
    place = {row: n for n, row in enumerate(stores.rows.tolist())}
    per_hour = np.full(len(place), np.nan)
    few = len(place) <= AT_ONCE
    query = StoreDirectory.select(StoreDirectory.store, StoreDirectory.sales_per_hour).where(
        StoreDirectory.sales_per_hour.is_null(False)
    )
    if few:
        query = query.where(StoreDirectory.store.in_(list(place)))
    for row, rate in database.tuples(query):
        if row in place:
            per_hour[place[row]] = rate
    model = models.HourlySales
    rates = model.select(model.store, model.day_of_week, model.hour, model.sales)
    if few:
        rates = rates.where(model.store.in_(list(place)))
    table = np.array(database.tuples(rates), np.float64).reshape(-1, 4)
    order = np.argsort(stores.rows)
    rows = stores.rows[order]
    at = np.minimum(np.searchsorted(rows, table[:, 0]), max(len(rows) - 1, 0))
    known = rows[at] == table[:, 0] if len(rows) else np.zeros(len(table), bool)
    store, table = order[at[known]], table[known]
    day, hour = table[:, 1:3].astype(np.int64).T
    sort = np.argsort((store * 7 + day) * 24 + hour)
    return Sales(per_hour, HourlySalesRows(store[sort], day[sort], hour[sort], table[sort, 3]))


def read_names(stores: Stores) -> list[str | None]:
    """The name of each store, or None. The caller holds a read transaction."""
    query = StoreDirectory.select(StoreDirectory.store, StoreDirectory.name)
    names = dict(database.tuples(query.where(StoreDirectory.name.is_null(False))))
    return [names.get(row) for row in stores.rows.tolist()]


def read_group_names(stores: Stores, seen: frozenset[int] | None) -> list[list[str]]:
    """The names of each store's groups, in order, limited to the groups ``seen`` (row ids; None:
    all). The caller holds a read transaction."""
    query = Group.select(Group.id, Group.name).order_by(Group.same_name)
    groups = [(row, name) for row, name in database.tuples(query) if seen is None or row in seen]
    place = {row: n for n, row in enumerate(stores.rows.tolist())}
    found: list[list[str]] = [[] for _ in place]
    order = {row: n for n, (row, _) in enumerate(groups)}
    members: list[tuple[int, int]] = []
    for part in chunked([row for row, _ in groups], AT_ONCE):
        rows = GroupMember.select(GroupMember.group, GroupMember.store)
        members += database.tuples(rows.where(GroupMember.group.in_(part)))
    for group, store in sorted(members, key=lambda member: order[member[0]]):
        if store in place:
            found[place[store]].append(groups[order[group]][1])
    return found
