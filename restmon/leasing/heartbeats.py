"""Signs of life of the worker processes."""

import socket

from restmon.core.instants import SECOND
from restmon.storage import database
from restmon.storage.models import WorkerHeartbeat

ALIVE_SECONDS = 30
FORGET_SECONDS = 24 * 3600


def beat(name: str, started_at: int) -> None:
    """Write that the worker process ``name`` is alive now."""
    with database.session():
        forgotten = database.clock() - FORGET_SECONDS * SECOND
        WorkerHeartbeat.delete().where(WorkerHeartbeat.seen_at < forgotten).execute()
        sign = WorkerHeartbeat.insert(name=name, started_at=started_at, seen_at=database.clock())
        sign.on_conflict(
            conflict_target=[WorkerHeartbeat.name],
            preserve=[WorkerHeartbeat.started_at, WorkerHeartbeat.seen_at],
        ).execute()


def remove(name: str) -> None:
    """Write that the worker process ``name`` has stopped."""
    with database.session():
        WorkerHeartbeat.delete().where(WorkerHeartbeat.name == name).execute()


def find_newest() -> int | None:
    """The last sign of life of any worker (microseconds since the epoch), or None."""
    with database.session():
        row = WorkerHeartbeat.select().order_by(WorkerHeartbeat.seen_at.desc()).first()
        return None if row is None else int(row.seen_at)


def machine_prefix() -> str:
    """What the names of this machine's workers begin with."""
    return f"{socket.gethostname()[:40]}:"


def count_alive(on: str = "") -> int:
    """How many worker processes gave a sign of life in the last 30 seconds. Counts only names that
    begin with the prefix."""
    with database.session():
        moment, some = database.clock(), ALIVE_SECONDS * SECOND
        seen = WorkerHeartbeat.seen_at.between(moment - some, moment + some)
        return int(
            WorkerHeartbeat.select().where(seen, WorkerHeartbeat.name.startswith(on)).count()
        )


def is_worker_alive() -> bool:
    """Whether any worker gave a sign of life in the last 30 seconds. Ignores signs from the future,
    which were given before the clock stepped back."""
    return count_alive() > 0
