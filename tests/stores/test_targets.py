"""Uptime targets, through their functions and the command line."""

import io

import numpy as np
import pytest

from restmon.access import audit
from restmon.access.roles import Actor, Role
from restmon.errors import BadRequest, FileRejected, Forbidden, NotFound
from restmon.ingest.targets_csv import import_targets_csv
from restmon.reporting.snapshot import current_revision
from restmon.storage import database
from restmon.storage.models import Group, Store, Target
from restmon.stores import groups, targets
from restmon.stores.subjects import Subject
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

ZONES = "".join(f"{name},America/Chicago\n" for name in ("a", "b", "c", "d"))
NONE = -1


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    """A workspace with the stores a, b, c and d; a and b in Mine, b and c in Theirs."""
    workspace.import_now(zones=ZONES)
    for name, members in (("Mine", ["a", "b"]), ("Theirs", ["b", "c"])):
        groups.create(name)
        groups.set_members(name, members)
    return workspace


@pytest.fixture
def owner(stores: Workspace) -> Actor:
    """The owner of the stores in Mine."""
    with database.session():
        return Actor("owner", Role.OWNER, frozenset({Group.named("Mine").id}))


def effective(*names: str) -> list[int]:
    """The targets that hold for stores, in the given order."""
    with database.reading():
        rows = dict(database.tuples(Store.select(Store.store_id, Store.id)))
        return targets.read_targets([rows[name] for name in names]).tolist()


def listed(actor: Actor = targets.THIS_MACHINE) -> list[tuple[str | None, str | None, float]]:
    return [(one.store, one.group, one.percent) for one in targets.list_targets(actor)]


def entries() -> list[str]:
    return [e.subject for e in audit.list_recent() if e.action == audit.TARGETS_CHANGED]


def upload(text: str, actor: Actor = targets.THIS_MACHINE) -> tuple[tuple[int, ...], list[str]]:
    done = import_targets_csv(io.BytesIO(text.encode()), "t.csv", actor)
    c = done.counts
    counts = (c.read, c.new, c.updated, c.unchanged, c.rejected)
    return counts, [f"{r.line} {r.column}: {r.reason}" for r in done.rejections]


def test_a_store_comes_before_its_groups_and_they_before_all(stores: Workspace):
    assert effective("d", "a", "c", "b") == [NONE] * 4
    assert targets.set_target(targets.ALL_STORES, 990_000)
    assert effective("d", "b") == [990_000, 990_000]
    assert targets.set_target(Subject(group="mine"), 995_000)
    assert targets.set_target(Subject(group="Theirs"), 980_000)
    # The highest of the groups', also where that of all is higher than it.
    assert effective("d", "a", "c", "b") == [990_000, 995_000, 980_000, 995_000]
    assert targets.set_target(Subject(store="b"), 900_000)
    assert effective("b", "a") == [900_000, 995_000]
    assert listed() == [
        (None, None, 99.0),
        (None, "Mine", 99.5),
        (None, "Theirs", 98.0),
        ("b", None, 90.0),
    ]
    targets.remove_target(Subject(store="b"))
    targets.remove_target(Subject(group="Mine"))
    assert effective("b", "a") == [980_000, 990_000]
    with database.reading():
        ids = dict(database.tuples(Group.select(Group.name, Group.id)))
        found = targets.read_group_targets(ids.values())
        assert targets.read_targets(np.empty(0, np.int64)).tolist() == []
    assert found == {ids["Mine"]: 990_000, ids["Theirs"]: 980_000}


def test_a_change_is_a_revision_and_an_entry(stores: Workspace):
    before = current_revision()
    assert targets.set_target(Subject(store="a"), 999_950)
    assert not targets.set_target(Subject(store="a"), 999_950)
    assert current_revision() == before + 1
    targets.remove_target(Subject(store="a"))
    with pytest.raises(NotFound, match="No target was set for store a"):
        targets.remove_target(Subject(store="a"))
    assert current_revision() == before + 2
    assert entries() == ["store a: removed", "store a: 99.995 %"]


def test_what_is_gone_has_no_target(stores: Workspace):
    targets.set_target(Subject(group="Mine"), 995_000)
    targets.set_target(Subject(store="a"), 999_000)
    groups.delete("Mine")
    with database.writing():
        Store.delete().where(Store.store_id == "a").execute()
    with database.session():
        assert not Target.select().exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("101", "from 1 to 100"),
        ("0", "from 1 to 100"),
        ("0.995", "from 1 to 100"),
        ("-5", "not a number"),
        ("high", "not a number"),
        ("nan", "not a number"),
        ("٩٩", "not a number"),
        ("99.12345", "more than 4 decimals"),
        ("", "empty"),
    ],
)
def test_what_is_no_target(text: str, reason: str):
    with pytest.raises(BadRequest, match=reason):
        targets.parse_target(text)


@pytest.mark.parametrize(
    ("text", "millionths"),
    [
        ("99.5", 995_000),
        (" 100 % ", 1_000_000),
        ("99.9999", 999_999),
        ("1", 10_000),
        ("95%", 950_000),
    ],
)
def test_what_is_a_target(text: str, millionths: int):
    assert targets.parse_target(text) == millionths


def test_an_owner_sets_their_own_and_sees_no_others(owner: Actor):
    targets.set_target(targets.ALL_STORES, 900_000)
    for subject in (Subject(store="c"), Subject(group="Theirs")):
        targets.set_target(subject, 910_000)
        with pytest.raises(NotFound, match="There is no"):
            targets.set_target(subject, 990_000, owner)
        with pytest.raises(NotFound, match="There is no"):
            targets.remove_target(subject, owner)
    for subject in (Subject(store="z"), Subject(group="z"), Subject(store="a\0")):
        with pytest.raises(NotFound, match="There is no"):
            targets.set_target(subject, 990_000)
    assert targets.set_target(Subject(group="Mine"), 990_000, owner)
    assert targets.set_target(Subject(store="b"), 980_000, owner)
    assert listed(owner) == [(None, None, 90.0), (None, "Mine", 99.0), ("b", None, 98.0)]
    viewer = Actor("viewer", Role.VIEWER)
    for act in (targets.set_target, targets.remove_target):
        extra = (990_000,) if act is targets.set_target else ()
        with pytest.raises(Forbidden):
            act(targets.ALL_STORES, *extra, owner)
        with pytest.raises(Forbidden):
            act(Subject(store="a"), *extra, viewer)


def test_a_file_of_targets(owner: Actor):
    text = "Store ID;Group;Target\na;;99.5\n;MINE;98 %\n*;;95\nb;;90\nb;;91\n"
    assert upload(text) == ((5, 4, 0, 1, 0), [])
    assert effective("a", "b", "c", "d") == [995_000, 910_000, 950_000, 950_000]
    assert upload(text) == ((5, 0, 0, 5, 0), [])
    assert upload("group,target\n*,96\nMine,98\n") == ((2, 0, 1, 1, 0), [])
    assert entries() == ["t.csv", "t.csv"]
    counts, told = upload(
        "store_id,group,target\nz,,99\n,zz,99\na,Mine,99\n,,99\na,,101\na,,\n*,,99\nc,,99\na,,97\n",
        owner,
    )
    assert counts == (9, 0, 1, 0, 8)
    assert told == [
        "2 store_id: no store of this id is known yet",
        "3 group: there is no group of this name",
        "4 store_id: the line has a store and a group; fill one of them, or write * for all",
        "5 store_id: the line names no store and no group; fill one of them, or write * for all",
        "6 target: it is not from 1 to 100 per cent, such as 99.5",
        "7 target: it is empty; write per cent, such as 99.5",
        "8 target: the target of all stores takes an operator",
        "9 store_id: no store of this id is known yet",
    ]
    assert effective("a", "c") == [970_000, 960_000]
    with pytest.raises(FileRejected, match="no column target"):
        upload("store_id,percent\na,99\n")
    with pytest.raises(Forbidden):
        upload("store_id,target\na,99\n", Actor("viewer", Role.VIEWER))


def test_the_commands(stores: Workspace):
    def run(*words: object) -> tuple[int, str]:
        done = stores.command("targets", *words)
        return done.returncode, (done.stdout + done.stderr).strip()

    assert run("list") == (0, "There are no targets.")
    assert run("set", "99.5") == (0, "The target of all stores is 99.5 % now.")
    assert run("set", "99", "--group", "mine") == (0, "The target of group mine is 99 % now.")
    file = stores.write("t.csv", "store_id,target\na,98.25\nz,99\n")
    status, said = run("import", file)
    assert status == 0
    assert said.startswith("t.csv: 2 lines read, 1 new, 0 updated, 0 unchanged, 1 rejected")
    assert "line 3, column store_id: 'z': no store of this id is known yet" in said
    assert run("list") == (0, "99.5 %  all stores\n99 %  group Mine\n98.25 %  store a")
    status, text = run("export")
    assert status == 0
    assert [line.split(",")[:4] for line in text.splitlines()] == [
        ["store_id", "group", "target", "stores"],
        ["*", "", "99.50", "4"],
        ["", "Mine", "99.00", text.splitlines()[2].split(",")[3]],
        ["a", "", "98.25", "1"],
    ]
    out = stores.path / "out.csv"
    assert run("export", "--output", out) == (0, f"{out}: 3 targets")
    assert out.read_text().strip() == text
    status, said = run("import", out)
    assert said == "out.csv: 3 lines read, 0 new, 0 updated, 3 unchanged, 0 rejected"
    assert run("remove", "--store", "a") == (0, "The target of store a is removed.")
    for words, sentence in (
        (("set", "101"), "The target '101' cannot be used: it is not from 1 to 100 per cent"),
        (("set", "high"), "not a number of per cent"),
        (("set", "99", "--store", "z"), "There is no store 'z'."),
        (("remove", "--store", "a"), "No target was set for store a."),
        (("set", "99", "--store", "a", "--group", "Mine"), "not both"),
        (("import", stores.path / "gone.csv"), "gone.csv"),
    ):
        status, said = run(*words)
        assert status == 2
        assert sentence in said
        assert "Traceback" not in said
