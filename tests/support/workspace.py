"""A folder with its own database, queue, ports and settings, and the processes in it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playhouse.pool import PooledDatabase

from jobs.queue import huey
from restmon.cli.main import main
from restmon.reporting.snapshot import cache
from restmon.settings import get_settings
from restmon.storage import database, models
from tests.support.environment import ROOT, free_port, wait_until

POLLS_HEADER = "store_id,status,timestamp_utc\n"


HOURS_HEADER = "store_id,day,start_time_local,end_time_local\n"


ZONES_HEADER = "store_id,timezone_str\n"


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

    def command(
        self, *arguments: object, env: dict[str, str] | None = None, input: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line in this process. It is much faster than `restmon`."""
        words = [str(argument) for argument in arguments]
        assert not {"api", "dashboard", "run", "worker"} & set(words[:1]), "These need a process."
        with pytest.MonkeyPatch.context() as patch, same_connections():
            for name, value in {**self.env, **(env or {})}.items():
                patch.setenv(name, value)
            get_settings.cache_clear()
            done = CliRunner().invoke(
                main, words, input=input, prog_name="restmon", catch_exceptions=False
            )
        get_settings.cache_clear()
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)

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
        return self.wait_for_worker(running)

    def start_worker(self, env: dict[str, str] | None = None) -> Running:
        return self.wait_for_worker(self.start("worker", env=env))

    def wait_for_worker(self, running: Running) -> Running:
        """Wait until a worker is ready. If it ended, fail at once with its output."""

        def is_ready() -> bool:
            ready = "worker ready" in running.output
            assert ready or running.process.poll() is None, running.output
            return ready

        wait_until("the worker is ready", is_ready, describe=lambda: running.output)
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

        wait_until(f"something listens on {port}", listening, describe=lambda: running.output)

    def import_now(
        self, polls: str | None = None, hours: str | None = None, zones: str | None = None
    ) -> Any:
        """Import texts through this process; the header lines are added. Returns the row."""
        from restmon.ingest import imports, incoming_files

        files = []
        for kind, header, text in (
            ("polls", POLLS_HEADER, polls),
            ("business_hours", HOURS_HEADER, hours),
            ("timezones", ZONES_HEADER, zones),
        ):
            if text is not None:
                path = self.write(f"{kind}.csv", header + text)
                files.append(incoming_files.source_file(kind, path))
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
def open_workspace(made: Workspace) -> Iterator[None]:
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


@contextmanager
def same_connections() -> Iterator[None]:
    """Put back this process's database, queue and snapshot after a block that may open others."""
    before, queue = models.database.obj, huey.storage
    cache.clear()
    try:
        yield
    finally:
        if models.database.obj is not before:
            close_database()
            models.database.initialize(before)
        if huey.storage is not queue:
            huey.storage.close()
            huey.storage = queue
        cache.clear()


def close_database() -> None:
    """Close this process's connections to the database."""
    if not models.database.is_closed():
        models.database.close()
    if isinstance(models.database.obj, PooledDatabase):
        models.database.close_all()


def close_databases() -> None:
    """Close this process's connections to database and queue."""
    close_database()
    huey.storage.close()
