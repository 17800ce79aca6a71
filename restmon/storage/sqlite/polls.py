"""Reading and writing polls and business hours in bulk on SQLite.

The table of polls has a column of its own here: ``period``, a stretch of about three days (2**38
microseconds). The key, and so the order on the disk, is (period, store, timestamp)::

    period 5841 | store 1: poll poll poll | store 2: poll poll poll | ...
    period 5842 | store 1: poll poll poll | store 2: poll poll poll | ...

An hour's polls go into the pages of one period, and a report reads a few periods from end to end,
both whatever the length of the history. A store's month is ten short ranges.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from restmon.core import keys
from restmon.storage import models
from restmon.storage.revisions import new_revision
from restmon.storage.sqlite.connection import write_transaction
from restmon.storage.sqlite.packed_polls import CHARACTERS_OF_A_POLL, EMPTY, pack, unpack
from restmon.storage.upsert import Merged, compare_with_stored

Ints = NDArray[np.int64]
Statuses = NDArray[np.int8]

PERIOD_BITS = 38
"""An instant's period is the instant without so many of its last bits."""

POLLS_AT_ONCE = 200_000

ROWS_OF_STATEMENT = 200

STORES_AT_ONCE = 1000


def newest_poll(until: int) -> int | None:
    """One look-up a store, in the newest period that has such a poll."""
    period = until >> PERIOD_BITS
    while True:
        (period,) = models.database.execute_sql(
            "SELECT max(period) FROM poll WHERE period <= ?", (period,)
        ).fetchone()
        if period is None:
            return None
        (newest,) = models.database.execute_sql(
            "SELECT max((SELECT max(timestamp) FROM poll WHERE store_id = store.id"
            " AND period = ? AND timestamp <= ?)) FROM store",
            (period, until),
        ).fetchone()
        if newest is not None:
            return int(newest)
        period -= 1


def count_polls(lo: int, hi: int, at_most: int | None = None) -> int:
    """One stretch of the file, or its beginning."""
    (count,) = models.database.execute_sql(
        "SELECT count(*) FROM (SELECT 1 FROM poll WHERE period BETWEEN ? AND ?"
        " AND timestamp >= ? AND timestamp < ? LIMIT ?)",
        (lo >> PERIOD_BITS, hi >> PERIOD_BITS, lo, hi, -1 if at_most is None else at_most),
    ).fetchone()
    return int(count)


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


def _in_range(store: str, lo: str, hi: str) -> str:
    """The FROM and WHERE of one store's polls with lo <= timestamp < hi, by period."""
    return (
        f" FROM poll_period CROSS JOIN poll ON period = number AND poll.store_id = {store}"
        f" AND timestamp >= {lo} AND timestamp < {hi}"
        f" WHERE number BETWEEN {lo} >> {PERIOD_BITS} AND {hi} >> {PERIOD_BITS}"
    )


def polls_of_all(lo: int, hi: int) -> tuple[Ints, Ints, Statuses]:
    """One range of the key a store and period."""
    fill_periods()
    cursor = models.database.execute_sql(
        f"SELECT (SELECT {pack('?1')}{_in_range('store.id', '?2', '?3')})"  # noqa: S608 - no values  # nosec B608
        " FROM store ORDER BY store_id",
        (lo - 1, lo, hi),
    )
    return unpack(((n, text) for n, (text,) in enumerate(cursor)), lo - 1)


def polls_in_ranges(
    stores: Ints, lo: Ints, hi: Ints, at_once: int = 1_000_000
) -> Iterator[tuple[Ints, Ints, Statuses]]:
    """One range of the key each, and period."""
    fill_periods()
    fill_ranges(stores, lo, hi)
    base = int(lo.min()) - 1 if len(lo) else 0
    cursor = models.database.execute_sql(
        f"SELECT n, (SELECT {pack('?1')}{_in_range('poll_range.store_id', 'lo', 'hi')})"  # noqa: S608 - no values  # nosec B608
        " FROM poll_range ORDER BY n",
        (base,),
    )
    part: list[tuple[int, str]] = []
    size = 0
    for n, text in cursor:
        if len(text) > len(EMPTY):
            part.append((n, text))
            size += len(text)
        if size >= at_once * CHARACTERS_OF_A_POLL:
            yield unpack(part, base)
            part, size = [], 0
    if part:
        yield unpack(part, base)


def last_polls_in_ranges(stores: Ints, lo: Ints, hi: Ints) -> tuple[Ints, Ints, Statuses]:
    """One look-up in each period, from the newest back, until there is one."""
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


def set_statuses(stores: Ints, timestamps: Ints, statuses: Statuses) -> None:
    """One update each."""
    columns = (statuses, timestamps >> PERIOD_BITS, stores, timestamps)
    models.database.connection().executemany(
        "UPDATE poll SET status = ? WHERE period = ? AND store_id = ? AND timestamp = ?",
        zip(*(column.tolist() for column in columns), strict=True),
    )


def merge_polls(row: Ints, time: Ints, first: Statuses, last: Statuses) -> Merged:
    """Compare with what is stored, then write what differs."""
    compared = compare_with_stored(row, time, first, last, polls_in_ranges)
    new, changed = compared.new, compared.changed
    if new.all():
        insert_polls(row, time, last)
    elif new.any():
        insert_polls(row[new], time[new], last[new])
    if changed.any():
        set_statuses(row[changed], time[changed], last[changed])
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


def delete_polls(lo: int, hi: int) -> int:
    """One delete from the periods of that time."""
    cursor = models.database.execute_sql(
        "DELETE FROM poll WHERE period BETWEEN ? AND ? AND timestamp >= ? AND timestamp < ?",
        (lo >> PERIOD_BITS, hi >> PERIOD_BITS, lo, hi),
    )
    return int(cursor.rowcount)


def delete_polls_in_ranges(stores: Ints, lo: Ints, hi: Ints) -> int:
    """One delete a range and period that has polls."""
    connection = models.database.connection()
    deleted = 0
    for period in fill_periods():
        in_period = ((lo >> PERIOD_BITS) <= period) & ((hi >> PERIOD_BITS) >= period)
        columns = (stores[in_period], lo[in_period], hi[in_period])
        deleted += connection.executemany(
            f"DELETE FROM poll WHERE period = {period} AND store_id = ?"  # noqa: S608 - a number  # nosec B608
            " AND timestamp >= ? AND timestamp < ?",
            zip(*(column.tolist() for column in columns), strict=True),
        ).rowcount
    return deleted
