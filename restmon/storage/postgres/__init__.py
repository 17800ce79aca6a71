"""What PostgreSQL does in its own way: the functions of `engine.Engine`.

`connection` connects, locks and explains errors, `upkeep` gives back room, `hours` reads and writes
stores and business hours in bulk.
"""

from restmon.storage.postgres.connection import (
    clock,
    connect,
    connection_lost,
    explain,
    find_damage,
    read_transaction,
    update_transaction,
    write_transaction,
)
from restmon.storage.postgres.hours import add_stores, business_hours, replace_hours, set_zones
from restmon.storage.postgres.upkeep import size, table_size, tidy, vacuum

__all__ = [
    "add_stores",
    "business_hours",
    "clock",
    "connect",
    "connection_lost",
    "explain",
    "find_damage",
    "read_transaction",
    "replace_hours",
    "set_zones",
    "size",
    "table_size",
    "tidy",
    "update_transaction",
    "vacuum",
    "write_transaction",
]
