"""Who has logged in: what they see, their password, logging out."""

import streamlit as st

from restmon.access import accounts, passwords, sessions
from restmon.access.roles import THIS_MACHINE, Actor
from restmon.dashboard import auth_middleware, identity, logins, messages
from restmon.dashboard.page_links import link_to
from restmon.errors import RestmonError
from restmon.stores import groups

MAY = {
    "operator": "can see every store and change everything",
    "owner": "can see, import and report on the stores of the groups below",
    "viewer": "can look, but not change anything",
}


def password_form(who: Actor) -> None:
    """Change the own password."""
    with st.form("own_password", clear_on_submit=True):
        st.header("Change your password")
        old = st.text_input("Current password", type="password", key="old_password")
        new = st.text_input(
            f"New password, at least {passwords.SHORTEST} letters",
            type="password",
            key="new_password",
        )
        pressed = st.form_submit_button(
            "Change the password", type="primary", icon=":material/password:"
        )
    if not pressed:
        return
    try:
        accounts.change_password(who, old, new)
    except RestmonError as error:
        messages.show_error(error)
        return
    st.success("Your password is changed. Log in again with the new one.")
    st.link_button("Log in", auth_middleware.LOGIN, icon=":material/login:")
    st.stop()


def session_part(who: Actor) -> None:
    """Where one is logged in, and ending that."""
    st.header("Where you are logged in")
    own = logins.own_login_id()
    found = sessions.list_sessions(who.name, who)
    if not found:
        st.caption("You logged in through your organization's provider.")
        return
    logins.show_logins(found, own)
    others = {login.id: logins.describe_login(login) for login in found if login.id != own}
    if not others:
        return
    chosen = st.selectbox(
        "End a login", list(others), None, others.__getitem__, placeholder="Choose one", key="login"
    )
    with st.container(horizontal=True):
        end = st.button("End this login", disabled=chosen is None, key="end_session")
        everywhere = st.button("Log out everywhere", key="end_all")
    if end or everywhere:
        try:
            sessions.end_sessions(who.name, chosen if end else None, who)
        except RestmonError as error:
            messages.show_error(error)
            return
        st.rerun()


who = identity.require_role()
st.title("Your account")
if who == THIS_MACHINE:
    st.info("Nobody has to log in on this machine. Anyone who uses it can do everything.")
    link_to("access", "Create an account", icon=":material/key:")
    st.stop()
st.markdown(f"You are **{messages.escape_markdown(who.name)}**, an account that {MAY[who.role]}.")
if who.groups is not None:
    names = [entry.name for entry in groups.list_groups(who.groups)]
    st.markdown(f"Groups: **{messages.escape_markdown(', '.join(names)) or 'none yet'}**")
if st.button("Log out", icon=":material/logout:", key="logout"):
    identity.log_out()
session_part(who)
if accounts.has_password(who.name):
    password_form(who)
