"""The files of an import: given by path, found in the import folder, or uploaded.

An upload is copied to the spool folder of the machine that it came to, looked at there, and then
kept (`storage.files`) until a worker, perhaps on another machine, has imported it.
"""

import errno
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Any

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor
from restmon.errors import BadRequest, FileRejected, NoRoom, NotFound, NotWritable, RestmonError
from restmon.ingest import column_choices
from restmon.ingest.choices import NO_CHOICES, Choices
from restmon.ingest.headers import COLUMNS, header_reads
from restmon.ingest.staging import SourceFile
from restmon.ingest.tables import has_parts, needed, tables_in, used
from restmon.settings import get_settings
from restmon.storage import files as stored_files
from restmon.storage.files import Kind
from restmon.storage.models import new_id

ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".zip", ".xlsx", ".xlsm")
"""The endings of the names of files that are imported from a folder."""
UPLOAD_SUFFIX = ".upload"
MOST_NOTICES = 20
LONGEST_NAME = 100
"""How many characters of the end of an uploaded file's name are stored."""


def source_file(kind: str, path: str | Path, choices: Choices = NO_CHOICES) -> SourceFile:
    """A file of the given kind. Raises BadRequest for an unknown kind."""
    if kind not in COLUMNS:
        raise BadRequest(f"{kind!r} is no kind of file.", f"Use {', '.join(COLUMNS)}.")
    return SourceFile(kind, Path(path), Path(path).name, choices=choices)


def tables_of(
    path: Path,
    name: str,
    kind: str | None = None,
    choices: Choices = NO_CHOICES,
    actor: Actor = THIS_MACHINE,
) -> list[SourceFile]:
    """The tables of a file that an import can take.

    In a ZIP or a workbook these are all tables with a known header, whatever ``kind`` says. Any
    other file is one table, which must be of the kind (None: of any). Chooses columns again that
    were chosen for a file with the same header. Raises :class:`~restmon.errors.FileRejected` if
    there is no table.
    """
    before = partial(column_choices.remembered, actor)
    kinds = [kind] if kind and not has_parts(path, name) else list(COLUMNS)
    tables = tables_in(path, name, choices.columns, before, kinds, get_settings().max_file_mb)
    unused = set(choices.columns) - used(choices.columns, tables)
    if kind is None and unused and len(tables) == 1 and tables[0].kind is None and tables[0].header:
        column = choices.columns[min(unused)]
        raise FileRejected(
            f"{name} has no column {column[:64]!r}; {header_reads(tables[0].header)}.",
            "Choose one of its columns.",
        )
    good = needed(tables, name)
    left_out = tuple(
        f"{table.name} is left out: {table.problem.message}" for table in tables if table.problem
    )
    return [
        SourceFile(
            table.kind or "",
            path,
            audit.printable(table.name),
            table.path,
            replace(choices, columns=dict(table.chosen)),
            left_out[:MOST_NOTICES] if number == 0 else (),
        )
        for number, table in enumerate(good)
    ]


def spool_file(stream: IO[bytes], name: str) -> tuple[Path, str]:
    """Copy an upload to the spool folder of this machine. Returns its path and its name for people.
    If there is no room, raises RestmonError and leaves nothing."""
    folder = get_settings().spool_dir
    path = folder / f"{new_id()}{UPLOAD_SUFFIX}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            shutil.copyfileobj(stream, out, 1024 * 1024)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise explain_spool_error(error) from error
    except Exception:  # a form that is cut off
        path.unlink(missing_ok=True)
        raise
    return path, audit.printable(Path(name).name[-LONGEST_NAME:])


def spool(
    stream: IO[bytes],
    kind: str | None,
    name: str,
    choices: Choices = NO_CHOICES,
    actor: Actor = THIS_MACHINE,
) -> list[SourceFile]:
    """Keep an upload, which a worker will read. Returns its tables.

    Raises FileRejected if it has no table of the kind, and RestmonError if there is no room. Then
    it leaves nothing.
    """
    path, kept_name = spool_file(stream, name)
    try:
        found = tables_of(path, kept_name or f"{kind or 'file'}.csv", kind, choices, actor)
        return keep(found)
    except Exception:
        path.unlink(missing_ok=True)
        raise


def keep(files: Sequence[SourceFile]) -> list[SourceFile]:
    """Keep spooled files until they are imported. Returns them with their keys. Raises
    RestmonError; then it keeps none."""
    kept: list[SourceFile] = []
    try:
        for file in files:
            if file.path.name not in {other.upload for other in kept}:
                stored_files.take(Kind.UPLOAD, file.path.name, file.path)
            kept.append(replace(file, upload=file.path.name))
    except Exception as error:
        discard(kept)
        if isinstance(error, OSError):
            raise explain_spool_error(error) from error
        raise
    return kept


def share(files: Sequence[SourceFile]) -> list[SourceFile]:
    """Files that a worker of any machine can read: where files are kept in the database, copies of
    those that only this machine has. Raises FileRejected if one is gone, RestmonError."""
    if not stored_files.in_database():
        return list(files)
    keys: dict[Path, str] = {}
    try:
        for file in files:
            if file.upload is None and file.path not in keys:
                key = f"{new_id()}{UPLOAD_SUFFIX}"
                with file.path.open("rb") as content:
                    stored_files.save(Kind.UPLOAD, key, content)
                keys[file.path] = key
    except OSError as error:
        for key in keys.values():
            stored_files.delete(Kind.UPLOAD, key)
        raise FileRejected(
            f"The file {file.path} cannot be read: {error.strerror or error}.",
            "Make it readable, and import it again.",
        ) from error
    return [f if f.upload is not None else replace(f, upload=keys[f.path]) for f in files]


def discard(files: Iterable[SourceFile]) -> None:
    """Delete uploads that no import will read, or read again."""
    for key in {file.upload for file in files if file.upload is not None}:
        stored_files.delete(Kind.UPLOAD, key)


def upload_key(listed: dict[str, Any]) -> str | None:
    """The key of a table's upload, as an import's row lists the table; None for other files. An
    earlier release wrote the path in the spool folder."""
    if "upload" in listed:
        return str(listed["upload"])
    path = Path(listed["path"])
    return path.name if path.suffix == UPLOAD_SUFFIX else None


def fetch(files: Sequence[SourceFile], folder: Path) -> list[SourceFile]:
    """The files with paths on this machine: of an upload that is kept elsewhere, that of a copy in
    the folder. Raises FileRejected if an upload is gone, OSError if there is no room."""
    paths: dict[str, Path] = {}
    for file in files:
        if file.upload is not None and file.upload not in paths:
            try:
                paths[file.upload] = stored_files.copy(Kind.UPLOAD, file.upload, folder)
            except FileNotFoundError:
                raise FileRejected(
                    f"The upload {file.name} is no longer in {stored_files.where(Kind.UPLOAD)}.",
                    "Upload it again.",
                ) from None
    return [f if f.upload is None else replace(f, path=paths[f.upload]) for f in files]


def explain_spool_error(error: OSError) -> RestmonError:
    """The error for an upload that cannot be written to the spool folder."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    return (NoRoom if full else NotWritable)(
        f"The upload cannot be kept in {get_settings().spool_dir}: {error.strerror or error}.",
        "Make room or make the folder writable, then try again.",
    )


def find_files(folder: Path) -> list[SourceFile]:
    """The tables of any kind in the files of a folder: CSV, also gzipped, ZIP, workbooks."""
    try:
        paths = sorted(p for p in folder.iterdir() if p.name.lower().endswith(ENDINGS))
    except OSError as error:
        raise NotFound(
            f"The import folder {folder} cannot be read: {error.strerror or error}.",
            "Set RESTMON_IMPORT_DIR to the folder of the CSV files.",
        ) from None
    files = []
    for path in paths:
        try:
            files += tables_of(path, path.name)
        except FileRejected:
            continue
    if not files:
        raise NotFound(
            f"There is no table that restmon reads in the import folder {folder}.",
            "Put the files there, upload them, or set RESTMON_IMPORT_DIR.",
        )
    return files
