"""Reads a small file of polls without PyArrow, which takes longer to load than such a file to read.

The file must be plain throughout: three columns, commas, no quotes, and on each line an id, a
timestamp such as ``2023-01-22 12:09:39.388884 UTC``, and ``active`` or ``inactive``. `csv_reader`
and `validation` read every other file, and say what is wrong with it.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.ingest.allowed import Allowed
from restmon.ingest.checked import Checked
from restmon.ingest.containers import open_table
from restmon.ingest.file_sources import Source
from restmon.ingest.headers import LONGEST_HEADER, POLLS, Chosen, column_positions, find_header
from restmon.ingest.values.store_ids import StoreIds

MOST_BYTES = 4 * 2**20
"""Above this size PyArrow is faster, even when it must be loaded."""
COLUMNS = 3
MARKS = np.frombuffer(b",,\n", np.uint8)
"""The separators of one line."""
SUFFIX = b" UTC"
LOWEST = b"0000-00-00 00:00:00.000000"
HIGHEST = LOWEST.replace(b"0", b"9")
SHORTER = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,5})?")
STATUSES = {b"active", b"inactive"}

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PlainPolls:
    """The lines of a file: ids as they stand, instants (int64), statuses (int8), and the number of
    the first line."""

    ids: list[bytes]
    instants: Ints
    statuses: NDArray[np.int8]
    first_line: int

    def check(self, ids: StoreIds, latest: int) -> Checked | None:
        """The lines as `validation.Checker` checks them, or None if one of them is bad."""
        if int(self.instants.max()) > latest:
            return None
        store = ids.numbers(self.ids)
        if (store < 0).any():
            return None
        values: dict[str, NDArray[Any]] = {
            "store_id": store,
            "timestamp_utc": self.instants,
            "status": self.statuses,
        }
        line = np.arange(len(store)) + self.first_line
        return Checked(line, values, [], len(store))


def read_plain(source: Source, name: str, chosen: Chosen, allowed: Allowed) -> PlainPolls | None:
    """The lines of a table of polls, or None unless it is small and plain.

    Raises :class:`~restmon.errors.FileRejected` for a file that is no such table.
    """
    with open_table(source, name) as (text, _):
        beginning = text.read(LONGEST_HEADER)
        header, skipped = find_header(beginning, name, [POLLS], chosen)
        places = column_positions(header, POLLS, name)
        if header.line > 1 or header.delimiter != "," or len(header.names) != COLUMNS:
            return None
        rest = text.read(MOST_BYTES)
    data = beginning[skipped:] + rest
    if len(data) >= MOST_BYTES or not data or b'"' in data or b"\0" in data or not data.isascii():
        return None
    cells = _cells(data if data.endswith(b"\n") else data + b"\n")
    if cells is None:
        return None
    limits = allowed.limits
    if limits and (skipped + len(data) > limits.text or len(cells) > COLUMNS * limits.lines):
        return None
    ids, stamps, statuses = (
        cells[places[column] :: COLUMNS] for column in ("store_id", "timestamp_utc", "status")
    )
    if not STATUSES.issuperset(statuses):
        return None
    instants = _instants(stamps)
    if instants is None:
        return None
    active = np.array([status == b"active" for status in statuses], np.int8)
    return PlainPolls(ids, instants, active, header.line + 1)


def _cells(data: bytes) -> list[bytes] | None:
    """The values of all lines, one after the other, or None unless each line has as many."""
    text = np.frombuffer(data, np.uint8)
    marks = text[(text == ord(",")) | (text == ord("\n"))]
    if len(marks) % COLUMNS or (marks.reshape(-1, COLUMNS) != MARKS).any():
        return None
    return data[:-1].replace(b"\n", b",").split(b",")


def _instants(stamps: list[bytes]) -> Ints | None:
    """The instants of timestamps, or None unless all are plain."""
    if not all(stamp.endswith(SUFFIX) for stamp in stamps):
        return None
    bare = [stamp[: -len(SUFFIX)] for stamp in stamps]
    if max(map(len, bare)) > len(LOWEST):
        return None
    text = np.array(bare, f"S{len(LOWEST)}")
    letters = text.view(np.uint8).reshape(-1, len(LOWEST))
    low, high = np.frombuffer(LOWEST, np.uint8), np.frombuffer(HIGHEST, np.uint8)
    full = ((letters >= low) & (letters <= high)).all(axis=1)
    if not all(SHORTER.fullmatch(bare[n]) for n in np.flatnonzero(~full).tolist()):
        return None
    if (letters[:, :4] == ord("0")).all(axis=1).any():
        return None  # NumPy knows a year 0
    try:
        return text.astype("datetime64[us]").astype(np.int64)
    except ValueError:  # no such date or time of day
        return None
