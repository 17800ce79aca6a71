"""Reading and writing stores, business hours and time zones in bulk on SQLite."""

import numpy as np
from numpy.typing import NDArray

from restmon.storage import models

Ints = NDArray[np.int64]

ROWS_OF_STATEMENT = 200


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


def set_zones(rows: Ints, zones: list[str]) -> None:
    """Set the time zones of stores."""
    models.database.connection().executemany(
        "UPDATE store SET timezone = ? WHERE id = ?", zip(zones, rows.tolist(), strict=True)
    )


def replace_hours(rows: Ints, hours: Ints) -> None:
    """Put the lines ``hours`` in place of all business hours of the stores ``rows``."""
    connection = models.database.connection()
    if connection.execute("SELECT 1 FROM business_hours LIMIT 1").fetchone():
        connection.executemany(
            "DELETE FROM business_hours WHERE store_id = ?", ((row,) for row in rows.tolist())
        )
    sql = "INSERT INTO business_hours (store_id, day_of_week, start_time, end_time) VALUES "
    row = "(?, ?, ?, ?)"
    # Many rows a statement: what a statement costs by itself is more than a row does.
    whole = len(hours) // ROWS_OF_STATEMENT * ROWS_OF_STATEMENT
    connection.executemany(
        sql + ", ".join([row] * ROWS_OF_STATEMENT),
        hours[:whole].reshape(-1, 4 * ROWS_OF_STATEMENT).tolist(),
    )
    connection.executemany(sql + row, hours[whole:].tolist())


def add_stores(names: list[str], demo: bool) -> None:
    """One insert each."""
    models.database.connection().executemany(
        "INSERT INTO store (store_id, demo, hours_unreadable) VALUES (?, ?, 0)",
        ((name, demo) for name in names),
    )
