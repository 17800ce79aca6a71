"""Signs of life of the worker processes."""

from restmon import database
from restmon.models import WorkerHeartbeat, now

ALIVE_SECONDS = 30
FORGET_SECONDS = 24 * 3600
SECOND = 1_000_000


def beat(name: str, started_at: int) -> None:
    """Write that the worker process ``name`` is alive now."""
    with database.session():
        forgotten = now() - FORGET_SECONDS * SECOND
        WorkerHeartbeat.delete().where(WorkerHeartbeat.seen_at < forgotten).execute()
        sign = WorkerHeartbeat.insert(name=name, started_at=started_at, seen_at=now())
        sign.on_conflict(
            conflict_target=[WorkerHeartbeat.name],
            preserve=[WorkerHeartbeat.started_at, WorkerHeartbeat.seen_at],
        ).execute()


def gone(name: str) -> None:
    """Write that the worker process ``name`` has stopped."""
    with database.session():
        WorkerHeartbeat.delete().where(WorkerHeartbeat.name == name).execute()


def newest() -> int | None:
    """The last sign of life of any worker (microseconds since the epoch), or None."""
    with database.session():
        row = WorkerHeartbeat.select().order_by(WorkerHeartbeat.seen_at.desc()).first()
        return None if row is None else int(row.seen_at)


def worker_alive() -> bool:
    """Whether any worker gave a sign of life in the last 30 seconds."""
    seen = newest()
    return seen is not None and now() - seen < ALIVE_SECONDS * SECOND
