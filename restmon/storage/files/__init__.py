"""Files that are kept beside rows: waiting uploads, rejected lines, reports and their parts,
documents.

They are in the data folder where the database is an SQLite file (`folder`), and in the database
where that is PostgreSQL (`rows`), so that machines share nothing else. A file is there whole or not
at all. Where its row says that it is there, both are written in one transaction::

    with files.prepare(Kind.REPORT, key, content) as keep, database.updating():
        lease.complete()
        keep()
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from restmon.settings import get_settings
from restmon.storage import database, sqlite
from restmon.storage.files.folder import FolderFiles
from restmon.storage.files.kinds import Content, Files, Kind, Stored
from restmon.storage.files.rows import DatabaseFiles

__all__ = ["DatabaseFiles", "FolderFiles", "Kind", "Stored"]


def _files() -> Files:
    """The files of the database that is open."""
    return FolderFiles(get_settings()) if database.engine() is sqlite else DatabaseFiles()


def in_database() -> bool:
    """Whether files are kept in the database, and not in the data folder."""
    return isinstance(_files(), DatabaseFiles)


def where(kind: Kind) -> str:
    """Where files of the kind are kept, for a sentence: "the reports folder"."""
    return _files().where(kind)


def prepare(kind: Kind, key: str, content: bytes) -> AbstractContextManager[Callable[[], None]]:
    """A block that gets a function, which keeps the file in the transaction it is called in, over
    one of the same name. What takes long is done before. Raises RestmonError."""
    return _files().prepare(kind, key, content)


def save(kind: Kind, key: str, content: Content) -> int:
    """Store a file, over one of the same name, and return its bytes. A stream is never in memory
    as a whole. If it fails, the file is as it was. Raises RestmonError, and what the stream
    does."""
    return _files().save(kind, key, content)


def take(kind: Kind, key: str, path: Path) -> None:
    """Move a file of this machine in, over one of the same name: in the caller's transaction, if
    there is one. Raises OSError, also FileNotFoundError."""
    _files().take(kind, key, path)


def open_file(kind: Kind, key: str) -> IO[bytes]:
    """The stream of a file, of which 1 MiB is in memory at a time. Raises OSError, and
    FileNotFoundError if there is none."""
    return _files().open(kind, key)


def read(kind: Kind, key: str) -> bytes:
    """The bytes of a file. Raises what `open_file` does."""
    with open_file(kind, key) as file:
        return file.read()


def copy(kind: Kind, key: str, folder: Path) -> Path:
    """The path of a file on this machine, to be read alone: a copy in the folder, unless it is on
    this machine already. Raises what `open_file` does."""
    return _files().copy(kind, key, folder)


def path_of(kind: Kind, key: str) -> Path | None:
    """Where a file is in the data folder; None if files are kept in the database."""
    found = _files()
    return found.path(kind, key) if isinstance(found, FolderFiles) else None


def find(kind: Kind, key: str) -> Stored | None:
    """What is known of a file; None if there is none."""
    return _files().find(kind, key)


def list_files(kind: Kind, prefix: str = "") -> Iterator[Stored]:
    """The files of a kind whose keys begin with the prefix, in the order of their keys."""
    return _files().list(kind, prefix)


def delete(kind: Kind, key: str) -> None:
    """Delete a file, if it is there. Raises OSError."""
    _files().delete(kind, key)


def can_delete(kind: Kind) -> bool:
    """Whether files of the kind can be deleted: their folder may be write-protected."""
    return _files().can_delete(kind)


def clean(before: int) -> int:
    """Delete what was begun before an instant and never became a file. Returns how many."""
    return _files().clean(before)
