"""The polls of an import outside of memory, until they are written."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from restmon.core import keys
from restmon.ingest.poll_lines import PollLines

Ints = NDArray[np.int64]

CHUNK_LINES = 2_000_000
"""So many lines are sorted at once, and written at once."""


@dataclass(frozen=True)
class _Chunk:
    """Lines in files: by store, then time, those for one poll in their order."""

    folder: Path
    with_reasons: bool

    @classmethod
    def save(cls, folder: Path, lines: PollLines) -> "_Chunk":
        folder.mkdir()
        starts = np.flatnonzero(np.diff(lines.store, prepend=-1))
        columns = {
            "stores": lines.store[starts],
            "starts": np.append(starts, len(lines.store)),
            "time": lines.time,
            "status": lines.status,
            "reason": lines.reason,
        }
        for name, column in columns.items():
            if column is not None:
                np.save(folder / f"{name}.npy", column)
        return cls(folder, lines.reason is not None)

    def counts(self) -> tuple[Ints, Ints]:
        """The store numbers that have lines, and how many."""
        return self._load("stores"), np.diff(self._load("starts"))

    def lines_of(self, wanted: NDArray[np.bool_]) -> PollLines:
        """The lines of the stores that are ``wanted``, a mask by store number."""
        stores, lengths = self.counts()
        mine = wanted[stores]
        at = np.repeat(mine, lengths)
        return PollLines(
            np.repeat(stores[mine], lengths[mine]),
            self._take("time", at),
            self._take("status", at).astype(np.int8, copy=False),
            self._take("reason", at) if self.with_reasons else None,
        )

    def _load(self, name: str) -> Ints:
        column: Ints = np.load(self.folder / f"{name}.npy")
        return column

    def _take(self, name: str, at: NDArray[np.bool_]) -> Ints:
        # A mapping that ends here: what was read of the file counts as memory until then.
        column: Ints = np.load(self.folder / f"{name}.npy", mmap_mode="r")[at]
        return column


class StagedPolls:
    """Takes polls in the order of their lines, and gives them back store by store.

    ``folder`` is where they lie meanwhile; its owner removes it. ``count`` lines were added."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        self._latest: list[PollLines] = []
        self._lines = 0
        self._chunks: list[_Chunk] = []

    def add(self, lines: PollLines) -> None:
        """Take more lines."""
        if not len(lines.store):
            return
        self._latest.append(lines)
        self._lines += len(lines.store)
        self.count += len(lines.store)
        if self._lines >= CHUNK_LINES:
            self._put_aside()

    def _put_aside(self) -> None:
        lines = PollLines.join(self._latest).sorted()
        self._latest, self._lines = [], 0
        self._chunks.append(_Chunk.save(self.folder / f"polls-{len(self._chunks)}", lines))

    def flush(self) -> None:
        """Sort what is not yet sorted, once all lines are added."""
        if self._lines and self._chunks:
            self._put_aside()
        elif self._lines:
            self._latest = [PollLines.join(self._latest).sorted()]

    def by_row(self, rows: Ints) -> Iterator[PollLines]:
        """The lines, some stores at a time in the order of their ``rows`` (row ids, by store
        number), each time by store number, then time. Lines for one poll keep their order.

        What lies together in the database comes together here, so it is written once, however the
        files are ordered.
        """
        yield from self._latest
        if not self._chunks:
            return
        lines_of = np.zeros(len(rows), np.int64)
        for chunk in self._chunks:
            stores, counts = chunk.counts()
            lines_of[stores] += counts
        order = np.argsort(rows, kind="stable")
        before = np.cumsum(lines_of[order]) - lines_of[order]
        turn = np.empty(len(rows), np.int64)
        turn[order] = before // CHUNK_LINES
        for number in keys.distinct(turn[lines_of > 0]).tolist():
            yield from self._lines_of(turn == number)

    def _lines_of(self, wanted: NDArray[np.bool_]) -> Iterator[PollLines]:
        taken: list[PollLines] = []
        for chunk in self._chunks:
            lines = chunk.lines_of(wanted)
            if len(lines.store):
                taken.append(lines)
            if sum(len(part.store) for part in taken) >= 2 * CHUNK_LINES:  # a store with very many
                yield PollLines.join(taken).sorted()
                taken = []
        if taken:
            yield PollLines.join(taken).sorted() if len(taken) > 1 else taken[0]
