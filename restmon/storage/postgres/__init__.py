"""What PostgreSQL does in its own way: the functions of `engine.Engine`.

`connection` connects, locks and explains errors; `partitions` makes and drops months of polls;
`polls` reads and writes polls and hours in bulk, in the forms of `binary_format`.
"""

from restmon.storage.postgres.connection import (
    clock,
    connect,
    connection_lost,
    explain,
    find_damage,
    read_transaction,
    size,
    table_size,
    update_transaction,
    write_transaction,
)
from restmon.storage.postgres.partitions import delete_polls, forget, make_months, tidy, vacuum
from restmon.storage.postgres.polls import (
    add_polls,
    business_hours,
    count_polls,
    delete_polls_in_ranges,
    last_polls_in_ranges,
    merge_polls,
    newest_poll,
    polls_in_ranges,
    polls_of_all,
    replace_hours,
    set_statuses,
    set_zones,
)

__all__ = [
    "add_polls",
    "business_hours",
    "clock",
    "connect",
    "connection_lost",
    "count_polls",
    "delete_polls",
    "delete_polls_in_ranges",
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
