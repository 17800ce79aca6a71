"""(store, instant) pairs as single sorted integers, for one-pass searches over all stores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

FEW = 1000


@dataclass(frozen=True)
class KeySpace:
    """Keys that sort as (store, instant) pairs do: ``store * span + (instant - origin)``.

    Each store has a stretch of ``span`` keys of its own, one after the other. With origin 100 and
    span 50::

        store      0               1               2
        instant    100 ... 149     100 ... 149     100 ... 149
        key          0 ...  49      50 ...  99     100 ... 149

        (1, 110) -> 1 * 50 + 10 = 60

    So one `numpy.searchsorted` over the keys of a sorted table looks up a pair for each of 14,000
    stores at once, and never finds one of another store.

    Attributes
    ----------
    origin : int
        The earliest instant, microseconds.
    span : int
        How many instants there are: ``origin <= instant < origin + span``.
    """

    origin: int
    span: int

    @classmethod
    def covering(cls, stores: int, lo: int, hi: int) -> "KeySpace":
        """Return the space of stores 0 to ``stores - 1`` and instants from lo to hi, both included.

        Raises
        ------
        ValueError
            When its keys do not fit into 64 bits. Those of four million stores over three weeks
            fit. For more, work on fewer stores at once.
        """
        span = hi - lo + 1
        if stores * span >= 2**63:
            raise ValueError(f"{stores} stores over {span} microseconds need more than 64 bits")
        return cls(lo, span)

    def keys(self, store: Ints, instant: Ints) -> Ints:
        """Return the int64 keys of pairs (int64 arrays of one length) inside the space."""
        key = np.multiply(store, self.span, dtype=np.int64)
        key += instant
        key -= self.origin
        return key

    def clipped_keys(self, store: Ints, instant: Ints) -> Ints:
        """Return the keys of pairs, with instants outside of the space moved to its edges."""
        return self.keys(store, np.clip(instant, self.origin, self.origin + self.span - 1))


def distinct(numbers: Ints) -> Ints:
    """Return the distinct ones of int64 numbers, sorted.

    ``np.unique`` loads ``numpy.ma`` and makes a hash table, which takes longer.
    """
    if not len(numbers):
        return numbers
    lo = int(numbers.min())
    if int(numbers.max()) - lo <= max(len(numbers), FEW):
        return np.flatnonzero(np.bincount(numbers - lo)) + lo
    ordered = np.sort(numbers)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])]


def sort_order(store: Ints, instant: Ints) -> Ints:
    """Return the stable order (indices, int64) of (store, instant) pairs, stores from 0."""
    if not len(store):
        return np.empty(0, np.int64)
    try:
        space = KeySpace.covering(int(store.max()) + 1, int(instant.min()), int(instant.max()))
    except ValueError:
        return np.lexsort((instant, store))
    return np.argsort(space.keys(store, instant), kind="stable")


def order_of_few(numbers: Ints) -> Ints:
    """Return the stable order (indices) of int64 numbers; quick where their range is narrow."""
    if not len(numbers):
        return np.empty(0, np.int64)
    numbers = numbers - numbers.min()
    # NumPy sorts 16 bits by counting.
    small = numbers.astype(np.uint16) if numbers.max() < 2**16 else numbers
    return np.argsort(small, kind="stable")


def sorted_columns(
    store: Ints, instant: Ints, status: NDArray[np.int8]
) -> tuple[Ints, Ints, NDArray[np.int8]]:
    """Return the columns sorted by (store, instant), equal pairs in the order given.

    Parameters
    ----------
    store, instant : int64 arrays of one length
        Stores count from 0.
    status : int8 array of the same length
        0 or 1.
    """
    if len(store):
        lo = int(instant.min())
        bits = (int(instant.max()) - lo).bit_length()
        if bits + int(store.max()).bit_length() < 63:
            # A row in one integer: sorting values is several times as fast as finding an order.
            packed = store << bits
            packed += instant
            packed -= lo
            packed <<= 1
            packed |= status
            packed.sort()
            pair = packed >> 1
            if not (pair[1:] == pair[:-1]).any():
                return pair >> bits, (pair & ((1 << bits) - 1)) + lo, (packed & 1).astype(np.int8)
    order = sort_order(store, instant)
    return store[order], instant[order], status[order]


def find(store: Ints, instant: Ints, in_store: Ints, in_instant: Ints) -> Ints:
    """Return where each (store, instant) pair stands in a table of pairs, -1 where it does not.

    Parameters
    ----------
    store, instant : int64 arrays of one length
        Sorted by store (from 0), then instant.
    in_store, in_instant : int64 arrays of one length
        The table, sorted in the same way, no pair twice.
    """
    if not len(store) or not len(in_store):
        return np.full(len(store), -1, np.int64)
    first = int(min(store[0], in_store[0]))
    stores = int(max(store[-1], in_store[-1])) - first + 1
    lo = int(min(instant.min(), in_instant.min()))
    hi = int(max(instant.max(), in_instant.max()))
    try:
        space = KeySpace.covering(stores, lo, hi)
    except ValueError:
        middle = first + stores // 2
        a, b = np.searchsorted(store, middle), np.searchsorted(in_store, middle)
        upper = find(store[a:], instant[a:], in_store[b:], in_instant[b:])
        lower = find(store[:a], instant[:a], in_store[:b], in_instant[:b])
        return np.concatenate([lower, np.where(upper < 0, -1, upper + b)])
    key, in_key = space.keys(store - first, instant), space.keys(in_store - first, in_instant)
    at = np.minimum(np.searchsorted(in_key, key), len(in_key) - 1)
    return np.where(in_key[at] == key, at, -1)
