"""What is SQLite's own: connecting, locks, the bulk reads and writes. See `database.Engine`.

One SQLite library serves every access of a process: two copies of it (Python's and a driver's
own) would not see each other's locks on the file (sqlite.org/howtocorrupt.html, section 2.2.1).
Bulk reads therefore go through SQL that packs a store's polls into one text value, which NumPy
parses at once; that is as fast as a columnar driver.

The table of polls has a column of its own here: ``period``, a stretch of about three days. The
key, and so the order on the disk, is (period, store, timestamp): an hour's polls go into the pages
of one period, a report reads a few periods from end to end, both whatever the length of the
history; and a store's month is ten short ranges.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peewee import OperationalError, PeeweeException, SqliteDatabase

from restmon import keys, models
from restmon.errors import DatabaseDamaged, DatabaseUnavailable
from restmon.merged import Merged, compare
from restmon.revisions import new_revision
from restmon.settings import Settings

BUSY_SECONDS = 60
PERIOD_BITS = 38
"""An instant's period is the instant without so many of its last bits."""
POLLS_AT_ONCE = 200_000
ROWS_OF_STATEMENT = 200
STORES_AT_ONCE = 1000
NOTHING = "[]"
TEXT_AT_ONCE = 2**20
"""Parsed in pieces that stay in the processor's cache."""
PRAGMAS = {
    "journal_mode": "wal",
    # FULL: a transaction that was answered is on the disk, also after a power cut.
    "synchronous": "full",
    "foreign_keys": 1,
    "cache_size": -16 * 1024,
    "temp_store": "default",
}

Ints = NDArray[np.int64]
Statuses = NDArray[np.int8]


def connect(settings: Settings) -> SqliteDatabase:
    """The database of the settings; makes its folder when it is missing."""
    path = settings.database_path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(
            f"The folder {path.parent} of the database cannot be made: {error.strerror}.",
            "Make it writable, or set RESTMON_DATABASE_URL to a file elsewhere.",
        ) from None
    return SqliteDatabase(str(path), pragmas=PRAGMAS, timeout=BUSY_SECONDS)


def explain(error: Exception) -> DatabaseUnavailable | None:
    """What the user is told of an error, or None where it is not the database's."""
    path = Path(models.database.database)
    if "not a database" in str(error):
        return DatabaseDamaged(
            f"The file {path} is not an SQLite database.",
            "Set RESTMON_DATABASE_URL to another file, or move this one away.",
        )
    if isinstance(error, PeeweeException | sqlite3.Error) and "malformed" in str(error):
        return DatabaseDamaged(
            f"The database {path} is damaged: {error}.",
            "Stop restmon, restore a backup (python -m restmon restore FILE --force), and check "
            "the disk.",
        )
    if not isinstance(error, OperationalError | sqlite3.Error):
        return None
    writable = os.access(path if path.exists() else path.parent, os.W_OK)
    hint = (
        "Try again; if it persists, check the disk and the file."
        if writable
        else "Make the file and its folder writable, or set RESTMON_DATABASE_URL to another."
    )
    return DatabaseUnavailable(f"The database {path} cannot be used: {error}.", hint)


def read_transaction() -> AbstractContextManager[Any]:
    """A transaction that sees one state of the data."""
    return models.database.atomic("DEFERRED")


def write_transaction() -> AbstractContextManager[Any]:
    """A transaction that takes the file's write lock at its beginning."""
    return models.database.atomic("IMMEDIATE")


def update_transaction() -> AbstractContextManager[Any]:
    """The same: a file has one write lock."""
    return write_transaction()


def connection_lost(error: BaseException) -> bool:
    """Whether another program kept the file locked for so long that the work was broken off."""
    return isinstance(error, OperationalError | sqlite3.OperationalError) and "locked" in str(error)


def newest_poll() -> int | None:
    """The newest poll's instant, or None: one look-up a store, in the newest period."""
    row = models.database.execute_sql(
        "SELECT max((SELECT max(timestamp) FROM poll WHERE store_id = store.id"
        " AND period = (SELECT max(period) FROM poll))) FROM store"
    ).fetchone()
    return None if row is None else row[0]


def fill_periods() -> list[int]:
    """Put the periods that have polls into the connection's temporary table ``poll_period``, and
    return them in the order of time. One look-up each."""
    connection = models.database.connection()
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS poll_period (number INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM poll_period")
    connection.execute(
        "INSERT INTO poll_period WITH RECURSIVE found (number) AS (SELECT min(period) FROM poll"
        " UNION ALL SELECT (SELECT min(period) FROM poll WHERE period > number) FROM found"
        " WHERE number IS NOT NULL) SELECT number FROM found WHERE number IS NOT NULL"
    )
    found = connection.execute("SELECT number FROM poll_period ORDER BY number")
    return [number for (number,) in found]


def fill_ranges(stores: Ints, lo: Ints, hi: Ints) -> None:
    """Put (store, [lo, hi)) ranges, int64 arrays of one length, into the connection's temporary
    table ``poll_range``, numbered from 0 in the order given."""
    connection = models.database.connection()
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS poll_range"
        " (n INTEGER PRIMARY KEY, store_id INTEGER, lo INTEGER, hi INTEGER)"
    )
    connection.execute("DELETE FROM poll_range")
    rows = zip(range(len(stores)), stores.tolist(), lo.tolist(), hi.tolist(), strict=True)
    connection.executemany("INSERT INTO poll_range VALUES (?, ?, ?, ?)", rows)


def _packed(base: str) -> str:
    """One store's polls as a list of numbers: how much later than the base each was made, which
    is at least 1, with a minus sign where it was inactive."""
    return (
        f"json_group_array(CASE status WHEN 1 THEN timestamp - {base} ELSE {base} - timestamp END)"
    )


def _parse(rows: Iterable[tuple[int, str]], base: int) -> tuple[Ints, Ints, Statuses]:
    """(number, timestamp, status) of the polls in rows of (number, packed polls)."""
    numbers: list[int] = []
    texts: list[str] = []
    size = 0
    parts = [_numbers([])]
    for number, text in rows:
        if len(text) > len(NOTHING):
            numbers.append(number)
            texts.append(text[1:-1])
            size += len(text)
        if size >= TEXT_AT_ONCE:
            parts.append(_numbers(texts))
            texts, size = [], 0
    parts.append(_numbers(texts))
    packed, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    number_of = np.repeat(np.array(numbers, np.int64), counts)
    time = np.abs(packed)
    falls = np.flatnonzero(time[1:] <= time[:-1])
    if (number_of[falls + 1] == number_of[falls]).any():
        # An aggregate promises no order, though reading along the key has always given one.
        order = np.lexsort((time, number_of))
        time, packed = time[order], packed[order]
    time += base
    return number_of, time, (packed > 0).view(np.int8)


def _numbers(texts: list[str]) -> tuple[Ints, Ints]:
    """The numbers, none of them 0, in lists separated by commas, and how many each list has."""
    if not texts:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    found = np.fromstring(",0,".join(texts), np.int64, sep=",")
    zeros = np.flatnonzero(found == 0)
    counts = np.diff(zeros, prepend=-1, append=len(found)) - 1
    return np.delete(found, zeros), counts


def _in_range(store: str, lo: str, hi: str) -> str:
    """The FROM and WHERE of one store's polls with lo <= timestamp < hi, by period."""
    return (
        f" FROM poll_period CROSS JOIN poll ON period = number AND poll.store_id = {store}"
        f" AND timestamp >= {lo} AND timestamp < {hi}"
        f" WHERE number BETWEEN {lo} >> {PERIOD_BITS} AND {hi} >> {PERIOD_BITS}"
    )


def polls_of_all(lo: int, hi: int) -> tuple[Ints, Ints, Statuses]:
    """All stores' polls with lo <= timestamp < hi.

    Returns (store's place among all in the order of ``store_id`` as text, int64; timestamp,
    int64 microseconds; status, int8), sorted by the first, then the second.
    """
    fill_periods()
    cursor = models.database.execute_sql(
        f"SELECT (SELECT {_packed('?1')}{_in_range('store.id', '?2', '?3')})"  # noqa: S608 - no values  # nosec B608
        " FROM store ORDER BY store_id",
        (lo - 1, lo, hi),
    )
    return _parse(((n, text) for n, (text,) in enumerate(cursor)), lo - 1)


def polls_in_ranges(
    stores: Ints, lo: Ints, hi: Ints, at_once: int = 1_000_000
) -> Iterator[tuple[Ints, Ints, Statuses]]:
    """The polls of each given (store row id, [lo, hi)) range, about ``at_once`` polls a time.

    Yields (index of the range int64, timestamp int64, status int8), in the order of the ranges,
    then timestamp; a range is never split between two of them.
    """
    fill_periods()
    fill_ranges(stores, lo, hi)
    base = int(lo.min()) - 1 if len(lo) else 0
    cursor = models.database.execute_sql(
        f"SELECT n, (SELECT {_packed('?1')}{_in_range('poll_range.store_id', 'lo', 'hi')})"  # noqa: S608 - no values  # nosec B608
        " FROM poll_range ORDER BY n",
        (base,),
    )
    part: list[tuple[int, str]] = []
    size = 0
    for n, text in cursor:
        if len(text) > len(NOTHING):
            part.append((n, text))
            size += len(text)
        if size >= at_once * 14:
            yield _parse(part, base)
            part, size = [], 0
    if part:
        yield _parse(part, base)


def last_polls_in_ranges(stores: Ints, lo: Ints, hi: Ints) -> tuple[Ints, Ints, Statuses]:
    """The last poll of each given (store row id, [lo, hi)) range that has any.

    Returns (index of the range int64, timestamp int64, status int8), in the order of the ranges.
    One look-up in each period until there is one.
    """
    fill_periods()
    fill_ranges(stores, lo, hi)
    cursor = models.database.execute_sql(
        "SELECT n, (SELECT timestamp * 2 + status"  # noqa: S608 - no values  # nosec B608
        f"{_in_range('poll_range.store_id', 'lo', 'hi')}"
        " ORDER BY number DESC, timestamp DESC LIMIT 1) FROM poll_range ORDER BY n"
    )
    rows = [(n, last) for n, last in cursor if last is not None]
    table = np.array(rows, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1] >> 1, (table[:, 1] & 1).astype(np.int8)


def business_hours(first: str | None = None, end: str | None = None) -> Ints:
    """Each column packed into one text: a row of its own for each line takes twice as long."""
    columns = models.database.execute_sql(
        "SELECT group_concat(store_id), group_concat(day_of_week), group_concat(start_time),"
        " group_concat(end_time) FROM business_hours WHERE ?1 IS NULL OR store_id IN"
        " (SELECT id FROM store WHERE store_id >= ?1 AND (?2 IS NULL OR store_id < ?2))",
        (first, end),
    ).fetchone()
    if columns[0] is None:
        return np.empty((0, 4), np.int64)
    return np.column_stack([np.fromstring(text, np.int64, sep=",") for text in columns])


def insert_polls(stores: Ints, timestamps: Ints, statuses: Statuses) -> None:
    """Insert polls that are not there yet: arrays of one length, sorted by store, then time."""
    connection = models.database.connection()
    period = timestamps >> PERIOD_BITS
    order = keys.order_of_few(period)
    sql, row = "INSERT INTO poll (period, store_id, timestamp, status) VALUES ", "(?, ?, ?, ?)"
    for begin in range(0, len(order), POLLS_AT_ONCE):
        part = order[begin : begin + POLLS_AT_ONCE]
        table = np.column_stack([period[part], stores[part], timestamps[part], statuses[part]])
        # Many rows a statement: what a statement costs by itself is more than a row does.
        whole = len(table) // ROWS_OF_STATEMENT * ROWS_OF_STATEMENT
        connection.executemany(
            sql + ", ".join([row] * ROWS_OF_STATEMENT),
            table[:whole].reshape(-1, 4 * ROWS_OF_STATEMENT).tolist(),
        )
        connection.executemany(sql + row, table[whole:].tolist())


def update_polls(stores: Ints, timestamps: Ints, statuses: Statuses) -> None:
    """Set the statuses of polls that are there: arrays of one length."""
    columns = (statuses, timestamps >> PERIOD_BITS, stores, timestamps)
    models.database.connection().executemany(
        "UPDATE poll SET status = ? WHERE period = ? AND store_id = ? AND timestamp = ?",
        zip(*(column.tolist() for column in columns), strict=True),
    )


def merge_polls(row: Ints, time: Ints, first: Statuses, last: Statuses) -> Merged:
    """Compare with what is stored, then write what differs."""
    compared = compare(row, time, first, last, polls_in_ranges)
    new, changed = compared.new, compared.changed
    if new.all():
        insert_polls(row, time, last)
    elif new.any():
        insert_polls(row[new], time[new], last[new])
    if changed.any():
        update_polls(row[changed], time[changed], last[changed])
    return compared.merged


def set_zones(rows: Ints, zones: list[str]) -> None:
    """Set the time zones of stores."""
    models.database.connection().executemany(
        "UPDATE store SET timezone = ? WHERE id = ?", zip(zones, rows.tolist(), strict=True)
    )


def replace_hours(rows: Ints, hours: Ints) -> None:
    """Put the lines ``hours`` in place of all business hours of the stores ``rows``."""
    connection = models.database.connection()
    connection.executemany(
        "DELETE FROM business_hours WHERE store_id = ?", ((row,) for row in rows.tolist())
    )
    connection.executemany(
        "INSERT INTO business_hours (store_id, day_of_week, start_time, end_time)"
        " VALUES (?, ?, ?, ?)",
        hours.tolist(),
    )


def make_months(instants: Ints) -> None:
    """Nothing: the table of polls is one."""


def tidy() -> None:
    """Nothing: the queries need no statistics."""


def forget(before: int) -> int:
    """Delete in transactions of a part of the stores in one period, so that imports and reports
    get their turn in between."""
    stores = [row for (row,) in models.database.execute_sql("SELECT id FROM store ORDER BY id")]
    deleted = 0
    for period in fill_periods():
        if period << PERIOD_BITS >= before:
            break
        for begin in range(0, len(stores), STORES_AT_ONCE):
            part = stores[begin : begin + STORES_AT_ONCE]
            with write_transaction():
                gone = models.database.execute_sql(
                    "DELETE FROM poll WHERE period = ? AND store_id BETWEEN ? AND ?"
                    " AND timestamp < ?",
                    (period, part[0], part[-1], before),
                ).rowcount
                if gone:
                    new_revision(period << PERIOD_BITS)
            deleted += gone
    return deleted


def vacuum() -> tuple[int, int]:
    """Rewrite the file without the room that deleted rows left; its bytes before and after."""
    path = Path(models.database.database)
    connection = models.database.connection()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.stat().st_size
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, path.stat().st_size
