"""Who has logged in: what they see, their password, logging out."""

import streamlit as st

from pages import gate, parts
from restmon import accounts, groups
from restmon.errors import RestmonError
from restmon.roles import THIS_MACHINE

MAY = {
    "operator": "sees every store and may do everything",
    "owner": "sees, imports and reports the stores of the groups below",
    "viewer": "looks, and changes nothing",
}


def password_form(email: str) -> None:
    """Change the own password."""
    with st.form("own_password", clear_on_submit=True):
        st.header("Change your password")
        old = st.text_input("Your password now", type="password", key="old_password")
        new = st.text_input(
            f"New password, at least {accounts.SHORTEST_PASSWORD} letters",
            type="password",
            key="new_password",
        )
        pressed = st.form_submit_button("Change it", type="primary", icon=":material/password:")
    if not pressed:
        return
    try:
        accounts.change_password(email, old, new, parts.address())
    except RestmonError as error:
        parts.tell(error)
        return
    st.success("Your password is changed. Log in again with the new one.")
    st.link_button("Log in", gate.LOGIN, icon=":material/login:")
    st.stop()


parts.framed()
st.title("Your account")
who = parts.actor()
if who == THIS_MACHINE:
    st.info("Nobody has to log in at this machine, and whoever uses it may do everything.")
    st.page_link("pages/access.py", label="Make an account", icon=":material/key:")
    st.stop()
st.markdown(f"You are **{parts.literal(who.name)}**, an account that {MAY[who.role]}.")
if who.groups is not None:
    names = [entry.name for entry in groups.listed(who.groups)]
    st.markdown(f"Groups: **{parts.literal(', '.join(names)) or 'none yet'}**")
if st.button("Log out", icon=":material/logout:", key="logout"):
    parts.log_out()
if accounts.has_password(who.name):
    password_form(who.name)
