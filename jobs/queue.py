"""The Huey instance, on the storage that the settings name."""

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
from restmon.postgres import connection_parameters
from restmon.settings import POSTGRESQL, Settings, get_settings, shown_url, sqlite_path


class RestmonHuey(Huey):
    """A Huey whose storage is chosen when the process starts, not when it is imported."""

    def create_storage(self) -> BaseStorage:
        return MemoryStorage(self.name)

    def connect(self, settings: Settings | None = None) -> None:
        """Use the queue of the settings; raises DatabaseUnavailable when it cannot be reached."""
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
