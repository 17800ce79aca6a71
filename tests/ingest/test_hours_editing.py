"""Hours and zones edited by hand: seen in what is kept, and in the report."""

import math
from datetime import time

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restmon.core.instants import DAY
from restmon.demo import demo_stores
from restmon.errors import BadRequest, NotFound
from restmon.ingest import hours_editing, imports, incoming_files
from restmon.ingest.choices import Choices
from restmon.ingest.values.times_of_day import time_of_day
from restmon.reporting import computation
from restmon.reporting.snapshot import cache, current_revision
from restmon.storage import database
from restmon.storage.models import Store
from tests.support.workspace import HOURS_HEADER, Workspace

pytestmark = pytest.mark.both_databases

# The worked example of SEMANTICS.md: a Monday in Chicago (UTC-6).
POLLS = "x,active,2023-01-23 16:14:00 UTC\nx,inactive,2023-01-23 17:15:00 UTC\n"


@pytest.fixture
def example(workspace: Workspace) -> Workspace:
    """A workspace with the stores x (polls, open Monday 09:00 to 12:00) and y (a zone)."""
    workspace.import_now(POLLS, "x,0,09:00:00,12:00:00\n", "y,America/Boise\n")
    return workspace


def kept(store_id: str) -> list[list[str]]:
    return hours_editing.read_hours(store_id).hours.to_numpy().tolist()


def numbers(store_id: str) -> list[str]:
    """The numbers of the store in a report as of the end of that Monday in Chicago."""
    data = computation.compute(computation.parse_as_of("2023-01-24 06:00:00 UTC"))
    (line,) = [line for line in data.csv().splitlines() if line.startswith(f"{store_id},")]
    return line.split(",")[1:]


def test_what_is_kept_is_told_as_text(example: Workspace):
    found = hours_editing.read_hours("x")
    assert list(found.hours.columns) == ["dayOfWeek", "start_time_local", "end_time_local"]
    assert (found.store_id, found.zone, kept("x")) == ("x", None, [["0", "09:00", "12:00"]])
    found = hours_editing.read_hours("y")
    assert (found.zone, len(found.hours)) == ("America/Boise", 0)


def test_hours_change_the_report(example: Workspace):
    assert numbers("x")[1::3] == ["1.74", "1.26"]
    assert hours_editing.set_hours("x", [("0", "10:00", "11:30")]) is True
    assert kept("x") == [["0", "10:00", "11:30"]]
    assert numbers("x")[1::3] == ["0.74", "0.76"]
    assert hours_editing.set_hours("x", []) is True
    assert kept("x") == []
    # Around the clock: up from Monday 00:00 until 10:44:30, then down for the rest of the day.
    assert numbers("x")[1::3] == ["10.74", "13.26"]


def test_a_day_that_is_closed_is_told_as_closed(workspace: Workspace):
    workspace.import_now(POLLS, "x,0,09:00:00,12:00:00\nx,6,closed,closed\n")
    rows = [["0", "09:00", "12:00"], ["6", "closed", "closed"]]
    assert kept("x") == rows
    assert hours_editing.set_hours("x", rows) is False
    assert hours_editing.set_hours("x", rows[1:]) is True
    assert kept("x") == rows[1:]


def test_a_zone_changes_the_report(example: Workspace):
    hours_editing.set_zone("x", "UTC")
    # Open 09:00 to 12:00 UTC; the polls are then of closed hours.
    assert numbers("x") == ["0.00"] * 6
    assert hours_editing.read_hours("x").zone == "UTC"
    assert hours_editing.set_zone("x", None) is True
    assert hours_editing.read_hours("x").zone is None
    assert numbers("x")[1::3] == ["1.74", "1.26"]


def test_other_stores_keep_theirs(example: Workspace):
    example.import_now(hours="z,1,00:00,24:00\nz,3,08:00,08:30\n")
    before = kept("z")
    hours_editing.set_hours("x", [("6", "01:00", "02:00")])
    hours_editing.set_hours("y", [("5", "01:00", "02:00")])
    hours_editing.set_zone("x", "Asia/Kolkata")
    assert kept("z") == before == [["1", "00:00", "24:00"], ["3", "08:00", "08:30"]]
    assert hours_editing.read_hours("z").zone is None
    assert hours_editing.read_hours("y").zone == "America/Boise"


def test_nothing_new_changes_nothing(example: Workspace):
    before = current_revision()
    assert (
        hours_editing.set_hours("x", [(0, "09:00", "12:00"), ("0", "09:00:00.000000", "12:00")])
        is False
    )
    assert hours_editing.set_hours("y", []) is False
    assert hours_editing.set_zone("y", " America/Boise ") is False
    assert hours_editing.set_zone("x", "") is False
    assert current_revision() == before
    hours_editing.set_hours("x", [])
    hours_editing.set_zone("y", None)
    assert current_revision() == before + 2


def test_hours_and_zone_are_saved_both_or_neither(example: Workspace):
    assert hours_editing.save("x", [("0", "10:00", "11:30")], "UTC") is True
    assert hours_editing.save("x", [("0", "10:00", "11:30")], "US/Central") is True
    assert hours_editing.save("x", [("0", "10:00", "11:00")], "US/Central") is True
    before = current_revision()
    assert hours_editing.save("x", [("0", "10:00", "11:00")], "US/Central") is False
    with pytest.raises(BadRequest, match="IANA"):
        hours_editing.save("x", [], "Mars/Olympus")
    assert (hours_editing.read_hours("x").zone, kept("x")) == (
        "US/Central",
        [["0", "10:00", "11:00"]],
    )
    assert current_revision() == before


def test_cells_as_a_table_gives_them(example: Workspace):
    rows = [
        (1.0, time(9, 30), "24:00"),
        (None, math.nan, ""),
        (pd.NA, pd.NaT, " "),
        ("2", " 22:00 ", time(2, 0, 0, 500)),
    ]
    assert hours_editing.set_hours("x", rows) is True
    assert kept("x") == [["1", "09:30", "24:00"], ["2", "22:00", "02:00:00.000500"]]


BAD_ROWS = [
    ("7", "09:00", "17:00"),
    ("Monday", "9:00", "17:60"),
    ("0", "24:00", "17:00"),
    ("0", "09:00", "24:00:01"),
    ("1.5", "09:00", "17:00"),
    ("0", "", "17:00"),
    ("0", "09:00", "\ud800"),
]


def test_all_problems_are_told_at_once_and_as_an_import_does(example: Workspace):
    before, revision = kept("x"), current_revision()
    with pytest.raises(hours_editing.HoursRejected) as caught:
        hours_editing.set_hours("x", [("0", "09:00", "12:00"), *BAD_ROWS])
    problems = caught.value.problems
    assert [(p.line, p.column) for p in problems] == [
        (2, "dayOfWeek"),
        (3, "end_time_local"),
        (4, "start_time_local"),
        (5, "end_time_local"),
        (6, "dayOfWeek"),
        (7, "start_time_local"),
        (8, "end_time_local"),
    ]
    assert "Row 2, dayOfWeek '7': it is not a day" in caught.value.message
    assert "and 6 more problems" in caught.value.message
    assert (kept("x"), current_revision()) == (before, revision)

    # An import tells the first problem of each line, in the same words, and what follows.
    lines = [",".join(["x", *row]).encode("utf-8", "replace") for row in BAD_ROWS]
    path = example.write("hours.csv", HOURS_HEADER.encode() + b"\n".join(lines) + b"\n")
    row = imports.run_now([incoming_files.source_file("business_hours", path, Choices("0-monday"))])
    first = {p.line: (p.column, p.value, p.reason) for p in reversed(problems)}
    told = {r["line"]: (r["column"], r["value"], r["reason"]) for r in row.rejections}
    follows = "; none of the lines of this store was taken"
    assert told == {n: (c, value, why + follows) for n, (c, value, why) in first.items()}


def test_rows_that_are_all_empty_do_not_open_a_store_for_ever(example: Workspace):
    with pytest.raises(hours_editing.HoursRejected) as caught:
        hours_editing.set_hours("x", [(None, None, None), ("", "", "")])
    # Empty times say that a day is closed, but of which day is not said.
    assert [p.column for p in caught.value.problems] == ["dayOfWeek"] * 2
    assert kept("x") == [["0", "09:00", "12:00"]]


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "../x", "localtime", "\ud800", "x" * 5000], ids=range(5)
)
def test_a_zone_that_is_none(example: Workspace, zone: str):
    with pytest.raises(BadRequest, match="not the name of an IANA time zone"):
        hours_editing.set_zone("y", zone)
    assert hours_editing.read_hours("y").zone == "America/Boise"


def test_a_store_that_is_not_there(example: Workspace):
    for call in (
        lambda: hours_editing.read_hours("zz"),
        lambda: hours_editing.set_hours("zz", []),
        lambda: hours_editing.set_zone("zz", "UTC"),
    ):
        with pytest.raises(NotFound, match="no store 'zz'"):
            call()


@pytest.mark.parametrize(
    "rows", [[("0", "09:00")], [("0", "1", "2", "3")], [("0", "a", "b")] * 1001]
)
def test_rows_that_are_none(example: Workspace, rows: list[tuple[str, ...]]):
    with pytest.raises(BadRequest):
        hours_editing.set_hours("x", rows)
    assert kept("x") == [["0", "09:00", "12:00"]]


def test_a_demo_store_can_be_edited_and_stays_demo(workspace: Workspace):
    demo_stores.load_demo()
    with database.session():
        store_id = Store.select().first().store_id
        count = Store.select().count()
    cache.get()
    assert hours_editing.set_hours(store_id, [("0", "01:00", "01:30")]) is True
    hours_editing.set_zone(store_id, "Asia/Kolkata")
    assert kept(store_id) == [["0", "01:00", "01:30"]]
    with database.session():
        assert Store.select().where(Store.demo).count() == count
    workspace.import_now("x,active,2023-01-23 16:14:00 UTC\n")
    with pytest.raises(NotFound):
        hours_editing.read_hours(store_id)


@given(st.integers(0, DAY))
def test_wall_times_told_are_read_again(wall: int):
    assert time_of_day(hours_editing.wall_text(wall).encode(), is_end=True) == wall
