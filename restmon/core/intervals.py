"""Open intervals of all stores, as arrays: merging and querying them. Pure.

Instants are int64 microseconds since the epoch, UTC.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.keys import KeySpace

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class OpenIntervals:
    """Merged open intervals [start, end), sorted by store, then start.

    Attributes
    ----------
    store, start, end : int64 arrays of one length
        The store's index, and the two instants. Intervals of one store neither overlap nor touch.
    first : int64 array, one longer than there are stores
        Store s owns the intervals ``first[s]`` to ``first[s + 1] - 1``.
    """

    store: Ints
    start: Ints
    end: Ints
    first: Ints

    @classmethod
    def none(cls, stores: int) -> "OpenIntervals":
        """Return no interval, for a number of stores."""
        nothing = np.empty(0, np.int64)
        return cls(nothing, nothing, nothing, np.zeros(stores + 1, np.int64))

    @property
    def stores(self) -> int:
        """How many stores there are, with or without an interval."""
        return len(self.first) - 1

    def open_at(self, instant: int | Ints) -> Flags:
        """Return whether each store is open at an instant.

        Parameters
        ----------
        instant : int, or int64 array of shape (stores,)
            One instant for all stores, or one for each.

        Returns
        -------
        bool array of shape (stores,)
        """
        of_store = np.broadcast_to(np.asarray(instant, np.int64), (self.stores,))
        now = of_store[self.store]
        result = np.zeros(self.stores, bool)
        result[self.store[(self.start <= now) & (now < self.end)]] = True
        return result

    def clipped(self, lo: int | Ints, hi: int | Ints) -> "OpenIntervals":
        """Return the intervals cut to [lo, hi): one pair of instants for all stores, or arrays of
        shape (stores,)."""
        lo_of, hi_of = (
            np.broadcast_to(np.asarray(edge, np.int64), (self.stores,)) for edge in (lo, hi)
        )
        start = np.maximum(self.start, lo_of[self.store])
        end = np.minimum(self.end, hi_of[self.store])
        some = start < end
        store = self.store[some]
        first = np.searchsorted(store, np.arange(self.stores + 1))
        return OpenIntervals(store, start[some], end[some], first)


def merge(stores: int, store: Ints, start: Ints, end: Ints) -> OpenIntervals:
    """Sort intervals, and join those of one store that overlap or touch.

    Parameters
    ----------
    stores : int
        How many stores there are.
    store, start, end : int64 arrays of one length
        Intervals [start, end), none of them empty, in any order.

    Raises
    ------
    ValueError
        When the keys of (store, instant) do not fit into 64 bits (see `KeySpace`).
    """
    if not len(store):
        return OpenIntervals.none(stores)
    lo, hi = int(start.min()), int(end.max())
    space = KeySpace.covering(stores, lo, hi)
    key = space.keys(store, start)
    order = np.argsort(key, kind="stable")
    key, store = key[order], store[order]
    # Keys of a store's ends never reach the next store's, so the running maximum is per store.
    end_key = np.maximum.accumulate(space.keys(store, end[order]))
    begins = np.ones(len(key), bool)
    begins[1:] = key[1:] > end_key[:-1]
    at = np.flatnonzero(begins)
    last = np.append(at[1:], len(key)) - 1
    owner = store[at]
    return OpenIntervals(
        owner,
        key[at] - owner * space.span + lo,
        end_key[last] - owner * space.span + lo,
        np.searchsorted(owner, np.arange(stores + 1)),
    )


def replace_intervals(intervals: OpenIntervals, chosen: Ints, by: OpenIntervals) -> OpenIntervals:
    """Return the intervals with those of some stores replaced.

    Parameters
    ----------
    intervals : OpenIntervals
        Of all stores.
    chosen : int64 array, sorted
        The stores whose intervals are replaced.
    by : OpenIntervals
        Its store n is store ``chosen[n]`` of ``intervals``.
    """
    stores = intervals.stores
    other = np.ones(stores, bool)
    other[chosen] = False
    kept = other[intervals.store]
    store = np.concatenate([intervals.store[kept], chosen[by.store]])
    order = np.argsort(store, kind="stable")
    store = store[order]
    return OpenIntervals(
        store,
        np.concatenate([intervals.start[kept], by.start])[order],
        np.concatenate([intervals.end[kept], by.end])[order],
        np.searchsorted(store, np.arange(stores + 1)),
    )
