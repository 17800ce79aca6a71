"""Reading and writing stores, business hours and time zones in bulk on PostgreSQL."""

import numpy as np
from numpy.typing import NDArray

from restmon.storage import models
from restmon.storage.postgres.binary_format import open_cursor, read_items

Ints = NDArray[np.int64]


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


def add_stores(names: list[str], demo: bool) -> None:
    """One insert from an array."""
    models.database.execute_sql(
        "INSERT INTO store (store_id, demo, hours_unreadable)"
        " SELECT name, %s, FALSE FROM unnest(%s::text[]) WITH ORDINALITY AS new (name, n)"
        " ORDER BY n",
        (demo, names),
    )
