"""The Huey instance, on the storage that the settings name."""

import threading
import time
from pathlib import Path
from typing import Any

import psycopg
from huey import Huey
from huey.storage import (
    BaseStorage,
    MemoryStorage,
    PostgresStorage,
    RedisStorage,
    SqliteStorage,
)

from restmon.errors import DatabaseUnavailable
from restmon.setting_values import POSTGRESQL, sqlite_path
from restmon.settings import Settings, get_settings, shown_url
from restmon.storage.postgres.connection import connection_parameters

SCHEDULE_SECONDS = 120
"""The schedule is read every second, but a locked file may delay that by a minute."""


class RestmonHuey(Huey):
    """A Huey that gets its storage when the process starts, not on import, and that knows when its
    threads last asked for work."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.asked: dict[str, float] = {}
        """By the name of a thread, when it last asked for a task (seconds of the clock that only
        goes forward)."""
        self.schedule_read: float | None = None

    def dequeue(self) -> Any:
        """The next task, or None."""
        self.asked[threading.current_thread().name] = time.monotonic()
        return super().dequeue()

    def read_schedule(self, *args: Any) -> Any:
        """The tasks that are due."""
        self.schedule_read = time.monotonic()
        return super().read_schedule(*args)

    def stuck(self, threads: int, longest_task_seconds: float) -> str | None:
        """What keeps this process from doing tasks, in a few words, or None. A thread may be busy
        with one task for the given seconds."""
        at = time.monotonic()
        if len(self.asked) < threads or self.schedule_read is None:
            return f"{len(self.asked)} of {threads} threads have begun"
        late = [name for name, then in self.asked.items() if at - then > longest_task_seconds]
        if late:
            return f"{', '.join(sorted(late))} did not come back from a task"
        if at - self.schedule_read > SCHEDULE_SECONDS:
            return f"the schedule was not read for {at - self.schedule_read:.0f} s"
        return None

    def create_storage(self) -> BaseStorage:
        return MemoryStorage(self.name)

    def connect(self, settings: Settings | None = None) -> None:
        """Use the queue of the settings. Raises DatabaseUnavailable if it cannot be reached."""
        url = (settings or get_settings()).effective_queue_url
        try:
            self.storage = self._storage_at(url)
            self.storage.queue_size()
        except Exception as error:
            raise DatabaseUnavailable(
                f"The queue {shown_url(url)} cannot be used: {error}.",
                "Start its server or correct RESTMON_QUEUE_URL.",
            ) from error

    def _storage_at(self, url: str) -> BaseStorage:
        options: dict[str, Any] = {"name": self.name}
        if url.startswith("sqlite"):
            path = Path(sqlite_path(url))
            path.parent.mkdir(parents=True, exist_ok=True)
            return SqliteStorage(filename=str(path), timeout=30, **options)
        if url.startswith(POSTGRESQL):
            options |= {"dsn": url, **connection_parameters(url)}
            try:
                return PostgresStorage(**options)
            except psycopg.errors.UniqueViolation:
                # Another process made the tables at the same moment; now they are there.
                return PostgresStorage(**options)
        return RedisStorage(url=url, **options)


huey = RestmonHuey("restmon", results=False, utc=True)
