"""An import's life: requested → Running → Complete or Failed, and its rejected lines."""

import io
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path, PurePath
from typing import IO, Any

from peewee import PeeweeException

from restmon.access import visibility
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.findings import Finding
from restmon.core.instants import as_text
from restmon.errors import (
    BadRequest,
    RestmonError,
)
from restmon.ingest import column_choices, incoming_files, rejected_items
from restmon.ingest.allowed import Allowed, Limits
from restmon.ingest.choices import Choices
from restmon.ingest.consequences import as_note, find_consequences
from restmon.ingest.headers import BUSINESS_HOURS, COLUMNS, POLLS
from restmon.ingest.rejected import csv_key, zip_key
from restmon.ingest.results import Counts, Result
from restmon.ingest.staging import SourceFile
from restmon.ingest.writer import (
    READING,
    STAGING_PREFIX,
    ImportTerms,
    StageProgress,
    check_header,
    import_files,
)
from restmon.leasing import jobs, leases
from restmon.settings import get_settings
from restmon.storage import database, files
from restmon.storage.files import Kind, Stored
from restmon.storage.models import FAILED, RUNNING, Import

IMPORT_FAILED = "import_failed"
"""The code of an import that failed for an unexpected error."""
NO_DATA_LINES = "There are no data lines, so nothing was changed."
READING_SHARE = 0.7
"""The share of reading in an import's progress. The rest is writing."""
EVERY_LINE_REJECTED = "Every line was rejected, so nothing was imported."


def request(
    files: Sequence[SourceFile],
    requested_by: str = "api",
    actor: Actor = THIS_MACHINE,
    *,
    resumable: bool = True,
    import_id: str | None = None,
) -> Import:
    """Put an import on record as Running, which takes lines of stores the actor sees alone; the
    caller enqueues its id. Raises BadRequest, Forbidden, and IntegrityError if there is an import
    with the ``import_id``."""
    actor.must(Role.FEED)
    if not files:
        raise BadRequest(
            "There is no file to import.", f"Give at least one of {', '.join(COLUMNS)}."
        )
    with_groups = actor.may(Role.OPERATOR)
    shared = incoming_files.share(files) if resumable else files
    spooled = [as_listed(replace(file, with_groups=with_groups)) for file in shared]
    columns_chosen = column_choices.made(files)
    try:
        with database.updating():
            column_choices.remember(actor, columns_chosen)
            return jobs.record(
                Import,
                actor,
                requested_by,
                files=spooled,
                resumable=resumable,
                **({} if import_id is None else {"id": import_id}),
            )
    except Exception:
        incoming_files.discard(file for file in shared if file not in files)
        raise


def as_listed(file: SourceFile) -> dict[str, Any]:
    """A table in the form that an import's row stores; `from_list` reads it."""
    listed: dict[str, Any] = {"kind": file.kind, "name": file.name}
    if file.upload is None:
        listed["path"] = str(file.path.resolve())
    else:
        listed["upload"] = file.upload
    more: dict[str, Any] = {
        "member": list(file.member),
        "choices": file.choices.as_json(),
        "notices": list(file.notices),
        "without_groups": not file.with_groups,
    }
    return listed | {name: value for name, value in more.items() if value}


def from_list(listed: dict[str, Any]) -> SourceFile:
    """A table from an import's row. An upload has no path before it is fetched."""
    return SourceFile(
        listed["kind"],
        Path(listed.get("path", "")),
        listed["name"],
        tuple(listed.get("member", ())),
        Choices.of(listed.get("choices", {})),
        tuple(listed.get("notices", ())),
        not listed.get("without_groups", False),
        incoming_files.upload_key(listed),
    )


def get(import_id: str, actor: Actor = THIS_MACHINE) -> Import:
    """The import's row. Raises NotFound, also if the actor may not see it."""
    return jobs.get(Import, import_id, actor)


def list_recent(
    limit: int = 50, actor: Actor = THIS_MACHINE, *, live: bool | None = None
) -> list[Import]:
    """The newest imports that the actor sees, newest first. ``live``: only those that collect what
    came in live, or only the others."""
    only = None if live is None else Import.collected_from.is_null(not live)
    return jobs.list_recent(Import, actor, limit, only)


def find_rejected(import_id: str) -> Stored | None:
    """The file of an import's rejected lines (`Kind.REJECTED`), if it has any: a CSV file, or a ZIP
    of several."""
    if of_calls := rejected_items.read_lines(import_id):
        size = len(of_calls)
        return Stored(csv_key(import_id), size, size, changed_at=0, version=size)
    of_one = files.find(Kind.REJECTED, csv_key(import_id))
    return of_one or files.find(Kind.REJECTED, zip_key(import_id))


def find_rejected_suffix(import_id: str) -> str | None:
    """The end of the name of that file (".csv"), None if there is none; its lines are not read."""
    if rejected_items.has_lines(import_id):
        return ".csv"
    found = find_rejected(import_id)
    return None if found is None else found.suffix


def open_rejected(found: Stored) -> IO[bytes]:
    """The stream of a file of rejected lines. Raises RestmonError."""
    of_calls = rejected_items.read_lines(PurePath(found.key).stem)
    try:
        return io.BytesIO(of_calls) if of_calls else files.open_file(Kind.REJECTED, found.key)
    except OSError as error:
        raise RestmonError(
            f"The rejected lines {found.key} cannot be read: {error.strerror or 'they are gone'}.",
            f"Look at {files.where(Kind.REJECTED)}, or import the files again.",
        ) from None


def read_rejected(found: Stored) -> bytes:
    """The bytes of a file of rejected lines. Raises RestmonError."""
    with open_rejected(found) as lines:
        return lines.read()


def name_rejected(import_id: str) -> str:
    """Where the rejected lines of an import are, for people."""
    found = find_rejected(import_id)
    name = csv_key(import_id) if found is None else found.key
    path = files.path_of(Kind.REJECTED, name)
    return str(path) if path else f"GET /import_data/{import_id}/rejected{Path(name).suffix}"


def work(import_id: str, progress: StageProgress | None = None, *, demo: bool = False) -> bool:
    """Take an import and carry it out. Returns whether this call held it to the end."""
    lease = leases.take(Import, import_id)
    if lease is None:
        return False
    row = lease.job
    assert isinstance(row, Import)  # noqa: S101 - for the type checker
    given = [from_list(listed) for listed in row.files]

    def tell(stage: str, done: int, total: int) -> None:
        part = done / total if total else 1.0
        if stage == READING:
            lease.progress = READING_SHARE * part
        else:
            lease.progress = READING_SHARE + (1 - READING_SHARE) * part
        if progress:
            progress(stage, done, total)

    with leases.keep(lease):
        try:
            return _carry_out(row, given, lease, demo, tell)
        finally:
            with suppress(PeeweeException, RestmonError):
                if _has_ended(import_id):
                    incoming_files.discard(given)


def _carry_out(
    row: Import, given: list[SourceFile], lease: leases.Lease, demo: bool, tell: StageProgress
) -> bool:
    permitted = None if row.groups is None else visibility.find_store_ids(row.groups)
    own_groups = None
    if not all(file.with_groups for file in given):
        own_groups = visibility.find_group_names(row.groups)

    def finish(result: Result) -> None:
        notes = [as_note(note) for note in _consequences(result, given, permitted)]
        lease.complete(
            counts={**result.as_json(), "notes": notes},
            rejections=result.rejections,
            notices=[*(told for file in given for told in file.notices), *result.notices],
            demo=demo,
        )

    try:
        with _own_folder() as folder:
            terms = ImportTerms(
                spool=folder,
                import_id=row.id,
                demo=demo,
                allowed=Allowed(
                    permitted=permitted,
                    groups=own_groups,
                    latest=database.latest_instant(),
                    limits=limits(),
                ),
            )
            import_files(incoming_files.fetch(given, folder), terms, progress=tell, finish=finish)
    except leases.LeaseLost:
        return False
    except RestmonError as error:
        return lease.fail(str(error), error_code=error.code)
    except OSError as error:
        reason = error.strerror or error
        return lease.fail(f"A file could not be written: {reason}. Make room first.")
    except Exception as error:
        leases.fail_for(lease, error)
        raise
    return True


@contextmanager
def _own_folder() -> Iterator[Path]:
    """A folder on this machine for the files of this attempt at an import, deleted at the end."""
    spool = get_settings().spool_dir
    spool.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=spool))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _consequences(
    result: Result, files: Sequence[SourceFile], permitted: frozenset[str] | None
) -> list[Finding]:
    """What is missing for the stores of an import once it is written."""
    of_hours = {file.name for file in files if file.kind == BUSINESS_HOURS}
    return find_consequences(
        result.rows,
        result.polled,
        with_ids=result.new_stores or any(file.kind != POLLS for file in files),
        bad_hours=[(r["file"], r["line"]) for r in result.rejections if r["file"] in of_hours],
        permitted=permitted,
    )


def limits() -> Limits:
    """The largest file that the settings allow."""
    settings = get_settings()
    return Limits(
        settings.max_file_mb * 2**20,
        settings.max_lines,
        "RESTMON_MAX_FILE_MB",
        "RESTMON_MAX_LINES",
    )


def _has_ended(import_id: str) -> bool:
    """Whether nobody takes an import up any more: also where its row was deleted meanwhile."""
    with database.session():
        row = Import.find(import_id)
    return row is None or row.status != RUNNING


def run_now(
    files: Sequence[SourceFile],
    requested_by: str = "cli",
    progress: StageProgress | None = None,
    *,
    demo: bool = False,
) -> Import:
    """Import files in this process, without a queue. Returns the finished import's row.

    Raises FileRejected if a file is rejected whole. Then there is no row.
    """
    for file in files:
        check_header(file)
    with database.session():  # one connection for all: to open one reads the whole schema
        row = request(files, requested_by, resumable=False)
        work(row.id, progress, demo=demo)
        return get(row.id)


def complete_counts(row: Import) -> dict[str, Any] | None:
    """An import's counts with all members. An import by an earlier release lacks ``removed``."""
    if row.counts is None:
        return None
    none = asdict(Counts())
    kinds = {kind: none | counts for kind, counts in row.counts["kinds"].items()}
    counts = none | row.counts | {"kinds": kinds}
    return {name: count for name, count in counts.items() if name != "notes"}


def is_rejected_whole(row: Import) -> bool:
    """Whether an import that is complete had lines, and every one was rejected."""
    counts = row.counts or {}
    return bool(counts.get("read")) and counts["rejected"] == counts["read"]


def notices_of(row: Import) -> list[str]:
    """What else is to be told of an import and its files, in sentences."""
    return [EVERY_LINE_REJECTED] * is_rejected_whole(row) + (row.notices or [])


def notes_of(row: Import) -> list[dict[str, Any]]:
    """What was missing for the stores of an import: code, count, message and examples of each."""
    return list((row.counts or {}).get("notes", []))


def describe(row: Import) -> dict[str, Any]:
    """An import's state, as the API and the pages show it."""
    return {
        "import_id": row.id,
        **jobs.describe(row),
        "files": [{"kind": f["kind"], "name": f["name"]} for f in row.files],
        "notices": notices_of(row),
        "counts": complete_counts(row),
        "notes": notes_of(row),
        "undone_at": as_text(row.undone_at) if row.undone_at else None,
        "error": row.error,
        "error_code": (row.error_code or IMPORT_FAILED) if row.status == FAILED else None,
    }
