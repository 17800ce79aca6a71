"""Business hours of which a line is rejected (SEMANTICS.md, "Bad lines"): a store keeps what it
had, whole, or has unreadable hours and counts as never open."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from restmon.core.instants import DAY
from restmon.ingest import block_reader, csv_reader, hours_editing, imports, incoming_files
from restmon.reporting import computation, fleet, shards
from restmon.reporting.store_timeline import read_store
from restmon.storage import database
from restmon.storage.models import BusinessHours, Store
from tests import reference
from tests.support.environment import ROOT
from tests.support.examples import examples
from tests.support.imported import start_anew
from tests.support.workspace import HOURS_HEADER, Workspace

pytestmark = pytest.mark.both_databases

WEEK = "".join(f"a,{day},09:00,17:00\n" for day in range(7))
POLL = "a,active,2023-01-23 16:14:00 UTC\n"
AS_OF = computation.parse_as_of("2023-01-23T18:00:00Z")
NOTHING = "a,0.00,0.00,0.00,0.00,0.00,0.00"
SPOILED = {
    "a word for a time": "a,4,9 to,17:00",
    "no such day": "a,9,09:00,17:00",
    "a value too few": "a,4,09:00",
    "a value too many": "a,4,09:00,17:00,x",
    "a quote never closed": 'a,4,"09:00,17:00',
    "a quote at its beginning": '"a,4,09:00,17:00',
    "a quote closed in the next line": 'a,4,"09:00,17:00\nb,5,09:00,"17:00',
}


def stored() -> dict[str, list[tuple[int, int, int]]]:
    with database.session():
        query = BusinessHours.select(
            Store.store_id,
            BusinessHours.day_of_week,
            BusinessHours.start_time,
            BusinessHours.end_time,
        ).join(Store)
        found: dict[str, list[tuple[int, int, int]]] = {}
        for store_id, *row in sorted(query.tuples()):
            found.setdefault(store_id, []).append(tuple(row))
        return found


def unreadable() -> list[str]:
    with database.session():
        query = Store.select(Store.store_id).where(Store.hours_unreadable)
        return sorted(store_id for (store_id,) in database.tuples(query))


def hours(row: Any) -> dict[str, int]:
    counts: dict[str, int] = row.counts["kinds"]["business_hours"]
    return counts


@pytest.mark.parametrize("case", SPOILED)
def test_a_store_keeps_its_hours_whole(workspace: Workspace, case: str):
    workspace.import_now(POLL, WEEK)
    before, report = stored(), computation.compute(AS_OF).csv()
    lines = WEEK.replace("a,4,09:00,17:00", SPOILED[case]).replace("a,0,09:00", "a,0,10:00")
    row = workspace.import_now(hours=lines)
    counts = hours(row)
    assert counts["rejected"] >= 1
    assert (counts["new"], counts["updated"], counts["removed"]) == (0, 0, 0)
    assert counts["unchanged"] + counts["rejected"] == counts["read"]
    assert stored()["a"] == before["a"]
    assert "a" not in unreadable()
    assert computation.compute(AS_OF).csv().splitlines()[:2] == report.splitlines()


@pytest.mark.parametrize("case", SPOILED)
def test_a_store_without_hours_has_unreadable_ones(workspace: Workspace, case: str):
    workspace.import_now(hours=WEEK.replace("a,4,09:00,17:00", SPOILED[case]))
    assert "a" not in stored()
    assert "a" in unreadable()
    workspace.import_now(POLL)
    assert computation.compute(AS_OF).csv().splitlines()[1] == NOTHING
    part = computation.compute(AS_OF, cache=shards.StoreRange("a", "b"))
    assert part.csv().splitlines()[1:] == [NOTHING]
    found = fleet.compute_fleet(AS_OF)
    assert (found.hours_unreadable[0], found.hours_assumed[0]) == (True, False)
    seen = read_store("a", AS_OF - DAY, AS_OF)
    assert (seen.hours_unreadable, seen.hours_assumed, seen.open) == (True, False, 0)
    workspace.import_now(hours=WEEK)
    assert "a" not in unreadable()
    assert len(stored()["a"]) == 7
    assert computation.compute(AS_OF).csv().splitlines()[1] != NOTHING


def test_a_line_without_a_store_id_spoils_nobodys_hours(workspace: Workspace):
    row = workspace.import_now(hours=WEEK + "-a,0,9 to,17:00\n8E+18,0,09:00,17:00\n(7 rows)\nend\n")
    assert (hours(row)["new"], hours(row)["rejected"]) == (7, 4)
    with database.session():
        assert [store.store_id for store in Store.select()] == ["a"]
    # A line of which little can be read spoils the hours of a store there is, and makes none.
    row = workspace.import_now(hours="a\nb\na,5,10:00,17:00\n")
    assert (hours(row)["unchanged"], hours(row)["rejected"]) == (1, 2)
    assert len(stored()["a"]) == 7
    with database.session():
        assert Store.select().count() == 1


def test_what_an_import_took_away_is_counted(workspace: Workspace):
    workspace.import_now(hours=WEEK + "a,6,18:00,20:00\nb,0,09:00,17:00\n")
    row = workspace.import_now(hours="a,0,09:00,17:00\na,1,10:00,17:00\na,6,10:00,20:00\n")
    counts = hours(row)
    assert (counts["unchanged"], counts["updated"], counts["new"]) == (1, 2, 0)
    assert counts["removed"] == 4 + 1  # days 2 to 5, and the second stretch of day 6
    assert row.counts["removed"] == counts["removed"]
    assert [len(rows) for rows in stored().values()] == [3, 1]


def test_an_owners_file_spoils_no_other_owners_hours(workspace: Workspace):
    from restmon.ingest.allowed import Allowed
    from restmon.ingest.staging import SourceFile
    from restmon.ingest.writer import ImportTerms, import_files

    workspace.import_now(hours=WEEK)
    path = workspace.write("h.csv", HOURS_HEADER + "a,0\na,1,nine,17:00\nb,0,nine,17:00\n")
    import_files(
        [SourceFile("business_hours", path, "h.csv")],
        ImportTerms(
            spool=workspace.path / "spool",
            allowed=Allowed(permitted=frozenset("b")),
        ),
    )
    assert unreadable() == ["b"]
    assert len(stored()["a"]) == 7


def test_rows_by_hand_make_unreadable_hours_readable(workspace: Workspace):
    workspace.import_now(POLL, "a,0,nine,12:00\n")
    assert hours_editing.read_hours("a").unreadable
    assert not hours_editing.save("a", [], None)  # nothing was edited
    assert unreadable() == ["a"]
    assert hours_editing.save("a", [("0", "09:00", "12:00")], "America/Chicago")
    assert not hours_editing.read_hours("a").unreadable
    assert computation.compute(AS_OF).csv().splitlines()[1].startswith("a,60.00,3.00")


def test_pages_and_status_tell_of_unreadable_hours(workspace: Workspace):
    workspace.import_now(POLL, "a,0,nine,12:00\nb,0,09:00,12:00\n")
    told = "could not be read, so it counts as never open"
    for page in ("store", "settings"):
        shown = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        shown.query_params["store"] = "a"
        shown.switch_page(f"pages/{page}.py").run()
        assert not shown.exception
        assert any(told in warning.value for warning in shown.warning), page
    done = workspace.command("status")
    assert "1 store has unreadable hours and counts as never open" in done.stdout


LINES = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["0", "1", "2", "9"]),
        st.sampled_from(["09:00", "10:00", "9"]),
        st.sampled_from(["17:00", "18:00", "24:00"]),
    ),
    max_size=8,
)


@pytest.mark.slow
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, min_size=1, max_size=3))
def test_files_of_hours_do_what_the_rule_says(workspace: Workspace, batches: Any):
    """Against the rule said once more, slowly; the reports against the reference."""
    start_anew()
    known: dict[str, set[tuple[int, int, int]]] = {}
    lost: set[str] = set()
    polls = "".join(f"{s},active,2023-01-23 16:14:00 UTC\n" for s in "abc")
    workspace.import_now(polls)
    for lines in batches:
        bad = {s for s, day, start, _ in lines if day == "9" or start == "9"}
        named = {s for s, *_ in lines}
        before = {s: set(rows) for s, rows in known.items()}
        for store in named - bad:
            known[store] = {
                (int(day), clock(start), clock(end)) for s, day, start, end in lines if s == store
            }
        lost = (lost | {s for s in bad if s not in known}) - (named - bad)
        row = workspace.import_now(hours="".join(",".join(line) + "\n" for line in lines))
        counts = hours(row)
        assert counts["read"] == sum(counts[n] for n in ("new", "updated", "unchanged", "rejected"))
        assert counts["rejected"] == sum(day == "9" or start == "9" for _, day, start, _ in lines)
        gone = sum(len(before.get(s, set()) - known.get(s, set())) for s in named)
        assert gone - counts["updated"] <= counts["removed"] <= gone
        assert {s: set(rows) for s, rows in stored().items()} == known
        assert unreadable() == sorted(lost)
    if database.has_polls():
        instant = computation.parse_as_of("2023-01-23T16:14:00Z")
        table = computation.compute(AS_OF).csv().splitlines()[1:]
        for line in table:
            store, *numbers = line.split(",")
            weekly = tuple(sorted(known.get(store, set())))
            rows = reference.Hours(weekly, unreadable=store in lost)
            expected = reference.report_row(rows, None, [(instant, True)], AS_OF, "nearest")
            assert numbers == expected


def clock(text: str) -> int:
    return int(text[:2]) * 3_600_000_000


def test_a_line_too_long_to_read_keeps_its_stores_hours(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    workspace.import_now(hours=WEEK)
    monkeypatch.setattr(csv_reader, "BLOCK_BYTES", 4096)
    monkeypatch.setattr(block_reader, "LONGEST_LINE", 10_000)
    path = workspace.write("h.csv", HOURS_HEADER + f"a,0,10:00,{'9' * 50_000}\na,1,10:00,17:00\n")
    row = imports.run_now([incoming_files.source_file("business_hours", path)])
    assert (hours(row)["unchanged"], hours(row)["rejected"]) == (1, 1)
    assert len(stored()["a"]) == 7
