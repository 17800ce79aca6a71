"""The forms that create and change accounts."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import streamlit as st

from restmon.access import accounts, password_links, passwords, sessions
from restmon.access.roles import PEOPLE, Role
from restmon.dashboard import (
    auth_middleware,
    identity,
    logins,
    messages,
    notices,
    store_data,
)
from restmon.dashboard.html_table import Column, show_table, time_cell
from restmon.errors import RestmonError
from restmon.settings import get_settings
from restmon.stores import groups

ROLE_NAMES = {
    Role.VIEWER: "Viewer: looks, changes nothing",
    Role.OWNER: "Owner: the stores of some groups",
    Role.OPERATOR: "Operator: everything",
    Role.FEED: "Feed: sends polls and files, reads nothing",
}


SET_BY_LINK = "They set their own password by a link that you send"
SET_HERE = "You set a first password"
LOGS_IN_ELSEWHERE = "Through your organization's provider (OIDC)"


def finish(text: str) -> None:
    """Empty the forms, run the page again, and show what was done."""
    messages.queue_message(text)
    st.session_state["access_done"] = st.session_state.get("access_done", 0) + 1
    st.rerun()


def ask_for_role(
    key: str, role: Role, chosen: list[str], roles: Sequence[Role] = PEOPLE
) -> tuple[Role, list[str]]:
    """Widgets for a role, one of ``roles``, and the groups that limit it."""
    names = [entry.name for entry in groups.list_groups()]
    picked = Role(
        st.selectbox("Role", roles, roles.index(role), ROLE_NAMES.__getitem__, key=f"role_{key}")
        or role
    )
    if picked == Role.OPERATOR:
        return picked, []
    if not names:
        st.caption("No groups yet. Create them on the Settings page.")
        return picked, []
    wanted = st.multiselect(
        ("Groups whose stores it sends" if picked == Role.FEED else "Groups whose stores they see")
        + ("" if picked == Role.OWNER else "; leave empty for every store"),
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
            "New password; leave empty to keep the old one",
            type="password",
            key=f"password_of_{email}_{turn}",
        )
        save = st.form_submit_button("Save the account", type="primary", key="save_account")
    with st.container(horizontal=True):
        toggle = st.button("Disable" if person.active else "Enable", key="toggle_account")
        unlock = st.button(
            "Unlock",
            help="Lets them log in again at once after too many wrong passwords.",
            key="unlock_account",
        )
        link = st.button(
            "Link for a new password",
            help="For someone who forgot their password: makes a link to set a new one.",
            key="link_account",
        )
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown("What the account did stays in the audit.")
            delete = st.button("Delete the account", key="delete_account")
    if save or toggle or unlock or delete or link:
        try:
            if link:
                made = password_links.make_link(email, identity.current_actor())
                offer_link(email, made)
                finish(f"The link for {email} was created.")
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
        st.caption("Not logged in anywhere.")
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
            "No accounts yet. Anyone at this machine can do everything, and nobody can connect "
            "from elsewhere. Once there is an account, everybody has to log in. So create your own "
            "first: an operator, with a password that you know."
        )
    else:
        zone = notices.zone_of(store_data.visible_stores())
        show_table(
            "All accounts",
            [Column(name) for name in ("E-mail", "Role", "Sees", "State", "Last login")],
            [
                [
                    person.email,
                    person.role.capitalize(),
                    "every store" if person.groups is None else ", ".join(person.groups),
                    state_of(person),
                    time_cell(person.last_login_at, zone, "never"),
                ]
                for person in people
            ],
        )
    ask_for_account()
    if people:
        change_account(people)
