"""CSV files as batches of raw columns: header, line numbers, malformed lines.

Reads in blocks, so memory does not grow with the file. What the values mean is
`restmon/fields.py`'s business.
"""

import csv
import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import SEEK_END
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from restmon.errors import FileRejected

BLOCK_BYTES = 8 * 1024 * 1024
LONGEST_LINE = 1024 * 1024
LONGEST_SHOWN = 200
LONGEST_HEADER = 64 * 1024
LINES_OF_ONE_RECORD = 50

POLLS = "polls"
BUSINESS_HOURS = "business_hours"
TIMEZONES = "timezones"
GROUPS = "groups"

COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    POLLS: {"store_id": (), "timestamp_utc": (), "status": ()},
    BUSINESS_HOURS: {
        "store_id": (),
        "dayOfWeek": ("day", "day_of_week"),
        "start_time_local": (),
        "end_time_local": (),
    },
    TIMEZONES: {"store_id": (), "timezone_str": ()},
}
"""The columns of each kind of file with their aliases (SEMANTICS.md, "Inputs")."""

LAYOUTS: dict[str, dict[str, tuple[str, ...]]] = {
    **COLUMNS,
    GROUPS: {"store_id": (), "group": ("group_name",)},
}
"""The same of every CSV file that restmon reads: also the groups of stores, which are no feed."""

Source = Path | BinaryIO
"""A file by its path, or an open one that can seek (an upload), read from its beginning."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Rejection:
    """One rejected line: its number in the file (the header's is 1), the column ("" when the
    line as a whole is malformed), the value and the reason."""

    line: int
    column: str
    value: str
    reason: str


def shown(value: bytes | str) -> str:
    """A value as it is told: text, cut, without what no database takes."""
    if isinstance(value, str):
        value = value[:LONGEST_SHOWN].encode("utf-8", "surrogateescape")
    text = value[: 4 * LONGEST_SHOWN].decode("utf-8", "replace")[:LONGEST_SHOWN]
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


@dataclass
class Batch:
    """Lines of a file: ``columns[name]`` a pyarrow binary array of the raw values, ``line`` the
    int64 line numbers, both of one length; ``malformed`` the lines that are no rows."""

    columns: dict[str, pa.Array]
    line: NDArray[np.int64]
    malformed: list[Rejection] = field(default_factory=list)


@dataclass(frozen=True)
class Limits:
    """How much of a file is read: ``text`` bytes, unpacked, and ``lines``, each by the name of
    the setting that raises it."""

    text: int
    lines: int
    text_setting: str
    lines_setting: str

    def check(self, name: str, text: int, lines: int) -> None:
        """Raise :class:`FileRejected` for a file of more."""
        if text > self.text:
            raise FileRejected(
                f"{name} is larger than {self.text // 2**20:,} MB"
                " (of text: a gzip file is measured unpacked).",
                f"Import it in parts, or raise {self.text_setting}.",
            )
        if lines > self.lines:
            raise FileRejected(
                f"{name} has more than {self.lines:,} lines.",
                f"Import it in parts, or raise {self.lines_setting}.",
            )


@dataclass(frozen=True)
class Header:
    """The first line of a file: ``names`` as written, ``line`` its number."""

    names: list[str]
    line: int


@contextmanager
def opened(source: Source, name: str) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """(text bytes, file on disk) of a plain or gzip file; the second tells how far reading is.

    An open file is read from its beginning, put back there and left open. Raises
    :class:`FileRejected` where the file cannot be opened or decompressed.
    """
    try:
        with source.open("rb") if isinstance(source, Path) else _put_back(source) as disk:
            zipped = disk.read(2) == b"\x1f\x8b"
            disk.seek(0)
            if zipped:
                with gzip.open(disk) as text:
                    yield text, disk  # type: ignore[misc]
            else:
                yield disk, disk
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise FileRejected(
            f"{name} is a gzip file that is damaged or cut off.",
            "Compress or download it again.",
        ) from None
    except (FileNotFoundError, IsADirectoryError):
        raise FileRejected(f"{name} is not a file.", "Check the path.") from None
    except OSError as error:
        raise FileRejected(
            f"{name} cannot be read: {error.strerror or error}.", "Check the path and its rights."
        ) from None


@contextmanager
def _put_back(file: BinaryIO) -> Iterator[BinaryIO]:
    file.seek(0)
    try:
        yield file
    finally:
        file.seek(0)


def size_of(source: Source) -> int:
    """The size of a file in bytes, as it is on disk; 0 where there is none."""
    if isinstance(source, Path):
        return source.stat().st_size if source.exists() else 0
    here = source.tell()
    end = source.seek(0, SEEK_END)
    source.seek(here)
    return end


def read_header(source: Source, name: str) -> Header:
    """The header of a CSV file; raises :class:`FileRejected` when it is not CSV text."""
    with opened(source, name) as (text, _):
        return _header(text.read(LONGEST_HEADER), name)[0]


def _header(beginning: bytes, name: str) -> tuple[Header, int]:
    """The header and the number of bytes before the first data line."""
    if not beginning.strip():
        raise FileRejected(f"{name} is empty.", "It needs a header line and data lines.")
    if beginning.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in beginning[:4096]:
        raise FileRejected(
            f"{name} is not CSV text in UTF-8 (it has NUL bytes).",
            "Export it as “CSV UTF-8 (comma delimited)”.",
        )
    body = beginning.removeprefix(b"\xef\xbb\xbf")
    skipped = len(beginning) - len(body)
    for number, raw in enumerate(body.splitlines(keepends=True), 1):
        skipped += len(raw)
        if not raw.strip():
            continue
        try:
            decoded = raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            raise FileRejected(
                f"The header of {name} is not UTF-8 text.",
                "Export it as “CSV UTF-8 (comma delimited)”.",
            ) from None
        if not raw.endswith((b"\n", b"\r")) and len(beginning) >= LONGEST_HEADER:
            raise FileRejected(
                f"The first line of {name} is longer than {LONGEST_HEADER:,} bytes.",
                "It should be a header of column names.",
            )
        try:
            names = [n.strip() for n in next(csv.reader([decoded], strict=True))]
        except csv.Error:
            raise FileRejected(
                f"The header of {name} is not a line of CSV (a quote is never closed).",
                "Its first line must be the column names.",
            ) from None
        return Header(names, number), skipped
    raise FileRejected(f"{name} is empty.", "It needs a header line and data lines.")


def kind_of(header: Header, kinds: Iterable[str] = COLUMNS) -> str | None:
    """The kind of file a header is of, the first of those given, or None."""
    for kind in kinds:
        if all(len(found) == 1 for found in column_places(header, kind).values()):
            return kind
    return None


def closest_kind(header: Header, kinds: Iterable[str] = COLUMNS) -> str:
    """The kind a header has most columns of; of several, the one it lacks fewest of."""

    def closeness(kind: str) -> tuple[int, int]:
        found = sum(bool(places) for places in column_places(header, kind).values())
        return found, found - len(LAYOUTS[kind])

    return max(kinds, key=closeness)


def column_places(header: Header, kind: str) -> dict[str, list[int]]:
    """Where each of the kind's columns stands in the header: not at all, once, or oftener."""
    lowered = [n.lower() for n in header.names]
    places = {}
    for column, aliases in LAYOUTS[kind].items():
        accepted = [column.lower(), *(alias.lower() for alias in aliases)]
        places[column] = [i for i, n in enumerate(lowered) if n in accepted]
    return places


def column_positions(header: Header, kind: str, name: str) -> dict[str, int]:
    """The position of each of the kind's columns, under the name first listed for it.

    Raises :class:`FileRejected` that names the columns that are missing, or one there twice.
    """

    def known(column: str) -> str:
        aliases = LAYOUTS[kind][column]
        return column if not aliases else f"{column} (or {', '.join(aliases)})"

    places = column_places(header, kind)
    missing = [column for column, found in places.items() if not found]
    if missing:
        shown = ", ".join(header.names[:12])[:200]
        raise FileRejected(
            f"{name} has no column {' and no column '.join(map(known, missing))}; "
            f"its header line reads: {shown}.",
            f"A {kind} file needs the columns {', '.join(LAYOUTS[kind])}.",
        )
    for column, found in places.items():
        if len(found) > 1:
            raise FileRejected(f"{name} has the column {known(column)} twice.", "Keep one of them.")
    return {column: found[0] for column, found in places.items()}


def read_batches(
    source: Source,
    name: str,
    kind: str,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> Iterator[Batch]:
    """The data lines of a file of the given kind, in order.

    ``progress`` is called with (bytes read, bytes in all) of the file on disk. Raises
    :class:`FileRejected` for a file that is rejected whole, also where it is beyond the limits.
    """
    total = size_of(source)
    with opened(source, name) as (text, disk):
        beginning = text.read(LONGEST_HEADER)
        header, skipped = _header(beginning, name)
        positions = column_positions(header, kind, name)
        reader = _BlockReader(len(header.names), positions)
        only_cr = b"\r" in beginning and b"\n" not in beginning
        line = header.line + 1
        rest = beginning[skipped:]
        too_long = False
        read = len(beginning)
        while True:
            chunk = text.read(BLOCK_BYTES)
            read += len(chunk)
            data = rest + chunk
            if only_cr:
                data = data.replace(b"\r", b"\n")
            cut = data.rfind(b"\n") + 1 if chunk else len(data)
            block, rest = data[:cut], data[cut:]
            if too_long and cut:
                # The tail of a line whose beginning was reported and dropped.
                block = block[block.find(b"\n") + 1 :] if b"\n" in block else b""
                line += 1
                too_long = False
            if block:
                lines = _lines_in(block)
                yield reader.batch(block, line, lines)
                line += lines
            if too_long:
                rest = b""
            elif len(rest) > LONGEST_LINE:
                reason = f"the line is longer than {LONGEST_LINE:,} bytes"
                yield reader.nothing([Rejection(line, "", shown(rest[:60]), reason)])
                too_long, rest = True, b""
            if limits:
                limits.check(name, read, line - header.line - 1)
            if progress:
                progress(min(disk.tell(), total), total)
            if not chunk:
                return


def _is_utf8(block: bytes) -> bool:
    try:
        return block.isascii() or bool(block.decode("utf-8"))
    except UnicodeDecodeError:
        return False


class _BlockReader:
    """Parses blocks of whole lines into batches."""

    def __init__(self, width: int, positions: dict[str, int]) -> None:
        self.width = width
        self.positions = positions
        self.names = [str(i) for i in range(width)]
        wanted = [self.names[i] for i in positions.values()]
        self.convert = pacsv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pa.binary()),
            strings_can_be_null=False,
            check_utf8=False,
        )

    def batch(self, block: bytes, first_line: int, lines: int) -> Batch:
        """The batch of a block of so many lines, the first of which has the given number."""
        quotes = b'"' in block
        if quotes and not _quotes_close_in_their_lines(block):
            return self._line_by_line(block, first_line)
        malformed: list[Rejection] = []
        missing: list[int] = []

        def skip(row: pacsv.InvalidRow) -> str:
            missing.append(row.number - 1)
            if row.text.strip():
                malformed.append(
                    self._malformed(first_line + row.number - 1, row.text, row.actual_columns)
                )
            return "skip"

        try:
            table = pacsv.read_csv(
                pa.BufferReader(block),
                pacsv.ReadOptions(
                    column_names=self.names, use_threads=False, block_size=len(block) + 1
                ),
                pacsv.ParseOptions(
                    quote_char='"' if quotes else False,
                    ignore_empty_lines=False,
                    # What is not UTF-8 pyarrow cannot hand over: such a line makes it raise.
                    invalid_row_handler=skip if _is_utf8(block) else None,
                ),
                self.convert,
            )
        except pa.ArrowInvalid:
            return self._line_by_line(block, first_line)
        if table.num_rows + len(missing) != lines:
            return self._line_by_line(block, first_line)
        line = np.delete(np.arange(lines), missing) if missing else np.arange(lines)
        columns = {
            column: table.column(self.names[i]).combine_chunks()
            for column, i in self.positions.items()
        }
        # pyarrow makes a row of empty values of a blank line; skipping it would shift the numbers.
        if all(pc.min(pc.binary_length(raw)).as_py() == 0 for raw in columns.values()):
            kept = ~np.isin(line, _blank_lines(block))
            line = line[kept]
            columns = {column: raw.filter(pa.array(kept)) for column, raw in columns.items()}
        return Batch(columns, line + first_line, malformed)

    def nothing(self, malformed: list[Rejection]) -> Batch:
        """A batch without rows."""
        columns = {column: pa.array([], pa.binary()) for column in self.positions}
        return Batch(columns, np.empty(0, np.int64), malformed)

    def _malformed(self, line: int, text: str, columns: int) -> Rejection:
        reason = f"the line has {columns} values, the header has {self.width} columns"
        return Rejection(line, "", shown(text.rstrip("\r\n")), reason)

    def _line_by_line(self, block: bytes, first_line: int) -> Batch:
        """The batch of a block with quotes that run over line ends, or stray carriage returns."""
        raw = block.split(b"\n")
        if raw[-1] == b"":
            raw.pop()
        texts = [line.removesuffix(b"\r").decode("utf-8", "surrogateescape") for line in raw]
        values: list[list[bytes]] = [[] for _ in self.positions]
        lines: list[int] = []
        malformed: list[Rejection] = []
        i = 0
        while i < len(texts):
            number, text, used = first_line + i, texts[i], 1
            while text.count('"') % 2 and used < min(LINES_OF_ONE_RECORD, len(texts) - i):
                text += "\n" + texts[i + used]
                used += 1
            if text.count('"') % 2:
                malformed.append(Rejection(number, "", shown(texts[i]), "a quote is never closed"))
                i += 1
                continue
            i += used
            if not text.strip():
                continue
            try:
                row = next(csv.reader([text]), [])
            except csv.Error as error:
                malformed.append(Rejection(number, "", shown(text), f"it is not CSV: {error}"))
                continue
            if len(row) != self.width:
                malformed.append(self._malformed(number, text, len(row)))
                continue
            lines.append(number)
            for column, position in zip(values, self.positions.values(), strict=True):
                column.append(row[position].encode("utf-8", "surrogateescape"))
        columns = {
            name: pa.array(column, pa.binary())
            for name, column in zip(self.positions, values, strict=True)
        }
        return Batch(columns, np.array(lines, np.int64), malformed)


def _quotes_close_in_their_lines(block: bytes) -> bool:
    """Whether every line of the block has an even number of quotes."""
    data = np.frombuffer(block, np.uint8)
    quotes = np.flatnonzero(data == ord('"'))
    ends = np.flatnonzero(data == ord("\n"))
    before = np.searchsorted(quotes, np.append(ends, len(data)))
    return bool((before % 2 == 0).all())


def _lines_in(block: bytes) -> int:
    """How many lines a block has, the last of which may lack its end."""
    ends = np.count_nonzero(np.frombuffer(block, np.uint8) == ord("\n"))
    return int(ends) + (not block.endswith(b"\n"))


def _blank_lines(block: bytes) -> NDArray[np.int64]:
    """The places (from 0) of the lines of the block that are empty."""
    lengths = (len(line.removesuffix(b"\r")) for line in block.split(b"\n"))
    return np.flatnonzero(np.fromiter(lengths, np.int64) == 0)
