"""Comparing polls that come in with those that are stored."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core import keys
from restmon.core.instants import DAY
from restmon.storage.poll_changes import INSERTED, PollChanges

Ints = NDArray[np.int64]
Statuses = NDArray[np.int8]
ReadRanges = Callable[[Ints, Ints, Ints], Iterator[tuple[Ints, Ints, Statuses]]]


@dataclass(frozen=True)
class Merged:
    """The outcome of a write of polls: how many were new, updated, or stored already with the same
    status, the earliest instant at which the data changed (None: they did not), and the
    ``changes`` by which it can be undone."""

    new: int
    updated: int
    unchanged: int
    earliest: int | None
    changes: PollChanges


@dataclass(frozen=True)
class Compared:
    """Which polls to write: masks of those that are ``new`` and of those that are stored with
    another status (``changed``), and the outcome once they are written."""

    new: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    merged: Merged


def compare_with_stored(
    row: Ints, time: Ints, first: Statuses, last: Statuses, read: ReadRanges
) -> Compared:
    """Compare polls (see :func:`restmon.storage.database.merge_polls`) with the stored ones, which
    ``read`` gives as :func:`restmon.storage.database.polls_in_ranges` does."""
    stored = np.full(len(row), INSERTED, np.int8)
    window = _windows(row, time)
    inserted: list[PollChanges] = []
    for n, stored_time, stored_status in read(window.store, window.lo, window.hi + 1):
        window.has_polls[n] = True
        a, b = window.starts[n[0]], window.ends[n[-1]]
        lengths = (window.ends - window.starts)[n[0] : n[-1] + 1]
        group = np.repeat(np.arange(n[0], n[-1] + 1), lengths)
        at = keys.find(group, time[a:b], n, stored_time)
        known = np.flatnonzero(at >= 0)
        stored[known + a] = stored_status[at[known]]
        fresh = (at < 0) & window.has_polls[group]
        if fresh.any():
            store, *stretches = _runs(group[fresh], time[a:b][fresh], n, stored_time)
            inserted.append(PollChanges(window.store[store], *stretches))
    new = stored == INSERTED
    changed = ~new & (stored != last)
    same = int((stored == first).sum())
    count = int(new.sum())
    changes = PollChanges.joined(
        [*inserted, window.without_polls(), _points(row[changed], time[changed], stored[changed])]
    )
    write = new | changed
    earliest = int(time[write].min()) if write.any() else None
    merged = Merged(count, len(row) - count - same, same, earliest, changes)
    return Compared(new, changed, merged)


@dataclass(frozen=True)
class _Windows:
    """The stretch of time that is read of each store: its row id, from ``lo`` to ``hi`` (both
    included), the place of its polls (``starts`` to ``ends``), and whether it ``has_polls``."""

    store: Ints
    lo: Ints
    hi: Ints
    starts: Ints
    ends: Ints
    has_polls: NDArray[np.bool_]

    def without_polls(self) -> PollChanges:
        """The windows without a stored poll: what is inserted there is all there is."""
        some = ~self.has_polls
        former = np.full(int(some.sum()), INSERTED, np.int64)
        return PollChanges(self.store[some], self.lo[some], self.hi[some], former)


def _windows(row: Ints, time: Ints) -> _Windows:
    """The window of each store, from its first poll to its last. A window of an hour or a day is
    the same for all stores, which costs little to read."""
    starts = np.flatnonzero(np.append(True, row[1:] != row[:-1])) if len(row) else np.empty(0, int)
    ends = np.append(starts[1:], len(row)) if len(row) else starts
    lo, hi = time[starts], time[ends - 1]
    if len(row) and int(hi.max()) - int(lo.min()) <= DAY:
        lo, hi = np.full_like(lo, lo.min()), np.full_like(hi, hi.max())
    return _Windows(row[starts], lo, hi, starts, ends, np.zeros(len(starts), bool))


def _runs(group: Ints, time: Ints, n: Ints, stored_time: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """(store, first, last, INSERTED) of the runs of polls of one store (``group``) that no stored
    poll (``n``, ``stored_time``) parts. All are sorted by store, then time; no poll is in both."""
    base = min(int(group[0]), int(n[0]))
    stores = np.concatenate([group, n]) - base
    order = keys.sort_order(stores, np.concatenate([time, stored_time]))
    before = np.cumsum(order >= len(group))[order < len(group)]
    begins = np.append(True, (group[1:] != group[:-1]) | (before[1:] != before[:-1]))
    at = np.flatnonzero(begins)
    last = np.append(at[1:], len(group)) - 1
    return group[at], time[at], time[last], np.full(len(at), INSERTED, np.int64)


def _points(row: Ints, time: Ints, former: Statuses) -> PollChanges:
    return PollChanges(row, time, time, former.astype(np.int64))
