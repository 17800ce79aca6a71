"""What a command imports, and the table of the commands."""

import os
import subprocess
import sys
from importlib.metadata import packages_distributions

import click
import pytest

from restmon.cli.main import COMMANDS, main
from tests.support.environment import ROOT
from tests.support.workspace import HOURS_HEADER, POLLS_HEADER, ZONES_HEADER, Workspace

NEVER = {"psycopg", "pydantic", "pandas", "rich", "huey", "bottle", "streamlit", "plotly"}
"""What takes long to import, and neither a report nor an import over SQLite needs."""
USED = {"click", "numpy", "peewee", "pyarrow"}
POLLS = """x,active,2023-01-23 16:14:00 UTC
y,Online,1674490440

,,
z,"down",2023-01-23T16:14:00+02:00
z,active,never
"""
"""Lines of each way of reading: quickly, one by one, blank, and rejected."""
RUN = """
import atexit, runpy, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
runpy.run_module("restmon", run_name="__main__", alter_sys=True)
"""


def imported(workspace: Workspace, *arguments: object) -> set[str]:
    """The libraries that `python -m restmon` imports with these arguments."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **workspace.env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names = {name.split(".")[0] for name in done.stderr.splitlines()[-1].split()}
    return {name for name in names & set(packages_distributions()) if not name.startswith("_")}


@pytest.mark.parametrize("argument", ["--help", "-h", "--version"])
def test_the_help_imports_click_alone(workspace: Workspace, argument: str):
    assert imported(workspace, argument) == {"click"}


def test_a_report_and_an_import_leave_out_what_they_do_not_need(workspace: Workspace):
    polls = workspace.write("p.csv", POLLS_HEADER + POLLS)
    hours = workspace.write("h.csv", HOURS_HEADER + "x,0,09:00:00,12:00:00\ny,0,nine,noon\n")
    zones = workspace.write("z.csv", ZONES_HEADER + "x,America/Chicago\ny,Nowhere\n")
    feeds = ("--polls", polls, "--business-hours", hours, "--timezones", zones)
    for _ in range(2):
        found = imported(workspace, "import", *feeds)
        assert found >= USED
        assert not found & NEVER
    found = imported(workspace, "report", "--output", workspace.path / "r.csv")
    assert found >= USED - {"pyarrow"}
    assert not found & (NEVER | {"pyarrow"})


def test_an_hourly_import_leaves_out_pyarrow(workspace: Workspace):
    polls = workspace.write("p.csv", POLLS_HEADER + "x,active,2023-01-23 16:14:00.5 UTC\n")
    for _ in range(2):
        found = imported(workspace, "import", "--polls", polls)
        assert found >= USED - {"pyarrow"}
        assert not found & (NEVER | {"pyarrow"})


@pytest.mark.parametrize("module", ["api_server", "jobs.worker"])
def test_the_api_and_the_workers_start_without_what_takes_long(module: str):
    script = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) & {"pandas", "streamlit", "plotly", "rich"} == set()


def test_the_table_has_every_command_with_its_own_help():
    assert list(main.commands) == sorted(COMMANDS)
    for name, command in main.commands.items():
        assert command.name == name
        assert COMMANDS[name].short_help == command.get_short_help_str(limit=200), name


def test_the_help_lists_every_command(workspace: Workspace):
    shown = workspace.restmon("--help").stdout
    for name, entry in COMMANDS.items():
        assert f"  {name} " in shown
        assert entry.short_help in " ".join(shown.split())


def test_a_mistyped_command_is_answered_with_a_near_one(workspace: Workspace):
    done = workspace.restmon("reprot")
    assert done.returncode == 2
    assert "'report'" in done.stderr
    assert "Traceback" not in done.stderr


def every_command(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            found += every_command(child, f"{path} {name}")
    return found


@pytest.mark.parametrize(("path", "command"), every_command(main, "restmon"))
def test_every_command_and_option_has_a_help_text(path: str, command: click.Command):
    assert command.help, path
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.opts[0]}"
