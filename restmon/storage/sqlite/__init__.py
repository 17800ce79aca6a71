"""What SQLite does in its own way: the functions of `engine.Engine`.

`connection` opens the file, locks and explains errors, `hours` reads and writes stores and business
hours in bulk.
"""

from restmon.storage.sqlite.connection import (
    clock,
    connect,
    connection_lost,
    error_code,
    explain,
    find_damage,
    read_transaction,
    size,
    table_size,
    tidy,
    update_transaction,
    vacuum,
    write_transaction,
)
from restmon.storage.sqlite.hours import add_stores, business_hours, replace_hours, set_zones

__all__ = [
    "add_stores",
    "business_hours",
    "clock",
    "connect",
    "connection_lost",
    "error_code",
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
