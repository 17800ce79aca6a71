"""The store directory, hours on dates, hourly sales, and the reasons of polls: what an import
makes of them."""

import io
import zipfile
from typing import Any

import pytest

from restmon.access.roles import Actor, Role
from restmon.core.instants import date_of
from restmon.errors import CannotUndo, FileRejected
from restmon.ingest import imports, incoming_files
from restmon.ingest.choices import Choices
from restmon.ingest.feeds_csv import export_csv
from restmon.ingest.preview import previews
from restmon.ingest.store_editing import Subject, save_dates
from restmon.ingest.undo import undo
from restmon.reporting import computation
from restmon.reporting.store_timeline import read_store
from restmon.storage import database, models
from restmon.storage.models import COMPLETE, Import
from restmon.stores import groups
from tests.support.kept import rejected_text
from tests.support.workspace import Workspace

POLLS = "store_id,status,timestamp_utc\n"
HOURS = "store_id,day,start_time_local,end_time_local\n"
ZONES = "store_id,timezone_str\n"
DIRECTORY = "store_id,name,address,groups,sales_per_hour,opened_on,closed_on\n"
OTHER = "store_id,group,date,start_time_local,end_time_local,note\n"
SALES = "store_id,dayOfWeek,hour,sales\n"
WEEK = "".join(f"a,{day},10:00,22:00\n" for day in range(7))

pytestmark = pytest.mark.both_databases


def import_texts(
    workspace: Workspace,
    actor: Actor | None = None,
    choices: Choices | None = None,
    **texts: str,
) -> Import:
    """Import tables by kind (``polls``, ``other_hours``, …) in one import."""
    files = [
        file
        for kind, text in texts.items()
        for file in incoming_files.tables_of(
            workspace.write(f"{kind}.csv", text), f"{kind}.csv", kind, choices or Choices()
        )
    ]
    row = imports.request(files, "test", **({"actor": actor} if actor else {}))
    assert imports.work(row.id)
    row = imports.get(row.id)
    assert row.status == COMPLETE, row.error
    return row


def counts(row: Import, kind: str) -> tuple[int, ...]:
    """new, updated, unchanged, rejected, removed."""
    found = row.counts["kinds"][kind]
    assert found["read"] == sum(found[n] for n in ("new", "updated", "unchanged", "rejected"))
    return tuple(found[n] for n in ("new", "updated", "unchanged", "rejected", "removed"))


def directory() -> dict[str, tuple[Any, ...]]:
    with database.session():
        rows = models.StoreDirectory.select()
        return {
            row.store.store_id: (
                row.name, row.address, row.sales_per_hour, row.opened_on, row.closed_on,
            )
            for row in rows
        }  # fmt: skip


def dates() -> set[tuple[Any, ...]]:
    """(store or group, date, start, end in hours, note)."""
    hour = 3_600_000_000
    with database.session():
        return {
            (
                row.store.store_id if row.store else f"group {row.group.name}",
                str(date_of(row.date)),
                None if row.start_time is None else row.start_time / hour,
                None if row.end_time is None else row.end_time / hour,
                row.note,
            )
            for row in models.OtherHours.select()
        }


def sales() -> dict[tuple[str, int, int], float]:
    with database.session():
        rows = models.HourlySales.select()
        return {(r.store.store_id, r.day_of_week, r.hour): r.sales for r in rows}


def reasons() -> dict[tuple[str, int], str]:
    with database.session():
        rows = models.PollReason.select()
        return {(r.store.store_id, r.timestamp // 10**6 % 86400 // 3600): r.reason for r in rows}


def test_a_directory_replaces_the_columns_it_has(workspace: Workspace):
    first = DIRECTORY + "a,Alpha,1 Main St,Brand;East,240.5,1921-05-01,\nb,Beta,,,,,2026-01-31\n"
    row = import_texts(workspace, directory=first)
    assert counts(row, "directory") == (2, 0, 0, 0, 0)
    assert directory() == {
        "a": ("Alpha", "1 Main St", 240.5, -17777, None),
        "b": ("Beta", None, None, None, 20484),
    }
    assert groups.groups_of("a") == ["Brand", "East"]
    assert counts(import_texts(workspace, directory=first), "directory") == (0, 0, 2, 0, 0)
    with database.session():
        before = models.Revision.select().count()
    row = import_texts(workspace, directory="Store ID,Name,Groups\na,Alpha,east;West\nc,Gamma,\n")
    assert counts(row, "directory") == (1, 1, 0, 0, 0)
    assert directory()["a"] == ("Alpha", "1 Main St", 240.5, -17777, None)
    assert groups.groups_of("a") == ["East", "West"]
    assert groups.members_of("Brand") == []
    with database.session():
        assert models.Revision.select().count() == before + 1
    import_texts(workspace, directory="store_id,address,sales_per_hour\na,,\n")
    assert directory()["a"] == ("Alpha", None, None, -17777, None)


def test_bad_lines_of_a_directory_are_rejected_alone(workspace: Workspace):
    row = import_texts(
        workspace,
        directory=DIRECTORY
        + "a,Alpha,,,-5,,\nb,Beta,,=x,,,\nc,,,,,2026-02-30,\nd,,,,,,11/30/26\n"
        + f"e,{'x' * 201},,,,,\nf,Good,,,,,\ng,only,three\n",
    )
    assert counts(row, "directory") == (1, 0, 0, 6, 0)
    told = {r["line"]: (r["column"], r["reason"]) for r in row.rejections}
    assert told[2][0] == "sales_per_hour"
    assert "not an amount" in told[2][1]
    assert told[3][0] == "groups"
    assert "there is no such date" in told[4][1]
    assert "two digits" in told[5][1]
    assert "longer than 200" in told[6][1]
    assert "the line has 3 values" in told[8][1]
    assert directory() == {"f": ("Good", None, None, None, None)}


def test_dates_that_may_be_of_two_orders_are_asked_for(workspace: Workspace):
    text = "store_id,date,open,close\na,11/12/2026,,\n"
    file = incoming_files.tables_of(workspace.write("o.csv", text), "o.csv")
    row = imports.run_now(file)
    assert "date_order" in row.error
    import_texts(workspace, other_hours=text, choices=Choices(date_order="day-first"))
    assert dates() == {("a", "2026-12-11", None, None, None)}
    row = import_texts(workspace, other_hours=text + "a,11/30/2026,9 AM,noon\n")
    assert ("a", "2026-11-12", None, None, None) in dates()
    assert any("month first" in notice for notice in row.notices)


def test_a_date_is_replaced_whole(workspace: Workspace):
    first = (
        OTHER
        + "a,,2026-11-26,,,Thanksgiving\na,,2026-11-27,10:00,12:00,\na,,2026-11-27,17:00,20:00,\n"
        + ",Brand,2026-12-25,closed,closed,\n"
    )
    row = import_texts(workspace, other_hours=first)
    assert counts(row, "other_hours") == (4, 0, 0, 0, 0)
    assert dates() == {
        ("a", "2026-11-26", None, None, "Thanksgiving"),
        ("a", "2026-11-27", 10, 12, None),
        ("a", "2026-11-27", 17, 20, None),
        ("group Brand", "2026-12-25", None, None, None),
    }
    assert counts(import_texts(workspace, other_hours=first), "other_hours") == (0, 0, 4, 0, 0)
    second = "store_id,start_date,end_date,opens,closes\na,2026-11-27,2026-11-29,9 AM,1 PM\n"
    row = import_texts(workspace, other_hours=second)
    assert counts(row, "other_hours") == (2, 1, 0, 0, 1)
    assert {day for day in dates() if day[0] == "a"} == {
        ("a", "2026-11-26", None, None, "Thanksgiving"),
        *((("a", f"2026-11-{day}", 9, 13, None)) for day in (27, 28, 29)),
    }


def test_a_bad_line_leaves_what_its_date_had(workspace: Workspace):
    import_texts(workspace, other_hours=OTHER + "a,,2026-11-26,,,\n,B,2026-11-26,9:00,10:00,\n")
    row = import_texts(
        workspace,
        other_hours=OTHER
        + "a,,2026-11-26,09:00,12:00,\na,,2026-11-26,17:00,25:00,\na,,2026-11-27,09:00,12:00,\n"
        + ",b,2026-11-26,11:00,12:00,\n,b,2026-11-26,x,12:00,\n"
        + "a,B,2026-11-28,,,\n,,2026-11-28,,,\na,,2026-13-28,,,\na,,2026-11-27\n",
    )
    assert dates() == {
        ("a", "2026-11-26", None, None, None),
        ("group B", "2026-11-26", 9, 10, None),
    }
    assert counts(row, "other_hours") == (0, 0, 3, 6, 0)
    told = {r["line"]: (r["column"], r["reason"]) for r in row.rejections}
    assert told[3][0] == "end_time_local"
    assert "what was known of that date is kept" in told[3][1]
    assert "not both" in told[7][1]
    assert told[8][0] == "store_id"
    assert told[9][0] == "date"
    lines = rejected_text(row.id).splitlines()
    assert len(lines) == 10  # all lines of those that have a bad one, to be mended together


def test_ranges_that_cannot_be_are_rejected(workspace: Workspace):
    header = "store_id,start_date,end_date,open,close\n"
    text = header + "a,2026-12-01,2026-11-01,,\na,2020-01-01,2030-01-01,,\n"
    row = import_texts(workspace, other_hours=text)
    assert [r["reason"] for r in row.rejections] == [
        "the range ends before it begins",
        "the range is longer than 366 days",
    ]
    assert dates() == set()


def test_sales_replace_all_of_their_stores(workspace: Workspace):
    text = SALES + "a,Monday,12,310.50\na,0,13,200\nb,6,0,5\n"
    assert counts(import_texts(workspace, sales=text), "sales") == (3, 0, 0, 0, 0)
    assert counts(import_texts(workspace, sales=text), "sales") == (0, 0, 3, 0, 0)
    row = import_texts(
        workspace, sales=SALES + "a,0,12,$99\na,1,24,5\na,1,9,\na,1,10,1\na,1,10,2\n"
    )
    assert counts(row, "sales") == (1, 2, 0, 2, 1)
    assert sales() == {("a", 0, 12): 99.0, ("a", 1, 10): 2.0, ("b", 6, 0): 5.0}
    assert [(r["line"], r["column"]) for r in row.rejections] == [(3, "hour"), (4, "sales")]


def test_the_later_poll_wins_with_its_reason(workspace: Workspace):
    header = "store_id,status,timestamp_utc,reason\n"
    text = header + (
        "a,inactive,2026-11-26 10:00:00 UTC,Tablet offline\n"
        "a,inactive,2026-11-26 11:00:00 UTC,\n"
        "a,inactive,2026-11-26 12:00:00 UTC,first\na,inactive,2026-11-26 12:00:00 UTC,second\n"
    )
    assert counts(import_texts(workspace, polls=text), "polls") == (3, 1, 0, 0, 0)
    assert reasons() == {("a", 10): "Tablet offline", ("a", 12): "second"}
    text = text.replace("first", "second")
    assert counts(import_texts(workspace, polls=text), "polls") == (0, 0, 4, 0, 0)
    again = (
        header + "a,inactive,2026-11-26 11:00:00 UTC,Paused\na,active,2026-11-26 12:00:00 UTC,\n"
    )
    assert counts(import_texts(workspace, polls=again), "polls") == (0, 2, 0, 0, 0)
    assert reasons() == {("a", 10): "Tablet offline", ("a", 11): "Paused"}
    plain = POLLS + "a,inactive,2026-11-26 10:00:00 UTC\n"
    assert counts(import_texts(workspace, polls=plain), "polls") == (0, 1, 0, 0, 0)
    assert reasons() == {("a", 11): "Paused"}


def test_one_file_of_all_feeds(workspace: Workspace):
    tables = {
        "a.csv": POLLS + "a,active,2026-11-25 18:00:00 UTC\n",
        "b.csv": HOURS + WEEK,
        "c.csv": DIRECTORY + "a,Alpha,,Brand,,,\n",
        "d.csv": "group,date,open,close,note\nBrand,2026-11-26,,,Thanksgiving\n",
        "e.csv": SALES + "a,0,12,100\n",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in tables.items():
            archive.writestr(name, text)
    path = workspace.write("all.zip", out.getvalue())
    found = previews(path, path.name)
    assert {table.kind for table in found} == {
        *("polls", "business_hours", "directory", "other_hours", "sales"),
    }
    words = [t.understood.words(s) for t in found for s in t.understood.subjects]
    assert "group Brand: Thursday, November 26, 2026 closed" in words
    assert "store a: Alpha; in Brand" in words
    assert "store a: sells 100.00 in 1 hours of a week" in words
    row = imports.run_now(incoming_files.tables_of(path, path.name))
    assert row.status == COMPLETE
    data = computation.compute(computation.parse_as_of("2026-11-27T05:00:00Z"))
    assert data.csv().splitlines()[1] == "a,0.00,0.00,72.00,0.00,0.00,0.00"


def test_a_store_that_only_the_directory_names_has_no_line_in_the_report(workspace: Workspace):
    import_texts(
        workspace,
        polls=POLLS + "a,active,2026-11-25 18:00:00 UTC\n",
        directory=DIRECTORY + "a,Alpha,,,,,\nz,Zulu,,,,,\n",
    )
    assert [line.split(",")[0] for line in computation.compute().csv().splitlines()[1:]] == ["a"]
    import_texts(workspace, timezones=ZONES + "z,America/Denver\n")
    assert len(computation.compute().csv().splitlines()) == 3


def test_weekdays_and_dates_in_one_file_are_not_guessed(workspace: Workspace):
    path = workspace.write("x.csv", "store_id,day,date,open,close\na,0,2026-11-26,9:00,10:00\n")
    with pytest.raises(FileRejected, match="weekly hours or other hours on dates"):
        incoming_files.tables_of(path, path.name)
    assert incoming_files.tables_of(path, path.name, "other_hours")[0].kind == "other_hours"


def test_an_owner_changes_no_group_and_no_other_store(workspace: Workspace):
    import_texts(workspace, directory=DIRECTORY + "a,Alpha,,Mine,,,\nz,Zulu,,Theirs,,,\n")
    with database.session():
        mine = models.Group.named("Mine").id
    owner = Actor("owner", Role.OWNER, frozenset({mine}))
    row = import_texts(
        workspace,
        actor=owner,
        directory="store_id,name,groups\na,New,Theirs\nz,Hacked,Mine\nq,Made,Mine\n",
        other_hours=OTHER
        + ",mine,2026-11-26,,,\n,Theirs,2026-11-26,,,\n,New,2026-11-26,,,\nz,,2026-11-26,,,\n",
        sales=SALES + "z,0,0,1\n",
    )
    assert any("only an operator changes groups" in notice for notice in row.notices)
    assert counts(row, "directory") == (0, 1, 0, 2, 0)
    assert counts(row, "other_hours") == (1, 0, 0, 3, 0)
    assert counts(row, "sales") == (0, 0, 0, 1, 0)
    assert directory()["a"][0] == "New"
    assert directory()["z"][0] == "Zulu"
    assert groups.groups_of("a") == ["Mine"]
    assert groups.groups_of("z") == ["Theirs"]
    assert dates() == {("group Mine", "2026-11-26", None, None, None)}
    assert [group.name for group in groups.list_groups()] == ["Mine", "Theirs"]
    with database.session():
        assert not models.Store.select().where(models.Store.store_id == "q").exists()


def test_the_cause_of_an_outage_is_the_first_reason_told(workspace: Workspace):
    import_texts(
        workspace,
        polls="store_id,status,timestamp_utc,reason\n"
        "a,active,2026-11-26 08:00:00 UTC,ignored\n"
        "a,inactive,2026-11-26 10:00:00 UTC,\n"
        "a,inactive,2026-11-26 11:00:00 UTC,Tablet offline\n"
        "a,inactive,2026-11-26 12:00:00 UTC,Paused\n"
        "a,active,2026-11-26 14:00:00 UTC,\n"
        "a,inactive,2026-11-26 16:00:00 UTC,\n"
        "a,active,2026-11-26 18:00:00 UTC,\n",
    )
    lo, hi = (computation.parse_as_of(f"2026-11-26 {t}:00 UTC") for t in ("00:00", "18:00"))
    assert read_store("a", lo, hi).causes == ["Tablet offline", None]


def test_an_import_of_the_feeds_is_undone(workspace: Workspace):
    first = {
        "polls": "store_id,status,timestamp_utc,reason\n"
        "a,inactive,2026-11-26 10:00:00 UTC,Tablet\n",
        "directory": DIRECTORY + "a,Alpha,1 Main St,Brand,240,,\nb,Beta,,East,,,\n",
        "other_hours": OTHER + "a,,2026-11-26,,,\n,Brand,2026-12-25,10:00,14:00,short\n",
        "sales": SALES + "a,0,12,100\na,0,13,110\n",
    }
    import_texts(workspace, **first)
    kinds = ("directory", "other_hours", "sales")
    before = [export_csv(kind) for kind in kinds]
    row = import_texts(
        workspace,
        polls=POLLS + "a,inactive,2026-11-26 10:00:00 UTC\n",
        directory=DIRECTORY + "a,New,,East,,,\nb,,,,,,\nc,Gamma,,Brand,1,,\n",
        other_hours=OTHER
        + "a,,2026-11-26,9:00,10:00,\n,Brand,2026-12-25,,,\n,Brand,2026-12-26,,,\n",
        sales=SALES + "a,0,12,1\nb,0,0,5\n",
    )
    assert before[0] != export_csv("directory")
    assert reasons() == {}
    undo(row.id)
    assert [export_csv(kind) for kind in kinds] == before
    assert reasons() == {("a", 10): "Tablet"}
    row = import_texts(workspace, other_hours=OTHER + "a,,2026-11-26,9:00,10:00,\n")
    save_dates(Subject(store="a"), [])
    with pytest.raises(CannotUndo, match="edited by hand"):
        undo(row.id)
