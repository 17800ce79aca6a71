"""Bad input through every front door: told in one sentence, nothing lost, nothing half done."""

import csv
import gzip
import io
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restmon.errors import FileRejected, RestmonError
from restmon.ingest import block_reader, csv_reader, imports, incoming_files, preview
from restmon.ingest.headers import GROUPS, POLLS
from restmon.leasing import leases
from restmon.ops import cleanup
from restmon.reporting import computation, reports
from restmon.settings import get_settings
from restmon.storage.files import Kind
from restmon.storage.models import COMPLETE, FAILED, Import, Report, new_id
from tests.support import hostile, kept
from tests.support.environment import wait_until
from tests.support.forms import parsed, raw
from tests.support.hostile import BEYOND_THE_HEADER, GOOD, HEADERS
from tests.support.http import Answer, http, multipart
from tests.support.workspace import Workspace

LINES = hostile.bad_lines()
FILES = hostile.bad_files()
AROUND = HEADERS[POLLS] + BEYOND_THE_HEADER


def sent(service: Workspace, content: bytes, kind: str = POLLS, name: str = "p.csv") -> Answer:
    """Import a file through the API, to its end."""
    body, form = multipart([(kind, name, content)])
    return http(f"{service.api}/import_data?wait=true", "POST", body, form)


def nothing_burst(service: Workspace) -> None:
    """Neither process has logged a traceback."""
    for running in service.started:
        assert running.process.poll() is None
        assert "Traceback" not in running.output


@pytest.mark.both_databases
@pytest.mark.parametrize("case", LINES)
def test_a_bad_line_costs_itself_alone(service: Workspace, case: str):
    line, reason = LINES[case]
    answer = sent(service, AROUND + line + GOOD[POLLS].replace(b"good-1", b"good-2"))
    assert answer.status == 200, answer.text
    counts = answer.json["counts"]
    assert (counts["new"], counts["unchanged"], counts["rejected"]) == (2, 149, 1)
    (rejection,) = answer.json["rejections"]
    assert (rejection["file"], rejection["line"]) == ("p.csv", 152)
    assert reason in rejection["reason"]
    assert len(rejection["value"]) <= 200
    assert "\0" not in answer.text
    whole = http(answer.json["rejected_csv_url"])
    csv.field_size_limit(2**24)  # a rejected line is kept whole
    (first,) = csv.DictReader(io.StringIO(whole.text))
    assert first["line"] == "152"
    assert not first["store_id"].startswith(("=", "+", "-", "@"))
    assert computation.compute().stores.ids == ["good-1", "good-2"]
    nothing_burst(service)


@pytest.mark.parametrize("case", FILES)
def test_a_bad_file_is_rejected_whole(service: Workspace, case: str):
    content, said = FILES[case]
    sent(service, HEADERS[POLLS] + GOOD[POLLS])
    before = computation.compute().csv()
    answer = sent(service, content)
    assert answer.status == 422, answer.text
    error = answer.json["error"]
    assert said in error["message"]
    assert "p.csv" in error["message"]
    assert error["hint"] or error["code"] == "file_rejected"
    assert computation.compute().csv() == before
    wait_until("the upload is gone", lambda: not list(get_settings().spool_dir.iterdir()))
    nothing_burst(service)


@pytest.mark.parametrize("case", FILES)
def test_a_bad_file_is_told_in_the_preview_and_by_the_command_line(workspace: Workspace, case: str):
    content, said = FILES[case]
    try:
        found = preview.preview(io.BytesIO(content), "p.csv")
    except RestmonError as error:
        assert said in str(error) or "gzip" in case
    else:
        assert found.problem is not None or "gzip" in case
    done = workspace.command("import", "--polls", workspace.write("p.csv", content))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("case", LINES)
def test_the_preview_and_the_import_agree_on_a_bad_line(workspace: Workspace, case: str):
    line, _ = LINES[case]
    content = AROUND + line + GOOD[POLLS]
    found = preview.preview(io.BytesIO(content), "p.csv")
    row = imports.run_now([incoming_files.source_file(POLLS, workspace.write("p.csv", content))])
    assert row.status == COMPLETE
    told = [(bad.line, bad.column, bad.reason) for bad in found.problems]
    assert told == [(bad["line"], bad["column"], bad["reason"]) for bad in row.rejections]


@pytest.mark.slow
def test_a_bomb_is_read_in_small_parts_and_told(workspace: Workspace):
    for part in (b"\0", b'"', b"x,", hostile.poll(), b"\n"):
        path = workspace.write("p.csv.gz", hostile.bomb(20, part))
        assert path.stat().st_size < 2**20
        row = imports.run_now([incoming_files.source_file(POLLS, path)])
        assert row.status == COMPLETE
    assert Import.select().count() == 5
    assert computation.compute().stores.ids == ["good-1", "x"]


EMPTY_ROWS = [
    ",,",
    '"",,',
    " , ,",
    "\t,,",
    "\u00a0,,",
    '"","",""',
    "",
    "  ",
    '" ",,',
    ",x,",
    " a,,",
]


@given(
    rows=st.lists(
        st.sampled_from([*EMPTY_ROWS, HEADERS[POLLS].decode().strip(), "a,active,1674389379"]),
        min_size=1,
        max_size=40,
    ),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_empty_rows_are_found_alike_one_by_one_and_all_at_once(
    rows: list[str], end: str, last: bool
):
    content = (HEADERS[POLLS].decode().strip() + end + end.join(rows) + end * last).encode()
    found = []
    for many in (0, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(block_reader, "MANY", many)
            batches = list(csv_reader.read_batches(io.BytesIO(content), "p.csv", POLLS))
            found.append([(b.line.tolist(), [bad.line for bad in b.malformed]) for b in batches])
    assert found[0] == found[1]
    empty = {",,", '"",,', " , ,", '"","",""', "", "  ", '" ",,'}
    left = {n for lines, bad in found[0] for n in [*lines, *bad]}
    assert not {n for n, row in enumerate(rows, 2) if row in empty} & left
    assert {n for n, row in enumerate(rows, 2) if row.startswith("a,")} <= left


# Limits


@pytest.fixture
def narrow(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An API and a worker with limits of 1 MB an upload, 2 MB a file and 10,000 lines."""
    limits = {
        "RESTMON_MAX_UPLOAD_MB": "1",
        "RESTMON_MAX_FILE_MB": "2",
        "RESTMON_MAX_LINES": "10000",
    }
    workspace.env |= limits
    for name, value in limits.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    return workspace


TOO_MUCH = [
    (hostile.bomb(3, b"x" * 1000 + b"\n"), "p.csv is larger than 2 MB", "RESTMON_MAX_FILE_MB"),
    (gzip.compress(HEADERS[POLLS] + b"\n" * 10_001), "more than 10,000 lines", "RESTMON_MAX_LINES"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("content", "said", "setting"), TOO_MUCH, ids=["size", "lines"])
def test_a_file_beyond_the_limits_is_422(
    narrow: Workspace, content: bytes, said: str, setting: str
):
    narrow.start_worker()
    narrow.start_api()
    answer = sent(narrow, content)
    assert answer.status == 422, answer.text
    assert said in answer.json["error"]["message"]
    assert setting in answer.json["error"]["message"]
    assert answer.json["counts"] is None
    done = narrow.command("import", "--polls", narrow.write("p.csv", content))
    assert done.returncode == 2
    assert said in done.stderr
    assert setting in done.stderr


def test_a_file_at_the_limit_of_lines_is_imported(narrow: Workspace):
    content = HEADERS[POLLS] + GOOD[POLLS] * 10_000
    row = imports.run_now([incoming_files.source_file(POLLS, narrow.write("p.csv", content))])
    assert (row.status, row.counts["read"]) == (COMPLETE, 10_000)


HEAD = b"POST /import_data HTTP/1.1\r\nHost: 127.0.0.1\r\n"
LONG = HEAD + b"Content-Length: %d\r\n\r\n" % (2**20 + 1)
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n" % (2**20, b"x" * 2**20)


@pytest.mark.parametrize(
    "request_bytes", [LONG, HEAD + CHUNKS + b"1\r\nx\r\n"], ids=["told", "not"]
)
def test_a_request_beyond_the_limit_is_413(narrow: Workspace, request_bytes: bytes):
    narrow.start_api()
    answer = parsed(raw(narrow, request_bytes))
    assert answer.status == 413, answer.text
    assert answer.json["error"]["message"] == "The request is larger than 1 MB."
    assert "RESTMON_MAX_UPLOAD_MB" in answer.json["error"]["hint"]
    assert Import.select().count() == 0


def test_a_job_that_takes_too_long_is_given_up(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    workspace.import_now("x,active,2023-01-23 16:14:00 UTC\n")
    monkeypatch.setattr(leases, "MINUTE_SECONDS", 0)
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.02)
    compute = computation.compute

    def slowly(*arguments: Any, **options: Any) -> Any:
        wait_until("it is given up", lambda: Report.get().status == FAILED)
        return compute(*arguments, **options)

    monkeypatch.setattr(computation, "compute", slowly)
    report = reports.request()
    assert not reports.work(report.id)
    error = reports.get(report.id).error
    assert error.startswith("It took longer than 60 minutes and was given up")
    assert not kept.exists(Kind.REPORT, reports.csv_key(report.id))


def test_an_import_that_takes_too_long_changes_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(leases, "MINUTE_SECONDS", 0)
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.02)

    def slowly(*_: Any) -> None:
        wait_until("it is given up", lambda: Import.get().status == FAILED)

    (spooled,) = incoming_files.spool(io.BytesIO(AROUND), POLLS, "p.csv")
    row = imports.request([spooled])
    assert not imports.work(row.id, slowly)
    assert "RESTMON_MAX_JOB_MINUTES" in imports.get(row.id).error
    with pytest.raises(RestmonError, match="no polls"):
        computation.compute()
    assert list(get_settings().spool_dir.iterdir()) == []


def test_what_killed_processes_left_behind_is_cleaned_up(workspace: Workspace):
    spool, finished = get_settings().spool_dir, get_settings().reports_dir

    def made(path: Path, days: float) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix or path.name.startswith("tmp"):
            path.write_bytes(b"x")
        else:
            path.mkdir()
            (path / "polls-0.npz").write_bytes(b"x")
        old = time.time() - days * 86_400
        os.utime(path, (old, old))
        return path

    left = [
        made(spool / f"{new_id()}.upload", 1.1),
        made(spool / "import-abc", 1.1),
        made(spool / "tmpa1b2c3d4", 1.1),
        made(finished / "x.csv.1-2.part", 1.1),
    ]
    waiting = made(spool / f"{new_id()}.upload", 30)
    others = [
        made(spool / "import-new", 0.1),
        made(spool / "tmpe5f6g7h8", 0.1),
        made(spool / f"{new_id()}.upload", 0.9),
        made(spool / "else.txt", 30),
        made(finished / "x.csv", 30),
    ]
    Import.create(files=[{"kind": POLLS, "name": "p.csv", "path": str(waiting.resolve())}])
    assert cleanup.clean() == len(left)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in [waiting, *others])


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_groups_name_is_no_formula(workspace: Workspace, name: str):
    from restmon.ingest import groups_csv
    from restmon.stores import groups

    with pytest.raises(RestmonError, match="does not begin with"):
        groups.create(name)
    content = HEADERS[GROUPS] + f"x,{name}\n".encode()
    workspace.import_now("x,active,2023-01-23 16:14:00 UTC\n")
    found = groups_csv.import_csv(io.BytesIO(content), "g.csv")
    assert "does not begin with" in found.rejections[0].reason
    assert isinstance(FileRejected("x"), RestmonError)
