"""Previews a file: checks all of it as an import does, and writes nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from restmon.errors import FileRejected
from restmon.ingest.allowed import EVERYTHING, Allowed
from restmon.ingest.batches import Batch, Rejection
from restmon.ingest.choices import NO_CHOICES, ChoiceNeeded, Choices
from restmon.ingest.containers import open_table
from restmon.ingest.csv_reader import read_batches
from restmon.ingest.file_sources import Source, size_of
from restmon.ingest.headers import (
    GROUPS,
    LAYOUTS,
    LONGEST_HEADER,
    Header,
    column_places,
    reader,
)
from restmon.ingest.tables import Remembered, Table, tables_in
from restmon.ingest.understood import Understood
from restmon.ingest.validation import Checker, checker_of
from restmon.ingest.values.store_ids import StoreIds
from restmon.ingest.values.texts import GroupNames

LINES = 200
SAMPLES = 5
KEPT_PROBLEMS = 1000

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Preview:
    """A table of a file, and what an import would do with it.

    ``kind`` is polls, business_hours, timezones or groups. Where it is None, ``problem`` says in
    a sentence what is wrong, ``closest`` is the kind it seems to be meant as (None: of none), and
    there are no ``rows``. ``columns`` maps the file's column names to ours, of that kind;
    ``ignored`` are its other columns; ``samples`` has a few values of each column, by its name.

    ``rows`` has the first lines: ``line`` (int64, the number in the file; the header's is 1) and
    the raw values as text, a column each under our names. ``problems`` are the first 1,000
    rejected lines of the whole file, ``bad_lines`` how many there are, ``lines`` how many data
    lines. ``choice`` is what must be chosen before the file can be read (day_numbers or
    date_order; ``problem`` tells), ``notices`` are further sentences. ``understood`` tells in
    words what the table says of a store.
    """

    name: str
    table: Table
    kind: str | None
    closest: str | None
    header: list[str]
    columns: dict[str, str]
    ignored: list[str]
    size: int
    lines: int = 0
    bad_lines: int = 0
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    problems: list[Rejection] = field(default_factory=list)
    problem: FileRejected | None = None
    notices: list[str] = field(default_factory=list)
    samples: dict[str, list[str]] = field(default_factory=dict)
    understood: Understood | None = None
    choice: str | None = None


def previews(
    source: Source,
    name: str,
    choices: Choices = NO_CHOICES,
    allowed: Allowed = EVERYTHING,
    remembered: Remembered | None = None,
    progress: Progress | None = None,
) -> list[Preview]:
    """Check all tables of a file without writing, as an import of what is ``allowed`` would; the
    first 200 lines of each are shown.

    ``source`` is a path or an open file that can seek; that is put back to its beginning.
    ``progress`` is called with (done, total) of all tables. Raises
    :class:`~restmon.errors.FileRejected` for a file that cannot be opened.
    """
    tables = tables_in(source, name, choices.columns, remembered)
    found = []
    for number, table in enumerate(tables):

        def tell(done: int, total: int, number: int = number) -> None:
            if progress:
                share = done / total if total else 1.0
                progress(round(1000 * (number + share)), 1000 * len(tables))

        found.append(preview_table(table, choices, allowed, tell))
    return found


def preview(
    source: Source,
    name: str,
    choices: Choices = NO_CHOICES,
    allowed: Allowed = EVERYTHING,
) -> Preview:
    """The preview of a file with one table. Raises its problem if it is not CSV text."""
    found = previews(source, name, choices, allowed)[0]
    if found.problem and (not found.header or (found.table.kind and not found.choice)):
        raise found.problem
    return found


def preview_table(
    table: Table,
    choices: Choices = NO_CHOICES,
    allowed: Allowed = EVERYTHING,
    progress: Progress | None = None,
) -> Preview:
    """The preview of one table of a file."""
    size = size_of(table.source)
    if table.header is None:
        nothing: dict[str, str] = {}
        return Preview(table.name, table, None, None, [], nothing, [], size, problem=table.problem)
    header, kind = table.header, table.kind
    layout = {} if table.closest is None else column_places(header, table.closest)
    ours = {i: column for column, places in layout.items() for i in places}
    facts = Preview(
        name=table.name,
        table=table,
        closest=table.closest,
        header=header.names,
        columns={n: ours[i] for i, n in enumerate(header.names) if i in ours},
        ignored=[n for i, n in enumerate(header.names) if i not in ours],
        size=size,
        samples=_samples(table),
        kind=kind,
    )
    if kind is None:
        return replace(facts, problem=table.problem)
    chosen = Choices(choices.day_numbers, choices.date_order, header.chosen)
    ids = StoreIds(allowed.permitted)
    checker = checker_of(table.source, table.name, kind, ids, allowed.latest, chosen)
    checker.groups, checker.with_groups = GroupNames(allowed.groups), allowed.groups is None
    seen = _Seen(kind, ids)
    seen.understood.groups = checker.groups.names
    limits = allowed.limits
    try:
        for batch in read_batches(table.source, table.name, kind, progress, limits, header.chosen):
            seen.add(batch, checker)
    except ChoiceNeeded as error:
        return replace(facts, rows=seen.rows(), problem=error, choice=error.choice)
    except FileRejected as error:
        return replace(facts, kind=None, problem=error)
    return replace(
        facts,
        lines=seen.lines,
        bad_lines=seen.bad_lines,
        rows=seen.rows(),
        problems=seen.problems,
        notices=[*checker.notices, *checker.warnings],
        understood=seen.understood,
    )


class _Seen:
    """Collects what a preview shows of the batches of a table."""

    def __init__(self, kind: str, ids: StoreIds) -> None:
        self.understood = Understood(kind, ids.names)
        self.lines = 0
        self.bad_lines = 0
        self.problems: list[Rejection] = []
        self._kind = kind
        self._frames: list[pd.DataFrame] = []
        self._columns: list[str] = []

    def add(self, batch: Batch, checker: Checker) -> None:
        self._columns = list(batch.columns)
        room = LINES - sum(map(len, self._frames))
        if room > 0:
            frame: dict[str, object] = {"line": batch.line[:room]}
            for column, raw in batch.columns.items():
                values = [v.decode("utf-8", "replace") for v in raw[:room].to_pylist()]
                frame[column] = np.array(values, object)
            self._frames.append(pd.DataFrame(frame))
        found = checker.check(batch)
        self.lines += len(batch.line) + len(batch.malformed)
        self.bad_lines += len(found.rejections)
        self.problems += found.rejections[: KEPT_PROBLEMS - len(self.problems)]
        if self._kind != GROUPS:
            self.understood.add(found.values, found.spoiled.names if found.spoiled else None)

    def rows(self) -> pd.DataFrame:
        if not self._frames:
            return pd.DataFrame(columns=["line", *(self._columns or LAYOUTS[self._kind])])
        return pd.concat(self._frames, ignore_index=True)


def _samples(table: Table) -> dict[str, list[str]]:
    """A few values of each column, by its name."""
    header: Header = table.header or Header([], 1)
    with open_table(table.source, table.name) as (text, _):
        beginning = text.read(LONGEST_HEADER)
    lines = beginning.decode("utf-8", "replace").splitlines()[header.line : header.line + SAMPLES]
    rows = list(reader(lines, header.delimiter))
    return {
        name: [row[i].strip()[:60] for row in rows if i < len(row) and row[i].strip()]
        for i, name in enumerate(header.names)
    }
