"""Outages from the same switch points as uptime (SEMANTICS.md, "An outage"). Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.timeline import Timeline

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Outages:
    """Outages of all stores, sorted by store, then start: arrays of one length.

    Attributes
    ----------
    store : int64 array
    start, end : int64 arrays, instants, rounded down
    open_time : int64 array
        The open time between them, half microseconds.
    ongoing : bool array
        The store was still down at ``as_of``, or when it last closed before.
    """

    store: Ints
    start: Ints
    end: Ints
    open_time: Ints
    ongoing: Flags

    def __len__(self) -> int:
        return len(self.store)

    def where(self, mask: Flags) -> "Outages":
        """Return the outages of a mask."""
        return Outages(
            self.store[mask],
            self.start[mask],
            self.end[mask],
            self.open_time[mask],
            self.ongoing[mask],
        )


def down_runs(line: Timeline) -> tuple[Ints, Ints]:
    """Return the first and last observation of each stretch in which a store is down.

    Returns
    -------
    first, last : int64 arrays of one length
        Indices of entries of the timeline, both included, in its order.
    """
    if not len(line.store):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    new_run = np.ones(len(line.store), bool)
    new_run[1:] = (line.store[1:] != line.store[:-1]) | (line.status[1:] != line.status[:-1])
    first = np.flatnonzero(new_run)
    last = np.append(first[1:], len(line.store)) - 1
    down = line.status[first] == 0
    return first[down], last[down]


@dataclass(frozen=True)
class DownRuns:
    """The runs of down time of all stores up to ``as_of``, on the open clock: arrays of one
    length, sorted by store, then time.

    Attributes
    ----------
    store, first, last : int64 arrays
        The store, and the first and last entry of the timeline.
    begin, end : int64 arrays
        Readings of the clock, end not after ``as_of``.
    now : int64 array
        The store's reading at ``as_of``.
    window_begin : int64 array
        The store's reading at ``since``.
    """

    store: Ints
    first: Ints
    last: Ints
    begin: Ints
    end: Ints
    now: Ints
    window_begin: Ints

    def where(self, mask: Flags) -> "DownRuns":
        """Return the runs of a mask."""
        return DownRuns(*(column[mask] for column in vars(self).values()))


def find_down_runs(
    line: Timeline, as_of: int, since: int | Ints, until: int | Ints | None = None
) -> DownRuns:
    """Return the runs that overlap [since, until), as `find_outages` does, on the open clock."""
    clock = line.clock
    first, last = down_runs(line)
    store = line.store[first]
    since_of, until_of = (
        np.broadcast_to(np.asarray(edge, np.int64), (line.stores,))[store]
        for edge in (since, as_of if until is None else until)
    )
    now = clock.at(store, 2 * as_of)
    earliest = line.time[np.searchsorted(line.store, store)]
    floor = clock.at(store, 2 * np.minimum(earliest, since_of))
    begin = np.maximum(line.begin[first], floor)
    end = np.minimum(line.end[last], now)
    window_begin = clock.at(store, 2 * since_of)
    window_end = np.minimum(end, clock.at(store, 2 * until_of))
    overlaps = np.maximum(begin, window_begin) < window_end
    return DownRuns(store, first, last, begin, end, now, window_begin).where(overlaps)


def find_outages(
    line: Timeline, as_of: int, since: int | Ints, until: int | Ints | None = None
) -> Outages:
    """Return the outages that overlap [since, until). None is cut at the edges.

    A store has the status of its first observation at all times before. An outage that begins with
    that observation has no known start. It is taken to start at the observation, or at ``since`` if
    that is earlier; in closed hours, at the next opening.

    Parameters
    ----------
    line : Timeline
    as_of : int
        An instant: no outage goes on beyond it.
    since, until : int, or int64 array of shape (stores,)
        Instants, for all stores or for each. ``until`` None: ``as_of``.
    """
    runs = find_down_runs(line, as_of, since, until)
    return Outages(
        runs.store,
        line.clock.instants(runs.begin, closing=False),
        line.clock.instants(runs.end, closing=True),
        runs.end - runs.begin,
        runs.end == runs.now,
    )
