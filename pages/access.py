"""Who may use restmon: accounts, keys of the API, and who did what."""

import streamlit as st

from restmon.access import api_keys
from restmon.access.roles import Role
from restmon.dashboard import (
    account_forms,
    audit_view,
    identity,
    messages,
    notices,
    store_data,
)
from restmon.dashboard.html_table import Column, show_table, time_cell
from restmon.errors import RestmonError

KEY_TITLES = ("Name", "Role", "Stores", "State", "Begins with", "Last used", "Expires")


def key_part() -> None:
    """The keys of the API."""
    turn = st.session_state.get("access_done", 0)
    if key := st.session_state.pop("new_key", None):
        st.markdown("**The new key.** Copy it now; it is not shown again.")
        st.code(key, language=None)
    rows, of_keys = api_keys.list_keys(), api_keys.list_groups_of_keys()
    if rows:
        zone = notices.zone_of(store_data.visible_stores())
        show_table(
            "All keys of the API",
            [Column(title) for title in KEY_TITLES],
            [
                [
                    row.name,
                    row.role.capitalize(),
                    "every store" if row.every_store else ", ".join(of_keys.get(row.name, [])),
                    api_keys.state(row),
                    f"{row.start}…",
                    time_cell(row.last_used_at, zone, "never"),
                    time_cell(row.expires_at, zone, "never"),
                ]
                for row in rows
            ],
        )
    else:
        st.info("No API keys yet. A program on another machine needs one to use the API.")
    with st.expander("Create a key", icon=":material/key:"):
        name = st.text_input("What is it for?", key=f"key_name_{turn}", max_chars=64)
        role, wanted = account_forms.ask_for_role(f"key_{turn}", Role.VIEWER, [], tuple(Role))
        days = st.number_input(
            "Expires after (days); leave empty for never",
            1,
            api_keys.MOST_DAYS,
            None,
            key=f"key_days_{turn}",
        )
        if st.button("Create the key", type="primary", key="make_key"):
            try:
                made = api_keys.make(name, role, days, wanted, identity.current_actor())
            except RestmonError as error:
                messages.show_error(error)
                return
            st.session_state["new_key"] = made
            account_forms.finish(f"The key {name.strip()} was created.")
    good = [row.name for row in rows if api_keys.state(row) == "active"]
    if good:
        chosen = st.selectbox("Revoke a key", good, None, placeholder="Choose one", key="revoked")
        if chosen and st.button("Revoke the key", key="revoke_key"):
            api_keys.revoke(chosen, identity.current_actor())
            account_forms.finish(f"The key {chosen} was revoked.")


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
        audit_view.show_audit()
