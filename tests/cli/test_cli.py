"""The command line's contract, through the command line."""

import csv
import gzip
import json
import socket
from pathlib import Path

import pytest

from restmon.ingest import imports
from tests.support.environment import ROOT
from tests.support.workspace import HOURS_HEADER, POLLS_HEADER, ZONES_HEADER, Workspace

pytestmark = pytest.mark.both_databases

REPORT_HEADER = (
    "store_id,uptime_last_hour,uptime_last_day,uptime_last_week,"
    "downtime_last_hour,downtime_last_day,downtime_last_week"
)
# The worked example of SEMANTICS.md: a Monday in Chicago (UTC-6), open 09:00 to 12:00.
EXAMPLE_POLLS = "x,active,2023-01-23 16:14:00 UTC\nx,inactive,2023-01-23 17:15:00 UTC\n"
EXAMPLE_HOURS = "x,0,09:00:00,12:00:00\n"
NOON = "2023-01-23T18:00:00Z"


@pytest.fixture
def example(workspace: Workspace) -> Workspace:
    polls = workspace.write("p.csv", POLLS_HEADER + EXAMPLE_POLLS)
    hours = workspace.write("h.csv", HOURS_HEADER + EXAMPLE_HOURS)
    zones = workspace.write("z.csv", ZONES_HEADER + "x,America/Chicago\ny,US/Central\n")
    done = workspace.command(
        "import", "--polls", polls, "--business-hours", hours, "--timezones", zones
    )
    assert done.returncode == 0, done.stderr
    return workspace


@pytest.mark.parametrize(
    ("method", "up", "down"), [("nearest", "1.74", "1.26"), ("previous", "2.25", "0.75")]
)
def test_the_worked_example(example: Workspace, method: str, up: str, down: str):
    out = example.path / "r.csv"
    done = example.restmon("report", "--as-of", NOON, "--method", method, "--output", out)
    assert done.returncode == 0, done.stderr
    lines = out.read_text().splitlines()
    assert lines[0] == REPORT_HEADER
    # Of the last hour, 11:00 to 12:00, all is down by nearest; by previous 45 minutes are.
    hour = {"nearest": ("0.00", "60.00"), "previous": ("15.00", "45.00")}[method]
    assert lines[1] == f"x,{hour[0]},{up},{up},{hour[1]},{down},{down}"
    assert lines[2] == "y,0.00,0.00,0.00,0.00,0.00,0.00"
    assert len(lines) == 3


def test_as_of_is_the_newest_poll_by_default(example: Workspace):
    out = example.path / "r.csv"
    done = example.restmon("report", "--output", out)
    assert "as of 2023-01-23 17:15:00.000000 UTC" in done.stdout
    assert out.read_text().splitlines()[1].startswith("x,29.50,1.74,2.49,30.50,0.51,0.51")


def test_import_prints_its_counts_as_the_last_line_of_json(workspace: Workspace):
    text = POLLS_HEADER + EXAMPLE_POLLS + "x,broken,2023-01-23 16:14:00 UTC\n"
    polls = workspace.write("p.csv.gz", gzip.compress(text.encode()))
    done = workspace.restmon("import", "--polls", polls, "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout.splitlines()[-1])
    expected = {"read": 3, "new": 2, "updated": 0, "unchanged": 0, "rejected": 1, "removed": 0}
    assert {name: found[name] for name in expected} == expected
    assert found["kinds"]["polls"] == expected
    assert "p.csv.gz line 4, column status: 'broken'" in done.stderr
    done = workspace.command("import", "--polls", polls, "--json")
    assert json.loads(done.stdout)["unchanged"] == 2


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize("kinds", [["polls"], ["hours"], ["polls", "hours", "zones"]])
def test_an_import_whose_every_line_is_rejected_exits_with_2(
    workspace: Workspace, kinds: list[str], form: list[str]
):
    files = {
        "polls": "store_id,status,timestamp_utc\nx,broken,2023-01-23 16:14:00 UTC\n",
        "hours": "store_id,dayOfWeek,start_time_local,end_time_local\nx,9,09:00,10:00\n",
        "zones": "store_id,timezone_str\nx,Mars/Olympus\n",
    }
    paths = [workspace.write(f"{kind}.csv", files[kind]) for kind in kinds]
    done = workspace.command("import", *paths, *form)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Every line was rejected, so nothing was imported." in done.stderr
    for path in paths:
        assert f"{path.name} line 2" in done.stderr
    if form:
        found = json.loads(done.stdout.splitlines()[-1])
        assert found["read"] == found["rejected"] == len(kinds)
    row = imports.get(imports.list_recent()[0].id)
    assert imports.describe(row)["notices"][0] == imports.EVERY_LINE_REJECTED


@pytest.mark.parametrize("more", ["", POLLS_HEADER], ids=["one-good-line", "and-an-empty-file"])
def test_an_import_with_a_good_line_exits_with_0(workspace: Workspace, more: str):
    bad = workspace.write("bad.csv", POLLS_HEADER + "x,broken,2023-01-23 16:14:00 UTC\n")
    good = workspace.write("good.csv", POLLS_HEADER + EXAMPLE_POLLS)
    others = [workspace.write("none.csv", more)] if more else []
    done = workspace.command("import", bad, good, *others)
    assert done.returncode == 0
    assert imports.EVERY_LINE_REJECTED not in done.stderr


def test_an_import_without_any_line_exits_with_0(workspace: Workspace):
    assert workspace.command("import", workspace.write("p.csv", POLLS_HEADER)).returncode == 0


def test_no_progress_bar_in_a_pipe(example: Workspace):
    done = example.restmon("report", "--output", example.path / "r.csv")
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["import"], "at least one of --polls"),
        (["import", "--polls", "nowhere.csv"], "nowhere.csv is not a file"),
        (["import", "--polls", "{bad}"], "no column timestamp_utc"),
        (["report", "--output", "{out}", "--as-of", "soon"], "as_of='soon' is not an instant"),
        (["report", "--output", "{out}", "--method", "guess"], "guess"),
        (["report"], "--output"),
        (["report", "--output", "{out}"], "no polls in the database yet. Import some first."),
        (["demo", "--stores", "0", "--output", "{out}"], "stores"),
        (["demo", "--load", "--clear"], "not both"),
        (["demo", "--load", "--stores", "9", "--seed", "2"], "leave out --stores, --seed,"),
        (["demo", "--clear", "--days", "9"], "leave out --days,"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_bad_usage_and_bad_input_exit_with_2(workspace: Workspace, arguments: list[str], says: str):
    bad = workspace.write("bad.csv", "store_id,status\na,active\n")
    places = {"{bad}": str(bad), "{out}": str(workspace.path / "out.csv")}
    done = workspace.command(*(places.get(a, a) for a in arguments))
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (workspace.path / "out.csv").exists()


def test_report_to_a_place_that_cannot_be_written(example: Workspace):
    blocker = example.write("file", "")
    done = example.restmon("report", "--output", blocker / "r.csv")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_none(workspace: Workspace):
    path = workspace.write("x.db", "this is no database, however long it may be " * 100)
    done = workspace.restmon("status", env={"RESTMON_DATABASE_URL": f"sqlite:///{path}"})
    assert done.returncode == 2
    assert "is not an SQLite database" in done.stderr


def test_a_port_in_use_is_one_sentence(workspace: Workspace):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", workspace.api_port))
        taken.listen()
        for command in ("api", "run"):
            done = workspace.restmon(command)
            assert done.returncode == 2
            assert f"Port {workspace.api_port} on 127.0.0.1" in done.stderr
            assert "RESTMON_API_PORT" in done.stderr


def test_status_tells_what_is_there(example: Workspace):
    done = example.restmon("status", "--json")
    found = json.loads(done.stdout)
    assert found["stores"] == 2
    assert found["newest_poll"] == "2023-01-23 17:15:00.000000 UTC"
    assert found["worker_alive"] is False
    assert "python -m restmon worker" in example.restmon("status").stdout


def test_demo_files_can_be_imported_and_reported(workspace: Workspace):
    folder = workspace.path / "demo"
    done = workspace.restmon("demo", "--stores", "12", "--days", "3", "--output", folder)
    assert done.returncode == 0, done.stderr
    names = {"polls": "polls", "business-hours": "business_hours", "timezones": "timezones"}
    arguments = [x for o, n in names.items() for x in (f"--{o}", folder / f"{n}.csv")]
    done = workspace.restmon("import", *arguments, "--json")
    assert json.loads(done.stdout)["rejected"] == 0
    out = workspace.path / "r.csv"
    assert workspace.restmon("report", "--output", out).returncode == 0
    assert len(out.read_text().splitlines()) == 13


def test_the_demo_is_loaded_once_and_cleared(workspace: Workspace):
    assert "loaded" in workspace.restmon("demo", "--load").stdout
    assert "already" in workspace.command("demo", "--load").stdout
    assert json.loads(workspace.command("status", "--json").stdout)["demo"] is True
    assert "removed" in workspace.command("demo", "--clear").stdout
    found = json.loads(workspace.command("status", "--json").stdout)
    assert (found["stores"], found["demo"], found["newest_poll"]) == (0, False, None)
    assert "no demo" in workspace.command("demo", "--clear").stdout


def test_the_real_files(workspace: Workspace, real_data: Path):
    arguments = [
        "--polls",
        real_data / "store_status.csv.gz",
        "--business-hours",
        real_data / "menu_hours.csv.gz",
        "--timezones",
        real_data / "timezones.csv.gz",
    ]
    done = workspace.restmon("import", *arguments, "--json")
    counts = json.loads(done.stdout.splitlines()[-1])
    assert (counts["read"], counts["rejected"]) == (9999 + 86198 + 13559, 0)
    out = workspace.path / "r.csv"
    done = workspace.restmon("report", "--output", out)
    assert "as of 2023-01-25 18:13:18.647069 UTC" in done.stdout
    named = set()
    for name in ("store_status", "menu_hours", "timezones"):
        with gzip.open(real_data / f"{name}.csv.gz", "rt") as file:
            named |= {row["store_id"] for row in csv.DictReader(file)}
    with out.open(newline="") as file:
        found = [row["store_id"] for row in csv.DictReader(file)]
    assert found == sorted(named)


def test_help_names_every_command(workspace: Workspace):
    done = workspace.restmon("--help")
    for command in ("import", "report", "demo", "worker", "api", "dashboard", "run", "status"):
        assert command in done.stdout
    assert (ROOT / "Procfile").exists()
