"""The sizes of a PostgreSQL database, and giving back the room of deleted rows."""

from restmon.storage import models

ROOM_OF_A_BLOCK = 160
"""About so many bytes has a block besides its polls, with its entries of the indexes."""


def table_size(table: str) -> int:
    """The bytes of the table on the disk, with its indexes."""
    (size,) = models.database.execute_sql(
        "SELECT pg_total_relation_size(%s::regclass)", (f'"{table}"',)
    ).fetchone()
    return int(size)


def size() -> int:
    """The whole database's."""
    (size,) = models.database.execute_sql("SELECT pg_database_size(current_database())").fetchone()
    return int(size)


def vacuum() -> tuple[int, int]:
    """Vacuum everything. Write the polls anew where a tenth of their room or more would be given
    back: it takes as much room again, and keeps others waiting."""
    sizes = (
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
    )
    (before,) = models.database.execute_sql(sizes).fetchone()
    (needed,) = models.database.execute_sql(
        "SELECT coalesce(sum(octet_length(stores) + octet_length(counts) + octet_length(data)"
        " + %s), 0) FROM poll_block",
        (ROOM_OF_A_BLOCK,),
    ).fetchone()
    if needed < 0.9 * table_size("poll_block"):
        models.database.execute_sql("VACUUM (FULL) poll_block")
    models.database.execute_sql("VACUUM (ANALYZE)")
    return int(before), int(models.database.execute_sql(sizes).fetchone()[0])


def tidy() -> None:
    """Vacuum, so that the room of blocks that were written anew is used again, and the index alone
    says what blocks there are."""
    models.database.execute_sql("VACUUM (ANALYZE) poll_block")
