"""Files that are kept beside rows, in the data folder or in the database: what tests do to them."""

import os
import shutil
import time

from restmon.core.instants import SECOND
from restmon.storage import database, files, models
from restmon.storage.file_models import StoredFile
from restmon.storage.files import Kind
from tests.support.workspace import Workspace


def keys(kind: Kind) -> list[str]:
    """The keys of the files of a kind."""
    return [file.key for file in files.list_files(kind)]


def exists(kind: Kind, key: str) -> bool:
    """Whether there is a file."""
    return files.find(kind, key) is not None


def put(kind: Kind, key: str, days_old: float, content: bytes = b"some text") -> str:
    """Store a file as if it were so many days old; returns its key."""
    files.save(kind, key, content)
    age(kind, key, days_old)
    return key


def age(kind: Kind, key: str, days: float) -> None:
    """Make a file seem so many days old."""
    seconds = time.time() - days * 86_400
    path = files.path_of(kind, key)
    if path is not None:
        os.utime(path, (seconds, seconds))
        return
    with database.session():
        named = (StoredFile.kind == kind.value) & (StoredFile.key == key)
        assert StoredFile.update(changed_at=round(seconds * SECOND)).where(named).execute()


def rejected_text(import_id: str) -> str:
    """The text of an import's rejected lines of one table."""
    return files.read(Kind.REJECTED, f"{import_id}.csv").decode()


def refuse_to_write(workspace: Workspace, *kinds: Kind) -> str:
    """Make it impossible to store files of the kinds from now on (in their folder, or in the
    database); returns what is said of it."""
    if not files.in_database():
        folder = "rejected" if Kind.REJECTED in kinds else "reports"
        (workspace.path / "data" / folder).write_text("a file where the folder should be")
        return "could not be written" if Kind.REJECTED in kinds else "cannot be written"
    names = ", ".join(f"'{kind.value}'" for kind in kinds)
    with database.session():
        models.database.execute_sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no files here' USING ERRCODE = '42501'; END $$"
        )
        models.database.execute_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON stored_file FOR EACH ROW"
            f" WHEN (NEW.kind IN ({names})) EXECUTE FUNCTION refuse()"
        )
    return "cannot be used: no files here"


def delete_everything(workspace: Workspace) -> None:
    """Delete all files, and let them be written again."""
    if files.in_database():
        with database.session():
            models.database.execute_sql("DROP TRIGGER IF EXISTS refuse ON stored_file")
            models.database.execute_sql("DROP FUNCTION IF EXISTS refuse")
            StoredFile.delete().execute()
    for name in ("reports", "rejected"):
        path = workspace.path / "data" / name
        path.unlink() if path.is_file() else shutil.rmtree(path, ignore_errors=True)
