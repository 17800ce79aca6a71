"""Who may use restmon: accounts, keys of the API, and who did what."""

import pandas as pd
import streamlit as st

from restmon.access import api_keys, audit
from restmon.access.roles import Role
from restmon.core.instants import as_datetime
from restmon.dashboard import account_forms, identity, messages
from restmon.errors import RestmonError


def key_part() -> None:
    """The keys of the API."""
    turn = st.session_state.get("access_done", 0)
    if key := st.session_state.pop("new_key", None):
        st.markdown("**The new key.** Copy it now; it is not shown again.")
        st.code(key, language=None)
    rows, of_keys = api_keys.list_keys(), api_keys.list_groups_of_keys()
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
                    "last_used": account_forms.instants([row.last_used_at for row in rows]),
                    "expires": account_forms.instants([row.expires_at for row in rows]),
                }
            ),
            hide_index=True,
            column_config={
                "name": "Name",
                "role": "Role",
                "sees": "Sees",
                "state": "State",
                "start": "Begins with",
                "last_used": account_forms.instant_column("Last used"),
                "expires": account_forms.instant_column("Expires"),
            },
            key="keys",
            placeholder="–",
            alt="All keys of the API",
        )
    else:
        st.info("There is no key. A program on another machine needs one to use the API.")
    with st.expander("Make a key", icon=":material/key:"):
        name = st.text_input("What it is for", key=f"key_name_{turn}", max_chars=64)
        role, wanted = account_forms.ask_for_role(f"key_{turn}", Role.VIEWER, [])
        days = st.number_input(
            "Expires after so many days; empty: never",
            1,
            api_keys.MOST_DAYS,
            None,
            key=f"key_days_{turn}",
        )
        if st.button("Make the key", type="primary", key="make_key"):
            try:
                made = api_keys.make(name, role, days, wanted, identity.current_actor())
            except RestmonError as error:
                messages.show_error(error)
                return
            st.session_state["new_key"] = made
            account_forms.finish(f"The key {name.strip()} is made.")
    good = [row.name for row in rows if api_keys.state(row) == "active"]
    if good:
        chosen = st.selectbox("Revoke a key", good, None, placeholder="Choose one", key="revoked")
        if chosen and st.button("Revoke it", key="revoke_key"):
            api_keys.revoke(chosen, identity.current_actor())
            account_forms.finish(f"The key {chosen} is revoked.")


def audit_part() -> None:
    """Who did what."""
    entries = audit.list_recent()
    if not entries:
        st.info("Nothing was done yet.")
        return
    st.dataframe(
        pd.DataFrame(
            {
                "at": [as_datetime(entry.at) for entry in entries],
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


identity.require_role(Role.OPERATOR)
st.title("Access")
messages.show_queued_message()
account_tab, key_tab, audit_tab = st.tabs(
    ["Accounts", "API keys", "Audit"], key="access_part", bind="query-params"
)
with account_tab:
    if account_tab.open:
        account_forms.show_accounts()
with key_tab:
    if key_tab.open:
        key_part()
with audit_tab:
    if audit_tab.open:
        audit_part()
