"""From an SQLite file to PostgreSQL, from the shell."""

import sqlite3
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from restmon.demo import generator
from restmon.documents import documents
from restmon.ingest import imports, incoming_files
from restmon.notify import channels, outbox, rules
from restmon.ops import sqlite_to_postgres
from restmon.reporting import day_sums_refresh, report_details, reports
from restmon.storage import files, models, poll_statements
from restmon.storage.database import session, writing
from restmon.storage.document_models import Schedule, ScheduleRun, StatusPage
from restmon.storage.files import Kind
from restmon.storage.notify_models import AlertState, Channel
from restmon.stores import groups
from tests.support.workspace import Workspace, open_workspace

pytestmark = pytest.mark.postgres


@pytest.fixture
def full(workspace: Workspace) -> Workspace:
    """A workspace with a row at least in every table."""
    files = generator.generate(
        workspace.path / "files", generator.DemoPlan(stores=30, days=40, seed=2)
    )
    found = {
        "polls": files.polls,
        "business_hours": files.business_hours,
        "timezones": files.timezones,
    }
    imports.run_now([incoming_files.source_file(kind, path) for kind, path in found.items()])
    workspace.import_now(
        "late,active,2023-01-23 16:14:00 UTC\nlate,broken,2023-01-23 16:15:00 UTC\n"
    )
    row = reports.request()
    reports.work(row.id)
    report_details.read(reports.get(row.id))
    documents.work(documents.request(documents.Wanted(period="7d")).id)
    day_sums_refresh.refresh()
    groups.create("Früh & spät")
    with session():
        store, group = models.Store.get(), models.Group.get()
        models.StoreDirectory.create(
            store=store, name="Café", address="1 Main St", sales_per_hour=87.25, opened_on=19_000
        )
        for owner in ({"store": store}, {"group": group}):
            models.OtherHours.create(date=20_000, note="Thanksgiving", **owner)
            models.OtherHours.create(date=20_001, start_time=0, end_time=3_600_000_000, **owner)
            models.Target.create(target=995_000, **owner)
        models.Target.create(target=990_000)
        models.OutageNote.create(
            store=store,
            at=1_674_490_440_000_000,
            cause="Power outage",
            text="Nobody could cook",
            actor="anna@example.com",
            written_at=1_674_490_450_000_000,
        )
        StatusPage.create(group=group, slug="early-and-late")
        weekly = Schedule.create(
            **{"name": "Weekly", "actor": "this machine", "group": group, "every": "weekly"},
            **{"day": 0, "time": 0, "zone": "UTC", "form": "pdf", "paper": "letter"},
            **{"period": "last week", "channels": [1]},
        )
        ScheduleRun.create(schedule=weekly, due_at=1_674_490_440_000_000, note="Skipped.")
        models.HourlySales.create(store=store, day_of_week=0, hour=12, sales=240.5)
        models.PollReason.create(store=store, timestamp=1_674_490_440_000_000, reason="paused")
    channel = channels.add_channel("Chat", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/")
    rule = rules.add_rule(rules.Wanted("down", group="Früh & spät"), [channel])
    with writing():
        AlertState.create(rule=rule, store=1, is_open=True, token_hash="0" * 64, values={"a": [1]})
        file = outbox.Attachment(b"\0PDF", "a.pdf", "application/pdf")
        draft = outbox.Draft("k", outbox.DOCUMENT, "Your week", attachment=file)
        outbox.add(Channel.get(), draft, "a schedule")
    return workspace


def rows(workspace: Workspace, table: str) -> int:
    with sqlite3.connect(workspace.path / "restmon.db") as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.mark.slow
def test_everything_is_moved_and_goes_on(full: Workspace, postgres_url: str):
    before = full.restmon("report", "--output", full.path / "before.csv")
    assert before.returncode == 0, before.stderr
    done = full.restmon("migrate-to", postgres_url)
    assert done.returncode == 0, done.stderr
    told = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()[:-1]}
    moved_files = int(told.pop("files"))
    assert {table: int(n.replace(",", "")) for table, n in told.items()} == {
        table: rows(full, table) for table in told
    }
    assert set(told) == {sqlite_to_postgres._table(model) for model in sqlite_to_postgres.MOVED}
    assert int(told["poll"].replace(",", "")) > 15_000
    moved = {"RESTMON_DATABASE_URL": postgres_url, "RESTMON_QUEUE_URL": ""}
    after = full.restmon("report", "--output", full.path / "after.csv", env=moved)
    assert after.returncode == 0, after.stderr
    assert (full.path / "after.csv").read_bytes() == (full.path / "before.csv").read_bytes()
    # Report, details, document and rejected lines are there, and nobody reads the folder.
    kept = {
        (kind, file.key): files.read(kind, file.key)
        for kind in Kind
        for file in files.list_files(kind)
    }
    assert len(kept) == moved_files == 4
    with open_workspace(replace(full, env={**full.env, **moved, "RESTMON_DATA_DIR": "/nowhere"})):
        for (kind, key), content in kept.items():
            assert files.read(kind, key) == content
    # The row ids go on after those that were moved.
    more = full.write("more.csv", "store_id,status,timestamp_utc\nnew,active,2023-01-24 00:00:00\n")
    assert full.restmon("import", "--polls", more, env=moved).returncode == 0
    with psycopg.connect(postgres_url) as connection:
        (stores,) = connection.execute("SELECT count(*) FROM store").fetchone() or (0,)
    assert stores == rows(full, "store") + 1


def test_a_database_that_is_not_empty_is_refused(full: Workspace, postgres_url: str):
    assert full.restmon("migrate-to", postgres_url).returncode == 0
    again = full.restmon("migrate-to", postgres_url)
    assert again.returncode == 2
    assert "is not empty" in again.stderr
    assert "Traceback" not in again.stderr


def test_a_row_that_arrives_otherwise_is_noticed(
    full: Workspace, postgres_url: str, monkeypatch: pytest.MonkeyPatch
):
    execute_many = poll_statements.execute_many

    def wrong(sql: str, rows: list[tuple[Any, ...]]) -> None:
        *of_the_last, data = rows[-1]
        execute_many(sql, [*rows[:-1], (*of_the_last, bytes([data[0] ^ 1]) + data[1:])])

    monkeypatch.setattr(poll_statements, "execute_many", wrong)
    with pytest.raises(sqlite_to_postgres.RestmonError, match="table poll did not arrive"):
        sqlite_to_postgres.move_to(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM store").fetchone() == (0,)
    with session():
        assert models.Store.select().count() == rows(full, "store")


@pytest.mark.parametrize("url", ["mysql://x/y", "postgresql://h", "postgresql://a@127.0.0.1:1/b"])
def test_an_address_that_cannot_be_used_is_one_sentence(full: Workspace, url: str):
    done = full.restmon("migrate-to", url)
    assert done.returncode == 2
    assert "cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("tester_alive")
def test_not_while_a_worker_runs(full: Workspace, postgres_url: str):
    done = full.restmon("migrate-to", postgres_url)
    assert done.returncode == 2
    assert "Stop worker" in done.stderr
