"""The database: connecting, transactions, migrations, bulk reads and writes.

What differs between SQLite and PostgreSQL is in `sqlite` and `postgres`, two modules with the
functions of :class:`Engine`; everything else asks here and does not know which one it is.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from peewee import Database, PostgresqlDatabase
from playhouse.migrations import Runner

from restmon import models, postgres, sqlite
from restmon.merged import Merged
from restmon.settings import Settings, get_settings

MIGRATIONS = Path(__file__).with_name("migrations")

Ints = NDArray[np.int64]
Statuses = NDArray[np.int8]


class Engine(Protocol):
    """What a database engine does in its own way. The bulk functions expect an open connection;
    they are documented below, under the same names."""

    def connect(self, settings: Settings) -> Database:
        """The Peewee database of the settings; raises DatabaseUnavailable."""

    def explain(self, error: Exception) -> Exception | None:
        """The DatabaseUnavailable that tells a user of the error, None if it is not of the
        database."""

    def read_transaction(self) -> AbstractContextManager[Any]:
        """A transaction whose reads all see one state of the data."""

    def write_transaction(self) -> AbstractContextManager[Any]:
        """A transaction that keeps other such transactions waiting."""

    def update_transaction(self) -> AbstractContextManager[Any]:
        """A transaction for a few rows, which need not wait for a long import."""

    def connection_lost(self, error: BaseException) -> bool:
        """Whether the error says that the server is gone, so that the work may be begun again."""

    def newest_poll(self) -> int | None: ...

    def polls_of_all(self, lo: int, hi: int) -> tuple[Ints, Ints, Statuses]: ...

    def polls_in_ranges(
        self, stores: Ints, lo: Ints, hi: Ints, at_once: int = ...
    ) -> Iterator[tuple[Ints, Ints, Statuses]]: ...

    def last_polls_in_ranges(
        self, stores: Ints, lo: Ints, hi: Ints
    ) -> tuple[Ints, Ints, Statuses]: ...

    def business_hours(self, first: str | None = ..., end: str | None = ...) -> Ints: ...

    def merge_polls(self, row: Ints, time: Ints, first: Statuses, last: Statuses) -> Merged: ...

    def set_zones(self, rows: Ints, zones: list[str]) -> None: ...

    def replace_hours(self, rows: Ints, hours: Ints) -> None: ...

    def make_months(self, instants: Ints) -> None: ...

    def forget(self, before: int) -> int: ...

    def tidy(self) -> None: ...

    def vacuum(self) -> tuple[int, int]: ...


def engine() -> Engine:
    """The engine of the database that is open."""
    return postgres if isinstance(models.database.obj, PostgresqlDatabase) else sqlite


def configure(settings: Settings | None = None) -> None:
    """Bind the models to the database of the settings and bring its schema up to date.

    Makes an SQLite file and its folder when they are missing. Raises
    :class:`~restmon.errors.DatabaseUnavailable`.
    """
    settings = settings or get_settings()
    chosen: Engine = sqlite if settings.uses_sqlite else postgres
    models.database.initialize(chosen.connect(settings))
    with explained():
        migrate()


@contextmanager
def explained() -> Iterator[None]:
    """Turn the database's own errors inside the block into one sentence for the user."""
    try:
        yield
    except Exception as error:
        sentence = told(error)
        if sentence is None:
            raise
        raise sentence from error


def told(error: Exception) -> Exception | None:
    """The DatabaseUnavailable that tells a user of the database's own error; None for others."""
    return engine().explain(error)


@contextmanager
def session() -> Iterator[None]:
    """A connection for the block: the thread's open one, or one opened and closed here."""
    if models.database.is_closed():
        with models.database.connection_context():
            yield
    else:
        yield


@contextmanager
def reading() -> Iterator[None]:
    """A connection and one consistent state of the data for all reads of the block."""
    with session():
        if models.database.in_transaction():
            yield
        else:
            with engine().read_transaction():
                yield


@contextmanager
def writing() -> Iterator[None]:
    """A connection and one transaction that takes the write lock at its beginning."""
    with session(), engine().write_transaction():
        yield


@contextmanager
def updating() -> Iterator[None]:
    """A connection and one transaction for a few rows of reports, imports or shards."""
    with session(), engine().update_transaction():
        yield


def connection_lost(error: BaseException) -> bool:
    """Whether the error says that the database's server is gone: what was begun has changed
    nothing and may be begun again."""
    return engine().connection_lost(error)


def tuples(query: Any) -> list[tuple[Any, ...]]:
    """All rows of a Peewee query as the driver gives them: for many plain columns, without
    Peewee's conversion of every value."""
    return list(models.database.execute(query).fetchall())


def migrate() -> list[str]:
    """Apply the migrations that are missing; returns their names. Safe to call at once from
    several processes."""
    with session():
        runner = Runner(models.database.obj, str(MIGRATIONS))
        if all(migration.applied for migration in runner.status()):
            return []
        with engine().write_transaction():
            return list(runner.up())


def has_polls() -> bool:
    """Whether the database holds any poll."""
    return models.Poll.select(models.Poll.timestamp).limit(1).tuples().first() is not None


def newest_poll() -> int | None:
    """The newest poll's instant, or None."""
    return engine().newest_poll()


def polls_of_all(lo: int, hi: int) -> tuple[Ints, Ints, Statuses]:
    """All stores' polls with lo <= timestamp < hi.

    Returns (store's place among all in the order of ``store_id`` as text, int64; timestamp,
    int64 microseconds; status, int8), sorted by the first, then the second.
    """
    return engine().polls_of_all(lo, hi)


def polls_in_ranges(
    stores: Ints, lo: Ints, hi: Ints, at_once: int = 1_000_000
) -> Iterator[tuple[Ints, Ints, Statuses]]:
    """The polls of each given (store row id, [lo, hi)) range, about ``at_once`` polls a time.

    Yields (index of the range int64, timestamp int64, status int8), in the order of the ranges,
    then timestamp; a range is never split between two of them.
    """
    return engine().polls_in_ranges(stores, lo, hi, at_once)


def last_polls_in_ranges(stores: Ints, lo: Ints, hi: Ints) -> tuple[Ints, Ints, Statuses]:
    """The last poll of each given (store row id, [lo, hi)) range that has any.

    Returns (index of the range int64, timestamp int64, status int8), in the order of the ranges.
    One index look-up a range.
    """
    return engine().last_polls_in_ranges(stores, lo, hi)


def business_hours(first: str | None = None, end: str | None = None) -> Ints:
    """All lines of business hours, int64 of shape (lines, 4): store row id, day of week, start,
    end; in no order. With ``first`` only those of the stores from there up to, not including,
    ``end`` (None: to the last), by ``store_id`` as text."""
    return engine().business_hours(first, end)


def merge_polls(row: Ints, time: Ints, first: Statuses, last: Statuses) -> Merged:
    """Insert polls, or set their status where (store, timestamp) is there with another one.

    Arrays of one length, sorted by store row id and timestamp, no pair twice. ``last`` is what
    is stored; ``first`` what is compared with the stored status for the counts (they differ
    where a file has several lines for one poll). The caller holds the write transaction.
    """
    return engine().merge_polls(row, time, first, last)


def set_zones(rows: Ints, zones: list[str]) -> None:
    """Set the time zones of stores, given by row id."""
    engine().set_zones(rows, zones)


def replace_hours(rows: Ints, hours: Ints) -> None:
    """Delete all business hours of the stores ``rows`` (row ids) and insert the lines ``hours``,
    int64 of shape (lines, 4): store row id, day of week, start, end."""
    engine().replace_hours(rows, hours)


def make_months(instants: Ints) -> None:
    """Make the places for polls of the instants (int64) ahead; polls are stored without, too."""
    with writing():
        engine().make_months(instants)


def forget(before: int) -> int:
    """Delete the polls before an instant; returns how many. Works in several transactions and
    can be stopped and begun again at any point; each puts a revision on record."""
    return engine().forget(before)


def tidy() -> None:
    """After a large import: let the database know what it holds. Not in a transaction."""
    with session():
        engine().tidy()


def vacuum() -> tuple[int, int]:
    """Give back the room that deleted rows left; the database's bytes before and after."""
    return engine().vacuum()
