"""The data check, by its service, command, route and page."""

import json
from itertools import pairwise
from typing import Any

import pytest

from restmon.access import api_keys
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.findings import FINDING_CODES, MOST_EXAMPLES, Finding
from restmon.core.instants import DAY, HOUR, MINUTE, as_text
from restmon.demo import demo_stores
from restmon.reporting.computation import parse_as_of
from restmon.reporting.data_check import DataCheck, check_data
from restmon.reporting.snapshot import cache
from restmon.storage import database, models
from restmon.storage.access_models import ApiKey
from restmon.stores import groups
from tests.support.clock import plant_polls, set_clock
from tests.support.http import http
from tests.support.pages import page, seen, table
from tests.support.people import actor_of
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases


MONDAY = parse_as_of("2023-01-30 00:00:00")
NOON = MONDAY + 18 * HOUR
"""Monday 12:00 in Chicago."""


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: Any) -> None:
    set_clock(monkeypatch, NOON)


def polls_of(store: str, *, until: int = NOON, days: int = 3) -> str:
    """A poll every hour for some days."""
    times = range(until - days * DAY, until + 1, HOUR)
    return "".join(f"{store},active,{as_text(time)}\n" for time in times)


def hours_of(*stores: str) -> str:
    return "".join(f"{store},{day},09:00,17:00\n" for store in stores for day in range(7))


def zones_of(*stores: str, zone: str = "America/Chicago") -> str:
    return "".join(f"{store},{zone}\n" for store in stores)


def import_whole(workspace: Workspace, *stores: str) -> None:
    """Stores with polls, hours and zone, of which there is nothing to say."""
    polls = "".join(map(polls_of, stores))
    workspace.import_now(polls, hours_of(*stores), zones_of(*stores))


def list_store(store_id: str, **known: Any) -> None:
    with database.writing():
        row = models.Store.get(models.Store.store_id == store_id)
        models.StoreDirectory.create(store=row, **known)
        models.Revision.create(stores_changed=True)


def found(actor: Actor = THIS_MACHINE) -> dict[str, Finding]:
    return {finding.code: finding for finding in check_data(actor).findings}


def ids_of(finding: Finding) -> list[str]:
    return [example.store_id for example in finding.examples]


def test_an_empty_database_has_nothing_to_find(workspace: Workspace):
    assert check_data() == DataCheck(NOON, 0, ())


def test_whole_data_have_nothing_to_find(workspace: Workspace):
    import_whole(workspace, "1", "2", "3")
    assert check_data() == DataCheck(NOON, 3, ())


@pytest.mark.parametrize(
    ("code", "written", "right"),
    [
        ("rounded_ids", "4821930475610280000", "4821930475610283391"),
        ("ids_with_decimals", "77.0", "77"),
        ("ids_without_zeros", "815", "000815"),
        ("ids_in_other_case", "downtown", "Downtown"),
    ],
)
@pytest.mark.parametrize("feed", ["hours", "zones", "both"])
def test_ids_that_a_program_changed(
    workspace: Workspace, code: str, written: str, right: str, feed: str
):
    import_whole(workspace, "fine")
    hours = hours_of(written if feed != "zones" else right)
    zones = zones_of(written if feed != "hours" else right)
    workspace.import_now(polls_of(right), hours, zones)
    checks = found()
    (example,) = checks[code].examples
    assert (example.store_id, example.likely, checks[code].count) == (written, right, 1)
    assert [(e.store_id, e.likely) for e in checks["no_polls"].examples] == [(written, right)]
    lacking = {"hours": ["no_hours"], "zones": ["no_zone"], "both": ["no_hours", "no_zone"]}[feed]
    for name in lacking:
        assert (right, written) in [(e.store_id, e.likely) for e in checks[name].examples]
    # Once the file is mended, what is left of the changed id is still told.
    workspace.import_now(None, hours_of(right), zones_of(right))
    left = found()
    assert ids_of(left[code]) == [written]
    assert not any(right in ids_of(f) for f in left.values())


def test_rounded_ids_are_told_before_there_are_polls(workspace: Workspace):
    ids = [f"48219304756{n:04d}0000" for n in range(30)]
    workspace.import_now(None, hours_of(*ids), None)
    finding = found()["rounded_ids"]
    assert (finding.count, ids_of(finding)) == (30, ids[:MOST_EXAMPLES])
    assert {example.likely for example in finding.examples} == {None}


def test_stores_without_hours_zone_or_polls(workspace: Workspace):
    import_whole(workspace, "whole")
    workspace.import_now(
        polls_of("no-hours") + polls_of("no-zone") + polls_of("neither"),
        hours_of("no-zone", "no-polls"),
        zones_of("no-hours", "no-polls", "zone-alone"),
    )
    checks = found()
    assert ids_of(checks["no_hours"]) == ["neither", "no-hours", "zone-alone"]
    assert ids_of(checks["no_zone"]) == ["neither", "no-zone"]
    assert [(e.store_id, e.detail) for e in checks["no_polls"].examples] == [
        ("no-polls", "has hours and a time zone"),
        ("zone-alone", "has a time zone"),
    ]
    assert set(checks) == {"no_hours", "no_zone", "no_polls"}


def test_hours_that_could_not_be_read(workspace: Workspace):
    import_whole(workspace, "whole")
    bad = hours_of("bad").replace("09:00", "nine", 1)
    workspace.import_now(polls_of("bad"), bad, zones_of("bad"))
    checks = found()
    assert list(checks) == ["unreadable_hours"]
    assert ids_of(checks["unreadable_hours"]) == ["bad"]


@pytest.mark.parametrize("zone", ["EST", "MST", "HST", "Etc/GMT-5", "Etc/GMT+11"])
def test_zones_with_a_fixed_offset(workspace: Workspace, zone: str):
    import_whole(workspace, "whole", "fixed")
    workspace.import_now(None, None, zones_of("fixed", zone=zone))
    checks = found()
    assert list(checks) == ["fixed_offset_zone"]
    (example,) = checks["fixed_offset_zone"].examples
    assert example.store_id == "fixed"
    assert example.detail.startswith(f"{zone} is UTC")


def test_a_store_whose_polls_stopped(workspace: Workspace):
    import_whole(workspace, "on", "off", "long-off")
    for store, days in (("off", 4), ("long-off", 18)):
        with database.writing():
            database.delete_polls_of([models.Store.get(models.Store.store_id == store).id])
            models.Revision.create(rebuild=True)
        workspace.import_now(polls_of(store, until=NOON - days * DAY))
    checks = found()
    assert list(checks) == ["stale_stores"]
    assert ids_of(checks["stale_stores"]) == ["long-off", "off"]
    assert "18 days ago" in checks["stale_stores"].examples[0].detail


# Open 9 to 17 in Chicago, that is 15:00 to 23:00 UTC.
STALENESS = [
    (MONDAY - DAY + 23 * HOUR, 1, NOON, False),  # three open hours: no more than allowed
    (MONDAY - DAY + 23 * HOUR, 1, NOON + MINUTE, True),
    (MONDAY + 16 * HOUR, 1, MONDAY + 19 * HOUR, False),
    (MONDAY + 16 * HOUR, 1, MONDAY + 19 * HOUR + MINUTE, True),
    (MONDAY + 16 * HOUR, 2, MONDAY + 22 * HOUR, False),  # a poll every two hours: six
    (MONDAY + 16 * HOUR, 2, MONDAY + 22 * HOUR + MINUTE, True),
]


@pytest.mark.parametrize(("last", "gap", "at", "stale"), STALENESS)
def test_when_a_store_is_stale(
    workspace: Workspace, monkeypatch: Any, last: int, gap: int, at: int, stale: bool
):
    times = [last - n * gap * HOUR for n in range(20)]
    polls = "".join(f"quiet,active,{as_text(time)}\n" for time in times)
    set_clock(monkeypatch, at)
    workspace.import_now(
        polls + polls_of("on", until=at), hours_of("quiet", "on"), zones_of("quiet", "on")
    )
    assert ("stale_stores" in found()) == stale


def test_where_all_polls_stopped_the_stores_that_stopped_before_are_told(
    workspace: Workspace, monkeypatch: Any
):
    import_whole(workspace, "a", "b")
    workspace.import_now(
        polls_of("early", until=NOON - 6 * DAY), hours_of("early"), zones_of("early")
    )
    set_clock(monkeypatch, NOON + 9 * DAY)
    checks = found()
    assert list(checks) == ["stale_feed", "stale_stores"]
    assert "9 days ago" in checks["stale_feed"].message
    assert ids_of(checks["stale_stores"]) == ["early"]


def test_polls_from_the_future(workspace: Workspace):
    import_whole(workspace, "a", "b", "c")
    plant_polls("a", NOON + DAY, NOON + 2 * DAY, NOON + 400 * DAY)
    plant_polls("c", NOON + DAY)
    finding = found()["future_polls"]
    assert finding.count == 4
    assert [(e.store_id, e.detail[:7]) for e in finding.examples] == [
        ("a", "3 polls"),
        ("c", "1 poll,"),
    ]
    assert "forget --after now" in finding.action
    assert finding.more == 0


def test_stores_of_one_name(workspace: Workspace):
    import_whole(workspace, "1", "2", "3", "4", "5")
    for store, name in (("1", "Main St"), ("2", "main  st"), ("3", "Oak"), ("4", None)):
        list_store(store, name=name)
    list_store("5", name="Oak", closed_on=10)  # closed for good since 1970
    finding = found()["same_names"]
    assert [(e.store_id, e.likely, e.name) for e in finding.examples] == [
        ("1", "2", "Main St"),
        ("2", "1", "main  st"),
    ]
    assert finding.count == 2


CLOSED_TODAY = MONDAY // DAY


@pytest.mark.parametrize(
    ("closed_on", "told"),
    [(CLOSED_TODAY - 2, True), (CLOSED_TODAY, True), (CLOSED_TODAY + 1, False), (None, False)],
)
def test_a_closed_store_that_is_still_polled(
    workspace: Workspace, closed_on: int | None, told: bool
):
    import_whole(workspace, "open", "closed")
    list_store("closed", name="Old Town", closed_on=closed_on)
    checks = found()
    assert list(checks) == ["polled_after_closing"] * told
    if told:
        (example,) = checks["polled_after_closing"].examples
        assert (example.store_id, example.name) == ("closed", "Old Town")


def test_a_closed_store_lacks_nothing(workspace: Workspace):
    import_whole(workspace, "open")
    workspace.import_now(polls_of("closed", until=NOON - 20 * DAY), None, "unpolled,HST\n")
    for store in ("closed", "unpolled"):
        list_store(store, closed_on=CLOSED_TODAY - 19)
    assert found() == {}


def test_a_store_that_is_not_yet_open_lacks_nothing(workspace: Workspace):
    import_whole(workspace, "open")
    workspace.import_now(None, hours_of("soon"), None)
    list_store("soon", opened_on=CLOSED_TODAY + 30)
    assert found() == {}


def test_findings_have_few_examples_and_known_codes(workspace: Workspace):
    ids = [f"s{n:03d}" for n in range(50)]
    workspace.import_now(None, hours_of(*ids), None)
    checks = found()
    assert {(f.count, len(f.examples), f.more) for f in checks.values()} == {(50, 20, 30)}
    assert set(checks) <= set(FINDING_CODES)
    order = [FINDING_CODES.index(code) for code in checks]
    assert all(a < b for a, b in pairwise(order))


@pytest.mark.parametrize("who", ["owner", "group viewer"])
def test_people_see_findings_of_their_own_stores(people: Workspace, monkeypatch: Any, who: str):
    plant_polls("c:1", parse_as_of("2023-01-25 18:00:00") + 40 * DAY)
    set_clock(monkeypatch, parse_as_of("2023-01-25 18:00:00"))
    everything = json.dumps(check_data().as_json())
    assert all(f'"{name}"' in everything for name in ("a", "b", "c:1", "idle"))
    mine = check_data(actor_of(who))
    assert mine.stores == 1
    assert {e.store_id for f in mine.findings for e in f.examples} == {"a"}
    assert {e.likely for f in mine.findings for e in f.examples} == {None}
    assert [f.code for f in mine.findings] == ["no_hours"]


def test_an_owners_stores_are_stale_on_their_own(people: Workspace, monkeypatch: Any):
    """Theirs has b alone, whose polls stop while those of others go on."""
    at = parse_as_of("2023-01-28 18:00:00")
    set_clock(monkeypatch, at)
    people.import_now(polls_of("a", until=at))
    assert "stale_feed" not in found()
    assert "stale_feed" not in found(actor_of("owner"))
    checks = found(actor_of("other"))
    assert "3 days ago" in checks["stale_feed"].message
    assert "stale_stores" not in checks


def test_the_number_of_queries_does_not_depend_on_the_number_of_stores(
    workspace: Workspace, monkeypatch: Any
):
    def queries() -> int:
        count = 0
        execute = models.database.obj.execute_sql

        def counted(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            return execute(*arguments, **options)

        with monkeypatch.context() as patched:
            patched.setattr(models.database.obj, "execute_sql", counted)
            cache.clear()
            check_data()
        return count

    workspace.import_now(polls_of("a1") + polls_of("b"), hours_of("a1", "c"), zones_of("b"))
    few = queries()
    ids = [f"{n}.0" for n in range(200)]
    workspace.import_now(
        "".join(polls_of(str(n), days=0) for n in range(200)), hours_of(*ids), zones_of(*ids)
    )
    assert queries() <= few


def test_the_command(workspace: Workspace):
    done = workspace.command("check")
    assert (done.returncode, done.stdout) == (0, "0 stores checked: nothing found\n")
    workspace.import_now(polls_of("0042"), hours_of("42"), zones_of("0042"))
    done = workspace.command("check")
    assert done.returncode == 1
    assert "ids_without_zeros: 1 store id has likely lost leading zeros" in done.stdout
    assert "42 ↔ 0042" in done.stdout
    assert "Traceback" not in done.stderr
    done = workspace.command("check", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert {f["code"] for f in told["findings"]} >= {"ids_without_zeros", "no_polls", "no_hours"}
    assert workspace.command("check", "--nonsense").returncode == 2


def test_the_route(service: Workspace):
    answer = http(f"{service.api}/data_check")
    assert (answer.status, answer.json["stores"], answer.json["findings"]) == (200, 0, [])
    service.import_now(polls_of("1"), hours_of("1.0"))
    told = {f["code"]: f for f in http(f"{service.api}/data_check").json["findings"]}
    assert told["ids_with_decimals"]["examples"] == [
        {"store_id": "1.0", "name": None, "likely": "1", "detail": ""}
    ]
    assert set(told) <= set(FINDING_CODES)


def test_an_owners_key_sees_findings_of_its_own_stores(service: Workspace):
    service.import_now(polls_of("mine") + polls_of("theirs"))
    groups.create("Of one")
    groups.add("Of one", ["mine"])
    key = api_keys.make("an owner", Role.OWNER, None, ["Of one"])
    try:
        bearer = {"Authorization": f"Bearer {key}"}
        answer = http(f"{service.api}/data_check", headers=bearer)
        assert answer.json["stores"] == 1
        assert "theirs" not in answer.body.decode()
        assert "mine" in answer.body.decode()
    finally:
        ApiKey.delete().execute()
        groups.delete("Of one")


def test_the_page(workspace: Workspace):
    assert "There are no stores yet" in seen(page("data_check"))
    import_whole(workspace, "fine")
    assert "1 store checked: nothing is missing." in seen(page("data_check"))
    workspace.import_now(polls_of("0042"), hours_of("42"), zones_of("0042"))
    at = page("data_check")
    shown = seen(at)
    assert "1 store id has likely lost leading zeros" in shown
    assert "Write the ids with their zeros, as text" in shown
    (row,) = table(at, "lost leading zeros").to_dict("records")
    assert row == {"store": "/store?store=42", "likely": "/store?store=0042"}


@pytest.mark.parametrize("who", ["operator", "owner", "viewer", "group viewer"])
def test_what_the_page_shows_to_whom(people: Workspace, as_: Any, who: str):
    as_(who)
    at = page("data_check")
    shown = seen(at)
    assert ("store=b" in shown) == (who in {"operator", "viewer"})
    assert ("Upload files" in shown) == (who in {"operator", "owner"})


def test_a_mended_import_leaves_nothing(workspace: Workspace):
    """Findings follow the data: what was told goes when the cause is gone."""
    workspace.import_now(polls_of("a"))
    assert set(found()) == {"no_hours", "no_zone"}
    workspace.import_now(None, hours_of("a"))
    assert set(found()) == {"no_zone"}
    workspace.import_now(None, None, zones_of("a", zone="EST"))
    assert set(found()) == {"fixed_offset_zone"}
    workspace.import_now(None, None, zones_of("a"))
    assert found() == {}


def test_the_demo_can_be_checked(workspace: Workspace, monkeypatch: Any):
    monkeypatch.undo()
    assert demo_stores.load_demo()
    checked = check_data()
    assert checked.stores > 0
    assert {f.code for f in checked.findings} <= set(FINDING_CODES)
