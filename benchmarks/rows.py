"""Polls as rows of a table of SQLite, as restmon had them before it packed them: what the bare read
and the Polars competitor read."""

import sqlite3
from contextlib import closing
from pathlib import Path

from peewee import SqliteDatabase

from restmon.core.instants import DAY
from restmon.storage import database, poll_reading
from restmon.storage.poll_blocks import PERIOD_BITS

NAME = "rows.db"


def write_rows(target: Path, days: int | None = None) -> None:
    """Write the open database's stores, hours and polls (of the last days) to a new file."""
    with database.session():
        newest = database.newest_poll() or 0
    source = SqliteDatabase(str(database.models.database.database))
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(target)) as out:
        out.execute("ATTACH ? AS source", (source.database,))
        for table in ("store", "business_hours"):
            out.execute(f"CREATE TABLE {table} AS SELECT * FROM source.{table}")
        out.execute(
            "CREATE TABLE poll (period INTEGER NOT NULL, store_id INTEGER NOT NULL,"
            " timestamp INTEGER NOT NULL, status INTEGER NOT NULL,"
            " PRIMARY KEY (period, store_id, timestamp)) WITHOUT ROWID"
        )
        begin = -(2**62) if days is None else newest - days * DAY
        for each in poll_reading.all_polls(source):
            polls = each.of(each.time >= begin)
            columns = (polls.time >> PERIOD_BITS, polls.store, polls.time, polls.status)
            rows = zip(*(column.tolist() for column in columns), strict=True)
            out.executemany("INSERT INTO poll VALUES (?, ?, ?, ?)", rows)
        out.commit()
    source.close()
