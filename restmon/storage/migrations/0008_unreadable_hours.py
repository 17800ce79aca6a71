"""Stores whose business hours were rejected, and so are not known: not the same as none.

Plain SQL: Peewee's migrator would make SQLite's table anew, and what refers to its rows would go
with the old one.
"""

from peewee import SqliteDatabase


def up(migrator, db):
    sqlite = isinstance(db, SqliteDatabase)
    kind, no = ("INTEGER", "0") if sqlite else ("BOOLEAN", "FALSE")
    db.execute_sql(f"ALTER TABLE store ADD COLUMN hours_unreadable {kind} NOT NULL DEFAULT {no}")
