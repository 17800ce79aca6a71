"""What a CSV file would bring, seen from its beginning, before anything is written."""

import io
from dataclasses import dataclass, field, replace
from io import SEEK_END
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa

from restmon.checking import PARSERS, rejection
from restmon.csv_reader import (
    BUSINESS_HOURS,
    LAYOUTS,
    LINES_OF_ONE_RECORD,
    POLLS,
    TIMEZONES,
    Batch,
    Header,
    Rejection,
    Source,
    closest_kind,
    column_places,
    column_positions,
    kind_of,
    opened,
    read_batches,
    read_header,
    size_of,
)
from restmon.errors import FileRejected
from restmon.fields import StoreIds

LINES = 200
BEGINNING = 2 * 1024 * 1024
"""Bytes of text that are looked at; of a gzip file, after decompression."""
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
TELLING = {
    "timestamp_utc": POLLS,
    "status": POLLS,
    "start_time_local": BUSINESS_HOURS,
    "timezone_str": TIMEZONES,
}
"""Columns by whose values a line of data is told from a header, and their kind of file."""


@dataclass(frozen=True)
class Preview:
    """The beginning of a file, and what would become of it.

    ``kind`` is polls, business_hours, timezones or groups. Where it is None, ``problem`` says in
    a sentence what is wrong, ``closest`` is the kind it seems to be meant as (None: of none), and
    there are no ``rows``. ``columns`` maps the file's column names to ours, of that kind;
    ``ignored`` are its other columns.

    ``rows`` has the first lines: ``line`` (int64, the number in the file; the header's is 1) and
    the raw values as text, a column each under our names. ``problems`` are the bad cells and the
    malformed lines among them (column ""), by line: an import would reject these lines.
    ``lines`` counts the data lines of the whole file, ``exact`` or as an estimate.
    """

    name: str
    kind: str | None
    closest: str | None
    header: list[str]
    columns: dict[str, str]
    ignored: list[str]
    lines: int
    exact: bool
    size: int
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    problems: list[Rejection] = field(default_factory=list)
    problem: FileRejected | None = None

    @property
    def bad_lines(self) -> int:
        """How many of the lines looked at an import would reject."""
        return len({problem.line for problem in self.problems})


def preview(
    source: Source, name: str, lines: int = LINES, permitted: frozenset[str] | None = None
) -> Preview:
    """Look at the first ``lines`` data lines of a CSV file, plain or gzip, without writing, as an
    import of the stores ``permitted`` (None: all) would.

    ``source`` is a path or an open file that can seek; that is put back to its beginning. Reads
    no more than the first 2 MB of text, however large the file is. Raises
    :class:`~restmon.errors.FileRejected` for what is no CSV text: empty, binary, UTF-16, a
    damaged gzip file.
    """
    header = read_header(source, name)
    with opened(source, name) as (text, disk):
        size = size_of(source)
        beginning = text.read(BEGINNING)
        whole = len(beginning) < BEGINNING
        total = len(beginning) if whole else _text_size(text, disk, size)
    if b"\n" not in beginning:
        beginning = beginning.replace(b"\r", b"\n")
    if not whole and beginning.count(b"\n") > header.line:
        # The last line is cut off: what it says would be wrong.
        beginning = beginning[: beginning.rfind(b"\n") + 1]
    times = 1 if whole else total / len(beginning)

    kind = kind_of(header, LAYOUTS)
    closest, problem = (kind, None) if kind else _no_kind(header, name)
    layout = {} if closest is None else column_places(header, closest)
    ours = {i: column for column, places in layout.items() for i in places}
    found = Preview(
        name=name,
        kind=kind,
        closest=closest,
        header=header.names,
        columns={n: ours[i] for i, n in enumerate(header.names) if i in ours},
        ignored=[n for i, n in enumerate(header.names) if i not in ours],
        size=size,
        exact=whole,
        lines=max(beginning.count(b"\n") + (not beginning.endswith(b"\n")) - header.line, 0),
        problem=problem,
    )
    if kind is None:
        return replace(found, lines=round(found.lines * times))
    batches = list(read_batches(io.BytesIO(beginning), name, kind))
    # Counted as an import counts what it read: blank lines are none.
    count = sum(len(batch.line) + len(batch.malformed) for batch in batches)
    last = header.line + lines
    if not whole and b'"' in beginning:
        # A record that is cut off would seem to be malformed.
        last = min(last, max(found.lines - LINES_OF_ONE_RECORD, 1) + header.line)
    rows, problems = _looked_at(kind, batches, last, permitted)
    return replace(found, lines=round(count * times), rows=rows, problems=problems)


def _text_size(text: BinaryIO, disk: BinaryIO, size: int) -> int:
    """The bytes of text in a file that was read as far as BEGINNING, an estimate for gzip."""
    if text is disk:
        return size
    by_share = BEGINNING * size // max(disk.tell(), 1)
    disk.seek(-4, SEEK_END)
    # A gzip file ends with its text's size, modulo 4 GB, if it is of one piece.
    told = int.from_bytes(disk.read(4), "little")
    return told if told > BEGINNING and by_share / 2 < told < by_share * 2 else by_share


def _no_kind(header: Header, name: str) -> tuple[str | None, FileRejected]:
    """The kind that a header of no kind is closest to, if any, and what is wrong with it."""
    for separator, called in SEPARATORS.items():
        if len(header.names) == 1 and separator in header.names[0]:
            names = [n.strip() for n in header.names[0].split(separator)]
            return _closest(replace(header, names=names)), FileRejected(
                f"The columns of {name} are separated by {called}: {header.names[0][:200]}.",
                "Export it with commas between them.",
            )
    closest = _closest(header)
    if closest:
        try:
            column_positions(header, closest, name)
        except FileRejected as error:
            return closest, error
    shown = ", ".join(header.names[:12])[:200]
    raw = pa.array([n.encode() for n in header.names], pa.binary())
    for column, kind in TELLING.items():
        if PARSERS[column](raw).good.any():
            return kind, FileRejected(
                f"{name} has no header line; its first line reads: {shown}.",
                f"Put the names of the columns there, as {','.join(LAYOUTS[kind])}.",
            )
    return None, FileRejected(
        f"{name} has none of the columns that restmon reads; its header line reads: {shown}.",
        "; ".join(f"A {kind} file has {', '.join(columns)}" for kind, columns in LAYOUTS.items())
        + ".",
    )


def _closest(header: Header) -> str | None:
    kind = closest_kind(header, LAYOUTS)
    return kind if any(column_places(header, kind).values()) else None


def _looked_at(
    kind: str, batches: list[Batch], last: int, permitted: frozenset[str] | None
) -> tuple[pd.DataFrame, list[Rejection]]:
    """The rows up to the given line, and all that is wrong with them."""
    ids = StoreIds(permitted)
    frames = []
    problems: list[Rejection] = []
    for batch in batches:
        shown = int(np.searchsorted(batch.line, last, side="right"))
        line = batch.line[:shown]
        frame: dict[str, Any] = {"line": line}
        for column in LAYOUTS[kind]:
            raw = batch.columns[column][:shown]
            found = ids.parse(raw) if column == "store_id" else PARSERS[column](raw)
            values = raw.to_pylist()
            frame[column] = np.array([v.decode("utf-8", "replace") for v in values], object)
            problems += [
                rejection(int(line[i]), column, values[i], found)
                for i in np.flatnonzero(~found.good).tolist()
            ]
        frames.append(pd.DataFrame(frame))
        problems += [bad for bad in batch.malformed if bad.line <= last]
    problems.sort(key=lambda bad: bad.line)
    rows = pd.concat(frames, ignore_index=True) if frames else None
    return pd.DataFrame(columns=["line", *LAYOUTS[kind]]) if rows is None else rows, problems
