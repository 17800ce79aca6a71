"""Connections of a process that serves many: opened once and used again.

SQLite reads the whole schema of a file that it opens, which takes longer than most of the queries
of a request. This relies on internals of Peewee's pool (4.5.3): which of its functions take, test
and give back a connection. ``tests/storage/test_kept_connections.py`` fails when a release changes
them.
"""

import os
import sqlite3
from contextlib import suppress

from playhouse.pool import PooledSqliteDatabase

MOST_IDLE = 8
"""Each may hold 16 MB of the file's pages."""

Identity = tuple[int, int]


class KeptConnections(PooledSqliteDatabase):
    """Peewee's pool, whose connections are given up where another file stands in the place of
    theirs, such as a backup that was restored."""

    def __init__(self, database: str, *, timeout: float, **options: object) -> None:
        self._files: dict[int, Identity | None] = {}
        super().__init__(database, max_connections=None, check_same_thread=False, **options)
        self.timeout = timeout  # for a lock; an argument of this name would be the pool's own

    def _connect(self) -> sqlite3.Connection:
        before = self._identify()
        connection: sqlite3.Connection = super()._connect()
        self._files.setdefault(id(connection), before)
        return connection

    def _is_closed(self, conn: sqlite3.Connection) -> bool:
        if self._files.get(id(conn)) == self._identify():
            return bool(super()._is_closed(conn))
        self._close_raw(conn)
        return True

    def _can_reuse(self, conn: sqlite3.Connection) -> bool:
        return len(self._connections) < MOST_IDLE and bool(super()._can_reuse(conn))

    def _close_raw(self, conn: sqlite3.Connection) -> None:
        self._files.pop(id(conn), None)
        super()._close_raw(conn)

    def _identify(self) -> Identity | None:
        with suppress(OSError):
            found = os.stat(self.database)  # noqa: PTH116 - a Path takes as long again
            return found.st_dev, found.st_ino
        return None
