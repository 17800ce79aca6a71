"""Files of a data folder that rows name go into the database, where that is PostgreSQL.

Machines once shared one folder. Its files stay as they are, so whoever moved from SQLite can go
back.
"""

import logging
from collections.abc import Iterator

from restmon.ingest import incoming_files
from restmon.logs import event
from restmon.ops import backup_files
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.document_models import Document
from restmon.storage.files import DatabaseFiles, FolderFiles, Kind, in_database
from restmon.storage.models import COMPLETE, RUNNING, Import, Report

log = logging.getLogger("restmon.files")
LENGTH_OF_ID = 32


def take_over() -> int:
    """Copy the files that rows name, and that the database has not, from this machine's data folder
    into the database; returns how many. A file that cannot be read is left out, and the log says
    so. On SQLite: put the files of a backup that was copied into place into the folder."""
    folder, count = FolderFiles(get_settings()), 0
    if not in_database():
        return backup_files.take_out(folder)
    for kind, key in find_missing(folder):
        try:
            copy_in(folder, kind, key)
            count += 1
        except FileNotFoundError:
            continue
        except OSError as error:
            path = folder.path(kind, key)
            log.warning("%s cannot be taken over: %s", path, error.strerror or error)
    if count:
        event(log, "files_taken_over", count=count, folder=str(get_settings().data_dir.resolve()))
    return count


def find_missing(folder: FolderFiles) -> Iterator[tuple[Kind, str]]:
    """The files of a folder that rows name and the open database has not: kind and key."""
    for kind in Kind:
        there = [file.key for file in folder.list(kind)]
        if not there:
            continue
        had = {file.key for file in DatabaseFiles().list(kind)}
        named = _named(kind)
        for key in there:
            known = key if kind == Kind.UPLOAD else key[:LENGTH_OF_ID]
            if known in named and key not in had:
                yield kind, key


def _named(kind: Kind) -> set[str]:
    """The ids of the jobs that have files of a kind; of uploads, the keys."""
    with database.session():
        if kind == Kind.UPLOAD:
            waiting = Import.select(Import.files).where(Import.status == RUNNING)
            keys = {incoming_files.upload_key(listed) for row in waiting for listed in row.files}
            return {key for key in keys if key is not None}
        models = {Kind.DOCUMENT: Document, Kind.REJECTED: Import}
        model = models.get(kind, Report)
        status = RUNNING if kind == Kind.PART else COMPLETE
        query = model.select(model.id).where(model.status == status)
        return {job_id for (job_id,) in database.tuples(query)}


def copy_in(folder: FolderFiles, kind: Kind, key: str) -> None:
    """Copy a file of a folder into the open database. Raises OSError."""
    with folder.open(kind, key) as content:
        DatabaseFiles().save(kind, key, content)
