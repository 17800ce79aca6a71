"""What is in the database, in a few figures: for the status command, /healthz and the pages."""

from typing import Any

from restmon import database, heartbeats
from restmon.demo_data import has_demo
from restmon.hours import SECOND
from restmon.models import RUNNING, Import, Report, Store, now
from restmon.reports import as_text
from restmon.snapshot import cache


def facts() -> dict[str, Any]:
    """Counts and ages: ``newest_poll`` as text, the ages in seconds (None where there is
    nothing)."""
    with database.reading():
        newest = cache.newest_poll()
        seen = heartbeats.newest()
        return {
            "stores": Store.select().count(),
            "demo": has_demo(),
            "newest_poll": None if newest is None else as_text(newest),
            "newest_poll_age_seconds": None if newest is None else (now() - newest) / SECOND,
            "reports": Report.select().count(),
            "reports_running": Report.select().where(Report.status == RUNNING).count(),
            "imports": Import.select().count(),
            "imports_running": Import.select().where(Import.status == RUNNING).count(),
            "worker_alive": heartbeats.worker_alive(),
            "worker_seen_seconds_ago": None if seen is None else (now() - seen) / SECOND,
        }
