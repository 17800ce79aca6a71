"""Reading and writing stores, business hours and time zones in bulk on SQLite."""

import numpy as np
from numpy.typing import NDArray

from restmon.storage import models
from restmon.storage.packed_hours import pack_hours, unpack_hours

Ints = NDArray[np.int64]


def business_hours(first: str | None = None, end: str | None = None) -> Ints:
    """One select."""
    packed = models.database.execute_sql(
        "SELECT store_id, lines FROM packed_hours WHERE ?1 IS NULL OR store_id IN"
        " (SELECT id FROM store WHERE store_id >= ?1 AND (?2 IS NULL OR store_id < ?2))",
        (first, end),
    )
    return unpack_hours(packed.fetchall())


def set_zones(rows: Ints, zones: list[str]) -> None:
    """Set the time zones of stores."""
    models.database.connection().executemany(
        "UPDATE store SET timezone = ? WHERE id = ?", zip(zones, rows.tolist(), strict=True)
    )


def replace_hours(rows: Ints, hours: Ints) -> None:
    """Put the lines ``hours`` in place of all business hours of the stores ``rows``."""
    connection = models.database.connection()
    without = rows[~np.isin(rows, hours[:, 0])]
    connection.executemany(
        "DELETE FROM packed_hours WHERE store_id = ?", ((row,) for row in without.tolist())
    )
    connection.executemany(
        "INSERT OR REPLACE INTO packed_hours (store_id, lines) VALUES (?, ?)", pack_hours(hours)
    )


def add_stores(names: list[str], demo: bool) -> None:
    """One insert each."""
    models.database.connection().executemany(
        "INSERT INTO store (store_id, demo, hours_unreadable) VALUES (?, ?, 0)",
        ((name, demo) for name in names),
    )
