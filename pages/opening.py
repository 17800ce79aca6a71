"""Opening the database and the queue, once a process of the dashboard."""

import streamlit as st

from jobs.queue import huey
from restmon import database, snapshot
from restmon.settings import get_settings


def open_database() -> None:
    """Open database and queue once a process, and anew when the settings name others; who comes
    while they are being opened waits. Raises RestmonError."""
    settings = get_settings()
    _open(settings.database_url, settings.effective_queue_url)


@st.cache_resource(max_entries=1, show_spinner=False)
def _open(database_url: str, queue_url: str) -> None:
    snapshot.cache.clear()
    database.configure()
    huey.connect()
