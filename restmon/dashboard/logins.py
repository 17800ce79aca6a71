"""The table of an account's open logins."""

import pandas as pd
import streamlit as st

from restmon.access import sessions
from restmon.core.instants import as_datetime
from restmon.dashboard import auth_middleware
from restmon.dashboard.clock import moment


def show_logins(logins: list[sessions.OpenSession], own: str = "") -> None:
    """Show an account's open logins in a table. The login with the id ``own`` is marked."""
    st.dataframe(
        pd.DataFrame(
            {
                "browser": [
                    (login.browser or "unknown") + (" (this one)" if login.id == own else "")
                    for login in logins
                ],
                "address": [login.address for login in logins],
                "began": [as_datetime(login.began) for login in logins],
                "seen": [as_datetime(login.seen) for login in logins],
            }
        ),
        hide_index=True,
        column_config={
            "browser": "Browser",
            "address": "Address",
            "began": st.column_config.DatetimeColumn(
                "Logged in (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"
            ),
            "seen": st.column_config.DatetimeColumn(
                "Last seen (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"
            ),
        },
        key="sessions",
        alt="Where the account is logged in",
        placeholder="–",
    )


def describe_login(login: sessions.OpenSession) -> str:
    """Return one line about a login, for a list to choose from."""
    place = f" from {login.address}" if login.address else ""
    return f"{login.browser or 'unknown browser'}{place}, since {moment(login.began)}"


def own_login_id() -> str:
    """Return the id of the visitor's password login, or "" if there is none."""
    token = st.context.cookies.get(auth_middleware.COOKIE)
    return sessions.session_id(token) if token else ""
