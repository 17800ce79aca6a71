"""A process that hangs says so, ends itself, and tells systemd how it is."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.queue import SCHEDULE_SECONDS, RestmonHuey
from restmon.leasing import heartbeats
from restmon.ops import watchdog
from tests.support.environment import ROOT, free_port, wait_until
from tests.support.http import http
from tests.support.systemd import systemd
from tests.support.workers import SLOW
from tests.support.workspace import Running, Workspace

IMPATIENT = """
from restmon.ops import watchdog
watchdog.EVERY_SECONDS, watchdog.PATIENCE, watchdog.ANSWER_SECONDS = 0.2, 3, 2
import os, time
def hang():
    while os.path.exists("{flag}"):
        time.sleep(0.1)
"""

# Every thread that answers requests is held up.
API = """
import api_server
serve = api_server.serve
def slow(environ, start_response):
    hang()
    return serve(environ, start_response)
api_server.serve = slow
api_server.main()
"""

# The one loop of the server is held up, also for what is no page.
DASHBOARD = """
from restmon.dashboard import auth_middleware, server
here = auth_middleware.from_elsewhere
def slow(request):
    hang()
    return here(request)
auth_middleware.from_elsewhere = slow
server.main()
"""

# A job that never ends, though jobs may take five seconds only.
WORKER = f"""
import jobs.worker
jobs.worker.MARGIN_SECONDS = 5 - 60
{SLOW}
import runpy, sys
sys.argv = ["jobs"]
runpy.run_module("jobs", run_name="__main__")
"""


def start(workspace: Workspace, script: str, flag: Path, notify: Path) -> Running:
    """A process that hangs as long as the file ``flag`` is there, and soon notices that."""
    log = workspace.path / "process.log"
    added = {
        "PYTHONPATH": str(ROOT),
        "NOTIFY_SOCKET": str(notify),
        "RESTMON_MAX_JOB_MINUTES": "1",
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", IMPATIENT.format(flag=flag) + script],
            cwd=ROOT,
            env={**os.environ, **workspace.env, **added},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    running = Running(process, log)
    workspace.started.append(running)
    return running


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "says"),
    [
        (API, "/livez does not answer"),
        (DASHBOARD, "/_stcore/health does not answer"),
        (WORKER, "did not come back from a task"),
    ],
    ids=["api", "dashboard", "worker"],
)
def test_a_process_that_hangs_ends_itself(workspace: Workspace, script: str, says: str):
    from jobs import tasks

    workspace.import_now("x,active,2023-01-23 16:14:00 UTC\n")
    flag, notify = workspace.path / "hang", workspace.path / "notify"
    with systemd(notify) as heard:
        running = start(workspace, script, flag, notify)
        assert heard.get(timeout=120) == "READY=1", running.output
        assert heard.get(timeout=60) == "WATCHDOG=1"
        if script is WORKER:
            tasks.enqueue_report(requested_by="api")
        else:
            flag.touch()
        assert running.process.wait(120) == 1, running.output
    assert says in running.output
    assert "the process hangs and ends itself, to be started again" in running.output


def test_a_process_that_answers_again_goes_on(workspace: Workspace):
    flag, notify = workspace.path / "hang", workspace.path / "notify"
    patient = API.replace("import api_server", "watchdog.PATIENCE = 10**6\nimport api_server", 1)
    with systemd(notify) as heard:
        running = start(workspace, patient, flag, notify)
        assert heard.get(timeout=120) == "READY=1", running.output
        flag.touch()
        wait_until("it is noticed", lambda: "does not answer" in running.output)
        while not heard.empty():
            heard.get()
        flag.unlink()
        assert heard.get(timeout=60) == "WATCHDOG=1"
        assert http(f"{workspace.api}/livez").text == "ok"


def test_being_alive_is_neither_logged_nor_counted(workspace: Workspace):
    running = workspace.start_api()
    assert http(f"{workspace.api}/livez").text == "ok"
    assert http(f"{workspace.api}/livez", "HEAD").body == b""
    assert http(f"{workspace.api}/openapi.json").status == 200
    wait_until("a request is logged", lambda: "path=/openapi.json" in running.output)
    assert "livez" not in running.output
    assert "livez" not in http(f"{workspace.api}/metrics").text


def test_the_threads_of_a_worker(monkeypatch: pytest.MonkeyPatch):
    huey = RestmonHuey("test", results=False)
    assert huey.stuck(1, 60) == "0 of 1 threads have begun"
    huey.dequeue()
    huey.read_schedule()
    assert huey.stuck(1, 60) is None
    then = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: then + 61)
    assert "MainThread did not come back" in str(huey.stuck(1, 60))
    huey.dequeue()
    assert huey.stuck(1, 60) is None
    monkeypatch.setattr(time, "monotonic", lambda: then + SCHEDULE_SECONDS + 1)
    assert "schedule" in str(huey.stuck(1, 3600))


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/livez"),
        ("", "http://127.0.0.1:8000/livez"),
        ("0.0.0.0", "http://127.0.0.1:8000/livez"),
        ("::", "http://[::1]:8000/livez"),
        ("::1", "http://[::1]:8000/livez"),
        ("web.example", "http://web.example:8000/livez"),
    ],
)
def test_the_address_that_a_process_asks_itself_at(host: str, url: str):
    assert watchdog.own_url(host, 8000, "/livez") == url


@pytest.mark.slow
def test_the_health_checks_of_containers(workspace: Workspace, seems_alive: Callable[[str], None]):
    """The commands of compose.yaml, without Docker."""
    workspace.start_api()

    def check(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "restmon.ops.watchdog", *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert check(f"{workspace.api}/livez").returncode == 0
    failed = check(f"http://127.0.0.1:{free_port()}/livez")
    assert failed.returncode == 1
    assert "does not answer" in failed.stderr
    seems_alive("another-machine:1")
    alone = workspace.restmon("status", "--worker")
    assert (alone.returncode, "No worker on this machine" in alone.stderr) == (2, True)
    seems_alive(f"{heartbeats.machine_prefix()}1")
    assert workspace.restmon("status", "--worker").returncode == 0
