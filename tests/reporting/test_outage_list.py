"""Outages and incidents of windows, through stored data, by API models' columns and CLI."""

import csv
import io
import json
from datetime import datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from restmon.access.roles import Actor, Role
from restmon.core.instants import as_datetime, as_text
from restmon.reporting import incident_list, outage_list, window_lines
from restmon.reporting.scopes import Scope, find_scope
from restmon.reporting.windows import parse_window
from restmon.storage import database
from restmon.storage.models import HourlySales, PollReason, Revision, Store, StoreDirectory
from restmon.stores import groups
from tests import reference
from tests.support.examples import examples
from tests.support.imported import import_stores
from tests.support.stores import DAY, HOUR, MINUTE, SECOND, AStore, cases
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

EVERYTHING = Scope()


def outages(scope: Scope = EVERYTHING, **words: Any) -> list[dict[str, Any]]:
    as_of, method = words.pop("as_of", None), words.pop("method", "nearest")
    ongoing, least = words.pop("ongoing", None), words.pop("min_minutes", 0)
    window = parse_window({name.rstrip("_"): text for name, text in words.items()})
    found = outage_list.find_outages_in(scope, window, as_of, method)
    rows = outage_list.make_rows(found, found.filtered(ongoing, least))
    return [dict(zip(outage_list.COLUMNS, row, strict=True)) for row in rows]


def incidents(scope: Scope = EVERYTHING, **words: Any) -> list[dict[str, Any]]:
    window = parse_window({name.rstrip("_"): text for name, text in words.items()})
    found = incident_list.list_incidents(scope, window)
    rows = incident_list.make_rows(found, scope.seen)
    return [dict(zip(incident_list.COLUMNS, row, strict=True)) for row in rows]


def iso(instant: int | Fraction) -> str:
    return as_text(int(instant // 1)).replace(" ", "T", 1).replace(" UTC", "Z")


ONE_POLL = ([AStore([], None, [(1678431600 * SECOND, False)])], 1678608000 * SECOND)
"""Down from a day after the window on, and never polled again."""


@pytest.mark.parametrize("method", ["nearest", "previous"])
@given(
    case=cases(max_stores=3),
    length=st.sampled_from([HOUR, DAY, 7 * DAY, 20 * DAY]),
    before=st.sampled_from([0, 0, 20 * HOUR, 3 * DAY]),
)
@example(case=ONE_POLL, length=HOUR, before=3 * DAY)
@settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_outages_are_the_references(
    workspace: Workspace, method: str, case: tuple, length: int, before: int
):
    stores, as_of = case
    named = import_stores(workspace, stores)
    if not any(store.polls for store in stores):
        return
    lo, hi = as_of - before - length, as_of - before
    found = outages(as_of=as_of, method=method, from_=as_text(lo), to=as_text(hi))
    expected = []
    for s in named:
        store = stores[s]
        seen = reference.observations(store.hours, store.zone, store.polls, as_of)
        for start, end, open_time, ongoing in reference.outages(
            store.hours, store.zone, store.polls, as_of, method, lo
        ):
            inside = reference.open_intervals(store.hours, store.zone, lo, hi)
            if not any(max(start, lo, a) < min(end, hi, b) for a, b in inside):
                continue
            expected.append(
                {
                    "store_id": f"s{s}",
                    "start": iso(start),
                    "end": None if ongoing else iso(end),
                    "ongoing": ongoing,
                    "open_minutes": float(round(open_time / MINUTE * 100)) / 100,
                }
            )
            mine = found[len(expected) - 1]
            at = {iso(time): n for n, (time, _, _) in enumerate(seen)}
            first, last = at[mine["first_down_poll"]], at[mine["last_down_poll"]]
            assert not any(active for _, active, _ in seen[first : last + 1])
            assert mine["last_up_poll"] == (iso(seen[first - 1][0]) if first else None)
            after = seen[last + 1] if last + 1 < len(seen) else None
            if not ongoing:
                assert after is not None
                assert mine["next_up_poll"] == iso(after[0])
                assert after[1]
            assert not first or seen[first - 1][1]
    assert (
        [{name: row[name] for name in expected[0]} for row in found] == expected
        if expected
        else (found == [])
    )


AS_OF = 1674670402_000_000  # 2023-01-25 18:13:22 UTC, a Wednesday


def hourly(store: str, statuses: str, end: int = AS_OF) -> str:
    """Hourly polls up to ``end``: u for up, d for down."""
    return "".join(
        f"{store},{'active' if status == 'u' else 'inactive'},{as_text(end - n * HOUR)}\n"
        for n, status in enumerate(reversed(statuses))
    )


@pytest.fixture
def twelve(workspace: Workspace) -> Workspace:
    """Twelve stores, of which s0 to s5 were down for four hours together, s0 alone before."""
    polls = "".join(
        hourly(
            f"s{n}",
            "u" * 20
            + ("d" if n == 0 else "u")
            + "u" * 10
            + ("dddd" if n < 6 else "uuuu")
            + "u" * 12
            + ("d" if n == 11 else "u"),
        )
        for n in range(12)
    )
    workspace.import_now(polls, zones="".join(f"s{n},America/New_York\n" for n in range(4)))
    groups.create("East")
    groups.add("East", [f"s{n}" for n in range(5)])
    groups.create("All of them")
    groups.add("All of them", [f"s{n}" for n in range(12)])
    with database.session():
        rows = {store.store_id: store.id for store in Store.select()}
        down = AS_OF - 15 * HOUR
        PollReason.create(store=rows["s1"], timestamp=down, reason="Paused, by the POS")
        PollReason.create(store=rows["s2"], timestamp=AS_OF - HOUR, reason="of another time")
        StoreDirectory.create(store=rows["s1"], name="+1", sales_per_hour=30.0)
        for hour in range(24):
            HourlySales.create(store=rows["s2"], day_of_week=2, hour=hour, sales=float(hour))
        Revision.create(stores_changed=True)
    return workspace


def test_what_an_outage_tells(twelve: Workspace):
    found = outages()
    assert [row["store_id"] for row in found] == [
        "s0",
        "s0",
        "s1",
        "s11",
        *(f"s{n}" for n in range(2, 6)),
    ]
    alone, s0, s1, s11, s2 = found[:5]
    start, end = AS_OF - 16 * HOUR - 30 * MINUTE, AS_OF - 12 * HOUR - 30 * MINUTE
    assert (s1["start"], s1["end"], s1["open_minutes"]) == (iso(start), iso(end), 240.0)
    local = datetime.fromisoformat(s1["start_local"])
    assert local == as_datetime(start)
    assert s1["start_local"] == as_datetime(start).astimezone(
        ZoneInfo("America/New_York")
    ).isoformat(timespec="microseconds")
    assert [s1[name] for name in list(s1)[-5:-1]] == [
        iso(AS_OF - n * HOUR) for n in (17, 16, 13, 12)
    ]
    assert (s1["cause"], s2["cause"]) == ("Paused, by the POS", None)
    assert (s1["lost_sales"], s0["lost_sales"]) == (120.0, None)
    # On Tuesday at 20:43 until Wednesday at 0:43: no rate is known of Tuesday.
    assert s2["lost_sales"] is None
    assert (s11["ongoing"], s11["end"], s11["end_local"], s11["open_minutes"]) == (
        True,
        None,
        None,
        30.0,
    )
    assert (alone["incident_id"], s11["incident_id"]) == (None, None)
    [incident] = incidents()
    assert {row["incident_id"] for row in (s0, s1, s2)} == {incident["incident_id"]}


def test_outages_are_chosen(twelve: Workspace):
    assert [row["store_id"] for row in outages(ongoing=True)] == ["s11"]
    assert len(outages(ongoing=False)) == 7
    assert {row["open_minutes"] for row in outages(min_minutes=60.5)} == {240.0}
    assert len(outages(find_scope(group="east"))) == 6
    [one] = outages(find_scope(store_id="s1"))
    assert one["incident_id"] is None  # one store has no incident
    assert outages(last="1h") == outages(ongoing=True)
    assert outages(from_="2023-01-20", to="2023-01-22") == []


def test_what_an_incident_tells(twelve: Workspace):
    [found] = incidents()
    assert found == {
        "incident_id": "20230125T0145Z",
        "start": "2023-01-25T01:45:00.000000Z",
        "end": "2023-01-25T05:45:00.000000Z",
        "stores": 6,
        "most_down": 6,
        "peak_share": 50.0,
        # From 1:45 to 5:43:22.
        "minutes_lost": float(round(Fraction(6 * (238 * 60 + 22), 60) * 100)) / 100,
        "zones": ["America/New_York (4)", "America/Chicago (2)"],
        "groups": ["All of them (6)", "East (5)"],
    }
    [east] = incidents(find_scope(group="East"))
    assert (east["stores"], east["peak_share"]) == (5, 100.0)
    assert incidents(last="2h") == []
    assert [row["start"] for row in incidents(from_="2023-01-25")] == [found["start"]]


def test_in_pieces_it_is_the_same(twelve: Workspace, monkeypatch: pytest.MonkeyPatch):
    whole = outages(last="9d"), incidents(last="9d")
    monkeypatch.setattr(window_lines, "STORE_DAYS_AT_ONCE", 55)
    assert (outages(last="9d"), incidents(last="9d")) == whole
    assert whole[0] == outages()


def test_what_is_cached_follows_the_data(twelve: Workspace):
    assert [row["store_id"] for row in outages(ongoing=True)] == ["s11"]
    twelve.import_now(f"s3,inactive,{as_text(AS_OF)}\n")
    assert [row["store_id"] for row in outages(ongoing=True)] == ["s11", "s3"]


def test_an_owner_sees_own_stores_alone(twelve: Workspace):
    with database.session():
        east = groups.Group.named("East").id
    scope = find_scope(Actor("o", Role.OWNER, frozenset({east})))
    assert {row["store_id"] for row in outages(scope)} == {f"s{n}" for n in range(5)}
    [found] = incidents(scope)
    assert (found["stores"], found["groups"]) == (5, ["East (5)"])


def test_the_command_line_lists_both(twelve: Workspace):
    done = twelve.command("outages", "--last", "7d", "--min-minutes", "60", "--group", "East")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert list(rows[0]) == list(outage_list.COLUMNS)
    assert [row["store_id"] for row in rows] == ["s0", "s0", "s1", "s2", "s3", "s4"]
    assert rows[2]["name"] == "'+1"  # no spreadsheet takes it for a formula
    assert rows[2]["start"] == "2023-01-25 01:43:22.000000 UTC"
    assert rows[2]["start_local"] == "2023-01-24 20:43:22.000000-05:00"
    assert (rows[2]["ongoing"], rows[2]["open_minutes"]) == ("no", "240.00")
    path = twelve.path / "incidents.json"
    done = twelve.command("incidents", "--format", "json", "--output", path)
    assert done.stdout.endswith("1 lines\n")
    assert json.loads(path.read_text()) == incidents()
    for words in (["--from", "2023-02-01"], ["--group", "none"], ["--last", "soon"]):
        for command in ("outages", "incidents"):
            done = twelve.command(command, *words)
            assert (done.returncode, done.stdout) == (2, "")
            assert "Traceback" not in done.stderr
