"""The files of the data folder in a backup: rows of the copy, as they are on PostgreSQL.

So a backup is one file. A restore puts them into the data folder and deletes the rows. A backup of
an earlier release has none.
"""

import json
import sqlite3
from contextlib import ExitStack, suppress
from typing import IO

from restmon.ingest import incoming_files
from restmon.storage import database, sqlite
from restmon.storage.document_models import Document
from restmon.storage.file_models import StoredFile
from restmon.storage.files import DatabaseFiles, FolderFiles, Kind
from restmon.storage.files.chunks import pack
from restmon.storage.models import COMPLETE, RUNNING, Import, Report, now

OF_ROWS = {
    Kind.REPORT: (Report, COMPLETE),
    Kind.PART: (Report, RUNNING),
    Kind.DOCUMENT: (Document, COMPLETE),
    Kind.REJECTED: (Import, COMPLETE),
}
"""Whose files those of a kind are, and in which state the rows are that have them."""
LENGTH_OF_ID = 32


class Waiting:
    """The uploads that wait, held open: an import may delete them while the database is copied."""

    def __init__(self, folder: FolderFiles) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._held: dict[str, IO[bytes]] = {}

    def __enter__(self) -> "Waiting":
        self.look()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def look(self) -> None:
        """Open those that have come since."""
        for upload in self._folder.list(Kind.UPLOAD):
            if upload.key not in self._held:
                with suppress(FileNotFoundError):
                    opened = self._folder.open(Kind.UPLOAD, upload.key)
                    self._held[upload.key] = self._stack.enter_context(opened)

    def find(self, key: str) -> IO[bytes] | None:
        """The stream of an upload, or None."""
        return self._held.get(key)


def put_in(copy: sqlite3.Connection, folder: FolderFiles, waiting: Waiting) -> int:
    """Put the files that rows of the copy name into it. Returns how many."""
    count = 0
    for kind in OF_ROWS:
        named = _named(copy, kind)
        for file in folder.list(kind):
            if file.key[:LENGTH_OF_ID] in named:
                with suppress(FileNotFoundError), folder.open(kind, file.key) as content:
                    _insert(copy, kind, file.key, content)
                    count += 1
    for key in _named_uploads(copy):
        waited = waiting.find(key)
        if waited is not None:
            waited.seek(0)
            _insert(copy, Kind.UPLOAD, key, waited)
            count += 1
    copy.commit()
    return count


def _named(copy: sqlite3.Connection, kind: Kind) -> set[str]:
    model, status = OF_ROWS[kind]
    query = f'SELECT id FROM "{model._meta.table_name}" WHERE status = ?'  # noqa: S608 - a table's name  # nosec B608
    return {job_id for (job_id,) in copy.execute(query, (status,))}


def _named_uploads(copy: sqlite3.Connection) -> set[str]:
    """The keys of the uploads that imports of the copy wait for."""
    query = 'SELECT files FROM "import" WHERE status = ?'
    found = copy.execute(query, (RUNNING,)).fetchall()
    keys = {incoming_files.upload_key(listed) for (text,) in found for listed in json.loads(text)}
    return {key for key in keys if key is not None}


def _insert(copy: sqlite3.Connection, kind: Kind, key: str, content: IO[bytes]) -> None:
    made = copy.execute(
        "INSERT INTO stored_file (kind, key, packed, changed_at) VALUES (?, ?, 0, ?)",
        (kind.value, key, now()),
    )
    size = packed = 0
    for number, chunk in enumerate(pack(content)):
        copy.execute(
            "INSERT INTO file_chunk (file_id, number, compressed, data) VALUES (?, ?, ?, ?)",
            (made.lastrowid, number, chunk.compressed, chunk.data),
        )
        size, packed = size + chunk.size, packed + len(chunk.data)
    copy.execute(
        "UPDATE stored_file SET size = ?, packed = ? WHERE id = ?", (size, packed, made.lastrowid)
    )


def take_out(folder: FolderFiles) -> int:
    """Put the files of a backup that is the open database now into the data folder; returns how
    many. Raises RestmonError if there is no room; then it can be called again."""
    if database.engine() is not sqlite:
        return 0
    inside, count = DatabaseFiles(), 0
    with database.session():
        if not StoredFile.select(StoredFile.id).limit(1).exists():
            return 0
        for kind in Kind:
            for file in list(inside.list(kind)):
                with inside.open(kind, file.key) as content:
                    folder.save(kind, file.key, content)
                count += 1
        StoredFile.delete().execute()
    return count
