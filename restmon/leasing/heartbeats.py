"""Signs of life of the worker processes."""

from restmon import database
from restmon.hours import SECOND
from restmon.models import WorkerHeartbeat, now

ALIVE_SECONDS = 30
FORGET_SECONDS = 24 * 3600


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


def alive() -> int:
    """How many worker processes gave a sign of life in the last 30 seconds."""
    with database.session():
        since, until = now() - ALIVE_SECONDS * SECOND, now() + ALIVE_SECONDS * SECOND
        seen = WorkerHeartbeat.seen_at.between(since, until)
        return int(WorkerHeartbeat.select().where(seen).count())


def worker_alive() -> bool:
    """Whether any worker gave a sign of life in the last 30 seconds. One from a time to come is
    of before the clock stepped back, and says nothing."""
    return alive() > 0
