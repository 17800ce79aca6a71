"""Imports: SEMANTICS.md "Inputs", seen from the rows in the database and the counts."""

import csv
import gzip
import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restmon.demo import demo_stores
from restmon.errors import FileRejected
from restmon.ingest import block_reader, csv_reader, imports, incoming_files, staged_polls, writer
from restmon.storage import database, poll_writing
from restmon.storage.demo_rows import has_demo
from restmon.storage.models import COMPLETE, BusinessHours, Import, Poll, Revision, Store
from tests.support.examples import examples
from tests.support.kept import rejected_text
from tests.support.polls import delete_everything
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

T = "2023-01-22 12:09:39.388884"
MICROS = 1674389379388884


def stored_polls() -> list[tuple[str, int, int]]:
    with database.session():
        query = Poll.select(Store.store_id, Poll.timestamp, Poll.status).join(Store)
        return sorted(query.tuples())


def import_one(workspace: Workspace, kind: str, content: str | bytes, name: str = "") -> Any:
    path = workspace.write(name or f"{kind}.csv", content)
    return imports.run_now([incoming_files.source_file(kind, path)])


def counts(row: Import) -> tuple[int, int, int, int, int]:
    c = row.counts
    return c["read"], c["new"], c["updated"], c["unchanged"], c["rejected"]


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        (f"{T} UTC", MICROS),
        (T, MICROS),
        ("2023-01-22T12:09:39.388884Z", MICROS),
        ("2023-01-22T12:09:39.388884+00:00", MICROS),
        ("2023-01-22T06:09:39.388884-06:00", MICROS),
        ("2023-01-22T17:39:39.388884+0530", MICROS),
        ("2023-01-22 12:09:39.3888847 UTC", MICROS),
        ("2023-01-22 12:09:39.388884999", MICROS),
        ("2023-01-22 12:09:39 UTC", 1674389379000000),
        ("2023-01-22 12:09:39.4 UTC", 1674389379400000),
        ("1969-12-31 23:59:59.5 UTC", -500000),
    ],
)
def test_timestamps_in_every_form(workspace: Workspace, text: str, micros: int):
    row = import_one(workspace, "polls", f"store_id,status,timestamp_utc\na,ACTIVE,{text}\n")
    assert counts(row) == (1, 1, 0, 0, 0)
    assert stored_polls() == [("a", micros, 1)]


def test_timestamp_forms_mixed_in_one_file(workspace: Workspace):
    body = f"a,active,{T} UTC\nb,inactive,{T}\nc,active,2023-01-22T12:09:39.388884Z\n"
    body += "d,active,2023-01-22T06:09:39.388884-06:00\ne,active,tomorrow\n"
    row = import_one(workspace, "polls", "store_id,status,timestamp_utc\n" + body)
    assert counts(row) == (5, 4, 0, 0, 1)
    assert stored_polls() == [
        ("a", MICROS, 1),
        ("b", MICROS, 0),
        ("c", MICROS, 1),
        ("d", MICROS, 1),
    ]


BAD_LINES = {
    f",active,{T}": ("store_id", "", "empty"),
    f"8.41954E+18,active,{T}": ("store_id", "8.41954E+18", "spreadsheet"),
    f"-a,active,{T}": ("store_id", "-a", "letter or digit"),
    f"{'x' * 65},active,{T}": ("store_id", "x" * 65, "at most 64"),
    f"../etc,active,{T}": ("store_id", "../etc", "letter or digit"),
    f"a,,{T}": ("status", "", "active or inactive"),
    f"a,resting,{T}": ("status", "resting", "active or inactive"),
    "a,active,": ("timestamp_utc", "", "empty"),
    "a,active,2023-02-30 12:00:00 UTC": ("timestamp_utc", "2023-02-30 12:00:00 UTC", "no such"),
    "a,active,2023-01-22 25:00:00": ("timestamp_utc", "2023-01-22 25:00:00", "no such"),
    "a,active,2023-01-22": ("timestamp_utc", "2023-01-22", "without a time"),
    "a,active,22/01/23 12:00": ("timestamp_utc", "22/01/23 12:00", "two digits"),
    "a,active,167438937": ("timestamp_utc", "167438937", "Unix time"),
    "a,active": ("", "a,active", "2 values"),
    f"a,active,{T},x": ("", f"a,active,{T},x", "4 values"),
    f'a,"active,{T}': ("", f'a,"active,{T}', "never closed"),
}


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_bad_line_is_rejected_alone(workspace: Workspace, line: str):
    text = f"store_id,status,timestamp_utc\nok1,active,{T}\n{line}\nok2,inactive,{T} UTC\n"
    row = import_one(workspace, "polls", text)
    assert counts(row) == (3, 2, 0, 0, 1)
    assert [store for store, _, _ in stored_polls()] == ["ok1", "ok2"]
    column, value, reason = BAD_LINES[line]
    (found,) = row.rejections
    assert (found["file"], found["line"]) == ("polls.csv", 3)
    assert (found["column"], found["value"]) == (column, value)
    assert reason in found["reason"]


def test_bad_hours_and_zones_are_named(workspace: Workspace):
    hours = "store_id,day,start_time_local,end_time_local\n"
    hours += "a,8,09:00,17:00\na,0,9,17:00\na,0,24:00,17:00\na,0,09:00,24:00:01\n"
    hours += "a,0,09:00,17:60\na,0,09:00,24:00\n"
    row = import_one(workspace, "business_hours", hours)
    assert counts(row) == (6, 0, 0, 1, 5)
    assert [(r["line"], r["column"]) for r in row.rejections] == [
        (2, "dayOfWeek"),
        (3, "start_time_local"),
        (4, "start_time_local"),
        (5, "end_time_local"),
        (6, "end_time_local"),
    ]
    zones = "store_id,timezone_str\na,Mars/Olympus\nb,\nc,America/Boise\nd,US/Central\ne,../x\n"
    row = import_one(workspace, "timezones", zones)
    assert counts(row) == (5, 2, 0, 0, 3)
    assert [r["line"] for r in row.rejections] == [2, 3, 6]
    with database.session():
        names = sorted(store.store_id for store in Store.select())
    assert names == ["a", "c", "d"]


REJECTED_WHOLE = {
    "empty": (b"", "is empty"),
    "blank": (b"\n\n", "is empty"),
    "no timestamp": (b"store_id,status\na,active\n", "no column timestamp_utc"),
    "twice": (b"store_id,status,status,timestamp_utc\n", "status twice"),
    "utf-16": ("store_id,status,timestamp_utc\n".encode("utf-16-le"), "NUL"),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(200), "is a picture"),
    "latin-1 header": (b"store_id,status,timestamp_utc,\xe9\n", "not UTF-8"),
    "cut-off gzip": (gzip.compress(b"store_id,status,timestamp_utc\n" * 9)[:-12], "damaged"),
    "long first line": (b"x" * 70_000, "longer than"),
    "quote in header": (b'store_id,"status,timestamp_utc\na,b,c\n', "never closed"),
}


@pytest.mark.parametrize("case", REJECTED_WHOLE)
def test_a_file_is_rejected_whole_and_changes_nothing(workspace: Workspace, case: str):
    content, reason = REJECTED_WHOLE[case]
    workspace.import_now(polls=f"before,active,{T}\n")
    good = workspace.write("zones.csv", "store_id,timezone_str\nz,America/Denver\n")
    bad = workspace.write("bad.csv", content)
    files = [
        incoming_files.source_file("timezones", good),
        incoming_files.source_file("polls", bad),
    ]
    with pytest.raises(FileRejected, match=r"bad\.csv") as error:
        imports.run_now(files)
    assert reason in str(error.value)
    assert stored_polls() == [("before", MICROS, 1)]
    with database.session():
        assert [store.store_id for store in Store.select()] == ["before"]


def test_a_gzip_file_that_breaks_off_later_changes_nothing(workspace: Workspace):
    rng = np.random.default_rng(1)
    lines = "".join(f"s{n},active,{T}\n" for n in rng.integers(0, 10**12, 60_000))
    packed = gzip.compress(("store_id,status,timestamp_utc\n" + lines).encode())
    row = import_one(workspace, "polls", packed[: len(packed) // 2], "polls.csv.gz")
    assert row.status == "Failed"
    assert "damaged or cut off" in row.error
    assert stored_polls() == []


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends_bom_and_column_order(workspace: Workspace, ending: str, last: bool):
    lines = ["note,timestamp_utc,store_id,STATUS ", f"x,{T} UTC,a,Active", f",{T},b,INACTIVE"]
    text = "\ufeff" + ending.join(lines) + (ending if last else "")
    row = import_one(workspace, "polls", text)
    assert counts(row) == (2, 2, 0, 0, 0)
    assert stored_polls() == [("a", MICROS, 1), ("b", MICROS, 0)]


def test_blank_lines_are_no_lines(workspace: Workspace):
    text = f"store_id,status,timestamp_utc\n\na,active,{T}\n\n  \nb,bad,{T}\n\n"
    row = import_one(workspace, "polls", text)
    assert counts(row) == (2, 1, 0, 0, 1)
    assert row.rejections[0]["line"] == 6


def test_quotes_and_foreign_bytes_in_other_columns(workspace: Workspace):
    text = b'store_id,name,status,timestamp_utc\n"a","Joe ""the"" cook, Inc.","active",'
    text += f'"{T} UTC"\nb,"two\nlines",active,{T}\nc,caf\xe9,active,{T}\n'.encode("latin-1")
    row = import_one(workspace, "polls", text)
    assert counts(row) == (3, 3, 0, 0, 0)
    assert [store for store, _, _ in stored_polls()] == ["a", "b", "c"]


def test_a_quote_never_closed_costs_one_line(workspace: Workspace):
    lines = [f"s{n},active,{T}" for n in range(200)]
    lines[100] = f'"s100,active,{T}'
    row = import_one(workspace, "polls", "\n".join(["store_id,status,timestamp_utc", *lines]))
    assert counts(row) == (200, 199, 0, 0, 1)
    assert row.rejections[0]["line"] == 102


def test_an_endless_line_is_rejected_alone(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 4096)
    monkeypatch.setattr(block_reader, "LONGEST_LINE", 10_000)
    monkeypatch.setattr(csv_reader, "LONGEST_HEADER", 100)
    text = f"store_id,status,timestamp_utc\na,active,{T}\nb,active,{'9' * 50_000}\n"
    text += f"c,active,{T}\nd,x,{T}\n"
    row = import_one(workspace, "polls", text)
    assert counts(row) == (4, 2, 0, 0, 2)
    assert [r["line"] for r in row.rejections] == [3, 5]
    assert "longer than" in row.rejections[0]["reason"]


def test_later_wins_and_counts_follow_the_lines(workspace: Workspace):
    head = "store_id,status,timestamp_utc\n"
    row = import_one(
        workspace, "polls", head + f"a,active,{T}\na,active,{T}\na,inactive,{T}\nb,active,{T}\n"
    )
    assert counts(row) == (4, 2, 1, 1, 0)
    assert stored_polls() == [("a", MICROS, 0), ("b", MICROS, 1)]
    row = import_one(workspace, "polls", head + f"a,inactive,{T}\nb,inactive,{T}\nc,active,{T}\n")
    assert counts(row) == (3, 1, 1, 1, 0)
    assert stored_polls() == [("a", MICROS, 0), ("b", MICROS, 0), ("c", MICROS, 1)]


def test_the_same_file_again_changes_nothing(workspace: Workspace):
    text = f"a,active,{T}\nb,inactive,{T}\n"
    hours, zones = "a,0,09:00,17:00\na,0,18:00,23:59\n", "a,America/Boise\nc,US/Central\n"
    first = workspace.import_now(text, hours, zones)
    assert counts(first) == (6, 6, 0, 0, 0)
    with database.session():
        revisions = Revision.select().count()
    again = workspace.import_now(text, hours, zones)
    assert counts(again) == (6, 0, 0, 6, 0)
    with database.session():
        assert Revision.select().count() == revisions
        assert BusinessHours.select().count() == 2


def test_hours_replace_those_of_the_stores_named_and_no_others(workspace: Workspace):
    workspace.import_now(hours="a,0,09:00,17:00\na,1,09:00,17:00\nb,0,08:00,16:00\n")
    row = workspace.import_now(hours="a,0,10:00,17:00\na,2,10:00,17:00\na,2,10:00,17:00\n")
    assert counts(row) == (3, 1, 1, 1, 0)
    with database.session():
        found = sorted(
            BusinessHours.select(
                Store.store_id, BusinessHours.day_of_week, BusinessHours.start_time
            )
            .join(Store)
            .tuples()
        )
    hour = 3_600_000_000
    assert found == [("a", 0, 10 * hour), ("a", 2, 10 * hour), ("b", 0, 8 * hour)]


def test_zones_later_wins(workspace: Workspace):
    row = workspace.import_now(zones="a,America/Boise\na,America/Denver\nb,US/Central\n")
    assert counts(row) == (3, 2, 1, 0, 0)
    row = workspace.import_now(zones="a,America/Denver\nb,America/Boise\n")
    assert counts(row) == (2, 0, 1, 1, 0)
    with database.session():
        zones = dict(Store.select(Store.store_id, Store.timezone).tuples())
    assert zones == {"a": "America/Denver", "b": "America/Boise"}


def test_all_rejected_lines_are_in_the_csv_and_the_first_in_the_row(workspace: Workspace):
    text = "store_id,status,timestamp_utc\n" + "a,maybe,x\n" * 1500
    row = import_one(workspace, "polls", text)
    assert counts(row) == (1500, 0, 0, 0, 1500)
    assert len(row.rejections) == 1000
    with io.StringIO(rejected_text(row.id), newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 1500
    assert table[1499]["line"] == "1501"
    assert list(table[0]) == ["store_id", "status", "timestamp_utc", "line", "problem"]
    assert table[0]["problem"].startswith("timestamp_utc: it is not a timestamp such as")


def test_progress_reaches_the_end_in_both_stages(workspace: Workspace, monkeypatch: Any):
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 10_000)
    text = "store_id,status,timestamp_utc\n" + "".join(f"s{n},active,{T}\n" for n in range(5000))
    path = workspace.write("polls.csv", text)
    calls: list[tuple[str, int, int]] = []
    imports.run_now(
        [incoming_files.source_file("polls", path)], progress=lambda *call: calls.append(call)
    )
    reading = [(done, total) for stage, done, total in calls if stage == writer.READING]
    assert len(reading) > 5
    assert reading == sorted(reading)
    assert reading[-1] == (len(text), len(text))
    assert calls[-1] == (writer.WRITING, 5000, 5000)


def test_an_error_while_writing_leaves_nothing(workspace: Workspace, monkeypatch: Any):
    workspace.import_now(polls=f"a,active,{T}\n")

    merge_polls = database.merge_polls

    def fail(*polls: Any) -> None:
        merge_polls(*polls)
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(database, "merge_polls", fail)
    with pytest.raises(RuntimeError):
        workspace.import_now(polls=f"b,active,{T}\n", zones="b,America/Boise\n")
    with database.session():
        assert [store.store_id for store in Store.select()] == ["a"]
        newest = Import.select().order_by(Import.requested_at.desc()).first()
    assert newest.status == "Failed"
    assert not list(imports.get_settings().spool_dir.iterdir())


def test_own_data_remove_every_trace_of_the_demo(workspace: Workspace):
    assert demo_stores.load_demo().status == COMPLETE
    assert has_demo()
    assert demo_stores.load_demo() is None
    bad = import_one(workspace, "polls", "store_id,status,timestamp_utc\na,maybe,x\n")
    assert bad.counts["rejected"] == 1
    assert has_demo()  # no good line, so nothing was imported
    workspace.import_now(polls=f"mine,active,{T}\n")
    assert not has_demo()
    assert stored_polls() == [("mine", MICROS, 1)]
    with database.session():
        assert [store.store_id for store in Store.select()] == ["mine"]
        assert BusinessHours.select().count() == 0
        assert Import.select().where(Import.demo).count() == 0


lines = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d:1"]),
        st.booleans(),
        st.integers(0, 12).map(lambda n: 1674389379388884 + n * 1_800_000_000),
    ),
    max_size=25,
)


@given(batches=st.lists(lines, min_size=1, max_size=4), chunk=st.sampled_from([3, 7, 10**6]))
@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_imports_do_what_line_by_line_would(
    workspace: Workspace, batches: list[list[tuple[str, bool, int]]], chunk: int
):
    from restmon.reporting.reports import as_text

    with database.writing():
        delete_everything()
    truth: dict[tuple[str, int], int] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staged_polls, "CHUNK_LINES", chunk)
        patch.setattr(csv_reader, "BLOCK_BYTES", 200)
        patch.setattr(csv_reader, "LONGEST_HEADER", 64)
        for batch in batches:
            expected = {"new": 0, "updated": 0, "unchanged": 0}
            for store, active, time in batch:
                before = truth.get((store, time))
                kind = "new" if before is None else "unchanged" if before == active else "updated"
                expected[kind] += 1
                truth[store, time] = int(active)
            text = "".join(
                f"{s},{'active' if a else 'inactive'},{as_text(t)}\n" for s, a, t in batch
            )
            row = workspace.import_now(polls=text)
            assert {kind: row.counts[kind] for kind in expected} == expected
            assert row.counts["read"] == len(batch)
    assert stored_polls() == sorted((s, t, active) for (s, t), active in truth.items())


def test_memory_stays_bounded(workspace: Workspace, tmp_path: Path, monkeypatch: Any):
    """Whatever the file's length, about one chunk of lines is held."""
    monkeypatch.setattr(staged_polls, "CHUNK_LINES", 5000)
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 20_000)
    held: list[int] = []
    add = staged_polls.StagedPolls.add

    def watched(self: staged_polls.StagedPolls, *columns: Any) -> None:
        add(self, *columns)
        held.append(sum(len(part.store) for part in self._latest))

    monkeypatch.setattr(staged_polls.StagedPolls, "add", watched)
    written: list[int] = []
    merge = database.merge_polls

    def watched_merge(row: Any, *columns: Any) -> Any:
        written.append(len(row))
        return merge(row, *columns)

    monkeypatch.setattr(database, "merge_polls", watched_merge)
    lines = [
        f"s{n % 500},active,2023-01-22 12:{n // 60 % 60:02d}:{n % 60:02d}" for n in range(40_000)
    ]
    workspace.import_now(polls="\n".join(lines))
    assert max(held) < 5000 + 1000
    assert len(held) > 40
    assert max(written) < 5000 + 1000
    assert sum(written) == len(set(lines))


def test_a_file_by_time_is_written_store_by_store(workspace: Workspace, monkeypatch: Any):
    """Few blocks are written again, however often the file comes back to its stores."""
    monkeypatch.setattr(staged_polls, "CHUNK_LINES", 4096)
    written: list[int] = []
    encode = poll_writing._encode

    def watched(period: int, polls: Any) -> Any:
        written.append(len(polls))
        return encode(period, polls)

    monkeypatch.setattr(poll_writing, "_encode", watched)
    stores = [f"s{n:04}" for n in random.Random(1).sample(range(1024), 1024)]
    lines = [f"{s},active,2023-01-{d:02} {h:02}:00:00" for d in (22, 23) for h in range(12)
             for s in stores]  # fmt: skip
    workspace.import_now(polls="\n".join(lines))
    assert sum(written) < 1.2 * len(lines)
