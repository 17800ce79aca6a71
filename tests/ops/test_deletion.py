"""Deleting polls, and stores, by hand."""

import pytest
from click.testing import CliRunner

from restmon.access.roles import Actor, Role
from restmon.cli.main import main
from restmon.errors import BadRequest, Forbidden, NotFound
from restmon.ingest import imports, incoming_files, undo
from restmon.ops import deletion, retention
from restmon.ops.deletion import PollRange
from restmon.reporting import computation
from restmon.reporting.computation import parse_as_of
from restmon.storage import database, models
from restmon.storage.access_models import AuditEntry
from restmon.storage.models import Poll, Store
from restmon.stores import groups
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

TIMES = ["2023-01-20 10:00:00", "2023-01-23 10:00:00", "2023-01-26 10:00:00"]


@pytest.fixture
def stored(workspace: Workspace) -> Workspace:
    """Stores a and b with a poll at each of the times, hours, zones and a group."""
    lines = [f"{store},active,{time}\n" for store in "ab" for time in TIMES]
    workspace.import_now("".join(lines), "a,0,09:00,12:00\nb,0,09:00,12:00\n", "a,US/Pacific\n")
    groups.create("Mine")
    groups.add("Mine", ["a"])
    return workspace


def left() -> list[tuple[str, int]]:
    """The polls that are stored: the store, and which of the times it is."""
    with database.session():
        query = Poll.select(Store.store_id, Poll.timestamp).join(Store)
        times = [parse_as_of(time) for time in TIMES]
        return sorted((store, times.index(time)) for store, time in database.tuples(query))


def run(*arguments: str) -> str:
    """A command in this process; returns what it prints."""
    done = CliRunner().invoke(main, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("begin", [None, *range(3)])
@pytest.mark.parametrize("end", [None, *range(3)])
@pytest.mark.parametrize("store", [None, "a"])
def test_a_range_of_polls(stored: Workspace, begin: int | None, end: int | None, store: str | None):
    bounds = [None if n is None else parse_as_of(TIMES[n]) for n in (begin, end)]
    if begin is not None and end is not None and begin >= end:
        with pytest.raises(BadRequest):
            PollRange(*bounds, store)
        return
    before = left()
    gone = [
        (name, n)
        for name, n in before
        if (store is None or name == store)
        and (begin is None or n >= begin)
        and (end is None or n < end)
    ]
    chosen = PollRange(*bounds, store)
    assert deletion.count_polls(chosen) == len(gone)
    assert deletion.delete_polls(chosen) == len(gone)
    assert left() == sorted(set(before) - set(gone))


def test_the_command_tells_how_many_and_wants_a_yes(stored: Workspace):
    chosen = ["forget", "--from", TIMES[1], "--store", "a"]
    asked = CliRunner().invoke(main, chosen)
    assert asked.exit_code == 2
    assert "2 polls from 2023-01-23 10:00:00.000000 UTC of store a will be deleted." in asked.output
    assert "Nothing was deleted. Add --yes" in asked.output
    assert len(left()) == 6
    assert "2 deleted" in run(*chosen, "--yes")
    assert left() == [("a", 0), ("b", 0), ("b", 1), ("b", 2)]
    assert "There are 0 polls" in run(*chosen, "--yes")
    assert AuditEntry.select().order_by(AuditEntry.id.desc()).get().subject.startswith("2 from")


def test_a_store_with_all_that_is_its_own(stored: Workspace):
    assert "with 3 polls" in run("forget", "--store", "a", "--all", "--yes")
    assert left() == [("b", 0), ("b", 1), ("b", 2)]
    with database.session():
        for model in (models.BusinessHours, models.GroupMember):
            assert not model.select().where(model.store == 1).exists()
        assert [store.store_id for store in Store.select()] == ["b"]
    assert [line.split(",")[0] for line in computation.compute().csv().splitlines()[1:]] == ["b"]


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--all"],
        ["--all", "--store", "a", "--from", TIMES[0]],
        ["--after", "now", "--store", "a"],
    ],
    ids=" ".join,
)
def test_what_does_not_fit_together_is_refused(stored: Workspace, options: list[str]):
    refused = CliRunner().invoke(main, ["forget", *options, "--yes"])
    assert refused.exit_code == 2
    assert "Give" in refused.output or "give" in refused.output
    assert len(left()) == 6


def test_operators_alone_delete_and_a_store_must_be_there(stored: Workspace):
    owner = Actor("owner", Role.OWNER, frozenset({1}))
    for delete in (
        lambda who: deletion.delete_polls(PollRange(store_id="a"), who),
        lambda who: deletion.delete_store("a", who),
    ):
        with pytest.raises(Forbidden):
            delete(owner)
    for store in ("nowhere", "a' OR 1=1"):
        with pytest.raises(NotFound):
            deletion.delete_polls(PollRange(store_id=store))
        with pytest.raises(NotFound):
            deletion.delete_store(store)
    assert len(left()) == 6


OF_A_STORE = (
    models.BusinessHours,
    models.StoreDirectory,
    models.OtherHours,
    models.HourlySales,
    models.PollReason,
    models.GroupMember,
)


def import_every_feed(workspace: Workspace) -> None:
    """Each optional feed and a reason, of a and b alike."""
    each = {
        "polls": ("store_id,status,timestamp_utc,reason", "inactive,{0},Wi-Fi"),
        "directory": ("store_id,name,groups", "Main Street,Brand"),
        "other_hours": ("store_id,date,open,close,note", "2023-01-24,10:00,14:00,short"),
        "sales": ("store_id,day,hour,sales", "0,12,310"),
    }
    for name, (header, line) in each.items():
        lines = [f"{s},{line.format(t)}" for s in "ab" for t in TIMES[: 3 if "{" in line else 1]]
        path = workspace.write(f"{name}.csv", "\n".join([header, *lines]) + "\n")
        row = imports.run_now([incoming_files.source_file(name, path)])
        assert row.counts["rejected"] == 0


def counts_of_stores() -> dict[str, set[int]]:
    """How many rows of each table are of a and of b."""
    with database.session():
        rows = {s.store_id: s.id for s in Store.select()}
        return {
            store: {model.select().where(model.store == row).count() for model in OF_A_STORE}
            for store, row in rows.items()
        }


def test_a_store_takes_its_rows_of_every_feed_along(stored: Workspace):
    import_every_feed(stored)
    before = counts_of_stores()
    assert 0 not in before["a"]
    deletion.delete_store("a")
    assert counts_of_stores() == {"b": before["b"]}
    assert groups.members_of("Brand") == ["b"]


def reasons_left() -> list[int]:
    with database.session():
        times = [parse_as_of(time) for time in TIMES]
        rows = models.PollReason.select(models.PollReason.timestamp)
        return sorted(times.index(time) for (time,) in database.tuples(rows))


def test_reasons_go_with_their_polls(stored: Workspace):
    import_every_feed(stored)
    assert reasons_left() == [0, 0, 1, 1, 2, 2]
    deletion.delete_polls(PollRange(parse_as_of(TIMES[1]), parse_as_of(TIMES[2]), "a"))
    assert reasons_left() == [0, 0, 1, 2, 2]
    deletion.delete_polls(PollRange(None, parse_as_of(TIMES[1])))
    assert reasons_left() == [1, 2, 2]
    assert retention.apply(2, accept_much=True)
    assert reasons_left() == [2, 2]


def test_what_was_deleted_does_not_come_back_with_an_undo(stored: Workspace):
    again = "".join(f"{store},inactive,{time}\n" for store in "ab" for time in TIMES)
    row = stored.import_now(again, "a,1,10:00,11:00\n", "a,US/Eastern\n")
    deletion.delete_polls(PollRange(parse_as_of(TIMES[1]), None))
    deletion.delete_store("a")
    undo.undo(row.id)
    assert left() == [("b", 0)]
    with database.session():
        assert [store.store_id for store in Store.select()] == ["b"]
        assert Poll.select(Poll.status).scalar() == 1
        hours = models.BusinessHours.select(models.BusinessHours.store).distinct()
        assert [store.store_id for store in Store.select().where(Store.id.in_(hours))] == ["b"]
