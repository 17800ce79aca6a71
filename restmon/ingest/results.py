"""The result of an import."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.storage.files import Kind

Ints = NDArray[np.int64]


@dataclass
class Counts:
    """Data lines of a file: read = new + updated + unchanged + rejected.

    Lines count as if applied one after the other: a second line for the same poll is *unchanged*
    when it says the same as the first, *updated* when not. A line of business hours is
    *unchanged* when the store has it already, or keeps what it had because another of its lines
    was rejected, or a later file of the import names it; *updated* when the store had other
    hours on that day, else *new*. *removed* are lines of business hours, of other hours on a date
    and of hourly sales that were there and are
    no longer, without an updated one in their place.
    """

    read: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    removed: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        mine, theirs = asdict(self), asdict(other)
        return Counts(**{name: mine[name] + theirs[name] for name in mine})


@dataclass
class Result:
    """What an import did: counts by kind, the first 1,000 rejected lines, the revision it made
    (None when nothing changed), and files (kind and key) that are demo data's and can go; the row
    ids of the stores it names, which of them it has polls of (bool), and whether any is new; and
    what else is to be told of the files (``notices``, sentences)."""

    counts: dict[str, Counts] = field(default_factory=dict)
    rejections: list[dict[str, Any]] = field(default_factory=list)
    revision: int | None = None
    orphans: list[tuple[Kind, str]] = field(default_factory=list)
    rows: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    polled: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))
    new_stores: bool = False
    notices: list[str] = field(default_factory=list)

    @property
    def total(self) -> Counts:
        """The counts of all files together."""
        return sum(self.counts.values(), Counts())

    def as_json(self) -> dict[str, Any]:
        """The total's counts, and ``kinds``: the counts of each kind."""
        return {**asdict(self.total), "kinds": {k: asdict(c) for k, c in self.counts.items()}}
