"""Lines of a file as raw columns, and rejected lines."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from restmon.ingest.headers import Header
from restmon.ingest.headers import reader as csv_rows

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST_SHOWN = 200


@dataclass(frozen=True)
class Rejection:
    """A rejected line: its number in the file (the header's is 1), the column ("" if the whole line
    is malformed), the value and the reason."""

    line: int
    column: str
    value: str
    reason: str


def shown(value: bytes | str) -> str:
    """A value as text for people: cut, and without NUL, which no database accepts."""
    if isinstance(value, str):
        value = value[:LONGEST_SHOWN].encode("utf-8", "surrogateescape")
    text = value[: 4 * LONGEST_SHOWN].decode("utf-8", "replace")[:LONGEST_SHOWN]
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


@dataclass
class Batch:
    """Lines of a file.

    ``columns[name]`` is a pyarrow binary array of raw values, and ``line`` has their int64 line
    numbers, of the same length. ``malformed`` are the lines that are not rows, and ``remains`` the
    raw values, by column, that can still be read from them. ``header`` is the file's. ``original``
    returns the whole text of a line by its number.
    """

    columns: dict[str, "pa.Array"]
    line: NDArray[np.int64]
    malformed: list[Rejection] = field(default_factory=list)
    remains: list[dict[str, bytes]] = field(default_factory=list)
    header: Header = field(default_factory=lambda: Header([], 1))
    original: Callable[[int], str] = field(default=lambda _: "")

    def cells(self, line: int) -> list[str]:
        """The values of a line as the file has them, also those of ignored columns."""
        text = self.original(line)
        delimiter = self.header.delimiter
        found = read_cells(text, delimiter, strict=text.count('"') % 2 > 0)
        return [text] if found is None else found


def read_cells(text: str, delimiter: str, *, strict: bool) -> list[str] | None:
    """The values of a record; None if it is not CSV."""
    try:
        return next(csv_rows([text], delimiter, strict=strict), [])
    except csv.Error:
        return None
