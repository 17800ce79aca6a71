"""Polls from the future that are in the database already: they move nothing, take nothing with
them, are told, and can be deleted."""

import itertools
import json
import re
from typing import Any

import pytest

from jobs.tasks import retain
from restmon.access.audit import POLLS_FORGOTTEN, list_recent
from restmon.access.roles import Actor, Role
from restmon.core.instants import DAY, HOUR, MINUTE, as_text
from restmon.errors import Forbidden, NoPolls
from restmon.ops import future_polls, retention, summary
from restmon.reporting import computation, fleet, reports, shards, store_timeline
from restmon.reporting.snapshot import SnapshotCache, cache
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import Poll, Report, Revision, now
from tests.support.clock import days_before_now, plant_polls, set_ahead, set_clock
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

FAR = computation.parse_as_of("2099-01-01 00:00:00")


def stored() -> list[int]:
    """The instants of all polls, in order."""
    with database.session():
        return sorted(t for (t,) in database.tuples(Poll.select(Poll.timestamp)))


def lines(*instants: int, store: str = "a") -> str:
    return "".join(f"{store},active,{as_text(t)}\n" for t in instants)


@pytest.fixture
def recent_days(workspace: Workspace) -> list[int]:
    """Forty hourly polls of the store a, the newest an hour ago."""
    found = [days_before_now(0) - n * HOUR for n in range(1, 41)][::-1]
    workspace.import_now(lines(*found))
    return found


def test_one_poll_of_2099_moves_no_number(workspace: Workspace, recent_days: list[int]):
    before = computation.compute()
    warm = SnapshotCache()
    computation.compute(cache=warm)
    plant_polls("a", FAR)
    for used in (cache, warm, SnapshotCache()):
        after = computation.compute(cache=used)
        assert (after.as_of, after.csv()) == (before.as_of, before.csv())
        assert fleet.compute_fleet(cache=used).as_of == recent_days[-1]
    view = store_timeline.read_store("a", recent_days[0], FAR)
    assert (view.as_of, view.hi, view.last_poll) == (recent_days[-1],) * 3
    assert summary.read_facts()["newest_poll"] == as_text(recent_days[-1])


def test_the_parts_of_a_report_are_not_moved_either(
    workspace: Workspace, recent_days: list[int], monkeypatch: Any
):
    plant_polls("a", FAR)
    plant_polls("b", FAR)
    monkeypatch.setenv("RESTMON_SHARD_STORES", "1")
    get_settings.cache_clear()
    report = reports.request()
    assert reports.work(report.id)
    parts = shards.list_shards(report.id)
    assert [part.as_of for part in parts] == [recent_days[-1]] * 2


@pytest.mark.parametrize("ahead", [14 * MINUTE, 16 * MINUTE])
def test_a_store_whose_clock_is_a_little_ahead_still_counts(
    workspace: Workspace, recent_days: list[int], ahead: int
):
    poll = now() + ahead
    plant_polls("a", poll)
    counts = ahead < 15 * MINUTE
    assert cache.newest_poll() == (poll if counts else recent_days[-1])
    assert future_polls.count() == (0 if counts else 1)


def test_a_poll_of_the_future_counts_once_its_time_has_come(
    workspace: Workspace, recent_days: list[int], monkeypatch: Any
):
    plant_polls("a", now() + DAY)
    later = stored()[-1]
    assert fleet.compute_fleet().as_of == computation.compute().as_of == recent_days[-1]
    set_ahead(monkeypatch, 2 * DAY)
    assert fleet.compute_fleet().as_of == computation.compute().as_of == later
    assert future_polls.count() == 0
    # And a clock that steps back by more than the snapshot holds finds what is there.
    set_clock(monkeypatch, recent_days[3])
    assert computation.compute().as_of in recent_days[:4] + [
        t for t in recent_days if t <= recent_days[3] + 15 * MINUTE
    ]


def test_where_every_poll_is_of_the_future_there_is_nothing_to_report(workspace: Workspace):
    plant_polls("a", FAR, FAR + HOUR)
    for ask in (computation.compute, reports.request, fleet.compute_fleet):
        with pytest.raises(NoPolls, match="is from the future"):
            ask()
    assert Report.select().count() == 0
    # What is asked for by name is given.
    assert computation.compute(FAR).as_of == FAR


# The retention


def test_the_retention_of_the_issue_deletes_nothing(workspace: Workspace):
    real = [days_before_now(n) for n in (1, 2, 3, 4)]
    workspace.import_now(lines(*real))
    plant_polls("a", FAR)
    assert retention.apply(30) == 0
    retain.call_local()
    done = workspace.command("vacuum", env={"RESTMON_RETENTION_DAYS": "30"})
    assert done.returncode == 0, done.stderr
    assert stored() == sorted([*real, FAR])


CASES = list(itertools.product([0, 3, 8], [0, 3, 8], [0, 2], [False, True]))


@pytest.mark.parametrize(("old", "young", "future", "yes"), CASES)
def test_the_retention_never_deletes_more_than_it_says(
    workspace: Workspace, old: int, young: int, future: int, yes: bool
):
    newest = days_before_now(1)
    limit = newest - 30 * DAY
    too_old = [limit - 1 - n * 5 * DAY for n in range(old)]
    kept = [limit + n * DAY for n in range(young - 1)] + ([newest] if young else [])
    ahead = [FAR + n * DAY for n in range(future)]
    everything = too_old + kept + ahead
    if everything:
        plant_polls("a", *everything)
    if not kept:
        # Then the newest of the others is what the days count from.
        kept, too_old = (
            [t for t in too_old if t >= max(too_old) - 30 * DAY],
            [t for t in too_old if t < max(too_old) - 30 * DAY],
        )
    too_many = 2 * len(too_old) > len(everything)
    if too_many and not yes:
        with pytest.raises(retention.TooMuchAtOnce, match=f"{len(too_old)} of {len(everything)}"):
            retention.apply(30)
        assert stored() == sorted(everything)
    else:
        assert retention.apply(30, accept_much=yes) == len(too_old)
        assert stored() == sorted(kept + ahead)


@pytest.mark.parametrize("days_off", [-5000, -100, -1, 1, 100, 5000])
def test_a_wrong_clock_deletes_nothing_that_the_setting_keeps(
    workspace: Workspace, monkeypatch: Any, days_off: int
):
    real = [days_before_now(n) for n in range(1, 60, 2)]
    workspace.import_now(lines(*real))
    set_ahead(monkeypatch, days_off * DAY)
    retention.apply(30, accept_much=True)
    left = stored()
    assert left == sorted(t for t in real if t in left)
    assert {t for t in real if t >= real[0] - 30 * DAY} <= set(left)


def test_too_much_at_once_is_told_and_done_when_asked_for(
    workspace: Workspace, caplog: pytest.LogCaptureFixture, monkeypatch: Any
):
    many = [days_before_now(n) for n in range(100, 110)]
    plant_polls("a", *many, days_before_now(1))
    env = {"RESTMON_RETENTION_DAYS": "30"}
    done = workspace.command("vacuum", env=env)
    assert done.returncode == 2
    assert "would delete 10 of 11 polls, more than half, so nothing was deleted" in done.stderr
    assert "vacuum --yes" in done.stderr
    status = workspace.command("status", env=env).stdout
    assert "would delete 10 of 11 polls" in status
    monkeypatch.setenv("RESTMON_RETENTION_DAYS", "30")
    get_settings.cache_clear()
    with caplog.at_level("WARNING"):
        retain.call_local()
    assert "would delete 10 of 11 polls" in caplog.text
    assert len(stored()) == 11
    done = workspace.command("vacuum", "--yes", env=env)
    assert done.returncode == 0, done.stderr
    assert "10 old polls deleted" in done.stdout
    assert len(stored()) == 1
    assert "would delete" not in workspace.command("status", env=env).stdout


# Telling and forgetting


def test_status_tells_and_forget_deletes(workspace: Workspace, recent_days: list[int]):
    plant_polls("a", FAR, FAR + HOUR)
    assert "future     2 polls; python -m restmon forget --after now" in (
        workspace.command("status").stdout
    )
    assert json.loads(workspace.command("status", "--json").stdout)["future_polls"] == 2
    asked = workspace.command("forget", "--after", "now", input="")
    assert asked.returncode == 2
    assert re.match(r"2 polls after 20.* UTC will be deleted\.", asked.stdout)
    assert "Nothing was deleted. Add --yes" in asked.stderr
    assert len(stored()) == len(recent_days) + 2
    done = workspace.command("forget", "--after", "now", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\n2 deleted\n")
    assert stored() == recent_days
    (entry,) = [entry for entry in list_recent() if entry.action == POLLS_FORGOTTEN]
    assert (entry.actor, entry.subject[:8]) == ("this machine", "2 after ")
    assert "future" not in workspace.command("status").stdout
    again = workspace.command("forget", "--after", "now", "--yes")
    assert (again.returncode, "There are 0 polls" in again.stdout) == (0, True)
    assert len([entry for entry in list_recent() if entry.action == POLLS_FORGOTTEN]) == 1


@pytest.mark.parametrize(("given", "left"), [("{9}", 10), ("{39}", 40), ("1999-01-01", 0)])
def test_forget_takes_an_instant(
    workspace: Workspace, recent_days: list[int], given: str, left: int
):
    warm = SnapshotCache()
    computation.compute(cache=warm)
    instant = as_text(recent_days[int(given.strip("{}"))]) if "{" in given else f"{given} 00:00:00"
    done = workspace.command("forget", "--after", instant, "--yes")
    assert done.returncode == 0, done.stderr
    assert stored() == recent_days[:left]
    if left:
        assert (
            computation.compute(cache=warm).csv()
            == computation.compute(cache=SnapshotCache()).csv()
        )
        assert computation.compute(cache=warm).as_of == recent_days[left - 1]


def test_forget_of_no_instant_is_one_sentence(workspace: Workspace):
    done = workspace.command("forget", "--after", "soon")
    assert done.returncode == 2
    assert "is not an instant" in done.stderr


def test_only_an_operator_forgets_and_all_or_nothing(
    workspace: Workspace, recent_days: list[int], monkeypatch: Any
):
    plant_polls("a", FAR)
    everything = stored()
    with database.session():
        revisions = Revision.select().count()
    for actor in (Actor("o", Role.OWNER, frozenset({1})), Actor("v", Role.VIEWER)):
        with pytest.raises(Forbidden):
            future_polls.forget(FAR - 1, actor)

    def fails(*_: object) -> None:
        raise OSError("no audit")

    monkeypatch.setattr(future_polls.audit, "note", fails)
    with pytest.raises(OSError, match="no audit"):
        future_polls.forget(FAR - 1)
    assert stored() == everything
    with database.session():
        assert Revision.select().count() == revisions
