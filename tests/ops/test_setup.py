"""``make run`` in a copy of the project: what can be wrong is one sentence, Ctrl-C stops all.

The libraries are those of this Python; a test that downloads them would test the internet.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.environment import ROOT, free_port, wait_until
from tests.support.http import http

NOT_COPIED = {".git", ".venv", "tests", "benchmarks", "__pycache__"}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project as it is in the repository, before anything was set up."""

    def ignored(folder: str, names: list[str]) -> set[str]:
        if Path(folder) == ROOT / "data":
            return set(names) - {"demo", "README.md"}
        return {name for name in names if name in NOT_COPIED or name.endswith((".env", "_cache"))}

    folder = tmp_path / "restmon"
    shutil.copytree(ROOT, folder, ignore=ignored)
    return folder


@pytest.fixture
def installed(copy: Path) -> Path:
    """A copy whose .venv has the libraries of the Python that runs the tests."""
    (copy / ".venv").mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.suffix != ".done":
            (copy / ".venv" / path.name).symlink_to(path)
    (copy / ".venv" / "run.done").touch()
    return copy


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what is restmon's or make's."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("RESTMON_", "MAKE", "MFLAGS"))}
    ports = {"RESTMON_API_PORT": str(free_port()), "RESTMON_DASHBOARD_PORT": str(free_port())}
    # No test may change the libraries that all tests use.
    return {**env, **ports, "PIP_NO_INDEX": "1", "PIP_DRY_RUN": "1", **more}


def make(
    folder: Path, *arguments: str, as_any_user: bool = False, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run make in the folder to its end; ``as_any_user``: file permissions hold for root too."""
    program = shutil.which("make")
    assert program
    command = [program, *(arguments or ["run"])]
    if as_any_user and os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """Check that make ended as on a user's error; returns the line that says what is wrong."""
    print(done.stdout, done.stderr)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("restmon: ")
    assert "Traceback" not in done.stdout
    return lines[0]


@contextmanager
def read_only(*folders: Path) -> Iterator[None]:
    for folder in folders:
        folder.chmod(0o555)
    try:
        yield
    finally:
        for folder in folders:
            folder.chmod(0o755)


@pytest.mark.parametrize("name", ["API", "DASHBOARD"])
def test_a_port_in_use(installed: Path, name: str):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = one_sentence(make(installed, **{f"RESTMON_{name}_PORT": str(port)}))
    assert f"Port {port} on 127.0.0.1" in said
    assert "is in use" in said
    assert f"RESTMON_{name}_PORT" in said
    assert not (installed / "data" / "restmon.db").exists()


@pytest.mark.parametrize("there", [[], ["python3", "python3.11"]], ids=["none", "too old"])
def test_no_python(copy: Path, tmp_path: Path, there: list[str]):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in there:
        (programs / name).write_text("#!/bin/sh\nexit 1\n")
        (programs / name).chmod(0o755)
    said = one_sentence(make(copy, PATH=str(programs)))
    assert "Python 3.11 or later" in said
    assert "was not found" in said
    assert "make PYTHON=" in said
    assert not (copy / ".venv").exists()


@pytest.mark.slow
def test_the_python_that_is_there_is_used(copy: Path, tmp_path: Path):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python3.11").write_text("#!/bin/sh\nexit 1\n")
    (programs / "python3.11").chmod(0o755)
    (programs / "python3").symlink_to(Path(sys.executable).resolve())
    done = make(copy, ".venv/bin/python", PATH=str(programs))
    assert done.returncode == 0, done.stderr
    assert (copy / ".venv" / "bin" / "pip").exists()


def test_a_read_only_folder_before_set_up(copy: Path):
    with read_only(copy):
        said = one_sentence(make(copy, as_any_user=True))
    assert "this folder is read-only" in said


def test_a_read_only_folder_after_set_up(installed: Path):
    with read_only(installed, installed / "data"):
        said = one_sentence(make(installed, as_any_user=True))
    assert f"The data folder {installed / 'data'} cannot be written" in said
    assert "RESTMON_DATA_DIR" in said


def test_a_read_only_folder_with_another_version_set_up(installed: Path):
    (installed / ".venv" / "run.done").unlink()
    with read_only(installed, installed / ".venv"):
        said = one_sentence(make(installed, as_any_user=True))
    assert "this folder is read-only" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RESTMON_API_PORT", "eighty"),
        ("RESTMON_WORKERS", "0"),
        ("RESTMON_DATABASE_URL", "mysql://x/y"),
        ("RESTMON_QUEUE_URL", "amqp://x"),
    ],
)
def test_a_wrong_setting(installed: Path, name: str, value: str):
    said = one_sentence(make(installed, **{name: value}))
    assert f"{name}={value!r}" in said
    assert not (installed / "data" / "restmon.db").exists()


def test_a_wrong_setting_in_the_file(installed: Path):
    (installed / ".env").write_text("RESTMON_WORKERS=many\n")
    assert "RESTMON_WORKERS='many'" in one_sentence(make(installed))


def test_a_database_that_is_none(installed: Path):
    (installed / "data" / "restmon.db").write_text("this is no database " * 1000)
    assert "restmon.db is not an SQLite database" in one_sentence(make(installed))


def healthy(dashboard: str) -> bool:
    try:
        return http(f"{dashboard}/_stcore/health").text == "ok"
    except (OSError, httpx.TransportError):
        return False


@pytest.mark.slow
def test_ctrl_c_stops_all_of_them(installed: Path, tmp_path: Path):
    env = environment()
    api, dashboard = (
        f"http://127.0.0.1:{env[f'RESTMON_{name}_PORT']}" for name in ("API", "DASHBOARD")
    )
    log = tmp_path / "run.log"
    with log.open("wb") as out:
        run = subprocess.Popen(
            ["make", "run"],
            cwd=installed,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group of its own, as in a terminal
        )

    def started() -> list[int]:
        return [int(pid) for pid in re.findall(r"started \(pid=(\d+)\)", log.read_text())]

    def output() -> str:
        assert run.poll() is None, log.read_text()
        return log.read_text()

    try:
        wait_until("all are ready", lambda: "Stop with Ctrl-C." in output())
        assert healthy(dashboard)
        health = http(f"{api}/healthz")
        assert health.status == 200, health.text
        assert health.json["newest_poll"]
        assert "demo stores are loaded" in output()
        addresses = output().partition("restmon is running.\n")[2].splitlines()[:7]
        assert addresses == [
            "",
            f"  Dashboard  {dashboard}",
            f"  API        {api}",
            f"  API docs   {api}/docs",
            "",
            "Stop with Ctrl-C.",
            "",
        ]
        assert "Streamlit" not in output()
        assert len(started()) == 3
        os.killpg(run.pid, signal.SIGINT)
        run.wait(60)
        said = log.read_text()
        print(said)
        assert not [pid for pid in started() if Path(f"/proc/{pid}").exists()]
        assert "Traceback" not in said
        assert "SIGKILL" not in said
        assert said.count("stopped (rc=0)") == 3
    finally:
        for pid in [run.pid, *started()]:
            if Path(f"/proc/{pid}").exists():
                os.killpg(pid, signal.SIGKILL)
        run.wait(10)
