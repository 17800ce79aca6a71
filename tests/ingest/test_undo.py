"""Undoing imports: against a model that keeps whole states, and what a user can run into."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from restmon.core.instants import as_text
from restmon.errors import CannotUndo, Forbidden, NotFound
from restmon.ingest import hours_editing, imports, incoming_files, staged_polls, undo
from restmon.ops import housekeeping
from restmon.reporting.snapshot import current_revision
from restmon.storage import database, models
from restmon.storage.models import RUNNING, BusinessHours, Change, Import, Poll, Store
from restmon.stores import groups
from tests.support.environment import ROOT
from tests.support.http import http
from tests.support.pages import page, seen, well
from tests.support.people import actor_of
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

MIDNIGHT = 1_674_432_000_000_000
"""2023-01-23, in microseconds."""
MINUTE, DAY = 60_000_000, 86_400_000_000
STORES = ["a", "b", "c", "d", "e"]
ZONES = ["America/Denver", "America/New_York", "US/Pacific"]

State = dict[tuple[Any, ...], Any]
"""Every row that is stored, by what it is of."""


def read_state() -> State:
    """All that imports write, read row by row."""
    with database.reading():
        names = dict(database.tuples(Store.select(Store.id, Store.store_id)))
        state: State = {}
        for row in Store.select():
            if row.timezone is not None:
                state["zone", row.store_id] = row.timezone
            if row.hours_unreadable:
                state["unreadable", row.store_id] = True
        for line in BusinessHours.select():
            lines = state.setdefault(("hours", names[line.store_id]), set())
            lines.add((line.day_of_week, line.start_time, line.end_time))
        for store, time, status in database.tuples(
            Poll.select(Poll.store, Poll.timestamp, Poll.status)
        ):
            state["poll", names[store], time] = status
        return state


def known_stores() -> set[str]:
    with database.reading():
        return {name for (name,) in database.tuples(Store.select(Store.store_id))}


@dataclass
class Step:
    """A change, and the rows that it changed with what they were before."""

    import_id: str | None
    before: State
    undone: bool = False


@dataclass
class Model:
    """What was done so far, a step a change."""

    workspace: Workspace
    chance: random.Random
    steps: list[Step] = field(default_factory=list)
    instants: list[int] = field(default_factory=list)

    def record(self, act: Callable[[], str | None]) -> None:
        before = read_state()
        import_id = act()
        after = read_state()
        changed = {
            key: before.get(key)
            for key in before.keys() | after.keys()
            if before.get(key) != after.get(key)
        }
        self.steps.append(Step(import_id, changed))

    def import_something(self) -> None:
        given = {
            "polls": self.polls(),
            "hours": self.hours(),
            "zones": self.zones(),
        }
        for name in self.chance.sample(list(given), self.chance.choice([0, 1, 2])):
            given[name] = None
        if any(given.values()):
            self.record(lambda: self.workspace.import_now(**given).id)

    def polls(self) -> str:
        """Polls of an hour or of days; some were there before, of one kind or the other."""
        day = self.chance.randrange(9)
        spread = self.chance.choice([60, 60, 1440, 9 * 1440])
        fresh = [
            MIDNIGHT + day * DAY + self.chance.randrange(spread) * MINUTE
            for _ in range(self.chance.randrange(1, 12))
        ]
        again = self.chance.sample(self.instants, min(len(self.instants), 6))
        self.instants += fresh
        lines = {
            (self.chance.choice(STORES), time)
            for time in [*fresh, *fresh, *(again if self.chance.random() < 0.6 else [])]
        }
        return "".join(
            f"{store},{self.chance.choice(['active', 'inactive'])},{as_text(time)}\n"
            for store, time in self.chance.sample(sorted(lines), len(lines))
        )

    def hours(self) -> str:
        lines = []
        for store in self.chance.sample(STORES, self.chance.randrange(1, 4)):
            if self.chance.random() < 0.2:
                lines.append(f"{store},0,nonsense,12:00\n")
            lines += [
                f"{store},{self.chance.randrange(3)},0{self.chance.randrange(8, 10)}:00,12:00\n"
                for _ in range(self.chance.randrange(1, 3))
            ]
        return "".join(lines)

    def zones(self) -> str:
        return "".join(
            f"{store},{self.chance.choice(ZONES)}\n"
            for store in self.chance.sample(STORES, self.chance.randrange(1, 4))
        )

    def edit_by_hand(self) -> None:
        store = self.chance.choice(STORES)
        if store not in known_stores():
            return
        if self.chance.random() < 0.5:
            zone = self.chance.choice([*ZONES, None])
            self.record(lambda: hours_editing.set_zone(store, zone) and None)
        else:
            rows = [("0", "09:00", self.chance.choice(["12:00", "13:00"]))]
            self.record(lambda: hours_editing.set_hours(store, rows) and None)

    def undo(self, place: int) -> None:
        """Undo a step, which must do what the model says."""
        step = self.steps[place]
        later = [s for s in self.steps[place + 1 :] if not s.undone]
        in_the_way = [s for s in later if s.before.keys() & step.before.keys()]
        before, revision = read_state(), current_revision()
        if step.undone or in_the_way:
            with pytest.raises(CannotUndo) as refused:
                undo.undo(step.import_id)
            assert read_state() == before
            assert current_revision() == revision
            message = str(refused.value)
            if step.undone:
                assert "undone already" in message
            elif not any(s.import_id and s.import_id in message for s in in_the_way):
                assert "edited by hand" in message
                assert not all(s.import_id for s in in_the_way)
            return
        if not step.before:
            with pytest.raises(CannotUndo, match="changed nothing"):
                undo.undo(step.import_id)
            return
        undo.undo(step.import_id)
        step.undone = True
        expected = before | step.before
        assert read_state() == {key: value for key, value in expected.items() if value is not None}
        assert current_revision() > revision
        assert imports.describe(imports.get(step.import_id))["undone_at"]


@pytest.mark.parametrize("chunk", [2_000_000, 4], ids=["whole", "in-chunks"])
@pytest.mark.parametrize("seed", range(6))
def test_random_imports_and_undos_equal_the_model(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, seed: int, chunk: int
):
    monkeypatch.setattr(staged_polls, "CHUNK_LINES", chunk)
    model = Model(workspace, random.Random(seed))
    for _ in range(25):
        action = model.chance.random()
        imported = [n for n, step in enumerate(model.steps) if step.import_id]
        if action < 0.5 or not imported:
            model.import_something()
        elif action < 0.6:
            model.edit_by_hand()
        else:
            model.undo(model.chance.choice(imported[-4:]))
    for place, step in reversed(list(enumerate(model.steps))):
        if step.import_id and not step.undone:
            model.undo(place)
    if all(step.undone or not step.before for step in model.steps):
        assert read_state() == {}
        assert known_stores() == set()


POLLS = "a,active,2023-01-23 16:14:00 UTC\nb,inactive,2023-01-23 17:15:00 UTC\n"


def test_undo_by_the_command_line(workspace: Workspace):
    path = workspace.write("polls.csv", "store_id,status,timestamp_utc\n" + POLLS)
    done = workspace.restmon("import", str(path))
    (told,) = [line for line in done.stderr.splitlines() if "restmon undo" in line]
    import_id = told.split()[-1]
    workspace.import_now("a,inactive,2023-01-23 16:14:00 UTC\n")
    later = imports.list_recent()[0]
    refused = workspace.restmon("undo", import_id)
    assert refused.returncode == 2
    assert later.id in refused.stderr
    assert "the later import of polls.csv" in refused.stderr
    assert "Undo that import first." in refused.stderr
    first = workspace.restmon("undo", later.id)
    assert first.stdout == "The import is undone: 1 poll put back.\n"
    second = workspace.restmon("undo", import_id)
    assert second.stdout == "The import is undone: 2 polls removed, 2 stores removed.\n"
    assert read_state() == {}
    again = workspace.restmon("undo", import_id)
    assert (again.returncode, "was undone already" in again.stderr) == (2, True)
    unknown = workspace.restmon("undo", "nothing")
    assert "There is no import 'nothing'" in unknown.stderr


def test_undo_by_http(service: Workspace):
    row = service.import_now(POLLS, zones="a,America/Denver\n")
    found = http(f"{service.api}/import_data/{row.id}", "DELETE")
    assert found.status == 200, found.text
    assert found.json["undone_at"]
    assert read_state() == {}
    again = http(f"{service.api}/import_data/{row.id}", "DELETE")
    assert (again.status, again.json["error"]["code"]) == (409, "cannot_undo")
    assert http(f"{service.api}/import_data/nothing", "DELETE").status == 404


def test_undo_on_the_page_takes_two_steps(workspace: Workspace):
    row = workspace.import_now(POLLS)
    at = page("upload", **{"import": row.id})
    assert at.button("undo").disabled
    at.checkbox(f"sure_{row.id[:8]}").check().run()
    well(at.button("undo").click().run())
    assert "2 polls removed" in seen(at)
    assert "This import was undone" in seen(at)
    assert read_state() == {}


def test_an_owner_undoes_their_own_imports_alone(people: Workspace):
    def imported(who: str) -> Import:
        path = people.write("p.csv", f"store_id,status,timestamp_utc\n{POLLS}")
        made = imports.request(
            [incoming_files.source_file("polls", path)], "api", actor_of(who), resumable=False
        )
        imports.work(made.id)
        return imports.get(made.id)

    before = read_state()
    mine, theirs = imported("owner"), imported("other")
    with pytest.raises(NotFound):
        undo.undo(theirs.id, actor_of("owner"))
    with pytest.raises(Forbidden):
        undo.undo(mine.id, actor_of("viewer"))
    groups.remove("Mine", ["a"])
    groups.add("Mine", ["idle"])
    with pytest.raises(Forbidden, match="not yours any more"):
        undo.undo(mine.id, actor_of("owner"))
    groups.add("Mine", ["a"])
    # Whoever may not see the later import is not told whose it is.
    people.import_now("a,inactive,2023-01-23 16:14:00 UTC\n")
    with pytest.raises(CannotUndo, match="a later import changed the same rows") as refused:
        undo.undo(mine.id, actor_of("owner"))
    assert imports.list_recent()[0].id not in str(refused.value)
    undo.undo(imports.list_recent()[0].id)
    undo.undo(mine.id, actor_of("owner"))
    undo.undo(theirs.id, actor_of("other"))
    assert read_state() == before


def test_an_import_that_is_old_or_runs_or_changed_nothing(workspace: Workspace):
    first = workspace.import_now(POLLS)
    same = workspace.import_now(POLLS)
    with pytest.raises(CannotUndo, match="changed nothing"):
        undo.undo(same.id)
    Import.update(status=RUNNING).where(Import.id == same.id).execute()
    with pytest.raises(CannotUndo, match="still runs"):
        undo.undo(same.id)
    Change.update(made_at=models.now() - 31 * DAY).execute()
    young = workspace.import_now("c,active,2023-01-23 16:14:00 UTC\n")
    assert housekeeping.clean().undo_records == 1
    with pytest.raises(CannotUndo, match="is kept for 30 days"):
        undo.undo(first.id)
    undo.undo(young.id)
    assert known_stores() == {"a", "b"}


def test_what_was_deleted_meanwhile_stays_deleted(workspace: Workspace):
    workspace.import_now(POLLS)
    row = workspace.import_now("a,inactive,2023-01-23 16:14:00 UTC\nc,active,2023-01-23 16:15:00\n")
    with database.writing():
        database.delete_polls(MIDNIGHT, MIDNIGHT + DAY)
    undo.undo(row.id)
    assert read_state() == {}
    assert known_stores() == {"a", "b"}


def test_a_store_that_something_else_names_stays(workspace: Workspace):
    row = workspace.import_now(POLLS)
    groups.create("Mine")
    groups.add("Mine", ["a"])
    undo.undo(row.id)
    assert known_stores() == {"a"}


KILLED = """
import os
from restmon.ingest import undo
from restmon.storage import database
from restmon.settings import get_settings
database.configure(get_settings())
undo.new_revision = lambda **_: os.kill(os.getpid(), 9)
undo.undo({import_id!r})
"""


def test_a_kill_in_the_middle_of_an_undo_leaves_nothing_half_done(workspace: Workspace):
    row = workspace.import_now(POLLS, "a,0,09:00,12:00\n", "b,America/Denver\n")
    before = read_state()
    done = subprocess.run(
        [sys.executable, "-c", KILLED.format(import_id=row.id)],
        cwd=ROOT,
        env={**os.environ, **workspace.env, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert read_state() == before
    undo.undo(row.id)
    assert read_state() == {}
