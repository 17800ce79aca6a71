"""Polls out of blocks that were read, in order.

A run is the polls of one store in one block. The runs of a store are put one after the other, some
thousands of stores at a time, by two threads::

    blocks      period 5841: a a a b b c      period 5842: a b b c c
    numbers     0 1 2 3 4 5                   6 7 8 9 10
    in order    a: 0 1 2 6 | b: 3 4 7 8 | c: 5 9 10
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from restmon.core import keys
from restmon.core.threads import AT_ONCE, map_parts
from restmon.storage.poll_blocks import PERIOD_BITS, POLL_BYTES, Polls, Stored

Ints = NDArray[np.int64]

LOW_BITS = (1 << 8 * POLL_BYTES) - 1
EVER = -(2**62), 2**62


@dataclass(frozen=True)
class Runs:
    """Runs of polls. ``store`` (row ids), ``count`` and ``begun`` (the instant at which its period
    began) have an entry a run, int64. ``numbers`` has one a poll, the runs one after the other:
    numbers of five bytes, read as eight of which three belong to the next one.
    """

    store: Ints
    count: Ints
    begun: Ints
    numbers: Ints

    @cached_property
    def time(self) -> Ints:
        """The polls' instants, as they lie."""
        return ((self.numbers & LOW_BITS) >> 1) + np.repeat(self.begun, self.count)

    def polls(self) -> Polls:
        """The polls as they lie."""
        status = (self.numbers & 1).astype(np.int8)
        return Polls(np.repeat(self.store, self.count), self.time, status)

    def ordered(self, rank: Ints, lo: int = EVER[0], hi: int = EVER[1]) -> Polls:
        """The polls with lo <= time < hi by the ranks of the runs (int64, an entry a run), then
        time; the rank stands in the place of the store. Runs of one rank come in the order of their
        time, for the most part."""
        order = np.argsort(rank, kind="stable")
        starts = (np.cumsum(self.count) - self.count)[order]
        runs = _Ordered(rank[order], self.count[order], starts, self.begun[order])
        total = int(self.count.sum())
        into = Polls(np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int8))

        def fill(part: tuple[int, int]) -> tuple[int, int]:
            return runs.fill(part, self.numbers, into, (lo, hi))

        return _closed_up(into, map_parts(fill, runs.parts()))


@dataclass(frozen=True)
class _Ordered:
    """Runs by rank: ``starts`` is where the numbers of each begin."""

    rank: Ints
    count: Ints
    starts: Ints
    begun: Ints

    @cached_property
    def ends(self) -> Ints:
        """How many polls there are up to each run, it included."""
        return np.cumsum(self.count)

    def parts(self) -> list[tuple[int, int]]:
        """(first run, run after the last) of parts of about `AT_ONCE` polls. No rank is in two."""
        if not len(self.rank):
            return []
        heads = np.flatnonzero(np.append(True, self.rank[1:] != self.rank[:-1]))
        before = (self.ends - self.count)[heads]
        at = np.searchsorted(before, np.arange(0, int(self.ends[-1]), AT_ONCE), "right") - 1
        cuts = np.append(np.unique(heads[at]), len(self.rank)).tolist()
        return list(pairwise(cuts))

    def fill(
        self, part: tuple[int, int], numbers: Ints, into: Polls, window: tuple[int, int]
    ) -> tuple[int, int]:
        """Put the polls of a part of the runs in their places. Returns where those in the window
        begin and end."""
        runs = slice(*part)
        count = self.count[runs]
        begin, end = int(self.ends[part[0]] - count[0]), int(self.ends[part[1] - 1])
        at = np.arange(begin, end)
        at += np.repeat(self.starts[runs] - (self.ends[runs] - count), count)
        mine = into.of(slice(begin, end))
        mine.time[:] = numbers[at]
        mine.time[:] &= LOW_BITS
        np.bitwise_and(mine.time, 1, out=mine.status, casting="unsafe")
        mine.time[:] >>= 1
        mine.time[:] += np.repeat(self.begun[runs], count)
        mine.store[:] = np.repeat(self.rank[runs], count)
        _put_right(mine)
        inside = (mine.time >= window[0]) & (mine.time < window[1])
        if inside.all():
            return begin, end
        few = mine.of(inside)
        _copy(few, into, begin)
        return begin, begin + len(few)


def _put_right(found: Polls) -> None:
    """Sort the polls of the ranks that are out of order. They take each other's places."""
    falls = np.flatnonzero(found.time[1:] <= found.time[:-1])
    falls = falls[found.store[falls + 1] == found.store[falls]]
    if not len(falls):
        return
    places = np.flatnonzero(np.isin(found.store, found.store[falls]))
    some = found.of(places)
    first = some.store[0]  # so that the numbers that are sorted are small
    _, time, status = keys.sorted_columns(some.store - first, some.time, some.status)
    found.time[places], found.status[places] = time, status


def _closed_up(found: Polls, filled: list[tuple[int, int]]) -> Polls:
    """The polls of the filled stretches alone, moved together."""
    end = 0
    for begin, after in filled:
        if begin > end:
            _copy(found.of(slice(begin, after)), found, end)
        end += after - begin
    return found if end == len(found) else found.of(slice(0, end))


def _copy(polls: Polls, into: Polls, at: int) -> None:
    places = slice(at, at + len(polls))
    into.store[places], into.time[places] = polls.store, polls.time
    into.status[places] = polls.status


def decode(blocks: Sequence[Stored]) -> Runs:
    """The runs of blocks."""
    periods, stores, counts, data = zip(*blocks, strict=True) if blocks else ((),) * 4
    count = np.frombuffer(b"".join(counts), "<u4").astype(np.int64)
    store = np.frombuffer(b"".join(stores), "<i4").astype(np.int64)
    runs = np.array([len(part) // 4 for part in stores], np.int64)
    begun = np.repeat(np.array(periods, np.int64) << PERIOD_BITS, runs)
    buffer = b"".join((*data, b"\0" * (8 - POLL_BYTES)))
    numbers: Ints = np.ndarray((len(buffer) // POLL_BYTES,), "<i8", buffer, strides=(POLL_BYTES,))
    return Runs(store, count, begun, numbers)
