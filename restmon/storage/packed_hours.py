"""The business hours of a store, packed into the bytes of one row.

A line is 24 bytes: day of week, start and end, each an int64, little endian. The view
``business_hours`` reads them with plain SQL (migration 0035).
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

NUMBERS = np.dtype("<i8")
LINE_BYTES = 3 * NUMBERS.itemsize


def pack_hours(hours: Ints) -> list[tuple[int, bytes]]:
    """Pack lines of business hours by store, in their order.

    Parameters
    ----------
    hours : int64 array of shape (lines, 4)
        Store row id, day of week, start, end.

    Returns
    -------
    list of (int, bytes)
        Store row id and packed lines of each store that has any, by row id.
    """
    hours = hours[np.argsort(hours[:, 0], kind="stable")]
    data = np.ascontiguousarray(hours[:, 1:], NUMBERS).tobytes()
    begins = np.flatnonzero(np.diff(hours[:, 0], prepend=np.int64(-1)))
    ends = np.append(begins[1:], len(hours)) * LINE_BYTES
    places = zip((begins * LINE_BYTES).tolist(), ends[: len(begins)].tolist(), strict=True)
    stores = hours[begins, 0].tolist()
    return [(store, data[a:b]) for store, (a, b) in zip(stores, places, strict=True)]


def unpack_hours(packed: Iterable[tuple[int, bytes]]) -> Ints:
    """Unpack what `pack_hours` packed.

    Returns
    -------
    int64 array of shape (lines, 4)
        Store row id, day of week, start, end, in the order of ``packed``.
    """
    stores, lines = tuple(zip(*packed, strict=True)) or ((), ())
    counts = [len(own) // LINE_BYTES for own in lines]
    hours = np.empty((sum(counts), 4), np.int64)
    hours[:, 0] = np.repeat(np.array(stores, np.int64), counts)
    hours[:, 1:] = np.frombuffer(b"".join(lines), NUMBERS).reshape(-1, 3)
    return hours
