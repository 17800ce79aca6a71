"""Comparing polls that come in with those that are stored."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon import keys

Ints = NDArray[np.int64]
Statuses = NDArray[np.int8]
ReadRanges = Callable[[Ints, Ints, Ints], Iterator[tuple[Ints, Ints, Statuses]]]


@dataclass(frozen=True)
class Merged:
    """Counts of polls that were new, updated, or there already with the same status, and the
    earliest instant (microseconds) at which the data changed, None when they did not."""

    new: int
    updated: int
    unchanged: int
    earliest: int | None


@dataclass(frozen=True)
class Compared:
    """What is to be written: masks of the polls that are ``new`` and of those that are stored
    with another status (``changed``); and the outcome once that is done."""

    new: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    merged: Merged


def compare(row: Ints, time: Ints, first: Statuses, last: Statuses, read: ReadRanges) -> Compared:
    """Compare polls (see :func:`restmon.database.merge_polls`) with the stored ones, which
    ``read`` gives as :func:`restmon.database.polls_in_ranges` does."""
    new, changed = np.ones(len(row), bool), np.zeros(len(row), bool)
    updated = unchanged = 0
    for at, stored in _stored_statuses(row, time, read):
        new[at] = False
        same = first[at] == stored
        unchanged += int(same.sum())
        updated += int((~same).sum())
        changed[at] = last[at] != stored
    write = new | changed
    earliest = int(time[write].min()) if write.any() else None
    return Compared(new, changed, Merged(int(new.sum()), updated, unchanged, earliest))


def _stored_statuses(row: Ints, time: Ints, read: ReadRanges) -> Iterator[tuple[Ints, Statuses]]:
    """(positions, stored status) of those of the polls that are in the database already."""
    starts = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
    ends = np.append(starts[1:], len(row))
    for n, stored_time, stored_status in read(row[starts], time[starts], time[ends - 1] + 1):
        a, b = starts[n[0]], ends[n[-1]]
        group = np.repeat(np.arange(n[0], n[-1] + 1), (ends - starts)[n[0] : n[-1] + 1])
        at = keys.find(group, time[a:b], n, stored_time)
        known = np.flatnonzero(at >= 0)
        yield known + a, stored_status[at[known]]
