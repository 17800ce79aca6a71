"""The menu and the title of the page."""

from pathlib import Path
from typing import Any

import streamlit as st

from restmon.access.roles import NOBODY, THIS_MACHINE, Actor, Role
from restmon.dashboard.connections import open_connections
from restmon.dashboard.identity import find_actor
from restmon.errors import RestmonError

ICON = Path(__file__).parent / "icon.svg"
"""A file of our own, because browsers load Streamlit's icons from another server."""


def choose_page() -> Any:
    """Draw the menu and return the requested page.

    A page's address is the name of its file, as AppTest requires.
    """
    st.set_page_config(page_title="restmon", page_icon=ICON, layout="wide")
    who = _find_actor_for_menu()

    def page(name: str, title: str, icon: str, shown: bool = True) -> Any:
        visibility: Any = "visible" if shown else "hidden"
        path = f"pages/{name}.py"
        return st.Page(path, title=title, icon=f":material/{icon}:", visibility=visibility)

    chosen = st.navigation(
        [
            page("overview", "Overview", "monitoring"),
            page("stores", "Stores", "list"),
            page("store", "Store", "storefront"),
            page("outages", "Outages", "crisis_alert"),
            page("upload", "Upload", "upload_file", who.may(Role.OWNER)),
            page("reports", "Reports", "description"),
            page("data_check", "Data check", "fact_check"),
            page("settings", "Settings", "tune", who.may(Role.OWNER)),
            page("access", "Access", "key", who.may(Role.OPERATOR)),
            page("help", "Help", "help"),
            page("account", "Your account", "account_circle", who not in {THIS_MACHINE, NOBODY}),
        ],
        position="top",
    )
    set_title(chosen.title)
    if st.session_state.get("page") != chosen.url_path:
        st.session_state["page"], st.session_state["arrived"] = chosen.url_path, True
    return chosen


def set_title(name: str) -> None:
    """Set the title that the browser shows in its tabs and its history."""
    st.set_page_config(page_title=f"{name} · restmon")


def _find_actor_for_menu() -> Actor:
    """Return the visitor, without asking for a login or showing an error: the menu comes first."""
    try:
        with open_connections():
            return find_actor() or NOBODY
    except RestmonError:
        return NOBODY
