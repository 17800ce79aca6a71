"""The dashboard's server, in the foreground: ``python -m pages.server``.

Streamlit's own, which serves app.py, behind the gate, except that the data are read when the server
starts, not when the first visitor comes, and Streamlit's files are kept in memory.
"""

import logging
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pages import gate
from pages.opening import opened
from pages.static_files import StaticFiles
from restmon import accounts, database, fleet, logs
from restmon.errors import RestmonError, told_at_the_end
from restmon.logs import event
from restmon.loopback import is_loopback
from restmon.settings import get_settings

log = logging.getLogger("restmon.dashboard")
APP = Path(__file__).parent.parent / "app.py"


def read_ahead() -> None:
    """Read the data that the first visitor will see; what goes wrong is told to that visitor."""
    begin = time.perf_counter()
    try:
        with opened():
            stores = len(fleet.fleet().stores.ids)
    except RestmonError as error:
        event(log, "nothing_read_ahead", error=error.message)
    else:
        event(log, "read_ahead", stores=stores, seconds=time.perf_counter() - begin)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """What is done while the server starts."""
    threading.Thread(target=read_ahead, name="read-ahead", daemon=True).start()
    yield


async def first_page(request: Request) -> Response:
    """GET /overview: Streamlit has the first page at / alone, the others at their names."""
    return RedirectResponse(f"./?{request.url.query}")


app = st.App(
    APP,
    lifespan=lifespan,
    routes=[*gate.routes(), Route("/overview", first_page)],
    middleware=[Middleware(gate.Gate), Middleware(StaticFiles)],
)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = get_settings()
    logs.configure(settings)
    if not is_loopback(settings.dashboard_host):
        database.configure(settings)
        if not gate.oidc():
            accounts.check_exposure(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server ends in order and then raises the signal again, which would be a death by it.
        signal.signal(number, lambda *_: sys.exit(0))
    app.run(
        config={
            "server.address": settings.dashboard_host,
            "server.port": settings.dashboard_port,
            "server.headless": True,
            "server.fileWatcherType": "none",  # who changes pages runs `streamlit run app.py`
            "server.maxUploadSize": settings.max_upload_mb,
            "browser.gatherUsageStats": False,
        }
    )


if __name__ == "__main__":
    with told_at_the_end():
        main()
