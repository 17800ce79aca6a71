"""Reads polls out of SQLite in bulk: all polls of a store as one text.

A row of its own for each poll takes ten times as long in Python's driver. So SQL packs the polls
of a store, or of a range, into a JSON array, and NumPy parses many arrays at once. A poll is its
distance in microseconds from a ``base`` before them all, with a minus sign where it was inactive.
With the base 1000::

    store 1: 1001 active, 1005 inactive    SQL packs   [1,-5]
    store 2: 1002 active                               [2]

    joined, with a 0 (no poll's distance) between the stores     1,-5,0,2
    parsed                                                       [ 1 -5  0  2 ]
    distances, and how many each store has                       [ 1 -5  2 ]   [ 2 1 ]
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Statuses = NDArray[np.int8]

EMPTY = "[]"
TEXT_AT_ONCE = 2**20
"""Characters that are parsed in one piece, which stays in the processor's cache."""
CHARACTERS_OF_A_POLL = 14
"""About how many characters a packed poll takes, with its comma."""


def pack(base: str) -> str:
    """The SQL expression that packs one store's polls; ``base`` is the SQL of an instant before
    all of them."""
    return (
        f"json_group_array(CASE status WHEN 1 THEN timestamp - {base} ELSE {base} - timestamp END)"
    )


def unpack(rows: Iterable[tuple[int, str]], base: int) -> tuple[Ints, Ints, Statuses]:
    """(number, timestamp, status) of the polls in rows of (number, packed polls), sorted by
    number, then timestamp; the numbers come in order."""
    numbers: list[int] = []
    texts: list[str] = []
    size = 0
    parts = [_parse([])]
    for number, text in rows:
        if len(text) > len(EMPTY):
            numbers.append(number)
            texts.append(text[1:-1])
            size += len(text)
        if size >= TEXT_AT_ONCE:
            parts.append(_parse(texts))
            texts, size = [], 0
    parts.append(_parse(texts))
    packed, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    number_of = np.repeat(np.array(numbers, np.int64), counts)
    time = np.abs(packed)
    falls = np.flatnonzero(time[1:] <= time[:-1])
    if (number_of[falls + 1] == number_of[falls]).any():
        # An aggregate promises no order, though reading along the key has always given one.
        order = np.lexsort((time, number_of))
        time, packed = time[order], packed[order]
    time += base
    return number_of, time, (packed > 0).view(np.int8)


def _parse(texts: list[str]) -> tuple[Ints, Ints]:
    """The numbers, none of them 0, in lists separated by commas, and how many each list has."""
    if not texts:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    found = np.fromstring(",0,".join(texts), np.int64, sep=",")
    zeros = np.flatnonzero(found == 0)
    counts = np.diff(zeros, prepend=-1, append=len(found)) - 1
    return np.delete(found, zeros), counts
