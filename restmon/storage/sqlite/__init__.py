"""What SQLite does in its own way: the functions of `engine.Engine`.

`connection` opens the file, locks and explains errors; `polls` reads and writes polls and hours in
bulk, with the polls of a store packed into one text (`packed_polls`).
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
from restmon.storage.sqlite.polls import (
    PERIOD_BITS,
    business_hours,
    count_polls,
    delete_polls,
    delete_polls_in_ranges,
    forget,
    last_polls_in_ranges,
    make_months,
    merge_polls,
    newest_poll,
    polls_in_ranges,
    polls_of_all,
    replace_hours,
    set_statuses,
    set_zones,
)

__all__ = [
    "PERIOD_BITS",
    "business_hours",
    "clock",
    "connect",
    "connection_lost",
    "count_polls",
    "delete_polls",
    "delete_polls_in_ranges",
    "error_code",
    "explain",
    "find_damage",
    "forget",
    "last_polls_in_ranges",
    "make_months",
    "merge_polls",
    "newest_poll",
    "polls_in_ranges",
    "polls_of_all",
    "read_transaction",
    "replace_hours",
    "set_statuses",
    "set_zones",
    "size",
    "table_size",
    "tidy",
    "update_transaction",
    "vacuum",
    "write_transaction",
]
