"""The watched folder: each finished file is imported once, then moved to ``done`` or ``failed``.

A file is finished when neither its size nor its times have changed for ten seconds. The worker that
moves it into ``working/<import id>`` has claimed it: of several, one succeeds. The import's row has
that id. One worker at a time looks at such a folder. So whatever a killed worker left behind, the
folder and the row say what to do next, and it is done again under the same names::

    no row         request the import (its id is taken once only); move what is no table to failed
    Running        wait
    Complete       move the files to done, beside them the rejected lines
    Failed         import several files one by one; move one to failed, beside it the reason
"""

import fcntl
import logging
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from peewee import IntegrityError

from restmon.access.roles import Actor, Role
from restmon.core.instants import as_datetime
from restmon.errors import FileRejected, RestmonError
from restmon.files import part_file
from restmon.ingest import imports
from restmon.ingest.incoming_files import ENDINGS, tables_of
from restmon.ingest.staging import SourceFile
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import COMPLETE, RUNNING, Import, new_id

SETTLED_SECONDS = 10
TOGETHER_SECONDS = 300
"""Finished files wait so long for others that are still being written."""
UNCLAIMED_SECONDS = 60
"""After this time a folder of files without an import is of a worker that died."""
WORKING, DONE, FAILED_FILES = "working", "done", "failed"
LONGEST_NAME = 100
FOLDER = Actor("the watched folder", Role.OPERATOR)

log = logging.getLogger("restmon.jobs")

Version = tuple[int, int, int]
"""What changes with the content of a file: its number, size and time of change."""


@dataclass(frozen=True)
class _Found:
    """A file to be claimed, its name for people, and the version that is finished."""

    file: Path
    name: str
    version: Version


_warned = ""
_seen: dict[Version, float] = {}
"""Files with times from the future, and when they were first seen (the clock that only goes
forward)."""


def find_problem() -> str | None:
    """Why the watched folder cannot be used, in one sentence; None if it can, or none is set."""
    folder = get_settings().watch_dir
    if folder is None:
        return None
    if not folder.is_dir():
        return f"The watched folder {folder} does not exist."
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return f"The watched folder {folder} cannot be read and written by the worker."
    return None


def look() -> tuple[list[str], bool]:
    """Take in what is finished, and put away what is imported. Any worker may call it at any time.

    Returns the ids of the imports to enqueue, and whether there are files to look at again soon.
    """
    global _warned  # noqa: PLW0603 - one warning for each problem, not one a minute
    folder = get_settings().watch_dir
    problem = find_problem()
    if folder is None or problem:
        if problem and problem != _warned:
            log.warning("%s Nothing is imported from it.", problem)
        _warned = problem or ""
        return [], False
    _warned = ""
    ids = settle()
    finished, unfinished, waits = _candidates(folder)
    if unfinished and waits:
        finished = []
    if finished:
        ids += _claim(folder, finished)
    return ids, unfinished


def _candidates(folder: Path) -> tuple[list[_Found], bool, bool]:
    """The finished files by name; whether others are still being written; and whether the finished
    ones should wait for these."""
    finished: list[_Found] = []
    unfinished = False
    oldest = 0.0
    with os.scandir(folder) as entries:
        for entry in entries:
            # A link could lead to any file of this machine.
            if entry.name.startswith((".", "~")) or not entry.is_file(follow_symlinks=False):
                continue
            if not entry.name.lower().endswith(ENDINGS):
                continue
            with suppress(FileNotFoundError):
                state = entry.stat(follow_symlinks=False)
                age = _age(state)
                if age >= SETTLED_SECONDS:
                    finished.append(_Found(Path(entry.path), entry.name, _version(state)))
                    oldest = max(oldest, age)
                else:
                    unfinished = True
    return sorted(finished, key=lambda one: one.file), unfinished, oldest < TOGETHER_SECONDS


def _age(found: os.stat_result) -> float:
    """For how many seconds a file has not changed, as far as is known."""
    age = time.time() - max(found.st_mtime, found.st_ctime)
    if age >= 0:
        return age
    return time.monotonic() - _seen.setdefault(_version(found), time.monotonic())


def _version(found: os.stat_result) -> Version:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _claim(folder: Path, files: Iterable[_Found]) -> list[str]:
    """Move files into a folder of an import to be, and request it. Returns its id, if it has any
    file."""
    work = folder / WORKING / new_id()
    work.mkdir(parents=True)
    with _alone(work):
        for number, found in enumerate(files):
            target = work / _safe_name(found.name, number)
            with suppress(FileNotFoundError):  # another worker was faster
                found.file.rename(target)
                if _version(target.stat()) != found.version:
                    _give_back(target, found.file)
        return _request(work)


def _give_back(file: Path, to: Path) -> None:
    """Put back what took the place of a finished file before that was claimed: it may still be
    written to. It replaces no file that has come meanwhile."""
    try:
        to.hardlink_to(file)
        file.unlink()
    except OSError:
        file.rename(to.with_name(f"{new_id()[:8]}-{file.name}"))


@contextmanager
def _alone(work: Path) -> Iterator[bool]:
    """Whether this worker alone looks at a folder of claimed files now. A worker that is killed
    does not do so any more. Raises FileNotFoundError."""
    folder = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        except OSError:  # a network's file system: the names of all that is written are the same
            log.debug("The file system of %s has no locks.", work)
        yield True
    finally:
        os.close(folder)


def _safe_name(name: str, number: int) -> str:
    """A file's name, with letters, digits and ``. - _`` alone; its number keeps names apart."""
    safe = re.sub(r"[^\w.-]+", "_", name)[-LONGEST_NAME:]
    return f"{number}-{safe}"


def _shown(file: Path) -> str:
    return file.name.partition("-")[2]


def _request(work: Path) -> list[str]:
    """Request the import of the files in a folder, and move away those that are no table."""
    tables: list[SourceFile] = []
    for file in _files_in(work):
        try:
            tables += tables_of(file, _shown(file), actor=FOLDER)
        except RestmonError as error:
            _put_away(file, FAILED_FILES, _stamp_of_claim(file), str(error))
        except FileNotFoundError:  # another worker was faster
            continue
    ids = []
    if tables:
        with suppress(IntegrityError):  # another worker was faster
            ids = [imports.request(tables, "folder", FOLDER, import_id=work.name).id]
    _remove(work)
    return ids


def settle() -> list[str]:
    """Do the next thing with each folder of claimed files. Returns ids of imports to enqueue."""
    folder = get_settings().watch_dir
    ids: list[str] = []
    if folder is None or not (folder / WORKING).is_dir():
        return ids
    for work in sorted((folder / WORKING).iterdir()):
        with suppress(FileNotFoundError):  # another worker was faster
            ids += _settle(work)
    return ids


def _settle(work: Path) -> list[str]:
    if (row := _find_row(work)) is not None and row.status == RUNNING:
        return []
    with _alone(work) as alone:
        if not alone:
            return []
        row = _find_row(work)  # as the last worker that was here left it
        if row is not None:
            return [] if row.status == RUNNING else _settle_import(work, row)
        left = time.time() - work.stat().st_mtime >= UNCLAIMED_SECONDS
        return _request(work) if left else []


def _find_row(work: Path) -> Import | None:
    with database.session():
        row: Import | None = Import.find(work.name)
        return row


def _settle_import(work: Path, row: Import) -> list[str]:
    """Put away the files of an import that ended, or import those of a set one by one."""
    files = list(_files_in(work))
    # A file that was claimed alone has the number 0. One that is left of a set is imported, too.
    is_set = bool(files) and _number(files[-1]) > 0
    if row.status != COMPLETE and is_set and row.error_code == FileRejected.code:
        found = [_Found(file, _shown(file), _version(file.stat())) for file in files]
        return [import_id for one in found for import_id in _claim(work.parent.parent, [one])]
    stamp = f"{_stamp(row.finished_at or row.requested_at)}-{row.id[:8]}"
    if row.status == COMPLETE:
        rejected = imports.find_rejected(row.id)
        if rejected is not None:
            target = work.parent.parent / DONE / f"{stamp}-rejected{rejected.suffix}"
            with imports.open_rejected(rejected) as lines:
                _write(lines, target)
    for file in files:
        if row.status == COMPLETE:
            _put_away(file, DONE, stamp)
        else:
            _put_away(file, FAILED_FILES, stamp, str(row.error))
    _remove(work)
    return []


def _files_in(work: Path) -> Iterator[Path]:
    yield from sorted(work.iterdir(), key=_number)


def _number(file: Path) -> int:
    return int(file.name.partition("-")[0] or 0)


def _put_away(file: Path, where: str, stamp: str, reason: str = "") -> None:
    """Move a claimed file to ``done`` or ``failed``; beside it goes the reason."""
    target = file.parent.parent.parent / where
    target.mkdir(exist_ok=True)
    name = f"{stamp}-{file.name}"
    with suppress(FileNotFoundError):
        if reason:
            (target / f"{name}.txt").write_text(f"{reason}\n", encoding="utf-8")
            log.warning("From the watched folder, %s failed: %s", _shown(file), reason)
        file.rename(target / name)


def _write(lines: IO[bytes], target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    for left in target.parent.glob(f"{target.name}.*.part"):  # by a worker that was killed
        left.unlink(missing_ok=True)
    with part_file(target) as part:
        with part.open("wb") as out:
            shutil.copyfileobj(lines, out)
        part.replace(target)


def _stamp(instant: int) -> str:
    """An instant, as it stands in the names of files."""
    return f"{as_datetime(instant):%Y%m%d-%H%M%S}"


def _stamp_of_claim(file: Path) -> str:
    """When a file was claimed, and by which import to be: the same for every worker that puts it
    away."""
    # A move changes st_ctime, and nothing does after it.
    return f"{_stamp(file.stat().st_ctime_ns // 1000)}-{file.parent.name[:8]}"


def _remove(work: Path) -> None:
    """Remove a folder unless there are files in it."""
    with suppress(OSError):
        work.rmdir()
