"""Ids are never used again, so what refers to something that is gone refers to nothing."""

from dataclasses import replace
from typing import Any

import pytest
from peewee import AutoField, BooleanField, ForeignKeyField, IntegerField, SqliteDatabase
from playhouse.migrations import Runner
from streamlit.runtime.context import ContextProxy

from restmon.access import accounts, api_keys, sessions
from restmon.dashboard import auth_middleware
from restmon.errors import NotFound
from restmon.ingest import imports, incoming_files
from restmon.leasing import jobs
from restmon.reporting import reports
from restmon.settings import get_settings
from restmon.storage import database, models
from restmon.storage.models import Import, Report
from restmon.storage.tables import ALL_MODELS
from restmon.stores import groups
from tests.support.http import http
from tests.support.pages import page, seen
from tests.support.workspace import POLLS_HEADER, Workspace

PASSWORD = "seven green lamps burn"
NUMBERED = [
    model
    for model in ALL_MODELS
    if isinstance(model._meta.primary_key, AutoField) and model is not models.Revision
]
"""Every model with row numbers (a revision's is the greatest plus one, and the last one stays)."""


def a_row(model: Any, turn: int) -> Any:
    """A new row, with some value in each column that needs one."""
    values: dict[str, Any] = {}
    for field in model._meta.sorted_fields:
        if field.primary_key or field.null or field.default is not None:
            continue
        if isinstance(field, ForeignKeyField):
            values[field.name] = a_row(field.rel_model, turn)
        elif isinstance(field, BooleanField):
            values[field.name] = False
        else:
            values[field.name] = turn if isinstance(field, IntegerField) else f"t{turn}"
    return model.create(**values)


@pytest.mark.both_databases
@pytest.mark.parametrize("model", NUMBERED, ids=lambda model: model.__name__)
def test_an_id_is_never_used_again(workspace: Workspace, model: Any):
    ids = []
    for turn in range(3):
        with database.writing():
            row = a_row(model, turn)
            ids.append(row.id)
            model.delete().where(model.id == row.id).execute()
    assert ids == sorted(set(ids))


def test_every_numbered_table_says_so(workspace: Workspace):
    with database.session():
        tables = "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
        found = dict(models.database.execute_sql(tables).fetchall())
    for model in (*NUMBERED, models.Revision):
        assert "AUTOINCREMENT" in found[model._meta.table_name]


@pytest.fixture
def of_a_group(workspace: Workspace) -> tuple[str, str]:
    """The ids of a report and an import of the group Old, of an owner who has a login and a key."""
    workspace.import_now(
        POLLS_HEADER + "a,active,2023-01-25 18:30:00 UTC\nb,active,2023-01-25 18:30:00 UTC\n"
    )
    groups.create("Old")
    groups.add("Old", ["a"])
    accounts.add("operator@example.com", "operator", PASSWORD)
    accounts.add("owner@example.com", "owner", PASSWORD, ["Old"])
    accounts.add("viewer@example.com", "viewer", PASSWORD, ["Old"])
    owner = sessions.find_by_email("owner@example.com", models.now())
    assert owner
    report = reports.request(actor=owner)
    reports.work(report.id)
    path = workspace.write("old.csv", POLLS_HEADER + "a,active,2023-01-25 19:00:00 UTC\n")
    row = imports.request([incoming_files.source_file("polls", path)], actor=owner, resumable=False)
    imports.work(row.id)
    return report.id, row.id


@pytest.mark.both_databases
@pytest.mark.parametrize("role", ["owner", "viewer"])
def test_the_next_group_does_not_see_what_was_of_the_last(
    workspace: Workspace,
    of_a_group: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    role: str,
):
    report_id, import_id = of_a_group
    groups.delete("Old")
    groups.create("New")
    groups.add("New", ["b"])
    accounts.add("new@example.com", role, PASSWORD, ["New"])
    for email in ("new@example.com", "owner@example.com", "viewer@example.com"):
        who = sessions.find_by_email(email, models.now())
        assert who
        assert jobs.list_recent(Report, who, 10) == []
        assert jobs.list_recent(Import, who, 10) == []
        with pytest.raises(NotFound):
            reports.get(report_id, who)
        with pytest.raises(NotFound):
            imports.get(import_id, who)
    operator = sessions.find_by_email("operator@example.com", models.now())
    assert operator
    assert reports.get(report_id, operator).id == report_id
    token = sessions.log_in("new@example.com", PASSWORD, "")
    monkeypatch.setattr(ContextProxy, "cookies", {auth_middleware.COOKIE: token})
    assert report_id[:6] not in seen(page("reports", report=report_id))
    assert "old.csv" not in seen(page("upload", **{"import": import_id}))
    key = {"Authorization": f"Bearer {api_keys.make('new', role, None, ['New'])}"}
    workspace.wait_for(workspace.start("api"), workspace.api_port)
    for path in (f"/get_report?report_id={report_id}", f"/import_data?import_id={import_id}"):
        assert http(workspace.api + path, headers=key).status == 404


def test_a_database_whose_last_group_is_gone_goes_on_after_it(workspace: Workspace):
    """Its reports name groups that no row has any more."""
    path = workspace.path / "old.db"
    old = SqliteDatabase(str(path), pragmas={"foreign_keys": 1})
    Runner(old, str(database.MIGRATIONS)).up("0007_import_error_code")
    for statement in (
        "INSERT INTO store (id, store_id, demo) VALUES (3, 'a', 0)",
        "INSERT INTO business_hours (store_id, day_of_week, start_time, end_time)"
        " VALUES (3, 1, 0, 10)",
        "INSERT INTO store_group (id, name, same_name) VALUES (2, 'g', 'g')",
        "INSERT INTO group_member (group_id, store_id) VALUES (2, 3)",
        "INSERT INTO account (id, email, same_email, role, every_store, created_at)"
        " VALUES (4, 'A@x.y', 'a@x.y', 'owner', 0, 5)",
        "INSERT INTO account_group (account_id, group_id) VALUES (4, 2)",
        "INSERT INTO session (token_hash, account_id, created_at, seen_at) VALUES ('t', 4, 1, 1)",
        "INSERT INTO audit_entry (at, actor, action, subject, address)"
        " VALUES (1, 'a', 'b', '', '')",
        "INSERT INTO report (id, status, progress, attempts, requested_at, requested_by, demo,"
        " method, rounds, actor, groups) VALUES ('r', 'Complete', 1, 1, 1, 'api', 0, 'nearest', 0,"
        " 'a', '[2, 7]')",
    ):
        old.execute_sql(statement)
    tables = ["store", "store_group", "group_member", "account_group"]
    tables += ["audit_entry", "report"]
    indexes = "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name"

    def rows(db: Any) -> dict[str, Any]:
        found = {name: db.execute_sql(f'SELECT * FROM "{name}"').fetchall() for name in tables}
        found["business_hours"] = db.execute_sql(
            "SELECT store_id, day_of_week, start_time, end_time FROM business_hours"
        ).fetchall()
        found["account"] = db.execute_sql("SELECT id, email, created_at FROM account").fetchall()
        found["session"] = db.execute_sql("SELECT token_hash, account_id FROM session").fetchall()
        return found

    before, named = rows(old), set(old.execute_sql(indexes).fetchall())
    old.close()
    database.configure(replace(get_settings(), database_url=f"sqlite:///{path}"))
    with database.session():
        after = rows(models.database)
        assert {name: after[name][0][: len(before[name][0])] for name in before} == {
            name: before[name][0] for name in before
        }
        named.remove(("business_hours_store_id",))  # a view now
        assert named <= set(models.database.execute_sql(indexes).fetchall())
        assert not models.database.execute_sql("PRAGMA foreign_key_check").fetchall()
    assert groups.create("next").id > 7
    assert accounts.was_ever_made()
