"""The rejected items of a live feed, as a CSV file that can be mended and imported.

Each call of an hour keeps its own in a row beside the import that collects them, so that it writes
no more than it brings. The rows are joined when the file is read.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from restmon.ingest.headers import COLUMNS, loose
from restmon.ingest.rejected import MORE_COLUMNS, csv_key, safe_cell
from restmon.storage import database, files
from restmon.storage.file_models import RejectedItems
from restmon.storage.files import Kind

MOST_LINES = 10_000
"""So many items an hour are kept, so that a client that sends nothing else does not fill the
disk."""

Line = tuple[int, str, Any]
"""The index of an item, what is wrong with it, and the item."""


def keep_lines(import_id: str, kind: str, lines: Sequence[Line]) -> None:
    """Keep lines of one call for an import, in the caller's transaction."""
    if lines:
        kept = [[index, problem, _cells_of(item)] for index, problem, item in lines]
        text = json.dumps(kept, separators=(",", ":"))
        RejectedItems.insert(imported=import_id, kind=kind, lines=text).execute()


def _cells_of(item: Any) -> dict[str, str] | str:
    if isinstance(item, Mapping):
        return {str(key): _text_of(value) for key, value in item.items()}
    return _text_of(item)


def has_lines(import_id: str) -> bool:
    """Whether lines are kept for an import."""
    with database.session():
        return bool(RejectedItems.select().where(RejectedItems.imported == import_id).exists())


def read_lines(import_id: str) -> bytes:
    """The lines of all calls of an import as a CSV file, with columns for all of their names; no
    bytes if there are none."""
    query = RejectedItems.select(RejectedItems.kind, RejectedItems.lines)
    mine = query.where(RejectedItems.imported == import_id).order_by(RejectedItems.id)
    with database.session():
        calls = list(database.tuples(mine))
    if not calls:
        return b""
    lines = [line for _, text in calls for line in json.loads(text)]
    return _write(_read_former(import_id), calls[0][0], lines)


def _read_former(import_id: str) -> list[list[str]]:
    """The rows of the file that an older version kept of the first calls of the hour."""
    key = csv_key(import_id)
    if files.find(Kind.REJECTED, key) is None:
        return []
    text = files.read(Kind.REJECTED, key).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def _write(former: list[list[str]], kind: str, lines: Sequence[Line]) -> bytes:
    known = former[0][: -len(MORE_COLUMNS)] if former else []
    names = _names_of(lines, known, kind)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*(safe_cell(name) for name in names), *MORE_COLUMNS])
    empty = [""] * (len(names) - len(known))
    writer.writerows([*row[: len(known)], *empty, *row[len(known) :]] for row in former[1:])
    places = {loose(name): place for place, name in enumerate(names)}
    for index, problem, item in lines:
        cells = [""] * len(names)
        if isinstance(item, Mapping):
            for key, value in item.items():
                if (place := places.get(loose(key))) is not None:
                    cells[place] = safe_cell(value)
        else:
            cells[0] = safe_cell(item)
        writer.writerow([*cells, index, problem])
    return text.getvalue().encode(errors="replace")


def _names_of(lines: Sequence[Line], known: Sequence[str], kind: str) -> list[str]:
    """The columns for the lines, beginning with those that are known."""
    names = {loose(name): name for name in known}
    for _, _, item in lines:
        if isinstance(item, Mapping):
            for key in item:
                if loose(key) not in MORE_COLUMNS:
                    names.setdefault(loose(key), key)
    return list(names.values()) or list(COLUMNS[kind])


def _text_of(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "…"
