"""What changes and its entry in the audit are one transaction, for every service that changes."""

import ast
import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from restmon.access import accounts, api_keys, audit, password_links, sessions
from restmon.access.passwords import hash_token
from restmon.access.roles import THIS_MACHINE, Role
from restmon.demo import demo_stores
from restmon.documents import documents, status_pages
from restmon.ingest import (
    groups_csv,
    holiday_hours,
    hours_editing,
    imports,
    incoming_files,
    live_feed,
    store_editing,
    targets_csv,
    undo,
)
from restmon.notify import (
    acknowledgements,
    channels,
    outbox,
    rules,
    schedule_runs,
    schedules,
    sending_again,
)
from restmon.ops import deletion, future_polls, housekeeping
from restmon.reporting import reports
from restmon.storage import database, models
from restmon.storage.access_models import AuditEntry
from restmon.storage.notify_models import AlertState, OutboxMessage
from restmon.stores import groups, notes, targets
from tests.support.environment import ROOT
from tests.support.workspace import POLLS_HEADER, Workspace

PASSWORD = "seven green lamps burn"
OPERATOR, OWNER = "operator@example.com", "owner@example.com"
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"
SERVICES: dict[str, Callable[[Workspace], Any]] = {
    "accounts.add": lambda _: accounts.add("new@example.com", "owner", PASSWORD, ["Mine"]),
    "accounts.change": lambda _: accounts.change(OWNER, "viewer", (), "another long sentence"),
    "accounts.set_password": lambda _: accounts.set_password(OWNER, "another long sentence"),
    "accounts.change_password": lambda _: accounts.change_password(
        accounts.Actor(OWNER, Role.OWNER), PASSWORD, "another long sentence"
    ),
    "accounts.set_active": lambda _: accounts.set_active(OWNER, False),
    "accounts.delete": lambda _: accounts.delete(OWNER),
    "accounts.unlock": lambda _: accounts.unlock(OWNER),
    "password_links.make_link": lambda _: password_links.make_link(OWNER),
    "password_links.use_link": lambda made: password_links.use_link(
        made.env["LINK"].partition("token=")[2], "another long sentence"
    ),
    "accounts.reset": lambda _: accounts.reset(),
    "sessions.end_sessions": lambda _: sessions.end_sessions(OWNER),
    "sessions.log_in": lambda _: sessions.log_in(OWNER, PASSWORD, ""),
    "sessions.log_out": lambda made: sessions.log_out(made.env["TOKEN"]),
    "sessions.find_by_email": lambda _: sessions.find_by_email(OWNER, models.now()),
    "api_keys.make": lambda _: api_keys.make("new", "owner", None, ["Mine"]),
    "api_keys.revoke": lambda _: api_keys.revoke("nightly"),
    "groups.create": lambda _: groups.create("New"),
    "groups.rename": lambda _: groups.rename("Mine", "Ours"),
    "groups.change": lambda _: groups.change("Mine", "Ours", ["b"], ["a"]),
    "groups.delete": lambda _: groups.delete("Mine"),
    "groups.set_members": lambda _: groups.set_members("Mine", ["b"]),
    "groups.add": lambda _: groups.add("Mine", ["b"]),
    "groups.remove": lambda _: groups.remove("Mine", ["a"]),
    "groups_csv.import_csv": lambda made: groups_csv.import_csv(
        made.write("groups.csv", "store_id,group\nb,Mine\nb,New\n"), "groups.csv"
    ),
    "targets.set_target": lambda _: targets.set_target(targets.Subject(store="b"), 999_000),
    "targets.remove_target": lambda _: targets.remove_target(targets.Subject(group="Mine")),
    "targets_csv.import_targets_csv": lambda made: targets_csv.import_targets_csv(
        made.write("targets.csv", "store_id,group,target\na,,99\n,Mine,98\n*,,97\n"), "targets.csv"
    ),
    "notes.add_note": lambda _: notes.add_note("a", 0, "Power outage", "Nobody could cook"),
    "notes.change_note": lambda made: notes.change_note(int(made.env["NOTE"]), None, "Dark"),
    "notes.delete_note": lambda made: notes.delete_note(int(made.env["NOTE"])),
    "hours_editing.set_hours": lambda _: hours_editing.set_hours("a", [("0", "01:00", "02:00")]),
    "hours_editing.set_zone": lambda _: hours_editing.set_zone("a", "America/Denver"),
    "hours_editing.save": lambda _: hours_editing.save(
        "a", [("0", "01:00", "02:00")], "America/Denver"
    ),
    "store_editing.save_entry": lambda _: store_editing.save_entry("a", {"name": "Main Street"}),
    "store_editing.save_dates": lambda _: store_editing.save_dates(
        store_editing.Subject(store="a"), [("2023-12-25", "", "", "Christmas")]
    ),
    "store_editing.add_dates": lambda _: store_editing.add_dates(
        store_editing.Subject(store="a"), [("2024-12-25", "", "", "Christmas")]
    ),
    "store_editing.save_sales": lambda _: store_editing.save_sales(
        "a", store_editing.read_sales("a").fillna(100.0)
    ),
    "holiday_hours.save_holiday_hours": lambda _: holiday_hours.save_holiday_hours(
        store_editing.Subject(group="Mine"), holiday_hours.HolidayHours(2026, "CA")
    ),
    "reports.request": lambda _: reports.request(),
    "status_pages.turn_on": lambda _: status_pages.turn_on("Mine", "mine"),
    "status_pages.turn_off": lambda _: status_pages.turn_off("Public"),
    "schedules.add": lambda _: schedules.add(schedules.WantedSchedule("New")),
    "schedules.change": lambda _: schedules.change(1, {"time": "09:30"}),
    "schedules.set_paused": lambda _: schedules.set_paused(1, True),
    "schedules.delete": lambda _: schedules.delete(1),
    "schedule_runs.run_now": lambda _: schedule_runs.run_now(1),
    "documents.request": lambda _: documents.request(),
    "imports.request": lambda made: imports.request(
        [incoming_files.source_file("polls", made.path / "polls.csv")]
    ),
    "live_feed.take": lambda _: live_feed.take(
        "polls",
        [{"store_id": "a", "timestamp_utc": "2023-01-25", "status": "down"}],
        THIS_MACHINE,
    ),
    "deletion.delete_polls": lambda _: deletion.delete_polls(deletion.PollRange(store_id="a")),
    "deletion.delete_store": lambda _: deletion.delete_store("a"),
    "undo.undo": lambda _: undo.undo(imports.list_recent()[0].id),
    "api_keys.note_refused": lambda _: api_keys.note_refused(
        3, datetime(2023, 1, 25, tzinfo=UTC), "192.0.2.7"
    ),
    "future_polls.forget": lambda _: future_polls.forget(0),
    "housekeeping.clean": lambda _: housekeeping.clean(),
    "channels.add_channel": lambda _: channels.add_channel("Chat", SLACK),
    "channels.add_webhook": lambda _: channels.add_webhook(
        "Till", "https://8.8.8.8/", channels.EVENTS
    ),
    "channels.set_recipient": lambda _: channels.set_recipient(
        1, channels.Recipient("America/Denver", 0, 3_600_000_000)
    ),
    "channels.delete_channel": lambda _: channels.delete_channel(1),
    "channels.send_test": lambda _: channels.send_test(1),
    "rules.add_rule": lambda _: rules.add_rule(rules.Wanted("down", group="Mine"), [1]),
    "rules.set_paused": lambda _: rules.set_paused(1, True),
    "rules.delete_rule": lambda _: rules.delete_rule(1),
    "acknowledgements.acknowledge": lambda _: acknowledgements.acknowledge("the token"),
    "acknowledgements.acknowledge_alert": lambda _: acknowledgements.acknowledge_alert("1-0-5"),
    "sending_again.send_again": lambda made: sending_again.send_again(made.env["MESSAGE"]),
    "demo_stores.clear_demo": lambda _: demo_stores.clear_demo(),
}
"""A call of every service that writes an entry of what it changes, in the `prepared` workspace."""
ENTRY_ALONE = {"accounts.unlock", "api_keys.note_refused", "housekeeping.clean"}
"""Those that change nothing but the audit, in that workspace."""
LONGER: dict[str, str] = {
    "imports.run_now": "asks for an import, then does its work: `imports.request`",
    "demo_stores.load_demo": "asks for an import, then does its work: `imports.request`",
    "watched_folder.look": "asks for an import of what it finds: `imports.request`",
    "watched_folder.settle": "asks for an import of what is left over: `imports.request`",
    "processes.prepare": "loads the demo: `imports.request`",
    "processes.run_all": "loads the demo: `imports.request`",
}
"""What reaches such a service and goes on after its transaction, and which that is."""


@pytest.fixture
def prepared(workspace: Workspace) -> Workspace:
    """Demo stores a and b, one with hours; a group, accounts, a login, a key, and an entry in the
    audit that is older than entries are kept."""
    workspace.import_now(
        POLLS_HEADER + "a,active,2023-01-25 18:30:00 UTC\nb,active,2023-01-25 18:30:00 UTC\n"
    )
    hours_editing.set_hours("a", [("1", "09:00", "17:00")])
    with database.writing():
        models.Store.update(demo=True).execute()
    groups.create("Mine")
    groups.add("Mine", ["a"])
    rule = rules.add_rule(rules.Wanted("down"), [channels.add_channel("Slack", SLACK)])
    targets.set_target(targets.Subject(group="Mine"), 995_000)
    accounts.add(OPERATOR, "operator", PASSWORD)
    accounts.add(OWNER, "owner", PASSWORD, ["Mine"])
    workspace.env["LINK"] = password_links.make_link(OWNER)
    workspace.env["TOKEN"] = sessions.log_in(OWNER, PASSWORD, "")
    api_keys.make("nightly", "owner", None, ["Mine"])
    workspace.env["NOTE"] = str(notes.add_note("a", 0, "Tablet off", "").id)
    reports.request()
    groups.create("Public")
    status_pages.turn_on("Public")
    schedules.add(schedules.WantedSchedule("Weekly"))
    with database.writing():
        AuditEntry.create(at=0, actor="somebody", action="long ago")
        AlertState.create(
            rule=rule, is_open=True, token_hash=hash_token("the token"), values={"alert": 5}
        )
        sent = OutboxMessage.create(
            key="k",
            channel=1,
            channel_name="Slack",
            kind="alert",
            subject="a is down",
            give_up_at=0,
            status=outbox.UNSURE,
        )
    workspace.env["MESSAGE"] = sent.id
    return workspace


def state() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    with database.session():
        names = [name for name in models.database.get_tables() if not name.startswith("sqlite_")]
        return {
            name: sorted(models.database.execute_sql(f'SELECT * FROM "{name}"').fetchall(), key=str)
            for name in names
        }


class Undone(Exception):
    """Rolls a transaction back."""


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in after if before[name] != after[name]}


def refuse(table: str) -> Iterator[str]:
    """The statements after which the database refuses every change of a table."""
    for change in ("INSERT", "UPDATE", "DELETE"):
        yield (
            f'CREATE TRIGGER "refuse_{change}" BEFORE {change} ON "{table}"'
            " BEGIN SELECT RAISE(ABORT, 'this write was made to fail'); END"
        )


@pytest.mark.parametrize("name", SERVICES)
def test_a_change_and_its_entry_are_one(prepared: Workspace, name: str):
    act = partial(SERVICES[name], prepared)
    before = state()
    with suppress(Undone), database.writing():
        act()
        tables = changed(before, state())
        raise Undone
    assert state() == before
    assert "audit_entry" in tables
    assert len(tables) > 1 or name in ENTRY_ALONE
    for table in sorted(tables):
        with database.session():
            for statement in refuse(table):
                models.database.execute_sql(statement)
        with pytest.raises(Exception):  # noqa: B017 - whatever the service makes of it
            act()
        with database.session():
            for change in ("INSERT", "UPDATE", "DELETE"):
                models.database.execute_sql(f'DROP TRIGGER "refuse_{change}"')
        assert state() == before, f"{name} with no write of {table}"
    act()
    assert changed(before, state()) == tables


def test_an_entry_is_refused_outside_of_a_transaction(workspace: Workspace):
    with database.session(), pytest.raises(RuntimeError):
        audit.note("somebody", audit.EDITED)


# Which services there are


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / "restmon").rglob("*.py")):
        if "migrations" not in path.parts:
            yield path, ast.parse(path.read_text())


def calls(tree: ast.AST) -> set[str]:
    """The names that are called in a tree, with that of the module before a point."""
    return {
        ast.unparse(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }


def writers() -> set[str]:
    """module.function of every public function from which a call leads to ``audit.note``."""
    rooms = {
        "access",
        "stores",
        "ingest",
        "reporting",
        "demo",
        "ops",
        "leasing",
        "notify",
        "documents",
    }
    called: dict[str, set[str]] = {}
    for path, tree in modules():
        if path.parts[-2] not in rooms:
            continue  # front doors have modules of the same names
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        own = {node.name for node in functions}
        for node in functions:
            called[f"{path.stem}.{node.name}"] = {
                f"{path.stem}.{name}" if name in own else name for name in calls(node)
            }
    found = {"audit.note"}
    while more := {name for name, to in called.items() if to & found} - found:
        found |= more
    return {name for name in found - {"audit.note"} if not name.partition(".")[2].startswith("_")}


def test_every_service_that_writes_an_entry_is_in_the_list():
    assert writers() - set(OF_OTHERS) == set(SERVICES) | set(LONGER)


OF_OTHERS: dict[str, str] = {
    "schedule_runs.claim_due": "tests/notify/test_schedules.py",
    "targets.set_many": "part of targets_csv.import_targets_csv",
    "jobs.record": "part of reports.request, documents.request and imports.request",
    "password_check.check_password": "part of sessions.log_in and accounts.change_password",
}
"""Services whose own tests hold the same, and parts of services: where they are tested."""


def front_doors() -> Iterator[Path]:
    yield from [ROOT / "api_server.py", ROOT / "app.py"]
    for folder in ("pages", "jobs", "restmon/dashboard", "restmon/api", "restmon/cli"):
        yield from sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", list(front_doors()), ids=lambda path: str(path.relative_to(ROOT)))
def test_front_doors_write_no_entry_and_name_the_actor(path: Path):
    tree = ast.parse(path.read_text())
    assert "audit.note" not in calls(tree)
    if "cli" in path.parts:
        return  # whoever uses the command line is at this machine, the default
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name = ast.unparse(node.func)
        if name not in SERVICES:
            continue
        module = {
            "accounts": accounts,
            "api_keys": api_keys,
            "acknowledgements": acknowledgements,
            "channels": channels,
            "rules": rules,
            "holiday_hours": holiday_hours,
            "hours_editing": hours_editing,
            "deletion": deletion,
            "demo_stores": demo_stores,
            "documents": documents,
            "future_polls": future_polls,
            "groups": groups,
            "groups_csv": groups_csv,
            "housekeeping": housekeeping,
            "imports": imports,
            "live_feed": live_feed,
            "notes": notes,
            "password_links": password_links,
            "reports": reports,
            "schedule_runs": schedule_runs,
            "schedules": schedules,
            "sending_again": sending_again,
            "sessions": sessions,
            "status_pages": status_pages,
            "store_editing": store_editing,
            "targets": targets,
            "targets_csv": targets_csv,
            "undo": undo,
        }[name.partition(".")[0]]
        given = list(inspect.signature(getattr(module, name.partition(".")[2])).parameters)
        if "actor" not in given or any(keyword.arg is None for keyword in node.keywords):
            continue
        named = {keyword.arg for keyword in node.keywords}
        assert len(node.args) > given.index("actor") or "actor" in named, (
            f"{path.name} line {node.lineno}: {name} without the actor"
        )
