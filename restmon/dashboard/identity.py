"""Who is looking at the page."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import local

import streamlit as st

from restmon.access import exposure, sessions
from restmon.access.roles import NOBODY, THIS_MACHINE, Actor, Role
from restmon.dashboard import auth_middleware
from restmon.dashboard.messages import escape_markdown
from restmon.settings import get_settings

_run = local()
FIRST_ACCOUNT = "first_account"
"""Where a session keeps the e-mail of the first account, if the account was made in it."""


def current_actor() -> Actor:
    """Return the visitor. Where a login is required and missing, ask for it and stop the page."""
    found = find_actor()
    if found is None:
        ask_for_login()
    return replace(found or NOBODY, address=client_address())


def require_role(role: Role = Role.VIEWER) -> Actor:
    """Return the visitor. Every page calls this first.

    Asks for a login if one is required and missing. Raises RestmonError if the visitor does not
    have the role.
    """
    who = current_actor()
    who.must(role)
    return who


@contextmanager
def one_visitor() -> Iterator[None]:
    """Look the visitor up once in a block, which is one run of a page in one thread."""
    _run.found = {}
    try:
        yield
    finally:
        del _run.found


def find_actor() -> Actor | None:
    """Return who has logged in, or the user of this machine if no login is required.

    Returns None for a request that did not pass the login check in `auth_middleware`.
    """
    known: dict[str, Actor | None] = getattr(_run, "found", {})
    if "actor" not in known:
        known["actor"] = _look_up()
    return known["actor"]


def _look_up() -> Actor | None:
    if not auth_middleware.passed():
        return None
    if not exposure.dashboard_requires_login(get_settings()):
        return THIS_MACHINE
    token = st.context.cookies.get(auth_middleware.COOKIE)
    found = sessions.find_by_token(token) if token else None
    if found is None and auth_middleware.oidc():
        vouched = auth_middleware.vouched(st.user)
        found = sessions.find_by_email(*vouched, client_address()) if vouched else None
    return found


def ask_for_login() -> None:
    """Show how to log in, and stop the page."""
    st.title("restmon")
    if not auth_middleware.passed():
        st.error(
            "The dashboard was started without its login check, so it shows nothing. Start it with "
            "`python -m restmon dashboard`.",
            icon=":material/lock:",
        )
        st.stop()
    if auth_middleware.oidc() and getattr(st.user, "is_logged_in", False):
        st.error(
            f"You logged in as {escape_markdown(str(st.user.get('email') or 'nobody'))}. This "
            "address has no account here, or your login has expired. Ask an operator for an "
            "account.",
            icon=":material/error:",
        )
        st.button("Log in as someone else", on_click=st.logout, key="logout")
        st.stop()
    created = st.session_state.get(FIRST_ACCOUNT)
    if created:
        st.success(
            f"The account {escape_markdown(created)} is created. From now on the dashboard "
            "requires a login.",
            icon=":material/check_circle:",
        )
    st.info("Log in to see your stores.", icon=":material/lock:")
    with st.container(horizontal=True):
        if auth_middleware.oidc():
            st.button("Log in", type="primary", on_click=st.login, key="login")
        st.link_button(
            "Log in with e-mail and password",
            auth_middleware.LOGIN + ("?done=account" if created else ""),
            icon=":material/login:",
        )
    st.stop()


def log_out() -> None:
    """Log the visitor out, and run the page again."""
    token = st.context.cookies.get(auth_middleware.COOKIE)
    if token:
        sessions.log_out(token, client_address())
    if auth_middleware.oidc() and getattr(st.user, "is_logged_in", False):
        st.logout()
    st.rerun()


def client_address() -> str:
    """Return the visitor's IP address for the audit log, or "" if it is unknown."""
    return st.context.ip_address or ""
