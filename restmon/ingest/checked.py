"""What comes of a batch of raw lines once it is checked."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.ingest.batches import Rejection, shown
from restmon.ingest.values.base import Parsed

Ints = NDArray[np.int64]

OwnerDate = tuple[str, str, int]
"""A date of a store or a group: "store" or "group", its id or name as it is compared, the date."""


def rejection(line: int, column: str, value: bytes, found: Parsed) -> Rejection:
    """Why a value of a line was rejected."""
    return Rejection(line, column, shown(value), found.reason(value))


@dataclass(frozen=True)
class Spoiled:
    """The stores whose hours in a file are not taken, as a line of theirs was rejected: those
    that the line ``names`` (int64 numbers of `StoreIds`), and those it may name: ids that are
    stores' if there is a store of that id (``perhaps``)."""

    names: Ints
    perhaps: set[str]


@dataclass(frozen=True)
class Checked:
    """What came of a batch: the ``values`` of the good rows by column, arrays of one length, and
    the ``line`` that each is from (of hours one line may make several rows); one of the
    ``rejections`` for each other line, by line; the number of rows and bad lines ``read``; and of
    business hours the stores that are ``spoiled``.

    Of other hours, the ``dates`` that are not taken, as a line of theirs was rejected. Of other
    hours and sales, the ids and names (raw) of the rejected lines (``owners``): mended, the lines
    of these replace what is kept whole.
    """

    line: Ints
    values: dict[str, NDArray[Any]]
    rejections: list[Rejection]
    read: int
    spoiled: Spoiled | None = None
    dates: set[OwnerDate] = field(default_factory=set)
    owners: set[bytes] = field(default_factory=set)
