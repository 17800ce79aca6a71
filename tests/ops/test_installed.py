"""docs/DEPLOY.md, walked through: the files of deploy/ as they are, but for places and ports.

There is no systemd here. The processes are started with the command and the environment of their
unit; nginx and TLS are real.
"""

import getpass
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.browser import launched, settle
from tests.support.environment import ROOT, free_port, missing, wait_until
from tests.support.http import Answer, multipart
from tests.support.http import http as plain_http
from tests.support.systemd import systemd
from tests.support.workspace import POLLS_HEADER, Running

pytestmark = pytest.mark.slow

DEPLOY = ROOT / "deploy"
EMAIL, PASSWORD = "you@example.com", "correct horse battery staple"
NAME, API_NAME = "restmon.example", "api.restmon.example"
PERSON = "127.0.0.2"
"""Where somebody connects from who is not the proxy."""
BARE = """
server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{to}; }}
}}
"""
NGINX = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    include {folder}/site.conf;
    include {folder}/bare.conf;
}}
"""


@dataclass
class Installation:
    """restmon as DEPLOY.md installs it, in a folder."""

    folder: Path
    ports: dict[str, int]
    key: str = ""

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def in_place(self, name: str) -> str:
        """The text of a file of deploy/, with this installation's places and ports."""
        text = (DEPLOY / name).read_text()
        for said, here in (
            ("/opt/restmon/.venv/bin/python", sys.executable),
            ('"$home/.venv/bin/python"', sys.executable),
            ("/opt/restmon", str(ROOT)),
            ("/etc/restmon.env", str(self.folder / "restmon.env")),
            ("/var/lib/restmon", str(self.state)),
            ("user=restmon", f"user={getpass.getuser()}"),
            ("/etc/ssl/restmon.pem", str(self.folder / "cert.pem")),
            ("/etc/ssl/private/restmon.key", str(self.folder / "key.pem")),
            ("listen 80;", f"listen 127.0.0.1:{self.ports['http']};"),
            ("listen 443 ", f"listen 127.0.0.1:{self.ports['https']} "),
            ("127.0.0.1:8501", f"127.0.0.1:{self.ports['dashboard']}"),
            ("127.0.0.1:8000", f"127.0.0.1:{self.ports['api']}"),
        ):
            text = text.replace(said, here)
        return text

    def restmon(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run the command ``restmon``, from a folder and an environment that name a database of
        their own."""
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        (elsewhere / ".env").write_text(f"RESTMON_DATABASE_URL=sqlite:///{elsewhere}/file.db\n")
        return subprocess.run(
            [str(self.folder / "restmon"), *words],
            cwd=elsewhere,
            env={**os.environ, "RESTMON_DATABASE_URL": f"sqlite:///{elsewhere}/caller.db"},
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def start(self, name: str, notify: Path) -> Running:
        """Start a process with what its unit says."""
        unit = self.in_place("restmon@.service").replace("%i", name)
        said = dict(re.findall(r"^(\w+)=(.+)$", unit, re.MULTILINE))
        variable, _, value = said["Environment"].partition("=")
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                said["ExecStart"].split(),
                cwd=said["WorkingDirectory"],
                env={
                    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
                    "HOME": str(self.state),
                    "LANG": "C.UTF-8",
                    "NOTIFY_SOCKET": str(notify),
                    variable: value,
                },
                umask=int(said["UMask"], 8),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Running(process, log)

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        *,
        name: str = NAME,
        port: str = "https",
    ) -> Answer:
        """One request through nginx to a name, sent from an address that is not the proxy's."""
        number = self.ports[port]
        wire = socket.create_connection(("127.0.0.1", number), 60, (PERSON, 0))
        link = http.client.HTTPConnection(name, number, timeout=60)
        if port == "https":
            wire = self.trust().wrap_socket(wire, server_hostname=name)
        link.sock = wire
        link.request(method, path, body, headers or {})
        answer = link.getresponse()
        found = {key.lower(): value for key, value in answer.getheaders()}
        content = answer.read()
        link.close()
        return Answer(answer.status, found, content)

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "cert.pem"))

    def log_in(self, *, port: str = "https") -> Answer:
        form = urlencode({"email": EMAIL, "password": PASSWORD, "next": "/"}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("/login", "POST", form, headers, port=port)


def install(installed: Installation) -> None:
    """The steps of DEPLOY.md up to the first account and the first key."""
    folder = installed.folder
    installed.state.mkdir(mode=0o700)
    ports = "".join(
        f"RESTMON_{name.upper()}_PORT={installed.ports[name]}\n" for name in ("api", "dashboard")
    )
    (folder / "restmon.env").write_text(installed.in_place("restmon.env") + ports)
    (folder / "restmon").write_text(installed.in_place("restmon"))
    (folder / "restmon").chmod(0o755)
    done = installed.restmon("accounts", "add", EMAIL, "--role", "operator", given=f"{PASSWORD}\n")
    assert done.returncode == 0, done.stderr
    made = installed.restmon("keys", "make", "first", "--role", "operator")
    assert made.returncode == 0, made.stderr
    installed.key = made.stdout.strip()


@contextmanager
def nginx(installed: Installation) -> Iterator[None]:
    """nginx with deploy/nginx.conf, and with nothing but proxy_pass."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        missing("nginx", "there is no nginx")
    assert program
    folder = installed.folder
    names = f"subjectAltName=DNS:{NAME},DNS:{API_NAME},IP:127.0.0.1"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=restmon -addext"
    places = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*make.split(), names, *places], check=True, capture_output=True)
    (folder / "site.conf").write_text(installed.in_place("nginx.conf"))
    bare = [("bare_api", "api"), ("bare_dashboard", "dashboard")]
    (folder / "bare.conf").write_text(
        "".join(BARE.format(port=installed.ports[at], to=installed.ports[to]) for at, to in bare)
    )
    user = "user root;" if os.geteuid() == 0 else ""  # else its worker could not use the folder
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user))
    command = [program, "-e", str(folder / "nginx.log"), "-c", str(folder / "nginx.conf")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:

        def listening() -> bool:
            assert process.poll() is None, (folder / "nginx.log").read_text()
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", installed.ports["https"])) == 0

        wait_until("nginx listens", listening)
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The whole service, ready."""
    ports = ("api", "dashboard", "http", "https", "bare_api", "bare_dashboard")
    made = Installation(tmp_path_factory.mktemp("i"), {name: free_port() for name in ports})
    with ExitStack() as stack:
        stack.enter_context(nginx(made))
        install(made)
        for name in ("worker", "api", "dashboard"):
            notify = made.folder / f"{name}.notify"
            heard = stack.enter_context(systemd(notify))
            running = made.start(name, notify)
            stack.callback(running.kill)
            try:
                assert heard.get(timeout=120) == "READY=1"
            except Exception:
                raise AssertionError(running.output) from None
        yield made


def bearer(installed: Installation) -> dict[str, str]:
    return {"Authorization": f"Bearer {installed.key}"}


def test_the_command_works_on_the_services_database(installed: Installation):
    assert (installed.state / "restmon.db").stat().st_mode & 0o077 == 0
    assert list((installed.folder / "elsewhere").glob("*.db")) == []
    done = installed.restmon("status", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["worker_alive"] is True
    assert EMAIL in installed.restmon("accounts", "list").stdout
    files = installed.folder / "elsewhere" / "polls.csv"
    files.write_text(POLLS_HEADER + "here,active,2023-01-23 16:14:00 UTC\n")
    done = installed.restmon("import", "--polls", "polls.csv", "--json")
    assert (done.returncode, json.loads(done.stdout)["read"]) == (0, 1), done.stderr


def test_the_command_of_another_user(installed: Installation):
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    text = (installed.folder / "restmon").read_text()
    copy = Path("/tmp") / f"restmon-{os.getpid()}"
    copy.write_text(re.sub(r"^user=.*", "user=daemon", text, flags=re.MULTILINE))
    try:
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        done = subprocess.run(
            [*as_nobody, "sh", str(copy), "status"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert done.stderr.startswith("restmon: Only root or the user daemon may run this.")
    finally:
        copy.unlink()


def test_settings_that_cannot_be_read(installed: Installation):
    env = {**os.environ, "RESTMON_ENV_FILE": str(installed.folder / "nowhere.env")}
    for command in ("status", "worker", "api", "dashboard"):
        done = subprocess.run(
            [sys.executable, "-m", "restmon", command],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert "nowhere.env cannot be read: No such file or directory" in line


def test_plain_http_is_sent_on_to_tls(installed: Installation):
    answer = installed.ask("/stores?q=1", port="http")
    assert answer.status == 301
    assert answer.headers["location"].startswith("https://restmon.example")


def test_the_api_through_the_proxy(installed: Installation):
    assert installed.ask("/healthz", name=API_NAME).status == 200
    refused = installed.ask("/trigger_report", "POST", name=API_NAME)
    assert (refused.status, refused.json["error"]["code"]) == (401, "not_logged_in")
    body, headers = multipart(
        [("polls", "p.csv", f"{POLLS_HEADER}x,active,2023-01-23 16:14:00 UTC\n".encode())]
    )
    key = bearer(installed)
    done = installed.ask("/import_data?wait=true", "POST", body, headers | key, name=API_NAME)
    assert done.status == 200, done.text
    report = installed.ask("/trigger_report", "POST", headers=key, name=API_NAME)
    assert report.status == 202
    there = urlsplit(report.json["status_url"])
    assert (there.scheme, there.netloc) == ("https", f"{API_NAME}:{installed.ports['https']}")

    def complete() -> bool:
        path = f"{there.path}?{there.query}"
        return bool(installed.ask(path, headers=key, name=API_NAME).json["status"] == "Complete")

    wait_until("the report is complete", complete)


def test_a_bare_proxy_opens_nothing(installed: Installation):
    for path in ("/trigger_report", "/get_report?report_id=x", "/metrics"):
        assert installed.ask(path, port="bare_api").status == 401
    assert (
        installed.ask("/trigger_report", headers=bearer(installed), port="bare_api").status == 202
    )
    for path in ("/", "/stores", "/_stcore/host-config"):
        page = installed.ask(path, headers={"Accept": "text/html"}, port="bare_dashboard")
        assert (page.status, page.headers["location"][:6]) == (303, "/login")
    assert installed.log_in(port="bare_dashboard").status == 303


def test_the_login_through_the_proxy(installed: Installation):
    page = installed.ask("/", headers={"Accept": "text/html"})
    assert (page.status, page.headers["location"][:6]) == (303, "/login")
    answer = installed.log_in()
    assert answer.status == 303
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("secure", "httponly", "samesite=lax"))
    # By the proxy that is trusted, the audit knows where the person is.
    assert f"from {PERSON}" in installed.restmon("audit").stdout


def web_socket(installed: Installation, origin: str, cookie: str) -> str:
    """Open the connection that the pages come through; the protocol that is agreed on."""
    port = installed.ports["https"]
    wire = socket.create_connection(("127.0.0.1", port), 60, (PERSON, 0))
    with connect(
        f"wss://{NAME}:{port}/_stcore/stream",
        sock=wire,
        ssl=installed.trust(),
        server_hostname=NAME,
        origin=origin,  # type: ignore[arg-type]
        additional_headers={"Cookie": cookie},
        subprotocols=["streamlit"],  # type: ignore[list-item]
    ) as connection:
        connection.ping().wait(60)
        return str(connection.subprotocol)


def test_web_sockets_through_the_proxy(installed: Installation):
    cookie = installed.log_in().headers["set-cookie"].split(";")[0]
    own = f"https://{NAME}:{installed.ports['https']}"
    assert web_socket(installed, own, cookie) == "streamlit"
    for origin, sent in ((own, ""), ("https://elsewhere.example", cookie)):
        with pytest.raises(InvalidStatus) as refused:
            web_socket(installed, origin, sent)
        assert refused.value.response.status_code == 403


@pytest.mark.browser
def test_a_browser_through_the_proxy(installed: Installation, chromium: str):
    own = f"https://127.0.0.1:{installed.ports['https']}"
    with launched(chromium) as browser:
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.goto(own)
        page.get_by_label("E-mail").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button").click()
        settle(page)
        assert page.get_by_role("heading", level=1).first.is_visible()
        (cookie,) = [c for c in page.context.cookies() if c["name"] == "restmon_login"]
        assert cookie["secure"]


def test_what_the_processes_wrote(installed: Installation):
    assert installed.log_in().status == 303
    for name in ("worker", "api", "dashboard"):
        text = (installed.folder / f"{name}.log").read_text()
        assert "Traceback" not in text
        assert installed.key not in text
        assert PASSWORD not in text
    direct = plain_http(f"http://127.0.0.1:{installed.ports['api']}/trigger_report")
    assert direct.status == 401
