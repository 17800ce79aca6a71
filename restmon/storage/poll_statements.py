"""SQL over the blocks of polls, on SQLite and PostgreSQL alike."""

from pathlib import Path
from typing import Any

from peewee import Database, PostgresqlDatabase

from restmon.errors import DatabaseDamaged
from restmon.settings import shown_url
from restmon.storage import models


def execute(sql: str, values: tuple[Any, ...] = (), source: Database | None = None) -> Any:
    """Run a statement with ``?`` for values on the open database, or another one. Returns its
    cursor."""
    database = source or models.database
    if database.param == "?":
        return database.execute_sql(sql, values)
    cursor = database.connection().cursor(binary=True)  # text has two letters for each byte
    return cursor.execute(sql.replace("?", "%s"), values)


def execute_many(sql: str, rows: list[tuple[Any, ...]]) -> None:
    """Run a statement with ``?`` for values on the open database, once for each row of values."""
    connection = models.database.connection()
    if models.database.param == "?":
        connection.executemany(sql, rows)
    elif rows:
        connection.cursor().executemany(sql.replace("?", "%s"), rows)


def damaged_block() -> DatabaseDamaged:
    """The error for a block that is not as it was written."""
    if isinstance(models.database.obj, PostgresqlDatabase):
        return DatabaseDamaged(
            f"The database {shown_url(str(models.database.database))} is damaged:"
            " a block of polls cannot be read.",
            "Stop restmon, restore a backup of the server, and check its disk.",
        )
    return DatabaseDamaged(
        f"The database {Path(models.database.database)} is damaged:"
        " a block of polls cannot be read.",
        "Stop restmon, restore a backup (python -m restmon restore FILE --force), and check "
        "the disk.",
    )
