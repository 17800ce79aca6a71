"""The schema, from every released one on, and against the models."""

from pathlib import Path

import pytest
from peewee import SqliteDatabase
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


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables of the first schema, but the history of migrations."""
    db = SqliteDatabase(str(path))
    try:
        tables = ("store", "business_hours", "poll", "revision", "report", "import")
        return {t: db.execute_sql(f'SELECT * FROM "{t}"').fetchall() for t in tables}
    finally:
        db.close()


@pytest.mark.parametrize("released", RELEASED)
def test_a_database_of_each_schema_is_brought_up_to_date(workspace: Workspace, released: str):
    path = workspace.path / "old.db"
    old = SqliteDatabase(str(path))
    Runner(old, str(database.MIGRATIONS)).up(released)
    for statement in FIRST_DATA:
        old.execute_sql(statement)
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
        assert not diff_models(models.database.obj, models.ALL)
