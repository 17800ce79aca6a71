"""Backing up the SQLite database while it is in use, and restoring it.

SQLite's online backup copies one consistent state while others read and write. The files that its
rows name go into the copy (`backup_files`).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from peewee import fn

from restmon.errors import BadRequest, DatabaseDamaged, DatabaseNewer, NotFound, RestmonError
from restmon.files import flush, part_file
from restmon.leasing import heartbeats
from restmon.ops import backup_files
from restmon.settings import Settings, get_settings
from restmon.storage import database, models, sqlite
from restmon.storage.files import FolderFiles
from restmon.storage.models import Revision, Store, now

PAGES_AT_ONCE = 4096
OF_THE_SOURCE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
}
"""Errors of copying that the database causes, not the file it is copied to."""


def backup(target: Path, *, overwrite: bool = False) -> int:
    """Write a copy of the database and of the files beside it to a file, check it and flush it to
    the disk. Returns its bytes.

    Replaces an existing file only with ``overwrite``; a failure leaves it as it was. Raises
    BadRequest, RestmonError, DatabaseUnavailable, and DatabaseDamaged if the database is damaged.
    """
    source = _file(get_settings(), "pg_dump --format=custom --file=FILE DATABASE")
    _check_other(target, source)
    if target.exists() and not overwrite:
        raise BadRequest(f"The file {target} is there already.", "Name another, or add --force.")
    with part_file(target) as part:
        try:
            with _explained(part):
                folder = FolderFiles(get_settings())
                waiting = backup_files.Waiting(folder)
                with _opened(source) as old, _opened(part) as new, waiting:
                    old.backup(new, pages=PAGES_AT_ONCE, progress=lambda *_: waiting.look())
                    new.execute("PRAGMA journal_mode = delete")
                    backup_files.put_in(new, folder, waiting)
                if sqlite.find_damage(part):
                    raise sqlite.find_damage(source) or RestmonError(
                        f"The copy in {part.parent} came out damaged.", "Check that disk."
                    )
                _check(part)
                flush(part)
                part.replace(target)
        finally:
            for suffix in ("-wal", "-shm"):
                part.with_name(part.name + suffix).unlink(missing_ok=True)
    return target.stat().st_size


def restore(source: Path, *, overwrite: bool = False) -> int:
    """Replace the database with a backup, migrate it, and put its files into the data folder.
    Returns the number of stores.

    Replaces a database that has the user's own stores, or that is damaged, only with ``overwrite``,
    and moves a damaged one aside. Raises NotFound, BadRequest, RestmonError, DatabaseUnavailable.
    Then nothing has changed.
    """
    target = _file(get_settings(), "pg_restore --clean --if-exists --dbname=DATABASE FILE")
    if not source.is_file():
        raise NotFound(f"There is no file {source}.", "Name one that backup has written.")
    _check_other(source, target)
    _check(source)
    try:
        database.configure()
        with database.explain_errors():
            before = _replaceable(target, overwrite)
    except (DatabaseDamaged, DatabaseNewer) as error:
        if not overwrite:
            raise BadRequest(error.message, "Add --force to move it aside and restore.") from None
        before = 0
        models.database.close()
        _move_aside(target, "damaged" if isinstance(error, DatabaseDamaged) else "newer")
    models.database.close()
    with database.explain_errors(), _opened(source) as old, _opened(target) as new:
        old.backup(new)
    database.configure()
    if backup_files.take_out(FolderFiles(get_settings())):
        database.vacuum()
    with database.writing():
        # Above every revision that a process may have cached, so that it reads everything anew.
        number = max(before, int(Revision.select(fn.MAX(Revision.number)).scalar() or 0)) + 1
        Revision.create(number=number, stores_changed=True, rebuild=True, force_insert=True)
        return Store.select().count()


def _replaceable(target: Path, overwrite: bool) -> int:
    """The last revision of the database to replace. Raises BadRequest if it must not be
    replaced."""
    if heartbeats.is_worker_alive():
        raise BadRequest(
            "A worker is running, which may write while the backup is restored.",
            "Stop worker, API and dashboard, wait half a minute, then restore.",
        )
    with database.session():
        if Store.select().where(~Store.demo).exists() and not overwrite:
            raise BadRequest(
                f"The database {target} holds stores, which the backup would replace.",
                "Back it up first, then add --force.",
            )
        return int(Revision.select(fn.MAX(Revision.number)).scalar() or 0)


def _move_aside(path: Path, why: str) -> None:
    """Rename a useless database and the files beside it, so that somebody may examine it."""
    for part in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        if part.exists():
            part.replace(part.with_name(f"{part.name}.{why}-{now() // 1_000_000}"))


def _file(settings: Settings, instead: str) -> Path:
    """The file of the database. Raises BadRequest if the database is on PostgreSQL."""
    if not settings.uses_sqlite:
        raise BadRequest(
            "The database is on PostgreSQL, which has its own backup programs.", f"Use {instead}."
        )
    return settings.database_path


def _check_other(path: Path, own: Path) -> None:
    if path.resolve() == own.resolve():
        raise BadRequest(f"{path} is the database itself.", "Name another file.")


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        yield connection


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn errors of writing the copy into one sentence."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if sqlite.error_code(error) in OF_THE_SOURCE:
            raise
        why = error.strerror if isinstance(error, OSError) else error
        raise RestmonError(
            f"The backup cannot be written to {path.parent}: {why}.", "Name a folder with room."
        ) from error


def _check(path: Path) -> None:
    """Raise BadRequest unless the file is a whole restmon database, and not of a later release."""
    known = {migration.stem for migration in database.MIGRATIONS.glob("[0-9]*.py")}
    try:
        with closing(sqlite3.connect(f"file:{path.absolute()}?mode=ro", uri=True)) as found:
            if found.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BadRequest(f"The file {path} is damaged.", "Use another backup.")
            applied = {name for (name,) in found.execute("SELECT name FROM schema_migration")}
            found.execute("SELECT count(*) FROM store").fetchone()
    except sqlite3.Error as error:
        raise BadRequest(
            f"The file {path} is not a whole restmon database: {error}.",
            "Name one that backup has written.",
        ) from None
    if applied - known:
        raise BadRequest(
            f"The file {path} was written by a later restmon ({max(applied - known)}).",
            "Update restmon first.",
        )
