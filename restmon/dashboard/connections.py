"""The dashboard process's connections to the database and the queue."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from jobs.queue import huey
from restmon.reporting import snapshot
from restmon.settings import get_settings
from restmon.storage import database


@contextmanager
def open_connections() -> Iterator[None]:
    """Open the database and the queue for a block, and explain the errors of the block.

    Opens them once per process, and again if the settings name others. Other sessions wait
    meanwhile. Raises RestmonError.
    """
    settings = get_settings()
    _open(settings.database_url, settings.effective_queue_url)
    with database.explain_errors():
        yield


@st.cache_resource(max_entries=1, show_spinner=False)
def _open(database_url: str, queue_url: str) -> None:  # noqa: ARG001 (the cache's key)
    snapshot.cache.clear()
    database.configure(serves=True)
    huey.connect()
