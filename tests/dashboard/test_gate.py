"""The dashboard's gate: what it lets pass, on whatever is sent to it."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from streamlit import runtime
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileKind
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.session_manager import ActiveSessionInfo
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from restmon.access import accounts
from restmon.dashboard import auth_middleware, compat, password_form, static_files
from restmon.dashboard.auth_middleware import Gate
from restmon.dashboard.server import first_page
from restmon.reporting import reports
from tests.support import pages
from tests.support.browser import launched, visiting
from tests.support.environment import ROOT, free_port, wait_until
from tests.support.examples import examples
from tests.support.http import http
from tests.support.people import PASSWORD, post_login
from tests.support.workspace import Workspace

POLLS = "secret-store,active,2023-01-23 16:14:00 UTC\n"

# Whatever is sent


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run it to its end, in a thread: Playwright keeps a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()


@pytest.fixture
def asked(workspace: Workspace) -> Any:
    """Sends a raw ASGI request through the gate, and returns the messages of the answer."""
    accounts.add("operator@example.com", "operator", PASSWORD)
    routes = [*auth_middleware.routes(), *password_form.routes(), starlette_route("/overview")]
    app = Gate(Starlette(routes=routes))

    def ask(scope: dict[str, Any], body: bytes = b"") -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        given = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return given.pop(0) if given else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        run(app(scope, receive, send))
        return sent

    return ask


def starlette_route(path: str) -> Any:
    from starlette.routing import Route

    return Route(path, first_page)


raw = st.binary(max_size=40)
odd = st.sampled_from(
    [
        b"http://[",
        b"//[",
        b"null",
        b"http://127.0.0.1",
        b"127.0.0.1",
        b"[",
        b"[::1]:x",
        b"a@b",
        b"9" * 5000,
        b"-1",
        b"\xb2",
        b"1e3",
        b"multipart/form-data",
        b"multipart/form-data; boundary=\xff",
        b"application/x-www-form-urlencoded; charset=\xff",
        b"application/x-www-form-urlencoded",
        b"restmon_login=x; restmon_login=\xff; =;;",
        b"text/html",
        b"for=unknown",
    ]
)
names = st.sampled_from(
    [
        b"host",
        b"origin",
        b"cookie",
        b"accept",
        b"content-length",
        b"content-type",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"forwarded",
        b"via",
        b"x-restmon-gate",
    ]
)
pieces = st.sampled_from(
    ["login", "overview", "media", "_stcore", "upload_file", "static", "health", "stream", "..", ""]
)
paths = (st.lists(pieces | st.text(max_size=8), max_size=5).map("/".join)).map(
    lambda p: ("/" + p).encode("utf-8", "replace").decode()
)
queries = st.sampled_from(
    [b"", b"next=//[", b"next=http://[", b"next=%ff%fe", b"next=/a%0d%0ab", b"next=/%00", b"=&=&"]
)
scopes = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["http", "http", "http", "websocket"]),
        "method": st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS", "BREW"]),
        "path": st.sampled_from(["/login", "/set-password", "/overview"]) | paths,
        "query_string": queries | raw,
        "headers": st.lists(st.tuples(names, odd | raw), max_size=6),
        "client": st.sampled_from([None, ("127.0.0.1", 1), ("203.0.113.1", 2), ("", 0), ("x", 1)]),
        "scheme": st.sampled_from(["http", "https"]),
    }
)
bodies = st.sampled_from([b"", b"email=a&password=b&next=//[", b"email=%ff", b"\xff\x00=&"]) | raw
PLAIN = {"method": "GET", "headers": [], "client": ("127.0.0.1", 1), "scheme": "http"}
LOGIN = PLAIN | {"type": "http", "path": "/login", "query_string": b""}


@settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(scopes, bodies)
@example(LOGIN | {"query_string": b"next=//["}, b"")
@example(LOGIN | {"method": "POST", "headers": [(b"origin", b"http://[")]}, b"")
@example(LOGIN | {"method": "POST", "headers": [(b"content-length", b"9" * 5000)]}, b"")
@example(LOGIN | {"path": "/overview", "headers": [(b"host", b"[")]}, b"")
def test_no_request_raises(asked: Any, scope: dict[str, Any], body: bytes):
    scope = dict(scope)
    if scope["type"] == "websocket":
        scope["scheme"] = {"http": "ws", "https": "wss"}[scope["scheme"]]
        del scope["method"]
    else:
        scope |= {"http_version": "1.1", "raw_path": scope["path"].encode()}
    sent = asked(scope, body)
    first = sent[0]
    if scope["type"] == "websocket":
        assert first["type"] == "websocket.close"
        return
    assert first["type"] == "http.response.start"
    assert first["status"] < 500
    location = dict(first["headers"]).get(b"location", b"/").decode("latin1")
    assert "\n" not in location
    target = urlsplit(location)
    own = {None, "127.0.0.1"} | {
        scope_host for scope_host in [target.hostname] if location.startswith("http://")
    }
    assert target.hostname in own
    assert not location.startswith("//")


# What anybody may have


@pytest.mark.parametrize(
    "path",
    [
        "/loginx",
        "/login/",
        "/set-password/",
        "/set-passwords",
        "/login/x",
        "/_stcore/health-foo",
        "/_stcore/healthx",
        "/static/",
        "/static/nothing.js",
        "/favicon.pngx",
        "/robots.txt.bak",
        "/xlogin",
        "//login",
    ],
)
def test_the_free_paths_are_exact(workspace: Workspace, path: str):
    assert not auth_middleware.is_free(path)
    for free in (*auth_middleware.FREE, *sorted(static_files.names())[:3]):
        assert auth_middleware.is_free(free)
        assert not auth_middleware.is_free(free + "x")


def test_what_is_beside_a_free_path_asks_for_a_login(workspace: Workspace):
    accounts.add("operator@example.com", "operator", PASSWORD)
    workspace.start_dashboard()
    for path in ("/loginx", "/_stcore/health-foo", "/static/nothing.js"):
        assert http(workspace.dashboard + path).status == 401
    for path in ("/login", "/_stcore/health"):
        answer = http(workspace.dashboard + path)
        assert answer.status == 200
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe-eval" not in policy
        assert "script-src 'self' 'unsafe-inline'" not in policy


# Streamlit without the gate


@contextmanager
def bare_streamlit(workspace: Workspace, *options: str) -> Iterator[int]:
    """The port of ``streamlit run app.py``."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    with (workspace.path / "streamlit.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--server.port", str(port), *options],
            cwd=ROOT,
            env={**os.environ, **workspace.env},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until("Streamlit listens", lambda: connects("127.0.0.1", port))
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def connects(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex((address, port)) == 0


def test_streamlit_alone_listens_on_this_machine_alone(workspace: Workspace):
    with bare_streamlit(workspace) as port:
        assert connects("127.0.0.1", port)
        assert not connects("127.0.0.2", port)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with launched(chromium) as running:
        yield running


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("account", [False, True])
@pytest.mark.parametrize("page", ["", "stores", "access"])
def test_streamlit_alone_shows_nothing_to_anybody(
    workspace: Workspace, browser: Browser, page: str, account: bool
):
    workspace.import_now(POLLS)
    if account:
        accounts.add("operator@example.com", "operator", PASSWORD)
    with (
        bare_streamlit(workspace, "--server.address", "0.0.0.0") as port,
        visiting(browser, f"http://127.0.0.2:{port}/{page}", wait=False) as seen,
    ):
        expect(seen.get_by_text("python -m restmon dashboard")).to_be_visible()
        expect(seen.get_by_text("secret-store")).to_have_count(0)
        expect(seen.get_by_role("link", name="Access")).to_have_count(0)


@pytest.mark.without_gate
@pytest.mark.parametrize("name", pages.PAGES)
@pytest.mark.parametrize("account", [False, True])
def test_a_page_without_the_gates_mark_shows_nothing(
    workspace: Workspace, name: str, account: bool
):
    workspace.import_now(POLLS)
    if account:
        accounts.add("operator@example.com", "operator", PASSWORD)
    at = pages.page(name)
    (said,) = at.error.values
    assert "Start it with `python -m restmon dashboard`" in said
    assert "secret-store" not in pages.seen(at)


def test_a_mark_that_is_made_up_is_replaced(workspace: Workspace):
    found: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.extend(v.decode() for n, v in scope["headers"] if n.lower() == b"x-restmon-gate")
        await PlainTextResponse("")(scope, receive, send)

    async def nothing(*_: Any) -> Any:
        return {"type": "http.request"}

    headers = [(b"X-Restmon-Gate", b"mine"), (b"x-restmon-gate", b"too")]
    scope = {**LOGIN, "http_version": "1.1", "headers": headers}
    run(Gate(app)(scope, nothing, nothing))
    assert found == [auth_middleware.MARK]


# Files of one login


@pytest.mark.slow
@pytest.mark.browser
def test_a_file_opens_for_the_login_it_was_made_for(workspace: Workspace, browser: Browser):
    workspace.import_now(POLLS)
    for name in ("one", "two"):
        accounts.add(f"{name}@example.com", "operator", PASSWORD)
    report = reports.request()
    reports.work(report.id)
    workspace.start_dashboard()
    files: list[str] = []

    def note(page: Page) -> None:
        page.on(
            "request", lambda r: files.append(urlsplit(r.url).path) if "/media/" in r.url else None
        )

    with visiting(browser, f"{workspace.dashboard}/login", wait=False) as page:
        note(page)
        page.get_by_label("E-mail").fill("one@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.goto(f"{workspace.dashboard}/reports?report={report.id}")
        with page.expect_download() as download:
            page.get_by_role("button", name="CSV", exact=True).click()
        path = urlsplit(download.value.url).path
        assert path.startswith("/media/")
        content = download.value.path().read_bytes()
        (mine,) = [c["value"] for c in page.context.cookies() if c["name"] == "restmon_login"]
        other = post_login(workspace, email="two@example.com", password=PASSWORD)
        theirs = other.headers["set-cookie"].partition(";")[0]
        again = post_login(workspace, email="one@example.com", password=PASSWORD)
        second = again.headers["set-cookie"].partition(";")[0]
        url = workspace.dashboard + path
        own = http(url, headers={"Cookie": f"restmon_login={mine}"})
        assert (own.status, own.body) == (200, content)
        for cookie in (theirs, second):
            assert http(url, headers={"Cookie": cookie}).status == 404
        assert http(url).status == 401


@pytest.mark.parametrize("path", ["/media/x.csv", "/media/", "/_stcore/upload_file/a/b"])
def test_a_file_of_no_session_is_nobodys(workspace: Workspace, path: str):
    accounts.add("operator@example.com", "operator", PASSWORD)
    workspace.start_dashboard()
    done = post_login(workspace, email="operator@example.com", password=PASSWORD)
    cookie = {"Cookie": done.headers["set-cookie"].partition(";")[0]}
    for method in ("GET", "PUT", "DELETE"):
        assert http(workspace.dashboard + path, method, headers=cookie).status == 404


# What is Streamlit's own


def test_streamlit_is_as_compat_expects():
    """`compat` uses these of its names."""
    manager = MediaFileManager(MemoryMediaFileStorage("/media"))
    assert manager._files_by_session_and_coord == {}
    with manager._lock:
        pass
    assert hasattr(runtime.Runtime, "media_file_mgr")
    assert "self._session_mgr =" in Path(runtime.runtime.__file__).read_text()
    stored = MemoryMediaFileStorage("/media")
    made = stored.load_and_get_id(b"1,2", "text/csv", MediaFileKind.DOWNLOADABLE, "a.csv")
    assert compat.make_on_click(lambda: b"1,2", "text/csv", "a.csv")() == b"1,2"
    assert made in compat._made_files
    assert hasattr(WebsocketSessionManager, "get_active_session_info")
    assert "client" in ActiveSessionInfo.__dataclass_fields__
    compat.serve_navigation_only()
    assert PagesManager(str(ROOT / "app.py")).uses_pages_directory is False
    found, *_ = compat.inline_script_hashes()
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", found)
