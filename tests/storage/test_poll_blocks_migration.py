"""Polls become blocks, also where the migration is killed."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from secrets import token_hex

import pytest
from peewee import SqliteDatabase
from playhouse.migrations import Runner

from restmon.settings import get_settings
from restmon.storage import database, models
from tests.support.clusters import Cluster
from tests.support.environment import ROOT
from tests.support.workspace import Workspace

RELEASED = sorted(path.stem for path in database.MIGRATIONS.glob("[0-9]*.py"))
KILLED = """
import os, signal
from peewee import SqliteDatabase
from restmon.storage import database

execute = SqliteDatabase.execute_sql

def execute_or_die(self, sql, *arguments, **options):
    if sql.startswith({where!r}):
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(self, sql, *arguments, **options)

SqliteDatabase.execute_sql = execute_or_die
database.configure()
"""
ASK = (
    "SELECT count(*), sum(status), min(timestamp), max(timestamp),"
    " sum(timestamp % 1009 * store_id) FROM poll"
)


@pytest.mark.slow
def test_polls_become_blocks_though_the_migration_is_killed(workspace: Workspace):
    """Two million polls of the schema before."""
    path = workspace.path / "old.db"
    old = SqliteDatabase(str(path), pragmas={"journal_mode": "wal"})
    Runner(old, str(database.MIGRATIONS)).up(RELEASED[RELEASED.index("0025_poll_blocks") - 1])
    numbers = "WITH RECURSIVE n (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n < {} - 1)"
    begin, step = 1_674_490_440_123_456, 3_599_999_983
    with old.atomic():
        old.execute_sql(
            f"{numbers.format(10_000)} INSERT INTO store (store_id, demo, hours_unreadable)"
            " SELECT 'store-' || n, 0, 0 FROM n"
        )
        old.execute_sql(
            f"{numbers.format(200)} INSERT INTO poll (period, store_id, timestamp, status)"
            f" SELECT {begin} + n * {step} + id * 7 >> 38, id, {begin} + n * {step} + id * 7,"
            " (n + id) % 3 > 0 FROM n, store"
        )
    before = old.execute_sql(ASK).fetchone()
    assert before[0] == 2_000_000
    old.close()

    env = {"RESTMON_DATABASE_URL": f"sqlite:///{path}"}
    for where in ("SELECT min(period) FROM poll WHERE", "DROP TABLE poll", "CREATE VIEW poll"):
        script = KILLED.format(where=where)
        killed = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=os.environ | env, check=False
        )
        assert killed.returncode == -signal.SIGKILL
        old.connect()
        assert old.execute_sql(ASK).fetchone() == before
        assert not old.table_exists("poll_block")
        old.close()
    assert workspace.restmon("status", env=env).returncode == 0
    old.connect()
    assert old.execute_sql(ASK).fetchone() == before
    assert old.table_exists("poll_block")
    old.close()


KILLED_ON_POSTGRESQL = """
import os, signal, sys
import psycopg
from peewee import PostgresqlDatabase
from restmon.storage import database

def or_die(method, dies):
    def wrapped(self, sql, *arguments, **options):
        if dies(sql):
            os.kill(os.getpid(), signal.SIGKILL)
        return method(self, sql, *arguments, **options)
    return wrapped

where, batch, batches = {where!r}, {batch}, []
PostgresqlDatabase.execute_sql = or_die(
    PostgresqlDatabase.execute_sql, lambda sql: sql.startswith(where)
)
psycopg.Cursor.executemany = or_die(
    psycopg.Cursor.executemany, lambda sql: batches.append(sql) or len(batches) == batch
)
database.configure()
"""


@pytest.mark.slow
@pytest.mark.postgres
def test_rows_become_blocks_on_postgresql_though_the_migration_is_killed(
    workspace: Workspace, postgres: Cluster
):
    """Two million polls of the schema before, in several partitions."""
    url = postgres.create(f"rows_{token_hex(4)}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "migrate", list)
        database.configure(replace(get_settings(), database_url=url))
    old = models.database.obj
    begin, step = 1_674_490_440_123_456, 3_599_999_983
    middle = begin + 100 * step
    with old.connection_context():
        released = RELEASED.index("0031_poll_blocks_on_postgresql") - 1
        Runner(old, str(database.MIGRATIONS)).up(RELEASED[released])
        for name, lo, hi in [("a", begin, middle), ("b", middle, middle + 200 * step)]:
            old.execute_sql(
                f"CREATE TABLE poll_{name} PARTITION OF poll FOR VALUES FROM ({lo}) TO ({hi})"
            )
        old.execute_sql(
            "INSERT INTO store (store_id, demo, hours_unreadable)"
            " SELECT 'store-' || n, FALSE, FALSE FROM generate_series(1, 10000) AS n"
        )
        old.execute_sql(
            "INSERT INTO poll (store_id, timestamp, status)"
            f" SELECT id, {begin} + n * {step} + id * 7, (mod(n + id, 3) > 0)::integer"
            " FROM generate_series(0, 198) AS n, store"
            " UNION ALL SELECT id, -1000003::bigint * id, mod(id, 2) FROM store"
        )
        before = old.execute_sql(ASK.replace("%", "%%")).fetchone()
        assert before[0] == 2_000_000

    env = {"RESTMON_DATABASE_URL": url}
    for where, batch in [("never", 2), ("DROP TABLE poll", 0), ("CREATE VIEW poll", 0)]:
        script = KILLED_ON_POSTGRESQL.format(where=where, batch=batch)
        killed = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=os.environ | env, check=False
        )
        assert killed.returncode == -signal.SIGKILL
        with old.connection_context():
            assert old.execute_sql(ASK.replace("%", "%%")).fetchone() == before
            assert not old.table_exists("poll_block")
    assert workspace.restmon("status", env=env).returncode == 0
    with old.connection_context():
        assert old.execute_sql(ASK.replace("%", "%%")).fetchone() == before
        assert old.table_exists("poll_block")
    old.close_all()
