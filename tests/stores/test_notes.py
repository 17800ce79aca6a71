"""Notes on outages: who may write them, which outage they belong to, and what they say of it."""

import csv
import io

import pytest

from restmon.access import api_keys, audit
from restmon.access.roles import Actor, Role
from restmon.api.note_models import NoteList, OutageNote
from restmon.api.outage_models import OutageList
from restmon.core.instants import HOUR, MINUTE
from restmon.errors import BadRequest, Forbidden, NotFound
from restmon.ingest import undo
from restmon.ops import deletion
from restmon.reporting.outage_list import find_outages_in
from restmon.reporting.scopes import find_scope
from restmon.storage import database, models
from restmon.stores import groups, notes
from tests.support.workspace import Workspace
from tests.support.wsgi import ask, get, refused

pytestmark = pytest.mark.both_databases

NINE = 1674637200_000_000  # 2023-01-25 09:00 UTC
HOSTILE = '=HYPERLINK("http://x","y")|<img src=x onerror=alert(1)> **bold** [a](javascript:b)'


def polls(store: str, statuses: str, first: int = 9) -> str:
    words = {"1": "active", "0": "inactive"}
    return "".join(
        f"{store},{words[one]},2023-01-25 {first + n:02}:00:00 UTC\n"
        for n, one in enumerate(statuses)
    )


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    """Stores a and b, each down from 10:30 to 12:30 UTC; a in Mine."""
    workspace.import_now(polls("a", "11001") + polls("b", "11001"))
    groups.create("Mine")
    groups.set_members("Mine", ["a"])
    return workspace


def owner(name: str = "anna@example.com", group: str = "Mine") -> Actor:
    with database.session():
        return Actor(name, Role.OWNER, frozenset({models.Group.named(group).id}))


def of_outages(**scope: str) -> list[tuple[str | None, list[str]]]:
    found = find_outages_in(find_scope(**scope)).outages
    return [
        (cause, [note.text for note in of or ()])
        for cause, of in zip(found.cause, found.notes, strict=True)
    ]


def test_a_note_is_on_the_outage_of_its_instant_and_gives_its_cause(stores: Workspace):
    assert of_outages() == [(None, []), (None, [])]
    notes.add_note("a", NINE + 2 * HOUR, "Power outage", "Dark", owner())
    notes.add_note("a", NINE + 3 * HOUR, None, "Light again", owner())
    notes.add_note("a", NINE + 4 * HOUR, "Tablet off", "Not down then", owner())
    assert of_outages() == [("Power outage", ["Dark", "Light again"]), (None, [])]
    notes.add_note("a", NINE + 2 * HOUR, "Tablet off", "No, the tablet", owner())
    assert of_outages(store_id="a")[0][0] == "Tablet off"


def test_a_cause_that_polls_give_comes_first(stores: Workspace):
    with database.writing():
        down = models.Poll.get(models.Poll.status == 0)
        models.PollReason.create(store=down.store, timestamp=down.timestamp, reason="paused")
    notes.add_note("a", NINE + 2 * HOUR, "Power outage", "")
    assert of_outages(store_id="a") == [("paused", [""])]


def test_a_note_stays_on_its_outage_when_later_polls_move_the_start(stores: Workspace):
    """The first inactive poll is at 11:00. An active one at 10:50 moves the start to 10:55."""
    notes.add_note("a", NINE + 2 * HOUR, None, "Dark")
    stores.import_now("a,active,2023-01-25 10:50:00 UTC\n")
    found = find_outages_in(find_scope(store_id="a")).outages
    assert found.start.tolist() == [NINE + 115 * MINUTE]
    assert of_outages(store_id="a") == [(None, ["Dark"])]
    stores.import_now("a,active,2023-01-25 11:00:00 UTC\na,active,2023-01-25 12:00:00 UTC\n")
    assert of_outages(store_id="a") == []
    assert [note.text for note in notes.list_notes("a")] == ["Dark"]


def test_a_note_on_an_outage_that_goes_on_belongs_to_it_at_any_later_instant(stores: Workspace):
    stores.import_now(polls("c", "100"))
    notes.add_note("c", NINE + 40 * HOUR, None, "Still down")
    assert of_outages(store_id="c") == [(None, ["Still down"])]


def test_who_may_write_change_and_delete(stores: Workspace):
    anna, ben = owner(), owner("ben@example.com")
    mine = notes.add_note("a", NINE, "Other", "Mine", anna)
    with pytest.raises(NotFound, match="There is no store 'b'"):
        notes.add_note("b", NINE, "Other", "", anna)
    viewer = Actor("v", Role.VIEWER)
    for attempt in (
        lambda: notes.add_note("a", NINE, "Other", "", viewer),
        lambda: notes.change_note(mine.id, "Other", "", viewer),
        lambda: notes.change_note(mine.id, "Other", "", ben),
        lambda: notes.delete_note(mine.id, viewer),
        lambda: notes.delete_note(mine.id, ben),
    ):
        with pytest.raises(Forbidden):
            attempt()
    theirs = notes.add_note("b", NINE, "Other", "Theirs")
    for attempt in (
        lambda: notes.delete_note(theirs.id, anna),
        lambda: notes.change_note(theirs.id, "Other", "", anna),
        lambda: notes.list_notes("b", anna),
        lambda: notes.delete_note(10**9),
        lambda: notes.delete_note(mine.id, store_id="b"),
    ):
        with pytest.raises(NotFound):
            attempt()
    changed = notes.change_note(mine.id, None, "Changed", anna)
    assert (changed.cause, changed.text, changed.actor) == (None, "Changed", anna.name)
    assert changed.changed_at is not None
    assert notes.list_notes("a", viewer) == [changed]
    notes.delete_note(mine.id)
    assert notes.list_notes("a") == []
    assert [entry.action for entry in audit.list_recent()[:4]] == [
        audit.NOTE_DELETED,
        audit.NOTE_CHANGED,
        audit.NOTE_WRITTEN,
        audit.NOTE_WRITTEN,
    ]


@pytest.mark.parametrize(
    ("cause", "text", "says"),
    [
        (None, "", "The note is empty"),
        (None, " \x00\u202e\n", "The note is empty"),
        (None, "x" * 501, "has 501 characters"),
        ("Sabotage", "x", "'Sabotage' is not known"),
    ],
)
def test_what_is_no_note_is_refused(stores: Workspace, cause: str | None, text: str, says: str):
    with pytest.raises(BadRequest, match=says):
        notes.add_note("a", NINE, cause, text)
    assert notes.list_notes("a") == []


def test_a_note_is_stored_without_what_nobody_sees(stores: Workspace):
    written = notes.add_note("a", NINE, " ", "  one\x00  two\u202e\r\n\r\n three \ud800 ")
    assert (written.cause, written.text) == (None, "one two\n\nthree")


def test_no_note_is_about_the_future(stores: Workspace):
    with pytest.raises(BadRequest, match="in the future"):
        notes.add_note("a", models.now() + HOUR, "Other", "")


def test_notes_by_the_api(stores: Workspace):
    key = api_keys.make("anna", Role.OWNER, None, ["Mine"])
    viewer = api_keys.make("vic", Role.VIEWER, None, [])
    [outage] = get("/outages", key)["outages"]
    asked = {"at": outage["first_down_poll"], "cause": "Tablet off", "text": HOSTILE}
    done = ask("/stores/a/notes", "POST", key, json=asked)
    assert done.status_code == 200, done.text
    note = done.json()
    assert OutageNote.model_validate(note).content() == note
    assert (note["at"], note["text"]) == (outage["first_down_poll"], HOSTILE)
    found = get("/stores/a/notes", viewer)
    assert NoteList.model_validate(found).content() == found
    assert found["notes"] == [note]
    listed = get("/outages", viewer)
    assert OutageList.model_validate(listed).content() == listed
    assert [(one["cause"], one["notes"]) for one in listed["outages"]] == [
        ("Tablet off", [note]),
        (None, []),
    ]
    assert ask("/stores/a/notes", "POST", viewer, json=asked).status_code == 403
    assert ask("/stores/b/notes", "POST", key, json=asked).status_code == 404
    assert "no store 'b'" in refused("/stores/b/notes", 404, key)
    for wrong in ({"note_id": "x"}, {"note_id": 2**31}, {}):
        assert ask("/stores/a/notes", "DELETE", key, **wrong).status_code == 400
    for wrong in ({**asked, "at": "soon"}, {**asked, "cause": "x"}, {"at": asked["at"]}):
        assert ask("/stores/a/notes", "POST", key, json=wrong).status_code == 400
    gone = ask("/stores/a/notes", "DELETE", key, note_id=note["note_id"])
    assert gone.json() == {"note_id": note["note_id"], "status": "deleted"}
    assert ask("/stores/a/notes", "DELETE", key, note_id=note["note_id"]).status_code == 404


def test_notes_in_a_spreadsheet_are_text(stores: Workspace):
    actor = Actor("=1+1", Role.OPERATOR)
    notes.add_note("a", NINE + 2 * HOUR, "Other", f"{HOSTILE}\n-2", actor)
    text = ask("/outages", format="csv", store_id="a").text
    [row] = csv.DictReader(io.StringIO(text))
    assert row["notes"].startswith("'=1+1, ")
    assert row["notes"].endswith(f"UTC: Other. {HOSTILE} -2")
    done = stores.command("outages", "--store", "a")
    assert list(csv.DictReader(io.StringIO(done.stdout))) == [row]


def test_notes_outlive_an_undo_and_go_with_the_store(stores: Workspace):
    row = stores.import_now("new,active,2023-01-25 18:30:00 UTC\n")
    written = notes.add_note("new", NINE, "Other", "")
    undo.undo(row.id)
    assert notes.list_notes("new") == [written]
    deletion.delete_store("new")
    with database.session():
        assert not models.OutageNote.select().exists()
