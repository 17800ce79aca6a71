"""Opening the database and the queue, once a process of the dashboard."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from jobs.queue import huey
from restmon import database, snapshot
from restmon.settings import get_settings


@contextmanager
def opened() -> Iterator[None]:
    """Database and queue are open inside the block, whose errors are explained.

    They are opened once a process, and anew when the settings name others; who comes while they
    are being opened waits. Raises RestmonError.
    """
    settings = get_settings()
    _open(settings.database_url, settings.effective_queue_url)
    with database.explained():
        yield


@st.cache_resource(max_entries=1, show_spinner=False)
def _open(database_url: str, queue_url: str) -> None:
    snapshot.cache.clear()
    database.configure()
    huey.connect()
