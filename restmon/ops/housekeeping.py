"""Deletes old records: reports, documents, imports, what imports replaced, and audit entries."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from restmon.access import audit
from restmon.core.instants import DAY, as_text
from restmon.ingest import undo
from restmon.settings import get_settings
from restmon.storage import database, files
from restmon.storage.access_models import AuditEntry
from restmon.storage.document_models import Document
from restmon.storage.file_models import RejectedItems
from restmon.storage.files import Kind
from restmon.storage.models import RUNNING, AskedFor, BaseModel, Import, ReplacedRows, Report, now

BY_ITSELF = "restmon"
"""Who cleans up, in the audit."""
AT_ONCE = 500
FILE_NAME = re.compile(r"([0-9a-f]{32})\b.*\.(?:csv|zip|json|pdf|xlsx|gz)")
"""The name of a file of a report (CSV, or JSON for its details), of a document, or of an import
(rejected lines as CSV, or a ZIP for several tables). It begins with the id."""


@dataclass(frozen=True)
class Cleaned:
    """How many rows and files were deleted."""

    reports: int
    imports: int
    audit_entries: int
    files: int
    undo_records: int = 0
    documents: int = 0


def clean() -> Cleaned:
    """Delete the reports, documents, imports, what imports replaced, and audit entries that are
    older than the settings allow, with their files. It may stop and start again at any point.

    A row goes first, in a transaction, then its file. If the process dies in between, nobody can
    ask for the file any more, and the next run deletes it. If files cannot be deleted, their rows
    stay too.
    """
    settings = get_settings()
    reports, report_files = _clean_jobs(Report, Kind.REPORT, settings.keep_reports_days)
    documents, document_files = _clean_jobs(Document, Kind.DOCUMENT, settings.keep_reports_days)
    imports, import_files = _clean_jobs(Import, Kind.REJECTED, settings.keep_imports_days)
    entries = _clean_audit(settings.keep_audit_days)
    changes = undo.forget_old(settings.keep_undo_days)
    deleted = report_files + import_files + document_files
    return Cleaned(reports, imports, entries, deleted, changes, documents)


def _clean_jobs(model: type[AskedFor], kind: Kind, days: int) -> tuple[int, int]:
    """Delete the reports or imports that ended more than so many days ago; returns (rows,
    files)."""
    before = now() - days * DAY
    rows = count = 0
    if not files.can_delete(kind):
        return rows, count
    while ids := _ended(model, before):
        with database.updating():
            # The condition again: a worker may have taken the job in between.
            gone = model.delete().where(model.id.in_(ids) & _has_ended(model, before)).execute()
        rows += int(gone)
        if not gone:
            break
    for key in _orphans(model, kind, before):
        files.delete(kind, key)
        count += 1
    return rows, count


def _has_ended(model: type[AskedFor], before: int) -> object:
    return (model.status != RUNNING) & (model.finished_at < before)


def _ended(model: type[AskedFor], before: int) -> list[str]:
    """The ids of some jobs that ended before an instant."""
    with database.session():
        query = model.select(model.id).where(_has_ended(model, before))
        return [job_id for (job_id,) in database.tuples(query.limit(AT_ONCE))]


def _orphans(model: type[AskedFor], kind: Kind, before: int) -> Iterator[str]:
    """The keys of the files at least that old whose job has no row. (Younger ones may belong to
    another database that uses this folder, or to one that will be restored.)"""
    old: dict[str, str] = {}
    for file in files.list_files(kind):
        match = FILE_NAME.fullmatch(file.key)
        if match and file.changed_at < before:
            old[file.key] = match[1]
    with database.session():
        known = {job_id for (job_id,) in database.tuples(model.select(model.id))} if old else set()
    yield from (key for key, job_id in old.items() if job_id not in known)


def _clean_audit(days: int) -> int:
    """Delete the older audit entries, write an entry about it, and return how many."""
    before = now() - days * DAY
    with database.updating():
        deleted = int(AuditEntry.delete().where(AuditEntry.at < before).execute())
        if deleted:
            subject = f"{deleted:,} before {as_text(before)}"
            audit.note(BY_ITSELF, audit.AUDIT_FORGOTTEN, subject)
    return deleted


@dataclass(frozen=True)
class RecordSpace:
    """The space that records take: ``rows``, their ``database_bytes``, and ``file_bytes`` of
    files."""

    rows: int
    database_bytes: int
    file_bytes: int


def measure_space() -> dict[str, RecordSpace]:
    """The space of reports, documents, imports (with waiting uploads), what imports replaced, and
    the audit."""
    with database.reading():
        return {
            "reports": _space(Report, Kind.REPORT, Kind.PART),
            "documents": _space(Document, Kind.DOCUMENT),
            "imports": _with(_space(Import, Kind.REJECTED, Kind.UPLOAD), RejectedItems),
            "undo": _space(ReplacedRows),
            "audit": _space(AuditEntry),
        }


def _with(space: RecordSpace, model: type[BaseModel]) -> RecordSpace:
    """The space with that of a table beside it."""
    more = database.table_size(model)
    return replace(space, database_bytes=space.database_bytes + more)


def _space(model: type[BaseModel], *kinds: Kind) -> RecordSpace:
    size = sum(file.packed for kind in kinds for file in files.list_files(kind))
    return RecordSpace(model.select().count(), database.table_size(model), size)
