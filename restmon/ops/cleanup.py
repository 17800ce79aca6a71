"""Deletes files of processes that were killed. Nothing refers to these files any more."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from restmon.core.instants import SECOND
from restmon.ingest.writer import STAGING_PREFIX
from restmon.reporting import shards
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import RUNNING, Import, Report, now

OLD_SECONDS = 24 * 3600


def clean(older_than: float = OLD_SECONDS) -> int:
    """Delete files at least as old as this (seconds): uploads that no running import waits for or
    that are incomplete, folders of intermediate files, and unfinished files and parts of reports.
    Returns how many files and folders."""
    before = now() / SECOND - older_than
    count = 0
    for path in _candidates():
        with suppress(OSError):
            if path.stat().st_mtime < before:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                count += 1
    return count


def _candidates() -> Iterator[Path]:
    settings = get_settings()
    spool = settings.spool_dir.resolve()
    with database.session():
        running = Import.select(Import.files).where(Import.status == RUNNING)
        waited_for = {Path(f["path"]) for row in running for f in row.files}
    yield from (path for path in spool.glob("*.upload") if path not in waited_for)
    yield from spool.glob(f"{STAGING_PREFIX}*")
    # The API stores the body of a request here while it arrives.
    yield from spool.glob(f"{tempfile.gettempprefix()}*")
    yield from settings.reports_dir.glob("**/*.part")
    yield from settings.rejected_dir.glob("*.part")
    yield from _left_parts(settings.reports_dir)


def _left_parts(folder: Path) -> Iterator[Path]:
    """The files left by reports computed in parts: the whole folder of a report that has ended or
    was deleted, and the files of earlier rounds of one that is under way."""
    with database.session():
        running = {
            report_id
            for (report_id,) in database.tuples(
                Report.select(Report.id).where(Report.status == RUNNING)
            )
        }
    for parts in folder.glob(f"*{shards.PARTS_SUFFIX}"):
        report_id = parts.name.removesuffix(shards.PARTS_SUFFIX)
        if report_id not in running:
            yield parts
        else:
            current = {shards.part_path(shard) for shard in shards.list_shards(report_id)}
            yield from (path for path in parts.glob("*.csv") if path not in current)
