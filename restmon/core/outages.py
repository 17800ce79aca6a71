"""Outages from the same switch points as uptime (SEMANTICS.md, "An outage"). Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.uptime import Timeline

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Outages:
    """Outages of all stores, sorted by store, then start: arrays of one length.

    ``start`` and ``end`` are int64 microseconds since the epoch, UTC, rounded down; ``open_time``
    is the open time between them in int64 half microseconds; ``ongoing`` (bool) says that the
    store was still down at ``as_of``, or when it last closed before.
    """

    store: Ints
    start: Ints
    end: Ints
    open_time: Ints
    ongoing: NDArray[np.bool_]


def down_runs(line: Timeline) -> tuple[Ints, Ints]:
    """(first, last): the indices of the observations between which each store is down without a
    break, in the timeline's order."""
    if not len(line.store):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    new_run = np.ones(len(line.store), bool)
    new_run[1:] = (line.store[1:] != line.store[:-1]) | (line.status[1:] != line.status[:-1])
    first = np.flatnonzero(new_run)
    last = np.append(first[1:], len(line.store)) - 1
    down = line.status[first] == 0
    return first[down], last[down]


def outages(line: Timeline, as_of: int, since: int, until: int | None = None) -> Outages:
    """The outages that overlap [since, until), none of them cut there (until None: ``as_of``).

    A store has its first observation's status all the way back. An outage that reaches back to
    that has no start of its own: it starts at that observation, or at ``since`` if that is
    earlier, or when the store opens next.
    """
    clock = line.clock
    first, last = down_runs(line)
    if not len(first):
        nothing = np.empty(0, np.int64)
        return Outages(nothing, nothing, nothing, nothing, np.empty(0, bool))
    store = line.store[first]
    now = clock.at(store, np.full(len(store), 2 * as_of, np.int64))
    window = clock.at(store, np.full(len(store), 2 * since, np.int64))
    earliest = line.time[np.searchsorted(line.store, store)]
    floor = clock.at(store, 2 * np.minimum(earliest, since))
    begin = np.maximum(line.begin[first], floor)
    end = np.minimum(line.end[last], now)
    over = end
    if until is not None:
        over = np.minimum(end, clock.at(store, np.full(len(store), 2 * until, np.int64)))
    kept = np.maximum(begin, window) < over
    store, begin, end, now = store[kept], begin[kept], end[kept], now[kept]
    return Outages(
        store,
        clock.instants(begin, closing=False),
        clock.instants(end, closing=True),
        end - begin,
        end == now,
    )
