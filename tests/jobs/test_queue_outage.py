"""Redis goes away and comes back: one warning a minute, no traceback, nothing lost."""

import logging
import sys
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as RedisConnectionError

from jobs import tasks
from jobs.outages import SECONDS, OneWarningAMinute
from jobs.queue import huey
from restmon.reporting import reports
from tests.support.environment import wait_until
from tests.support.http import http
from tests.support.proxy import proxy
from tests.support.workers import ended
from tests.support.workspace import Workspace

POLLS = "a,active,2023-01-23 16:14:00 UTC\n"
SAID = "The queue does not answer"


@pytest.mark.slow
@pytest.mark.redis
def test_redis_away_for_a_while(workspace: Workspace, redis_url: str):
    workspace.import_now(POLLS)
    port = urlsplit(redis_url).port
    assert port
    with proxy(port) as cable:
        workspace.env["RESTMON_QUEUE_URL"] = f"redis://127.0.0.1:{cable.port}/0"
        worker, api = workspace.start_worker(), workspace.start_api()
        cable.cut(silent=False)
        wait_until("the worker notices", lambda: SAID in worker.output)
        for _ in range(20):
            answer = http(f"{workspace.api}/trigger_report", "POST")
            assert (answer.status, answer.json["error"]["code"]) == (503, "database_unavailable")
        cable.mend()
        done = wait_until(
            "the API asks the queue again",
            lambda: next(
                (a for a in [http(f"{workspace.api}/trigger_report", "POST")] if a.status == 202),
                None,
            ),
        )
        assert ended(reports.get, done.json["report_id"]).status == "Complete"
    for running in (worker, api):
        assert "Traceback" not in running.output
        assert 1 <= running.output.count(SAID) <= 3


def test_a_report_is_on_record_though_the_queue_fails(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    workspace.import_now(POLLS)

    def fails(*_: Any, **__: Any) -> None:
        raise RedisConnectionError("Connection refused.")

    with monkeypatch.context() as patch:
        patch.setattr(huey, "enqueue", fails)
        report = tasks.enqueue_report()
    assert reports.get(report.id).status == "Running"
    tasks.recover()
    assert [task.args[0] for task in huey.pending() if task.name == "run_report"] == [report.id]


@given(st.lists(st.floats(0, 90), min_size=1, max_size=60))
def test_one_warning_a_minute(gaps: list[float]):
    moment = 1000.0
    filtering = OneWarningAMinute(lambda: moment)
    written: list[tuple[float, str]] = []
    for gap in gaps:
        moment += gap
        try:
            raise RedisConnectionError("Connection refused.")
        except RedisConnectionError:
            record = logging.LogRecord("huey", logging.ERROR, "", 1, "x", (), sys.exc_info())
        if filtering.filter(record):
            assert record.exc_info is None
            written.append((moment, record.getMessage()))
    times = [at for at, _ in written]
    assert all(b - a >= SECONDS for a, b in pairwise(times))
    assert written


def test_other_errors_keep_their_tracebacks():
    try:
        raise ValueError("a bug")
    except ValueError:
        record = logging.LogRecord("huey", logging.ERROR, "", 1, "x", (), sys.exc_info())
    assert OneWarningAMinute().filter(record)
    assert record.exc_info
