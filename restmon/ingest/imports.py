"""An import's life: asked for → Running → Complete or Failed; its files and rejected lines."""

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from peewee import PeeweeException

from restmon import audit, database, demo_data, leases, scope
from restmon.csv_reader import COLUMNS, POLLS, Limits, kind_of, read_header
from restmon.errors import BadRequest, FileRejected, NotFound, RestmonError
from restmon.ingest import (
    READING,
    Result,
    SourceFile,
    StageProgress,
    check_header,
    import_files,
)
from restmon.models import COMPLETE, FAILED, RUNNING, Import, new_id, now
from restmon.reports import as_text, utc
from restmon.roles import THIS_MACHINE, Actor, Role
from restmon.settings import get_settings

IMPORT_FAILED = "import_failed"
"""The code of an import that failed for none of restmon's own errors."""
READING_SHARE = 0.7
"""The part of an import's progress that is reading; the rest is writing."""
LONGEST_NAME = 100
"""So much of the end of an uploaded file's name is kept."""


def source_file(kind: str, path: str | Path) -> SourceFile:
    """A file of the given kind; raises BadRequest for an unknown kind."""
    if kind not in COLUMNS:
        raise BadRequest(f"{kind!r} is no kind of file.", f"Use {', '.join(COLUMNS)}.")
    return SourceFile(kind, Path(path), Path(path).name)


def spool(stream: IO[bytes], kind: str, name: str) -> SourceFile:
    """Copy an upload to the spool folder, where a worker will read it.

    The file's header is checked; raises FileRejected when it is not of the kind, RestmonError when
    there is no room. Keeps nothing then.
    """
    folder = get_settings().spool_dir
    path = folder / f"{new_id()}.upload"
    kept_name = audit.printable(Path(name).name[-LONGEST_NAME:])
    file = SourceFile(kind, path, kept_name or f"{kind}.csv")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            shutil.copyfileobj(stream, out, 1024 * 1024)
        check_header(path, kind, file.name)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise not_kept(error) from error
    except FileRejected:
        path.unlink()
        raise
    return file


def forget(files: Sequence[SourceFile]) -> None:
    """Delete spooled files that no import will read."""
    for file in files:
        file.path.unlink(missing_ok=True)


def not_kept(error: OSError) -> RestmonError:
    """What to tell when an upload cannot be written to the spool folder."""
    return RestmonError(
        f"The upload cannot be kept in {get_settings().spool_dir}: {error.strerror or error}.",
        "Make room or make the folder writable, then try again.",
    )


def files_in(folder: Path) -> list[SourceFile]:
    """The CSV files (also gzipped) of a folder whose header is one of the three kinds'."""
    try:
        paths = sorted(p for p in folder.iterdir() if p.name.endswith((".csv", ".csv.gz")))
    except OSError as error:
        raise NotFound(
            f"The import folder {folder} cannot be read: {error.strerror or error}.",
            "Set RESTMON_IMPORT_DIR to the folder of the CSV files.",
        ) from None
    files = []
    for path in paths:
        try:
            kind = kind_of(read_header(path, path.name))
        except FileRejected:
            continue
        if kind:
            files.append(SourceFile(kind, path, path.name))
    if not files:
        raise NotFound(
            f"There is no polls, business-hours or time-zone CSV in the import folder {folder}.",
            "Put the files there, upload them, or set RESTMON_IMPORT_DIR.",
        )
    return files


def request(
    files: Sequence[SourceFile],
    requested_by: str = "api",
    actor: Actor = THIS_MACHINE,
    *,
    resumable: bool = True,
) -> Import:
    """Put an import on record as Running, which takes lines of stores the actor sees alone; the
    caller enqueues its id. Raises BadRequest, Forbidden."""
    actor.must(Role.OWNER)
    if not files:
        raise BadRequest(
            "There is no file to import.", f"Give at least one of {', '.join(COLUMNS)}."
        )
    listed = [{"kind": f.kind, "name": f.name, "path": str(f.path.resolve())} for f in files]
    with database.session():
        row = Import.create(
            files=listed,
            requested_by=requested_by,
            resumable=resumable,
            actor=actor.name,
            groups=scope.groups_of(actor),
        )
        audit.note(actor, audit.IMPORTED, row.id)
        return row


def get(import_id: str, actor: Actor = THIS_MACHINE) -> Import:
    """The import's row; raises NotFound, also where it is not there for the actor."""
    row = scope.find(Import, actor, import_id)
    if row is None:
        raise NotFound(f"There is no import {import_id[:64]!r}.", "Start one to get an import id.")
    return row


def recent(limit: int = 50, actor: Actor = THIS_MACHINE) -> list[Import]:
    """The newest imports that are there for the actor, newest first."""
    return scope.recent(Import, actor, limit)


def rejected_path(import_id: str) -> Path:
    """Where the CSV of an import's rejected lines stands, if it has any."""
    return get_settings().rejected_dir / f"{import_id}.csv"


def work(import_id: str, progress: StageProgress | None = None, *, demo: bool = False) -> bool:
    """Take an import up and bring it to its end; returns whether it was this call's to do."""
    lease = leases.take(Import, import_id)
    if lease is None:
        return False
    row = lease.job
    assert isinstance(row, Import)  # noqa: S101 - for the type checker
    files = [SourceFile(f["kind"], Path(f["path"]), f["name"]) for f in row.files]

    def tell(stage: str, done: int, total: int) -> None:
        part = done / total if total else 1.0
        if stage == READING:
            lease.progress = READING_SHARE * part
        else:
            lease.progress = READING_SHARE + (1 - READING_SHARE) * part
        if progress:
            progress(stage, done, total)

    with leases.kept(lease):
        try:
            return _carry_out(row, files, lease, demo, tell)
        finally:
            with suppress(PeeweeException, RestmonError):
                if get(import_id).status != RUNNING:
                    _drop_uploads(files)


def _carry_out(
    row: Import, files: list[SourceFile], lease: leases.Lease, demo: bool, tell: StageProgress
) -> bool:
    def finish(result: Result) -> None:
        lease.complete(counts=result.as_json(), rejections=result.rejections, demo=demo)

    try:
        import_files(
            files,
            spool=get_settings().spool_dir,
            rejected_csv=rejected_path(row.id),
            demo=demo,
            limits=limits(),
            permitted=None if row.groups is None else scope.store_ids(row.groups),
            progress=tell,
            finish=finish,
        )
    except leases.LeaseLost:
        return False
    except RestmonError as error:
        lease.fail(str(error), error_code=error.code)
    except OSError as error:
        lease.fail(f"A file could not be written: {error.strerror or error}. Make room first.")
    except Exception as error:
        leases.fail_for(lease, error)
        raise
    return True


def limits() -> Limits:
    """How large a file may be, by the settings."""
    settings = get_settings()
    return Limits(
        settings.max_file_mb * 2**20,
        settings.max_lines,
        "RESTMON_MAX_FILE_MB",
        "RESTMON_MAX_LINES",
    )


def _drop_uploads(files: Sequence[SourceFile]) -> None:
    spool_dir = get_settings().spool_dir.resolve()
    for file in files:
        if file.path.parent == spool_dir and file.path.suffix == ".upload":
            file.path.unlink(missing_ok=True)


def run_now(
    files: Sequence[SourceFile],
    requested_by: str = "cli",
    progress: StageProgress | None = None,
    *,
    demo: bool = False,
) -> Import:
    """Import files in this process, without a queue; returns the finished import's row.

    Raises FileRejected when a file is rejected whole, before anything is put on record.
    """
    for file in files:
        check_header(file.path, file.kind, file.name)
    row = request(files, requested_by, resumable=False)
    work(row.id, progress, demo=demo)
    return get(row.id)


def load_demo() -> Import | None:
    """Import the demo stores, with polls of the last days, if the database is empty of stores;
    returns the import, or None."""
    with database.session():
        if demo_data.Store.select(demo_data.Store.id).exists():
            return None
    with tempfile.TemporaryDirectory(prefix="restmon-demo-") as folder:
        recent = Path(folder) / "polls.csv"
        demo_data.write_recent_polls(recent, utc(now()).replace(tzinfo=None))
        files = [
            replace(file, path=recent) if file.kind == POLLS else file
            for file in files_in(demo_data.FOLDER)
        ]
        return run_now(files, "demo", demo=True)


def status_of(row: Import) -> dict[str, Any]:
    """An import's state as the API and the pages show it."""
    return {
        "import_id": row.id,
        "status": row.status,
        "progress": 1.0 if row.status == COMPLETE else round(row.progress, 3),
        "files": [{"kind": f["kind"], "name": f["name"]} for f in row.files],
        "requested_at": as_text(row.requested_at),
        "requested_by": row.requested_by,
        "demo": bool(row.demo),
        "counts": row.counts,
        "error": row.error,
        "error_code": (row.error_code or IMPORT_FAILED) if row.status == FAILED else None,
    }
