"""Items that come in live: the same as a file's lines, collected by the hour, and undone."""

import csv
import io
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.instants import HOUR
from restmon.errors import BadRequest, CannotUndo, FileRejected, Forbidden
from restmon.ingest import imports, live_feed, rejected_items, undo
from restmon.ingest.headers import BUSINESS_HOURS, POLLS, TIMEZONES
from restmon.ingest.item_batches import DECODER
from restmon.ingest.live_feed import take
from restmon.reporting.snapshot import current_revision
from restmon.storage import database, files, models
from restmon.storage.file_models import RejectedItems
from restmon.storage.files import Kind
from restmon.storage.models import Change, Import, PollReason, ReplacedRows
from tests.ingest.test_undo import read_state
from tests.support.examples import examples
from tests.support.imported import start_anew
from tests.support.pages import page, seen, table_rows, well
from tests.support.people import actor_of
from tests.support.workspace import HOURS_HEADER, ZONES_HEADER, Workspace

pytestmark = pytest.mark.both_databases

HEADERS = {
    POLLS: "store_id,timestamp_utc,status,reason\n",
    BUSINESS_HOURS: HOURS_HEADER.replace("day", "dayOfWeek"),
    TIMEZONES: ZONES_HEADER,
}
CELLS: dict[str, list[str]] = {
    "store_id": ["a", "b", "s-3", "12345678901234567", "", "Ü", "1.0E+15", "x" * 65, "a b"],
    "timestamp_utc": [
        *(f"2023-01-23T{hour:02d}:00:00Z" for hour in range(12)),
        "2023-01-23 10:00",
        "1674493200",
        "11/12/2022 10:00",
        "13/12/2022 10:00",
        "2999-01-01",
        "soon",
        "",
    ],
    "status": ["active", "inactive", "up", "0", "PAUSED", "maybe", ""],
    "reason": ["", "", "HTTP 503", "x" * 300, " Wi-Fi "],
    "dayOfWeek": ["0", "1", "Tue", "6", "7", "Someday", ""],
    "start_time_local": ["09:00", "9 AM", "closed", "", "25:00"],
    "end_time_local": ["17:00", "24:00", "closed", "", "late"],
    "timezone_str": ["America/Denver", "us/pacific", "EST", "CST", ""],
}


def cells_of(kind: str) -> list[str]:
    return HEADERS[kind].strip().split(",")


@st.composite
def lines(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    kind = draw(st.sampled_from([POLLS, BUSINESS_HOURS, TIMEZONES]))
    row = st.tuples(*(st.sampled_from(CELLS[name]) for name in cells_of(kind)))
    return kind, [list(cells) for cells in draw(st.lists(row, min_size=1, max_size=12))]


def state() -> dict[tuple[Any, ...], Any]:
    found = read_state()
    with database.reading():
        for row in PollReason.select():
            found["reason", row.store.store_id, row.timestamp] = row.reason
    return found


def items_of(kind: str, rows: list[list[str]]) -> list[dict[str, str]]:
    return [dict(zip(cells_of(kind), row, strict=True)) for row in rows]


def poll(store: str, time: str, status: str = "active", **more: Any) -> dict[str, Any]:
    return {"store_id": store, "timestamp_utc": time, "status": status, **more}


def rejected_rows(import_id: str) -> list[dict[str, str]]:
    """The rows of the file of rejected lines, or items, of an import."""
    found = imports.find_rejected(import_id)
    text = "" if found is None else imports.read_rejected(found).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def without_line(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows without their numbers, and without the blanks that a file leaves out at commas."""
    return [{name: text.strip() for name, text in row.items() if name != "line"} for row in rows]


@given(given_lines=lines(), parts=st.integers(1, 3))
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_items_are_taken_as_the_lines_of_files_are(workspace: Workspace, given_lines, parts):
    """The same values in a file and in items give the same rows and counts. Hours count together:
    those in one call."""
    kind, rows = given_lines
    start_anew()
    ambiguous = [r for r in rows if kind == POLLS and "/" in r[1]]
    sevens = [r for r in rows if kind == BUSINESS_HOURS and r[1] == "7"]
    if ambiguous or sevens:  # a file of these asks for a choice; an item of them is bad
        rows = [r for r in rows if r not in ambiguous and r not in sevens]
        taken = take(kind, items_of(kind, ambiguous + sevens), THIS_MACHINE)
        assert taken.counts.rejected == len(ambiguous + sevens) == len(taken.rejections)
        start_anew()
    blank = [""] * len(cells_of(kind))
    rows = [r for r in rows if r != blank]  # in a file this is a blank line
    if not rows:
        return
    path = workspace.write("f.csv", HEADERS[kind] + "".join(",".join(r) + "\n" for r in rows))
    file = imports.run_now([imports.SourceFile(kind, path, "f.csv")])
    of_file, rejected_lines = state(), rejected_rows(file.id)
    start_anew()
    for former in list(files.list_files(Kind.REJECTED)):
        files.delete(Kind.REJECTED, former.key)
    with database.writing():
        RejectedItems.delete().execute()
    size = -(-len(rows) // (1 if kind == BUSINESS_HOURS else parts))
    total = live_feed.Counts()
    bad: list[int] = []
    for begin in range(0, len(rows), size):
        taken = take(kind, items_of(kind, rows[begin : begin + size]), THIS_MACHINE)
        total += taken.counts
        bad += [begin + rejection.line for rejection in taken.rejections]
        assert all(r.reason for r in taken.rejections)
    assert state() == of_file
    assert vars(total) | {"kinds": {kind: vars(total)}} == imports.complete_counts(file)
    assert bad == [r["line"] - 2 for r in file.rejections]
    if taken.import_id is not None:
        assert without_line(rejected_rows(taken.import_id)) == without_line(rejected_lines)


def test_numbers_and_other_values_of_json(workspace: Workspace):
    text = """[
        {"store_id": 17, "timestamp_utc": 1674493200, "status": 1},
        {"store_id": "18", "timestamp_utc": 1674493200123, "status": false, "reason": null},
        {"store_id": 8419537941919820732, "timestamp_utc": 1674493200, "status": true},
        {"store_id": 1.5, "timestamp_utc": 1674493200, "status": true},
        {"store_id": "19", "timestamp_utc": [1674493200], "status": true},
        {"store_id": {"id": 3}, "timestamp_utc": 1674493200, "status": true},
        {"store_id": "19", "timestamp_utc": NaN, "status": true},
        {"store_id": "19", "status": true},
        {"STORE ID": "20", "timestamp_utc": 1674493200, "status": true},
        17, null, "x", [1], {}
    ]"""
    taken = take(POLLS, DECODER.decode(text), THIS_MACHINE)
    assert (taken.counts.new, taken.counts.rejected) == (3, 11)
    assert [(r.line, r.column) for r in taken.rejections] == [
        (2, "store_id"),
        (3, "store_id"),
        (4, "timestamp_utc"),
        (5, "store_id"),
        (6, "timestamp_utc"),
        (7, "timestamp_utc"),
        *((index, "") for index in (9, 10, 11, 12)),
        (13, "timestamp_utc"),
    ]
    assert state() == {
        ("poll", "17", 1674493200000000): 1,
        ("poll", "18", 1674493200123000): 0,
        ("poll", "20", 1674493200000000): 1,
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.sampled_from(list(live_feed.NAMES)),
    st.lists(
        JSON
        | st.dictionaries(
            st.sampled_from([*CELLS, "store", "tz", "monday"]),
            JSON | st.sampled_from([cell for cells in CELLS.values() for cell in cells]),
        ),
        max_size=8,
    ),
)
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_taken_or_told(workspace: Workspace, kind, items):
    items = DECODER.decode(json.dumps(items))
    try:
        taken = take(kind, items, THIS_MACHINE)
    except FileRejected as error:
        assert error.message.endswith(".")
        return
    assert taken.counts.rejected == len({r.line for r in taken.rejections})
    assert all(0 <= r.line < len(items) for r in taken.rejections)
    accepted = taken.counts.new + taken.counts.updated + taken.counts.unchanged
    assert taken.counts.read == accepted + taken.counts.rejected


def test_sent_again_it_changes_nothing(workspace: Workspace):
    items = [poll("a", "2023-01-23T10:00Z", reason="slow"), poll("b", "2023-01-23T10:00Z", "down")]
    first = take(POLLS, items, THIS_MACHINE)
    revision, before = current_revision(), state()
    again = take(POLLS, items, THIS_MACHINE)
    assert (first.counts.new, again.counts.unchanged) == (2, 2)
    assert (current_revision(), state(), again.revision) == (revision, before, None)
    later = take(POLLS, [poll("a", "2023-01-23T10:00Z", "down")], THIS_MACHINE)
    assert later.counts.updated == 1
    assert ("reason", "a", 1674468000000000) not in state()
    assert current_revision() == revision + 1


def test_an_hour_of_calls_is_one_import_with_one_entry_in_the_audit(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    clock = 1_700_000_000_000_000 // HOUR * HOUR
    monkeypatch.setattr(live_feed, "now", lambda: clock)
    other = Actor("key other", Role.OPERATOR)
    ids = set()
    for minute in range(10):
        items = [poll("a", f"2023-01-23T10:{minute:02d}Z"), poll("", "x")]
        ids.add(take(POLLS, items, THIS_MACHINE).import_id)
    theirs = take(POLLS, [poll("b", "2023-01-23T10:00Z")], other).import_id
    zones = take(TIMEZONES, [{"store_id": "a", "timezone_str": "EST"}], THIS_MACHINE).import_id
    clock += HOUR
    later = take(POLLS, [poll("a", "2023-01-23T11:00Z")], THIS_MACHINE).import_id
    (first,) = ids
    assert len({first, theirs, zones, later}) == 4
    row = imports.get(str(first))
    assert (row.counts["read"], row.counts["new"], row.counts["rejected"]) == (20, 10, 10)
    assert [r["line"] for r in row.rejections] == [1] * 10
    assert imports.describe(row)["status"] == "Complete"
    assert len([e for e in audit.list_recent() if e.action == audit.IMPORTED]) == 4
    with database.session():
        assert Change.select().where(Change.imported == first).count() == 1
        assert ReplacedRows.select().join(Change).where(Change.imported == first).count() <= 3
    undo.undo(str(first))
    assert {key for key in state() if key[1] == "a" and key[0] == "poll"} == {
        ("poll", "a", 1674471600000000)
    }
    clock -= HOUR
    assert take(POLLS, [poll("a", "2023-01-23T10:00Z")], THIS_MACHINE).import_id != first


@pytest.mark.parametrize("seed", range(12))
def test_an_undo_of_collected_calls_is_as_if_they_had_not_come(workspace: Workspace, seed: int):
    """Against a model that keeps what each poll was before each change, with two keys that feed in
    turns and files in between."""
    chance = random.Random(seed)
    actors = {name: Actor(f"key {name}", Role.OPERATOR) for name in "xy"}
    written: list[tuple[str, dict[tuple[Any, ...], Any]]] = []
    ids: dict[str, str] = {}
    for number in range(14):
        who = chance.choice(["x", "x", "y", "file"])
        rows = [
            (f"s{chance.randrange(3)}", f"2023-01-23T{chance.randrange(24):02d}:00Z")
            for _ in range(chance.randrange(1, 4))
        ]
        rows = [(*row, chance.choice(["active", "inactive"])) for row in dict.fromkeys(rows)]
        before = state()
        if who == "file":
            who = f"file {number}"
            text = "".join(f"{s},{status},{t}\n" for s, t, status in rows)
            ids[who] = workspace.import_now(text).id
        else:
            taken = take(POLLS, [poll(*row) for row in rows], actors[who])
            ids[who] = str(taken.import_id)
        after = state()
        changed = [k for k in after if before.get(k) != after[k]]
        written.append((who, {key: before.get(key) for key in changed}))
    for who in chance.sample(sorted(ids), len(ids)):
        own = [n for n, (by, changed) in enumerate(written) if by == who and changed]
        if not own:
            continue
        later = {k for by, changed in written[own[0] + 1 :] if by != who for k in changed}
        expected = state()
        conflict = False
        for n in reversed(own):
            after_n = {k for by, changed in written[n + 1 :] if by != who for k in changed}
            conflict |= bool(after_n & written[n][1].keys())
            for key, value in written[n][1].items():
                expected[key] = value
        before = state()
        if conflict:
            assert later
            with pytest.raises(CannotUndo):
                undo.undo(ids[who])
            assert state() == before
        else:
            undo.undo(ids[who])
            assert state() == {k: v for k, v in expected.items() if v is not None}
            written = [(by, {} if by == who else changed) for by, changed in written]


def test_what_is_refused_changes_nothing(workspace: Workspace):
    with pytest.raises(Forbidden):
        take(POLLS, [poll("a", "2023-01-23")], Actor("v", Role.VIEWER))
    with pytest.raises(BadRequest, match="at most 10,000"):
        take(POLLS, [poll("a", "2023-01-23")] * 10_001, THIS_MACHINE)
    with pytest.raises(FileRejected, match="no column status"):
        take(POLLS, [{"store_id": "a", "timestamp_utc": "2023-01-23"}], THIS_MACHINE)
    with pytest.raises(BadRequest):
        take("sales", [{}], THIS_MACHINE)
    assert take(POLLS, [], THIS_MACHINE).import_id is None
    with database.session():
        assert not Import.select().exists()
        assert not models.Store.select().exists()


def test_an_owner_feeds_their_own_stores_alone(workspace: Workspace, people: Any):
    owner = actor_of("owner")
    taken = take(POLLS, [poll("a", "2023-01-23T10:00Z"), poll("b", "2023-01-23T10:00Z")], owner)
    assert (taken.counts.read, taken.counts.rejected) == (2, 1)
    assert [(r.line, r.reason) for r in taken.rejections] == [(1, "this is not one of your stores")]
    assert [row.id for row in imports.list_recent(actor=owner)] == [taken.import_id]


def test_rejected_items_can_be_mended_and_imported(workspace: Workspace):
    good = poll("a", "2023-01-23T10:00Z")
    one = take(POLLS, [good, poll("b", "2023-01-23T10:00Z", "?")], THIS_MACHINE)
    # Other calls have other names, further ones, and what is no item at all.
    other = {"Store ID": "c", "timestamp utc": "soon", "status": 1, "line": 7, "note": "=1+1"}
    take(POLLS, [other, 7, {"store_id": ["x"], "timestamp_utc": None}], THIS_MACHINE)
    rows = rejected_rows(str(one.import_id))
    assert [row.pop("problem").partition(":")[0] for row in rows][:2] == ["status", "timestamp_utc"]
    assert rows == [
        {
            "store_id": "b",
            "timestamp_utc": "2023-01-23T10:00Z",
            "status": "?",
            "note": "",
            "line": "1",
        },
        {"store_id": "c", "timestamp_utc": "soon", "status": "1", "note": "'=1+1", "line": "0"},
        {"store_id": "7", "timestamp_utc": "", "status": "", "note": "", "line": "1"},
        {"store_id": '["x"]', "timestamp_utc": "", "status": "", "note": "", "line": "2"},
    ]
    found = imports.find_rejected(str(one.import_id))
    assert found is not None
    text = (
        imports.read_rejected(found)
        .decode()
        .replace("?", "inactive")
        .replace("soon", "2023-01-23T11:00Z")
    )
    mended = imports.run_now(
        [imports.SourceFile(POLLS, workspace.write("mended.csv", text), "mended.csv")]
    )
    assert mended.counts["kinds"][POLLS]["new"] == 2
    assert len(mended.rejections) == 2


def test_rejected_hours_come_with_the_others_of_their_store(workspace: Workspace):
    hours = [
        {"store_id": "a", "day": 0, "start_time_local": "9:00", "end_time_local": "17:00"},
        {"store_id": "a", "day": 9, "start_time_local": "9:00", "end_time_local": "17:00"},
        {"store_id": "b", "day": 1, "start_time_local": "9:00", "end_time_local": "17:00"},
    ]
    taken = take(BUSINESS_HOURS, hours, THIS_MACHINE)
    assert [(row["store_id"], row["day"]) for row in rejected_rows(str(taken.import_id))] == [
        ("a", "0"),
        ("a", "9"),
    ]


def test_a_call_that_fails_leaves_the_file_of_rejected_items(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    bad = poll("b", "2023-01-23T10:00Z", "?")
    import_id = str(take(POLLS, [bad], THIS_MACHINE).import_id)
    before = rejected_rows(import_id)

    def fail(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(live_feed, "_add", fail)
        for items in ([bad], [{**bad, "note": "wider"}]):
            with pytest.raises(RuntimeError):
                take(POLLS, items, THIS_MACHINE)
    assert rejected_rows(import_id) == before
    take(POLLS, [bad], THIS_MACHINE)
    assert len(rejected_rows(import_id)) == 2


def test_a_call_with_bad_items_writes_no_more_than_it_brings(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    """However many calls there were in the hour: bytes to the database and to files are counted."""
    monkeypatch.setattr(live_feed, "KEPT_REJECTIONS", 0)
    written: list[int] = []
    execute, prepare = models.database.obj.execute_sql, files.prepare

    def counting(sql: str, params: Any = None, *args: Any, **kwargs: Any) -> Any:
        sizes = (len(one) for one in params or () if isinstance(one, str | bytes))
        written.append(sum(sizes))
        return execute(sql, params, *args, **kwargs)

    def preparing(kind: Any, key: str, content: bytes) -> Any:
        written.append(len(content))
        return prepare(kind, key, content)

    monkeypatch.setattr(models.database.obj, "execute_sql", counting)
    monkeypatch.setattr(files, "prepare", preparing)

    def send(calls: int) -> int:
        written.clear()
        for n in range(calls):
            bad = poll(f"b{n:04d}", "2023-01-23T10:00Z", "?") | {f"column {n % 7}": "x" * 100}
            taken = take(POLLS, [bad], THIS_MACHINE)
        assert len(rejected_rows(str(taken.import_id))) >= calls
        return sum(written)

    first = send(40)
    assert send(40) < 1.2 * first
    assert len(rejected_rows(str(imports.list_recent()[0].id))) == 80


def test_the_file_of_an_older_version_is_the_beginning(workspace: Workspace):
    """What it kept of the first calls of the hour stays."""
    import_id = str(take(POLLS, [poll("b", "2023-01-23T10:00Z", "?")], THIS_MACHINE).import_id)
    found = imports.find_rejected(import_id)
    assert found is not None
    files.save(Kind.REJECTED, found.key, imports.read_rejected(found))
    with database.writing():
        RejectedItems.delete().execute()
    assert imports.find_rejected_suffix(import_id) == ".csv"
    take(POLLS, [poll("c", "2023-01-23T10:00Z", "!") | {"note": "n"}], THIS_MACHINE)
    rows = rejected_rows(import_id)
    assert [(row["store_id"], row["status"], row["note"]) for row in rows] == [
        ("b", "?", ""),
        ("c", "!", "n"),
    ]
    found = imports.find_rejected(import_id)
    assert found is not None
    assert found.size == len(imports.read_rejected(found))
    with database.updating():
        Import.delete().execute()
    assert not RejectedItems.select().exists()


def test_a_client_that_sends_only_bad_items_does_not_fill_the_disk(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rejected_items, "MOST_LINES", 3)
    monkeypatch.setattr(live_feed, "MOST_LINES", 3)
    for _ in range(3):
        taken = take(POLLS, [poll("b", "2023-01-23T10:00Z", "?")] * 2, THIS_MACHINE)
    assert len(rejected_rows(str(taken.import_id))) == 3
    at = well(page("upload", **{"import": str(taken.import_id)}))
    assert "Download the first 3 of 6 rejected lines" in seen(at)


def test_the_upload_page_lists_what_came_in_live_apart(workspace: Workspace):
    workspace.import_now("f,active,2023-01-23 10:00:00 UTC\n")
    at = well(page("upload"))
    assert "Live feed" not in seen(at)
    items = [poll("a", "2023-01-23T10:00Z"), poll("b", "2023-01-23T10:00Z", "?")]
    import_id = take(POLLS, items, THIS_MACHINE).import_id
    at = well(page("upload"))
    assert [header.value for header in at.header] == ["All imports", "Live feed"]
    assert [row["Files"] for row in table_rows(at, "All imports")] == ["polls.csv"]
    (live,) = table_rows(at, "Live feed")
    counts = [live[name] for name in ("Files", "Read", "New", "Rejected")]
    assert counts == ["live polls", "2", "1", "1"]
    at = well(page("upload", **{"import": import_id}))
    assert list(at.dataframe[0].value["value"]) == ["?"]
    assert "Download all 1 rejected lines" in seen(at)
    at.checkbox[0].check().run()
    at.button(key="undo").click().run()
    assert ("poll", "a", 1674468000000000) not in state()
