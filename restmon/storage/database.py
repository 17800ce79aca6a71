"""The database: connecting, transactions, migrations, bulk reads and writes.

What differs between SQLite and PostgreSQL is in `sqlite` and `postgres`, two packages with the
functions of `engine.Engine`. Polls lie in blocks on both (`poll_reading`, `poll_writing`). All
other modules call this one and do not know which of them is used.
"""

import logging
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peewee import PostgresqlDatabase
from playhouse.migrations import Runner

from restmon.core.instants import MINUTE
from restmon.errors import DatabaseNewer, DatabaseUnavailable, DatabaseUnusable, RestmonError
from restmon.settings import Settings, get_settings, shown_url
from restmon.storage import models, poll_reading, poll_writing, sqlite
from restmon.storage.engine import Engine, Ints
from restmon.storage.poll_blocks import Statuses
from restmon.storage.upsert import Merged

log = logging.getLogger("restmon.database")
QUEUE_TABLES = {"counter", "kv", "schedule", "task"}
"""Huey's tables. The queue may be in the same file."""
MIGRATIONS = Path(__file__).with_name("migrations")


def engine() -> Engine:
    """The engine of the database that is open."""
    return _engine(uses_sqlite=not isinstance(models.database.obj, PostgresqlDatabase))


def _engine(*, uses_sqlite: bool) -> Engine:
    if uses_sqlite:
        return sqlite
    from restmon.storage import postgres  # noqa: PLC0415 - SQLite does not need psycopg

    return postgres


def configure(settings: Settings | None = None, *, serves: bool = False) -> None:
    """Bind the models to the database of the settings and bring its schema up to date.

    Makes an SQLite file and its folder when they are missing. A process that ``serves`` many
    requests keeps connections and uses them again. Raises
    :class:`~restmon.errors.DatabaseUnavailable`.
    """
    _bind(settings or get_settings(), patient=True, serves=serves)
    with explain_errors():
        migrate()


def check(settings: Settings) -> None:
    """Raise :class:`~restmon.errors.DatabaseUnusable` if somebody must repair the database first.
    Changes nothing. A database that is locked or does not answer passes."""
    try:
        _bind(settings, patient=False)
        with explain_errors(), session():
            refuse_unusable(_runner())
    except DatabaseUnusable:
        raise
    except DatabaseUnavailable as error:
        log.warning("%s", error)


def _bind(settings: Settings, *, patient: bool, serves: bool = False) -> None:
    chosen = _engine(uses_sqlite=settings.uses_sqlite)
    models.database.initialize(chosen.connect(settings, patient=patient, serves=serves))


@contextmanager
def explain_errors(*, thoroughly: bool = False) -> Iterator[None]:
    """Turn the database's own errors inside the block into one sentence for the user.

    ``thoroughly``: after any other error, read the whole database, since damaged data may fail far
    from the database code. That may take minutes, so only the command line does it.
    """
    try:
        yield
    except RestmonError:
        raise
    except Exception as error:
        if models.database.obj is None:
            raise
        sentence = explain(error) or (engine().find_damage() if thoroughly else None)
        if sentence is None:
            raise
        raise sentence from error


def explain(error: Exception) -> Exception | None:
    """A DatabaseUnavailable that explains the database's own error to a user; None for others."""
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
    """Whether the error says that the database's server is gone. Then nothing has changed, and the
    work can start again."""
    return engine().connection_lost(error)


def tuples(query: Any) -> list[tuple[Any, ...]]:
    """All rows of a Peewee query as the driver returns them. Peewee's conversion of each value
    would take longer than the query."""
    return list(models.database.execute(query).fetchall())


def migrate() -> list[str]:
    """Apply the missing migrations and return their names. Several processes may call it at
    once."""
    with session():
        runner = _runner()
        refuse_unusable(runner)
        if all(migration.applied for migration in runner.status()):
            return []
        with engine().write_transaction():
            return list(runner.up())


def _runner() -> Runner:
    return Runner(models.database.obj, str(MIGRATIONS))


def refuse_unusable(runner: Runner) -> None:
    """Raise DatabaseUnusable where the database has migrations that this restmon does not know,
    or is an SQLite file of another program."""
    place = shown_url(str(models.database.database))
    found = runner.status()
    unknown = [migration.name for migration in found if migration.path is None]
    if unknown:
        raise DatabaseNewer(place, max(unknown))
    if engine() is sqlite and not any(migration.applied for migration in found):
        others = set(models.database.get_tables()) - QUEUE_TABLES - {runner.table_name}
        if others:
            raise DatabaseUnusable(
                f"The database {place} belongs to another program: it has the table {min(others)}, "
                "and none of restmon's.",
                "Set RESTMON_DATABASE_URL to another file.",
            )


def has_polls() -> bool:
    """Whether the database holds any poll."""
    return poll_reading.has_polls()


def clock() -> int:
    """The current instant by the clock that all users of the database share: the server's on
    PostgreSQL, this machine's on SQLite."""
    with session():
        return engine().clock()


def latest_instant() -> int:
    """The last instant that is not in the future: this machine's clock plus
    RESTMON_MAX_AHEAD_MINUTES. Imports reject later polls, and the default ``as_of`` ignores
    them."""
    return models.now() + get_settings().max_ahead_minutes * MINUTE


def newest_poll(until: int | None = None) -> int | None:
    """The instant of the newest poll at or before ``until`` (None: :func:`latest_instant`), or
    None where there is no such poll."""
    return poll_reading.newest_poll(latest_instant() if until is None else until)


def oldest_poll() -> int | None:
    """The instant of the oldest poll, or None where there is none."""
    return poll_reading.oldest_poll()


def count_polls(lo: int, hi: int, at_most: int | None = None) -> int:
    """How many polls there are with lo <= timestamp < hi; it stops counting at ``at_most``."""
    return poll_reading.count_polls(lo, hi, at_most)


def polls_of_all(lo: int, hi: int, stores: Ints) -> tuple[Ints, Ints, Statuses]:
    """All stores' polls with lo <= timestamp < hi. ``stores`` has the row ids of all stores.

    Returns (the store's place among them, int64; timestamp, int64 microseconds; status, int8),
    sorted by the first, then the second.
    """
    return poll_reading.polls_of_all(lo, hi, stores)


def start_polls_of_all(lo: int, hi: int, stores: Ints) -> Future[tuple[Ints, Ints, Statuses]]:
    """What `polls_of_all` returns, for later: they are read at once, and put in order by a thread
    while the caller goes on."""
    return poll_reading.start_polls_of_all(lo, hi, stores)


def polls_in_ranges(
    stores: Ints, lo: Ints, hi: Ints, at_once: int = 1_000_000
) -> Iterator[tuple[Ints, Ints, Statuses]]:
    """The polls of each given (store row id, [lo, hi)) range, about ``at_once`` polls a time.

    Yields (index of the range int64, timestamp int64, status int8), in the order of the ranges,
    then timestamp; a range is never split between two of them.
    """
    return poll_reading.polls_in_ranges(stores, lo, hi, at_once)


def last_polls_in_ranges(stores: Ints, lo: Ints, hi: Ints) -> tuple[Ints, Ints, Statuses]:
    """The last poll of each given (store row id, [lo, hi)) range that has any.

    Returns (index of the range int64, timestamp int64, status int8), in the order of the ranges.
    """
    return poll_reading.last_polls_in_ranges(stores, lo, hi)


def business_hours(first: str | None = None, end: str | None = None) -> Ints:
    """All lines of business hours, in no order: int64 of shape (lines, 4), with store row id, day
    of week, start, end. With ``first``, only those of the stores from ``first`` to before ``end``
    (None: to the last), by ``store_id`` as text."""
    return engine().business_hours(first, end)


def merge_polls(row: Ints, time: Ints, first: Statuses, last: Statuses) -> Merged:
    """Insert polls, or change the status of those that are stored with another one.

    The arrays have one length and are sorted by store row id and timestamp, no pair twice. ``last``
    is the status to store. ``first`` is compared with the stored status for the counts; it differs
    from ``last`` where a file has several lines for one poll. The caller holds the write
    transaction.
    """
    return poll_writing.merge_polls(row, time, first, last)


def add_stores(names: list[str], demo: bool) -> None:
    """Insert stores that are not there yet, by their ids."""
    engine().add_stores(names, demo)


def set_zones(rows: Ints, zones: list[str]) -> None:
    """Set the time zones of stores, given by row id."""
    engine().set_zones(rows, zones)


def replace_hours(rows: Ints, hours: Ints) -> None:
    """Delete all business hours of the stores ``rows`` (row ids) and insert the lines ``hours``,
    int64 of shape (lines, 4): store row id, day of week, start, end."""
    engine().replace_hours(rows, hours)


def forget(before: int) -> int:
    """Delete the polls before an instant and return how many. Works in several transactions, each
    with a revision, so it may stop and start again at any point."""
    forgotten = poll_writing.forget(before, writing)
    with writing():
        models.PollReason.delete().where(models.PollReason.timestamp < before).execute()
    return forgotten


def set_statuses(stores: Ints, instants: Ints, statuses: Statuses) -> None:
    """Set the statuses of stored polls. The arrays have one length; ``stores`` are row ids."""
    if len(stores):
        poll_writing.set_statuses(stores, instants, statuses)


def delete_polls(lo: int, hi: int) -> int:
    """Delete all stores' polls with lo <= timestamp < hi, and their reasons; returns how many. The
    caller holds the write transaction and adds a revision."""
    deleted = poll_writing.delete_polls(lo, hi)
    reasons = models.PollReason
    reasons.delete().where((reasons.timestamp >= lo) & (reasons.timestamp < hi)).execute()
    return deleted


def delete_polls_in_ranges(stores: Ints, lo: Ints, hi: Ints) -> int:
    """Delete the polls of each (store row id, [lo, hi)) range, and their reasons; returns how many.
    No two ranges overlap. The caller holds the write transaction and adds a revision."""
    deleted = poll_writing.delete_polls_in_ranges(stores, lo, hi) if len(stores) else 0
    if deleted and models.PollReason.select(models.PollReason.store).limit(1).exists():
        _delete_reasons(stores, lo, hi)
    return deleted


def delete_polls_of(stores: list[int]) -> int:
    """Delete all polls of stores (row ids), and their reasons; returns how many. The caller holds
    the write transaction and adds a revision."""
    import numpy as np  # noqa: PLC0415 - who asks for a report's state does not need it

    rows = np.array(sorted(stores), np.int64)
    return delete_polls_in_ranges(rows, np.full_like(rows, -(2**62)), np.full_like(rows, 2**62))


def _delete_reasons(stores: Ints, lo: Ints, hi: Ints) -> None:
    reasons = models.PollReason
    for store, begin, end in zip(stores.tolist(), lo.tolist(), hi.tolist(), strict=True):
        own = (reasons.store == store) & (reasons.timestamp >= begin) & (reasons.timestamp < end)
        reasons.delete().where(own).execute()


def have_rows(*tables: type[models.BaseModel]) -> bool:
    """Whether any of the tables has a row. The caller holds a connection."""
    names = (table._meta.table_name for table in tables)
    parts = (f'EXISTS(SELECT 1 FROM "{name}")' for name in names)  # noqa: S608 - names  # nosec B608
    query = f"SELECT {' OR '.join(parts)}"
    return bool(models.database.execute_sql(query).fetchone()[0])


def table_size(model: type[models.BaseModel]) -> int:
    """About how many bytes the rows of a model take in the database."""
    return engine().table_size(str(model._meta.table_name))


def size() -> int:
    """The bytes of the database on the disk."""
    return engine().size()


def tidy() -> None:
    """Update the database's statistics after a large import. Not in a transaction."""
    with session():
        engine().tidy()


def vacuum() -> tuple[int, int]:
    """Give back the space of deleted rows. Returns the database's bytes before and after."""
    return engine().vacuum()
