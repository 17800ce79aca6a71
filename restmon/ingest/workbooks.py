"""Sheets of .xlsx workbooks as CSV text."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, cast

import python_calamine as calamine

from restmon.errors import FileRejected
from restmon.ingest.file_sources import Position, explain_damage, in_sentences, size_of
from restmon.ingest.text_streams import Lines
from restmon.ingest.zip_archives import inflate

WORKBOOK_BYTES = 1024 * 2**20
"""A workbook has at most so many bytes, unpacked."""
MOST_CELLS = 20_000_000
MOST_COLUMNS = 16_384
ROWS_AT_ONCE = 5000
CELL = re.compile(rb"""\br=["']([A-Z]{0,12})(\d{1,20})["']""")
LONGEST_CELL_NAME = 64
IN_A_LINE = {ord("\r"): " ", ord("\n"): " ", 0: "\N{REPLACEMENT CHARACTER}"}


def list_sheets(disk: BinaryIO, name: str) -> list[str]:
    """The names of a workbook's visible sheets with cells."""
    book = _load(disk, disk, name)
    visible = calamine.SheetVisibleEnum.Visible
    work = calamine.SheetTypeEnum.WorkSheet
    return [m.name for m in book.sheets_metadata if m.visible == visible and m.typ == work]


def read_sheet(
    disk: BinaryIO, whole: "Path | BinaryIO", sheet: str, name: str
) -> tuple[BinaryIO, Position]:
    """A sheet as CSV text."""
    check_workbook(disk, name)
    book = _load(disk, whole, name)
    if not book.sheet_names:
        raise FileRejected(f"{name} has no sheet.", "It needs a header line and data lines.")
    with _calamine_in_sentences(name):
        try:
            loaded = book.get_sheet_by_name(sheet or book.sheet_names[0])
        except calamine.WorksheetNotFound:
            raise FileRejected(f"{name} is not there any more.", "Upload it again.") from None
    lines = Lines(_rows_as_csv(loaded), size_of(whole))
    return cast("BinaryIO", lines), lines


def check_workbook(disk: BinaryIO, name: str) -> None:
    """Raise FileRejected for a workbook that is too large unpacked: by its bytes, or by the cells
    between its first and its last one. Measures them, whatever size it claims."""
    disk.seek(0)
    with in_sentences(name), zipfile.ZipFile(disk) as archive:
        left = WORKBOOK_BYTES
        for info in archive.infolist():
            is_sheet = info.filename.startswith("xl/worksheets/")
            box = _Corners(name) if is_sheet else None
            for block in inflate(disk, info, name):
                left -= len(block)
                if left < 0:
                    raise explain_too_large(name)
                if box:
                    box.add(block)
    disk.seek(0)


def _load(disk: BinaryIO, whole: "Path | BinaryIO", name: str) -> Any:
    with _calamine_in_sentences(name):
        if isinstance(whole, Path):
            return calamine.CalamineWorkbook.from_path(str(whole))
        disk.seek(0)
        return calamine.CalamineWorkbook.from_filelike(disk)


@contextmanager
def _calamine_in_sentences(name: str) -> Iterator[None]:
    """Turn errors of calamine, also a panic of its Rust code, into one sentence."""
    try:
        yield
    except calamine.PasswordError:
        raise FileRejected(f"{name} has a password.", "Save it without one.") from None
    except calamine.CalamineError:
        raise explain_damage(name, "a workbook") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise explain_damage(name, "a workbook") from None


def explain_too_large(name: str) -> FileRejected:
    return FileRejected(
        f"{name} is larger than {WORKBOOK_BYTES // 2**20:,} MB, unpacked.",
        "Export it as CSV UTF-8, or import it in parts.",
    )


class _Corners:
    """The corners of a sheet's cells."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rest = b""
        self._columns = [10**6, 0]
        self._rows_as_csv = [10**9, 0]

    def add(self, block: bytes) -> None:
        """Look at the cells named in further XML; raises FileRejected beyond the limits."""
        data = self._rest + block
        found = CELL.findall(data)
        self._rest = data[-LONGEST_CELL_NAME:]
        if not found:
            return
        places = [
            _column_number(letters) for letters in {letters for letters, _ in found if letters}
        ]
        rows = [int(row) for _, row in (found[0], found[-1])]
        rows += [int(max((row for _, row in found), key=lambda row: (len(row), row)))]
        self._columns = [min([self._columns[0], *places]), max([self._columns[1], *places])]
        self._rows_as_csv = [min(self._rows_as_csv[0], *rows), max(self._rows_as_csv[1], *rows)]
        width = self._columns[1] - self._columns[0] + 1
        if self._columns[1] >= MOST_COLUMNS:
            raise FileRejected(
                f"{self._name} has more than {MOST_COLUMNS:,} columns.",
                "Delete the columns that are not needed.",
            )
        if width * (self._rows_as_csv[1] - self._rows_as_csv[0] + 1) > MOST_CELLS:
            raise FileRejected(
                f"{self._name} has more than {MOST_CELLS:,} cells between its first and its last.",
                "Delete what stands far off, export it as CSV UTF-8, or import it in parts.",
            )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _rows_as_csv(sheet: Any) -> Iterator[tuple[bytes, float]]:
    """A sheet's rows as lines of CSV, each with the share of rows read so far."""
    rows = max(sheet.total_height, 1)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    number = 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        if any(value != "" for value in row):
            writer.writerow([cell_text(value) for value in row])
        else:
            out.write("\n")
        if number % ROWS_AT_ONCE == 0:
            yield out.getvalue().encode("utf-8", "replace"), number / rows
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode("utf-8", "replace"), 1.0


def cell_text(value: Any) -> str:
    """The text of a cell in a CSV file: whole numbers without a point, dates and times in ISO's
    form, a time of 24 hours or more as such."""
    if isinstance(value, str):
        return value.translate(IN_A_LINE)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if value.is_integer():
            # By its shortest digits: a longer id was rounded to 15 of them, and shows it.
            return format(Decimal(repr(value)), "f").removesuffix(".0")
        return repr(value)
    if isinstance(value, datetime):
        return _to_the_millisecond(value).isoformat(" ")
    if isinstance(value, date):
        # A day of time is what a sheet shows as 24:00 and counts as its first date.
        return "24:00:00" if value.year < 1901 else f"{value.isoformat()} 00:00:00"
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return str(value)


def _to_the_millisecond(value: datetime) -> datetime:
    """A sheet counts days in binary fractions, which are not exact."""
    rounded = value + timedelta(microseconds=500)
    return rounded.replace(microsecond=rounded.microsecond // 1000 * 1000)
