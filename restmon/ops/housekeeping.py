"""Deletes old records: reports, imports, what imports replaced, and audit entries."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from restmon.access import audit
from restmon.core.instants import DAY, SECOND, as_text
from restmon.ingest import undo
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.access_models import AuditEntry
from restmon.storage.models import RUNNING, AskedFor, BaseModel, Import, ReplacedRows, Report, now

BY_ITSELF = "restmon"
"""Who cleans up, in the audit."""
AT_ONCE = 500
FILE_NAME = re.compile(r"([0-9a-f]{32})\b.*\.(?:csv|zip|json)")
"""The name of a file of a report (CSV, or JSON for its details) or of an import (rejected lines as
CSV, or a ZIP for several tables). It begins with the id."""


@dataclass(frozen=True)
class Cleaned:
    """How many rows and files were deleted."""

    reports: int
    imports: int
    audit_entries: int
    files: int
    undo_records: int = 0


def clean() -> Cleaned:
    """Delete the reports, imports, what imports replaced, and audit entries that are older than the
    settings allow, with their files. It may stop and start again at any point.

    A row goes first, in a transaction, then its file. If the process dies in between, nobody can
    ask for the file any more, and the next run deletes it. If files cannot be deleted, their rows
    stay too.
    """
    settings = get_settings()
    reports, report_files = _clean_jobs(Report, settings.reports_dir, settings.keep_reports_days)
    imports, import_files = _clean_jobs(Import, settings.rejected_dir, settings.keep_imports_days)
    entries = _clean_audit(settings.keep_audit_days)
    changes = undo.forget_old(settings.keep_undo_days)
    return Cleaned(reports, imports, entries, report_files + import_files, changes)


def _clean_jobs(model: type[AskedFor], folder: Path, days: int) -> tuple[int, int]:
    """Delete the reports or imports that ended more than so many days ago; returns (rows,
    files)."""
    before = now() - days * DAY
    rows = files = 0
    if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
        return rows, files
    while ids := _ended(model, before):
        with database.updating():
            # The condition again: a worker may have taken the job in between.
            gone = model.delete().where(model.id.in_(ids) & _has_ended(model, before)).execute()
        rows += int(gone)
        if not gone:
            break
    for path in _orphans(model, folder, before):
        path.unlink(missing_ok=True)
        files += 1
    return rows, files


def _has_ended(model: type[AskedFor], before: int) -> object:
    return (model.status != RUNNING) & (model.finished_at < before)


def _ended(model: type[AskedFor], before: int) -> list[str]:
    """The ids of some jobs that ended before an instant."""
    with database.session():
        query = model.select(model.id).where(_has_ended(model, before))
        return [job_id for (job_id,) in database.tuples(query.limit(AT_ONCE))]


def _orphans(model: type[AskedFor], folder: Path, before: int) -> Iterator[Path]:
    """The files at least that old whose job has no row. (Younger ones may belong to another
    database that uses this folder, or to one that will be restored.)"""
    old: dict[Path, str] = {}
    for path in folder.iterdir() if folder.exists() else ():
        match = FILE_NAME.fullmatch(path.name)
        if match and path.stat().st_mtime < before / SECOND:
            old[path] = match[1]
    with database.session():
        known = {job_id for (job_id,) in database.tuples(model.select(model.id))} if old else set()
    yield from (path for path, job_id in old.items() if job_id not in known)


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
    """The space of reports, imports (with waiting uploads), what imports replaced, and the
    audit."""
    settings = get_settings()
    with database.reading():
        return {
            "reports": _space(Report, settings.reports_dir),
            "imports": _space(Import, settings.rejected_dir, settings.spool_dir),
            "undo": _space(ReplacedRows),
            "audit": _space(AuditEntry),
        }


def _space(model: type[BaseModel], *folders: Path) -> RecordSpace:
    files = sum(_bytes(folder) for folder in folders)
    return RecordSpace(model.select().count(), database.table_size(model), files)


def _bytes(folder: Path) -> int:
    """The bytes of the files in a folder, also of those in folders in it."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue  # deleted meanwhile
    return total
