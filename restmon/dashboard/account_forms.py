"""The forms that create and change accounts."""

from typing import Any

import pandas as pd
import streamlit as st

from restmon.access import accounts, passwords, sessions
from restmon.access.roles import Role
from restmon.core.instants import as_datetime
from restmon.dashboard import identity, logins, messages
from restmon.errors import RestmonError
from restmon.stores import groups

ROLE_NAMES = {
    Role.VIEWER: "Viewer: looks, changes nothing",
    Role.OWNER: "Owner: the stores of some groups",
    Role.OPERATOR: "Operator: everything",
}


MINUTE = "YYYY-MM-DD HH:mm"


def finish(text: str) -> None:
    """Empty the forms, run the page again, and show what was done."""
    messages.queue_message(text)
    st.session_state["access_done"] = st.session_state.get("access_done", 0) + 1
    st.rerun()


def instant_column(name: str) -> Any:
    """A column of instants."""
    return st.column_config.DatetimeColumn(f"{name} (UTC)", format=MINUTE, timezone="UTC")


def instants(values: list[int | None]) -> list[object]:
    """Instants as a column shows them."""
    return [None if value is None else as_datetime(value) for value in values]


def ask_for_role(key: str, role: Role, chosen: list[str]) -> tuple[Role, list[str]]:
    """Widgets for a role and the groups that limit it."""
    names = [entry.name for entry in groups.list_groups()]
    roles = list(Role)
    picked = Role(
        st.selectbox("Role", roles, roles.index(role), ROLE_NAMES.__getitem__, key=f"role_{key}")
        or role
    )
    if picked == Role.OPERATOR:
        return picked, []
    if not names:
        st.caption("There is no group yet. Groups are made on the Settings page.")
        return picked, []
    wanted = st.multiselect(
        "Groups whose stores they see" + ("; none: every store" if picked == Role.VIEWER else ""),
        names,
        [name for name in chosen if name in names],
        key=f"groups_{key}",
        placeholder="Choose groups",
    )
    return picked, wanted


def ask_for_account() -> None:
    """Make an account."""
    turn = st.session_state.get("access_done", 0)
    with st.expander("Add an account", icon=":material/person_add:"):
        email = st.text_input("E-mail", key=f"email_{turn}", max_chars=254)
        role, wanted = ask_for_role(f"new_{turn}", Role.VIEWER, [])
        password = st.text_input(
            f"First password, at least {passwords.SHORTEST} letters; empty: logs in by OIDC alone",
            type="password",
            key=f"password_{turn}",
        )
        if st.button("Add the account", type="primary", key="add_account"):
            try:
                accounts.add(email, role, password or None, wanted, identity.current_actor())
            except RestmonError as error:
                messages.show_error(error)
                return
            finish(f"The account {email.strip()} is there.")


def change_account(people: list[accounts.Person]) -> None:
    """Change the role, groups or password of an account, or disable it."""
    turn = st.session_state.get("access_done", 0)
    by_email = {person.email: person for person in people}
    email = st.selectbox(
        "Change an account", list(by_email), None, placeholder="Choose one", key="account"
    )
    if not email:
        return
    person = by_email[email]
    role, wanted = ask_for_role(f"of_{email}_{turn}", person.role, person.groups or [])
    password = st.text_input(
        "New password; empty: as it is", type="password", key=f"password_of_{email}_{turn}"
    )
    with st.container(horizontal=True):
        save = st.button("Save the account", type="primary", key="save_account")
        toggle = st.button("Disable it" if person.active else "Enable it", key="toggle_account")
        unlock = st.button(
            "Unlock it",
            help="Lets the person log in although there were too many failed logins.",
            key="unlock_account",
        )
        with st.popover("Delete it", icon=":material/delete:"):
            st.markdown("What the account did stays in the audit.")
            delete = st.button("Delete the account", key="delete_account")
    if save or toggle or unlock or delete:
        try:
            if unlock:
                accounts.unlock(email, identity.current_actor())
            elif delete:
                accounts.delete(email, identity.current_actor())
            elif save:
                accounts.change(email, role, wanted, password or None, identity.current_actor())
            else:
                accounts.set_active(email, not person.active, identity.current_actor())
        except RestmonError as error:
            messages.show_error(error)
            return
        said = "unlocked" if unlock else "deleted" if delete else "changed"
        finish(f"The account {email} is {said}.")
    show_sessions(email)


def show_sessions(email: str) -> None:
    """The open logins of an account, and a form that ends them."""
    found = sessions.list_sessions(email, identity.current_actor())
    if not found:
        st.caption("Logged in nowhere by password.")
    else:
        logins.show_logins(found)
    labels = {login.id: logins.describe_login(login) for login in found}
    chosen = st.selectbox(
        "End a login",
        list(labels),
        None,
        labels.__getitem__,
        placeholder="All of them",
        key=f"login_of_{email}",
    )
    if st.button("End the login" if chosen else "End all logins", key="end_session"):
        try:
            sessions.end_sessions(email, chosen, identity.current_actor())
        except RestmonError as error:
            messages.show_error(error)
            return
        finish(f"{'That login' if chosen else 'Every login'} of {email} is ended.")


def show_accounts() -> None:
    """The accounts of the dashboard."""
    people = accounts.list_accounts()
    if not people:
        st.info(
            "There is no account, so whoever uses this machine may do everything, and nobody "
            "elsewhere anything. As soon as there is one, everybody has to log in: make an "
            "operator's first, with a password you know."
        )
    else:
        st.dataframe(
            pd.DataFrame(
                {
                    "email": [person.email for person in people],
                    "role": [person.role.capitalize() for person in people],
                    "sees": [
                        "every store" if person.groups is None else ", ".join(person.groups)
                        for person in people
                    ],
                    "state": ["active" if person.active else "✕ disabled" for person in people],
                    "last_login": instants([person.last_login_at for person in people]),
                }
            ),
            hide_index=True,
            column_config={
                "email": "E-mail",
                "role": "Role",
                "sees": "Sees",
                "state": "State",
                "last_login": instant_column("Last login"),
            },
            key="accounts",
            placeholder="–",
            alt="All accounts",
        )
    ask_for_account()
    if people:
        change_account(people)
