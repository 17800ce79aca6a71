"""The open clock: a counter that runs only while a store is open. Pure.

It counts *half microseconds*, through all stores' intervals one after the other, so that a
midpoint of two instants is a whole number, open time is a difference of two readings, and closed
hours have no length. One store open from 9 to 12 and from 17 to 20 (in hours, not doubled)::

    instant   9    10    11    12 - - - - 17    18    19    20
    reading   0     1     2     3 ======= 3     4     5     6      next store: 6 ...

The closing at 12 and the opening at 17 have one reading.
"""

import numpy as np
from numpy.typing import NDArray

from restmon.core.intervals import OpenIntervals
from restmon.core.keys import KeySpace

Ints = NDArray[np.int64]


class OpenClock:
    """The open clock of a set of intervals.

    Parameters
    ----------
    intervals : OpenIntervals
        Of all stores.
    space : KeySpace
        Covers all stores, all instants of the intervals, and all instants in queries.

    Attributes
    ----------
    total : int64 array, one longer than the intervals
        The reading at the start of each interval, and at the end of the last.
    """

    def __init__(self, intervals: OpenIntervals, space: KeySpace) -> None:
        self.intervals = intervals
        self.space = space
        self.start_key = space.keys(intervals.store, intervals.start)
        length = 2 * (intervals.end - intervals.start)
        self.total = np.zeros(len(length) + 1, np.int64)
        np.cumsum(length, out=self.total[1:])

    def begin_of(self, store: Ints) -> Ints:
        """Return the reading before each store's first interval."""
        return self.total[self.intervals.first[store]]

    def end_of(self, store: Ints) -> Ints:
        """Return the reading after each store's last interval."""
        return self.total[self.intervals.first[store + 1]]

    def at(self, store: Ints, doubled: int | Ints) -> Ints:
        """Return the reading of each (store, instant).

        Parameters
        ----------
        store : int64 array
        doubled : int, or int64 array of the same shape
            Instants in half microseconds. In closed hours it is the reading of the closing.

        Returns
        -------
        int64 array of the shape of ``store``, half microseconds
        """
        if not len(self.start_key):
            return np.zeros(len(store), np.int64)
        doubled = np.broadcast_to(np.asarray(doubled, np.int64), store.shape)
        key = self.space.clipped_keys(store, doubled >> 1)
        p = np.searchsorted(self.start_key, key, "right") - 1
        before = p < self.intervals.first[store]
        p = np.maximum(p, 0)
        gone = np.clip(doubled - 2 * self.intervals.start[p], 0, self.total[p + 1] - self.total[p])
        return np.where(before, self.begin_of(store), self.total[p] + gone)

    def open_at(self, store: Ints, doubled: Ints) -> NDArray[np.bool_]:
        """Return whether each store is open at an instant (half microseconds): bool arrays of the
        shape of ``store``."""
        if not len(self.start_key):
            return np.zeros(len(store), bool)
        key = self.space.clipped_keys(store, doubled >> 1)
        p = np.searchsorted(self.start_key, key, "right") - 1
        after_start = (p >= self.intervals.first[store]) & (p >= 0)
        return after_start & (doubled < 2 * self.intervals.end[np.maximum(p, 0)])

    def instants(self, reading: Ints, *, closing: bool) -> Ints:
        """Return the instants at which the clock shows each reading.

        Parameters
        ----------
        reading : int64 array, half microseconds
        closing : bool
            If closed hours have this reading: return the closing before them, and not the opening
            after them.

        Returns
        -------
        int64 array of the same shape, whole microseconds, rounded down
        """
        side = "left" if closing else "right"
        p = np.searchsorted(self.total, reading, side) - 1  # type: ignore[call-overload]
        p = np.clip(p, 0, len(self.intervals.start) - 1)
        return self.intervals.start[p] + (reading - self.total[p]) // 2

    def doubled_instants(self, interval: Ints, reading: Ints) -> Ints:
        """Return the instants, in half microseconds, at which the clock shows each reading, each
        in the interval (an index) given for it."""
        return 2 * self.intervals.start[interval] + reading - self.total[interval]

    def cut(self, begin: Ints, end: Ints) -> tuple[Ints, Ints, Ints, Ints]:
        """Cut stretches of the clock at every closing inside them.

        Parameters
        ----------
        begin, end : int64 arrays of one length, readings
            Stretches [begin, end).

        Returns
        -------
        index of the stretch, index of the interval, begin, end : int64 arrays
            One entry for each piece, in the order of the stretches, then of time. A stretch
            without length has no piece.
        """
        n, before = cut_at(self.total, begin, end)
        interval = before - 1
        return (
            n,
            interval,
            np.maximum(begin[n], self.total[interval]),
            np.minimum(end[n], self.total[interval + 1]),
        )


def cut_at(points: Ints, begin: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Cut stretches at each of some sorted points inside them.

    Stretches [2, 7) and [8, 9) cut at 0, 3, 5, 9 give three pieces of the first, [2, 3), [3, 5)
    and [5, 7), and one of the second: the results are (0, 0, 0, 1) and (1, 2, 3, 3).

    Parameters
    ----------
    points : int64 array, sorted
    begin, end : int64 arrays of one length
        Stretches [begin, end), in the unit of the points.

    Returns
    -------
    index of the stretch, number of points at or before the piece : int64 arrays
        One entry for each piece, in the order of the stretches, then of time. A stretch without
        length has no piece.
    """
    first = np.searchsorted(points, begin, "right")
    last = np.searchsorted(points, end, "left")
    pieces = np.where(begin < end, last - first + 1, 0)
    n = np.repeat(np.arange(len(begin)), pieces)
    return n, first[n] + np.arange(len(n)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
