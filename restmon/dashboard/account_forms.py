"""The forms that create and change accounts."""

from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from restmon.access import accounts, password_links, passwords, sessions
from restmon.access.roles import Role
from restmon.core.instants import as_datetime
from restmon.dashboard import auth_middleware, identity, logins, messages
from restmon.errors import RestmonError
from restmon.settings import get_settings
from restmon.stores import groups

ROLE_NAMES = {
    Role.VIEWER: "Viewer: looks, changes nothing",
    Role.OWNER: "Owner: the stores of some groups",
    Role.OPERATOR: "Operator: everything",
}


SET_BY_LINK = "The person sets the password by a link that you send"
SET_HERE = "You set a first password"
LOGS_IN_ELSEWHERE = "Through your organization's provider (OIDC)"
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
        first = not accounts.was_ever_made()
        how = SET_HERE if first else st.radio("First login", first_logins(), key=f"how_{turn}")
        password = None
        # In a form: outside of one, a password that is left with Tab does not arrive.
        with st.form(f"new_account_{turn}", border=False):
            if how == SET_HERE:
                password = st.text_input(
                    f"First password, at least {passwords.SHORTEST} letters",
                    type="password",
                    key=f"password_{turn}",
                )
            add = st.form_submit_button("Add the account", type="primary", key="add_account")
        if add:
            who = identity.current_actor()
            try:
                accounts.add(email, role, password, wanted, who)
                if how == SET_BY_LINK:
                    offer_link(email.strip(), password_links.make_link(email, who))
            except RestmonError as error:
                messages.show_error(error)
                return
            if first:
                st.session_state[identity.FIRST_ACCOUNT] = email.strip()
            finish(f"The account {email.strip()} is created.")


def first_logins() -> list[str]:
    """The ways in which a new person can log in for the first time."""
    return [SET_BY_LINK, SET_HERE, *[LOGS_IN_ELSEWHERE] * auth_middleware.oidc()]


def offer_link(email: str, link: str) -> None:
    """Show a link for a password when the page runs next."""
    here = urlsplit(st.context.url or get_settings().dashboard_url)
    st.session_state["password_link"] = (email, f"{here.scheme}://{here.netloc}{link}")


def show_link() -> None:
    """The link that was just made. It is shown once."""
    if made := st.session_state.pop("password_link", None):
        email, link = made
        st.markdown(
            f"**The link for {messages.escape_markdown(email)}.** Send it to this person alone. "
            f"It sets the password once, within {password_links.DAYS} days. Copy it now; it is "
            "not shown again."
        )
        st.code(link, language=None)


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
    with st.form(f"account_{email}_{turn}", border=False):
        password = st.text_input(
            "New password; empty: as it is", type="password", key=f"password_of_{email}_{turn}"
        )
        save = st.form_submit_button("Save the account", type="primary", key="save_account")
    with st.container(horizontal=True):
        toggle = st.button("Disable it" if person.active else "Enable it", key="toggle_account")
        unlock = st.button(
            "Unlock it",
            help="Lets the person log in although there were too many failed logins.",
            key="unlock_account",
        )
        link = st.button(
            "Link for a new password",
            help="Makes a link by which the person sets a new password, for who forgot it.",
            key="link_account",
        )
        with st.popover("Delete it", icon=":material/delete:"):
            st.markdown("What the account did stays in the audit.")
            delete = st.button("Delete the account", key="delete_account")
    if save or toggle or unlock or delete or link:
        try:
            if link:
                made = password_links.make_link(email, identity.current_actor())
                offer_link(email, made)
                finish(f"The link for {email} is made.")
            elif unlock:
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


def state_of(person: accounts.Person) -> str:
    """What the table says of an account."""
    if not person.active:
        return "✕ disabled"
    return "active" if person.has_password or auth_middleware.oidc() else "no password yet"


def show_accounts() -> None:
    """The accounts of the dashboard."""
    show_link()
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
                    "state": [state_of(person) for person in people],
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
