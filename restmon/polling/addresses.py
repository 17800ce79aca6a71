"""The file of addresses that the checker asks: CSV with a header, or a JSON array of objects."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restmon.errors import FileRejected
from restmon.ingest.values.store_ids import STORE_ID
from restmon.notify.public_addresses import AddressRefused, read_url

LARGEST_FILE = 64 * 2**20
LONGEST_TEXT = 200
HINT = "Write CSV with the header store_id,url,expect, or a JSON array of objects with these names."


@dataclass(frozen=True)
class StoreAddress:
    """The address of a store. ``expect`` is a status such as ``200``, a text that the answer must
    contain, or "": any status from 200 to 299."""

    store_id: str
    url: str
    expect: str = ""

    @property
    def expected_status(self) -> int | None:
        """The status that the answer must have; None if another thing is expected."""
        is_status = len(self.expect) == 3 and self.expect.isascii() and self.expect.isdigit()
        return int(self.expect) if is_status else None


def read_addresses(path: Path) -> tuple[list[StoreAddress], list[str]]:
    """The good addresses of a file, and a sentence about each bad entry.

    Raises FileRejected if it cannot be read, or has no good address."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise FileRejected(f"{path.name} is larger than {LARGEST_FILE // 2**20} MB.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FileRejected(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeError:
        raise FileRejected(f"{path.name} is not UTF-8 text.", HINT) from None
    rows = _json_rows if text.lstrip().startswith("[") else _csv_rows
    found: dict[str, StoreAddress] = {}
    problems: list[str] = []
    for place, row in rows(text, path.name):
        problem = _find_problem(row)
        store_id = _cell(row, "store_id")
        if not problem and store_id in found:
            problem = f"store {store_id} is there twice; the first address counts"
        if problem:
            problems.append(f"{path.name}, {place}: {problem}.")
        else:
            found[store_id] = StoreAddress(store_id, _cell(row, "url"), _cell(row, "expect"))
    if not found:
        why = problems[0] if problems else f"{path.name} has no addresses."
        raise FileRejected(why, HINT)
    return list(found.values()), problems


def _find_problem(row: Mapping[str, Any]) -> str:
    store_id = _cell(row, "store_id")
    if not STORE_ID.fullmatch(store_id.encode()):
        return f"{store_id[:64]!r} is not a store id"
    try:
        read_url(_cell(row, "url"))
    except AddressRefused as error:
        return error.message.rstrip(".")[:1].lower() + error.message.rstrip(".")[1:]
    if len(_cell(row, "expect")) > LONGEST_TEXT:
        return f"the expected text is longer than {LONGEST_TEXT} characters"
    return ""


def _cell(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()


def _csv_rows(text: str, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    try:
        reader.fieldnames = [field.strip() for field in reader.fieldnames or []]
        if not {"store_id", "url"} <= set(reader.fieldnames):
            raise FileRejected(f"{name} has no columns store_id and url.", HINT)
        for row in reader:
            yield f"line {reader.line_num}", row
    except csv.Error as error:
        raise FileRejected(f"{name} is not CSV: {error}.", HINT) from None


def _json_rows(text: str, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        raise FileRejected(f"{name} is not JSON.", HINT) from None
    for number, item in enumerate(items):
        yield f"item {number}", item if isinstance(item, Mapping) else {}
