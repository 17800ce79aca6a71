"""The files of an import: given by path, found in the import folder, or uploaded to the spool
folder."""

import errno
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor
from restmon.errors import BadRequest, FileRejected, NoRoom, NotFound, NotWritable, RestmonError
from restmon.ingest import column_choices
from restmon.ingest.choices import NO_CHOICES, Choices
from restmon.ingest.headers import COLUMNS, header_reads
from restmon.ingest.staging import SourceFile
from restmon.ingest.tables import has_parts, needed, tables_in, used
from restmon.settings import get_settings
from restmon.storage.models import new_id

ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".zip", ".xlsx", ".xlsm")
"""The endings of the names of files that are imported from a folder."""
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
    """Copy an upload to the spool folder, where a worker will read it. Returns its path and its
    name for people. If there is no room, raises RestmonError and leaves nothing."""
    folder = get_settings().spool_dir
    path = folder / f"{new_id()}.upload"
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
    """Copy an upload to the spool folder, where a worker will read it. Returns its tables.

    Raises FileRejected if it has no table of the kind, and RestmonError if there is no room. Then
    it leaves nothing.
    """
    path, kept_name = spool_file(stream, name)
    try:
        return tables_of(path, kept_name or f"{kind or 'file'}.csv", kind, choices, actor)
    except RestmonError:
        path.unlink(missing_ok=True)
        raise


def discard(files: Sequence[SourceFile]) -> None:
    """Delete spooled files that no import will read."""
    for file in files:
        file.path.unlink(missing_ok=True)


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
