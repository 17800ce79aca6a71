"""A few figures about the database, for the status command, /healthz and the pages."""

from dataclasses import asdict
from typing import Any

from restmon.core.instants import MINUTE, SECOND, as_text
from restmon.leasing import heartbeats
from restmon.ops import housekeeping, retention
from restmon.reporting.feed import read_feed
from restmon.reporting.snapshot import cache
from restmon.storage import database
from restmon.storage.demo_rows import has_demo
from restmon.storage.models import RUNNING, Import, Report, Store, now

SLOW = 10 * MINUTE


def read_facts() -> dict[str, Any]:
    """Counts and ages. ``newest_poll`` is text, ages are in seconds (None if there is nothing), and
    ``feed`` is one of the states in `reporting.feed`."""
    with database.reading():
        newest = cache.newest_poll()
        seen = heartbeats.find_newest()
        return {
            "stores": Store.select().count(),
            "demo": has_demo(),
            "unreadable_hours": Store.select().where(Store.hours_unreadable).count(),
            "newest_poll": None if newest is None else as_text(newest),
            "newest_poll_age_seconds": None if newest is None else (now() - newest) / SECOND,
            "future_polls": cache.future_polls(),
            "feed": read_feed().state,
            "reports": Report.select().count(),
            "reports_running": Report.select().where(Report.status == RUNNING).count(),
            "imports": Import.select().count(),
            "imports_running": Import.select().where(Import.status == RUNNING).count(),
            "worker_alive": heartbeats.is_worker_alive(),
            "worker_seen_seconds_ago": None if seen is None else (database.clock() - seen) / SECOND,
        }


def is_worker_slow() -> bool:
    """Whether a report or an import waits for a worker for longer than 10 minutes."""
    with database.session():
        since = database.clock() - SLOW
        return any(
            model.select(model.id)
            .where((model.status == RUNNING) & model.lease_owner.is_null())
            .where(model.requested_at < since)
            .exists()
            for model in (Report, Import)
        )


def read_details() -> dict[str, Any]:
    """Figures that take longer: ``space`` (rows, ``database_bytes`` and ``file_bytes`` of reports,
    imports and the audit), ``database_bytes`` of the whole database, and ``retention_held`` (why
    the retention deletes nothing, or None)."""
    with database.reading():
        due = retention.find_due()
        return {
            "database_bytes": database.size(),
            "space": {name: asdict(found) for name, found in housekeeping.measure_space().items()},
            "retention_held": due.warning if due and due.too_much else None,
        }
