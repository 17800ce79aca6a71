"""The text of a table as batches of raw columns, in blocks, so memory does not grow with the file.

`containers` opens the text, `headers` finds which column is which, and `values` parses the values.
"""

from collections.abc import Callable, Generator

import numpy as np

from restmon.ingest import block_reader
from restmon.ingest.allowed import Limits
from restmon.ingest.batches import LONGEST_SHOWN, Batch
from restmon.ingest.block_reader import BlockReader, count_lines
from restmon.ingest.containers import open_table
from restmon.ingest.file_sources import Source, size_of
from restmon.ingest.headers import LONGEST_HEADER, Chosen, column_positions, find_header

BLOCK_BYTES = 2 * 1024 * 1024

Progress = Callable[[int, int], None]


def read_batches(
    source: Source,
    name: str,
    kind: str,
    progress: Progress | None = None,
    limits: Limits | None = None,
    chosen: Chosen | None = None,
) -> Generator[Batch, None, None]:
    """The data lines of a table of the given kind, in order.

    ``chosen`` says which column is which if the header does not. ``progress`` is called with (bytes
    read, bytes in all) of the file on disk. Raises :class:`FileRejected` for a file that is
    rejected whole, such as one beyond the limits.
    """
    total = size_of(source)
    with open_table(source, name) as (text, disk):
        beginning = text.read(LONGEST_HEADER)
        header, skipped = find_header(beginning, name, [kind], chosen)
        positions = column_positions(header, kind, name)
        header_line = beginning[:skipped].splitlines()[-1] if skipped else b""
        reader = BlockReader(header, positions, header_line)
        line = header.line + 1
        rest = beginning[skipped:]
        too_long = False
        read = len(beginning)
        while True:
            chunk = text.read(BLOCK_BYTES)
            read += len(chunk)
            block, rest = _cut(rest, chunk)
            open_record = b""
            if too_long and block:
                # The tail of a line whose beginning was reported and dropped.
                block = block[block.find(b"\n") + 1 :] if b"\n" in block else b""
                line += 1
                too_long = False
            if block:
                more = bool(chunk) and len(rest) <= block_reader.LONGEST_LINE
                batch, used = reader.batch(block, line, more=more)
                yield batch
                open_record = block[used:]
                line += block[:used].count(b"\n") if open_record else count_lines(block)
            if too_long:
                rest = b""
            elif len(rest) > block_reader.LONGEST_LINE:
                yield reader.too_long(rest[:LONGEST_SHOWN], line)
                too_long, rest = True, b""
            else:
                rest = open_record + rest
            if limits:
                limits.check(name, read, line - header.line - 1)
            if progress:
                progress(min(disk.tell(), total), total)
            if not chunk:
                return


def _cut(rest: bytes, chunk: bytes) -> tuple[bytes, bytes]:
    """The whole lines of what was left and what was read after it, and what is left then. Nothing
    read means that the text ended."""
    if b"\r" not in chunk and b"\r" not in rest and (end := chunk.rfind(b"\n") + 1):
        return b"".join((rest, memoryview(chunk)[:end])), chunk[end:]  # copies only once
    data = with_newlines(rest + chunk, more=bool(chunk))
    cut = data.rfind(b"\n") + 1 if chunk else len(data)
    return data[:cut], data[cut:]


def with_newlines(data: bytes, *, more: bool = False) -> bytes:
    """The data with a newline in place of each carriage return that ends a line by itself.
    ``more``: data follow, so a carriage return at the end may be half of a line end."""
    if b"\r" not in data:
        return data
    text = np.frombuffer(data, np.uint8)
    lone = (text[:-1] == ord("\r")) & (text[1:] != ord("\n"))
    at_end = data.endswith(b"\r")
    if not lone.any() and (more or not at_end):
        return data
    last = b"\r" if more and at_end else b""
    return data.removesuffix(last).replace(b"\r\n", b"\n").replace(b"\r", b"\n") + last
