"""Streamlit's scripts, styles and fonts, from memory.

A browser requests a hundred small files while the page's script runs. Streamlit passes each through
several threads, and each time the request waits for the script's turn.
"""

from functools import cache
from mimetypes import guess_type
from pathlib import Path

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from restmon.dashboard.compat import STATIC_FOLDER

FOLDER = STATIC_FOLDER
HEADERS = {"Cache-Control": "public, immutable, max-age=31536000"}  # names change with content


class StaticFiles:
    """ASGI middleware that serves the files of Streamlit's folder ``static``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file, or pass the request on."""
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in names():
            await answer_from_memory(scope["path"])(scope, receive, send)
        else:
            await self.app(scope, receive, send)


@cache
def names() -> frozenset[str]:
    """The addresses of the files."""
    files = (FOLDER / "static").rglob("*")
    return frozenset(f"/{path.relative_to(FOLDER).as_posix()}" for path in files if path.is_file())


@cache
def answer_from_memory(name: str) -> Response:
    """The answer with a file, one of `names`."""
    body = Path(FOLDER, name[1:]).read_bytes()
    return Response(body, 200, HEADERS, guess_type(name)[0] or "application/octet-stream")
