"""What a file may come in, what must be chosen, and how rejected lines come back."""

import gzip
import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from itertools import product
from typing import Any

import pytest
import xlsxwriter

from restmon.errors import FileRejected
from restmon.ingest import imports, incoming_files, preview
from restmon.ingest.choices import Choices
from restmon.ingest.values.days import NAMES
from restmon.storage import database
from restmon.storage.models import COMPLETE, FAILED, BusinessHours, Import, Store
from tests.support import fuzz
from tests.support.http import multipart
from tests.support.kept import rejected_text
from tests.support.workspace import Workspace

ROWS = {
    "polls": [["Store ID", "Status", "timestamp"], ["a", "up", "2025-11-23 15:10"]],
    "business_hours": [["store", "Weekday", "open", "close"], ["a", "Mon", "9:00 AM", "5 PM"]],
    "timezones": [["location_id", "tz"], ["a", "US/Eastern"]],
}
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]
ABOVE = ["", "sep={}\r\n", "# made by hand\n\n", "A title\n{0}{0}\n"]


def text_of(kind: str, delimiter: str, above: str = "") -> str:
    return above.format(delimiter) + "".join(delimiter.join(row) + "\r\n" for row in ROWS[kind])


def encoded(text: str, encoding: str) -> bytes:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    return mark + text.encode(encoding)


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def workbook(sheets: dict[str, list[list[Any]]], far: tuple[int, int] | None = None) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for i, row in enumerate(rows):
                for j, value in enumerate(row):
                    if isinstance(value, datetime):
                        sheet.write_datetime(i, j, value, moment)
                    else:
                        sheet.write(i, j, value)
            if far:
                sheet.write(*far, "x")
    return out.getvalue()


def imported(workspace: Workspace, name: str, content: bytes | str, **choices: Any) -> Import:
    """An import of a file as somebody drops it."""
    path = workspace.write(name, content)
    return imports.run_now(incoming_files.tables_of(path, name, None, Choices.of(choices)))


PACKINGS: dict[str, Callable[[bytes], tuple[str, bytes]]] = {
    "plain": lambda content: ("f.csv", content),
    "gzip": lambda content: ("f.csv.gz", gzip.compress(content)),
    "zip": lambda content: (
        "f.zip",
        zipped({"a/f.csv": content, "a/read.me": b"hello", "__MACOSX/a/._f.csv": b"\0\5"}),
    ),
    "gzip in zip": lambda content: ("f.zip", zipped({"f.csv.gz": gzip.compress(content)})),
}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("kind", ROWS)
def test_every_form_of_text_is_read(workspace: Workspace, packing: str, kind: str):
    for delimiter, encoding, above in product(",;\t|", ENCODINGS, ABOVE):
        name, content = PACKINGS[packing](encoded(text_of(kind, delimiter, above), encoding))
        path = workspace.write(name, content)
        (table,) = incoming_files.tables_of(path, name)
        assert table.kind == kind
    row = imports.run_now([table])
    assert (row.status, row.counts["new"], row.counts["rejected"]) == (COMPLETE, 1, 0)


def test_a_workbook_gives_each_sheet_with_a_known_header(workspace: Workspace):
    polls = [
        ["store_id", "status", "timestamp"],
        [1001, True, datetime(2025, 11, 23, 15, 10)],
        [1001, "down", datetime(2025, 11, 24)],
    ]
    sheets = {"Polls": polls, "Hours": ROWS["business_hours"], "Notes": [["by hand"]]}
    row = imported(workspace, "book.xlsx", workbook(sheets))
    assert {k: c["new"] for k, c in row.counts["kinds"].items()} == {
        "polls": 2,
        "business_hours": 1,
    }
    assert any("book.xlsx: Notes is left out" in notice for notice in row.notices)
    with database.session():
        assert {store.store_id for store in Store.select()} == {"1001", "a"}
    again = imported(workspace, "all.zip", zipped({"book.xlsx": workbook(sheets)}))
    assert (again.counts["read"], again.counts["unchanged"]) == (3, 3)


def with_member(book: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    archive = zipfile.ZipFile(io.BytesIO(book))
    parts = {member: archive.read(member) for member in archive.namelist()}
    return zipped(parts | {name: change(parts.get(name, b""))})


BOOK = workbook({"Polls": ROWS["polls"]})
SHEET = "xl/worksheets/sheet1.xml"
REFUSED = {
    "a cell far off": ("f.xlsx", workbook({"P": ROWS["polls"]}, (1_048_575, 16_383)), "cells"),
    "a million columns": (
        "f.xlsx",
        with_member(BOOK, SHEET, lambda xml: xml.replace(b'r="C2"', b'r="BDWGN2"')),
        "16,384 columns",
    ),
    "a bomb": (
        "f.xlsx",
        with_member(BOOK, "xl/sharedStrings.xml", lambda _: b" " * (1025 * 2**20)),
        "larger than 1,024 MB",
    ),
    "a nested ZIP": ("f.zip", zipped({"in.zip": zipped({"p.csv": b"x"})}), "a ZIP inside a ZIP"),
    "a name that leads out": ("f.zip", zipped({"../x.csv": b"x"}), "leads out of it"),
    "an absolute name": ("f.zip", zipped({"/x.csv": b"x"}), "leads out of it"),
    "an empty ZIP": ("f.zip", zipped({}), "holds no file"),
    "many members": ("f.zip", zipped({f"{n}.csv": b"" for n in range(1001)}), "1,001 files"),
    "half a ZIP": ("f.zip", zipped({"p.csv": b"x" * 999})[:-30], "damaged or cut off"),
    "a PDF": ("f.csv", b"%PDF-1.7\n", "is a PDF"),
    "an HTML page": ("f.csv", b"\n<!DOCTYPE html><html>", "is an HTML page"),
    "a pointer": ("f.csv", b"version https://git-lfs.github.com/spec/v1\noid x", "Git LFS pointer"),
    "an old workbook": ("f.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "(.xls)"),
    "a document": ("f.zip", zipped({"word/document.xml": b"x"}), "is a document"),
    "two columns a weekday": (
        "f.csv",
        ("store_id," + ",".join(f"{d}_{o}" for d in NAMES for o in ("open", "close"))).encode(),
        "several columns for each weekday",
    ),
    "OpenDocument": ("f.ods", zipped({"mimetype": b"x", "content.xml": b"x"}), "OpenDocument"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_table_is_named_in_a_sentence(workspace: Workspace, case: str):
    name, content, says = REFUSED[case]
    with pytest.raises(FileRejected) as caught:
        imported(workspace, name, content)
    assert says in caught.value.message
    assert name in caught.value.message


HOURS = "store_id,day,open,close\n"


@pytest.mark.parametrize(
    ("numbers", "days"),
    [("1-monday", [0, 6]), ("1-sunday", [6, 5]), ("0-monday", [1]), ("0-sunday", [0])],
)
def test_day_seven_needs_a_choice(workspace: Workspace, numbers: str, days: list[int]):
    text = HOURS + "a,1,9:00,17:00\nb,7,9:00,17:00\n"
    row = imported(workspace, "h.csv", text)
    assert row.status == FAILED
    assert "1-monday" in row.error
    assert "--day-numbers" in row.error
    row = imported(workspace, "h.csv", text, day_numbers=numbers)
    assert (row.status, row.counts["rejected"]) == (COMPLETE, 2 - len(days))
    with database.session():
        found = [h.day_of_week for h in BusinessHours.select().order_by(BusinessHours.store)]
    assert found == days


def test_dates_are_read_as_they_show_or_as_was_chosen(workspace: Workspace):
    head, unclear = "store_id,timestamp,status\n", "a,11/12/2025 15:10,up\n"
    assert "--date-order" in imported(workspace, "p.csv", head + unclear).error
    shown = imported(workspace, "p.csv", head + unclear + "b,11/23/2025 3:10 PM,down\n")
    assert shown.counts["new"] == 2
    assert any("month first" in notice for notice in shown.notices)
    chosen = imported(workspace, "p.csv", head + unclear, date_order="day-first")
    assert (chosen.counts["new"], chosen.notices) == (1, [])


def test_a_choice_of_columns_is_kept_for_the_next_file_with_that_header(workspace: Workspace):
    text = "Shop,Checked at,State\na,2025-11-12 15:10,up\n"
    with pytest.raises(FileRejected, match="Say which column is which"):
        imported(workspace, "x.csv", text)
    columns = {"polls": {"store_id": "Shop", "timestamp_utc": "Checked at", "status": "State"}}
    assert imported(workspace, "x.csv", text, columns=columns).counts["new"] == 1
    later = "shop;checked_at;STATE\nb;2025-11-12 15:10;up\n"
    assert imported(workspace, "y.csv", later).counts["new"] == 1


def test_rejected_lines_of_hours_bring_their_store_with_them_and_can_be_mended(
    workspace: Workspace,
):
    lines = "b,0,9:00,17:00\nb,1,9,17:00\nb,2,-,-\nc,0,9:00,17:00\n"
    row = imported(workspace, "h.csv", HOURS + lines)
    assert (row.counts["new"], row.counts["rejected"]) == (1, 1)
    text = rejected_text(row.id)
    assert text.splitlines()[0] == "store_id,day,open,close,line,problem"
    assert len(text.splitlines()) == 4
    mended = imported(workspace, "mended.csv", text.replace("b,1,9,", "b,1,9:00,"))
    assert (mended.counts["new"], mended.counts["rejected"]) == (3, 0)


def test_rejected_lines_of_several_tables_are_a_zip_that_can_be_imported(workspace: Workspace):
    both = {
        "p.csv": b"store_id,status,timestamp\nq,zz,2025-01-01 00:00\n",
        "z.csv": b"store_id,tz\nq,EDT\n",
    }
    row = imported(workspace, "both.zip", zipped(both))
    found = imports.find_rejected(row.id)
    assert found is not None
    assert (row.counts["rejected"], found.suffix) == (2, ".zip")
    again = imported(workspace, "again.zip", imports.read_rejected(found))
    assert (again.counts["read"], again.counts["rejected"]) == (2, 2)


@pytest.mark.both_databases
@pytest.mark.parametrize("at_once", [True, False])
def test_of_several_files_of_hours_the_last_one_counts(workspace: Workspace, at_once: bool):
    texts = {
        "a.csv": HOURS + "a,0,9:00,17:00\na,1,9:00,17:00\nb,0,9:00,17:00\n",
        "b.csv": HOURS + "a,2,10:00,12:00\nc,0,9:00,17:00\n",
    }
    tables = [
        incoming_files.tables_of(workspace.write(name, text), name)[0]
        for name, text in texts.items()
    ]
    rows = [imports.run_now(tables)] if at_once else [imports.run_now([t]) for t in tables]
    with database.session():
        found = [(h.store.store_id, h.day_of_week) for h in BusinessHours.select()]
    assert sorted(found) == [("a", 2), ("b", 0), ("c", 0)]
    if at_once:
        (row,) = rows
        assert (row.counts["new"], row.counts["unchanged"]) == (3, 2)
        assert row.notices == [
            "1 store, such as a, has business hours in several files of this import: those of the "
            "last file count."
        ]


def test_sheets_of_one_workbook_add_to_each_other(workspace: Workspace):
    head = ROWS["business_hours"][0]
    days = {day: [head, ["a", day, "9:00", "17:00"]] for day in ("Mon", "Tue")}
    row = imported(workspace, "book.xlsx", workbook(days))
    assert (row.counts["new"], row.notices) == (2, [])


HOSTILE = ("a million columns", "a bomb", "a nested ZIP", "a name that leads out", "half a ZIP")


@pytest.mark.slow
@pytest.mark.parametrize("case", HOSTILE)
def test_commands_and_api_answer_a_hostile_container_with_a_sentence(
    workspace: Workspace, case: str
):
    name, content, says = REFUSED[case]
    done = workspace.command("import", workspace.write(name, content))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert says in " ".join(done.stderr.split())
    body, headers = multipart([("polls", name, content)])
    status, error = fuzz.answer_to(body, headers["Content-Type"], query="wait=true")
    assert 400 <= status < 500
    assert says in error["error"]["message"]
    with database.session():
        assert not Store.select().exists()


def test_the_progress_of_a_check_goes_over_all_tables_to_the_end():
    lines = "".join(f"s{n},up,2025-11-23 15:10\n" for n in range(100_000))
    polls = ("store_id,status,timestamp\n" + lines).encode()
    both = zipped({"a.csv": polls, "b.csv": polls})
    told: list[tuple[int, int]] = []
    found = preview.previews(
        io.BytesIO(both), "f.zip", progress=lambda done, total: told.append((done, total))
    )
    assert [table.lines for table in found] == [100_000, 100_000]
    assert told == sorted(told)
    assert {total for _, total in told} == {2000}
    assert told[-1][0] == 2000
    assert any(0 < done <= 1000 for done, _ in told)
