"""What every test stands on: a workspace of its own, real processes, free ports."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from playhouse.pool import PooledDatabase

from jobs.queue import huey
from restmon import database, models
from restmon.settings import get_settings
from restmon.snapshot import cache
from tests.clusters import Cluster, binaries, cluster

# How long an example takes is the machine's business.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).parent.parent
REQUIRED = {name for name in os.environ.get("RESTMON_REQUIRE", "").split(",") if name}

POLLS_HEADER = "store_id,status,timestamp_utc\n"
HOURS_HEADER = "store_id,day,start_time_local,end_time_local\n"
ZONES_HEADER = "store_id,timezone_str\n"


def missing(what: str, why: str) -> None:
    """Skip a test because something is absent; fail where RESTMON_REQUIRE names it."""
    if what in REQUIRED:
        pytest.fail(f"RESTMON_REQUIRE names {what}, but {why}")
    pytest.skip(f"{what}: {why}")


def free_port() -> int:
    """A port on 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(what: str, condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait for a true value of the condition and return it; fails after the seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain: {what}")


@dataclass
class Answer:
    """An HTTP answer: status, headers (lower-case names) and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


def http(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    timeout: float = 60,
) -> Answer:
    """One HTTP request to 127.0.0.1, whatever the status of its answer."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, found, answer.read())
    except urllib.error.HTTPError as error:
        found = {name.lower(): value for name, value in error.headers.items()}
        return Answer(error.code, found, error.read())


def multipart(files: list[tuple[str, str, bytes]]) -> tuple[bytes, dict[str, str]]:
    """(body, headers) of a multipart form with (field, file name, content) parts."""
    boundary = "restmon-test-boundary"
    parts = []
    for name, filename, content in files:
        head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        parts.append(
            f"--{boundary}\r\n{head}Content-Type: text/csv\r\n\r\n".encode() + content + b"\r\n"
        )
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


@dataclass
class Running:
    """A restmon process that a test started; its output goes to a file."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self, sig: int = signal.SIGTERM, seconds: float = 30) -> int:
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@dataclass
class Workspace:
    """A folder with its own database, queue, ports and settings, for this process and others."""

    path: Path
    env: dict[str, str]
    api_port: int
    dashboard_port: int
    started: list[Running] = field(default_factory=list)
    api_process: Running | None = None

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def dashboard(self) -> str:
        return f"http://127.0.0.1:{self.dashboard_port}"

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def restmon(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run ``python -m restmon …`` to its end."""
        env = {**os.environ, **self.env, **options.pop("env", {})}
        return subprocess.run(
            [sys.executable, "-m", "restmon", *map(str, arguments)],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            **options,
        )

    def start(self, *arguments: str, env: dict[str, str] | None = None) -> Running:
        """Start ``python -m restmon …``; it is killed when the test ends."""
        log = self.path / f"{arguments[0]}-{len(self.started)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "restmon", *arguments],
                cwd=ROOT,
                env={**os.environ, **self.env, "PYTHONUNBUFFERED": "1", **(env or {})},
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running = Running(process, log)
        self.started.append(running)
        return running

    def start_script(self, script: str, env: dict[str, str] | None = None) -> Running:
        """Start a Python script that becomes a worker, and wait until it is ready."""
        log = self.path / f"worker-{len(self.started)}.log"
        added = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(env or {})}
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-c", script],
                cwd=ROOT,
                env={**os.environ, **self.env, **added},
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running = Running(process, log)
        self.started.append(running)
        wait_until("the worker is ready", lambda: "worker ready" in running.output)
        return running

    def start_worker(self, env: dict[str, str] | None = None) -> Running:
        running = self.start("worker", env=env)
        wait_until("the worker is ready", lambda: "worker ready" in running.output)
        return running

    def start_api(self, env: dict[str, str] | None = None) -> Running:
        running = self.start("api", env=env)
        self.wait_for(running, self.api_port)
        return running

    def start_dashboard(self, env: dict[str, str] | None = None) -> Running:
        running = self.start("dashboard", env=env)
        self.wait_for(running, self.dashboard_port)
        return running

    def wait_for(self, running: Running, port: int) -> None:
        def listening() -> bool:
            assert running.process.poll() is None, running.output
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(f"something listens on {port}", listening)

    def import_now(
        self, polls: str | None = None, hours: str | None = None, zones: str | None = None
    ) -> Any:
        """Import texts through this process; the header lines are added. Returns the row."""
        from restmon import imports

        files = []
        for kind, header, text in (
            ("polls", POLLS_HEADER, polls),
            ("business_hours", HOURS_HEADER, hours),
            ("timezones", ZONES_HEADER, zones),
        ):
            if text is not None:
                path = self.write(f"{kind}.csv", header + text)
                files.append(imports.source_file(kind, path))
        return imports.run_now(files)

    def stop_all(self) -> None:
        for running in self.started:
            if running.process.poll() is None:
                os.killpg(running.process.pid, signal.SIGKILL)
                running.process.wait(10)


def make_workspace(path: Path, database_url: str = "") -> Workspace:
    """A workspace in a folder, with a SQLite database or the one given; the settings are in
    ``env``, nothing is opened."""
    api_port, dashboard_port = free_port(), free_port()
    env = {
        "RESTMON_DATABASE_URL": database_url or f"sqlite:///{path / 'restmon.db'}",
        "RESTMON_QUEUE_URL": "" if database_url else f"sqlite:///{path / 'queue.db'}",
        "RESTMON_DATA_DIR": str(path / "data"),
        "RESTMON_IMPORT_DIR": str(path / "data"),
        "RESTMON_API_HOST": "127.0.0.1",
        "RESTMON_API_PORT": str(api_port),
        "RESTMON_DASHBOARD_PORT": str(dashboard_port),
        "RESTMON_WORKERS": "2",
    }
    (path / "data").mkdir(exist_ok=True)
    return Workspace(path, env, api_port, dashboard_port)


@contextmanager
def opened(made: Workspace) -> Iterator[None]:
    """Open a workspace's database and queue in this process too, with its settings."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.env.items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        cache.clear()
        database.configure()
        huey.connect()
        try:
            yield
        finally:
            close_databases()
            get_settings.cache_clear()
            cache.clear()


def close_databases() -> None:
    """Close this process's connections to database and queue."""
    if not models.database.is_closed():
        models.database.close()
    if isinstance(models.database.obj, PooledDatabase):
        models.database.close_all()
    huey.storage.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Modules (and tests) marked ``both_databases`` run over SQLite and over PostgreSQL."""
    if "database_kind" in metafunc.fixturenames and metafunc.definition.get_closest_marker(
        "both_databases"
    ):
        kinds = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
        metafunc.parametrize("database_kind", kinds, scope="module")


@pytest.fixture(scope="module")
def database_kind() -> str:
    """Which database the workspace is on: sqlite or postgres."""
    return "sqlite"


@pytest.fixture
def workspace(
    tmp_path: Path, database_kind: str, request: pytest.FixtureRequest
) -> Iterator[Workspace]:
    """A workspace whose database and queue are open in this process too."""
    url = request.getfixturevalue("postgres_url") if database_kind == "postgres" else ""
    made = make_workspace(tmp_path, url)
    with opened(made):
        try:
            yield made
        finally:
            made.stop_all()


@pytest.fixture(scope="module")
def processes(
    tmp_path_factory: pytest.TempPathFactory, database_kind: str, request: pytest.FixtureRequest
) -> Iterator[Workspace]:
    """A workspace with a real API and worker that the tests of a module share; its import folder
    is ``inbox``."""
    with ExitStack() as stack:
        url = ""
        if database_kind == "postgres":
            url = stack.enter_context(fresh_database(request.getfixturevalue("postgres")))
        made = make_workspace(tmp_path_factory.mktemp("service"), url)
        made.env["RESTMON_IMPORT_DIR"] = str(made.path / "inbox")
        stack.callback(made.stop_all)
        made.api_process = made.start("api")
        made.start_worker()
        made.wait_for(made.api_process, made.api_port)
        yield made


@pytest.fixture
def service(processes: Workspace) -> Iterator[Workspace]:
    """The module's real API and worker, their database and folders emptied for this test."""
    with opened(processes):
        with database.writing():
            for model in (models.Poll, models.BusinessHours, models.Store):
                model.delete().execute()
            models.Report.delete().execute()
            models.Import.delete().execute()
            models.Revision.create(stores_changed=True, rebuild=True)
        for name in ("inbox", "data/reports", "data/rejected"):
            path = processes.path / name
            path.unlink() if path.is_file() else shutil.rmtree(path, ignore_errors=True)
        yield processes


def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs; the test is skipped where there is none."""
    programs = binaries()
    if programs is None:
        missing("postgres", "there is no initdb on the PATH or in /usr/lib/postgresql")
    assert programs
    return programs


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server for this process's tests, with an empty restmon database to copy."""
    with cluster(postgres_programs(), free_port()) as server:
        # By a process of its own: a test may ask for this while its own database is open here.
        env = {**os.environ, "RESTMON_DATABASE_URL": server.create("restmon_template")}
        made = [sys.executable, "-m", "restmon", "status"]
        subprocess.run(made, cwd=ROOT, env=env, check=True, capture_output=True)
        yield server


@contextmanager
def fresh_database(server: Cluster) -> Iterator[str]:
    """The URL of a restmon database of its own on PostgreSQL, dropped at the end."""
    name = f"test_{models.new_id()}"
    yield server.create(name, "restmon_template")
    server.drop(name)


@pytest.fixture
def postgres_url(postgres: Cluster) -> Iterator[str]:
    """The URL of a fresh restmon database on PostgreSQL."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
def real_data() -> Path:
    """The folder of the field's real files, where the machine has it."""
    folder = Path(os.environ.get("RESTMON_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "store_status.csv.gz").exists():
        missing("real-data", "the folder of real files is not here")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium for headless tests."""
    path = os.environ.get("RESTMON_CHROMIUM") or shutil.which("chromium")
    if not path:
        missing("browser", "there is no chromium on the PATH")
    assert path
    return path


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """The URL of a Redis server of this test's own."""
    server = shutil.which("redis-server")
    if not server:
        missing("redis", "there is no redis-server on the PATH")
    assert server
    port = free_port()
    with (tmp_path / "redis.log").open("wb") as log:
        process = subprocess.Popen(
            [
                server,
                "--port",
                str(port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                str(tmp_path),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:

        def listening() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until("Redis listens", listening)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)
