"""Backup and restore, through the command line."""

import io
import shutil
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from restmon.documents import documents
from restmon.ingest import imports, incoming_files
from restmon.ops import backup_files, taking_over
from restmon.reporting import report_details, reports
from restmon.reporting.computation import compute
from restmon.reporting.snapshot import cache
from restmon.storage import database, files
from restmon.storage.file_models import FileChunk, StoredFile
from restmon.storage.files import Kind
from restmon.storage.models import RUNNING, Store
from tests.support import kept
from tests.support.workspace import POLLS_HEADER, Workspace, open_workspace

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


def put_everything(workspace: Workspace) -> dict[tuple[Kind, str], bytes]:
    """A report with details, a document, rejected lines, a part and a waiting upload."""
    workspace.import_now(POLLS + "x,broken,2023-01-23 17:16:00 UTC\n")
    row = reports.request()
    reports.work(row.id)
    report_details.read(reports.get(row.id))
    documents.work(documents.request(documents.Wanted(period="7d")).id)
    parted = reports.request()
    files.save(Kind.PART, f"{parted.id}/00000-{'0' * 32}.csv", b"x,1\n")
    content = io.BytesIO(POLLS_HEADER.encode() + MORE.encode())
    imports.request(incoming_files.spool(content, "polls", "more.csv"))
    # What no row names stays out of a backup.
    files.save(Kind.REPORT, f"{'0' * 32}.csv", b"of nothing")
    return {
        (kind, file.key): files.read(kind, file.key)
        for kind in Kind
        for file in files.list_files(kind)
        if "0" * 32 not in file.key or kind == Kind.PART
    }


def test_the_files_come_back_too(workspace: Workspace):
    before = put_everything(workspace)
    assert {kind for kind, _ in before} == set(Kind)
    path = workspace.path / "copy.db"
    assert workspace.command("backup", str(path)).returncode == 0
    env = {
        "RESTMON_DATABASE_URL": f"sqlite:///{workspace.path / 'other.db'}",
        "RESTMON_QUEUE_URL": f"sqlite:///{workspace.path / 'other-queue.db'}",
        "RESTMON_DATA_DIR": str(workspace.path / "elsewhere"),
    }
    done = workspace.restmon("restore", str(path), env=env)
    assert done.returncode == 0, done.stderr
    with open_workspace(replace(workspace, env=workspace.env | env)):
        after = {
            (kind, file.key): files.read(kind, file.key)
            for kind in Kind
            for file in files.list_files(kind)
        }
        assert after == before
        with database.session():
            assert not StoredFile.select().exists()
            assert not FileChunk.select().exists()
        # The upload waits there, and is imported.
        (waiting,) = [row for row in imports.list_recent() if row.status == RUNNING]
        assert imports.work(waiting.id)
        assert imports.get(waiting.id).counts["new"] == 1


def test_a_backup_that_is_copied_into_place_is_taken_apart_at_the_next_start(workspace: Workspace):
    before = put_everything(workspace)
    path = workspace.path / "copy.db"
    assert workspace.command("backup", str(path)).returncode == 0
    env = {
        "RESTMON_DATABASE_URL": f"sqlite:///{path}",
        "RESTMON_DATA_DIR": str(workspace.path / "elsewhere"),
    }
    with open_workspace(replace(workspace, env=workspace.env | env)):
        assert kept.keys(Kind.REPORT) == []
        assert taking_over.take_over() == len(before)
        assert taking_over.take_over() == 0
        for (kind, key), content in before.items():
            assert files.read(kind, key) == content


def test_a_backup_of_a_release_without_files_is_restored(workspace: Workspace):
    put_everything(workspace)
    there = kept.keys(Kind.REPORT)
    path = workspace.path / "copy.db"
    assert workspace.command("backup", str(path)).returncode == 0
    with closing(sqlite3.connect(path)) as old:
        old.executescript(
            "DROP TABLE file_chunk; DROP TABLE stored_file;"
            "DELETE FROM schema_migration WHERE name LIKE '0029%'; VACUUM"
        )
    done = workspace.restmon("restore", str(path), "--force")
    assert done.returncode == 0, done.stderr
    assert kept.keys(Kind.REPORT) == there  # the folder is as it was


def test_an_upload_that_is_imported_while_it_is_copied_is_in_the_backup(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    content = io.BytesIO(POLLS_HEADER.encode() + POLLS.encode())
    row = imports.request(incoming_files.spool(content, "polls", "p.csv"))
    real = backup_files.put_in

    def late(*arguments: Any) -> int:
        assert imports.work(row.id)
        assert kept.keys(Kind.UPLOAD) == []
        return real(*arguments)

    monkeypatch.setattr(backup_files, "put_in", late)
    path = workspace.path / "copy.db"
    assert workspace.command("backup", str(path)).returncode == 0
    with closing(sqlite3.connect(path)) as copy:
        assert copy.execute('SELECT status FROM "import"').fetchall() == [("Running",)]
        ((key, size),) = copy.execute("SELECT key, size FROM stored_file").fetchall()
    assert (key.endswith(".upload"), size) == (True, len(content.getvalue()))


@pytest.mark.postgres
def test_on_postgresql_its_own_programs_do_it(workspace: Workspace, postgres_url: str):
    for command, program in (("backup", "pg_dump"), ("restore", "pg_restore")):
        done = workspace.command(command, "copy", env={"RESTMON_DATABASE_URL": postgres_url})
        assert done.returncode == 2
        assert program in done.stderr
