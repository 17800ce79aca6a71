"""Lines of polls as columns, on their way into the database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from restmon.core import keys
from restmon.ingest.poll_reasons import NONE

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PollLines:
    """Lines of polls: store number, instant, status and the number of the reason (None: no line
    has one), arrays of one length."""

    store: Ints
    time: Ints
    status: NDArray[np.int8]
    reason: Ints | None = None

    @classmethod
    def join(cls, parts: "Sequence[PollLines]") -> "PollLines":
        """The lines of several parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        columns = zip(*((part.store, part.time, part.status) for part in parts), strict=True)
        joined = cls(*(np.concatenate(column) for column in columns))
        if all(part.reason is None for part in parts):
            return joined
        return replace(joined, reason=np.concatenate([part.reasons for part in parts]))

    @property
    def reasons(self) -> Ints:
        """The numbers of the reasons, also where no line has one."""
        return np.full(len(self.store), NONE) if self.reason is None else self.reason

    def sorted(self) -> "PollLines":
        """By store, then time; lines for one poll in the order given."""
        if self.reason is None:
            return PollLines(*keys.sorted_columns(self.store, self.time, self.status))
        order = keys.sort_order(self.store, self.time)
        return PollLines(
            self.store[order], self.time[order], self.status[order], self.reason[order]
        )
