"""Parses blocks of whole lines of CSV into batches of raw columns.

pyarrow parses a block in one call. A block in which quotes run over line ends, or which is not
UTF-8, is parsed line by line.
"""

import csv

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from restmon.ingest import arrow_arrays
from restmon.ingest.batches import Batch, Rejection, read_cells, shown
from restmon.ingest.headers import Header

LONGEST_LINE = 1024 * 1024
MANY = 1000
"""From this many lines on that look blank, all are checked at once."""
LINES_OF_ONE_RECORD = 50
CACHED_BYTES = 128 * 1024
NOT_CLOSED = "a quote is never closed"
VALUE_TOO_LONG = f"it has a value of more than {csv.field_size_limit():,} characters"


def _is_utf8(block: bytes) -> bool:
    try:
        return block.isascii() or bool(block.decode("utf-8"))
    except UnicodeDecodeError:
        return False


class BlockReader:
    """Parses blocks of whole lines into batches."""

    def __init__(self, header: Header, positions: dict[str, int], header_line: bytes) -> None:
        self.header = header
        self.delimiter = header.delimiter
        self.separators = f'{header.delimiter}" \t\r\n\N{NO-BREAK SPACE}'
        self.width = len(header.names)
        self.positions = positions
        self.header_line = header_line.decode("utf-8", "replace").strip().lstrip("\ufeff")
        cells = read_cells(self.header_line, self.delimiter, strict=False) or [""]
        first = cells[min(next(iter(positions.values())), len(cells) - 1)]
        self.suspicious = (b" ", b"\t", b"\xc2\xa0", b"\xef\xbb\xbf", first.encode() or b" ")
        self.names = [str(i) for i in range(self.width)]
        wanted = [self.names[i] for i in positions.values()]
        self.convert = pacsv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pa.binary()),
            strings_can_be_null=False,
            check_utf8=False,
        )

    def batch(self, block: bytes, first_line: int, *, more: bool) -> tuple[Batch, int]:
        """The batch of a block whose first line has the given number, and how many bytes it used:
        all, except a record at the end that may go on if ``more`` data follow."""
        quotes = b'"' in block
        spaced = quotes and (self.delimiter + ' "').encode() in block
        if spaced or (quotes and not _quotes_close_in_their_lines(block)):
            return self._line_by_line(block, first_line, more=more)
        lines = count_lines(block)
        malformed: list[Rejection] = []
        remains: list[dict[str, bytes]] = []
        missing: list[int] = []
        trailing = False

        def skip(row: pacsv.InvalidRow) -> str:
            nonlocal trailing
            missing.append(row.number - 1)
            trailing |= row.actual_columns > self.width and row.text.rstrip("\r\n \t").endswith(
                self.delimiter
            )
            if row.text.strip(self.separators):
                malformed.append(
                    self._malformed(first_line + row.number - 1, row.text, row.actual_columns)
                )
                remains.extend(self._remains(row.text))
            return "skip"

        try:
            table = pacsv.read_csv(
                pa.BufferReader(block),
                pacsv.ReadOptions(
                    column_names=self.names, use_threads=False, block_size=len(block) + 1
                ),
                pacsv.ParseOptions(
                    delimiter=self.delimiter,
                    quote_char='"' if quotes else False,
                    ignore_empty_lines=False,
                    # pyarrow cannot pass on a line that is not UTF-8. Without a handler it raises.
                    invalid_row_handler=skip if _is_utf8(block) else None,
                ),
                self.convert,
            )
        except pa.ArrowInvalid:
            return self._line_by_line(block, first_line, more=more)
        if table.num_rows + len(missing) != lines or trailing:
            return self._line_by_line(block, first_line, more=more)
        line = np.delete(np.arange(lines), missing) if missing else np.arange(lines)
        columns = {
            column: table.column(self.names[i]).combine_chunks()
            for column, i in self.positions.items()
        }
        original = _BlockLines(block, first_line)
        # pyarrow turns a blank line into an empty row. Skipping it would shift the line numbers.
        dropped = self._blank_rows(columns, line, original, first_line)
        if len(dropped):
            kept = np.ones(len(line), bool)
            kept[dropped] = False
            line = line[kept]
            columns = {
                column: raw.filter(arrow_arrays.of_bools(kept)) for column, raw in columns.items()
            }
        return Batch(columns, line + first_line, malformed, remains, self.header, original), len(
            block
        )

    def _blank_rows(
        self,
        columns: dict[str, pa.Array],
        line: NDArray[np.int64],
        original: "_BlockLines",
        first_line: int,
    ) -> NDArray[np.int64]:
        """The rows that are blank, have only separators, or repeat the header."""
        raw = next(iter(columns.values()))
        suspect = pc.equal(raw, arrow_arrays.EMPTY)
        for begins in self.suspicious:
            suspect = pc.or_(suspect, pc.starts_with(raw, begins))
        if not pc.any(suspect).as_py():
            return np.empty(0, np.int64)
        found = arrow_arrays.to_ints(pc.indices_nonzero(suspect))
        blank = np.zeros(len(found), bool)
        if len(found) >= MANY:
            # A spreadsheet may export a million empty rows.
            blank = original.hold_only(self.separators)[line[found]]
        for k in np.flatnonzero(~blank).tolist():
            blank[k] = self._is_blank(original(int(line[found[k]]) + first_line))
        return found[blank]

    def _is_blank(self, text: str) -> bool:
        if not text.strip(self.separators):
            return text.count('"') % 2 == 0
        return text.strip().lstrip("\ufeff") == self.header_line

    def too_long(self, beginning: bytes, line: int) -> Batch:
        """A batch without rows, for a line of which only the beginning was read."""
        columns = {column: arrow_arrays.of_bytes([]) for column in self.positions}
        reason = f"the line is longer than {LONGEST_LINE:,} bytes"
        malformed = [Rejection(line, "", shown(beginning[:60]), reason)]
        text = beginning.decode("utf-8", "surrogateescape")
        return Batch(
            columns,
            np.empty(0, np.int64),
            malformed,
            self._remains(text),
            self.header,
            {line: text}.__getitem__,
        )

    def _malformed(self, line: int, text: str, columns: int) -> Rejection:
        reason = f"the line has {columns} values, the header has {self.width} columns"
        return Rejection(line, "", shown(text.rstrip("\r\n")), reason)

    def _remains(self, text: str) -> list[dict[str, bytes]]:
        """The values that can be read from a malformed record, or from each of its lines, by
        column."""
        found = []
        for line in text.split("\n"):
            # Without this, a quote that is never closed would turn the rest into one value.
            closed = line.replace('"', "") if line.count('"') % 2 else line
            cells = read_cells(closed, self.delimiter, strict=False) or []
            found.append(
                {
                    column: cells[position].encode("utf-8", "surrogateescape")
                    for column, position in self.positions.items()
                    if position < len(cells)
                }
            )
        return found

    def _record(self, texts: list[str], i: int) -> tuple[str, list[str] | None, int]:
        """The record that begins with line i: its text, its values (None: it is not CSV), and its
        number of lines. It has one line, unless its quotes close on a later line and contain a
        value of an ignored column."""
        text, used = texts[i], 1
        if text.count('"') % 2 == 0:
            return text, read_cells(text, self.delimiter, strict=False), 1
        while text.count('"') % 2 and used < min(LINES_OF_ONE_RECORD, len(texts) - i):
            text += "\n" + texts[i + used]
            used += 1
        row = read_cells(text, self.delimiter, strict=True) if text.count('"') % 2 == 0 else None
        wanted = [row[p] for p in self.positions.values() if p < len(row)] if row else []
        if row and not any("\n" in value.strip() for value in wanted):
            return text, row, used
        return texts[i], read_cells(texts[i], self.delimiter, strict=True), 1

    def _line_by_line(self, block: bytes, first_line: int, *, more: bool) -> tuple[Batch, int]:
        """The same as `batch` for a block with quotes that run over line ends."""
        raw = block.split(b"\n")
        if raw[-1] == b"":
            raw.pop()
        texts = [line.removesuffix(b"\r").decode("utf-8", "surrogateescape") for line in raw]
        values: list[list[bytes]] = [[] for _ in self.positions]
        lines: list[int] = []
        malformed: list[Rejection] = []
        remains: list[dict[str, bytes]] = []
        originals: dict[int, str] = {}
        i = 0
        while i < len(texts):
            if more and len(texts) - i < LINES_OF_ONE_RECORD and _goes_on(texts[i:]):
                break
            number = first_line + i
            text, row, used = self._record(texts, i)
            i += used
            if self._is_blank(text):
                continue
            originals[number] = text
            if row and len(row) > self.width and not any(map(str.strip, row[self.width :])):
                row = row[: self.width]
            if row is None:
                reason = NOT_CLOSED if text.count('"') % 2 else VALUE_TOO_LONG
                malformed.append(Rejection(number, "", shown(text), reason))
                remains.extend(self._remains(text))
                continue
            if len(row) != self.width:
                malformed.append(self._malformed(number, text, len(row)))
                remains.extend(self._remains(text))
                continue
            lines.append(number)
            for column, position in zip(values, self.positions.values(), strict=True):
                column.append(row[position].encode("utf-8", "surrogateescape"))
        columns = {
            name: arrow_arrays.of_bytes(column)
            for name, column in zip(self.positions, values, strict=True)
        }
        used_bytes = min(sum(len(line) + 1 for line in raw[:i]), len(block))
        return Batch(
            columns,
            np.array(lines, np.int64),
            malformed,
            remains,
            self.header,
            originals.__getitem__,
        ), used_bytes


class _BlockLines:
    """The lines of a block by their numbers in the file."""

    def __init__(self, block: bytes, first_line: int) -> None:
        self._block, self._first_line = block, first_line
        self._ends: NDArray[np.int64] | None = None

    @property
    def ends(self) -> NDArray[np.int64]:
        """Where the line ends are."""
        if self._ends is None:
            self._ends = np.flatnonzero(np.frombuffer(self._block, np.uint8) == ord("\n"))
        return self._ends

    def hold_only(self, characters: str) -> NDArray[np.bool_]:
        """Whether each line has only the characters given (those in ASCII)."""
        holds_more = np.ones(256, np.uint8)
        holds_more[list((characters + "\r\n").encode("ascii", "ignore"))] = 0
        starts = np.append(0, self.ends + 1)
        starts = starts[starts < len(self._block)]
        more = holds_more[np.frombuffer(self._block, np.uint8)]
        return np.bitwise_or.reduceat(more, starts) == 0

    def __call__(self, number: int) -> str:
        i = number - self._first_line
        begin = int(self.ends[i - 1]) + 1 if i else 0
        end = int(self.ends[i]) if i < len(self.ends) else len(self._block)
        return self._block[begin:end].removesuffix(b"\r").decode("utf-8", "surrogateescape")


def _goes_on(texts: list[str]) -> bool:
    """Whether the record of the first line goes on after the last line, and is not longer than a
    line may be."""
    quotes = np.cumsum([text.count('"') for text in texts])
    return bool((quotes % 2 == 1).all()) and sum(map(len, texts)) <= LONGEST_LINE


def _quotes_close_in_their_lines(block: bytes) -> bool:
    """Whether every line of the block has an even number of quotes."""
    data = np.frombuffer(block, np.uint8)
    quotes = np.flatnonzero(data == ord('"'))
    ends = np.flatnonzero(data == ord("\n"))
    before = np.searchsorted(quotes, np.append(ends, len(data)))
    return bool((before % 2 == 0).all())


def count_lines(block: bytes) -> int:
    """How many lines a block has, the last of which may lack its end."""
    data = np.frombuffer(block, np.uint8)
    # In pieces that stay in the processor's cache.
    pieces = (data[begin : begin + CACHED_BYTES] for begin in range(0, len(data), CACHED_BYTES))
    ends = sum(np.count_nonzero(piece == ord("\n")) for piece in pieces)
    return int(ends) + (not block.endswith(b"\n"))
