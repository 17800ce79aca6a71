"""The business hours of a store in one row of bytes, in place of a row a line. A view reads the
lines as before.
"""

from itertools import groupby
from operator import itemgetter
from struct import pack

from peewee import BlobField, ForeignKeyField, Model, SqliteDatabase

from restmon.storage.models import RowId

STORES_AT_ONCE = 20_000
LINES = (
    "SELECT store_id, day_of_week, start_time, end_time FROM business_hours"
    " WHERE store_id >= ? AND store_id < ? ORDER BY store_id, id"
)
INSERT = "INSERT INTO packed_hours (store_id, lines) VALUES (?, ?)"
BYTES = "".join(f"{n:02X}" for n in range(256))


def number(place, on_sqlite):
    """The SQL of the number (int64, little endian) at a place, counted from 0, of the lines."""
    byte = (
        f"(instr(X'{BYTES}', substr(lines, 8 * ({place}) + {{}} + 1, 1)) - 1)"
        if on_sqlite
        else f"get_byte(lines, 8 * ({place}) + {{}})::bigint"
    )
    return " | ".join(f"({byte.format(n)} << {8 * n})" for n in range(8))


def view(on_sqlite):
    """The SQL of the view."""
    # SQLite has no table of numbers: a JSON array of as many items has the keys 0, 1, 2, …
    items = "'[' || substr(replace(hex(zeroblob(length(lines) / 24)), '00', ',0'), 2) || ']'"
    numbers = (
        f"json_each({items}) AS numbers"
        if on_sqlite
        else "LATERAL generate_series(0, length(lines) / 24 - 1) AS numbers (key)"
    )
    day = number("3 * key", on_sqlite)
    return (
        "CREATE VIEW business_hours AS SELECT store_id,"  # noqa: S608 - no values  # nosec B608
        f" {day if on_sqlite else f'({day})::smallint'} AS day_of_week,"
        f" {number('3 * key + 1', on_sqlite)} AS start_time,"
        f" {number('3 * key + 2', on_sqlite)} AS end_time"
        f" FROM packed_hours CROSS JOIN {numbers}"
    )


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Store(Base):
        id = RowId()

    class PackedHours(Base):
        store = ForeignKeyField(Store, on_delete="CASCADE", primary_key=True)
        lines = BlobField()

    db.create_tables([PackedHours])
    on_sqlite = isinstance(db, SqliteDatabase)
    begin, last = db.execute_sql("SELECT min(id), max(id) FROM store").fetchone()
    while begin is not None and begin <= last:
        lines = db.execute_sql(
            LINES.replace("?", db.param), (begin, begin + STORES_AT_ONCE)
        ).fetchall()
        rows = [
            (store, b"".join(pack("<3q", *line[1:]) for line in own))
            for store, own in groupby(lines, itemgetter(0))
        ]
        cursor = db.connection() if on_sqlite else db.connection().cursor()
        if rows:
            cursor.executemany(INSERT.replace("?", db.param), rows)
        begin += STORES_AT_ONCE
    db.execute_sql("DROP TABLE business_hours")
    db.execute_sql(view(on_sqlite))
