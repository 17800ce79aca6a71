"""Who sees some stores only: by default everything is as of the newest poll of those."""

from typing import Any

import pytest

from restmon.access import visibility
from restmon.access.roles import Actor, Role
from restmon.core.instants import DAY, HOUR, as_text
from restmon.errors import NoPolls
from restmon.reporting import computation, fleet, reports, shards, sources
from restmon.reporting.computation import parse_as_of
from restmon.reporting.snapshot import SnapshotCache
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import Report
from restmon.stores import groups
from tests.support.clock import plant_polls
from tests.support.pages import page, seen
from tests.support.people import actor_of
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases


NEWEST = parse_as_of("2023-01-25 18:00:00")
MINE = NEWEST - 3 * DAY
"""The newest poll of my stores; the others were polled later."""
LONG_AGO = NEWEST - 400 * DAY
NAMES = {"mine": MINE, "theirs": NEWEST, "long ago": LONG_AGO}


def lines(store: str, newest: int) -> str:
    return "".join(
        f"{store},{'inactive' if n % 3 else 'active'},{as_text(newest - n * HOUR)}\n"
        for n in range(200)
    )


@pytest.fixture
def owners(workspace: Workspace) -> dict[str, Actor]:
    """An owner of a group of two stores each, all with the same pattern of polls up to another
    instant; and an owner of stores that were never polled."""
    text = "".join(
        lines(f"{name.replace(' ', '-')}-{n}", newest)
        for name, newest in NAMES.items()
        for n in range(2)
    )
    workspace.import_now(text, hours="never,0,09:00,12:00\n")
    found = {}
    for name in [*NAMES, "never"]:
        groups.create(name)
        stem = name.replace(" ", "-")
        groups.add(name, ["never"] if name == "never" else [f"{stem}-0", f"{stem}-1"])
        ids = frozenset(visibility.check_scope("owner", [name]) or ())
        found[name] = Actor(name, Role.OWNER, ids)
    return found


@pytest.mark.parametrize("shard_stores", [20_000, 2, 1])
@pytest.mark.parametrize("name", NAMES)
def test_an_owners_report_is_as_of_the_newest_poll_of_theirs(
    workspace: Workspace,
    owners: dict[str, Actor],
    monkeypatch: Any,
    name: str,
    shard_stores: int,
):
    monkeypatch.setenv("RESTMON_SHARD_STORES", str(shard_stores))
    get_settings.cache_clear()
    report = reports.request(actor=owners[name])
    # Another owner's poll, made meanwhile, moves nothing.
    plant_polls("another", NEWEST + HOUR)
    reports.work(report.id)
    for part in shards.list_shards(report.id):
        reports.work_shard(part.id)
    if shard_stores < 20_000:
        assert shards.list_shards(report.id)
        reports.work(report.id)
    done = reports.get(report.id)
    assert (done.status, done.as_of, done.stores) == ("Complete", NAMES[name], 2)
    of_all = computation.compute(NAMES[name]).csv().splitlines()
    stem = name.replace(" ", "-")
    assert reports.read_csv(done).decode().splitlines()[1:] == [
        line for line in of_all if line.startswith(f"{stem}-")
    ]


def test_of_all_stores_it_is_the_newest_of_all(workspace: Workspace, owners: dict[str, Actor]):
    for actor in (Actor("o", Role.OPERATOR), Actor("v", Role.VIEWER)):
        assert fleet.compute_fleet(groups=actor.groups).as_of == NEWEST
    report = reports.request()
    reports.work(report.id)
    assert reports.get(report.id).as_of == NEWEST


@pytest.mark.parametrize("name", NAMES)
def test_a_fleet_of_some_groups_is_that_part_of_all(owners: dict[str, Actor], name: str):
    mine = fleet.compute_fleet(groups=owners[name].groups)
    whole = fleet.compute_fleet(NAMES[name])
    part = whole.chosen(visibility.mask_stores(owners[name].groups, whole.ids))
    assert (mine.as_of, mine.ids) == (NAMES[name], part.ids)
    for field in ("up", "down", "up_by_hour", "outages", "open_now", "status", "down_since"):
        assert (getattr(mine, field) == getattr(part, field)).all(), field
    assert fleet.compute_fleet(groups=owners[name].groups) is mine


def test_an_explicit_instant_is_what_was_asked_for(owners: dict[str, Actor]):
    report = reports.request(NEWEST - 9 * DAY, actor=owners["mine"])
    reports.work(report.id)
    assert reports.get(report.id).as_of == NEWEST - 9 * DAY


def test_without_polls_of_their_own_there_is_nothing_to_report(owners: dict[str, Actor]):
    with pytest.raises(NoPolls, match="no polls of your stores yet"):
        reports.request(actor=owners["never"])
    with pytest.raises(NoPolls, match="no polls of your stores yet"):
        fleet.compute_fleet(groups=owners["never"].groups)
    assert Report.select().count() == 0


def test_a_store_in_several_groups_and_a_group_without_stores(owners: dict[str, Actor]):
    groups.add("long ago", ["mine-0"])
    groups.create("empty")
    empty = visibility.check_scope("owner", ["empty"])
    both = owners["mine"].groups | owners["long ago"].groups  # type: ignore[operator]
    with database.session():
        assert sources.choose_source(both).newest_poll() == MINE
        assert sources.choose_source(owners["long ago"].groups).newest_poll() == MINE
        assert sources.choose_source(empty).newest_poll() is None


def test_a_poll_of_the_future_of_their_own_moves_it_neither(owners: dict[str, Actor]):
    plant_polls("mine-0", parse_as_of("2099-01-01 00:00:00"))
    for cache in (SnapshotCache(), SnapshotCache()):
        assert fleet.compute_fleet(groups=owners["mine"].groups, cache=cache).as_of == MINE


@pytest.mark.parametrize("name", ["overview", "stores", "store", "reports"])
def test_an_owners_pages_are_as_of_the_newest_poll_of_theirs(
    people: Workspace,
    as_: Any,
    name: str,
):
    newest = parse_as_of("2023-02-20 10:00:00")
    plant_polls("b", newest)
    query = {"store": "a"} if name == "store" else {}
    for who, is_newest in (("owner", False), ("operator", True)):
        reports.work(reports.request(actor=actor_of(who)).id)
        as_(who)
        shown = seen(page(name, **query))
        assert ("Feb 20" in shown) == is_newest
        assert is_newest or "Jan 25" in shown
