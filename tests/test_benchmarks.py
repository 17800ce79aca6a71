"""The competitors of the benchmark give the product's numbers; the benchmark itself runs."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings

from benchmarks import pandas_report, polars_report, rows
from restmon.demo import generator
from restmon.ingest import imports, incoming_files
from restmon.reporting import computation
from restmon.reporting.snapshot import SnapshotCache
from restmon.settings import get_settings
from tests.support.environment import ROOT
from tests.support.examples import examples
from tests.support.imported import import_stores
from tests.support.stores import AStore, cases
from tests.support.workspace import Workspace

# The clocks change in the last days of the first two, in March and November.
ENDS = {
    "spring": datetime(2026, 3, 10, 6, tzinfo=UTC),
    "autumn": datetime(2026, 11, 2, 9, tzinfo=UTC),
    "summer": datetime(2026, 7, 15, 18, tzinfo=UTC),
}
MORE_POLLS = """\
only-polls,active,2026-06-01 12:00:00.25 UTC
only-polls,inactive,2026-06-01 13:00:00.000001 UTC
never-open,active,2026-06-03 12:00:00 UTC
long-gone,inactive,2026-05-01 17:00:00 UTC
both-days,active,2026-02-01 17:00:00 UTC
"""
MORE_HOURS = """\
only-hours,0,09:00,17:00
never-open,0,02:00,02:30
long-gone,4,11:00:00,24:00
long-gone,5,00:00:00,02:00:00
both-days,6,02:15:00,01:45:00
both-days,0,01:45:00,23:59
"""
MORE_ZONES = """\
only-zone,America/Boise
both-days,America/St_Johns
long-gone,Australia/Lord_Howe
"""


def competitors(workspace: Workspace, folder: Path) -> dict[str, str]:
    """The report of the workspace's database and of the CSV files in the folder."""
    polls, hours, zones = pandas_report.read(folder)
    as_rows = get_settings().database_path.with_name(rows.NAME)
    rows.write_rows(as_rows)
    return {
        "polars": polars_report.from_database(str(as_rows)),
        "pandas": pandas_report.report(polls, hours, zones, polls["timestamp_utc"].max()),
    }


@pytest.mark.parametrize("season", ENDS)
def test_the_competitors_report_what_we_report(workspace: Workspace, season: str):
    folder = workspace.path / "made"
    files = generator.generate(
        folder, generator.DemoPlan(stores=40, days=24, end=ENDS[season], seed=5)
    )
    for path, more in (
        (files.polls, MORE_POLLS),
        (files.business_hours, MORE_HOURS),
        (files.timezones, MORE_ZONES),
    ):
        with path.open("a") as file:
            file.write(more)
    # A store that was last seen long ago, and two weeks without any poll.
    imports.run_now(incoming_files.find_files(folder))
    ours = computation.compute(cache=SnapshotCache()).csv()
    assert len(ours.splitlines()) == 1 + 40 + 6
    for name, text in competitors(workspace, folder).items():
        assert text.splitlines() == ours.splitlines(), name
        assert text == ours, name


@given(case=cases(max_stores=3))
@settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_competitors_report_what_we_report_on_odd_stores(
    workspace: Workspace, case: tuple[list[AStore], int]
):
    stores, _ = case
    assume(any(store.polls for store in stores))
    import_stores(workspace, stores)
    ours = computation.compute(cache=SnapshotCache()).csv()
    for name, text in competitors(workspace, workspace.path).items():
        assert text == ours, name


def test_duckdb_gives_the_report_of_the_demo(workspace: Workspace):
    """Also after a second import of polls that it has already."""
    data, database = workspace.path / "made", str(workspace.path / "peer.duckdb")
    generator.generate(data, generator.DemoPlan(stores=40, days=8, end=ENDS["autumn"]))
    imports.run_now(incoming_files.find_files(data))
    ours = computation.compute(cache=SnapshotCache()).csv()
    for step, file in (("import", ""), ("report", "a.csv"), ("upsert", "polls.csv")):
        run_peer(data, step, database, file)
    assert (data / "a.csv").read_text() == ours
    run_peer(data, "report", database, "b.csv")
    assert (data / "b.csv").read_text() == ours


def run_peer(folder: Path, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "benchmarks.duckdb_peer", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )


@pytest.mark.slow
def test_the_benchmark_runs_and_tells_every_measure(tmp_path: Path):
    output = tmp_path / "result.json"
    arguments = ["--quick", "--repeat", "1", "--folder", tmp_path / "data", "--output", output]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "RESTMON_REAL_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(output.read_text())
    assert len(result["lines"]) == 33
    assert all(line["value"] > 0 for line in result["lines"])
    table = [row for row in done.stdout.splitlines() if row.startswith("|")]
    assert len(table) == 2 + 33
    for line, row in zip(result["lines"], table[2:], strict=True):
        assert row.startswith(f"| {line['measure']} |")
        assert ("yes" in row) == line["reached"]


@pytest.mark.slow
def test_how_long_pages_take_is_measured(tmp_path: Path, chromium: str):
    output = tmp_path / "pages.json"
    pages = ["Help", "Streamlit, one chart"]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.pages", "--repeat", "1", "--stores", "40"),
            *("--output", str(output), "--pages", *pages),
        ],
        cwd=ROOT,
        env=os.environ | {"RESTMON_CHROMIUM": chromium},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = json.loads(output.read_text())["lines"]
    assert [line["page"] for line in lines] == pages
    assert all(0 < line[kind]["median"] < 60 for line in lines for kind in ("cold", "warm"))
    assert "| Help | " in done.stdout
