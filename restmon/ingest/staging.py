"""The first half of an import: reads and checks every line, and stages the good ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.ingest import arrow_arrays
from restmon.ingest.allowed import Allowed
from restmon.ingest.batches import Rejection
from restmon.ingest.checked import Spoiled
from restmon.ingest.choices import NO_CHOICES, Choices
from restmon.ingest.csv_reader import read_batches
from restmon.ingest.file_sources import Source, TableInFile
from restmon.ingest.headers import BUSINESS_HOURS, DIRECTORY, OTHER_HOURS, POLLS, SALES, TIMEZONES
from restmon.ingest.optional_feeds import OptionalFeeds
from restmon.ingest.poll_lines import PollLines
from restmon.ingest.poll_reasons import ReasonNumbers
from restmon.ingest.rejected import GOOD_LINE, RejectedLines
from restmon.ingest.results import Counts
from restmon.ingest.validation import checker_of
from restmon.ingest.values.base import trimmed
from restmon.ingest.values.store_ids import StoreIds
from restmon.ingest.values.texts import GroupNames

CHUNK_LINES = 2_000_000
WHOLE = (BUSINESS_HOURS, OTHER_HOURS, SALES)
"""The kinds whose lines together replace everything that a store has of the kind."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SourceFile:
    """One table to import: its ``kind`` (see `headers.COLUMNS`), the path of its file, its name for
    people, its place in the file (``member``, see `file_sources.TableInFile`), the user's choices,
    sentences about it besides its rejected lines (``notices``), and whether the actor may change
    groups (``with_groups``)."""

    kind: str
    path: Path
    name: str
    member: tuple[str, ...] = ()
    choices: Choices = NO_CHOICES
    notices: tuple[str, ...] = ()
    with_groups: bool = True

    @property
    def source(self) -> Source:
        """Where the table is read."""
        return TableInFile(self.path, self.member) if self.member else self.path


class Staging:
    """The good lines of all files of an import, checked and sorted, outside of the database until
    they are written."""

    def __init__(self, folder: Path, rejected: RejectedLines, allowed: Allowed) -> None:
        self.folder = folder
        self.rejected = rejected
        self.ids = StoreIds(allowed.permitted)
        self.allowed = allowed
        self.feeds = OptionalFeeds(GroupNames(allowed.groups))
        self.reasons = ReasonNumbers()
        self.counts: dict[str, Counts] = {}
        self.hours: list[Ints] = []
        self.hours_from: list[Path] = []
        self.zones: list[tuple[Ints, NDArray[np.object_]]] = []
        self.spoiled: list[Spoiled] = []
        self.notices: list[str] = []
        self._polls: list[PollLines] = []
        self._lines = 0
        self._chunks: list[Path] = []
        self.poll_lines = 0

    def read(
        self,
        file: SourceFile,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        """Check all lines of a file and stage the good ones."""
        counts = self.counts.setdefault(file.kind, Counts())
        checker = checker_of(
            file.source, file.name, file.kind, self.ids, self.allowed.latest, file.choices
        )
        checker.groups, checker.with_groups = self.feeds.groups, file.with_groups
        spoiled: list[Spoiled] = []
        owners: set[bytes] = set()
        reasons: dict[int, str] = {}
        columns = file.choices.columns
        limits = self.allowed.limits
        for batch in read_batches(file.source, file.name, file.kind, progress, limits, columns):
            found = checker.check(batch)
            self.rejected.first.add(file.name, found.rejections)
            counts.read += found.read
            counts.rejected += len(found.rejections)
            values = list(found.values.values())
            if file.kind == BUSINESS_HOURS:
                self.hours.append(np.column_stack(values))
                self.hours_from.append(file.path)
            elif file.kind in (DIRECTORY, OTHER_HOURS, SALES):
                self.feeds.add(file.kind, file.name, found)
            if file.kind in WHOLE:
                reasons |= {r.line: _problem(r) for r in found.rejections}
                spoiled += [found.spoiled] if found.spoiled else []
                owners |= found.owners
                continue
            self.rejected.write(
                file.name,
                batch.header,
                ((r.line, _problem(r), batch.cells(r.line)) for r in found.rejections),
            )
            if file.kind == POLLS:
                store, time, status = values[:3]
                self._add_polls(PollLines(store, time, status, self._reasons_of(found.values)))
            elif file.kind == TIMEZONES:
                self.zones.append((values[0], values[1]))
        self.notices += checker.notices
        if reasons:
            for bad in spoiled:
                owners |= {self.ids.names[number].encode() for number in bad.names.tolist()}
                owners |= {name.encode() for name in bad.perhaps}
            self._write_rejected_whole(file, owners, reasons)
        self.spoiled += spoiled

    def _reasons_of(self, values: dict[str, NDArray[Any]]) -> Ints | None:
        """The numbers of the polls' reasons, or None if no poll has one."""
        if "reason" not in values:
            return None
        codes = self.reasons.codes(values["reason"])
        return codes if codes.any() else None

    def _write_rejected_whole(
        self, file: SourceFile, owners: set[bytes], reasons: dict[int, str]
    ) -> None:
        """Put into the file of rejected lines all lines of the stores (and groups) that have one:
        mended and imported again, it replaces what these have whole."""
        columns = file.choices.columns
        for batch in read_batches(file.source, file.name, file.kind, chosen=columns):
            lines: set[int] = set()
            for column in batch.columns.keys() & {"store_id", "group"}:
                encoded = batch.columns[column].dictionary_encode()
                wanted = [trimmed(value) in owners for value in encoded.dictionary.to_pylist()]
                theirs = np.array(wanted, bool)[arrow_arrays.to_ints(encoded.indices)]
                lines |= set(batch.line[theirs].tolist())
            lines |= reasons.keys() & set(batch.line.tolist())
            lines |= {bad.line for bad in batch.malformed}
            self.rejected.write(
                file.name,
                batch.header,
                ((n, reasons.get(n, GOOD_LINE), batch.cells(n)) for n in sorted(lines)),
            )

    def _add_polls(self, polls: PollLines) -> None:
        self._polls.append(polls)
        self._lines += len(polls.store)
        self.poll_lines += len(polls.store)
        if self._lines >= CHUNK_LINES:
            self._put_aside()

    def _put_aside(self) -> None:
        """Sort the polls gathered so far and write them as one chunk."""
        chunk = PollLines.join(self._polls).sorted()
        self._polls, self._lines = [], 0
        path = self.folder / f"polls-{len(self._chunks)}.npz"
        columns: dict[str, Any] = {k: v for k, v in vars(chunk).items() if v is not None}
        np.savez(path, **columns)
        self._chunks.append(path)

    def flush(self) -> None:
        """Sort what is not yet sorted, once all files are read."""
        self._polls = [PollLines.join(self._polls).sorted()] if self._lines else []

    def sorted_polls(self) -> Iterator[PollLines]:
        """The polls, a chunk at a time in the order of the files, each by store, then time."""
        for path in self._chunks:
            with np.load(path) as chunk:
                yield PollLines(**chunk)
        yield from self._polls

    @property
    def empty(self) -> bool:
        """Whether no line names a store."""
        named = self.ids.names or not self.feeds.empty
        return not named and not any(found.perhaps for found in self.spoiled)


def _problem(rejection: Rejection) -> str:
    return f"{rejection.column}: {rejection.reason}" if rejection.column else rejection.reason
