"""The rejected lines of an import, as files that can be mended and imported again."""

import csv
import re
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from restmon.core.formatting import no_formula
from restmon.ingest.batches import Rejection
from restmon.ingest.headers import Header, loose
from restmon.storage import files
from restmon.storage.files import Kind

KEPT_REJECTIONS = 1000
MORE_COLUMNS = ("line", "problem")
GOOD_LINE = "none; it is here because another line of this store is rejected"
"""The problem of a good line of business hours, since a store's lines are replaced as a whole."""


def csv_key(import_id: str) -> str:
    """The key of an import's rejected lines of one table (`files.Kind.REJECTED`)."""
    return f"{import_id}.csv"


def zip_key(import_id: str) -> str:
    """The key of the ZIP that holds several files of rejected lines."""
    return f"{import_id}.zip"


class FirstRejections:
    """Counts rejected lines and collects the first 1,000, by file in the order of the import, then
    line."""

    def __init__(self) -> None:
        self.count = 0
        self._files: dict[str, int] = {}
        self._kept: list[tuple[int, Rejection]] = []

    def add(self, file: str, rejections: Sequence[Rejection], more: int = 0) -> None:
        """Add the rejected lines of a file, and ``more`` that come after them and were not
        made."""
        self.count += len(rejections) + more
        number = self._files.setdefault(file, len(self._files))
        kept = [*self._kept, *((number, rejection) for rejection in rejections)]
        self._kept = sorted(kept, key=lambda k: (k[0], k[1].line))[:KEPT_REJECTIONS]

    def by_line(self) -> list[Rejection]:
        """The first ones."""
        return [rejection for _, rejection in self._kept]

    def as_json(self) -> list[dict[str, Any]]:
        """The first ones, with their file's name, in the form that the database stores."""
        names = list(self._files)
        return [{"file": names[number], **asdict(r)} for number, r in self._kept]


class RejectedLines:
    """Collects rejected lines: all of them into a CSV file a table, with the columns of that
    table and ``line`` and ``problem``; the first ones (``first``) for the database.

    The files are in the ``folder`` of this attempt at the import until `keep` stores them: one as
    it is, several as a ZIP.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.first = FirstRejections()
        self._stack = ExitStack()
        self._tables: dict[str, tuple[Path, Any, list[int]]] = {}

    def write(self, name: str, header: Header, lines: Iterable[tuple[int, str, list[str]]]) -> None:
        """Add lines to the file of a table: their numbers, what is wrong, and their values."""
        for line, problem, cells in lines:
            if name not in self._tables:
                self._tables[name] = self._begin(header)
            _, writer, places = self._tables[name]
            width = len(header.names)
            kept = [safe_cell(cells[i]) if i < len(cells) else "" for i in places]
            surplus = [safe_cell(cell) for cell in cells[width:]]
            writer.writerow([*kept, line, problem, *surplus])

    def _begin(self, header: Header) -> tuple[Path, Any, list[int]]:
        path = self.folder / f"rejected-{len(self._tables)}.csv"
        out = self._stack.enter_context(path.open("w", newline="", encoding="utf-8"))
        writer = csv.writer(out)
        # A mended file of rejected lines has these two columns already.
        places = [i for i, n in enumerate(header.names) if loose(n) not in MORE_COLUMNS]
        writer.writerow([*(safe_cell(header.names[i]) for i in places), *MORE_COLUMNS])
        return path, writer, places

    def close(self) -> None:
        """Close the files."""
        self._stack.close()

    def keep(self, import_id: str) -> None:
        """Store the closed files in the caller's transaction, over those of an earlier attempt."""
        paths = [path for path, _, _ in self._tables.values()]
        if len(paths) == 1:
            files.take(Kind.REJECTED, csv_key(import_id), paths[0])
        else:
            files.delete(Kind.REJECTED, csv_key(import_id))
        if len(paths) > 1:
            files.take(Kind.REJECTED, zip_key(import_id), self._zip(paths))
        else:
            files.delete(Kind.REJECTED, zip_key(import_id))
        self._tables = {}

    def _zip(self, paths: list[Path]) -> Path:
        together = self.folder / "rejected.zip"
        with zipfile.ZipFile(together, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, (name, path) in enumerate(zip(self._tables, paths, strict=True), 1):
                stem = re.sub(r"[^\w.-]+", "-", name).strip("-.")[-60:].removesuffix(".csv")
                archive.write(path, f"{number}-{stem}.csv")
        return together


def problem_of(rejection: Rejection) -> str:
    """Return what is wrong with a line, in words."""
    return f"{rejection.column}: {rejection.reason}" if rejection.column else rejection.reason


def safe_cell(text: str) -> str:
    """Return a value as valid UTF-8 that no spreadsheet takes for a formula."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return no_formula(text.replace("\0", "\N{REPLACEMENT CHARACTER}"))
