"""What is PostgreSQL's own: connecting, locks, partitions, the bulk reads and writes. See
`database.Engine`.

Polls are partitioned by month. Their only index, (store, timestamp) with the status in it, holds
all of a poll: one store's range of time is one range of index pages, and the table itself is not
read. A bulk read lets the server pack each store's polls into one array, which NumPy takes over
in its binary form: a row of its own for each poll would cost ten times as much in the driver.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from peewee import InterfaceError, OperationalError
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase
from psycopg import sql
from psycopg.adapt import Dumper, Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Format

from restmon import models
from restmon.errors import DatabaseUnavailable
from restmon.merged import Merged, compare
from restmon.revisions import new_revision
from restmon.settings import Settings, shown_url

Ints = NDArray[np.int64]
Statuses = NDArray[np.int8]

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
FIRST_MONTH, END_OF_MONTHS = np.datetime64("2000-01"), np.datetime64("2100-01")
"""Polls outside stand in two partitions of their own, whatever a file may hold."""
UNFIT = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ReadOnlySqlTransaction,
)
"""A database that answers, but is not, or may not be used, as restmon made it."""
LARGE = 200_000
ROWS_AT_ONCE = 1000

INT8, INT8_ARRAY = 20, 1016
_ITEM = np.dtype([("length", ">i4"), ("value", ">i8")])
_ARRAY_HEADER = 20
_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
_COPY_END = b"\xff\xff"
_COPY_ROW = np.dtype(
    [
        ("columns", ">i2"),
        ("length_1", ">i4"),
        ("timestamp", ">i8"),
        ("length_2", ">i4"),
        ("store", ">i4"),
        ("length_3", ">i4"),
        ("status", ">i2"),
    ]
)


class _ArrayDumper(Dumper):
    """An int64 NumPy array as a parameter, in PostgreSQL's binary form of ``bigint[]``."""

    format = Format.BINARY
    oid = INT8_ARRAY

    def dump(self, obj: Ints) -> bytes:
        header = np.array([1, 0, INT8, len(obj), 1], ">i4").tobytes()
        items = np.empty(len(obj), _ITEM)
        items["length"], items["value"] = 8, obj
        return header + items.tobytes()


class _ArrayLoader(Loader):
    """A ``bigint[]`` without NULLs, as the bytes of its items."""

    format = Format.BINARY

    def load(self, data: Any) -> bytes:
        return bytes(data[_ARRAY_HEADER:])


def connection_parameters(url: str) -> dict[str, Any]:
    """The parameters of a connection beside its URL, which wins where it names them."""
    given = conninfo_to_dict(url)
    return {name: value for name, value in CONNECTION.items() if name not in given}


def connect(settings: Settings) -> PooledPostgresqlDatabase:
    """The database of the settings, with connections that are used again."""
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
    """What the user is told of an error, or None where it is not the database's."""
    if isinstance(getattr(error, "orig", error), UNFIT):  # Peewee's error holds the driver's
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


# --- partitions -----------------------------------------------------------------------------------


def partitions() -> list[tuple[str, int | None, int | None]]:
    """(name, from, to) of the partitions in the order of time; None where there is no bound."""
    found = models.database.execute_sql(
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits"
        " JOIN pg_class AS c ON c.oid = inhrelid WHERE inhparent = 'poll'::regclass"
    ).fetchall()
    bounds = []
    for name, text in found:
        lo, hi = (
            None if "VALUE" in part else int(part.strip("() '"))
            for part in text.removeprefix("FOR VALUES FROM ").split(" TO ")
        )
        bounds.append((name, lo, hi))
    return sorted(bounds, key=lambda b: float("-inf") if b[1] is None else b[1])


def microseconds(month: np.datetime64) -> int:
    """The instant at which a month begins, UTC."""
    return int(month.astype("datetime64[us]").astype(np.int64))


def make_months(instants: Ints) -> None:
    """Make the partitions of the instants' months where they are missing. Reports may run
    meanwhile: a table that is attached locks out no reader. The caller holds the writers' lock."""
    months = np.unique(instants.astype("datetime64[us]").astype("datetime64[M]"))
    months = months[(months >= FIRST_MONTH) & (months < END_OF_MONTHS)]
    there = {name for name, _, _ in partitions()}
    for month in months:
        name = f"poll_{month}".replace("-", "_")
        if name in there:
            continue
        made = sql.SQL(
            "CREATE TABLE {name} (LIKE poll INCLUDING ALL)"
            " WITH (autovacuum_vacuum_insert_scale_factor = 0.02);"
            "ALTER TABLE poll ATTACH PARTITION {name} FOR VALUES FROM ({lo}) TO ({hi})"
        ).format(
            name=sql.Identifier(name),
            lo=sql.Literal(microseconds(month)),
            hi=sql.Literal(microseconds(month + 1)),
        )
        _run(made)


def forget(before: int) -> int:
    """Drop the months that are over before the instant, then delete what is left of its own."""
    deleted = 0
    for name, lo, hi in partitions():
        if hi is None or hi > before or lo is None:
            continue
        with write_transaction():
            table = sql.Identifier(name)
            counted = _run(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
            _run(sql.SQL("DROP TABLE {}").format(table))
            new_revision(polls_from=lo)
            deleted += counted[0] if counted else 0
    with write_transaction():
        rest = models.Poll.delete().where(models.Poll.timestamp < before).execute()
        if rest:
            new_revision(polls_from=0)
    return deleted + int(rest)


def vacuum() -> tuple[int, int]:
    """Rewrite the oldest month, the one that the retention deletes from, and vacuum the rest."""
    size = (
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
    )
    before = models.database.execute_sql(size).fetchone()[0]
    months = [name for name, lo, hi in partitions() if lo is not None and hi is not None]
    if months:
        _run(sql.SQL("VACUUM (FULL) {}").format(sql.Identifier(months[0])))
    _run("VACUUM (ANALYZE)")
    return int(before), int(models.database.execute_sql(size).fetchone()[0])


def _run(statement: Any) -> Any:
    return models.database.connection().execute(statement)


# --- reading --------------------------------------------------------------------------------------


def _cursor(name: str = "") -> Any:
    """A cursor that takes NumPy arrays as parameters and gives arrays as bytes."""
    cursor = models.database.connection().cursor(name, binary=True)
    cursor.adapters.register_dumper(np.ndarray, _ArrayDumper)
    cursor.adapters.register_loader(INT8_ARRAY, _ArrayLoader)
    return cursor


def _parse(rows: Iterable[tuple[int, bytes]], base: int) -> tuple[Ints, Ints, Statuses]:
    numbers: list[int] = []
    arrays: list[bytes] = []
    for number, array in rows:
        numbers.append(number)
        arrays.append(array)
    if not arrays:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int8)
    counts = np.fromiter(map(len, arrays), np.int64, len(arrays)) // _ITEM.itemsize
    packed = np.frombuffer(b"".join(arrays), _ITEM)["value"].astype(np.int64)
    number_of = np.repeat(np.array(numbers, np.int64), counts)
    falls = np.flatnonzero(packed[1:] <= packed[:-1])
    if (number_of[falls + 1] == number_of[falls]).any():
        # array_agg promises no order; read along the index, partition by partition, it has one.
        packed = packed[np.lexsort((packed, number_of))]
    return number_of, (packed >> 1) + base, (packed & 1).astype(np.int8)


def newest_poll() -> int | None:
    """One index look-up a store, in the newest month that has polls."""
    for name, _, _ in reversed(partitions()):
        found = _run(
            sql.SQL(
                "SELECT max((SELECT max(timestamp) FROM {} WHERE store_id = store.id)) FROM store"
            ).format(sql.Identifier(name))
        ).fetchone()
        if found and found[0] is not None:
            return int(found[0])
    return None


def polls_of_all(lo: int, hi: int) -> tuple[Ints, Ints, Statuses]:
    """One range of the index a store and month."""
    cursor = _cursor().execute(
        "SELECT (SELECT array_agg((timestamp - %(lo)s::bigint) * 2 + status) FROM poll"
        " WHERE store_id = store.id AND timestamp >= %(lo)s AND timestamp < %(hi)s)"
        " FROM store ORDER BY store_id",
        {"lo": lo, "hi": hi},
    )
    return _parse(((n, array) for n, (array,) in enumerate(cursor) if array is not None), lo)


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
    with _cursor("polls_in_ranges") as cursor:
        cursor.itersize = ROWS_AT_ONCE
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
            if size >= at_once * _ITEM.itemsize:
                yield _parse(part, values["first"])
                part, size = [], 0
    if part:
        yield _parse(part, values["first"])


def last_polls_in_ranges(stores: Ints, lo: Ints, hi: Ints) -> tuple[Ints, Ints, Statuses]:
    """One index look-up each, from the newest month back."""
    rows = _cursor().execute(
        f"SELECT r.n - 1, p.timestamp, p.status {_RANGES} CROSS JOIN LATERAL"
        f" (SELECT timestamp, status {_IN_RANGE} ORDER BY timestamp DESC LIMIT 1) AS p ORDER BY 1",
        _ranges(stores, lo, hi),
    )
    table = np.array(rows.fetchall(), np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2].astype(np.int8)


def business_hours(first: str | None = None, end: str | None = None) -> Ints:
    """Each column packed into one array."""
    cursor = _cursor().execute(
        "SELECT array_agg(store_id::bigint), array_agg(day_of_week::bigint),"
        " array_agg(start_time), array_agg(end_time) FROM business_hours"
        " WHERE %(first)s::text IS NULL OR store_id IN (SELECT id FROM store"
        " WHERE store_id >= %(first)s AND (%(end)s::text IS NULL OR store_id < %(end)s))",
        {"first": first, "end": end},
    )
    columns = cursor.fetchone()
    if columns[0] is None:
        return np.empty((0, 4), np.int64)
    return np.column_stack(
        [np.frombuffer(array, _ITEM)["value"].astype(np.int64) for array in columns]
    )


# --- writing --------------------------------------------------------------------------------------


def merge_polls(row: Ints, time: Ints, first: Statuses, last: Statuses) -> Merged:
    """COPY what is new straight into the table, and what has another status into a staging table
    for one update. (Measured on 1.7 million polls: 5.5 s; all of them into a staging table, then
    one upsert from there, 31 s.) No other writer can come in between: the caller holds the lock.
    """
    compared = compare(row, time, first, last, polls_in_ranges)
    new, changed = compared.new, compared.changed
    if new.any():
        add_polls(row[new], time[new], last[new])
    if changed.any():
        _run("DROP TABLE IF EXISTS staging")
        _run(
            "CREATE TEMP TABLE staging (timestamp bigint, store_id integer, status smallint)"
            " ON COMMIT DROP"
        )
        _copy("staging", row[changed], time[changed], last[changed])
        _run("ANALYZE staging")
        models.database.execute_sql(
            "UPDATE poll SET status = staging.status FROM staging"
            " WHERE poll.store_id = staging.store_id AND poll.timestamp = staging.timestamp"
            " AND poll.timestamp BETWEEN %s AND %s",
            (int(time[changed].min()), int(time[changed].max())),
        )
    return compared.merged


def add_polls(row: Ints, time: Ints, status: Statuses) -> None:
    """Insert polls that are not there yet: arrays of one length."""
    make_months(time)
    _copy("poll", row, time, status)


def _copy(table: str, row: Ints, time: Ints, status: Statuses) -> None:
    target = sql.SQL("COPY {} (timestamp, store_id, status) FROM STDIN (FORMAT BINARY)")
    with (
        models.database.connection().cursor() as cursor,
        cursor.copy(target.format(sql.Identifier(table))) as copy,
    ):
        copy.write(_COPY_HEADER)
        for begin in range(0, len(row), LARGE):
            part = slice(begin, begin + LARGE)
            rows = np.empty(len(row[part]), _COPY_ROW)
            rows["columns"], rows["length_1"], rows["length_2"], rows["length_3"] = 3, 8, 4, 2
            rows["timestamp"], rows["store"], rows["status"] = time[part], row[part], status[part]
            copy.write(rows.tobytes())
        copy.write(_COPY_END)


def tidy() -> None:
    """Let the index alone answer for polls that were just imported, before autovacuum does."""
    for name, _, _ in partitions():
        _run(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(name)))


def set_zones(rows: Ints, zones: list[str]) -> None:
    """One update from two arrays."""
    models.database.execute_sql(
        "UPDATE store SET timezone = new.zone"
        " FROM unnest(%s::integer[], %s::text[]) AS new (id, zone) WHERE store.id = new.id",
        (rows.tolist(), zones),
    )


def replace_hours(rows: Ints, hours: Ints) -> None:
    """One delete and one COPY."""
    _run_many = models.database.execute_sql
    _run_many("DELETE FROM business_hours WHERE store_id = ANY(%s::integer[])", (rows.tolist(),))
    with (
        models.database.connection().cursor() as cursor,
        cursor.copy(
            "COPY business_hours (store_id, day_of_week, start_time, end_time) FROM STDIN"
        ) as copy,
    ):
        for line in hours.tolist():
            copy.write_row(line)
