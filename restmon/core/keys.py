"""(store, instant) pairs as single sorted integers, for one-pass searches over all stores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class KeySpace:
    """Keys ``store * span + (instant - origin)``: they sort as (store, instant) does.

    ``store`` counts from 0, ``origin <= instant < origin + span``.
    """

    origin: int
    span: int

    @classmethod
    def covering(cls, stores: int, lo: int, hi: int) -> "KeySpace":
        """The space of ``stores`` stores and instants from lo to hi, both included.

        Raises ValueError when its keys would not fit into 64 bits: four million stores over
        three weeks do, then work on fewer stores at once.
        """
        span = hi - lo + 1
        if stores * span >= 2**63:
            raise ValueError(f"{stores} stores over {span} microseconds need more than 64 bits")
        return cls(lo, span)

    def keys(self, store: Ints, instant: Ints) -> Ints:
        """The keys of pairs whose instants are inside the space."""
        key = np.multiply(store, self.span, dtype=np.int64)
        key += instant
        key -= self.origin
        return key

    def clipped_keys(self, store: Ints, instant: Ints) -> Ints:
        """The keys of pairs, instants outside the space moved to its edges."""
        return self.keys(store, np.clip(instant, self.origin, self.origin + self.span - 1))


def sort_order(store: Ints, instant: Ints) -> Ints:
    """The stable order of (store, instant) pairs, stores counted from 0."""
    if not len(store):
        return np.empty(0, np.int64)
    try:
        space = KeySpace.covering(int(store.max()) + 1, int(instant.min()), int(instant.max()))
    except ValueError:
        return np.lexsort((instant, store))
    return np.argsort(space.keys(store, instant), kind="stable")


def order_of_few(numbers: Ints) -> Ints:
    """The stable order of numbers of a narrow range (any other takes longer)."""
    if not len(numbers):
        return np.empty(0, np.int64)
    numbers = numbers - numbers.min()
    # NumPy sorts 16 bits by counting.
    small = numbers.astype(np.uint16) if numbers.max() < 2**16 else numbers
    return np.argsort(small, kind="stable")


def sorted_columns(
    store: Ints, instant: Ints, status: NDArray[np.int8]
) -> tuple[Ints, Ints, NDArray[np.int8]]:
    """The columns sorted by (store, instant), equal pairs in the order given.

    ``store`` counts from 0, ``status`` is 0 or 1.
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
    """Where each (store, instant) pair stands among the second ones, -1 where it does not.

    Both sorted by store (counted from 0), then instant; the second ones are distinct.
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
