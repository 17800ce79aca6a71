"""Who gets to see and to do what: accounts, roles and groups, through dashboard, API and CLI."""

import json
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from streamlit import file_util
from streamlit.testing.v1 import AppTest

from restmon.access import accounts, api_keys, audit, exposure, password_check, sessions, throttle
from restmon.access.exposure import OF_PROXIES
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.dashboard import account_forms, auth_middleware
from restmon.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    NotLoggedIn,
    RestmonError,
    TooManyTries,
)
from restmon.ingest import hours_editing, imports, incoming_files
from restmon.leasing import leases
from restmon.reporting import computation, reports
from restmon.settings import get_settings
from restmon.storage import database, models
from restmon.storage.access_models import (
    Account,
    AccountGroup,
    ApiKey,
    ApiKeyGroup,
    AuditEntry,
    Session,
)
from restmon.storage.models import COMPLETE, RUNNING, Store, now
from restmon.stores import groups
from tests.support import pages
from tests.support.environment import ROOT, wait_until
from tests.support.http import Answer, http, multipart
from tests.support.pages import (
    POLLS,
    ZONES,
    html_rows,
    html_shown,
    page,
    seen,
    table,
    table_rows,
    well,
)
from tests.support.people import FORM, MINE, OTHERS, PASSWORD, actor_of, post_login, token_of
from tests.support.workspace import POLLS_HEADER, Workspace

pytestmark = pytest.mark.both_databases


WHO = ("operator", "owner", "viewer", "group viewer", "nobody")

PAGES: dict[str, Role] = {
    "overview": Role.VIEWER,
    "stores": Role.VIEWER,
    "groups": Role.VIEWER,
    "store": Role.VIEWER,
    "outages": Role.VIEWER,
    "trend": Role.VIEWER,
    "upload": Role.OWNER,
    "reports": Role.VIEWER,
    "documents": Role.VIEWER,
    "alerts": Role.OWNER,
    "data_check": Role.VIEWER,
    "settings": Role.OWNER,
    "access": Role.OPERATOR,
    "help": Role.VIEWER,
    "account": Role.VIEWER,
}
"""Every page, and the least role that may use it."""

ROLES = {
    "operator": Role.OPERATOR,
    "owner": Role.OWNER,
    "viewer": Role.VIEWER,
    "group viewer": Role.VIEWER,
}


def refused(at: AppTest) -> bool:
    return any("may not do this" in error for error in at.error.values)


def test_every_page_is_in_the_table():
    assert set(PAGES) == set(pages.PAGES) | {"access", "account"}


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("name", PAGES)
def test_who_may_use_a_page(people: Workspace, as_: Any, name: str, who: str):
    as_(who)
    at = page(name)
    if who == "nobody":
        assert "Log in to see your stores." in seen(at)
        assert not [*at.dataframe, *html_rows(at)]
        assert at.title.values == ["restmon"]
    elif PAGES[name] == Role.VIEWER or ROLES[who] in {PAGES[name], Role.OPERATOR}:
        assert not refused(at)
        assert at.title
    else:
        assert refused(at)
        assert not at.title
        assert not [*at.dataframe, *html_rows(at)]


@pytest.mark.parametrize("who", ["owner", "group viewer"])
@pytest.mark.parametrize(
    "name",
    ["overview", "stores", "store", "outages", "reports", "documents", "data_check", "settings"],
)
def test_other_peoples_stores_are_on_no_page(people: Workspace, as_: Any, name: str, who: str):
    reports.work(reports.request(actor=actor_of("other")).id)
    reports.work(reports.request().id)
    as_(who)
    query = {"store": OTHERS} if name in {"store", "settings"} else {}
    at = page(name, **query)
    shown = seen(at)
    for other in ("New_York", "c:1", "idle", "Theirs", f"store={OTHERS}", f"Store {OTHERS}"):
        assert other not in shown
    for box in at.selectbox:
        assert set(box.options).isdisjoint({OTHERS, "c:1", "idle", "Theirs"})
    if name == "stores":
        assert "**1** store." in shown
    if name == "store":
        assert f"There is no store “{OTHERS}”" in shown


def test_another_owners_report_and_import_are_on_no_page(people: Workspace, as_: Any):
    report = reports.request(actor=actor_of("other"))
    reports.work(report.id)
    path = people.write("p.csv", POLLS_HEADER + "b,active,2023-01-25 19:00:00 UTC\n")
    row = imports.request(
        [incoming_files.source_file("polls", path)], "dashboard", actor_of("other"), resumable=False
    )
    imports.work(row.id)
    as_("owner")
    at = page("reports", report=report.id)
    assert report.id[:6] not in seen(at)
    assert "No reports yet." in seen(at)
    at = page("upload", **{"import": row.id})
    assert "p.csv" not in seen(at)
    assert any("There is no import" in error for error in at.error.values)
    as_("other")
    at = page("reports", report=report.id)
    assert len(table(at, "The report, a row")) == 1
    (shown,) = table_rows(at, "All reports")
    assert shown["Requested by"] == "other@example.com, API"
    at = page("upload", **{"import": row.id})
    assert "p.csv" in seen(at)
    (shown,) = table_rows(at, "All imports")
    assert shown["Requested by"] == "other@example.com, dashboard"


def test_an_owner_makes_a_report_of_their_own_stores(people: Workspace, as_: Any):
    as_("owner")
    at = page("reports")
    (button,) = [b for b in at.button if b.label == "Make the report"]
    well(button.click().run())
    (report,) = reports.list_recent(actor=actor_of("owner"))
    assert report.actor == "owner@example.com"
    reports.work(report.id)
    done = reports.get(report.id)
    lines = computation.compute(done.as_of).csv().splitlines()
    (mine,) = [line for line in lines if line.startswith(f"{MINE},")]
    assert reports.read_csv(done).decode().splitlines() == [lines[0], mine]
    assert (done.status, done.stores) == (COMPLETE, 1)
    as_("owner")
    assert list(table(page("reports", report=report.id), "The report, a row")["store_id"]) == [
        "/store?store=a"
    ]


def test_a_viewer_is_offered_nothing_that_changes_something(people: Workspace, as_: Any):
    reports.work(reports.request().id)
    as_("viewer")
    at = page("reports")
    assert "Make the report" not in seen(at)
    assert len(table(at, "The report, a row")) == 4
    assert "Change hours or zone" not in seen(page("store", store=MINE))
    with pytest.raises(RestmonError, match="A viewer may not do this"):
        reports.request(actor=actor_of("viewer"))


def test_a_login_that_ends_while_a_page_is_open(people: Workspace, as_: Any):
    token = as_("operator")
    at = page("stores")
    assert html_rows(at)
    sessions.log_out(token)
    at = well(at.run())
    assert "Log in to see your stores." in seen(at)
    assert not html_rows(at)
    token = as_("owner")
    assert html_rows(page("stores"))
    with database.session():
        Session.update(seen_at=now() - sessions.IDLE - 1).execute()
    assert not html_rows(page("stores"))
    as_("owner")
    with database.session():
        Session.update(created_at=now() - sessions.LONGEST_LOGIN - 1).execute()
    assert not html_rows(page("stores"))
    as_("owner")
    assert html_rows(page("stores"))
    accounts.set_active("owner@example.com", False)
    assert not html_rows(page("stores"))


def test_who_has_logged_in_changes_the_password_and_logs_out(people: Workspace, as_: Any):
    as_("owner")
    at = page("account")
    assert "owner@example.com" in seen(at)
    assert "Groups: **Mine**" in seen(at)
    at.text_input("old_password").set_value("not it at all")
    at.text_input("new_password").set_value("another long sentence")
    (change,) = [b for b in at.button if b.label == "Change the password"]
    well(change.click().run())
    assert any("E-mail or password is wrong." in error for error in at.error.values)
    at.text_input("old_password").set_value(PASSWORD)
    at.text_input("new_password").set_value("another long sentence")
    (change,) = [b for b in at.button if b.label == "Change the password"]
    well(change.click().run())
    assert "Your password is changed." in seen(at)
    with pytest.raises(NotLoggedIn):
        sessions.log_in("owner@example.com", PASSWORD, "")
    token = sessions.log_in("OWNER@example.com ", "another long sentence", "")
    assert sessions.find_by_token(token) == actor_of("owner")
    as_("viewer")
    at = page("account")
    well(at.button("logout").click().run())
    assert "Log in to see your stores." in seen(at)


def test_an_operator_makes_accounts_and_keys_on_a_page(people: Workspace, as_: Any):
    as_("operator")
    at = page("access")
    assert {row["E-mail"] for row in table_rows(at, "All accounts")} == {
        "operator@example.com",
        "owner@example.com",
        "other@example.com",
        "viewer@example.com",
        "group-viewer@example.com",
    }
    at.text_input("email_0").set_value("new@example.com")
    at.selectbox("role_new_0").set_value(Role.OWNER).run()
    at.radio("how_0").set_value(account_forms.SET_HERE).run()
    at.text_input("password_0").set_value(PASSWORD)
    well(at.button("add_account").click().run())
    assert any("An owner needs at least one group" in error for error in at.error.values)
    at.multiselect("groups_new_0").set_value(["Mine"]).run()
    well(at.button("add_account").click().run())
    assert "The account new@example.com is created." in seen(at)
    assert actor_of("new").groups == actor_of("owner").groups
    at.selectbox("account").set_value("operator@example.com").run()
    well(at.button("toggle_account").click().run())
    assert any("is the last operator" in error for error in at.error.values)
    at.selectbox("account").set_value("new@example.com").run()
    well(at.button("toggle_account").click().run())
    assert sessions.find_by_email("new@example.com", now()) is None

    at = page("access", access_part="API keys")
    at.text_input("key_name_0").set_value("nightly").run()
    well(at.button("make_key").click().run())
    (key,) = at.code.values
    assert api_keys.check(key) == Actor("key nightly", Role.VIEWER)
    assert not well(at.run()).code
    at.selectbox("revoked").set_value("nightly").run()
    well(at.button("revoke_key").click().run())
    with pytest.raises(NotLoggedIn):
        api_keys.check(key)

    entries = html_rows(page("access", access_part="Audit"))
    assert {
        ("operator@example.com", "changed the account new@example.com"),
        ("operator@example.com", "changed the API key nightly"),
    } <= {(row["Who"], row["What"]) for row in entries}


def test_an_owner_edits_their_own_stores_alone(people: Workspace, as_: Any):
    as_("owner")
    at = page("settings", store=MINE)
    assert [tab.label for tab in at.tabs] == []
    at.selectbox(f"zone_of_{MINE}").set_value("America/Denver")
    well(at.button("save").click().run())
    assert "Saved." in seen(at)
    entry = audit.list_recent(1)[0]
    assert (entry.actor, entry.action, entry.subject) == (
        "owner@example.com",
        audit.ZONE_CHANGED,
        MINE,
    )
    with pytest.raises(RestmonError, match="There is no store 'b'"):
        hours_editing.save(OTHERS, [], "America/Denver", actor_of("owner"))


def test_at_this_machine_nobody_logs_in_until_somebody_has_an_account(
    workspace: Workspace, as_: Any
):
    as_("nobody")
    workspace.import_now(POLLS)
    assert "Nobody has to log in on this machine" in seen(page("account"))
    at = page("access")
    assert "No accounts yet" in seen(at)
    at.text_input("email_0").set_value("first@example.com")
    at.text_input("password_0").set_value(PASSWORD)
    well(at.button("add_account").click().run())
    assert any("must be an operator's" in error for error in at.error.values), at.error.values
    at.selectbox("role_new_0").set_value(Role.OPERATOR).run()
    well(at.button("add_account").click().run())
    assert "The account first@example.com is created." in seen(at)
    assert "Log in to see your stores." in seen(at)
    (link,) = at.get("link_button")
    assert link.proto.url == "/login?done=account"


def report_by(service: Workspace, key: str) -> str:
    answer = http(f"{service.api}/trigger_report", "POST", headers=bearer(key))
    assert answer.status == 202, answer.text
    return str(answer.json["report_id"])


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def ended(service: Workspace, path: str, key: str) -> Any:
    def look() -> Any:
        answer = http(service.api + path, headers=bearer(key))
        assert answer.status == 200, answer.text
        return answer.json if answer.json["status"] != RUNNING else None

    return wait_until("it ends", look)


@pytest.fixture
def keys(service: Workspace) -> Iterator[dict[str, str]]:
    """Stores as in ``people``, and keys of the two owners, an operator and viewers."""
    service.import_now(POLLS, zones=ZONES)
    for name, store_id in (("Mine", MINE), ("Theirs", OTHERS)):
        groups.create(name)
        groups.add(name, [store_id])
    yield {
        "operator": api_keys.make("operator", "operator"),
        "owner": api_keys.make("owner", "owner", groups=["Mine"]),
        "other": api_keys.make("other", "owner", groups=["Theirs"]),
        "viewer": api_keys.make("viewer"),
        "group viewer": api_keys.make("group viewer", groups=["Mine"]),
    }
    with database.writing():
        for model in (ApiKeyGroup, ApiKey, models.GroupMember, models.Group):
            model.delete().execute()


def test_an_owners_report_has_their_stores_and_is_nobody_elses(
    service: Workspace, keys: dict[str, str]
):
    report_id = report_by(service, keys["owner"])
    found = ended(service, f"/get_report?report_id={report_id}", keys["owner"])
    assert [line.split(",")[0] for line in found["csv"].splitlines()] == ["store_id", MINE]
    assert found["stores"] == 1
    # The newest poll of Mine is not the newest of all.
    newest_of_mine = computation.parse_as_of("2023-01-25 16:00:00 UTC")
    whole = computation.compute(newest_of_mine).csv().splitlines()
    assert set(found["csv"].splitlines()) <= set(whole)
    for path in (
        f"/get_report?report_id={report_id}",
        f"/get_report/{report_id}",
        f"/get_report?report_id={report_id}&format=csv",
        f"/get_report?report_id={report_id}&format=status",
    ):
        for who, status in (
            ("other", 404),
            ("owner", 200),
            ("operator", 200),
            ("viewer", 200),
            ("group viewer", 200),
        ):
            assert http(service.api + path, headers=bearer(keys[who])).status == status, who
    of_all = report_by(service, keys["operator"])
    ended(service, f"/get_report?report_id={of_all}", keys["operator"])
    for who in ("owner", "other", "group viewer"):
        path = f"/get_report?report_id={of_all}"
        assert http(service.api + path, headers=bearer(keys[who])).status == 404


def send(service: Workspace, key: str, polls: str) -> Answer:
    body, kind = multipart([("polls", "polls.csv", (POLLS_HEADER + polls).encode())])
    url = f"{service.api}/import_data?wait=true"
    return http(url, "POST", body, {**kind, **bearer(key)})


def test_an_owners_import_takes_their_stores_alone(service: Workspace, keys: dict[str, str]):
    polls = (
        "a,active,2023-01-25 18:30:00 UTC\n"
        "b,active,2023-01-25 18:30:00 UTC\n"
        "unheard-of,active,2023-01-25 18:30:00 UTC\n"
    )
    answer = send(service, keys["owner"], polls)
    assert answer.status == 200, answer.text
    counts = {name: answer.json["counts"][name] for name in ("read", "new", "rejected")}
    assert counts == {"read": 3, "new": 1, "rejected": 2}
    assert [(r["line"], r["value"], r["reason"]) for r in answer.json["rejections"]] == [
        (3, "b", "this is not one of your stores"),
        (4, "unheard-of", "this is not one of your stores"),
    ]
    with database.session():
        assert not Store.select().where(Store.store_id == "unheard-of").exists()
    import_id = answer.json["import_id"]
    for path in (f"/import_data?import_id={import_id}", f"/import_data/{import_id}/rejected.csv"):
        for who, status in (("other", 404), ("owner", 200), ("operator", 200)):
            assert http(service.api + path, headers=bearer(keys[who])).status == status
    entry = audit.list_recent(1)[0]
    assert (entry.actor, entry.action, entry.subject) == ("key owner", audit.IMPORTED, import_id)


def test_the_import_folder_is_the_operators(service: Workspace, keys: dict[str, str]):
    inbox = service.path / "inbox"
    inbox.mkdir(exist_ok=True)
    (inbox / "polls.csv").write_text(POLLS_HEADER + "a,active,2023-01-25 18:30:00 UTC\n")
    for who, status in (("owner", 403), ("viewer", 403), ("operator", 202)):
        url = f"{service.api}/import_data"
        assert http(url, "POST", headers=bearer(keys[who])).status == status


def test_a_group_that_is_deleted_opens_nothing(service: Workspace, keys: dict[str, str]):
    groups.delete("Mine")
    for who in ("owner", "group viewer"):
        assert api_keys.check(keys[who]).groups == frozenset()
    url = f"{service.api}/trigger_report"
    without_polls = http(url, "POST", headers=bearer(keys["owner"]))
    assert without_polls.status == 409
    assert "no polls of your stores" in without_polls.text
    asked = http(f"{url}?as_of=2023-01-25T18:00:00Z", "POST", headers=bearer(keys["owner"]))
    assert asked.status == 202, asked.text
    found = ended(service, f"/get_report?report_id={asked.json['report_id']}", keys["owner"])
    assert found["csv"].splitlines() == [computation.HEADER]


def test_a_large_report_of_an_owner_is_cut_in_its_shards(
    people: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RESTMON_SHARD_STORES", "1")
    get_settings.cache_clear()
    report = reports.request(actor=actor_of("owner"))
    reports.work(report.id)
    for shard_id in reports.shards.list_waiting(report.id):
        reports.work_shard(shard_id)
    reports.work(report.id)
    done = reports.get(report.id)
    assert [line.split(",")[0] for line in reports.read_csv(done).decode().splitlines()] == [
        "store_id",
        MINE,
    ]
    assert done.stores == 1
    assert leases.list_waiting(reports.Report) == []


@pytest.mark.parametrize(
    ("email", "role", "password", "said"),
    [
        ("", "operator", PASSWORD, "is not an e-mail address"),
        ("nobody", "operator", PASSWORD, "is not an e-mail address"),
        ("a b@example.com", "operator", PASSWORD, "is not an e-mail address"),
        ("a\0@example.com", "operator", PASSWORD, "is not an e-mail address"),
        ("a@example.com", "king", PASSWORD, "'king' is not a role"),
        ("a@example.com", "operator", "short", "12 to 1,024 letters"),
        ("a@example.com", "operator", "a" * 12, "easy to guess"),
        ("long.name@example.com", "operator", "Long.Name@example.com", "easy to guess"),
        ("a@example.com", "operator", "x1y2z" * 300, "12 to 1,024 letters"),
    ],
)
def test_what_is_no_account_is_told(
    workspace: Workspace, email: str, role: str, password: str, said: str
):
    with pytest.raises(BadRequest) as caught:
        accounts.add(email, role, password)
    assert said in str(caught.value)
    assert accounts.list_accounts() == []


def test_accounts_by_the_command_line(workspace: Workspace):
    done = workspace.restmon("accounts", "add", "op@example.com", "--role", "operator", input="x\n")
    assert done.returncode == 2
    assert "12 to 1,024 letters" in done.stderr
    add = ("accounts", "add", "op@example.com", "--role", "operator")
    assert workspace.restmon(*add, input=f"{PASSWORD}\n").returncode == 0
    assert "already an account" in workspace.restmon(*add, input=f"{PASSWORD}\n").stderr
    groups.create("Brand")
    owner = ("accounts", "add", "ann@example.com", "--role", "owner", "--group")
    assert "There is no group 'Nope'" in workspace.command(*owner, "Nope", input=PASSWORD).stderr
    assert workspace.command(*owner, "Brand", "--no-password").returncode == 0
    listed = workspace.command("accounts", "list").stdout
    assert "active   owner     last login never" in listed
    assert "ann@example.com (Brand)" in listed
    with pytest.raises(NotLoggedIn):
        sessions.log_in("ann@example.com", "", "")
    change = ("accounts", "password", "ann@example.com")
    assert workspace.command(*change, input=f"{PASSWORD}\n").returncode == 0
    token = sessions.log_in("ann@example.com", PASSWORD, "")
    change = ("accounts", "change", "ann@example.com", "--role", "viewer")
    assert workspace.command(*change).returncode == 0
    assert sessions.find_by_token(token) == Actor("ann@example.com", Role.VIEWER, None)
    assert workspace.command("accounts", "disable", "ann@example.com").returncode == 0
    assert sessions.find_by_token(token) is None
    assert "disabled viewer" in workspace.command("accounts", "list").stdout
    assert workspace.command("accounts", "enable", "ann@example.com").returncode == 0
    missing = workspace.command("accounts", "disable", "x@example.com")
    assert (missing.returncode, "There is no account" in missing.stderr) == (2, True)
    trail = workspace.command("audit").stdout
    assert "this machine changed the account ann@example.com" in trail
    assert "ann@example.com logged in" in trail


def test_passwords_and_tokens_are_kept_as_hashes(people: Workspace):
    token = token_of("operator")
    with database.session():
        rows = [row.__data__ for model in (Account, Session, AuditEntry) for row in model.select()]
    kept = json.dumps(rows)
    assert PASSWORD not in kept
    assert token not in kept
    assert "$argon2id$" in kept


def guess(email: str, address: str, times: int) -> None:
    """Give a wrong password so many times."""
    for _ in range(times):
        with pytest.raises(NotLoggedIn):
            sessions.log_in(email, "a wrong password", address)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays that were asked for; none is waited for."""
    made: list[float] = []
    monkeypatch.setattr(throttle, "sleep", made.append)
    return made


def test_the_pair_of_an_account_and_an_address_is_refused(people: Workspace, waits: list[float]):
    guess("owner@example.com", "192.0.2.1", throttle.MOST_OF_PAIR)
    with pytest.raises(TooManyTries, match="ask an operator to unlock"):
        sessions.log_in("Owner@example.com", PASSWORD, "192.0.2.1")
    assert sessions.find_by_token(sessions.log_in("owner@example.com", PASSWORD, "192.0.2.2"))
    assert sessions.find_by_token(sessions.log_in("viewer@example.com", PASSWORD, "192.0.2.1"))
    done = people.command("accounts", "unlock", "Owner@example.com")
    assert (done.returncode, done.stderr) == (0, "")
    assert sessions.find_by_token(sessions.log_in("owner@example.com", PASSWORD, "192.0.2.1"))
    assert waits == []


def test_guesses_of_others_behind_one_address_lock_nobody_out_who_was_there_before(
    people: Workspace, waits: list[float]
):
    sessions.log_in("owner@example.com", PASSWORD, "192.0.2.1")
    for n in range(throttle.MOST_OF_ADDRESS):
        guess(f"guess-{n}@example.com", "192.0.2.1", 1)
    for name in ("viewer@example.com", "made-up@example.com"):
        with pytest.raises(TooManyTries):
            sessions.log_in(name, PASSWORD, "192.0.2.1")
    assert waits == []
    assert sessions.find_by_token(sessions.log_in("owner@example.com", PASSWORD, "192.0.2.1"))
    assert waits == [throttle.DELAY_SECONDS]
    accounts.unlock("viewer@example.com")
    assert sessions.find_by_token(sessions.log_in("viewer@example.com", PASSWORD, "192.0.2.1"))


@pytest.mark.slow
def test_guesses_from_everywhere_do_not_lock_an_account_out_where_it_was_before(
    people: Workspace, waits: list[float]
):
    sessions.log_in("operator@example.com", PASSWORD, "192.0.2.1")
    for n in range(throttle.MOST_OF_ACCOUNT):
        guess("operator@example.com", f"198.51.100.{n}", 1)
    with pytest.raises(TooManyTries):
        sessions.log_in("operator@example.com", PASSWORD, "192.0.2.2")
    assert sessions.find_by_token(sessions.log_in("operator@example.com", PASSWORD, "192.0.2.1"))
    assert waits == [throttle.DELAY_SECONDS]
    with database.session():
        AuditEntry.update(at=now() - throttle.WITHIN - 1).execute()
    assert sessions.find_by_token(sessions.log_in("operator@example.com", PASSWORD, "192.0.2.2"))


def test_who_guesses_many_times_at_once_is_slowed_down(people: Workspace):
    def once(n: int) -> type[Exception]:
        with pytest.raises(RestmonError) as found:
            sessions.log_in("owner@example.com", f"a wrong password {n}", "192.0.2.1")
        return found.type

    with ThreadPoolExecutor(16) as pool:
        found = Counter(pool.map(once, range(24)))
    at_once = password_check.CHECKS_AT_ONCE._initial_value
    assert throttle.MOST_OF_PAIR <= found[NotLoggedIn] < throttle.MOST_OF_PAIR + at_once
    assert found.total() == found[NotLoggedIn] + found[TooManyTries]


def test_the_old_password_is_checked_without_a_login(people: Workspace):
    who = replace(actor_of("owner"), address="192.0.2.7")
    before = len(audit.list_recent())
    with pytest.raises(NotLoggedIn):
        accounts.change_password(who, "not it at all", "another long sentence")
    accounts.change_password(who, PASSWORD, "another long sentence")
    entries = [(e.actor, e.action, e.address) for e in audit.list_recent()[: -before or None]]
    assert entries == [
        ("owner@example.com", audit.ACCOUNT_CHANGED, "192.0.2.7"),
        ("owner@example.com", audit.CHECK_FAILED, "192.0.2.7"),
    ]


LAST_OPERATOR = {
    "disable": lambda: accounts.set_active("operator@example.com", False),
    "delete": lambda: accounts.delete("operator@example.com"),
    "change --role viewer": lambda: accounts.change("operator@example.com", "viewer"),
}


@pytest.mark.parametrize("how", LAST_OPERATOR)
def test_the_last_operator_stays(people: Workspace, how: str):
    with pytest.raises(BadRequest, match="is the last operator"):
        LAST_OPERATOR[how]()
    name, *options = how.split()
    done = people.command("accounts", name, "operator@example.com", *options)
    assert (done.returncode, "is the last operator" in done.stderr) == (2, True)
    assert actor_of("operator").role == Role.OPERATOR
    accounts.add("second@example.com", "operator", PASSWORD)
    LAST_OPERATOR[how]()


def test_a_login_is_needed_until_the_accounts_are_reset(people: Workspace, as_: Any):
    with database.writing():
        for model in (Session, AccountGroup, Account):
            model.delete().execute()  # as by hand, or by an older restmon
    as_("nobody")
    assert "Log in to see your stores." in seen(page("stores"))
    refused_ = people.command("accounts", "reset")
    assert (refused_.returncode, "Add --yes" in refused_.stderr) == (2, True)
    assert exposure.dashboard_requires_login(get_settings())
    assert people.command("accounts", "reset", "--yes").returncode == 0
    assert not exposure.dashboard_requires_login(get_settings())
    assert audit.list_recent(1)[0].action == audit.ACCOUNTS_RESET
    assert "Log in to see your stores." not in seen(page("stores"))


EASY = [
    *("password1234", "qwertyuiop12", "aaaaaaaaaaaa", "abcdefghijkl", "Password123!"),
    *("1234567890ab", "iloveyou1234", "zaq12wsxcde3", "x1y2z3x1y2z3", "qwerty" * 20),
    *("a" * 1024, "owner@example.com", "owner.example", "restmonrestmon"),
]


@pytest.mark.parametrize("password", EASY)
def test_a_password_that_is_easy_to_guess_is_refused(people: Workspace, password: str):
    for change in (
        lambda: accounts.set_password("owner@example.com", password),
        lambda: accounts.change_password(actor_of("owner"), PASSWORD, password),
        lambda: accounts.change("owner@example.com", "viewer", (), password),
    ):
        with pytest.raises(BadRequest, match="easy to guess"):
            change()
    assert actor_of("owner").role == Role.OWNER
    assert sessions.log_in("owner@example.com", PASSWORD, "")


def test_starting_does_not_pay_for_the_list_of_common_passwords():
    code = "import sys, restmon.cli.accounts; print('zxcvbn' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False", done.stderr


def test_logins_are_listed_and_ended(people: Workspace, as_: Any):
    here = as_("owner")
    other = sessions.log_in("owner@example.com", PASSWORD, "192.0.2.9", "Firefox on Windows")
    at = page("account")
    shown = table_rows(at, "Where the account is logged in")
    assert {(row["Browser"], row["Address"]) for row in shown} == {
        ("unknown (this one)", "192.0.2.7"),
        ("Firefox on Windows", "192.0.2.9"),
    }
    (body,) = [body for body in html_shown(at) if "<caption>Where the account" in body]
    assert len(re.findall('title="[^"]* UTC"', body)) == 4
    at.selectbox("login").set_value(sessions.session_id(other)).run()
    well(at.button("end_session").click().run())
    assert sessions.find_by_token(other) is None
    assert sessions.find_by_token(here)
    told = people.command("accounts", "sessions", "owner@example.com").stdout
    assert told.split()[0] == sessions.session_id(here)
    as_("operator")
    at = page("access")
    at.selectbox("account").set_value("owner@example.com").run()
    earlier = now()
    well(at.button("end_session").click().run())
    assert sessions.find_by_token(here) is None
    assert (audit.list_recent(1)[0].action, audit.list_recent(1)[0].actor) == (
        audit.SESSIONS_ENDED,
        "operator@example.com",
    )
    assert "logged in nowhere" in people.command("accounts", "sessions", "owner@example.com").stdout
    assert sessions.find_by_email("owner@example.com", earlier) is None  # an older login by OIDC


def test_only_an_operator_sees_and_ends_the_logins_of_others(people: Workspace):
    token = token_of("viewer")
    for who in ("owner", "viewer"):
        for act in (sessions.list_sessions, sessions.end_sessions):
            with pytest.raises(Forbidden):
                act("operator@example.com", actor=actor_of(who))
    own = sessions.session_id(token_of("operator"))
    with pytest.raises(NotFound):
        sessions.end_sessions("viewer@example.com", own, actor_of("viewer"))
    with pytest.raises(NotFound):
        sessions.end_sessions("viewer@example.com", "%", actor_of("viewer"))
    assert sessions.find_by_token(token)


def test_an_email_that_another_has_vouched_for():
    class User(dict[str, Any]):
        is_logged_in = True

    begun = now() // 1_000_000
    assert auth_middleware.vouched(User(email="a@example.com", iat=begun)) == (
        "a@example.com",
        begun * 10**6,
    )
    assert (
        auth_middleware.vouched(User(email="a@example.com", iat=begun, email_verified=False))
        is None
    )
    assert auth_middleware.vouched(User(email="a@example.com", iat=begun - 8 * 86400)) is None
    assert auth_middleware.vouched(User(email="a@example.com")) is None
    assert auth_middleware.vouched(User(iat=begun)) is None
    assert auth_middleware.vouched({}) is None


def test_a_login_that_another_vouches_for_is_on_record_once(people: Workspace):
    def logins() -> int:
        return sum(
            e.action == audit.LOGGED_IN for e in audit.list_recent() if e.address == "192.0.2.7"
        )

    for began in (now(), now() + 1):
        for _ in range(2):
            assert sessions.find_by_email("Owner@Example.com", began, "192.0.2.7")
    assert logins() == 2
    assert sessions.find_by_email("nobody@example.com", now(), "192.0.2.7") is None
    assert logins() == 2


def handshake(workspace: Workspace, **more: str) -> int:
    """The status of the answer to a WebSocket's beginning: 101 lets it in."""
    headers = {
        "Host": f"127.0.0.1:{workspace.dashboard_port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        **more,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", workspace.dashboard_port), 30) as connection:
        connection.sendall(f"GET /_stcore/stream HTTP/1.1\r\n{lines}\r\n".encode())
        return int(connection.recv(65536).split()[1])


@pytest.fixture
def guarded(people: Workspace) -> Workspace:
    people.start_dashboard()
    return people


def test_nothing_is_served_to_who_has_not_logged_in(guarded: Workspace):
    html = {"Accept": "text/html"}
    answer = http(f"{guarded.dashboard}/store?store=a", headers=html)
    assert answer.status == 200
    assert b'name="password"' in answer.body
    assert b'value="/store?store=a"' in answer.body
    for path in ("/", "/media/x.csv", "/_stcore/host-config", "/_stcore/upload_file/a/b", "/app/x"):
        assert http(guarded.dashboard + path).status == 401
    assert http(guarded.dashboard + "/_stcore/upload_file/a/b", "PUT", b"x").status == 401
    for path in ("/", "/login", "/_stcore/health"):
        headers = http(guarded.dashboard + path, headers=html).headers
        assert headers["x-frame-options"] in {"DENY", "SAMEORIGIN"}
        assert headers["x-content-type-options"] == "nosniff"
    assert handshake(guarded) == 403
    assert handshake(guarded, Cookie=f"{auth_middleware.COOKIE}={'A' * 43}") == 403
    assert http(f"{guarded.dashboard}/_stcore/health").status == 200


def test_streamlits_own_files_are_for_anybody_and_for_good(guarded: Workspace):
    folder = Path(file_util.get_static_dir())
    (style,) = (folder / "static" / "css").glob("index.*.css")
    script = next((folder / "static" / "js").glob("PlotlyChart.*.js"))
    for path, kind in ((style, "text/css"), (script, "javascript")):
        for _ in range(2):
            answer = http(f"{guarded.dashboard}/{path.relative_to(folder).as_posix()}")
            assert (answer.status, answer.body) == (200, path.read_bytes())
            assert kind in answer.headers["content-type"]
            assert "immutable" in answer.headers["cache-control"]
            assert answer.headers["x-content-type-options"] == "nosniff"
    for path in ("/static/../../py.typed", "/static/%2e%2e/%2e%2e/py.typed"):
        assert http(guarded.dashboard + path).status in {400, 401, 404}


def test_logging_in(guarded: Workspace):
    wrong = post_login(guarded, email="owner@example.com", password="wrong", next="/stores")
    assert wrong.status == 401
    assert b"E-mail or password is wrong." in wrong.body
    assert b'value="owner@example.com"' in wrong.body
    assert "set-cookie" not in wrong.headers
    done = post_login(guarded, email="owner@example.com", password=PASSWORD, next="/stores?zone=x")
    assert (done.status, done.headers["location"]) == (303, "/stores?zone=x")
    cookie = done.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    value = cookie.partition(";")[0]
    assert http(guarded.dashboard, headers={"Cookie": value}).status == 200
    assert handshake(guarded, Cookie=value) == 101
    assert handshake(guarded, Cookie=value, Origin="https://evil.example") == 403
    assert handshake(guarded, Cookie=value, Origin="http://127.0.0.1:1") == 403
    accounts.set_active("owner@example.com", False)
    assert http(guarded.dashboard, headers={"Cookie": value}).status == 401
    assert handshake(guarded, Cookie=value) == 403


def test_a_login_leads_to_this_dashboard_alone(guarded: Workspace):
    elsewhere = ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"]
    for then in [*elsewhere, "", "x"]:
        done = post_login(guarded, email="owner@example.com", password=PASSWORD, next=then)
        assert (then, done.status, done.headers["location"]) == (then, 303, "/")


def test_a_form_that_is_none_is_told_and_guesses_are_stopped(guarded: Workspace):
    url = f"{guarded.dashboard}/login"
    assert http(url, "POST", b"x" * 20_000, FORM).status == 413
    assert http(url, "POST", b"email=a\0&password=%ff", FORM).status == 401
    elsewhere = {**FORM, "Origin": "https://evil.example"}
    body = urlencode({"email": "owner@example.com", "password": PASSWORD}).encode()
    assert http(url, "POST", body, elsewhere).status == 403
    strange = http(f"{url}?next=%22%3E%3Cscript%3E")
    assert b"<script" not in strange.body
    for _ in range(throttle.MOST_OF_PAIR):
        assert post_login(guarded, email="viewer@example.com", password="wrong").status == 401
    answer = post_login(guarded, email="viewer@example.com", password=PASSWORD)
    assert answer.status == 429
    assert b"There were too many failed logins." in answer.body


def test_without_accounts_the_dashboard_answers_to_its_own_name_alone(workspace: Workspace):
    workspace.start_dashboard()
    port = workspace.dashboard_port
    assert handshake(workspace) == 101
    assert handshake(workspace, Host=f"localhost:{port}") == 101
    assert handshake(workspace, Host=f"evil.example:{port}") == 403
    assert handshake(workspace, Origin="https://evil.example") == 403
    assert handshake(workspace, Origin="http://localhost:1") == 403
    assert http(workspace.dashboard, headers={"Host": "evil.example"}).status == 403
    for name in OF_PROXIES:
        assert http(workspace.dashboard, headers={name: "for=203.0.113.7"}).status == 403


@pytest.mark.parametrize("command", ["dashboard", "run"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_the_dashboard_is_not_opened_to_others_without_an_account(
    workspace: Workspace, command: str, host: str
):
    done = workspace.restmon(command, env={"RESTMON_DASHBOARD_HOST": host})
    assert done.returncode == 2
    assert "there is no account. Make one (python -m restmon accounts add" in done.stderr
    assert "Traceback" not in done.stderr


def test_beyond_this_machine_a_login_is_asked_for(people: Workspace):
    people.start_dashboard(env={"RESTMON_DASHBOARD_HOST": "0.0.0.0"})
    assert http(people.dashboard).status == 401
    assert http(people.dashboard, headers={"Host": "shop.example"}).status == 401
    done = post_login(people, email="operator@example.com", password=PASSWORD)
    cookie = {"Cookie": done.headers["set-cookie"].partition(";")[0]}
    assert http(people.dashboard, headers={**cookie, "Host": "shop.example"}).status == 200


def test_what_this_machine_does_is_on_record_too(workspace: Workspace):
    workspace.import_now(POLLS)
    report = reports.request()
    assert [(e.actor, e.action) for e in audit.list_recent(2)] == [
        (THIS_MACHINE.name, audit.TRIGGERED),
        (THIS_MACHINE.name, audit.IMPORTED),
    ]
    assert audit.list_recent(1)[0].subject == report.id
