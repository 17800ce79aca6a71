"""The schema, from every released one on, and against the models."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from peewee import IntegrityError, SqliteDatabase
from playhouse.migrations import Runner
from playhouse.schema_diff import diff_models

from restmon.ingest import undo
from restmon.reporting.computation import compute
from restmon.reporting.snapshot import cache
from restmon.settings import get_settings
from restmon.storage import database, models
from restmon.storage.tables import ALL_MODELS
from restmon.stores import groups
from tests.support.workspace import Workspace

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
        found = {t: db.execute_sql(f'SELECT * FROM "{t}"').fetchall() for t in tables[1:]}
        found["store"] = db.execute_sql("SELECT id, store_id, timezone, demo FROM store").fetchall()
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

    database.configure(replace(get_settings(), database_url=f"sqlite:///{path}"))
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
        assert not diff_models(db, [model for model in ALL_MODELS if model is not models.Poll])
        # SQLite's table of polls has one column more, and another key.
        columns = {column.name: column for column in db.get_columns("poll")}
        assert columns.keys() - {"period"} == {field.column_name for field in POLL_FIELDS}
        assert db.get_primary_keys("poll") == ["period", "store_id", "timestamp"]


def test_a_poll_in_a_wrong_period_is_refused(workspace: Workspace):
    with database.writing(), pytest.raises(IntegrityError):
        models.database.execute_sql(
            "INSERT INTO poll (period, store_id, timestamp, status) VALUES (1, 1, 0, 1)"
        )


EVERY_FEED = [
    "INSERT INTO store (id, store_id, timezone, demo, hours_unreadable)"
    " VALUES (7, 'a', 'US/Central', FALSE, FALSE), (9, 'b', NULL, FALSE, TRUE)",
    "INSERT INTO store_group (id, name, same_name) VALUES (3, 'East', 'east')",
    "INSERT INTO store_directory (store_id, name, address, sales_per_hour, opened_on, closed_on)"
    " VALUES (7, 'Main Street', '1 Main Street', 240.5, 19000, NULL)",
    "INSERT INTO other_hours (id, store_id, group_id, date, start_time, end_time, note)"
    " VALUES (1, 7, NULL, 19380, 36000000000, 50400000000, 'short'), (2, NULL, 3, 19381, NULL,"
    " NULL, NULL)",
    "INSERT INTO hourly_sales (store_id, day_of_week, hour, sales) VALUES (7, 0, 12, 310.25)",
    "INSERT INTO poll_reason (store_id, timestamp, reason) VALUES (7, 1674494100000000, 'Wi-Fi')",
    """INSERT INTO "import" (id, status, progress, attempts, requested_at, requested_by, demo,"""
    " actor, files, rejections, resumable) VALUES ('0123456789abcdef0123456789abcdef', 'Complete',"
    " 1, 1, 1674494100000000, 'api', FALSE, '', '[]', '[]', TRUE)",
]
"""Rows for the tables of the optional feeds, of the schema before imports could be undone."""
BEFORE_UNDO = "0013_store_directory_and_other_hours"


def rows_of_feeds() -> dict[str, list[tuple[object, ...]]]:
    names = ("store_directory", "other_hours", "hourly_sales", "poll_reason")
    with database.session():
        run = models.database.execute_sql
        found = {name: sorted(run(f"SELECT * FROM {name}").fetchall(), key=str) for name in names}
        found["import"] = run('SELECT id, status FROM "import"').fetchall()
        return found


@pytest.mark.both_databases
def test_optional_feeds_of_the_schema_before_undo_stay_and_can_be_undone_to(
    workspace: Workspace, database_kind: str, request: pytest.FixtureRequest
):
    url = f"sqlite:///{workspace.path / 'before.db'}"
    if database_kind == "postgres":
        url = request.getfixturevalue("postgres").create("before_undo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "migrate", list)
        database.configure(replace(get_settings(), database_url=url))
    cache.clear()
    with database.session():
        Runner(models.database.obj, str(database.MIGRATIONS)).up(BEFORE_UNDO)
        for statement in EVERY_FEED:
            models.database.execute_sql(statement)
    before = rows_of_feeds()
    assert [len(found) for found in before.values()] == [1, 2, 1, 1, 1]

    with database.session():
        assert "0014_undo" in database.migrate()
    assert rows_of_feeds() == before
    row = workspace.import_now(zones="a,Asia/Tokyo\nb,Asia/Tokyo\n")
    undo.undo(row.id)
    with database.session():
        zones = {store.store_id: store.timezone for store in models.Store.select()}
        old = models.Import.get_by_id("0123456789abcdef0123456789abcdef")
    assert zones == {"a": "US/Central", "b": None}
    assert old.undone_at is None
    assert {key: rows for key, rows in rows_of_feeds().items() if key != "import"} == {
        key: rows for key, rows in before.items() if key != "import"
    }
