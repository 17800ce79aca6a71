"""The menu and the title of the page."""

from pathlib import Path
from typing import Any

import streamlit as st

from restmon.access.roles import NOBODY, THIS_MACHINE, Actor, Role
from restmon.dashboard.connections import open_connections
from restmon.dashboard.identity import find_actor
from restmon.dashboard.page_links import make_page
from restmon.errors import RestmonError

ICON = Path(__file__).parent / "icon.svg"
"""A file of our own, because browsers load Streamlit's icons from another server."""


def choose_page() -> Any:
    """Draw the menu and return the requested page."""
    st.set_page_config(page_title="restmon", page_icon=ICON, layout="wide")
    who = _find_actor_for_menu()

    # Without icons a window of 1440 pixels has room for all of them.
    shown = {
        "overview": ("Overview", True),
        "stores": ("Stores", True),
        "groups": ("Groups", True),
        "store": ("Store", True),
        "outages": ("Outages", True),
        "trend": ("Trend", True),
        "upload": ("Upload", who.may(Role.OWNER)),
        "reports": ("Reports", True),
        "documents": ("Documents", True),
        "alerts": ("Alerts", who.may(Role.OWNER)),
        "data_check": ("Data check", True),
        "settings": ("Settings", who.may(Role.OWNER)),
        "access": ("Access", who.may(Role.OPERATOR)),
        "help": ("Help", True),
        "account": ("Your account", who not in {THIS_MACHINE, NOBODY}),
    }
    pages = [make_page(name, title, shown=seen) for name, (title, seen) in shown.items()]
    chosen = st.navigation(pages, position="top")
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
