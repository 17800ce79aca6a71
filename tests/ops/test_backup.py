"""Backup and restore, through the command line."""

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from restmon.reporting.computation import compute
from restmon.reporting.snapshot import cache
from restmon.storage import database
from restmon.storage.models import Store
from tests.support.workspace import Workspace

POLLS = "x,active,2023-01-23 16:14:00 UTC\nx,inactive,2023-01-23 17:15:00 UTC\n"
MORE = "y,inactive,2023-01-23 17:15:00 UTC\n"


@pytest.fixture
def saved(workspace: Workspace) -> tuple[Path, str]:
    """A backup, and the report of what it holds."""
    workspace.import_now(POLLS, "x,0,09:00:00,12:00:00\n", "x,America/Chicago\n")
    path = workspace.path / "copy.db"
    done = workspace.command("backup", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{path}: {path.stat().st_size:,} bytes, checked\n"
    return path, compute().csv()


def test_what_was_backed_up_comes_back(workspace: Workspace, saved: tuple[Path, str]):
    path, before = saved
    workspace.import_now(MORE)
    cache.clear()
    assert compute().csv() != before
    refused = workspace.restmon("restore", str(path))
    assert refused.returncode == 2
    assert "holds stores, which the backup would replace. Back it up first" in refused.stderr
    assert compute().csv() != before
    done = workspace.restmon("restore", str(path), "--force")
    assert (done.returncode, done.stdout) == (0, f"{path} is restored: 1 stores\n"), done.stderr
    # This process has the later state in memory, and sees that it is gone.
    assert compute().csv() == before
    workspace.import_now(MORE)
    assert len(compute().stores.ids) == 2


def test_an_empty_database_is_filled_without_force(workspace: Workspace, saved: tuple[Path, str]):
    path, before = saved
    env = {"RESTMON_DATABASE_URL": f"sqlite:///{workspace.path / 'other.db'}"}
    assert workspace.restmon("restore", str(path), env=env).returncode == 0
    output = workspace.path / "report.csv"
    assert workspace.restmon("report", "--output", str(output), env=env).returncode == 0
    assert output.read_text() == before


def test_a_backup_in_the_middle_of_a_transaction_has_none_of_it(workspace: Workspace):
    workspace.import_now(POLLS)
    path = workspace.path / "copy.db"
    held, ended = threading.Event(), threading.Event()

    def write() -> None:
        with database.writing():
            Store.create(store_id="half done")
            held.set()
            ended.wait(60)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert held.wait(60)
        assert workspace.restmon("backup", str(path)).returncode == 0
    finally:
        ended.set()
        writer.join()
    with closing(sqlite3.connect(path)) as copy:
        assert copy.execute("SELECT store_id FROM store").fetchall() == [("x",)]
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_that_is_there_is_kept(workspace: Workspace, saved: tuple[Path, str]):
    path, _ = saved
    path.write_text("precious")
    done = workspace.command("backup", str(path))
    assert (done.returncode, path.read_text()) == (2, "precious")
    assert f"The file {path} is there already. Name another, or add --force." in done.stderr
    assert workspace.command("backup", str(path), "--force").returncode == 0
    assert path.read_bytes().startswith(b"SQLite format 3")
    assert not list(workspace.path.glob("*.part*"))


def test_a_folder_that_is_not_there(workspace: Workspace):
    done = workspace.command("backup", str(workspace.path / "nowhere" / "copy.db"))
    assert done.returncode == 2
    assert "The backup cannot be written to" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_the_database_itself_is_no_backup(
    workspace: Workspace, saved: tuple[Path, str], command: str
):
    _, before = saved
    done = workspace.command(command, str(workspace.path / "restmon.db"), "--force")
    assert done.returncode == 2
    assert "is the database itself. Name another file." in done.stderr
    cache.clear()
    assert compute().csv() == before


@pytest.mark.parametrize("fault", ["missing", "text", "cut", "other", "later"])
def test_what_is_no_backup_is_refused_and_changes_nothing(
    workspace: Workspace, saved: tuple[Path, str], fault: str
):
    path, before = saved
    bad = workspace.path / "bad.db"
    if fault == "text":
        bad.write_text("no database at all, but long enough to be looked at" * 100)
    elif fault == "cut":
        content = path.read_bytes()
        bad.write_bytes(content[: len(content) // 2])
    elif fault == "other":
        with closing(sqlite3.connect(bad)) as other:
            other.execute("CREATE TABLE cats (name)")
    elif fault == "later":
        shutil.copy(path, bad)
        with closing(sqlite3.connect(bad)) as later:
            later.execute("INSERT INTO schema_migration (name, applied) VALUES ('9999_x', '')")
            later.commit()
    done = workspace.command("restore", str(bad), "--force")
    assert done.returncode == 2
    said = {
        "missing": "There is no file",
        "later": "was written by a later restmon (9999_x). Update restmon first.",
    }
    assert said.get(fault, str(bad)) in done.stderr
    assert "Traceback" not in done.stderr
    cache.clear()
    assert compute().csv() == before


@pytest.mark.usefixtures("tester_alive")
def test_a_running_worker_is_not_disturbed(workspace: Workspace, saved: tuple[Path, str]):
    path, _ = saved
    done = workspace.command("restore", str(path), "--force")
    assert done.returncode == 2
    assert "A worker is running" in done.stderr


@pytest.mark.postgres
def test_on_postgresql_its_own_programs_do_it(workspace: Workspace, postgres_url: str):
    for command, program in (("backup", "pg_dump"), ("restore", "pg_restore")):
        done = workspace.command(command, "copy", env={"RESTMON_DATABASE_URL": postgres_url})
        assert done.returncode == 2
        assert program in done.stderr
