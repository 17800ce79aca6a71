"""The lines of a report's CSV, all at once.

A row is written into bytes of a fixed length, and the zeros that are left over are taken out::

    b  4 2 \\0 ,  1 2 . 5 0 \\0 \\0 \\n   ->   b42,12.50
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def write_lines(
    ids: NDArray[np.bytes_],
    columns: Sequence[Ints],
    mask: NDArray[np.bool_] | None = None,
) -> str:
    """The lines of stores and their numbers, each ended by a newline.

    ``ids`` has no id with a zero byte. ``columns`` have a number a store, in hundredths, 0 or more;
    they are written with two decimals. ``mask`` chooses among the stores (None: all).
    """
    if mask is not None:
        ids, columns = ids[mask], [column[mask] for column in columns]
    if not len(ids):
        return ""
    texts = _texts(max(int(column.max()) for column in columns))
    kinds: list[tuple[str, np.dtype]] = [("id", ids.dtype)]
    kinds += [(f"number {n}", texts.dtype) for n in range(len(columns))]
    rows = np.empty(len(ids), [*kinds, ("end", "S1")])
    rows["id"], rows["end"] = ids, b"\n"
    for n, column in enumerate(columns):
        rows[f"number {n}"] = texts[column]
    return rows.tobytes().translate(None, b"\0").decode()


def _texts(largest: int) -> NDArray[np.bytes_]:
    """A comma and the text of each number of hundredths up to the largest, such as ``,12.50``, with
    zeros for the digits that are not written."""
    number = np.arange(largest + 1)
    digits = max(3, len(str(largest)))
    found = np.zeros((largest + 1, digits + 2), np.uint8)
    found[:, 0] = ord(",")
    for place in range(digits):
        at = digits + 1 - place - (place >= 2)
        digit = ord("0") + number // 10**place % 10
        found[:, at] = np.where((place > 2) & (number < 10**place), 0, digit)
    found[:, digits - 1] = ord(".")
    return found.view(f"S{digits + 2}").ravel()
