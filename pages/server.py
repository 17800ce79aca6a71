"""The dashboard's server, in the foreground: ``python -m pages.server``.

Streamlit's own, which serves app.py, with two things to make a page load faster: the data are read
when the server starts, not when the first visitor comes, and an HTML page names the large scripts
that it will need, so that a browser makes them ready while the page's numbers are computed.
"""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages import parts
from restmon import database, fleet
from restmon.errors import RestmonError
from restmon.settings import get_settings

log = logging.getLogger("restmon.dashboard")
ROOT = Path(__file__).parent.parent
SCRIPTS = Path(st.__file__).parent / "static" / "static" / "js"
CHARTS = ("PlotlyChart",)
TABLES = ("DataFrame", "arrowFormatUtils")
NEEDED = {
    "/": CHARTS,
    "/overview": CHARTS,
    "/stores": TABLES,
    "/store": CHARTS + TABLES,
    "/help": CHARTS,
}
"""The large scripts of Streamlit that draw what is on a page, by the beginnings of their names."""


def preload(names: tuple[str, ...]) -> str:
    """The Link header that tells a browser to get the scripts ready."""
    files = [path.name for name in names for path in sorted(SCRIPTS.glob(f"{name}.*.js"))]
    return ", ".join(f"</static/js/{name}>; rel=modulepreload" for name in files)


class Preloading:
    """ASGI middleware: an HTML page names the large scripts that it will need."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.links = {path: preload(names) for path, names in NEEDED.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the header to a page."""
        link = self.links.get(scope.get("path", "")) if scope["type"] == "http" else None

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers["link"] = str(link)
            await send(message)

        await self.app(scope, receive, sending if link else send)


def read_ahead() -> None:
    """Read the data that the first visitor will see; what goes wrong is told to that visitor."""
    try:
        with database.explained(), parts.opened():
            fleet.fleet()
    except RestmonError as error:
        log.info("nothing read ahead: %s", error.message)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """What is done while the server starts."""
    threading.Thread(target=read_ahead, name="read-ahead", daemon=True).start()
    yield


app = st.App(ROOT / "app.py", lifespan=lifespan, middleware=[Middleware(Preloading)])

if __name__ == "__main__":
    app.run(
        config={
            "server.address": "127.0.0.1",
            "server.port": get_settings().dashboard_port,
            "server.headless": True,
            "browser.gatherUsageStats": False,
        }
    )
