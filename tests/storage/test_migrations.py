"""The schema, from every released one on, and against the models."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import numpy as np
import psycopg
import pytest
from peewee import IntegrityError, SqliteDatabase
from playhouse.migrations import Runner
from playhouse.schema_diff import diff_models

from restmon.access.roles import THIS_MACHINE
from restmon.core.instants import DAY
from restmon.documents import documents
from restmon.errors import DatabaseDamaged
from restmon.ingest import imports, live_feed, undo
from restmon.notify import acknowledgements, outbox, schedule_runs, schedules
from restmon.ops import taking_over
from restmon.reporting import reports
from restmon.reporting.computation import compute
from restmon.reporting.snapshot import cache
from restmon.settings import get_settings
from restmon.storage import database, files, models, poll_blocks
from restmon.storage.document_models import Schedule, ScheduleRun, StatusPage
from restmon.storage.files import Kind
from restmon.storage.notify_models import (
    AlertState,
    Channel,
    OutboxMessage,
    Rule,
    RuleChannel,
)
from restmon.storage.packed_hours import pack_hours
from restmon.storage.poll_statements import execute, execute_many
from restmon.storage.tables import ALL_MODELS
from restmon.stores import groups, notes
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


def insert(db: SqliteDatabase, statement: str) -> None:
    """Execute a statement of the first schema in a later one: a table of polls may have periods,
    or be made of blocks, and hours be packed."""
    if "INTO business_hours" in statement and db.table_exists("packed_hours"):
        line = np.array([re.findall(r"-?\d+", statement)], np.int64)
        db.connection().executemany("INSERT INTO packed_hours VALUES (?, ?)", pack_hours(line))
    elif "INTO poll " not in statement:
        db.execute_sql(statement)
    elif db.table_exists("poll_block"):
        store, time, status = map(int, re.findall(r"\d+", statement))
        insert_blocks(db, [(store, time, status)])
    elif any(column.name == "period" for column in db.get_columns("poll")):
        db.execute_sql(
            re.sub(
                r"INTO poll \((.*)\) VALUES \((.*, (\d+), .*)\)",
                r"INTO poll (period, \1) VALUES (\3 >> 38, \2)",
                statement,
            )
        )
    else:
        db.execute_sql(statement)


def insert_blocks(db: SqliteDatabase, polls: list[tuple[int, int, int]]) -> None:
    """Insert polls (store's row id, instant, status), each as a block of its own."""
    for store, time, status in polls:
        poll = poll_blocks.Polls(np.array([store]), np.array([time]), np.array([status], np.int8))
        period = time >> poll_blocks.PERIOD_BITS
        columns = poll_blocks.encode(poll, period)
        execute(
            "INSERT INTO poll_block"
            " (period, part, mask, first, last, polls, checksum, stores, counts, data)"
            " VALUES (?, -1, 0, ?, ?, 1, ?, ?, ?, ?)",
            (period, time, time, poll_blocks.checksum((period, *columns)), *columns),
            db,
        )


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables of the first schema, but the history of migrations."""
    db = SqliteDatabase(str(path))
    try:
        found = {
            table: db.execute_sql(f'SELECT * FROM "{table}"').fetchall()
            for table in ("revision", "report", "import")
        }
        lines = "SELECT store_id, day_of_week, start_time, end_time FROM business_hours"
        found["business_hours"] = db.execute_sql(lines).fetchall()
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
    for statement in FIRST_DATA:
        insert(old, statement)
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


@pytest.mark.both_databases
def test_the_migrations_make_the_tables_of_the_models(workspace: Workspace):
    with database.session():
        db = models.database.obj
        if get_settings().uses_sqlite:
            assert not diff_models(db, [model for model in ALL_MODELS if model is not models.Poll])
        # Views read the polls out of their blocks, and the lines of hours.
        for view in (models.Poll, models.BusinessHours):
            columns = db.execute_sql(f"SELECT * FROM {view._meta.table_name}").description
            fields = view._meta.sorted_fields
            assert [column[0] for column in columns] == [field.column_name for field in fields]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("column", "wrong"), [("period", 1), ("polls", 2), ("counts", bytes(8)), ("data", None)]
)
def test_a_block_that_cannot_be_is_refused(workspace: Workspace, column: str, wrong: object):
    with database.writing():
        insert_blocks(models.database.obj, [(1, 1_674_490_440_000_000, 1)])
        with pytest.raises((IntegrityError, psycopg.IntegrityError)):
            execute(f"UPDATE poll_block SET {column} = ?", (wrong,))


@pytest.mark.both_databases
@pytest.mark.parametrize("column", ["stores", "counts", "data", "checksum"])
def test_a_block_that_is_damaged_is_found_out(workspace: Workspace, column: str):
    workspace.import_now(polls="store_id,status,timestamp_utc\na,active,2026-01-01 12:00:00 UTC\n")
    with database.writing():
        (value,) = execute(f"SELECT {column} FROM poll_block").fetchone()
        wrong = value + 1 if column == "checksum" else value[:-1] + b"\x07"
        execute(f"UPDATE poll_block SET {column} = ?", (wrong,))
    cache.clear()
    with pytest.raises(DatabaseDamaged, match="a block of polls cannot be read"):
        compute()


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


OpenBefore = Callable[[str], None]


@pytest.fixture
def open_before(
    workspace: Workspace, database_kind: str, request: pytest.FixtureRequest
) -> OpenBefore:
    """A function that opens a new database with the schema of a release."""

    def open_it(released: str) -> None:
        url = f"sqlite:///{workspace.path / 'before.db'}"
        if database_kind == "postgres":
            url = request.getfixturevalue("postgres").create(f"before_{token_hex(4)}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(database, "migrate", list)
            database.configure(replace(get_settings(), database_url=url))
        cache.clear()
        with database.session():
            Runner(models.database.obj, str(database.MIGRATIONS)).up(released)

    return open_it


@pytest.mark.both_databases
def test_hours_of_the_schema_before_they_were_packed_stay(
    workspace: Workspace, open_before: OpenBefore
):
    random = np.random.default_rng(5)
    stores = [1, 2, 70, 20_001, 60_000]
    lines = [
        (store, day, *ends)
        for store in stores
        for day in sorted(random.integers(0, 7, store % 9).tolist())
        for ends in [(-1, -1), *random.integers(0, DAY, (2, 2)).tolist()][: 1 + day % 3]
    ]
    open_before("0034_rejected_items")
    with database.session():
        execute_many(
            "INSERT INTO store (id, store_id, demo, hours_unreadable) VALUES (?, ?, FALSE, FALSE)",
            [(store, f"s{store}") for store in stores],
        )
        execute_many(
            "INSERT INTO business_hours (store_id, day_of_week, start_time, end_time)"
            " VALUES (?, ?, ?, ?)",
            lines,
        )
    with database.session():
        assert "0035_packed_hours" in database.migrate()
        assert [tuple(line) for line in sorted(database.business_hours().tolist())] == sorted(lines)
        view = models.BusinessHours.select().order_by(models.BusinessHours.store)
        assert sorted(view.tuples()) == sorted(lines)
    with database.writing():
        models.Store.delete().where(models.Store.id == 70).execute()
        assert 70 not in database.business_hours()[:, 0]


@pytest.mark.both_databases
def test_optional_feeds_of_the_schema_before_undo_stay_and_can_be_undone_to(
    workspace: Workspace, open_before: OpenBefore
):
    open_before(BEFORE_UNDO)
    with database.session():
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


@pytest.mark.both_databases
def test_stores_of_the_schema_before_notes_can_have_notes(
    workspace: Workspace, open_before: OpenBefore
):
    open_before("0017_password_links")
    with database.session():
        for statement in EVERY_FEED[:-1]:
            models.database.execute_sql(statement)
    before = rows_of_feeds()
    with database.session():
        assert "0019_outage_notes" in database.migrate()
    assert rows_of_feeds() == before
    written = notes.add_note("b", 1674494100000000, "Power outage", "It was dark.")
    assert notes.list_notes("b") == [written]
    with database.writing():
        models.Store.delete().where(models.Store.store_id == "b").execute()
        assert not models.OutageNote.select().exists()


@pytest.mark.both_databases
def test_groups_of_the_schema_before_documents_can_have_them(
    workspace: Workspace, open_before: OpenBefore
):
    open_before("0019_outage_notes")
    with database.session():
        for statement in EVERY_FEED[:-1]:
            models.database.execute_sql(statement)
    before = rows_of_feeds()
    with database.session():
        assert "0022_documents_and_status_pages" in database.migrate()
    assert rows_of_feeds() == before
    workspace.import_now("a,active,2023-01-25 12:00:00 UTC\n")
    row = documents.request(documents.Wanted(period="7d", group="East"))
    assert documents.work(row.id)
    assert documents.get(row.id).status == "Complete"
    with database.writing():
        StatusPage.create(group=3, slug="east-coast")
    schedule = schedules.add(schedules.WantedSchedule("Weekly", group="East"))
    schedule_runs.run_now(schedule.id)
    with database.writing():
        models.Group.delete().where(models.Group.id == 3).execute()
        for model in (StatusPage, Schedule, ScheduleRun):
            assert not model.select().exists()


BEFORE_CHANNELS = "0017_password_links"


@pytest.mark.both_databases
def test_stores_and_groups_of_the_schema_before_channels_can_have_rules(
    workspace: Workspace, open_before: OpenBefore
):
    open_before(BEFORE_CHANNELS)
    with database.session():
        for statement in EVERY_FEED[:3]:
            models.database.execute_sql(statement)
        applied = database.migrate()
    assert {"0020_channels_and_outbox", "0021_rules"} <= set(applied)
    assert rows_of_feeds()["store_directory"] == [
        (7, "Main Street", "1 Main Street", 240.5, 19000, None)
    ]
    with database.writing():
        channel = Channel.create(name="Chat", kind="apprise", scheme="slack", url="x")
        for owner in ({"store": 7}, {"group": 3}, {}):
            rule = Rule.create(condition="down", **owner)
            RuleChannel.create(rule=rule, channel=channel)
            AlertState.create(rule=rule)
        message = OutboxMessage.create(
            key="k", channel=channel, channel_name="Chat", kind="test", subject="x", give_up_at=0
        )
        # What is of a deleted store, group or channel goes with it; the log stays.
        models.Group.delete().where(models.Group.id == 3).execute()
        assert Rule.select().count() == AlertState.select().count() == 2
        Channel.delete().execute()
        assert RuleChannel.select().count() == 0
        assert OutboxMessage.get_by_id(message.id).channel_id is None


@pytest.mark.both_databases
def test_messages_and_alerts_of_the_schema_before_unsure_ones_stay(
    workspace: Workspace, open_before: OpenBefore
):
    """A mail that an old worker was sending when it was stopped may have arrived."""
    open_before("0025_poll_blocks")
    with database.session():
        for statement in MESSAGES_AND_ALERTS:
            models.database.execute_sql(statement)
        assert "0026_unsure_messages" in database.migrate()
    assert outbox.claim("waits") is not None
    assert outbox.claim("cut off") is None
    with database.session():
        states = {row.id: outbox.name_state(row) for row in OutboxMessage.select()}
        assert states == {"waits": "sending", "cut off": "unsure"}
        alert = AlertState.get()
        assert (alert.values, alert.acknowledged_at) == ({"alert": 5, "told_for": 7}, 6)
    (shown,) = acknowledgements.list_open()
    assert (shown.told_at, shown.acknowledged_at, shown.acknowledged_by) == (5, 6, None)


MESSAGES_AND_ALERTS = [
    "INSERT INTO channel (id, name, kind, scheme, url, events, created_at, created_by)"
    " VALUES (1, 'Mail', 'apprise', 'mailto', 'x', '[]', 0, '')",
    *[
        "INSERT INTO outbox (id, status, progress, attempts, requested_at, requested_by, demo,"
        " actor, key, channel_id, channel_name, kind, subject, body, due_at, give_up_at, tries,"
        " sending_at, lease_owner, lease_until)"
        f" VALUES ('{name}', 'Running', 0, 1, 1, 'schedule', FALSE, '', '{name}', 1, 'Mail',"
        f" 'alert', 'Down', '', 1, 9000000000000000, 0, {lease}, 'old', 2)"
        for name, lease in (("waits", "NULL"), ("cut off", "1"))
    ],
    "INSERT INTO rule (id, condition, minutes, paused, created_at, created_by)"
    " VALUES (1, 'down', 0, FALSE, 0, '')",
    'INSERT INTO alert_state (rule_id, store, part, is_open, acknowledged_at, "values")'
    " VALUES (1, 7, '', TRUE, 6, '{\"alert\": 5, \"told_for\": 7}')",
]


@pytest.mark.both_databases
def test_imports_of_the_schema_before_live_feeds_stay_and_are_no_live_ones(
    workspace: Workspace, open_before: OpenBefore
):
    open_before("0023_schedules")
    with database.session():
        models.database.execute_sql(EVERY_FEED[-1])
        assert "0024_collected_imports" in database.migrate()
    old = "0123456789abcdef0123456789abcdef"
    item = {"store_id": "a", "timestamp_utc": "2023-01-25", "status": "down"}
    new = live_feed.take("polls", [item], THIS_MACHINE).import_id
    assert [row.id for row in imports.list_recent(live=False)] == [old]
    assert [row.id for row in imports.list_recent(live=True)] == [new]


@pytest.mark.both_databases
def test_a_report_of_the_schema_before_files_is_served_and_the_next_too(
    workspace: Workspace, open_before: OpenBefore
):
    open_before("0025_poll_blocks")
    old = "0123456789abcdef0123456789abcdef"
    with database.session():
        models.database.execute_sql(
            "INSERT INTO report (id, status, progress, attempts, requested_at, requested_by, demo,"
            f" actor, method, size, rounds) VALUES ('{old}', 'Complete', 1, 1, 1674494100000000,"
            " 'api', FALSE, '', 'nearest', 4, 0)"
        )
    folder = get_settings().reports_dir
    folder.mkdir(parents=True)
    (folder / f"{old}.csv").write_text("old\n")
    (folder / "notes.csv").write_text("of no report")
    with database.session():
        assert "0029_files" in database.migrate()
    taken = taking_over.take_over()
    assert taken == int(files.in_database())
    assert reports.read_csv(reports.get(old)) == b"old\n"
    assert taking_over.take_over() == 0
    assert (folder / f"{old}.csv").exists()
    workspace.import_now("a,active,2023-01-25 12:00:00 UTC\n")
    new = reports.request()
    assert reports.work(new.id)
    assert reports.read_csv(reports.get(new.id)).startswith(b"store_id,")


@pytest.mark.both_databases
def test_an_upload_that_waited_in_the_spool_folder_of_an_earlier_release_is_imported(
    workspace: Workspace,
):
    path = get_settings().spool_dir / f"{models.new_id()}.upload"
    path.parent.mkdir(parents=True)
    path.write_text("store_id,status,timestamp_utc\na,active,2023-01-25 12:00:00 UTC\n")
    listed = {"kind": "polls", "name": "polls.csv", "path": str(path.resolve())}
    row = models.Import.create(files=[listed])
    assert taking_over.take_over() == int(files.in_database())
    assert imports.work(row.id)
    done = imports.get(row.id)
    assert (done.status, done.counts["new"]) == ("Complete", 1)
    assert list(files.list_files(Kind.UPLOAD)) == []
