"""Reading and writing stores, business hours and time zones in bulk on PostgreSQL."""

import numpy as np
from numpy.typing import NDArray

from restmon.storage import models
from restmon.storage.packed_hours import pack_hours, unpack_hours

Ints = NDArray[np.int64]


def business_hours(first: str | None = None, end: str | None = None) -> Ints:
    """One select, in binary form: text has two letters for each byte."""
    cursor = models.database.connection().cursor(binary=True)
    packed = cursor.execute(
        "SELECT store_id, lines FROM packed_hours"
        " WHERE %(first)s::text IS NULL OR store_id IN (SELECT id FROM store"
        " WHERE store_id >= %(first)s AND (%(end)s::text IS NULL OR store_id < %(end)s))",
        {"first": first, "end": end},
    )
    return unpack_hours(packed.fetchall())


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
        "DELETE FROM packed_hours WHERE store_id = ANY(%s::integer[])", (rows.tolist(),)
    )
    with (
        models.database.connection().cursor() as cursor,
        cursor.copy("COPY packed_hours (store_id, lines) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.set_types(["int4", "bytea"])
        for row in pack_hours(hours):
            copy.write_row(row)


def add_stores(names: list[str], demo: bool) -> None:
    """One insert from an array."""
    models.database.execute_sql(
        "INSERT INTO store (store_id, demo, hours_unreadable)"
        " SELECT name, %s, FALSE FROM unnest(%s::text[]) WITH ORDINALITY AS new (name, n)"
        " ORDER BY n",
        (demo, names),
    )
