"""Deletes files of processes that were killed. Nothing refers to these files any more."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from restmon.core.instants import SECOND
from restmon.ingest import incoming_files
from restmon.ingest.writer import STAGING_PREFIX
from restmon.reporting import shards
from restmon.settings import get_settings
from restmon.storage import database, files
from restmon.storage.files import Kind
from restmon.storage.models import RUNNING, Import, Report, now

OLD_SECONDS = 24 * 3600


def clean(older_than: float = OLD_SECONDS) -> int:
    """Delete files at least as old as this (seconds): uploads that no running import waits for or
    that are incomplete, folders of intermediate files, and unfinished files and parts of reports.
    Returns how many files and folders."""
    count = 0
    before = now() / SECOND - older_than
    for path in _own_files():
        with suppress(OSError):
            if path.stat().st_mtime < before:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                count += 1
    # Files in the database have its server's time.
    instant = database.clock() - round(older_than * SECOND)
    for kind, key in _left(instant):
        with suppress(OSError):
            files.delete(kind, key)
            count += 1
    return count + files.clean(instant)


def _own_files() -> Iterator[Path]:
    """What imports and requests keep on this machine while they run."""
    spool = get_settings().spool_dir
    yield from spool.glob(f"{STAGING_PREFIX}*")
    # The API stores the body of a request here while it arrives.
    yield from spool.glob(f"{tempfile.gettempprefix()}*")
    if files.in_database():
        yield from spool.glob(f"*{incoming_files.UPLOAD_SUFFIX}")


def _left(before: int) -> Iterator[tuple[Kind, str]]:
    """The uploads and parts from before an instant that nothing waits for: all parts of a report
    that has ended or was deleted, and those of earlier rounds of one that is under way."""
    with database.session():
        running = Import.select(Import.files).where(Import.status == RUNNING)
        waited_for = {incoming_files.upload_key(listed) for row in running for listed in row.files}
    for upload in list(files.list_files(Kind.UPLOAD)):
        if upload.changed_at < before and upload.key not in waited_for:
            yield Kind.UPLOAD, upload.key
    with database.session():
        query = Report.select(Report.id).where(Report.status == RUNNING)
        reports = {report_id for (report_id,) in database.tuples(query)}
    current: dict[str, set[str]] = {}
    for part in list(files.list_files(Kind.PART)):
        report_id = part.key.partition("/")[0]
        if report_id in reports and report_id not in current:
            current[report_id] = {shards.part_key(s) for s in shards.list_shards(report_id)}
        if part.changed_at < before and part.key not in current.get(report_id, set()):
            yield Kind.PART, part.key
