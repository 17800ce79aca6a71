"""What tells an operator how restmon runs, or why not: its log, its metrics, its settings."""

import json
import logging
import os
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from restmon import logs
from restmon.settings import JSON_LOG, Settings, read_settings
from restmon.storage.models import Report, WorkerHeartbeat
from tests.support.environment import free_port, wait_until
from tests.support.http import http, multipart
from tests.support.workers import held_job
from tests.support.workspace import POLLS_HEADER, Running, Workspace

POLLS = "x,active,2023-01-23 16:14:00 UTC\nx,broken,2023-01-23 16:15:00 UTC\n"
BROWSER = {"Accept": "text/html"}
SECRETS = ("restmon_very-secret", "hush", "report_id")


def metrics(workspace: Workspace) -> dict[str, float]:
    """The samples of the metrics, by name and labels as they are written."""
    answer = http(f"{workspace.api}/metrics")
    assert answer.status == 200
    return {
        sample.name + "".join(f",{k}={v}" for k, v in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def imported(workspace: Workspace) -> None:
    """Import the polls through the API and make a report."""
    body, form = multipart([("polls", "polls.csv", (POLLS_HEADER + POLLS).encode())])
    assert http(f"{workspace.api}/import_data?wait=true", "POST", body, form).status == 200
    report = http(f"{workspace.api}/trigger_report").json["report_id"]
    url = f"{workspace.api}/get_report?report_id={report}&format=status"
    wait_until("the report", lambda: http(url).json["status"] == "Complete")


@pytest.mark.slow
@pytest.mark.both_databases
def test_the_metrics_count_and_tell_the_state(service: Workspace):
    before = metrics(service)
    assert "restmon_newest_poll_age_seconds" not in before
    imported(service)
    http(f"{service.api}/nowhere/at/all")
    with held_job(Report):
        after = metrics(service)
    assert after["restmon_up,part=database"] == after["restmon_up,part=queue"] == 1
    assert after["restmon_jobs,kind=import,status=complete"] == 1
    assert after["restmon_jobs,kind=report,status=complete"] == 1
    assert after["restmon_jobs,kind=report,status=running"] == 1
    assert after["restmon_jobs,kind=report,status=failed"] == 0
    assert after["restmon_stores"] == 1
    assert sum(n for name, n in after.items() if name.startswith("restmon_stores_by_")) == 1
    assert after["restmon_workers"] == 1
    assert after["restmon_worker_seen_seconds"] < 60
    assert after["restmon_newest_poll_age_seconds"] > 90 * 86_400
    assert after["restmon_queue_depth"] >= 0
    assert after["process_resident_memory_bytes"] > 0

    def more(name: str) -> float:
        return after[name] - before.get(name, 0.0)

    assert more("restmon_requests_total,method=POST,route=/import_data,status=200") == 1
    assert more("restmon_requests_total,method=GET,route=other,status=404") == 1
    assert more("restmon_request_seconds_count,route=/trigger_report") == 1
    assert not any("nowhere" in name for name in after)


def test_metrics_are_told_while_the_database_is_gone(workspace: Workspace):
    workspace.start_api()
    WorkerHeartbeat.drop_table()
    found = metrics(workspace)
    assert found["restmon_up,part=database"] == 0
    assert found["restmon_up,part=queue"] == 1
    assert "restmon_stores" not in found


@pytest.fixture(params=["text", JSON_LOG])
def logging_in(request: pytest.FixtureRequest, workspace: Workspace) -> Iterator[list[Running]]:
    """API, worker and dashboard that log in one of the forms."""
    env = {"RESTMON_LOG_FORMAT": request.param}
    yield [
        workspace.start_worker(env),
        workspace.start_api(env),
        workspace.start_dashboard(env),
    ]


def events(running: list[Running]) -> list[dict[str, Any]]:
    """All events in the logs of the processes, values as text."""
    found = []
    for process in running:
        for line in process.output.splitlines():
            if line.startswith("{"):
                found.append({k: str(v) for k, v in json.loads(line).items()})
            elif said := re.fullmatch(r"(\S+ \S+) (\w+) (restmon[.\w]*): (\w+) (.*)", line):
                values = re.findall(r'(\w+)=("[^"]*"|\S+)', said[5])
                found.append({"event": said[4], **{k: v.strip('"') for k, v in values}})
    return found


@pytest.mark.slow
def test_each_request_import_and_report_has_one_line(
    logging_in: list[Running], workspace: Workspace
):
    imported(workspace)
    bearer = {"Authorization": f"Bearer {SECRETS[0]}", "Cookie": f"x={SECRETS[1]}"}
    assert http(f"{workspace.api}/get_report?report_id=hush", headers=bearer).status == 401
    http(f"{workspace.api}/odd%20%22path%0a?x=hush")
    http(f"{workspace.dashboard}/stores?search=hush", headers={"Accept": "text/html"})
    said = events(logging_in)

    def of(name: str, **values: str) -> list[dict[str, Any]]:
        wanted = {"event": name, **values}.items()
        return [entry for entry in said if wanted <= entry.items()]

    (line,) = of("import", status="Complete", read="2", new="1", rejected="1", attempt="1")
    assert float(line["seconds"]) > 0
    assert len(of("report", status="Complete", stores="1")) == 1
    assert len(of("request", method="POST", path="/import_data", status="200")) == 1
    assert len(of("request", method="GET", path="/trigger_report", status="202")) == 1
    assert len(of("request", path="/get_report", status="401")) == 1
    assert len(of("request", path="/odd%20%22path%0A", status="404")) == 1
    assert len(of("request", path="/stores", status="200")) == 1
    written = "".join(process.output for process in logging_in)
    assert not any(secret in written for secret in SECRETS)


@pytest.mark.parametrize("stores", [0, 1])
def test_the_dashboard_reads_the_data_before_anybody_comes(workspace: Workspace, stores: int):
    if stores:
        workspace.import_now(POLLS)
    running = workspace.start_dashboard()
    expected = "read_ahead stores=1" if stores else "nothing_read_ahead error="
    wait_until("the data are read", lambda: expected in running.output)
    assert " request " not in running.output


def test_a_value_cannot_forge_a_line(caplog: pytest.LogCaptureFixture):
    log = logging.getLogger("restmon.test")
    with caplog.at_level(logging.INFO, log.name):
        logs.event(
            log, "import", error='it\n2026-01-01 ERROR "x" a=b\x1b[1m', seconds=0.25, who=None
        )
    (record,) = caplog.records
    assert record.getMessage() == 'import error="it?2026-01-01 ERROR ?x? a=b?[1m" seconds=0.250'
    line = logs.formatter(JSON_LOG).format(record)
    assert "\n" not in line
    assert json.loads(line)["error"].startswith("it\n2026")
    assert json.loads(line)["level"] == "INFO"


def test_a_form_of_the_log_that_is_none_is_told(workspace: Workspace):
    done = workspace.restmon("worker", env={"RESTMON_LOG_FORMAT": "xml"})
    assert done.returncode == 2
    assert "RESTMON_LOG_FORMAT" in done.stderr
    assert Settings().log_format == "text"


@pytest.mark.slow
def test_who_comes_before_the_database_is_open_waits_for_it(workspace: Workspace):
    path = workspace.path / "new.db"
    lock = sqlite3.connect(path, isolation_level=None)
    with closing(lock), ThreadPoolExecutor(2) as threads:
        lock.execute("BEGIN EXCLUSIVE")
        workspace.start_dashboard(env={"RESTMON_DATABASE_URL": f"sqlite:///{path}"})
        page = threads.submit(http, f"{workspace.dashboard}/overview", headers=BROWSER)
        form = b"email=x%40example.com&password=x"
        login = threads.submit(http, f"{workspace.dashboard}/login", "POST", form)
        wait([page, login], timeout=2)
        lock.execute("ROLLBACK")
        assert page.result().status == 200
        assert login.result().status == 401


def test_a_server_that_does_not_answer_is_told_to_who_comes(workspace: Workspace):
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/restmon"
    workspace.start_dashboard(env={"RESTMON_DATABASE_URL": url})
    assert http(f"{workspace.dashboard}/overview", headers=BROWSER).status == 200
    answer = http(f"{workspace.dashboard}/login", "POST", b"email=x%40example.com&password=x")
    assert answer.status == 503
    assert f"The database {url} cannot be used" in answer.text


def test_an_empty_import_folder_is_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("RESTMON_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("RESTMON_IMPORT_DIR", "")
    assert read_settings(os.environ).effective_import_dir == tmp_path
    monkeypatch.setenv("RESTMON_IMPORT_DIR", str(tmp_path / "inbox"))
    assert read_settings(os.environ).effective_import_dir == tmp_path / "inbox"


WRONG_SETTINGS = pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("RESTMON_API_PORT", "eighty", "RESTMON_API_PORT='eighty'"),
        ("RESTMON_WORKERS", "0", "RESTMON_WORKERS='0'"),
        ("RESTMON_DATABASE_URL", "mysql://x/y", "RESTMON_DATABASE_URL='mysql://x/y'"),
        ("RESTMON_QUEUE_URL", "amqp://x", "RESTMON_QUEUE_URL='amqp://x'"),
        ("RESTMON_DATABASE_URL", "sqlite:////proc/nope/r.db", "cannot be made"),
    ],
)


@WRONG_SETTINGS
def test_a_wrong_setting_is_one_sentence(workspace: Workspace, name: str, value: str, says: str):
    done = workspace.command("status", env={name: value})
    assert done.returncode == 2
    assert says in done.stderr


@pytest.mark.slow
@WRONG_SETTINGS
def test_a_wrong_setting_stops_every_process(
    workspace: Workspace, name: str, value: str, says: str
):
    for command in ("status", "worker", "api", "dashboard"):
        done = workspace.restmon(command, env={name: value})
        assert done.returncode == 2, (command, done.stderr)
        assert says in done.stderr
        assert "Traceback" not in done.stderr
