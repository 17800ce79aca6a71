"""Reading and writing polls and business hours in bulk on PostgreSQL.

The only index of polls, (store, timestamp) with the status in it, holds all of a poll: one store's
range of time is one range of index pages, and the table itself is not read. A bulk read lets the
server pack each store's polls into one array, which NumPy takes over in its binary form: a row of
its own for each poll would cost ten times as much in the driver.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.storage import models
from restmon.storage.postgres.binary_format import ITEM, copy_polls, open_cursor, read_items
from restmon.storage.postgres.connection import run
from restmon.storage.postgres.partitions import make_months, partitions
from restmon.storage.upsert import Merged, compare_with_stored

Ints = NDArray[np.int64]
Statuses = NDArray[np.int8]
FETCHED_AT_ONCE = 1000


def _unpack(rows: Iterable[tuple[int, bytes]], base: int) -> tuple[Ints, Ints, Statuses]:
    """(number, timestamp, status) of the polls in rows of (number, items of an array).

    An item holds one poll as ``(timestamp - base) * 2 + status``: with the base 1000, the item 7
    is a poll at 1003 that was active.
    """
    numbers: list[int] = []
    arrays: list[bytes] = []
    for number, array in rows:
        numbers.append(number)
        arrays.append(array)
    if not arrays:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int8)
    counts = np.fromiter(map(len, arrays), np.int64, len(arrays)) // ITEM.itemsize
    packed = read_items(b"".join(arrays))
    number_of = np.repeat(np.array(numbers, np.int64), counts)
    falls = np.flatnonzero(packed[1:] <= packed[:-1])
    if (number_of[falls + 1] == number_of[falls]).any():
        # array_agg promises no order; read along the index, partition by partition, it has one.
        packed = packed[np.lexsort((packed, number_of))]
    return number_of, (packed >> 1) + base, (packed & 1).astype(np.int8)


def newest_poll(until: int) -> int | None:
    """One index look-up a store, in the newest month that has such a poll."""
    for name, lo, _ in reversed(partitions()):
        if lo is not None and lo > until:
            continue
        (newest,) = models.database.execute_sql(
            f"SELECT max((SELECT max(timestamp) FROM {name} WHERE store_id = store.id"  # noqa: S608 - a partition's name  # nosec B608
            " AND timestamp <= %s)) FROM store",
            (until,),
        ).fetchone()
        if newest is not None:
            return int(newest)
    return None


def count_polls(lo: int, hi: int, at_most: int | None = None) -> int:
    """Some months' rows, or the first of them."""
    (count,) = models.database.execute_sql(
        "SELECT count(*) FROM (SELECT 1 FROM poll WHERE timestamp >= %s AND timestamp < %s"
        " LIMIT %s::bigint) AS found",
        (lo, hi, at_most),
    ).fetchone()
    return int(count)


def polls_of_all(lo: int, hi: int) -> tuple[Ints, Ints, Statuses]:
    """One range of the index a store and month."""
    cursor = open_cursor().execute(
        "SELECT (SELECT array_agg((timestamp - %(lo)s::bigint) * 2 + status) FROM poll"
        " WHERE store_id = store.id AND timestamp >= %(lo)s AND timestamp < %(hi)s)"
        " FROM store ORDER BY store_id",
        {"lo": lo, "hi": hi},
    )
    return _unpack(((n, array) for n, (array,) in enumerate(cursor) if array is not None), lo)


_RANGES = " FROM unnest(%(store)s, %(lo)s, %(hi)s) WITH ORDINALITY AS r (store, lo, hi, n)"

# The bounds of all ranges let the planner leave out the months that none of them touches.
_IN_RANGE = (
    " FROM poll WHERE store_id = r.store AND timestamp >= r.lo AND timestamp < r.hi"
    " AND timestamp >= %(first)s AND timestamp < %(end)s"
)


def _ranges(stores: Ints, lo: Ints, hi: Ints) -> dict[str, Any]:
    bounds = {"first": int(lo.min()), "end": int(hi.max())} if len(lo) else {"first": 0, "end": 0}
    return {"store": stores, "lo": lo, "hi": hi, **bounds}


def polls_in_ranges(
    stores: Ints, lo: Ints, hi: Ints, at_once: int = 1_000_000
) -> Iterator[tuple[Ints, Ints, Statuses]]:
    """One range of the index each, fetched by a cursor on the server."""
    values = _ranges(stores, lo, hi)
    part: list[tuple[int, bytes]] = []
    size = 0
    with open_cursor("polls_in_ranges") as cursor:
        cursor.itersize = FETCHED_AT_ONCE
        cursor.execute(
            "SELECT r.n - 1, (SELECT array_agg((timestamp - %(first)s::bigint) * 2 + status)"
            f"{_IN_RANGE}) {_RANGES}",
            values,
        )
        for number, array in cursor:
            if array is None:
                continue
            part.append((number, array))
            size += len(array)
            if size >= at_once * ITEM.itemsize:
                yield _unpack(part, values["first"])
                part, size = [], 0
    if part:
        yield _unpack(part, values["first"])


def last_polls_in_ranges(stores: Ints, lo: Ints, hi: Ints) -> tuple[Ints, Ints, Statuses]:
    """One index look-up each, from the newest month back."""
    rows = open_cursor().execute(
        f"SELECT r.n - 1, p.timestamp, p.status {_RANGES} CROSS JOIN LATERAL"
        f" (SELECT timestamp, status {_IN_RANGE} ORDER BY timestamp DESC LIMIT 1) AS p ORDER BY 1",
        _ranges(stores, lo, hi),
    )
    table = np.array(rows.fetchall(), np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2].astype(np.int8)


def business_hours(first: str | None = None, end: str | None = None) -> Ints:
    """Each column packed into one array."""
    cursor = open_cursor().execute(
        "SELECT array_agg(store_id::bigint), array_agg(day_of_week::bigint),"
        " array_agg(start_time), array_agg(end_time) FROM business_hours"
        " WHERE %(first)s::text IS NULL OR store_id IN (SELECT id FROM store"
        " WHERE store_id >= %(first)s AND (%(end)s::text IS NULL OR store_id < %(end)s))",
        {"first": first, "end": end},
    )
    columns = cursor.fetchone()
    if columns[0] is None:
        return np.empty((0, 4), np.int64)
    return np.column_stack([read_items(array) for array in columns])


def merge_polls(row: Ints, time: Ints, first: Statuses, last: Statuses) -> Merged:
    """COPY new polls straight into the table, and polls with another status into a staging table
    for one update. (Measured on 1.7 million polls: 5.5 s. With all of them in a staging table and
    one upsert from there: 31 s.) The caller holds the lock, so no other writer interferes.
    """
    compared = compare_with_stored(row, time, first, last, polls_in_ranges)
    new, changed = compared.new, compared.changed
    if new.any():
        add_polls(row[new], time[new], last[new])
    if changed.any():
        set_statuses(row[changed], time[changed], last[changed])
    return compared.merged


def set_statuses(row: Ints, time: Ints, status: Statuses) -> None:
    """One update from a staging table."""
    run("DROP TABLE IF EXISTS staging")
    run(
        "CREATE TEMP TABLE staging (timestamp bigint, store_id integer, status smallint)"
        " ON COMMIT DROP"
    )
    copy_polls("staging", row, time, status)
    run("ANALYZE staging")
    models.database.execute_sql(
        "UPDATE poll SET status = staging.status FROM staging"
        " WHERE poll.store_id = staging.store_id AND poll.timestamp = staging.timestamp"
        " AND poll.timestamp BETWEEN %s AND %s",
        (int(time.min()), int(time.max())),
    )


def delete_polls_in_ranges(stores: Ints, lo: Ints, hi: Ints) -> int:
    """One delete, by a range of the index each."""
    cursor = open_cursor().execute(
        "DELETE FROM poll USING unnest(%(store)s, %(lo)s, %(hi)s) AS r (store, lo, hi)"
        " WHERE poll.store_id = r.store AND timestamp >= r.lo"
        " AND timestamp < r.hi AND timestamp >= %(first)s AND timestamp < %(end)s",
        _ranges(stores, lo, hi),
    )
    return int(cursor.rowcount)


def add_polls(row: Ints, time: Ints, status: Statuses) -> None:
    """Insert polls that are not there yet: arrays of one length."""
    make_months(time)
    copy_polls("poll", row, time, status)


def set_zones(rows: Ints, zones: list[str]) -> None:
    """One update from two arrays."""
    models.database.execute_sql(
        "UPDATE store SET timezone = new.zone"
        " FROM unnest(%s::integer[], %s::text[]) AS new (id, zone) WHERE store.id = new.id",
        (rows.tolist(), zones),
    )


def replace_hours(rows: Ints, hours: Ints) -> None:
    """One delete and one COPY."""
    models.database.execute_sql(
        "DELETE FROM business_hours WHERE store_id = ANY(%s::integer[])", (rows.tolist(),)
    )
    with (
        models.database.connection().cursor() as cursor,
        cursor.copy(
            "COPY business_hours (store_id, day_of_week, start_time, end_time) FROM STDIN"
        ) as copy,
    ):
        for line in hours.tolist():
            copy.write_row(line)
