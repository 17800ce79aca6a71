"""Files in rows of the database, which all machines reach."""

import io
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from peewee import PeeweeException

from restmon.errors import RestmonError
from restmon.storage import database, models
from restmon.storage.file_models import FileChunk, StoredFile
from restmon.storage.files.chunks import CHUNK, Chunk, ChunkReader, pack, unpack
from restmon.storage.files.kinds import Content, Kind, Stored


class DatabaseFiles:
    """The files in the tables of the open database."""

    def where(self, kind: Kind) -> str:  # noqa: ARG002 - it is one place for all
        return "the database"

    @contextmanager
    def prepare(self, kind: Kind, key: str, content: bytes) -> Iterator[Callable[[], None]]:
        chunks = list(pack(content))
        yield lambda: _insert(kind, key, chunks)

    def save(self, kind: Kind, key: str, content: Content) -> int:
        if isinstance(content, bytes):
            with self.prepare(kind, key, content) as keep, database.updating():
                keep()
            return len(content)
        with database.session():
            file = _begin(kind, key)
            try:
                return _write(file, pack(content))
            except Exception:
                with suppress(PeeweeException):
                    StoredFile.delete().where(StoredFile.id == file.id).execute()
                raise

    def take(self, kind: Kind, key: str, path: Path) -> None:
        with path.open("rb") as content:
            if models.database.in_transaction():
                _insert(kind, key, pack(content))
            else:
                self.save(kind, key, content)
        path.unlink(missing_ok=True)

    def open(self, kind: Kind, key: str) -> IO[bytes]:
        with database.session():
            file = _newest(kind, key)
        if file is None:
            raise FileNotFoundError(f"{kind} {key}")
        return io.BufferedReader(ChunkReader(_getter(file)), CHUNK)

    def copy(self, kind: Kind, key: str, folder: Path) -> Path:
        path = folder / Path(key).name
        with self.open(kind, key) as content, path.open("wb") as out:
            shutil.copyfileobj(content, out, CHUNK)
        return path

    def find(self, kind: Kind, key: str) -> Stored | None:
        with database.session():
            file = _newest(kind, key)
        return None if file is None else _describe(file)

    def list(self, kind: Kind, prefix: str = "") -> Iterator[Stored]:
        with database.session():
            query = StoredFile.select().where(
                (StoredFile.kind == kind.value) & StoredFile.size.is_null(False)
            )
            if prefix:
                query = query.where(StoredFile.key.startswith(prefix))
            newest = {file.key: file for file in query.order_by(StoredFile.key, StoredFile.id)}
        yield from map(_describe, newest.values())

    def delete(self, kind: Kind, key: str) -> None:
        with database.session():
            _named(kind, key, StoredFile.delete()).execute()

    def can_delete(self, kind: Kind) -> bool:  # noqa: ARG002 - the database's rights are one
        return True

    def clean(self, before: int) -> int:
        unfinished = StoredFile.size.is_null() & (StoredFile.changed_at < before)
        with database.session():
            return int(StoredFile.delete().where(unfinished).execute())


def _named(kind: Kind, key: str, query: Any) -> Any:
    return query.where((StoredFile.kind == kind.value) & (StoredFile.key == key))


def _newest(kind: Kind, key: str) -> StoredFile | None:
    if "\0" in key:  # PostgreSQL accepts it in no text
        return None
    query = _named(kind, key, StoredFile.select()).where(StoredFile.size.is_null(False))
    return query.order_by(StoredFile.id.desc()).first()


def _describe(file: StoredFile) -> Stored:
    return Stored(file.key, file.size or 0, file.packed, file.changed_at, file.id)


def _getter(file: StoredFile) -> Callable[[int], bytes]:
    """What returns a chunk of a file by its number."""
    left = file.size or 0

    def get(number: int) -> bytes:
        nonlocal left
        if left <= 0:
            return b""
        with database.session():
            found = FileChunk.select(FileChunk.compressed, FileChunk.data).where(
                (FileChunk.file == file.id) & (FileChunk.number == number)
            )
            chunk = found.tuples().first()
        if chunk is None:
            raise RestmonError(
                f"The {file.kind} {file.key} was deleted while it was read.", "Try again."
            )
        data = unpack(chunk[1], compressed=chunk[0])
        left -= len(data)
        return data

    return get


def _begin(kind: Kind, key: str) -> StoredFile:
    """Insert a file that is not whole yet, which nobody finds."""
    return StoredFile.create(kind=kind.value, key=key, changed_at=database.clock())


def _insert(kind: Kind, key: str, chunks: Iterable[Chunk]) -> None:
    """Insert a file in the caller's transaction."""
    if not models.database.in_transaction():
        raise RuntimeError("Keep a file in the transaction that completes its row.")
    _write(_begin(kind, key), chunks)


def _write(file: StoredFile, chunks: Iterable[Chunk]) -> int:
    """Insert the chunks of a file, make it whole, and delete what it replaces. Returns its
    bytes."""
    size = packed = 0
    for number, chunk in enumerate(chunks):
        FileChunk.insert(
            file=file.id, number=number, compressed=chunk.compressed, data=chunk.data
        ).execute()
        size, packed = size + chunk.size, packed + len(chunk.data)
    with models.database.atomic():
        values = {"size": size, "packed": packed, "changed_at": database.clock()}
        StoredFile.update(values).where(StoredFile.id == file.id).execute()
        former = (StoredFile.kind == file.kind) & (StoredFile.key == file.key)
        whole = StoredFile.size.is_null(False) & (StoredFile.id < file.id)
        StoredFile.delete().where(former & whole).execute()
    return size
