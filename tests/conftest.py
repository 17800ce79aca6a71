"""What every test stands on: a workspace of its own, real processes, free ports."""

import gc
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher, profiles
from hypothesis import settings
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.context import ContextProxy

from restmon.access import accounts, passwords
from restmon.dashboard import auth_middleware
from restmon.storage import database, models
from restmon.stores import groups
from tests.support import kept
from tests.support.clusters import Cluster, cluster, fresh_database, postgres_programs
from tests.support.environment import ROOT, free_port, missing, wait_until
from tests.support.examples import ALWAYS_THE_SAME
from tests.support.pages import POLLS, ZONES, NavigationOnly
from tests.support.people import MINE, OTHERS, PASSWORD, token_of
from tests.support.polls import delete_everything
from tests.support.workers import beating
from tests.support.workspace import Workspace, make_workspace, open_workspace

# How long an example takes is the machine's business.
settings.register_profile("untimed", deadline=None, derandomize=ALWAYS_THE_SAME)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="Run the tests marked slow, too.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the slow tests out, unless they are asked for by ``--slow`` or by a marker."""
    if config.getoption("--slow") or "slow" in config.getoption("-m"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


def pytest_collection_finish() -> None:
    """Streamlit collects garbage after each run of a page: leave out of it what stays anyhow."""
    gc.collect()
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Modules (and tests) marked ``both_databases`` run over SQLite, and with the slow tests over
    PostgreSQL too."""
    if "database_kind" in metafunc.fixturenames and metafunc.definition.get_closest_marker(
        "both_databases"
    ):
        postgres = pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])
        kinds = ["sqlite", postgres]
        metafunc.parametrize("database_kind", kinds, scope="module")


@pytest.fixture(scope="module")
def database_kind() -> str:
    """Which database the workspace is on: sqlite or postgres."""
    return "sqlite"


@pytest.fixture(autouse=True)
def through_the_gate(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that AppTest runs in this process are taken for asked for through the gate, unless the
    test is marked ``without_gate``."""
    if not request.node.get_closest_marker("without_gate"):
        monkeypatch.setattr("restmon.dashboard.auth_middleware.passed", lambda: True)


@pytest.fixture(autouse=True)
def navigation_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest runs app.py for every address, as the dashboard's server does."""
    monkeypatch.setattr("streamlit.testing.v1.app_test.PagesManager", NavigationOnly)


@pytest.fixture(autouse=True)
def no_components(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list]:
    """AppTest looks through all installed packages for components before a page's first run, which
    takes longer than the page. There are none: what looks for them is returned for the test that
    says so."""
    scan = manifest_scanner.scan_component_manifests
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", list)
    return scan


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database of today's schema, to copy."""
    path = tmp_path_factory.mktemp("empty") / "restmon.db"
    # By a process of its own: a test may ask for this while its own database is open here.
    env = {**os.environ, "RESTMON_DATABASE_URL": f"sqlite:///{path}"}
    made = [sys.executable, "-m", "restmon", "status"]
    subprocess.run(made, cwd=ROOT, env=env, check=True, capture_output=True)
    assert not path.with_name("restmon.db-wal").exists(), "Not all of it is in the file."
    return path


@pytest.fixture
def workspace(
    tmp_path: Path, database_kind: str, request: pytest.FixtureRequest
) -> Iterator[Workspace]:
    """A workspace whose database and queue are open in this process too."""
    url = request.getfixturevalue("postgres_url") if database_kind == "postgres" else ""
    made = make_workspace(tmp_path, url)
    if not url:
        shutil.copy(request.getfixturevalue("empty_database"), tmp_path / "restmon.db")
    with open_workspace(made):
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
    with open_workspace(processes):
        with database.writing():
            delete_everything()
            models.Report.delete().execute()
            models.Import.delete().execute()
            models.Revision.create(stores_changed=True, rebuild=True)
        kept.delete_everything(processes)
        shutil.rmtree(processes.path / "inbox", ignore_errors=True)
        yield processes


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server for this process's tests, with an empty restmon database to copy."""
    with cluster(postgres_programs(), free_port()) as server:
        # By a process of its own: a test may ask for this while its own database is open here.
        env = {**os.environ, "RESTMON_DATABASE_URL": server.create("restmon_template")}
        made = [sys.executable, "-m", "restmon", "status"]
        subprocess.run(made, cwd=ROOT, env=env, check=True, capture_output=True)
        yield server


@pytest.fixture
def postgres_url(postgres: Cluster) -> Iterator[str]:
    """The URL of a fresh restmon database on PostgreSQL."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords at once in the tests' own process: no setting does this, so that it cannot be
    on elsewhere. Processes that a test starts verify such hashes as they are."""
    cheap = PasswordHasher.from_parameters(profiles.CHEAPEST)
    monkeypatch.setattr(passwords, "_hasher", cheap)


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


@pytest.fixture
def people(workspace: Workspace) -> Workspace:
    """Stores a, b, c:1 and idle; the group Mine holds a, Theirs b; an account of each kind, and an
    owner of Theirs. Passwords are all the same."""
    workspace.import_now(POLLS, zones=ZONES)
    for name, store_id in (("Mine", MINE), ("Theirs", OTHERS)):
        groups.create(name)
        groups.add(name, [store_id])
    accounts.add("operator@example.com", "operator", PASSWORD)
    accounts.add("owner@example.com", "owner", PASSWORD, ["Mine"])
    accounts.add("other@example.com", "owner", PASSWORD, ["Theirs"])
    accounts.add("viewer@example.com", "viewer", PASSWORD)
    accounts.add("group-viewer@example.com", "viewer", PASSWORD, ["Mine"])
    return workspace


@pytest.fixture
def as_(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Log somebody in, in the sessions that are opened from now on."""

    def enter(who: str) -> str:
        token = "" if who == "nobody" else token_of(who)
        monkeypatch.setattr(ContextProxy, "cookies", {auth_middleware.COOKIE: token})
        return token

    return enter


@pytest.fixture
def seems_alive() -> Iterator[Callable[[str], None]]:
    """Make a worker seem alive, by its name, to the end of the test. Ask for it after the
    workspace."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(beating(name))


@pytest.fixture
def tester_alive(workspace: Workspace, seems_alive: Callable[[str], None]) -> None:
    """A worker that seems alive, and does nothing."""
    seems_alive("tester")
