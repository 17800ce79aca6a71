"""Lines that replace stored rows as a whole: comparing and writing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.storage import models

Ints = NDArray[np.int64]


@dataclass
class Outcome:
    """How many lines were new, updated and unchanged, how many rows were removed, and whether
    anything changed."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    changed: bool = False


@dataclass(frozen=True)
class RowChanges:
    """The changes by lines.

    ``new``, ``updated`` and ``unchanged`` count lines. ``removed`` counts stored rows that go
    without a new one in their place. ``owners`` are those whose rows change (distinct, sorted).
    ``rows`` are all their new rows (distinct, in the order of the lines).
    """

    new: int
    updated: int
    unchanged: int
    removed: int
    owners: Ints
    rows: Ints


def compare_rows(lines: Ints, stored: Ints, place: int, owner: int) -> RowChanges:
    """Compare lines with all stored rows of their owners.

    Parameters
    ----------
    lines, stored : int64 arrays of shape (n, columns)
    place : int
        The number of first columns that say what a row is about. A line with other values in the
        rest updates it. The second of two equal lines is unchanged.
    owner : int
        The number of first columns that say whose rows are replaced as a whole.
    """
    count = len(lines)
    if not len(stored):
        return _compare_with_none(lines, owner)
    both = np.concatenate([lines, stored])
    code, at = number_rows(both), number_rows(both[:, :place])
    distinct, first = np.unique(code[:count], return_index=True)
    again = np.ones(count, bool)
    again[first] = False
    unchanged = again | np.isin(code[:count], code[count:])
    had = np.isin(at[:count], at[count:])
    added = first[~np.isin(distinct, code[count:])]
    gone = np.flatnonzero(~np.isin(code[count:], distinct))
    places = int(at.max(initial=-1)) + 1
    lost = np.bincount(at[count:][gone], minlength=places)
    won = np.bincount(at[:count][added], minlength=places)
    changed = np.concatenate([lines[added, :owner], stored[gone, :owner]])
    of = number_rows(np.concatenate([lines[:, :owner], changed]))
    kept = np.sort(first[np.isin(of[:count][first], of[count:])])
    return RowChanges(
        new=int((~unchanged & ~had).sum()),
        updated=int((~unchanged & had).sum()),
        unchanged=int(unchanged.sum()),
        removed=int((lost - won).clip(min=0).sum()),
        owners=np.unique(changed, axis=0),
        rows=lines[kept],
    )


def _compare_with_none(lines: Ints, owner: int) -> RowChanges:
    """What `compare_rows` gives where the owners have no rows yet."""
    rows = lines[np.sort(_first_places(number_rows(lines)))]
    owners = rows[_first_places(number_rows(rows[:, :owner])), :owner]
    return RowChanges(len(rows), 0, len(lines) - len(rows), 0, owners, rows)


def _first_places(numbers: Ints) -> Ints:
    """Where each of the numbers 0, 1, 2, … stands first. ``np.unique`` loads ``numpy.ma``."""
    places = np.empty(int(numbers.max(initial=-1)) + 1, np.int64)
    places[numbers[::-1]] = np.arange(len(numbers))[::-1]
    return places


def number_rows(table: Ints) -> Ints:
    """A number for each row of a table: equal for equal rows, in the order of the sorted rows."""
    order = np.lexsort(table.T[::-1])
    in_order = table[order]
    differs = (in_order[1:] != in_order[:-1]).any(axis=1)
    numbers = np.empty(len(table), np.int64)
    numbers[order] = np.concatenate([np.zeros(min(1, len(table)), np.int64), differs.cumsum()])
    return numbers


def insert_rows(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows into the columns of a table."""
    if rows:
        marks = ", ".join([models.database.param] * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608  # nosec B608
        models.database.cursor().executemany(sql, rows)


def delete_rows(table: str, columns: Sequence[str], keys: Sequence[Sequence[Any]]) -> None:
    """Delete the rows of a table whose columns have one of the keys as values."""
    if keys:
        where = " AND ".join(f"{column} = {models.database.param}" for column in columns)
        sql = f"DELETE FROM {table} WHERE {where}"  # noqa: S608  # nosec B608
        models.database.cursor().executemany(sql, keys)
