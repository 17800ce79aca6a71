"""Connecting to PostgreSQL, its errors, locks and transactions, and its sizes."""

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
    # Compiling a plan costs more than it saves: the queries are short, or one loop over an index.
    "options": "-c jit=off",
}

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
    if isinstance(getattr(error, "orig", error), UNUSABLE):  # Peewee's error holds the driver's
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
    return isinstance(error, lost)


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
        models.database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (WRITERS_LOCK,))
        yield


def update_transaction() -> Any:
    """A transaction with the locks of the rows it changes and no other."""
    return models.database.atomic()


def run(statement: Any) -> Any:
    """Execute a statement composed by psycopg; returns its cursor."""
    return models.database.connection().execute(statement)


def clock() -> int:
    """The server's, which is one for all machines that use it."""
    (instant,) = models.database.execute_sql(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    ).fetchone()
    return int(instant)


def table_size(table: str) -> int:
    """The bytes of the table on the disk, with its indexes."""
    (size,) = models.database.execute_sql(
        "SELECT pg_total_relation_size(%s::regclass)", (f'"{table}"',)
    ).fetchone()
    return int(size)


def size() -> int:
    """The whole database's."""
    (size,) = models.database.execute_sql("SELECT pg_database_size(current_database())").fetchone()
    return int(size)
