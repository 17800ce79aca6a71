"""SQLite: polls by period of time, then store, then time, so that what comes in at one time, and
what a report reads, stands together on the disk however long the history is.

No foreign key to the store: it would be looked up for every poll that is written; stores are only
removed with their polls.
"""

from peewee import SqliteDatabase

STATEMENTS = [
    """CREATE TABLE poll_by_period (
           period INTEGER NOT NULL CHECK (period = timestamp >> 38),
           store_id INTEGER NOT NULL,
           timestamp INTEGER NOT NULL,
           status INTEGER NOT NULL,
           PRIMARY KEY (period, store_id, timestamp)
       ) WITHOUT ROWID""",
    """INSERT INTO poll_by_period SELECT timestamp >> 38, store_id, timestamp, status FROM poll
       ORDER BY 1, 2, 3""",
    "DROP TABLE poll",
    "ALTER TABLE poll_by_period RENAME TO poll",
]


def up(migrator, db):
    if isinstance(db, SqliteDatabase):
        for statement in STATEMENTS:
            db.execute_sql(statement)
