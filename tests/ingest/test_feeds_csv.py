"""The exports of the feeds: what is imported again changes nothing, and nobody sees another's."""

import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from restmon.access.roles import Actor, Role
from restmon.errors import BadRequest
from restmon.ingest import imports, incoming_files
from restmon.ingest.feeds_csv import EXPORTS, export_csv
from restmon.ingest.polls_export import export_polls
from restmon.storage import database, models
from restmon.storage.models import COMPLETE
from tests.support.workspace import Workspace

TEXTS = [
    *("Main Street", '"Quoted"', "=1+1", "-5", "'=x", "a, b; c", "Ünïcode 🍜", "O'Brien's", "x\ty"),
    *("+1 555", "@home", "'", '"', '""', "\\;", "0", "closed"),
]
GROUPS = ["Brand", "a;b", "back\\slash", "two\\\\;", 'quote"d', "Çafé", "x;y;z"]


def make_files(folder: Path, seed: int) -> list[Path]:
    """Files of all feeds with values of every kind."""
    rng = random.Random(seed)
    stores = [f"s{n}" for n in range(6)]

    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    def escaped(name: str) -> str:
        return name.replace("\\", "\\\\").replace(";", "\\;")

    def time() -> str:
        return f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.choice(['00', '30', '59.5'])}"

    directory, other, sales, hours = [], [], [], []
    for store in stores:
        lists = ";".join(map(escaped, rng.sample(GROUPS, rng.randrange(4))))
        name, address = (cell(rng.choice([*TEXTS, ""])) for _ in range(2))
        rate = rng.choice(["", "0", "240", "12.125", "0.1"])
        days = [rng.choice(["", "1921-05-01", "2026-11-30"]) for _ in range(2)]
        directory.append(",".join([store, name, address, cell(lists), rate, *days]))
        for day in rng.sample(range(7), 3):
            sales.append(f"{store},{day},{rng.randrange(24)},{rng.choice(['0', '1.1', '99'])}")
            hours.append(f"{store},{day},{time()},{time()}")
    for _ in range(30):
        who = rng.choice([f"{rng.choice(stores)},", f",{cell(rng.choice(GROUPS))}"])
        times = rng.choice([",", f"{time()},{time()}", "00:00,24:00"])
        note = cell(rng.choice([*TEXTS, ""]))
        other.append(f"{who},2026-{rng.randrange(1, 13)}-{rng.randrange(1, 28)},{times},{note}")
    tables = {
        "directory": ("store_id,name,address,groups,sales_per_hour,opened_on,closed_on", directory),
        "other_hours": ("store_id,group,date,start_time_local,end_time_local,note", other),
        "sales": ("store_id,dayOfWeek,hour,sales", sales),
        "business_hours": ("store_id,dayOfWeek,start_time_local,end_time_local", hours),
        "timezones": ("store_id,timezone_str", [f"{store},America/Denver" for store in stores]),
    }
    paths = []
    for kind, (header, lines) in tables.items():
        path = folder / f"{kind}.csv"
        path.write_text("\n".join([header, *lines]) + "\n")
        paths.append(path)
    return paths


def import_all(paths: list[Path]) -> dict[str, int]:
    row = imports.run_now([f for path in paths for f in incoming_files.tables_of(path, path.name)])
    assert row.status == COMPLETE, row.error
    return row.counts


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", range(4))
def test_an_export_imported_again_changes_nothing(workspace: Workspace, seed: int):
    counts = import_all(make_files(workspace.path, seed))
    assert counts["rejected"] == 0
    exports = {kind: export_csv(kind) for kind in EXPORTS}
    assert all(len(text.splitlines()) > 1 for text in exports.values())
    with database.session():
        revisions = models.Revision.select().count()
    again = import_all([workspace.write(f"{kind}-2.csv", text) for kind, text in exports.items()])
    assert again["read"] == again["unchanged"] > 0
    assert again["removed"] == 0
    assert {kind: export_csv(kind) for kind in EXPORTS} == exports
    with database.session():
        assert models.Revision.select().count() == revisions


def test_an_export_has_the_own_stores_and_groups_alone(workspace: Workspace):
    directory = "store_id,name,groups\na,Alpha,Mine;Theirs\nz,Zulu,Theirs\n"
    other = "store_id,group,date,open,close\na,,2026-11-26,,\nz,,2026-11-26,,\n"
    import_all(
        [
            workspace.write("d.csv", directory),
            workspace.write("o.csv", other + ",Mine,2026-12-25,,\n,Theirs,2026-12-25,,\n"),
            workspace.write("s.csv", "store_id,dayOfWeek,hour,sales\na,0,1,2\nz,0,1,2\n"),
        ]
    )
    with database.session():
        owner = Actor("owner", Role.OWNER, frozenset({models.Group.named("Mine").id}))
    assert export_csv("directory", owner).splitlines()[1:] == ["a,Alpha,,Mine,,,"]
    assert export_csv("other_hours", owner).splitlines()[1:] == [
        "a,,2026-11-26,,,",
        ",Mine,2026-12-25,,,",
    ]
    assert export_csv("sales", owner).splitlines()[1:] == ["a,0,1,2"]
    with pytest.raises(BadRequest, match="cannot be exported"):
        export_csv("polls", owner)


def test_the_command_line_exports(workspace: Workspace):
    import_all([workspace.write("d.csv", "store_id,name\na,Alpha\n")])
    done = workspace.restmon("export", "directory")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == "a,Alpha,,,,,"
    out = workspace.path / "out.csv"
    assert workspace.restmon("export", "directory", "--output", str(out)).returncode == 0
    assert out.read_text() == done.stdout
    assert workspace.restmon("export", "polls").returncode == 2


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", range(2))
def test_polls_exported_as_csv_and_imported_again_change_nothing(workspace: Workspace, seed: int):
    import_all(make_files(workspace.path, seed))
    rng = random.Random(seed)
    lines = [
        f"{rng.choice(['a', 'b', 'ü-1'])},{rng.choice(['active', 'inactive'])},"
        f"2026-0{rng.randint(1, 3)}-{rng.randint(10, 28)} 12:00:00.{rng.randint(0, 999_999):06}"
        f" UTC,{reason}"
        for reason in ["", "=1+1", "'quoted' text", "Tablet off", ""] * 20
    ]
    import_all(
        [
            workspace.write(
                "more.csv", "store_id,status,timestamp_utc,reason\n" + "\n".join(lines) + "\n"
            )
        ]
    )
    target = workspace.path / "polls-out.csv"
    number = export_polls(target)
    assert number == len(target.read_text().splitlines()) - 1 > 20
    again = import_all([target])
    assert again["read"] == again["unchanged"] == number

    done = workspace.command(
        "export", "polls", "--output", workspace.path / "p.parquet", "--format", "parquet"
    )
    assert done.returncode == 0, done.stderr
    table = pq.read_table(workspace.path / "p.parquet")
    assert table.num_rows == number
    with database.session():
        query = models.Poll.select(models.Store.store_id, models.Poll.timestamp, models.Poll.status)
        stored = set(database.tuples(query.join(models.Store)))
    columns = table["store_id"], table["timestamp_utc"].cast("int64"), table["status"]
    assert {
        (store, time, int(status == "active"))
        for store, time, status in zip(*(column.to_pylist() for column in columns), strict=True)
    } == stored


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["polls"], "name it with --output"),
        (["timezones", "--format", "parquet"], "Only polls are written as Parquet"),
        (["polls", "--output", "polls.csv"], "There are no polls"),
        (["polls", "--output", "/proc/nowhere/x.csv"], "There are no polls"),
    ],
)
def test_an_export_of_polls_that_cannot_be(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str
):
    monkeypatch.chdir(workspace.path)
    done = workspace.command("export", *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert not (workspace.path / "polls.csv").exists()


def test_a_file_of_polls_that_cannot_be_written(workspace: Workspace):
    workspace.import_now(polls="a,active,2026-01-01 12:00:00 UTC\n")
    done = workspace.command("export", "polls", "--output", "/proc/nowhere/x.csv")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
