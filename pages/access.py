"""Who may use restmon: accounts, keys of the API, and who did what."""

import pandas as pd
import streamlit as st

from pages import parts
from restmon import accounts, api_keys, audit, groups
from restmon.errors import RestmonError
from restmon.roles import Role
from restmon.wording import at

ROLE_NAMES = {
    Role.VIEWER: "Viewer: looks, changes nothing",
    Role.OWNER: "Owner: the stores of some groups",
    Role.OPERATOR: "Operator: everything",
}
MINUTE = "YYYY-MM-DD HH:mm"


def done(text: str, action: str, subject: str) -> None:
    """Put on record what was done, and tell it when the page has run again."""
    audit.note(parts.actor(), action, subject, parts.address())
    st.session_state["access_said"] = text
    st.session_state["access_done"] = st.session_state.get("access_done", 0) + 1
    st.rerun()


def instant(name: str) -> object:
    """A column of instants."""
    return st.column_config.DatetimeColumn(f"{name} (UTC)", format=MINUTE, timezone="UTC")


def instants(values: list[int | None]) -> list[object]:
    """Instants as a column shows them."""
    return [None if value is None else at(value) for value in values]


def role_and_groups(key: str, role: Role, chosen: list[str]) -> tuple[Role, list[str]]:
    """Widgets for a role and the groups it is confined to."""
    names = [entry.name for entry in groups.listed()]
    picked = st.selectbox(
        "Role", list(Role), list(Role).index(role), ROLE_NAMES.__getitem__, key=f"role_{key}"
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


def new_account() -> None:
    """Make an account."""
    turn = st.session_state.get("access_done", 0)
    with st.expander("Add an account", icon=":material/person_add:"):
        email = st.text_input("E-mail", key=f"email_{turn}", max_chars=254)
        role, wanted = role_and_groups(f"new_{turn}", Role.VIEWER, [])
        password = st.text_input(
            f"First password, at least {accounts.SHORTEST_PASSWORD} letters; empty: logs in by "
            "OIDC alone",
            type="password",
            key=f"password_{turn}",
        )
        if st.button("Add the account", type="primary", key="add_account"):
            try:
                accounts.add(email, role, password or None, wanted)
            except RestmonError as error:
                parts.tell(error)
                return
            done(f"The account {email.strip()} is there.", audit.ACCOUNT_CHANGED, email.strip())


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
    role, wanted = role_and_groups(f"of_{email}_{turn}", person.role, person.groups or [])
    password = st.text_input(
        "New password; empty: as it is", type="password", key=f"password_of_{email}_{turn}"
    )
    with st.container(horizontal=True):
        save = st.button("Save the account", type="primary", key="save_account")
        toggle = st.button("Disable it" if person.active else "Enable it", key="toggle_account")
    if save or toggle:
        try:
            if save:
                accounts.change(email, role, wanted, keep_operator=True)
                if password:
                    accounts.set_password(email, password)
            else:
                accounts.set_active(email, not person.active, keep_operator=True)
        except RestmonError as error:
            parts.tell(error)
            return
        done(f"The account {email} is changed.", audit.ACCOUNT_CHANGED, email)


def account_part() -> None:
    """The accounts of the dashboard."""
    people = accounts.listed()
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
                "last_login": instant("Last login"),
            },
            key="accounts",
            placeholder="–",
            alt="All accounts",
        )
    new_account()
    if people:
        change_account(people)


def key_part() -> None:
    """The keys of the API."""
    turn = st.session_state.get("access_done", 0)
    if key := st.session_state.pop("new_key", None):
        st.markdown("**The new key.** Copy it now; it is not shown again.")
        st.code(key, language=None)
    rows, of_keys = api_keys.listed(), api_keys.groups_of_keys()
    if rows:
        st.dataframe(
            pd.DataFrame(
                {
                    "name": [row.name for row in rows],
                    "role": [row.role.capitalize() for row in rows],
                    "sees": [
                        "every store" if row.every_store else ", ".join(of_keys.get(row.name, []))
                        for row in rows
                    ],
                    "state": [api_keys.state(row) for row in rows],
                    "start": [f"{row.start}…" for row in rows],
                    "last_used": instants([row.last_used_at for row in rows]),
                    "expires": instants([row.expires_at for row in rows]),
                }
            ),
            hide_index=True,
            column_config={
                "name": "Name",
                "role": "Role",
                "sees": "Sees",
                "state": "State",
                "start": "Begins with",
                "last_used": instant("Last used"),
                "expires": instant("Expires"),
            },
            key="keys",
            placeholder="–",
            alt="All keys of the API",
        )
    else:
        st.info("There is no key. A program on another machine needs one to use the API.")
    with st.expander("Make a key", icon=":material/key:"):
        name = st.text_input("What it is for", key=f"key_name_{turn}", max_chars=64)
        role, wanted = role_and_groups(f"key_{turn}", Role.VIEWER, [])
        days = st.number_input(
            "Expires after so many days; empty: never",
            1,
            api_keys.MOST_DAYS,
            None,
            key=f"key_days_{turn}",
        )
        if st.button("Make the key", type="primary", key="make_key"):
            try:
                made = api_keys.make(name, role, days, wanted)
            except RestmonError as error:
                parts.tell(error)
                return
            st.session_state["new_key"] = made
            done(f"The key {name.strip()} is made.", audit.KEY_CHANGED, name.strip())
    good = [row.name for row in rows if api_keys.state(row) == "active"]
    if good:
        chosen = st.selectbox("Revoke a key", good, None, placeholder="Choose one", key="revoked")
        if chosen and st.button("Revoke it", key="revoke_key"):
            api_keys.revoke(chosen)
            done(f"The key {chosen} is revoked.", audit.KEY_CHANGED, chosen)


def audit_part() -> None:
    """Who did what."""
    entries = audit.recent()
    if not entries:
        st.info("Nothing was done yet.")
        return
    st.dataframe(
        pd.DataFrame(
            {
                "at": [at(entry.at) for entry in entries],
                "actor": [entry.actor for entry in entries],
                "action": [entry.action for entry in entries],
                "subject": [entry.subject for entry in entries],
                "address": [entry.address for entry in entries],
            }
        ),
        hide_index=True,
        column_config={
            "at": st.column_config.DatetimeColumn(
                "When (UTC)", format="YYYY-MM-DD HH:mm:ss", timezone="UTC"
            ),
            "actor": "Who",
            "action": "Did",
            "subject": "What",
            "address": "From",
        },
        key="audit",
        alt="Who did what, newest first",
        height=min(36 * (len(entries) + 1) + 2, 500),
    )
    st.caption(f"The newest {len(entries):,} entries.")


parts.framed(Role.OPERATOR)
st.title("Access")
if said := st.session_state.pop("access_said", None):
    st.success(parts.literal(said), icon=":material/check_circle:")
account_tab, key_tab, audit_tab = st.tabs(
    ["Accounts", "API keys", "Audit"], key="access_part", bind="query-params"
)
with account_tab:
    if account_tab.open:
        account_part()
with key_tab:
    if key_tab.open:
        key_part()
with audit_tab:
    if audit_tab.open:
        audit_part()
