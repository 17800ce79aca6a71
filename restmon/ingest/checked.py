"""The result of checking a batch of raw lines."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.ingest.batches import Rejection, shown
from restmon.ingest.values.base import Parsed

Ints = NDArray[np.int64]

OwnerDate = tuple[str, str, int]
"""A date of a store or a group: "store" or "group", its id or `same_name`, the date."""


def rejection(line: int, column: str, value: bytes, found: Parsed) -> Rejection:
    """Why a value of a line was rejected."""
    return Rejection(line, column, shown(value), found.reason(value))


@dataclass(frozen=True)
class Spoiled:
    """The stores whose hours in a file do not count because one of their lines was rejected.

    ``names`` are the stores that the lines name (int64 numbers of `StoreIds`). ``perhaps`` are ids
    that malformed lines may name; they count if there is such a store.
    """

    names: Ints
    perhaps: set[str]


@dataclass(frozen=True)
class Checked:
    """The result of checking a batch.

    ``values`` are the good rows by column, arrays of one length, and ``line`` is the line of each
    (one line of hours may make several rows). Each other line has an entry in ``rejections``, by
    line. ``read`` counts rows and bad lines. ``spoiled`` are the stores of business hours that do
    not count.

    Other hours also have the ``dates`` that do not count because one of their lines was rejected.
    Other hours and sales have ``owners``, the raw ids and names in rejected lines: once mended, the
    lines of these replace what is stored as a whole.
    """

    line: Ints
    values: dict[str, NDArray[Any]]
    rejections: list[Rejection]
    read: int
    spoiled: Spoiled | None = None
    dates: set[OwnerDate] = field(default_factory=set)
    owners: set[bytes] = field(default_factory=set)
