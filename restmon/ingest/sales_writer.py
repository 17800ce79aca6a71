"""Writes hourly sales, and puts them back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.ingest.whole_rows import Outcome, compare_rows, delete_rows, insert_rows
from restmon.storage import database
from restmon.storage.changes import ChangeLog, Former, Key
from restmon.storage.models import HourlySales

HOURLY = "sales"
"""The kind of the notes about replaced rows (`undo_kinds`)."""
AT_ONCE = 500
"""Ids in one statement."""

Ints = NDArray[np.int64]


def write_sales(
    log: ChangeLog, row: Ints, day: Ints, hour: Ints, sales: NDArray[np.float64]
) -> Outcome:
    """Replace all hourly sales of the stores ``row`` (row ids). Of several lines of one hour the
    last one counts. The caller holds the transaction."""
    wanted = np.unique(row).tolist()
    query = HourlySales.select(
        HourlySales.store, HourlySales.day_of_week, HourlySales.hour, HourlySales.sales
    )
    if len(wanted) <= AT_ONCE:
        query = query.where(HourlySales.store.in_(wanted))
    table = np.array(database.tuples(query), np.float64).reshape(-1, 4)
    stored = np.column_stack([table[:, :3].astype(np.int64), _bits(table[:, 3])])
    stored = stored[np.isin(stored[:, 0], row)]
    lines = np.column_stack([row, day, hour, _bits(sales)])
    order = np.lexsort((hour, day, row))  # stable: lines of one hour stay in their order
    lines = lines[order]
    same_place = (lines[1:, :3] == lines[:-1, :3]).all(axis=1)
    same_value = lines[1:, 3] == lines[:-1, 3]
    last = np.append(~same_place, True)[: len(lines)]
    changes = compare_rows(lines[last], stored, place=3, owner=1)
    former: dict[Key, list[Any]] = {store: [] for (store,) in changes.owners.tolist()}
    for store, *place, amount in table[np.isin(table[:, 0], changes.owners)].tolist():
        former[int(store)].append([*map(int, place), amount])
    log.note(HOURLY, former)
    delete_rows("hourly_sales", ("store_id",), changes.owners.tolist())
    amounts = np.ascontiguousarray(changes.rows[:, 3]).view(np.float64)
    columns = ("store_id", "day_of_week", "hour", "sales")
    rows = zip(*changes.rows[:, :3].T.tolist(), amounts.tolist(), strict=True)
    insert_rows("hourly_sales", columns, list(rows))
    return Outcome(
        changes.new,
        changes.updated + int((same_place & ~same_value).sum()),
        changes.unchanged + int((same_place & same_value).sum()),
        changes.removed,
        bool(len(changes.owners)),
    )


def clear_sales(log: ChangeLog, row: int) -> bool:
    """Delete the hourly sales of a store (row id). Returns whether there were any. The caller holds
    the transaction."""
    mine = HourlySales.store == row
    columns = (HourlySales.day_of_week, HourlySales.hour, HourlySales.sales)
    former = [list(line) for line in database.tuples(HourlySales.select(*columns).where(mine))]
    if former:
        log.note(HOURLY, {row: former})
        HourlySales.delete().where(mine).execute()
    return bool(former)


def put_back_sales(former: Former) -> None:
    """Put hourly sales back."""
    delete_rows("hourly_sales", ("store_id",), [(store,) for store in former])
    rows = [(store, *line) for store, lines in former.items() for line in lines]
    insert_rows("hourly_sales", ("store_id", "day_of_week", "hour", "sales"), rows)


def _bits(amounts: NDArray[np.float64]) -> Ints:
    """Amounts as whole numbers. Equal amounts give equal numbers."""
    return (np.ascontiguousarray(amounts, np.float64) + 0.0).view(np.int64)
