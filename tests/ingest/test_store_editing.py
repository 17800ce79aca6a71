"""A store's entry in the directory and other hours on dates, edited by hand."""

import pytest

from restmon.access import audit
from restmon.access.roles import Actor, Role
from restmon.errors import Forbidden, NotFound
from restmon.ingest import imports, incoming_files
from restmon.ingest.hours_editing import HoursRejected
from restmon.ingest.store_editing import Subject, read_dates, read_entry, save_dates, save_entry
from restmon.storage import database, models
from tests.support.workspace import Workspace

HOLIDAY = ("2026-11-26", "", "", "Thanksgiving")


@pytest.fixture
def two(workspace: Workspace) -> tuple[Actor, Actor]:
    """Stores a and z of two groups; the owner of the first, and a viewer of it."""
    path = workspace.write("d.csv", "store_id,name,groups\na,Alpha,Mine\nz,Zulu,Theirs\n")
    imports.run_now(incoming_files.tables_of(path, path.name))
    with database.session():
        mine = frozenset({int(models.Group.named("Mine").id)})
    return Actor("owner", Role.OWNER, mine), Actor("viewer", Role.VIEWER, mine)


def revisions() -> int:
    with database.session():
        return models.Revision.select().count()


@pytest.mark.both_databases
def test_an_entry_is_changed_and_put_on_record(two: tuple[Actor, Actor]):
    owner, _ = two
    entry = {"name": "New", "address": "1 Main St", "sales_per_hour": "240.5", "opened_on": ""}
    assert save_entry("a", entry | {"closed_on": "2026-11-30"}, owner)
    assert read_entry("a", owner) == entry | {"closed_on": "2026-11-30"}
    newest = audit.list_recent(1)[0]
    assert (newest.actor, newest.action, newest.subject) == ("owner", audit.ENTRY_CHANGED, "a")
    before = revisions()
    assert not save_entry("a", entry, owner)
    assert revisions() == before
    assert save_entry("a", dict.fromkeys(entry, "") | {"closed_on": ""}, owner)
    assert set(read_entry("a", owner).values()) == {""}
    with pytest.raises(HoursRejected, match="sales_per_hour 'much'"):
        save_entry("a", {"sales_per_hour": "much"}, owner)


@pytest.mark.both_databases
def test_dates_are_replaced_as_a_whole(two: tuple[Actor, Actor]):
    owner, _ = two
    for subject in (Subject(store="a"), Subject(group="mine")):
        rows = [HOLIDAY, ("2026-11-27", "9 AM", "1 PM", ""), ("2026-11-27", "5 PM", "8 PM", "")]
        assert save_dates(subject, [*rows, ("", "", "", None)], owner)
        assert read_dates(subject, owner).values.tolist() == [
            list(HOLIDAY),
            ["2026-11-27", "09:00", "13:00", ""],
            ["2026-11-27", "17:00", "20:00", ""],
        ]
        before = revisions()
        assert not save_dates(subject, rows, owner)
        assert revisions() == before
        assert save_dates(subject, [HOLIDAY], owner)
        assert read_dates(subject, owner).values.tolist() == [list(HOLIDAY)]
    assert save_dates(Subject(store="a"), [], owner)
    assert len(read_dates(Subject(group="Mine"), owner)) == 1


def test_rows_that_cannot_be_kept_change_nothing(two: tuple[Actor, Actor]):
    owner, _ = two
    subject = Subject(store="a")
    save_dates(subject, [HOLIDAY], owner)
    with pytest.raises(HoursRejected) as caught:
        save_dates(
            subject, [("2026-12-25", "9 AM", "25:00", ""), ("2026-02-30", "", "", "")], owner
        )
    assert sorted((p.line, p.column) for p in caught.value.problems) == [
        (1, "end_time_local"),
        (2, "date"),
    ]
    assert read_dates(subject, owner).values.tolist() == [list(HOLIDAY)]


def test_nobody_changes_what_is_not_theirs(two: tuple[Actor, Actor]):
    owner, viewer = two
    for actor, store, group, error in (
        (owner, "z", "Theirs", NotFound),
        (owner, "nobody", "No group", NotFound),
        (viewer, "a", "Mine", Forbidden),
    ):
        with pytest.raises(error):
            save_entry(store, {"name": "x"}, actor)
        for subject in (Subject(store=store), Subject(group=group)):
            with pytest.raises(error):
                save_dates(subject, [HOLIDAY], actor)
    for subject in (Subject(store="z"), Subject(group="Theirs")):
        with pytest.raises(NotFound):
            read_dates(subject, owner)
    assert read_entry("z")["name"] == "Zulu"
    assert not len(read_dates(Subject(store="a"), owner))
