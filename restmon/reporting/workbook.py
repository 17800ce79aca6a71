"""The report in detail as a workbook for Excel."""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from restmon.core.group_names import join_groups
from restmon.reporting.details_table import (
    COLUMNS,
    COUNT,
    GROUPS,
    INSTANT,
    LOCAL,
    NUMBER,
    YES_OR_NO,
    DetailsTable,
    write_instant,
)

TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDTHS = {INSTANT: 30, LOCAL: 34, GROUPS: 24, NUMBER: 11, COUNT: 9, YES_OR_NO: 9}
TEXT_WIDTH = 20
UNITS = (
    ("open, up, down", "hours in business hours, in the window"),
    ("uptime_percent", "up of up and down, per cent; empty where nothing was seen"),
    ("outages", "how many overlap the window"),
    ("longest_outage, mean_outage", "hours, of whole outages, in business hours"),
    ("time_between_outages", "hours up for each outage that begins in the window"),
    ("coverage", "open time that is near a poll, per cent"),
    ("last_poll, status_now, down_since", "as of as_of"),
    ("target, budget_left", "per cent; hours left in the month in which the window ends"),
    ("lost_sales", "an estimate: downtime times the store's usual sales"),
)


@dataclass
class Workbook:
    """A workbook that is being written: ids are text, numbers are numbers, and no text is a
    formula. Rows are written in order and not kept, so that memory is bounded."""

    book: Any
    head: Any = field(init=False)
    two_decimals: Any = field(init=False)

    def __post_init__(self) -> None:
        self.head = self.book.add_format({"bold": True, "bottom": 1})
        self.two_decimals = self.book.add_format({"num_format": "0.00"})

    def add_table(self, name: str, columns: dict[str, int], rows: Sequence[Sequence[Any]]) -> None:
        """Add a sheet with a table. ``columns`` are the kinds of cells by name."""
        sheet, kinds = self.book.add_worksheet(name), list(columns.values())
        for column, (title, kind) in enumerate(columns.items()):
            sheet.set_column(column, column, WIDTHS.get(kind, TEXT_WIDTH))
            sheet.write_string(0, column, title, self.head)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(len(rows), 1), len(kinds) - 1)
        for row, cells in enumerate(rows, 1):
            for column, (cell, kind) in enumerate(zip(cells, kinds, strict=True)):
                if cell is None:
                    continue
                if kind == NUMBER:
                    sheet.write_number(row, column, cell, self.two_decimals)
                elif kind == COUNT:
                    sheet.write_number(row, column, cell)
                else:
                    sheet.write_string(row, column, _text(cell, kind))

    def add_texts(self, name: str, title: str, lines: Iterable[tuple[str, Any]]) -> None:
        """Add a sheet with a title and lines of a name and a text or a number."""
        sheet = self.book.add_worksheet(name)
        sheet.set_column(0, 0, 36)
        sheet.set_column(1, 1, 70)
        sheet.write_string(0, 0, title, self.head)
        left = self.book.add_format({"num_format": "0.00", "align": "left"})
        whole = self.book.add_format({"num_format": "#,##0", "align": "left"})
        for row, (what, value) in enumerate(lines, 1):
            sheet.write_string(row, 0, what)
            if isinstance(value, int | float):
                form = whole if isinstance(value, int) else left
                sheet.write_number(row, 1, value, form)
            else:
                sheet.write_string(row, 1, str(value))


@contextmanager
def open_workbook(out: io.BytesIO) -> Iterator[Workbook]:
    """A workbook that the block fills; it is in ``out`` after that."""
    import xlsxwriter  # noqa: PLC0415 - only a workbook needs it

    options = {"constant_memory": True, "in_memory": False}
    with xlsxwriter.Workbook(out, options) as book:
        yield Workbook(book)


def make_workbook(table: DetailsTable) -> bytes:
    """The workbook of a table: a sheet "Details" with its rows, and a sheet "About" that describes
    them."""
    out = io.BytesIO()
    with open_workbook(out) as book:
        book.add_table("Details", COLUMNS, table.rows)
        book.add_texts("About", "restmon: report in detail", [*table.about.items(), *UNITS])
    return out.getvalue()


def _text(cell: Any, kind: int) -> str:
    if kind == GROUPS:
        return join_groups(cell)
    if kind == YES_OR_NO:
        return "yes" if cell else "no"
    if kind == LOCAL:
        return str(cell).replace("T", " ")
    return write_instant(cell) if kind == INSTANT else str(cell)
