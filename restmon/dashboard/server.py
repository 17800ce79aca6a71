"""The dashboard's server, in the foreground: ``python -m restmon.dashboard.server``.

Runs Streamlit's own server, which serves app.py, behind the gate. Reads the data when the server
starts, not when the first visitor comes, and serves Streamlit's files from memory.
"""

import gc
import importlib
import logging
import os
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

from restmon import logs
from restmon.access import exposure
from restmon.access.exposure import is_loopback
from restmon.access.roles import THIS_MACHINE
from restmon.dashboard import acknowledge_form, auth_middleware, compat, password_form
from restmon.dashboard.connections import open_connections
from restmon.dashboard.static_files import StaticFiles
from restmon.errors import RestmonError, exit_on_error
from restmon.logs import event
from restmon.notify import secrets
from restmon.ops import watchdog
from restmon.reporting import fleet
from restmon.reporting.group_board import read_board
from restmon.settings import get_settings
from restmon.storage import database

log = logging.getLogger("restmon.dashboard")
RELOAD = "--reload"
"""The argument that makes the server read changed pages again."""
APP = Path(__file__).parents[2] / "app.py"
USED_BY_PAGES = (
    "restmon.charts.fleet",
    "restmon.charts.timeline",
    "restmon.dashboard.frame",
    "restmon.dashboard.filters",
    "restmon.dashboard.jobs_table",
    "restmon.dashboard.logins",
)
"""Modules that pages import, with the libraries below them, so that they are frozen too."""


def read_ahead() -> None:
    """Read the data that the first visitor will see. That visitor also sees any error. A key that
    is missing or another one than the installation's is logged."""
    begin = time.perf_counter()
    try:
        with open_connections():
            secrets.warn_of_key()
            stores = len(fleet.compute_fleet().stores.ids)
            read_board(THIS_MACHINE)  # and with it the history that the Overview shows
    except RestmonError as error:
        event(log, "nothing_read_ahead", error=error.message)
    else:
        event(log, "read_ahead", stores=stores, seconds=time.perf_counter() - begin)
    freeze_memory()


def freeze_memory() -> None:
    """Exempt everything that lives as long as the process from garbage collection.

    Without this, each collection would go through all modules, which never go away.
    """
    for module in USED_BY_PAGES:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Read ahead and freeze memory while the server starts."""
    threading.Thread(target=read_ahead, name="read-ahead", daemon=True).start()
    yield


async def first_page(request: Request) -> Response:
    """GET /overview: go to /, the only address at which Streamlit has the first page."""
    return RedirectResponse("./?" + request.scope["query_string"].decode("latin1"))


compat.serve_navigation_only()
app = st.App(
    APP,
    lifespan=lifespan,
    routes=[
        *auth_middleware.routes(),
        *password_form.routes(),
        *acknowledge_form.routes(),
        Route("/overview", first_page),
    ],
    middleware=[Middleware(auth_middleware.Gate), Middleware(StaticFiles)],
)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = get_settings()
    logs.configure(settings)
    database.check(settings)
    if not is_loopback(settings.dashboard_host):
        database.configure(settings)
        if not auth_middleware.oidc():
            exposure.check_dashboard(settings)
    # Uvicorn would trust every proxy on this machine. The gate knows the trusted ones.
    os.environ["FORWARDED_ALLOW_IPS"] = "nobody"
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server ends in order and then raises the signal again, which would be a death by it.
        signal.signal(number, lambda *_: sys.exit(0))
    own = watchdog.own_url(settings.dashboard_host, settings.dashboard_port, "/_stcore/health")
    watchdog.start(lambda: watchdog.answers(own))
    print(f"Dashboard ready at {settings.dashboard_url}", flush=True)  # noqa: T201
    app.run(
        config={
            "server.address": settings.dashboard_host,
            "server.port": settings.dashboard_port,
            "server.headless": True,
            "server.fileWatcherType": "auto" if RELOAD in sys.argv else "none",
            "server.maxUploadSize": settings.max_upload_mb,
            "browser.gatherUsageStats": False,
            # Python collects garbage when there is some, not after each run of a page.
            "runner.postScriptGC": False,
            "logger.hideWelcomeMessage": True,
        }
    )


if __name__ == "__main__":
    with exit_on_error(), database.explain_errors():
        main()
