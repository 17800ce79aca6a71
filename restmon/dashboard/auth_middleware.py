"""The dashboard's login check, which runs before Streamlit sees a request, and the login form.

A page checks its visitor itself (`identity.current_actor`). This middleware also protects uploads,
downloads, and the connection that runs the pages.
"""

import logging
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from restmon.access import exposure, password_links, sessions
from restmon.access.exposure import is_loopback
from restmon.access.forwarded import client_of
from restmon.access.sessions import LONGEST_LOGIN
from restmon.core.instants import SECOND
from restmon.dashboard import compat, static_files
from restmon.dashboard.browsers import browser_name
from restmon.dashboard.connections import open_connections
from restmon.dashboard.login_page import login_page
from restmon.errors import NotLoggedIn, RestmonError, TooManyTries
from restmon.logs import event
from restmon.notify import acknowledgements
from restmon.settings import get_settings
from restmon.storage.models import now

log = logging.getLogger("restmon.dashboard")
COOKIE = "restmon_login"
LOGIN = "/login"
CLIENT = "restmon.client"
SCHEMES = {
    "http": {"http": "http", "https": "https"},
    "websocket": {"http": "ws", "https": "wss"},
}
FREE = frozenset(
    {
        LOGIN,
        password_links.PATH,
        acknowledgements.PATH,
        "/_stcore/health",
        "/favicon.png",
        "/robots.txt",
    }
)
"""Paths that require no login, besides Streamlit's own files. They show nothing about any store."""
MARK_HEADER = "X-Restmon-Gate"
MARK = secrets.token_urlsafe(32)
"""The gate writes this into each request that it lets pass, so that pages can check it."""
HOST = re.compile(r"(?:[A-Za-z0-9._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
STREAMLITS_COOKIE = "_streamlit_user"
MEDIA, UPLOADS = "/media/", "/_stcore/upload_file/"
LONGEST_FORM = 16 * 1024
NOTICES = {
    "account": "The account is created. Log in with it.",
    "set": "Your password is set. Log in with it.",
}
"""What the login page says was done, by the word in its address."""
POLICY = "; ".join(
    [
        "default-src 'none'",
        " ".join(["script-src 'self'", *compat.inline_script_hashes()]),
        "style-src 'self' 'unsafe-inline'",  # Streamlit writes its styles while a page runs
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "media-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ]
)
"""Allows scripts, data and pictures only from this dashboard. Allows no inline script and no
eval."""
FORM_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
EVERYWHERE = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": FORM_POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


class Gate:
    """ASGI middleware that requires a login where one is needed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope = seen_through_proxies(scope)
        request = HTTPConnection(scope)
        refusal: Response | None = None
        if not HOST.fullmatch(scope[CLIENT].host):
            refusal = PlainTextResponse("The Host header of the request is no name.", 400)
        elif from_elsewhere(request):
            refusal = PlainTextResponse("A page of another site sent this request.", 403)
        elif not is_free(scope["path"]):
            refusal = await run_in_threadpool(find_refusal, request)
        noted = is_visit(request) or refusal is not None
        sending = guarded(send, request if noted else None)
        if refusal is None:
            await self.app(scope, receive, sending)
        elif scope["type"] == "websocket":
            log_answer(request, 403)
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, sending)


def seen_through_proxies(scope: Scope) -> Scope:
    """The request with the sender's address and the scheme and name it asked for, as trusted
    proxies say. Everything behind the gate uses these. ``scope[CLIENT]`` is the `Client`. Sets the
    gate's mark and removes any forged one."""
    headers = Headers(scope=scope)
    plain = "https" if scope["scheme"] in {"https", "wss"} else "http"
    peer = scope["client"][0] if scope.get("client") else ""
    trusted = get_settings().trusted_networks
    found = client_of(peer, plain, lambda name: ", ".join(headers.getlist(name)), trusted)
    if not found.host:
        found = replace(found, host="127.0.0.1")
    kind = scope["scheme"] if found.scheme == plain else SCHEMES[scope["type"]][found.scheme]
    scope = {**scope, "scheme": kind, CLIENT: found}
    if found.address != peer:
        scope["client"] = (found.address, 0)
    mark = MARK_HEADER.lower().encode()
    own = {b"host": found.host.encode("latin1", "replace"), mark: MARK.encode()}
    others = [pair for pair in scope["headers"] if pair[0].lower() not in own]
    scope["headers"] = [*own.items(), *others]
    return scope


def passed() -> bool:
    """Whether the request of the running page passed the gate of this process."""
    return secrets.compare_digest(st.context.headers.get(MARK_HEADER) or "", MARK)


def is_free(path: str) -> bool:
    """Whether the path requires no login."""
    return path in FREE or path in static_files.names()


def log_answer(request: HTTPConnection, status: int) -> None:
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
    """``send`` with headers that keep other sites from embedding a page. Logs the request
    ``noted``."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in EVERYWHERE.items():
                headers.setdefault(name, value)
            if noted is not None:
                log_answer(noted, message["status"])
        await send(message)

    return sending


def is_visit(request: HTTPConnection) -> bool:
    """Whether somebody opens the dashboard. Requests for its files and probes do not count."""
    headers, path = request.headers, request.scope["path"]
    return "text/html" in headers.get("accept", "") and not is_free(path)


def from_elsewhere(request: HTTPConnection) -> bool:
    """Whether a page of another site sent this request to change something or to open the web
    socket."""
    if request.scope["type"] == "http" and request.scope["method"] in {"GET", "HEAD"}:
        return False
    sender = request.headers.get("origin")
    host = request.headers.get("host")
    return sender is not None and sender.partition("://")[2].lower() != (host or "").lower()


def find_refusal(request: HTTPConnection) -> Response | None:
    """The answer that refuses a request; None for an allowed one."""
    headers, path = request.headers, request.scope["path"]
    try:
        with open_connections():
            needed = exposure.dashboard_requires_login(get_settings())
            token = request.cookies.get(COOKIE)
            known = needed and token and sessions.find_by_token(token) is not None
    except RestmonError as error:
        if is_loopback(get_settings().dashboard_host) and request.scope[CLIENT].at_this_machine:
            return None  # the pages show the error, and no data
        return PlainTextResponse(str(error), 503)
    if known:
        return None if is_own(request) else PlainTextResponse("There is no such file.", 404)
    if not needed:
        if request.scope[CLIENT].at_this_machine:
            return None
        return PlainTextResponse(
            "Without accounts this dashboard answers to this machine alone, by its own name and "
            "through no proxy. Ask at 127.0.0.1 or localhost, or make an account: "
            "python -m restmon accounts add E-MAIL --role operator",
            403,
        )
    if oidc():
        if not is_own(request):
            return PlainTextResponse("There is no such file.", 404)
        return None  # Streamlit knows the identity; the page checks it
    if "text/html" in headers.get("accept", ""):
        query = request.scope["query_string"].decode("latin1")
        then = path + (f"?{query}" if query else "")
        return RedirectResponse(f"{LOGIN}?next={quote(then, safe='')}", 303, HEADERS)
    return PlainTextResponse("Log in first.", 401, HEADERS)


def is_own(request: HTTPConnection) -> bool:
    """Whether a file belongs to the visitor's own login. A download belongs to the login whose page
    offers it, an upload to the login whose page receives it. True for a path that is not a file."""
    path = str(request.scope["path"])
    if path.startswith(MEDIA):
        sessions = compat.sessions_of_media(path.removeprefix(MEDIA).partition(".")[0])
    elif path.startswith(UPLOADS):
        sessions = [path.removeprefix(UPLOADS).partition("/")[0]]
    else:
        return True
    mine = login_of(request.cookies)
    found = (compat.cookies_of_session(session) for session in sessions)
    return any(cookies is not None and login_of(cookies) == mine for cookies in found)


def login_of(cookies: Mapping[str, str]) -> dict[str, str]:
    """The cookies of a login: restmon's, and Streamlit's if people use OIDC."""
    return {
        name: value
        for name, value in cookies.items()
        if name == COOKIE or name.startswith(STREAMLITS_COOKIE)
    }


def oidc() -> bool:
    """Whether Streamlit's own settings (`secrets.toml`) name an OIDC provider."""
    return bool(st.secrets.load_if_toml_exists()) and "auth" in st.secrets


def vouched(user: Any) -> tuple[str, int] | None:
    """The e-mail of an OIDC login and the instant it began. None without a login, if it began
    longer ago than a login lasts, or if the provider calls the e-mail unverified."""
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
    notice = NOTICES.get(request.query_params.get("done", ""), "")
    return HTMLResponse(login_page(LOGIN, then, notice=notice), headers=HEADERS)


async def log_in(request: Request) -> Response:
    """POST /login: set a cookie and go to the dashboard, or show the form again."""
    if not is_short(request):
        return PlainTextResponse("The form is too large.", 413, HEADERS)
    form = await request.form(max_files=0, max_fields=10)
    email, password, then = (str(form.get(name, "")) for name in ("email", "password", "next"))
    then = own_path(then)
    address = request.client.host if request.client else ""
    try:
        browser = browser_name(request.headers.get("user-agent", ""))
        token = await run_in_threadpool(checked, email, password, address, browser)
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
        secure=request.scope["scheme"] == "https",
    )
    return answer


def is_short(request: Request) -> bool:
    """Whether a form says how long it is, and is not too long."""
    length = request.headers.get("content-length", "")
    return (
        length.isdecimal() and len(length) <= len(str(LONGEST_FORM)) and int(length) <= LONGEST_FORM
    )


def checked(email: str, password: str, address: str, browser: str) -> str:
    """The token of a new login. Raises RestmonError."""
    with open_connections():
        return sessions.log_in(email, password, address, browser)


def own_path(path: str) -> str:
    """The path if it is one of this dashboard, else its first page."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/"
    odd = parts.scheme or parts.netloc or "\\" in path or not path.isprintable()
    return path if path.startswith("/") and not path.startswith("//") and not odd else "/"


def routes() -> Iterable[Route]:
    """The routes that restmon adds to Streamlit's."""
    return [Route(LOGIN, ask, methods=["GET"]), Route(LOGIN, log_in, methods=["POST"])]
