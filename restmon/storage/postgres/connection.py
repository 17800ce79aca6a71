"""Connecting to PostgreSQL, its errors, locks and transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from peewee import InterfaceError, OperationalError
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase
from psycopg.conninfo import conninfo_to_dict

from restmon.errors import DatabaseUnavailable
from restmon.settings import Settings, shown_url
from restmon.storage import compat, models

WRITERS_LOCK = int.from_bytes(b"restmon")
"""The advisory lock that one writer of polls, stores and hours holds at a time."""

CONNECTION = {
    "application_name": "restmon",
    "connect_timeout": 10,
    # A cut cable is noticed within half a minute, not after the kernel's quarter of an hour.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    # The server, too, notices within half a minute that a machine was cut off, and lets its locks
    # go. Compiling a plan costs more than it saves: the queries are short, or one loop over an
    # index.
    "options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 "
    "-c tcp_user_timeout=30000 -c jit=off",
}
WRITER_PAUSE_MILLISECONDS = 300_000
"""A writer that says nothing for so long loses its transaction, and with it the lock that all other
writers wait for: its process is stopped, or its machine asleep. Between two statements of an import
there are seconds: a file is read before its transaction begins."""

UNUSABLE = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.InternalError,  # a damaged table or index
)
"""Errors of a database that answers but was changed, or that restmon's user may not use."""


def connection_parameters(url: str) -> dict[str, Any]:
    """The parameters of a connection besides its URL. The URL wins where it names one of them."""
    given = conninfo_to_dict(url)
    return {name: value for name, value in CONNECTION.items() if name not in given}


def connect(
    settings: Settings,
    *,
    patient: bool = True,  # noqa: ARG001 (SQLite waits for its lock with it)
    serves: bool = False,  # noqa: ARG001 (connections are always kept)
) -> PooledPostgresqlDatabase:
    """The database of the settings, with a pool of connections."""
    compat.attach_psycopg()
    url = settings.database_url
    return PooledPostgresqlDatabase(
        url,
        prefer_psycopg3=True,
        max_connections=64,
        timeout=30,
        stale_timeout=600,
        **connection_parameters(url),
    )


def explain(error: Exception) -> DatabaseUnavailable | None:
    """The error as one sentence for the user; None if the database did not raise it."""
    # Peewee's error holds the driver's.
    if isinstance(getattr(error, "orig", error), UNUSABLE) and not connection_lost(error):
        hint = "Restore what is missing from a backup, or give restmon's user the rights to it."
    elif connection_lost(error) or isinstance(error, MaxConnectionsExceeded):
        hint = (
            "Check that the server runs and RESTMON_DATABASE_URL names it, with a user it lets in."
        )
    else:
        return None
    url = str(models.database.database)
    why = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else "no answer"
    return DatabaseUnavailable(f"The database {shown_url(url)} cannot be used: {why}.", hint)


def find_damage() -> DatabaseUnavailable | None:
    """None: the server reports damage by itself."""
    return None


def connection_lost(error: BaseException) -> bool:
    """Whether the error says that the server went away or cannot be reached."""
    lost = OperationalError | InterfaceError | psycopg.OperationalError | psycopg.InterfaceError
    paused = psycopg.errors.IdleInTransactionSessionTimeout
    return isinstance(error, lost) or isinstance(getattr(error, "orig", error), paused)


@contextmanager
def read_transaction() -> Iterator[None]:
    """A transaction that sees one state of the data."""
    with models.database.atomic("REPEATABLE READ"):
        models.database.execute_sql("SET TRANSACTION READ ONLY")
        yield


@contextmanager
def write_transaction() -> Iterator[None]:
    """A transaction that takes the writers' lock at its beginning."""
    with models.database.atomic():
        models.database.execute_sql(
            "SELECT pg_advisory_xact_lock(%s),"
            " set_config('idle_in_transaction_session_timeout', %s, true)",
            (WRITERS_LOCK, str(WRITER_PAUSE_MILLISECONDS)),
        )
        yield


def update_transaction() -> Any:
    """A transaction with the locks of the rows it changes and no other."""
    return models.database.atomic()


def clock() -> int:
    """The server's, which is one for all machines that use it."""
    (instant,) = models.database.execute_sql(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    ).fetchone()
    return int(instant)
