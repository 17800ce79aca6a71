"""Links by which a person sets a password: invitations, and forgotten passwords."""

from typing import Any

import pytest
from starlette.applications import Starlette

from restmon.access import accounts, audit, password_links, sessions
from restmon.access.roles import Actor, Role
from restmon.core.instants import DAY
from restmon.dashboard import auth_middleware, password_form
from restmon.dashboard.auth_middleware import Gate
from restmon.errors import BadRequest, Forbidden, NotFound, NotLoggedIn
from restmon.storage import database
from restmon.storage.access_models import PasswordLink
from restmon.storage.models import now
from tests.support.asgi import Visitor
from tests.support.pages import page, seen, well
from tests.support.people import PASSWORD, actor_of, token_of
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

NEW = "brown horses like rain"
OWNER = "owner@example.com"


def token(link: str) -> str:
    assert link.startswith("/set-password?token=")
    return link.partition("token=")[2]


@pytest.fixture
def browser(people: Workspace) -> Visitor:
    """Somebody at the dashboard's gate who has not logged in."""
    app = Starlette(routes=[*auth_middleware.routes(), *password_form.routes()])
    return Visitor(Gate(app))


def send(browser: Visitor, given: str, password: str, again: str | None = None) -> Any:
    form = {"token": given, "password": password, "again": password if again is None else again}
    return browser.post("/set-password", data=form)


def test_a_link_sets_the_password_once_and_ends_the_logins(browser: Visitor):
    before = token_of("owner")
    link = password_links.make_link(OWNER)
    shown = browser.get(link)
    assert shown.status_code == 200
    assert OWNER in shown.text
    assert shown.headers["cache-control"] == "no-store"
    done = send(browser, token(link), NEW)
    assert (done.status_code, done.headers["location"]) == (303, "/login?done=set")
    assert "Your password is set. Log in with it." in browser.get(done.headers["location"]).text
    assert sessions.find_by_token(before) is None
    with pytest.raises(NotLoggedIn):
        sessions.log_in(OWNER, PASSWORD, "192.0.2.8")
    assert sessions.find_by_token(sessions.log_in(OWNER, NEW, "192.0.2.7"))
    for answer in (browser.get(link), send(browser, token(link), PASSWORD)):
        assert answer.status_code == 404
        assert "used already" in answer.text
        assert 'href="/login"' in answer.text
        assert 'name="password"' not in answer.text
    assert sessions.find_by_token(sessions.log_in(OWNER, NEW, "192.0.2.7"))
    entries = [(e.actor, e.action, e.subject) for e in audit.list_recent(10)]
    assert (OWNER, audit.LINK_USED, OWNER) in entries
    assert ("this machine", audit.LINK_MADE, OWNER) in entries


def test_what_is_wrong_with_a_password_is_told_and_the_link_stays(browser: Visitor):
    link = password_links.make_link(OWNER)
    for password, again, said in [
        (NEW, "another", "The two passwords differ."),
        ("short", None, "A password has 12 to 1,024 letters."),
        ("password1234", None, "easy to guess"),
        (OWNER, None, "a part of your e-mail"),
        ("", None, "A password has 12"),
    ]:
        answer = send(browser, token(link), password, again)
        assert answer.status_code == 422, password
        assert said in answer.text
        assert OWNER in answer.text
    assert sessions.find_by_token(token_of("owner"))
    assert send(browser, token(link), NEW).status_code == 303


def test_a_link_ends_after_seven_days_with_another_and_with_the_account(browser: Visitor):
    first = password_links.make_link(OWNER)
    second = password_links.make_link(OWNER)
    assert browser.get(first).status_code == 404
    assert browser.get(second).status_code == 200
    with database.writing():
        late = now() - password_links.DAYS * DAY - 1
        PasswordLink.update(created_at=late).execute()
    assert browser.get(second).status_code == 404
    third = password_links.make_link(OWNER)
    accounts.set_active(OWNER, False)
    assert browser.get(third).status_code == 404
    with pytest.raises(BadRequest, match="is disabled"):
        password_links.make_link(OWNER)
    accounts.set_active(OWNER, True)
    assert browser.get(third).status_code == 200
    accounts.set_password(OWNER, NEW)
    assert browser.get(third).status_code == 404
    fourth = password_links.make_link(OWNER)
    accounts.delete(OWNER)
    assert browser.get(fourth).status_code == 404
    with database.session():
        assert not PasswordLink.select().exists()


@pytest.mark.parametrize("given", ["", "x", "%00", "a" * 5000, "é", "x&token=y"])
def test_what_is_no_link_is_told(browser: Visitor, given: str):
    password_links.make_link(OWNER)
    assert browser.get(f"/set-password?token={given}").status_code == 404
    assert send(browser, given, NEW).status_code == 404
    assert browser.get("/set-password").status_code == 404


def test_a_form_of_another_site_or_one_too_long_is_refused(browser: Visitor):
    given = token(password_links.make_link(OWNER))
    form = {"token": given, "password": NEW, "again": NEW}
    elsewhere = browser.post(
        "/set-password", data=form, headers={"Origin": "http://elsewhere.example"}
    )
    assert elsewhere.status_code == 403
    assert send(browser, given, NEW + "x" * 20_000).status_code == 413
    assert sessions.find_by_token(token_of("owner"))


def test_only_an_operator_makes_links(people: Workspace):
    for who in ("owner", "viewer"):
        with pytest.raises(Forbidden):
            password_links.make_link(f"{who}@example.com", actor_of(who))
    assert password_links.make_link(OWNER, actor_of("operator"))
    with pytest.raises(NotFound):
        password_links.make_link("nobody@example.com")


def test_only_a_hash_of_the_link_is_kept(people: Workspace):
    given = token(password_links.make_link(OWNER))
    with database.session():
        (row,) = PasswordLink.select()
    assert given not in repr(vars(row))
    assert len(given) >= 43


def test_by_the_command_line(people: Workspace):
    done = people.command("accounts", "invite", "nora@example.com", "--role", "viewer")
    assert done.returncode == 0
    assert "nora@example.com alone" in done.stderr
    link = done.stdout.strip()
    assert link.startswith(f"http://127.0.0.1:{people.dashboard_port}/set-password?token=")
    assert password_links.use_link(link.partition("token=")[2], NEW) == "nora@example.com"
    assert sessions.log_in("nora@example.com", NEW, "")
    done = people.command("accounts", "link", "nora@example.com")
    assert password_links.find_email(done.stdout.strip().partition("token=")[2])
    done = people.command("accounts", "link", "nobody@example.com")
    assert done.returncode == 2
    assert "There is no account" in done.stderr


def test_by_the_page(people: Workspace, as_: Any):
    as_("operator")
    at = page("access")
    at.text_input("email_0").set_value("nora@example.com")
    assert not [field for field in at.text_input if field.key == "password_0"]
    well(at.button("add_account").click().run())
    assert "The account nora@example.com is created." in seen(at)
    assert "no password yet" in seen(at)
    (link,) = at.code.values
    assert password_links.use_link(link.partition("token=")[2], NEW) == "nora@example.com"
    assert not well(at.run()).code
    at.selectbox("account").set_value("nora@example.com").run()
    well(at.button("link_account").click().run())
    (again,) = at.code.values
    assert again != link
    assert password_links.find_email(again.partition("token=")[2]) == "nora@example.com"


def test_an_invited_person_has_the_role_and_groups_of_the_invitation(people: Workspace):
    accounts.add("nora@example.com", "owner", None, ["Mine"])
    link = password_links.make_link("nora@example.com")
    password_links.use_link(token(link), NEW)
    found = sessions.find_by_token(sessions.log_in("nora@example.com", NEW, ""))
    assert found == Actor("nora@example.com", Role.OWNER, actor_of("owner").groups)
