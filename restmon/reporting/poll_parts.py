"""The polls of a snapshot, in two parts, so that an hour's polls are not merged into millions at
once."""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.core.observations import Polls

FOR_EVER = 2**62
LATE_SHARE = 4
"""The later part is joined to the other when it is larger than this part of it."""


class PollParts:
    """Polls in two parts: each of the second is later than all of the first. Safe to use from
    several threads."""

    def __init__(self, early: Polls, late: Polls | None = None) -> None:
        self._parts = early, late or Polls.none()
        self._lock = threading.Lock()

    def joined(self) -> Polls:
        """All of them. They are merged once."""
        with self._lock:
            early, late = self._parts
            if len(late.time):
                self._parts = append_polls(early, late), Polls.none()
            return self._parts[0]

    def between(self, lo: int, hi: int) -> Polls:
        """Those with lo <= time <= hi."""
        early, late = self._parts
        return append_polls(early.between(lo, hi), late.between(lo, hi))

    def newest(self, until: int) -> int | None:
        """The instant of the newest one at or before ``until``, or None."""
        for part in reversed(self._parts):
            if part.ends is not None and part.ends[0] <= until:
                newest = part.ends[1]
                return newest if newest <= until else int(part.time[part.time <= until].max())
        return None

    def replaced(self, changed_from: int, later: Polls) -> "PollParts":
        """The same with ``later`` in the place of those at or after ``changed_from``."""
        early, late = self._parts
        early = early.between(-FOR_EVER, changed_from - 1)
        late = append_polls(late.between(-FOR_EVER, changed_from - 1), later)
        if LATE_SHARE * len(late.time) > len(early.time):
            return PollParts(append_polls(early, late))
        return PollParts(early, late)

    def __len__(self) -> int:
        early, late = self._parts
        return len(early.time) + len(late.time)


def append_polls(earlier: Polls, later: Polls) -> Polls:
    """The polls of both. All of the first must be earlier than all of the second."""
    if not len(earlier.store) or not len(later.store):
        return earlier if len(earlier.store) else later
    # Each of the later polls comes after all of its store's earlier ones.
    at = np.searchsorted(earlier.store, later.store, side="right") + np.arange(len(later.store))
    is_earlier = np.ones(len(earlier.store) + len(later.store), bool)
    is_earlier[at] = False

    def join(first: NDArray[Any], then: NDArray[Any]) -> NDArray[Any]:
        joined = np.empty(len(is_earlier), first.dtype)
        joined[is_earlier], joined[at] = first, then
        return joined

    return Polls(
        join(earlier.store, later.store),
        join(earlier.time, later.time),
        join(earlier.status, later.status),
    )
