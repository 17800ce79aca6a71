"""Groups of stores, through their functions and the command line."""

import io

import pytest

from restmon.demo import demo_stores
from restmon.errors import BadRequest, FileRejected, NotFound
from restmon.ingest import groups_csv
from restmon.reporting.snapshot import SnapshotCache, current_revision
from restmon.storage import database
from restmon.storage.models import Store
from restmon.stores import groups
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

ZONES = "".join(f"{name},America/Chicago\n" for name in ("a", "b", "c", "d"))


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    """A workspace with the stores a, b, c and d."""
    workspace.import_now(zones=ZONES)
    return workspace


def sizes() -> dict[str, int]:
    return {group.name: group.stores for group in groups.list_groups()}


def upload(text: str | bytes) -> groups_csv.GroupImport:
    return groups_csv.import_csv(
        io.BytesIO(text.encode() if isinstance(text, str) else text), "g.csv"
    )


def counts(done: groups_csv.GroupImport) -> tuple[int, int, int, int]:
    c = done.counts
    assert c.updated == 0
    return c.read, c.new, c.unchanged, c.rejected


def test_a_group_from_making_to_deleting(stores: Workspace):
    made = groups.create("  Pizza  Palace ")
    assert (made.name, made.stores) == ("Pizza  Palace", 0)
    assert groups.set_members("pizza  PALACE", ["b", "a"]) is True
    assert groups.set_members("Pizza  Palace", ["a", "b"]) is False
    assert groups.add("Pizza  Palace", ["b", "c"]) == 1
    assert groups.remove("Pizza  Palace", ["a", "d"]) == 1
    assert groups.members_of("Pizza  Palace") == ["b", "c"]
    assert groups.rename("Pizza  Palace", "Süd") == "Süd"
    assert groups.groups_of("b") == ["Süd"]
    (listed,) = groups.list_groups()
    assert (listed.id, listed.name, listed.stores) == (made.id, "Süd", 2)
    groups.delete("SÜD")
    assert groups.list_groups() == []
    assert groups.groups_of("b") == []


def test_a_store_in_several_groups(stores: Workspace):
    for name, members in {"beta": ["a", "b"], "Alpha": ["b", "c"], "none": []}.items():
        groups.create(name)
        groups.set_members(name, members)
    assert list(sizes().items()) == [("Alpha", 2), ("beta", 2), ("none", 0)]
    assert groups.members_of(["alpha", "BETA"]) == ["a", "b", "c"]
    assert groups.members_of([]) == []
    assert groups.groups_of("b") == ["Alpha", "beta"]
    assert groups.groups_of("d") == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        (" \t ", "empty"),
        ("x" * 65, "at most 64"),
        ("a\nb", "control"),
        ("a\x00b", "control"),
        ("a\u202eb", "invisible"),
        ("a\u200bb", "invisible"),
        ("\ud800", "control"),
    ],
    ids=range(8),
)
def test_names_that_cannot_be(stores: Workspace, name: str, reason: str):
    with pytest.raises(BadRequest, match=reason):
        groups.create(name)
    groups.create("ok")
    with pytest.raises(BadRequest, match=reason):
        groups.rename("ok", name)
    assert sizes() == {"ok": 0}


@pytest.mark.parametrize("other", ["STRASSE", "straße", " Straße "])
def test_a_name_is_taken_whatever_its_case(stores: Workspace, other: str):
    groups.create("Straße")
    groups.create("b")
    with pytest.raises(BadRequest, match="already a group 'Straße'"):
        groups.create(other)
    with pytest.raises(BadRequest, match="already a group 'Straße'"):
        groups.rename("b", other)
    assert groups.rename("straße", "STRASSE") == "STRASSE"
    assert list(sizes()) == ["b", "STRASSE"]


def test_what_is_not_there_changes_nothing(stores: Workspace):
    groups.create("g")
    groups.set_members("g", ["a"])
    before = current_revision()
    for call in (
        lambda: groups.set_members("g", ["b", "zz"]),
        lambda: groups.add("g", ["b", "zz"]),
        lambda: groups.remove("g", ["a", "zz"]),
        lambda: groups.groups_of("zz"),
    ):
        with pytest.raises(NotFound, match="no store 'zz'"):
            call()
    for call in (
        lambda: groups.delete("h"),
        lambda: groups.rename("h", "i"),
        lambda: groups.members_of(["g", "h"]),
        lambda: groups.set_members("h", []),
        lambda: groups.members_of("\ud800"),
    ):
        with pytest.raises(NotFound, match="no group"):
            call()
    with pytest.raises(NotFound, match=r"'n0'.*'n4' and 3 more"):
        groups.add("g", [f"n{i}" for i in range(8)])
    assert groups.members_of("g") == ["a"]
    assert current_revision() == before


def test_a_file_of_memberships(stores: Workspace):
    groups.create("East")
    groups.set_members("East", ["a"])
    done = upload(
        "group_name,store_id,note\n"
        "EAST,a,\nEast,b,\nWest,c,x\nwest ,c,\nWest,zz,\n,a,\nWest,-,\nWest,d\nNowhere,zz,\n"
    )
    assert counts(done) == (9, 2, 2, 5)
    assert [(r.line, r.column, r.value) for r in done.rejections] == [
        (6, "store_id", "zz"),
        (7, "group", ""),
        (8, "store_id", "-"),
        (9, "", "West,d"),
        (10, "store_id", "zz"),
    ]
    assert "no store of this id" in done.rejections[0].reason
    assert sizes() == {"East": 2, "West": 1}


def test_a_file_again_changes_nothing(stores: Workspace):
    text = "store_id,group\na,x\nb,x\nc,y\n"
    assert counts(upload(text)) == (3, 3, 0, 0)
    before = current_revision()
    assert counts(upload(text)) == (3, 0, 3, 0)
    assert current_revision() == before


def test_an_export_can_be_imported(stores: Workspace):
    groups.create('Joe\'s, "The" Place')
    groups.set_members('Joe\'s, "The" Place', ["b", "a"])
    groups.create("1+1=2")
    groups.set_members("1+1=2", ["c"])
    text = groups.export_csv()
    assert text == 'store_id,group\nc,1+1=2\na,"Joe\'s, ""The"" Place"\nb,"Joe\'s, ""The"" Place"\n'
    for group in groups.list_groups():
        groups.delete(group.name)
    assert groups.export_csv() == "store_id,group\n"
    assert counts(upload(text)) == (3, 3, 0, 0)
    assert groups.export_csv() == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("store_id\na\n", "no column group"),
        ("a,b\n", "no column store_id and no column group"),
        (b"\x1f\x8bnothing", "damaged"),
        ("store_id,group\n".encode("utf-16-le"), "not CSV text"),
    ],
    ids=["empty", "a column less", "no column", "bad gzip", "UTF-16"],
)
def test_a_file_that_is_rejected_whole(stores: Workspace, text: str | bytes, says: str):
    with pytest.raises(FileRejected, match=says):
        upload(text)
    assert sizes() == {}


def test_many_rejected_lines_are_counted_and_the_first_kept(stores: Workspace):
    lines = [f"{'zz' if i % 2 else '-'},g" for i in range(3000)]
    done = upload("store_id,group\n" + "\n".join(lines) + "\n")
    assert counts(done) == (3000, 0, 0, 3000)
    assert [r.line for r in done.rejections] == list(range(2, 1002))
    assert sizes() == {}


def test_every_change_makes_a_revision_that_costs_a_snapshot_nothing(stores: Workspace):
    stores.import_now(polls="a,active,2023-01-23 16:14:00 UTC\n")
    cache = SnapshotCache()
    before = cache.get()
    changes = [
        lambda: groups.create("g"),
        lambda: groups.set_members("g", ["a"]),
        lambda: groups.add("g", ["b"]),
        lambda: groups.remove("g", ["b"]),
        lambda: groups.rename("g", "h"),
        lambda: upload("store_id,group\nc,h\n"),
        lambda: groups.delete("h"),
    ]
    for n, change in enumerate(changes, 1):
        change()
        assert current_revision() == before.revision + n
    after = cache.get()
    assert after.revision == current_revision()
    assert after.stores is before.stores
    assert after.polls is before.polls


def test_a_demo_takes_its_memberships_along(workspace: Workspace):
    demo_stores.load_demo()
    with database.session():
        ids = [row.store_id for row in Store.select()]
    groups.create("g")
    groups.set_members("g", ids)
    assert sizes()["g"] == len(ids)
    workspace.import_now(zones=ZONES)
    assert sizes() == {"g": 0}
    assert groups.memberships().empty
    groups.set_members("g", ["a"])
    assert groups.members_of("g") == ["a"]


def test_a_store_that_is_deleted_leaves_its_groups(stores: Workspace):
    groups.create("g")
    groups.set_members("g", ["a", "b"])
    with database.writing():
        Store.delete().where(Store.store_id == "a").execute()
    assert groups.members_of("g") == ["b"]
    assert groups.memberships()["store_id"].tolist() == ["b"]


def test_the_command_line(stores: Workspace):
    path = stores.write("g.csv", "store_id,group\na,East\nb,East\nzz,East\nc,West\n")
    done = stores.command("groups", "import", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "g.csv: 4 lines read, 3 new, 0 unchanged, 1 rejected\n"
    assert "g.csv line 4, column store_id: 'zz': no store of this id" in done.stderr
    listed = stores.command("groups", "list").stdout
    assert listed.splitlines() == ["2 stores  East", "1 store   West"]
    assert stores.command("groups", "export").stdout == "store_id,group\na,East\nb,East\nc,West\n"
    for bad in ("nowhere.csv", stores.write("bad.csv", "store_id\n")):
        done = stores.command("groups", "import", bad)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
    assert "no column group" in done.stderr


def test_the_command_line_without_groups(workspace: Workspace):
    done = workspace.command("groups", "list")
    assert (done.returncode, done.stdout) == (0, "There are no groups.\n")
