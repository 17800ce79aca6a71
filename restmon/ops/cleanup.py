"""Files that processes left behind when they were killed: nobody will ask for them again."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from restmon import database
from restmon.hours import SECOND
from restmon.ingest import STAGING_PREFIX
from restmon.models import RUNNING, Import, now
from restmon.settings import get_settings

OLD_SECONDS = 24 * 3600


def clean(older_than: float = OLD_SECONDS) -> int:
    """Delete uploads that no running import waits for, or that were never whole, folders of
    intermediate files and halves of reports, if they are as old (seconds). Returns how many files
    and folders."""
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
    # Where the API keeps the body of a request while it comes in.
    yield from spool.glob(f"{tempfile.gettempprefix()}*")
    yield from settings.reports_dir.glob("**/*.part")
