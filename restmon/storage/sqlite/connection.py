"""Opening an SQLite file, its errors and damage, transactions, and sizes.

One SQLite library serves every access of a process. Two copies of it (Python's and a driver's own)
would not see each other's locks on the file (sqlite.org/howtocorrupt.html, section 2.2.1).
"""

import os
import sqlite3
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

from peewee import OperationalError, SqliteDatabase

from restmon.errors import DatabaseDamaged, DatabaseUnavailable, DatabaseUnusable
from restmon.settings import Settings
from restmon.storage import compat, models
from restmon.storage.sqlite.compat import KeptConnections

BUSY_SECONDS = 60

PRAGMAS = {
    "journal_mode": "wal",
    # FULL: a committed transaction is on the disk, also after a power cut.
    "synchronous": "full",
    "foreign_keys": 1,
    "cache_size": -16 * 1024,
    "temp_store": "default",
}


def connect(settings: Settings, *, patient: bool = True, serves: bool = False) -> SqliteDatabase:
    """The database of the settings; makes its folder when it is missing."""
    path = settings.database_path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnusable(
            f"The folder {path.parent} of the database cannot be made: {error.strerror}.",
            "Make it writable, or set RESTMON_DATABASE_URL to a file elsewhere.",
        ) from None
    kind = KeptConnections if serves else SqliteDatabase
    return kind(str(path), pragmas=PRAGMAS, timeout=BUSY_SECONDS if patient else 0)


def explain(error: Exception) -> DatabaseUnavailable | None:
    """The error as one sentence for the user; None if the database did not raise it."""
    code = error_code(error)
    path = Path(models.database.database)
    if code == sqlite3.SQLITE_NOTADB:
        return not_a_database(path)
    if code == sqlite3.SQLITE_CORRUPT or compat.is_undecodable(error):
        return damaged(path, str(error))
    if code is None and not isinstance(error, OperationalError | sqlite3.Error):
        return None
    if code in {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISUSE}:
        return None
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return DatabaseUnavailable(
            f"The database {path} cannot be used: another program keeps it locked.",
            "Try again when that program is done.",
        )
    if code == sqlite3.SQLITE_FULL:
        return DatabaseUnavailable(
            f"The database {path} cannot be written: its disk is full.", "Make room, and try again."
        )
    places = [path.parent, *([path] if path.exists() else [])]
    unusable = code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
    if unusable or not all(os.access(place, os.W_OK) for place in places):
        hint = "Make the file and its folder writable, or set RESTMON_DATABASE_URL to another."
        return DatabaseUnusable(f"The database {path} cannot be used: {error}.", hint)
    hint = "Try again; if it persists, check the disk and the file."
    return DatabaseUnavailable(f"The database {path} cannot be used: {error}.", hint)


def error_code(error: BaseException) -> int | None:
    """SQLite's own (primary) code of an error, Peewee's or the driver's; None for others."""
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def not_a_database(path: Path) -> DatabaseDamaged:
    """The error for a file that is no SQLite database."""
    return DatabaseDamaged(
        f"The file {path} is not an SQLite database.",
        "Set RESTMON_DATABASE_URL to another file, or move this one away.",
    )


def damaged(path: Path, why: str) -> DatabaseDamaged:
    """The error for a damaged SQLite database. What SQLite says may quote the damage."""
    readable = "".join(letter if letter.isprintable() else "?" for letter in why)
    return DatabaseDamaged(
        f"The database {path} is damaged: {readable}.",
        "Stop restmon, restore a backup (python -m restmon restore FILE --force), and check "
        "the disk.",
    )


def find_damage(path: Path | None = None) -> DatabaseDamaged | None:
    """Read a whole file, by default the open database's. Returns what is wrong, or None."""
    path = path or Path(models.database.database)
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as found:
            found.text_factory = lambda text: text.decode(errors="replace")
            (first,) = found.execute("PRAGMA integrity_check(1)").fetchone()
            return None if first == "ok" else damaged(path, " ".join(first.split()).strip("* "))
    except UnicodeDecodeError:  # the driver cannot decode what SQLite says, which quotes damage
        return damaged(path, "its tables' definitions cannot be read")
    except sqlite3.Error as error:
        code = error_code(error)
        if code == sqlite3.SQLITE_NOTADB:
            return not_a_database(path)
        return damaged(path, str(error)) if code == sqlite3.SQLITE_CORRUPT else None


def read_transaction() -> AbstractContextManager[Any]:
    """A transaction that sees one state of the data."""
    return models.database.atomic("DEFERRED")


def write_transaction() -> AbstractContextManager[Any]:
    """A transaction that takes the file's write lock at its beginning."""
    return models.database.atomic("IMMEDIATE")


def update_transaction() -> AbstractContextManager[Any]:
    """The same: a file has one write lock."""
    return write_transaction()


def connection_lost(error: BaseException) -> bool:
    """Whether another program locked the file for so long that the work failed."""
    return error_code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def clock() -> int:
    """The machine's: a file is used by one machine alone."""
    return models.now()


def table_size(table: str) -> int:
    """The bytes of the values: SQLite does not tell which pages of the file are a table's."""
    columns = [row[1] for row in models.database.execute_sql(f'PRAGMA table_info("{table}")')]
    lengths = " + ".join(f'coalesce(length(CAST("{name}" AS BLOB)), 0)' for name in columns)
    (size,) = models.database.execute_sql(
        f'SELECT coalesce(sum({lengths}), 0) FROM "{table}"'  # noqa: S608 - names  # nosec B608
    ).fetchone()
    return int(size)


def size() -> int:
    """The file and what has not been moved into it yet."""
    path = Path(models.database.database)
    parts = (path, path.with_name(f"{path.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def vacuum() -> tuple[int, int]:
    """Rewrite the file without the room that deleted rows left; its bytes before and after."""
    path = Path(models.database.database)
    connection = models.database.connection()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.stat().st_size
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, path.stat().st_size


def tidy() -> None:
    """Nothing: the queries need no statistics."""
