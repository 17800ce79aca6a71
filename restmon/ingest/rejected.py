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
from restmon.files import part_of
from restmon.ingest.batches import Rejection
from restmon.ingest.headers import Header, loose

KEPT_REJECTIONS = 1000
MORE_COLUMNS = ("line", "problem")
GOOD_LINE = "none; it is here because another line of this store is rejected"
"""The problem of a good line of business hours, since a store's lines are replaced as a whole."""


def zip_of(target: Path) -> Path:
    """The path of the ZIP that holds several files of rejected lines."""
    return target.with_suffix(".zip")


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

    The files are those of this attempt at the import until `move_in` puts them at ``target``:
    one as it is, several as a ZIP with that name's stem.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
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
            kept = [_safe(cells[i]) if i < len(cells) else "" for i in places]
            surplus = [_safe(cell) for cell in cells[width:]]
            writer.writerow([*kept, line, problem, *surplus])

    def _begin(self, header: Header) -> tuple[Path, Any, list[int]]:
        number = len(self._tables)
        name = f"{self.target.stem}-{number}.csv" if number else self.target.name
        path = part_of(self.target.with_name(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        out = self._stack.enter_context(path.open("w", newline="", encoding="utf-8"))
        writer = csv.writer(out)
        # A mended file of rejected lines has these two columns already.
        places = [i for i, n in enumerate(header.names) if loose(n) not in MORE_COLUMNS]
        writer.writerow([*(_safe(header.names[i]) for i in places), *MORE_COLUMNS])
        return path, writer, places

    def close(self) -> None:
        """Close the files."""
        self._stack.close()

    def move_in(self) -> None:
        """Move the closed files in their place, over those of an earlier attempt that failed."""
        paths = [path for path, _, _ in self._tables.values()]
        together = zip_of(self.target)
        if len(paths) == 1:
            paths[0].replace(self.target)
        else:
            self.target.unlink(missing_ok=True)
        if len(paths) > 1:
            part = part_of(together)
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
                for number, (name, path) in enumerate(zip(self._tables, paths, strict=True), 1):
                    stem = re.sub(r"[^\w.-]+", "-", name).strip("-.")[-60:].removesuffix(".csv")
                    archive.write(path, f"{number}-{stem}.csv")
                    path.unlink()
            part.replace(together)
        else:
            together.unlink(missing_ok=True)
        self._tables = {}

    def drop(self) -> None:
        """Delete the files unless they were moved in."""
        self.close()
        for path, _, _ in self._tables.values():
            path.unlink(missing_ok=True)


def _safe(text: str) -> str:
    """A value as valid UTF-8."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return no_formula(text.replace("\0", "\N{REPLACEMENT CHARACTER}"))
