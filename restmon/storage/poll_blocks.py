"""How polls lie in a block of bytes.

A block has polls of one ``period``, a stretch of about three days (2**38 microseconds), sorted by
store, then time. Three columns hold it::

    stores   4 bytes a store: its row id
    counts   4 bytes a store: how many polls it has
    data     5 bytes a poll: 2 * (microseconds since the period began) + status

With the store 7 polled at the 10th (active) and 12th microsecond, and the store 9 at the 3rd::

    stores   7 9        counts   2 1        data   21 24 6

All numbers are little endian. A poll of a real feed has about four bytes that nothing foretells, so
that a compression would take time and gain little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Statuses = NDArray[np.int8]
Flags = NDArray[np.bool_]
Stored = tuple[int, bytes, bytes, bytes]
"""A block as it is stored: its period, ``stores``, ``counts``, ``data``."""

PERIOD_BITS = 38
"""An instant's period is the instant without so many of its last bits."""
POLL_BYTES = 5


@dataclass(frozen=True)
class Polls:
    """Polls in arrays of one length: store row id and instant (int64), status (int8)."""

    store: Ints
    time: Ints
    status: Statuses

    def __len__(self) -> int:
        return len(self.time)

    def of(self, chosen: Ints | Flags | slice) -> "Polls":
        """The polls at the indices, or under the mask."""
        return Polls(self.store[chosen], self.time[chosen], self.status[chosen])

    @classmethod
    def joined(cls, *parts: "Polls") -> "Polls":
        """All parts, one after the other."""
        return cls(
            np.concatenate([part.store for part in parts]),
            np.concatenate([part.time for part in parts]),
            np.concatenate([part.status for part in parts]),
        )


def encode(polls: Polls, period: int) -> tuple[bytes, bytes, bytes]:
    """The ``stores``, ``counts`` and ``data`` of a block of polls of one period, sorted by store,
    then time."""
    begins = np.flatnonzero(np.append(True, polls.store[1:] != polls.store[:-1]))
    counts = np.diff(np.append(begins, len(polls)))
    stores = polls.store[begins]
    return stores.astype("<i4").tobytes(), counts.astype("<u4").tobytes(), pack(polls, period)


def pack(polls: Polls, period: int) -> bytes:
    """The ``data`` of polls of one period: `POLL_BYTES` each."""
    numbers = polls.time - (period << PERIOD_BITS) << 1
    numbers |= polls.status
    return numbers.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :POLL_BYTES].tobytes()


def checksum(stored: Stored) -> int:
    """By which damage of a block is found out: SQLite looks after its own structure alone."""
    period, stores, counts, data = stored
    return crc32(data, crc32(counts, crc32(stores, period & 0xFFFFFFFF)))


def is_whole(stored: Stored, checksum_of_it: object) -> bool:
    """Whether a block is as it was written."""
    period, *columns = stored
    sound = isinstance(period, int) and all(isinstance(column, bytes) for column in columns)
    return sound and checksum(stored) == checksum_of_it


def chosen(blocks: Sequence[Stored], stores: Ints) -> list[Stored]:
    """The blocks with the polls of some stores alone (row ids, sorted)."""
    found = []
    for period, block_stores, counts, data in blocks:
        here = np.frombuffer(block_stores, "<i4")
        at = np.searchsorted(stores, here)
        mine = np.flatnonzero(
            (at < len(stores)) & (stores[np.minimum(at, len(stores) - 1)] == here)
        )
        if not len(mine):
            continue
        if len(mine) == len(here):
            found.append((period, block_stores, counts, data))
            continue
        count = np.frombuffer(counts, "<u4")
        end = np.cumsum(count, dtype=np.int64) * POLL_BYTES
        pieces = (data[end[n] - int(count[n]) * POLL_BYTES : end[n]] for n in mine.tolist())
        found.append(
            (period, here[mine].tobytes(), count[mine].tobytes(), b"".join(pieces)),
        )
    return found
