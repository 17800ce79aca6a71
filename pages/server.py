"""The dashboard's server, in the foreground: ``python -m pages.server``.

Streamlit's own, which serves app.py, except that the data are read when the server starts, not when
the first visitor comes.
"""

import logging
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st

from pages import parts
from restmon import database, fleet
from restmon.errors import RestmonError
from restmon.settings import get_settings

log = logging.getLogger("restmon.dashboard")
APP = Path(__file__).parent.parent / "app.py"


def read_ahead() -> None:
    """Read the data that the first visitor will see; what goes wrong is told to that visitor."""
    try:
        parts.open_database()
        with database.explained():
            fleet.fleet()
    except RestmonError as error:
        log.info("nothing read ahead: %s", error.message)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """What is done while the server starts."""
    threading.Thread(target=read_ahead, name="read-ahead", daemon=True).start()
    yield


app = st.App(APP, lifespan=lifespan)

if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server ends in order and then raises the signal again, which would be a death by it.
        signal.signal(number, lambda *_: sys.exit(0))
    app.run(
        config={
            "server.address": "127.0.0.1",
            "server.port": get_settings().dashboard_port,
            "server.headless": True,
            "browser.gatherUsageStats": False,
        }
    )
