"""The report in detail as a workbook for Excel."""

import io
from typing import Any

from restmon.ingest.values.texts import join_groups
from restmon.reporting.details_table import (
    COLUMNS,
    COUNT,
    GROUPS,
    INSTANT,
    NUMBER,
    YES_OR_NO,
    DetailsTable,
    write_instant,
)

TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDTHS = {INSTANT: 30, GROUPS: 24, NUMBER: 11, COUNT: 9, YES_OR_NO: 9}
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


def make_workbook(table: DetailsTable) -> bytes:
    """The workbook of a table: a sheet "Details" with its rows, ids as text and numbers as numbers,
    and a sheet "About" that describes them. No text in it is a formula."""
    import xlsxwriter  # noqa: PLC0415 - only a workbook needs it

    out = io.BytesIO()
    options = {"constant_memory": True, "in_memory": False}
    with xlsxwriter.Workbook(out, options) as book:
        head = book.add_format({"bold": True, "bottom": 1})
        _fill(book.add_worksheet("Details"), table, head, book.add_format({"num_format": "0.00"}))
        about = book.add_worksheet("About")
        about.set_column(0, 0, 36)
        about.set_column(1, 1, 70)
        about.write_string(0, 0, "restmon: report in detail", head)
        lines = [*table.about.items(), *UNITS]
        for row, (name, text) in enumerate(lines, 1):
            about.write_string(row, 0, name)
            about.write_string(row, 1, str(text))
    return out.getvalue()


def _fill(sheet: Any, table: DetailsTable, head: Any, two_decimals: Any) -> None:
    kinds = list(COLUMNS.values())
    for column, (name, kind) in enumerate(COLUMNS.items()):
        sheet.set_column(column, column, WIDTHS.get(kind, TEXT_WIDTH))
        sheet.write_string(0, column, name, head)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(len(table.rows), 1), len(kinds) - 1)
    for row, cells in enumerate(table.rows, 1):
        for column, (cell, kind) in enumerate(zip(cells, kinds, strict=True)):
            if cell is None:
                continue
            if kind == NUMBER:
                sheet.write_number(row, column, cell, two_decimals)
            elif kind == COUNT:
                sheet.write_number(row, column, cell)
            else:
                sheet.write_string(row, column, _text(cell, kind))


def _text(cell: Any, kind: int) -> str:
    if kind == GROUPS:
        return join_groups(cell)
    if kind == YES_OR_NO:
        return "yes" if cell else "no"
    return write_instant(cell) if kind == INSTANT else str(cell)
