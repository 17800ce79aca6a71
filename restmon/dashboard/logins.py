"""The table of an account's open logins."""

import streamlit as st

from restmon.access import sessions
from restmon.dashboard import auth_middleware, clock, notices, store_data
from restmon.dashboard.html_table import Column, show_table, time_cell


def show_logins(logins: list[sessions.OpenSession], own: str = "") -> None:
    """Show an account's open logins in a table. The login with the id ``own`` is marked."""
    zone = _zone()
    show_table(
        "Where the account is logged in",
        [Column("Browser"), Column("Address"), Column("Logged in"), Column("Last seen")],
        [
            [
                (login.browser or "unknown") + (" (this one)" if login.id == own else ""),
                login.address,
                time_cell(login.began, zone),
                time_cell(login.seen, zone),
            ]
            for login in logins
        ],
    )


def describe_login(login: sessions.OpenSession) -> str:
    """Return one line about a login, for a list to choose from."""
    place = f" from {login.address}" if login.address else ""
    since = clock.moment(login.began, _zone())
    return f"{login.browser or 'unknown browser'}{place}, since {since}"


def _zone() -> str:
    """The time zone of most of the visitor's stores."""
    return notices.zone_of(store_data.visible_stores())


def own_login_id() -> str:
    """Return the id of the visitor's password login, or "" if there is none."""
    token = st.context.cookies.get(auth_middleware.COOKIE)
    return sessions.session_id(token) if token else ""
