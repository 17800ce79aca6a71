"""The watched folder: each finished file once, whatever stops a worker, and what goes wrong."""

import fcntl
import os
import random
import signal
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from restmon.access import audit
from restmon.ingest import imports, watched_folder
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import Import, Poll, Store
from tests.support.environment import wait_until
from tests.support.workers import start_changed, start_worker
from tests.support.workspace import HOURS_HEADER, POLLS_HEADER, Workspace
from tests.support.wsgi import get

pytestmark = pytest.mark.both_databases

SETTLED_AT_ONCE = """
from restmon.ingest import watched_folder
watched_folder.SETTLED_SECONDS = watched_folder.UNCLAIMED_SECONDS = {seconds}
"""


@pytest.fixture
def folder(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = workspace.path / "inbox"
    path.mkdir()
    workspace.env["RESTMON_WATCH_DIR"] = str(path)
    monkeypatch.setenv("RESTMON_WATCH_DIR", str(path))
    monkeypatch.setattr(watched_folder, "SETTLED_SECONDS", 0)
    get_settings.cache_clear()
    yield path
    get_settings.cache_clear()


def polls(number: int) -> str:
    return POLLS_HEADER + f"s{number},active,2023-01-23 10:00:{number % 60:02d} UTC\n"


def look_and_work() -> list[str]:
    """What a worker does: look, import, look."""
    ids, _ = watched_folder.look()
    for import_id in ids:
        imports.work(import_id)
    more, _ = watched_folder.look()
    for import_id in more:
        imports.work(import_id)
        watched_folder.look()
    return [*ids, *more]


def there(folder: Path, where: str = "") -> list[str]:
    place = folder / where
    return sorted(p.name for p in place.iterdir() if p.is_file()) if place.exists() else []


def stores() -> set[str]:
    with database.session():
        return {row.store_id for row in Store.select()}


def test_files_that_arrive_together_are_one_import(folder: Path):
    (folder / "polls.csv").write_text(polls(1) + "s2,perhaps,2023-01-23 10:00 UTC\n")
    (folder / "hours.csv").write_text(HOURS_HEADER + "s1,0,09:00,17:00\n")
    (import_id,) = look_and_work()
    row = imports.get(import_id)
    assert [file["name"] for file in row.files] == ["hours.csv", "polls.csv"]
    assert (row.requested_by, row.actor, row.counts["new"]) == ("folder", "the watched folder", 2)
    assert there(folder) == there(folder, "failed") == []
    assert [name.split("-", 3)[3] for name in there(folder, "done")] == [
        "0-hours.csv",
        "1-polls.csv",
        "rejected.csv",
    ]
    rejected = next((folder / "done").glob("*rejected.csv")).read_text()
    assert "perhaps" in rejected
    assert not list((folder / "working").iterdir())
    (entry,) = [e for e in audit.list_recent() if e.action == audit.IMPORTED]
    assert entry.actor == "the watched folder"
    assert look_and_work() == []


def test_the_same_name_again_is_another_file(folder: Path):
    for number in range(3):
        (folder / "polls.csv").write_text(polls(number))
        assert len(look_and_work()) == 1
    assert stores() == {"s0", "s1", "s2"}
    assert len(there(folder, "done")) == 3


def test_half_written_files_wait_and_others_wait_for_them(folder: Path, monkeypatch: Any):
    monkeypatch.setattr(watched_folder, "SETTLED_SECONDS", 10)
    ages = {"hours.csv": 11.0, "polls.csv": 3.0}
    by_number = {}
    for name in ages:
        (folder / name).write_text(
            polls(1) if name == "polls.csv" else HOURS_HEADER + "s1,0,1:00,2:00\n"
        )
        by_number[(folder / name).stat().st_ino] = name
    monkeypatch.setattr(watched_folder, "_age", lambda found: ages[by_number[found.st_ino]])
    assert watched_folder.look() == ([], True)
    assert there(folder) == ["hours.csv", "polls.csv"]
    ages["polls.csv"] = 10.0
    (import_id,) = look_and_work()
    assert len(imports.get(import_id).files) == 2


def test_a_file_that_is_written_for_long_holds_up_others_for_five_minutes(
    folder: Path, monkeypatch: Any
):
    monkeypatch.setattr(watched_folder, "SETTLED_SECONDS", 10)
    (folder / "growing.csv").write_text(polls(1))
    (folder / "whole.csv").write_text(polls(2))
    growing = (folder / "growing.csv").stat().st_ino
    ages = {True: 1.0, False: 299.0}
    monkeypatch.setattr(watched_folder, "_age", lambda found: ages[found.st_ino == growing])
    assert watched_folder.look() == ([], True)
    ages[False] = 301.0
    assert len(look_and_work()) == 1
    assert there(folder) == ["growing.csv"]
    assert stores() == {"s2"}


def test_a_real_file_waits_until_it_does_not_change(folder: Path, monkeypatch: Any):
    monkeypatch.setattr(watched_folder, "SETTLED_SECONDS", 10)
    path = folder / "polls.csv"
    path.write_text(polls(1))
    os.utime(path, (0, 0))  # the name's owner may set that; the time of the change is the system's
    assert watched_folder.look() == ([], True)
    clock = time.time() + 11
    monkeypatch.setattr(watched_folder.time, "time", lambda: clock)
    assert len(look_and_work()) == 1


def test_a_time_from_the_future_is_waited_for_by_the_own_clock(folder: Path, monkeypatch: Any):
    monkeypatch.setattr(watched_folder, "SETTLED_SECONDS", 10)
    path = folder / "polls.csv"
    path.write_text(polls(1))
    later = time.time() + 86_400
    os.utime(path, (later, later))
    assert watched_folder.look() == ([], True)
    clock = time.monotonic() + 11
    monkeypatch.setattr(watched_folder.time, "monotonic", lambda: clock)
    assert len(look_and_work()) == 1


def test_what_cannot_be_imported_goes_to_failed_with_the_reason(folder: Path):
    (folder / "good.csv").write_text(polls(1))
    (folder / "page.csv").write_text("<!doctype html><html></html>")
    (folder / "columns.csv").write_text("shop,when,how\n1,2,3\n")
    (folder / "empty.csv").write_text("")
    assert len(look_and_work()) == 1
    assert stores() == {"s1"}
    failed = {name.split("-", 4)[-1] for name in there(folder, "failed")}
    assert failed == {
        f"{name}{end}" for name in ("page.csv", "columns.csv", "empty.csv") for end in ("", ".txt")
    }
    reasons = [path.read_text() for path in (folder / "failed").glob("*.txt")]
    assert all(reason.strip().endswith(".") for reason in reasons)
    assert any("HTML" in reason for reason in reasons)


def test_what_a_person_must_choose_goes_to_failed_alone(folder: Path):
    """A set that fails as a whole is imported file by file."""
    (folder / "good.csv").write_text(polls(1))
    (folder / "dates.csv").write_text(POLLS_HEADER + "s2,active,11/12/2022 10:00\n")
    look_and_work()
    assert stores() == {"s1"}
    assert [n.split("-", 4)[-1] for n in there(folder, "done")] == ["good.csv"]
    assert [n.split("-", 4)[-1] for n in there(folder, "failed")] == ["dates.csv", "dates.csv.txt"]
    reason = next((folder / "failed").glob("*.txt")).read_text()
    assert "month first or day first" in reason


def test_hostile_names(folder: Path, tmp_path: Path):
    names = [
        b"; rm -rf x.csv",
        b"-rf.csv",
        b"a\nb.csv",
        b"\xff\xfe.csv",
        "Größe 1.csv".encode(),
        b"=cmd.csv",
        b"..csv.csv",
        b"%s%n.csv",
        b"x" * 240 + b".csv",
        b"<script>.csv",
    ]
    for number, name in enumerate(names):
        (folder / os.fsdecode(name)).write_text(polls(number))
    secret = tmp_path / "secret.csv"
    secret.write_text(polls(99))
    (folder / "link.csv").symlink_to(secret)
    os.mkfifo(folder / "pipe.csv")
    (folder / "folder.csv").mkdir()
    for ignored in (".hidden.csv", "polls.csv.part", "notes.txt", "~polls.csv"):
        (folder / ignored).write_text(polls(98))
    (import_id,) = look_and_work()
    assert imports.get(import_id).status == "Complete"
    assert stores() == {f"s{number}" for number in range(len(names)) if names[number][:1] != b"."}
    assert secret.exists()
    assert {"link.csv", "pipe.csv", "folder.csv", "notes.txt"} <= {p.name for p in folder.iterdir()}
    for name in there(folder, "done"):
        assert name.isprintable()
        assert len(name) < 200


def test_a_folder_that_cannot_be_used_is_one_warning_and_seen_in_healthz(
    folder: Path, caplog: pytest.LogCaptureFixture
):
    assert get("/openapi.json")
    folder.rmdir()
    for _ in range(3):
        assert watched_folder.look() == ([], False)
    warnings = [r.message for r in caplog.records if "watched folder" in r.message]
    assert len(warnings) == 1
    assert "does not exist" in warnings[0]
    assert "does not exist" in str(watched_folder.find_problem())
    folder.mkdir()
    assert watched_folder.look() == ([], False)
    assert watched_folder.find_problem() is None


def test_several_workers_import_each_file_once(folder: Path):
    """Looks at the same time, with files that come while they look."""
    count = 30

    def look(seed: int) -> list[str]:
        ids = []
        for _ in range(12):
            found, _ = watched_folder.look()
            ids += found
        return ids

    with ThreadPoolExecutor(5) as pool:
        looks = [pool.submit(look, seed) for seed in range(4)]
        for number in range(count):
            part = folder / f".{number}"
            part.write_text(polls(number))
            part.rename(folder / f"{number}.csv")
        ids = [import_id for one in looks for import_id in one.result()]
    ids += watched_folder.look()[0]
    assert len(ids) == len(set(ids))
    for import_id in ids:
        imports.work(import_id)
    watched_folder.look()
    assert len(there(folder, "done")) == count
    with database.session():
        files = [file["name"] for row in Import.select() for file in row.files]
        assert sorted(files) == sorted(f"{number}.csv" for number in range(count))
        assert Poll.select().count() == count


@pytest.mark.parametrize("step", range(8))
def test_a_worker_that_dies_at_any_step_leaves_nothing_behind(
    folder: Path, monkeypatch: Any, step: int
):
    """Each call that changes something is the last one of a worker; then another takes over."""
    for number in range(2):
        (folder / f"{number}.csv").write_text(polls(number))
    (folder / "bad.csv").write_text("x\n1\n")
    calls = 0

    def dying(original: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == step + 1:
                raise Killed
            return original(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dying(Path.rename))
        patch.setattr(imports, "request", dying(imports.request))
        patch.setattr(Path, "rmdir", dying(Path.rmdir))
        with suppress(Killed):
            look_and_work()
    monkeypatch.setattr(watched_folder, "UNCLAIMED_SECONDS", 0)
    with database.session():
        waiting = [row.id for row in Import.select() if row.status == "Running"]
    for import_id in waiting:
        imports.work(import_id)
    look_and_work()
    look_and_work()
    assert stores() == {"s0", "s1"}
    with database.session():
        files = [file["name"] for row in Import.select() for file in row.files]
    assert sorted(files) == ["0.csv", "1.csv"]
    assert len(there(folder, "done")) == 2
    assert [n.split("-", 4)[-1] for n in there(folder, "failed")] == ["bad.csv", "bad.csv.txt"]
    assert there(folder) == []
    assert not list((folder / "working").iterdir())


class Killed(BaseException):
    """A worker ends here."""


def die_where(monkeypatch: Any, condition: Any) -> None:
    """The worker ends at a move of a file, if a condition (file, target) holds."""
    rename = Path.rename

    def dying(file: Path, target: Path) -> Path:
        if condition(file, target):
            raise Killed
        return rename(file, target)

    monkeypatch.setattr(Path, "rename", dying)


def test_the_reason_is_written_once_however_late_the_next_worker_comes(
    folder: Path, monkeypatch: Any
):
    """The first worker dies between the reason and the move of the file."""
    (folder / "bad.csv").write_text("x\n1\n")
    with monkeypatch.context() as patch, suppress(Killed):
        die_where(patch, lambda _, target: target.parent.name == "failed")
        look_and_work()
    (first,) = there(folder, "failed")
    second = int(time.time())
    wait_until("the clock's next second", lambda: int(time.time()) > second + 1)
    monkeypatch.setattr(watched_folder, "UNCLAIMED_SECONDS", 0)
    look_and_work()
    assert there(folder, "failed") == [first.removesuffix(".txt"), first]


@pytest.mark.parametrize("moved", range(3))
def test_a_set_of_which_some_are_imported_one_by_one_goes_on(
    folder: Path, monkeypatch: Any, moved: int
):
    """What is left of a set is imported too, however many files the worker that died had moved."""
    (folder / "a.csv").write_text(POLLS_HEADER + "s2,active,11/12/2022 10:00\n")
    (folder / "b.csv").write_text(polls(1))
    (folder / "c.csv").write_text(polls(3))
    (import_id,) = watched_folder.look()[0]
    imports.work(import_id)
    with monkeypatch.context() as patch, suppress(Killed):
        die_where(patch, lambda file, _: file.name.startswith(f"{moved}-"))
        watched_folder.look()
    monkeypatch.setattr(watched_folder, "UNCLAIMED_SECONDS", 0)
    with database.session():
        waiting = [row.id for row in Import.select() if row.status == "Running"]
    for other in waiting:
        imports.work(other)
    look_and_work()
    look_and_work()
    assert stores() == {"s1", "s3"}
    failed = [n.split("-", 4)[-1] for n in there(folder, "failed")]
    assert failed == ["a.csv", "a.csv.txt"]
    assert {n.split("-", 4)[-1] for n in there(folder, "done")} == {"b.csv", "c.csv"}
    assert not list((folder / "working").iterdir())


@pytest.mark.parametrize("is_another_there", [False, True])
def test_a_file_that_took_the_place_of_a_finished_one_waits(
    folder: Path, monkeypatch: Any, is_another_there: bool
):
    """Between the look at the folder and the claim, another worker claims the file, and a new one
    of its name is being written."""
    path = folder / "polls.csv"
    path.write_text(polls(1))
    rename = Path.rename

    def replaced_before(file: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        file.unlink()
        file.write_text(POLLS_HEADER + "s2,acti")
        found = rename(file, target)
        if is_another_there:
            file.write_text(polls(3))
        return found

    monkeypatch.setattr(Path, "rename", replaced_before)
    assert watched_folder.look() == ([], False)
    contents = {file.read_text() for file in folder.glob("*polls.csv")}
    expected = {POLLS_HEADER + "s2,acti"} | ({polls(3)} if is_another_there else set())
    assert contents == expected
    assert not list((folder / "working").iterdir())
    assert stores() == set()


@pytest.mark.parametrize("is_imported", [False, True])
def test_one_worker_at_a_time_looks_at_what_is_claimed(
    folder: Path, monkeypatch: Any, is_imported: bool
):
    monkeypatch.setattr(watched_folder, "UNCLAIMED_SECONDS", 0)
    if is_imported:
        (folder / "polls.csv").write_text(polls(1) + "s2,perhaps,2023-01-23 10:00 UTC\n")
        (import_id,) = watched_folder.look()[0]
        imports.work(import_id)
        (work,) = (folder / "working").iterdir()
    else:
        work = folder / "working" / "0123456789abcdef0123456789abcdef"
        work.mkdir(parents=True)
        (work / "0-polls.csv").write_text(polls(1))
    other = os.open(work, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    assert watched_folder.look() == ([], False)
    assert there(folder, "done") == []
    os.close(other)  # as the end of its process does
    ids, _ = watched_folder.look()
    assert ids == ([] if is_imported else [work.name])
    assert len(there(folder, "done")) == (2 if is_imported else 0)


def test_a_real_worker_imports_what_is_there_and_what_comes(workspace: Workspace, folder: Path):
    (folder / "first.csv").write_text(polls(1))
    start_changed(workspace, SETTLED_AT_ONCE.format(seconds=0.1))
    wait_until("the file is done", lambda: len(there(folder, "done")) == 1)
    assert stores() == {"s1"}


@pytest.mark.slow
def test_workers_that_are_killed_import_each_file_once(workspace: Workspace, folder: Path):
    """SIGKILL at random moments while files come in; two workers at a time. Every third file has a
    rejected line, and every fifth is no table."""
    chance = random.Random(7)
    change = SETTLED_AT_ONCE.format(seconds=0.1)
    bad, spoiled = set(), 0
    count = 0
    for _ in range(6):
        workers = [start_worker(workspace, lease=2, change=change) for _ in range(2)]
        for _ in range(5):
            part = folder / f".{count}"
            if count % 5 == 0:
                bad.add(f"{count}.csv")
                part.write_text("x\n1\n")
            elif count % 3 == 0:
                spoiled += 1
                part.write_text(polls(count) + f"broken{count},perhaps,2023-01-23 10:00 UTC\n")
            else:
                part.write_text(polls(count))
            part.rename(folder / f"{count}.csv")
            count += 1
            time.sleep(chance.random() / 5)
        for worker in workers:
            worker.stop(signal.SIGKILL)
    start_worker(workspace, lease=2, change=change)
    work = folder / "working"
    wait_until(
        "all files are put away",
        lambda: not there(folder) and work.is_dir() and not list(work.iterdir()),
        seconds=150,
    )
    good = {f"{number}.csv" for number in range(count)} - bad
    done = [name for name in there(folder, "done") if "-rejected." not in name]
    assert {name.split("-", 4)[-1] for name in done} == good
    assert len(done) == len(good)
    failed = sorted(name.split("-", 4)[-1] for name in there(folder, "failed"))
    assert failed == sorted(f"{name}{end}" for name in bad for end in ("", ".txt"))
    rejected = [path.read_text() for path in (folder / "done").glob("*-rejected.csv")]
    for path in (folder / "done").glob("*-rejected.zip"):
        with zipfile.ZipFile(path) as archive:
            rejected += [archive.read(name).decode() for name in archive.namelist()]
    assert sum(text.count("broken") for text in rejected) == spoiled
    assert not [name for name in there(folder, "done") if name.endswith(".part")]
    with database.session():
        assert Poll.select().count() == len(good)
        files = [file["name"] for row in Import.select() for file in row.files]
        assert sorted(files) == sorted(good)
