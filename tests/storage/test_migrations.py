"""The schema, from every released one on, and against the models."""

import re
from pathlib import Path

import pytest
from peewee import IntegrityError, SqliteDatabase
from playhouse.migrations import Runner
from playhouse.schema_diff import diff_models

from restmon import database, groups, models
from restmon.reports import compute
from restmon.settings import get_settings
from restmon.snapshot import cache
from tests.conftest import Workspace

RELEASED = sorted(path.stem for path in database.MIGRATIONS.glob("[0-9]*.py"))
FIRST_DATA = [
    "INSERT INTO store (id, store_id, timezone, demo) VALUES (7, 'a', 'US/Central', 0)",
    "INSERT INTO store (id, store_id, timezone, demo) VALUES (9, 'b', NULL, 0)",
    "INSERT INTO business_hours (store_id, day_of_week, start_time, end_time)"
    " VALUES (7, 0, 32400000000, 43200000000)",
    "INSERT INTO poll (store_id, timestamp, status) VALUES (7, 1674490440000000, 1)",
    "INSERT INTO poll (store_id, timestamp, status) VALUES (7, 1674494100000000, 0)",
    "INSERT INTO revision (created_at, polls_from, stores_changed, rebuild)"
    " VALUES (1674494100000000, 1674490440000000, 1, 0)",
]
"""Rows for the tables of the first schema."""


POLL_FIELDS = models.Poll._meta.sorted_fields


def with_period(statement: str) -> str:
    """The statement for a table of polls that has periods."""
    return re.sub(
        r"INTO poll \((.*)\) VALUES \((.*, (\d+), .*)\)",
        r"INTO poll (period, \1) VALUES (\3 >> 38, \2)",
        statement,
    )


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables of the first schema, but the history of migrations."""
    db = SqliteDatabase(str(path))
    try:
        tables = ("store", "business_hours", "revision", "report", "import")
        found = {t: db.execute_sql(f'SELECT * FROM "{t}"').fetchall() for t in tables}
        polls = "SELECT store_id, timestamp, status FROM poll"
        return {**found, "poll": db.execute_sql(polls).fetchall()}
    finally:
        db.close()


@pytest.mark.parametrize("released", RELEASED)
def test_a_database_of_each_schema_is_brought_up_to_date(workspace: Workspace, released: str):
    path = workspace.path / "old.db"
    old = SqliteDatabase(str(path))
    Runner(old, str(database.MIGRATIONS)).up(released)
    has_periods = any(column.name == "period" for column in old.get_columns("poll"))
    for statement in FIRST_DATA:
        old.execute_sql(with_period(statement) if has_periods else statement)
    old.close()
    before = rows(path)
    assert len(before["poll"]) == 2

    database.configure(get_settings().model_copy(update={"database_url": f"sqlite:///{path}"}))
    cache.clear()
    assert rows(path) == before
    assert database.migrate() == []
    groups.create("g")
    groups.set_members("g", ["a", "b"])
    assert groups.members_of("g") == ["a", "b"]
    assert compute().csv().splitlines()[1].startswith("a,")
    with database.session():
        assert not models.database.execute_sql("PRAGMA foreign_key_check").fetchall()


def test_the_migrations_make_the_tables_of_the_models(workspace: Workspace):
    with database.session():
        db = models.database.obj
        assert not diff_models(db, [model for model in models.ALL if model is not models.Poll])
        # SQLite's table of polls has one column more, and another key.
        columns = {column.name: column for column in db.get_columns("poll")}
        assert columns.keys() - {"period"} == {field.column_name for field in POLL_FIELDS}
        assert db.get_primary_keys("poll") == ["period", "store_id", "timestamp"]


def test_a_poll_in_a_wrong_period_is_refused(workspace: Workspace):
    with database.writing(), pytest.raises(IntegrityError):
        models.database.execute_sql(
            "INSERT INTO poll (period, store_id, timestamp, status) VALUES (1, 1, 0, 1)"
        )
