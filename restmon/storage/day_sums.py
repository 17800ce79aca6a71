"""The rows of day sums: one local date of all stores, packed into bytes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from peewee import chunked

from restmon.storage import database
from restmon.storage.models import DaySums, DaySumsState
from restmon.storage.poll_changes import compress, decompress

Ints = NDArray[np.int64]

THE_STATE = 1
COLUMNS = ("open", "up", "down", "covered", "begun")
AT_ONCE = 32
"""Rows that are read at a time: about 5 MB of 14,000 stores."""


@dataclass(frozen=True)
class DayRow:
    """One date of some stores: int64 arrays of one length, sorted by ``rows``, the stores' row ids.

    ``open``, ``up``, ``down`` and ``covered`` are half microseconds. ``begun`` is how many outages
    begin on the date.
    """

    rows: Ints
    open: Ints
    up: Ints
    down: Ints
    covered: Ints
    begun: Ints

    @classmethod
    def zero(cls, rows: Ints) -> "DayRow":
        """Return a date without any time."""
        return cls(rows, *(np.zeros(len(rows), np.int64) for _ in COLUMNS))

    def of(self, rows: Ints) -> "DayRow":
        """Return the same date of other stores (sorted row ids), zero where it has none."""
        if len(rows) == len(self.rows) and (rows == self.rows).all():
            return self
        result = DayRow.zero(rows)
        if len(self.rows):
            at = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
            some = self.rows[at] == rows
            for name in COLUMNS:
                getattr(result, name)[some] = getattr(self, name)[at[some]]
        return result

    def pack(self) -> bytes:
        """Return it as bytes for `unpack`."""
        # What is 0 for most stores takes no room.
        idle, unseen = self.open - self.up - self.down, self.open - self.covered
        steps = np.diff(self.rows, prepend=0)
        return _pack(np.stack([steps, self.open, self.down, idle, unseen, self.begun]))

    @classmethod
    def unpack(cls, data: bytes) -> "DayRow":
        """Return the row that was packed."""
        steps, opened, down, idle, unseen, begun = _unpack(data, 6)
        return cls(np.cumsum(steps), opened, opened - down - idle, down, opened - unseen, begun)


def pack_fingerprints(rows: Ints, fingerprints: Ints) -> bytes:
    """Return the fingerprints of stores' schedules as bytes."""
    return _pack(np.stack([rows, fingerprints]))


def unpack_fingerprints(data: bytes) -> tuple[Ints, Ints]:
    """Return (row ids, fingerprints) that were packed."""
    rows, fingerprints = _unpack(data, 2)
    return rows, fingerprints


def _pack(table: NDArray[np.int64]) -> bytes:
    return compress(table.astype("<i8").tobytes())


def _unpack(data: bytes, height: int) -> list[Ints]:
    return list(np.frombuffer(decompress(data), "<i8").astype(np.int64).reshape(height, -1))


def read_state() -> DaySumsState | None:
    """What the rows stand for, or None before the first. The caller holds a connection."""
    return DaySumsState.get_or_none(DaySumsState.id == THE_STATE)


def read_days(first: int, last: int) -> Iterator[tuple[int, DayRow]]:
    """Yield (date, row) of the dates from first to last that there are, in order. The caller holds
    a read transaction."""
    dates = DaySums.select(DaySums.date).where(DaySums.date.between(first, last))
    there = [date for (date,) in database.tuples(dates.order_by(DaySums.date))]
    for some in chunked(there, AT_ONCE):
        query = DaySums.select(DaySums.date, DaySums.data).where(DaySums.date.in_(some))
        for date, data in database.tuples(query.order_by(DaySums.date)):
            yield date, DayRow.unpack(bytes(data))
