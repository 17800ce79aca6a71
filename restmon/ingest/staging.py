"""The first half of an import: reads and checks every line, and stages the good ones."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from restmon.ingest.allowed import Allowed
from restmon.ingest.checked import Checked, Spoiled
from restmon.ingest.choices import NO_CHOICES, Choices
from restmon.ingest.file_sources import Source, TableInFile, size_of
from restmon.ingest.headers import BUSINESS_HOURS, DIRECTORY, OTHER_HOURS, POLLS, SALES, TIMEZONES
from restmon.ingest.plain_polls import read_plain
from restmon.ingest.poll_lines import PollLines
from restmon.ingest.poll_reasons import ReasonNumbers
from restmon.ingest.reading_ahead import read_ahead
from restmon.ingest.rejected import GOOD_LINE, RejectedLines, problem_of
from restmon.ingest.results import Counts
from restmon.ingest.staged_polls import StagedPolls
from restmon.ingest.values.base import rows_with
from restmon.ingest.values.store_ids import StoreIds
from restmon.ingest.values.texts import GroupNames

if TYPE_CHECKING:
    from restmon.ingest.optional_feeds import OptionalFeeds

WHOLE = (BUSINESS_HOURS, OTHER_HOURS, SALES)
"""The kinds whose lines together replace everything that a store has of the kind."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SourceFile:
    """One table to import: its ``kind`` (see `headers.COLUMNS`), the path of its file, its name for
    people, its place in the file (``member``, see `file_sources.TableInFile`), the user's choices,
    sentences about it besides its rejected lines (``notices``), and whether the actor may change
    groups (``with_groups``).

    ``upload`` is the key of a kept upload (`files.Kind.UPLOAD`), whose path is a worker's own."""

    kind: str
    path: Path
    name: str
    member: tuple[str, ...] = ()
    choices: Choices = NO_CHOICES
    notices: tuple[str, ...] = ()
    with_groups: bool = True
    upload: str | None = None

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
        self.groups = GroupNames(allowed.groups)
        self.feeds: OptionalFeeds | None = None
        self.reasons = ReasonNumbers()
        self.counts: dict[str, Counts] = {}
        self.hours: list[Ints] = []
        self.hours_from: list[Path] = []
        self.zones: list[tuple[Ints, NDArray[np.object_]]] = []
        self.spoiled: list[Spoiled] = []
        self.notices: list[str] = []
        self.polls = StagedPolls(folder)

    def read(
        self,
        file: SourceFile,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        """Check all lines of a file and stage the good ones."""
        self.counts.setdefault(file.kind, Counts())
        if file.kind == POLLS and self._read_plain(file):
            if progress:
                size = size_of(file.source)
                progress(size, size)
            return
        self._read_batches(file, progress)

    def _read_plain(self, file: SourceFile) -> bool:
        """Stage the polls of a file that is small and plain. Returns whether it is."""
        plain = read_plain(file.source, file.name, file.choices.columns, self.allowed)
        checked = None if plain is None else plain.check(self.ids, self.allowed.latest)
        if checked is None:
            return False
        self.rejected.first.add(file.name, [])
        self.take(POLLS, file.path, checked)
        return True

    def _read_batches(
        self,
        file: SourceFile,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        # PyArrow takes a tenth of a second to load. A small file of polls does not need it.
        from restmon.ingest.csv_reader import read_batches  # noqa: PLC0415
        from restmon.ingest.validation import checker_of  # noqa: PLC0415

        checker = checker_of(
            file.source, file.name, file.kind, self.ids, self.allowed.latest, file.choices
        )
        checker.groups, checker.with_groups = self.groups, file.with_groups
        spoiled: list[Spoiled] = []
        owners: set[bytes] = set()
        reasons: dict[int, str] = {}
        columns = file.choices.columns
        limits = self.allowed.limits
        done = (0, 0)

        def note(read: int, total: int) -> None:
            nonlocal done
            done = read, total

        batches = read_batches(file.source, file.name, file.kind, note, limits, columns)
        for batch in read_ahead(batches):
            found = checker.check(batch)
            if progress:
                progress(*done)
            self.rejected.first.add(file.name, found.rejections)
            self.take(file.kind, file.path, found)
            if file.kind in (DIRECTORY, OTHER_HOURS, SALES):
                self._add_to_feeds(file, found)
            if file.kind in WHOLE:
                reasons |= {r.line: problem_of(r) for r in found.rejections}
                spoiled += [found.spoiled] if found.spoiled else []
                owners |= found.owners
                continue
            self.rejected.write(
                file.name,
                batch.header,
                ((r.line, problem_of(r), batch.cells(r.line)) for r in found.rejections),
            )
        if progress:
            progress(*done)
        self.notices += checker.notices
        if reasons:
            for bad in spoiled:
                owners |= {self.ids.names[number].encode() for number in bad.names.tolist()}
                owners |= {name.encode() for name in bad.perhaps}
            self._write_rejected_whole(file, owners, reasons)
        self.spoiled += spoiled

    def take(self, kind: str, path: Path, found: Checked) -> None:
        """Count the checked lines of a batch, and stage the good ones of one of the three feeds."""
        counts = self.counts.setdefault(kind, Counts())
        counts.read += found.read
        counts.rejected += len(found.rejections)
        values = list(found.values.values())
        if kind == BUSINESS_HOURS:
            self.hours.append(np.column_stack(values))
            self.hours_from.append(path)
        elif kind == POLLS:
            store, time, status = values[:3]
            self.polls.add(PollLines(store, time, status, self._reasons_of(found.values)))
        elif kind == TIMEZONES:
            self.zones.append((values[0], values[1]))

    def _add_to_feeds(self, file: SourceFile, found: Checked) -> None:
        from restmon.ingest.optional_feeds import OptionalFeeds  # noqa: PLC0415 - see above

        if self.feeds is None:
            self.feeds = OptionalFeeds(self.groups)
        self.feeds.add(file.kind, file.name, found)

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
        from restmon.ingest.csv_reader import read_batches  # noqa: PLC0415

        columns = file.choices.columns
        for batch in read_batches(file.source, file.name, file.kind, chosen=columns):
            lines: set[int] = set()
            for column in batch.columns.keys() & {"store_id", "group"}:
                theirs = rows_with(batch.columns[column], owners)
                lines |= set(batch.line[theirs].tolist())
            lines |= reasons.keys() & set(batch.line.tolist())
            lines |= {bad.line for bad in batch.malformed}
            self.rejected.write(
                file.name,
                batch.header,
                ((n, reasons.get(n, GOOD_LINE), batch.cells(n)) for n in sorted(lines)),
            )

    def flush(self) -> None:
        """Sort what is not yet sorted, once all files are read."""
        self.polls.flush()

    @property
    def empty(self) -> bool:
        """Whether no line names a store."""
        named = self.ids.names or (self.feeds is not None and not self.feeds.empty)
        return not named and not any(found.perhaps for found in self.spoiled)
