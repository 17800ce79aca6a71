"""The dashboard's gate, before Streamlit sees a request: who may come in, and logging in.

A page checks for itself who looks at it (`parts.actor`). The gate also keeps strangers from what
is no page: uploads, files to download, and the connection that runs the pages.
"""

import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlsplit

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.opening import opened
from restmon import accounts
from restmon.accounts import LONGEST_LOGIN
from restmon.errors import NotLoggedIn, RestmonError, TooManyTries
from restmon.hours import SECOND
from restmon.login_page import login_page
from restmon.logs import event
from restmon.loopback import OF_PROXIES, is_loopback
from restmon.models import now
from restmon.settings import get_settings

log = logging.getLogger("restmon.dashboard")
COOKIE = "restmon_login"
LOGIN = "/login"
FREE = (LOGIN, "/_stcore/health", "/static/", "/favicon.png", "/robots.txt")
"""What anybody may have: it tells nothing of any store."""
LONGEST_FORM = 16 * 1024
EVERYWHERE = {
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
HEADERS = {"Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"}


class Gate:
    """ASGI middleware that lets those in who have logged in, or may do without."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        refusal: Response | None = None
        if from_elsewhere(request):
            refusal = PlainTextResponse("A page of another site sent this request.", 403)
        elif not scope["path"].startswith(FREE):
            refusal = await run_in_threadpool(refused, request)
        noted = is_visit(request) or refusal is not None
        sending = guarded(send, request if noted else None)
        if refusal is None:
            await self.app(scope, receive, sending)
        elif scope["type"] == "websocket":
            note(request, 403)
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, sending)


def note(request: HTTPConnection, status: int) -> None:
    """Log a request and the status of its answer."""
    event(
        log,
        "request",
        method=request.scope.get("method", "WEBSOCKET"),
        path=quote(request.scope["path"]),
        status=status,
        address=request.client.host if request.client else None,
    )


def guarded(send: Send, noted: HTTPConnection | None) -> Send:
    """``send`` with the headers that keep other sites from showing a page as a part of theirs;
    the request ``noted`` is logged."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in EVERYWHERE.items():
                headers.setdefault(name, value)
            if noted is not None:
                note(noted, message["status"])
        await send(message)

    return sending


def is_visit(request: HTTPConnection) -> bool:
    """Whether somebody opens the dashboard: neither a file that belongs to it, nor a probe."""
    headers, path = request.headers, request.scope["path"]
    return "text/html" in headers.get("accept", "") and not path.startswith(FREE)


def from_elsewhere(request: HTTPConnection) -> bool:
    """Whether a page of another site wants something done, or connects to the pages."""
    if request.scope["type"] == "http" and request.scope["method"] in {"GET", "HEAD"}:
        return False
    sender = request.headers.get("origin")
    return sender is not None and urlsplit(sender).netloc != request.headers.get("host")


def refused(request: HTTPConnection) -> Response | None:
    """What to answer to who may not come in; None lets the request in."""
    headers, path = request.headers, request.scope["path"]
    try:
        with opened():
            needed = accounts.needed(get_settings())
            token = request.cookies.get(COOKIE)
            known = needed and token and accounts.of_token(token) is not None
    except RestmonError as error:
        if is_loopback(get_settings().dashboard_host) and its_own_name(headers):
            return None  # the pages tell it, and have nothing to show
        return PlainTextResponse(str(error), 503)
    if known:
        return None
    if not needed:
        if its_own_name(headers):
            return None
        return PlainTextResponse(
            "Without accounts this dashboard answers to no other name than this machine's own, and "
            "through no proxy. Ask at 127.0.0.1 or localhost, or make an account: "
            "python -m restmon accounts add E-MAIL --role operator",
            403,
        )
    if oidc():
        return None  # who that is Streamlit knows; the page asks it
    if "text/html" in headers.get("accept", ""):
        query = request.scope["query_string"].decode("latin1")
        then = path + (f"?{query}" if query else "")
        return RedirectResponse(f"{LOGIN}?next={quote(then, safe='')}", 303, HEADERS)
    return PlainTextResponse("Log in first.", 401, HEADERS)


def its_own_name(headers: Headers) -> bool:
    """Whether a request was sent, through no proxy, to a name that can only be this machine's:
    another may have been pointed here by a page of another site."""
    if any(name in headers for name in OF_PROXIES):
        return False
    host = headers.get("host", "127.0.0.1")
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return is_loopback(name)


def oidc() -> bool:
    """Whether Streamlit's own settings (`secrets.toml`) name a provider that people log in at."""
    return bool(st.secrets.load_if_toml_exists()) and "auth" in st.secrets


def vouched(user: Any) -> tuple[str, int] | None:
    """The e-mail of who has logged in by OIDC, which the provider has not called unverified, and
    when that was (microseconds), not longer ago than a login lasts; None where there is none."""
    if not getattr(user, "is_logged_in", False) or user.get("email_verified") is False:
        return None
    email, at = user.get("email"), user.get("iat")
    if not isinstance(at, int | float) or not isinstance(email, str):
        return None
    began = int(at) * SECOND
    return None if began < now() - LONGEST_LOGIN else (email, began)


async def ask(request: Request) -> Response:
    """GET /login: the form."""
    then = own_path(request.query_params.get("next", "/"))
    return HTMLResponse(login_page(LOGIN, then), headers=HEADERS)


async def log_in(request: Request) -> Response:
    """POST /login: into the dashboard with a cookie, or the form again."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > LONGEST_FORM:
        return PlainTextResponse("The form is too large.", 413, HEADERS)
    form = await request.form(max_files=0, max_fields=10)
    email, password, then = (str(form.get(name, "")) for name in ("email", "password", "next"))
    then = own_path(then)
    address = request.client.host if request.client else ""
    try:
        token = await run_in_threadpool(checked, email, password, address)
    except RestmonError as error:
        status = {NotLoggedIn: 401, TooManyTries: 429}.get(type(error), 503)
        event(log, "login_failed", address=address, code=error.code)
        page = login_page(LOGIN, then, email[:254], str(error))
        return HTMLResponse(page, status, HEADERS)
    answer = RedirectResponse(then, 303, HEADERS)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=LONGEST_LOGIN // SECOND,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


def checked(email: str, password: str, address: str) -> str:
    """The token of a new login; raises RestmonError."""
    with opened():
        return accounts.log_in(email, password, address)


def own_path(path: str) -> str:
    """A path of this dashboard's, where the given one is one; else its first page."""
    parts = urlsplit(path)
    odd = parts.scheme or parts.netloc or "\\" in path or not path.isprintable()
    return path if path.startswith("/") and not path.startswith("//") and not odd else "/"


def routes() -> Iterable[Route]:
    """The routes that are not Streamlit's."""
    return [Route(LOGIN, ask, methods=["GET"]), Route(LOGIN, log_in, methods=["POST"])]
