"""The changes that a write made to polls, stored so that they can be undone.

A stretch of a store's polls is one row as long as no older poll lies in it::

    stored before      p . . . . . . p          store 1, [3, 9]   inserted
    written            . . . w w w w . w w  ->  store 1, [12, 14] inserted
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.core import keys

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

INSERTED = -1
"""A former status that says there was no poll."""
LENGTH_BYTES = 8
BYTES_OF_ONE = 32
ZLIB = b"\x78"
"""The first byte of data compressed by zlib; those of zstd have another."""


@dataclass(frozen=True)
class PollChanges:
    """Stretches of polls that were written, sorted by store, then instant.

    Attributes
    ----------
    store : int64 array
        The row id of the store.
    first, last : int64 arrays of the same length
        The stretch, both instants included.
    former : int64 array of the same length
        INSERTED: all polls that the store had in the stretch after the write were new. 0 or 1: the
        status that its one poll (``first`` equals ``last``) had before.
    """

    store: Ints
    first: Ints
    last: Ints
    former: Ints

    @classmethod
    def none(cls) -> "PollChanges":
        """Return no change."""
        nothing = np.empty(0, np.int64)
        return cls(nothing, nothing, nothing, nothing)

    @classmethod
    def joined(cls, parts: "Sequence[PollChanges]") -> "PollChanges":
        """Return the changes of all parts, sorted."""
        if not parts:
            return cls.none()
        columns = [(part.store, part.first, part.last, part.former) for part in parts]
        every = [np.concatenate(column) for column in zip(*columns, strict=True)]
        order = keys.sort_order(every[0], every[1])
        return cls(*(column[order] for column in every))

    def _columns(self) -> tuple[Ints, Ints, Ints, Ints]:
        return self.store, self.first, self.last, self.former

    def __len__(self) -> int:
        return len(self.store)

    def of(self, rows: Ints | Flags) -> "PollChanges":
        """Return some of them: those at the indices, or under the mask."""
        return PollChanges(*(column[rows] for column in self._columns()))

    def pack(self) -> bytes:
        """Return them as bytes for `unpack`."""
        columns = [self.store, self.first, self.last - self.first, self.former]
        table = np.stack([np.diff(column, prepend=0) for column in columns]).astype("<i8")
        # Bytes of one weight stand together: most are zeros then.
        by_weight = table.view(np.uint8).reshape(len(columns), len(self), 8).transpose(0, 2, 1)
        data = by_weight.tobytes()
        # Python has it by itself: an hourly import would load PyArrow for this alone.
        return len(data).to_bytes(LENGTH_BYTES, "little") + zlib.compress(data, 1)

    @classmethod
    def unpack(cls, data: bytes) -> "PollChanges":
        """Return the changes that were packed."""
        by_weight = np.frombuffer(decompress(data), np.uint8).reshape(4, 8, -1)
        table = np.ascontiguousarray(by_weight.transpose(0, 2, 1)).view("<i8")[:, :, 0]
        store, first, length, former = np.cumsum(table.astype(np.int64), axis=1)
        return cls(store, first, first + length, former)

    @staticmethod
    def count(data: bytes) -> int:
        """Return how many changes were packed."""
        return int.from_bytes(data[:LENGTH_BYTES], "little") // BYTES_OF_ONE

    def without(self, others: "PollChanges") -> "PollChanges":
        """Return what is left of the stretches outside of the others' stretches."""
        if not len(self) or not len(others):
            return self
        space = _Ranks(self, others)
        mine_first, mine_last = space.of(self)
        gone_first, gone_last = space.union(others)
        a = np.searchsorted(gone_last, mine_first)
        b = np.searchsorted(gone_first, mine_last, side="right")
        pieces = np.maximum(b - a, 0) + 1
        owner = np.repeat(np.arange(len(self)), pieces)
        nth = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        before = a[owner] + nth - 1
        is_first, is_last = nth == 0, nth == pieces[owner] - 1
        # The ends of what is taken away, as instants. The first and last piece keep their own.
        first, last = self.first[owner], self.last[owner]
        ends, begins = space.instants(gone_last), space.instants(gone_first)
        first[~is_first] = ends[before[~is_first]] + 1
        last[~is_last] = begins[before[~is_last] + 1] - 1
        some = first <= last
        owner = owner[some]
        return PollChanges(self.store[owner], first[some], last[some], self.former[owner])

    def followed_by(self, later: "PollChanges") -> "PollChanges":
        """Return this change and a later one as one: with what each poll was before the first."""
        known = self.contain(later.store, later.first) & (later.former != INSERTED)
        fresh = later.of(~known).without(self.of(self.former == INSERTED))
        return PollChanges.joined([self, fresh])

    def contain(self, store: Ints, instant: Ints) -> Flags:
        """Return which (store, instant) pairs lie in one of the stretches."""
        if not len(self) or not len(store):
            return np.zeros(len(store), bool)
        points = PollChanges(store, instant, instant, instant)
        space = _Ranks(self, points)
        first, last = space.union(self)
        at, _ = space.of(points)
        place = np.searchsorted(first, at, side="right") - 1
        return (place >= 0) & (at <= last[np.maximum(place, 0)])


class _Ranks:
    """(store, instant) pairs as single integers in the same order. An instant counts as its place
    among all that occur, so any pair fits into 64 bits."""

    def __init__(self, *changes: PollChanges) -> None:
        self._instants = np.unique(
            np.concatenate([each for c in changes for each in (c.first, c.last)])
        )
        self._stores = np.unique(np.concatenate([c.store for c in changes]))

    def of(self, changes: PollChanges) -> tuple[Ints, Ints]:
        """The numbers of the stretches' first and last instants."""
        base = np.searchsorted(self._stores, changes.store) * len(self._instants)
        return (
            base + np.searchsorted(self._instants, changes.first),
            base + np.searchsorted(self._instants, changes.last),
        )

    def union(self, changes: PollChanges) -> tuple[Ints, Ints]:
        """The stretches as numbers, sorted, with those that overlap joined."""
        first, last = self.of(changes)
        order = np.argsort(first, kind="stable")
        first, last = first[order], np.maximum.accumulate(last[order])
        begins = np.append(True, first[1:] > last[:-1])
        at = np.flatnonzero(begins)
        return first[at], last[np.append(at[1:], len(first)) - 1]

    def instants(self, numbers: Ints) -> Ints:
        """The instants of numbers."""
        return self._instants[numbers % len(self._instants)]


def compress(data: bytes) -> bytes:
    """Return the bytes compressed, for `decompress`."""
    return len(data).to_bytes(LENGTH_BYTES, "little") + _codec().compress(data, asbytes=True)


def decompress(data: bytes) -> bytes:
    """Return the bytes that were compressed, by zlib or (`compress`) by zstd."""
    if data[LENGTH_BYTES : LENGTH_BYTES + 1] == ZLIB:
        return zlib.decompress(data[LENGTH_BYTES:])
    size = int.from_bytes(data[:LENGTH_BYTES], "little")
    return bytes(_codec().decompress(data[LENGTH_BYTES:], size, asbytes=True)) if size else b""


def _codec() -> Any:
    import pyarrow as pa  # noqa: PLC0415 - who only reads polls does not need it

    return pa.Codec("zstd", compression_level=1)
