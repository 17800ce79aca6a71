"""Polls from the future, records over the edges of blocks, and one file of rejected lines an
attempt at an import."""

import csv
import io
from threading import Thread
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restmon.core.instants import DAY, MINUTE, SECOND, as_text
from restmon.ingest import csv_reader, imports, incoming_files, preview
from restmon.ingest.allowed import Allowed
from restmon.ingest.csv_reader import read_batches
from restmon.ingest.headers import POLLS
from restmon.ingest.validation import Checker
from restmon.ingest.values.store_ids import StoreIds
from restmon.ingest.values.timestamps import not_after, parse_timestamps
from restmon.leasing import leases
from restmon.reporting import computation
from restmon.settings import get_settings
from restmon.storage import database, files
from restmon.storage.files import Kind
from restmon.storage.models import COMPLETE, Import, Poll, now
from tests.support.examples import examples
from tests.support.http import http, multipart
from tests.support.kept import rejected_text
from tests.support.workspace import POLLS_HEADER, Workspace

pytestmark = pytest.mark.both_databases

NOW = computation.parse_as_of("2023-01-23T18:00:00Z")
FORMS = [
    "2023-01-23 18:15:00.000001 UTC",
    "2023-01-23T18:15:01Z",
    "2023-01-23T12:15:01-06:00",
    "2099-01-01 00:00:00",
]
GOOD = "a,active,2023-01-23 16:14:00 UTC\n"


def rejected_lines(import_id: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(rejected_text(import_id), newline="")))[1:]


@pytest.mark.parametrize("text", FORMS)
def test_the_latest_instant_is_an_argument_of_the_check(text: str):
    latest = NOW + 15 * MINUTE
    raw = pa.array([b"2023-01-23 18:15:00 UTC", text.encode(), b"soon"], pa.binary())
    found = not_after(parse_timestamps(raw), latest)
    assert found.good.tolist() == [True, False, False]
    assert "from the future (after 2023-01-23 18:15:00 UTC" in found.reason(text.encode())
    assert "not a timestamp" in found.reason(b"soon")
    assert parse_timestamps(raw).good.tolist() == [True, True, False]
    content = f"{POLLS_HEADER}a,active,{text}\nb,active,2023-01-23 18:15:00\n".encode()
    (batch,) = read_batches(io.BytesIO(content), "p.csv", POLLS)
    ids = StoreIds()
    checked = Checker(POLLS, ids, latest).check(batch)
    bad = checked.rejections
    assert checked.line.tolist() == [3]
    assert ids.names == ["b"]
    shown = preview.preview(io.BytesIO(content), "p.csv", allowed=Allowed(latest=latest))
    assert shown.problems == bad


def text_of(minutes: float) -> str:
    return as_text(now() + round(minutes * MINUTE))


def test_a_poll_from_the_future_is_rejected_alone(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    lines = f"a,active,{text_of(17)}\na,active,{text_of(10)}\nb,active,2099-01-01 00:00:00\n"
    row = workspace.import_now(GOOD + lines)
    assert (row.counts["new"], row.counts["rejected"]) == (2, 2)
    assert all("from the future" in r["reason"] for r in row.rejections)
    assert [r["line"] for r in row.rejections] == [3, 5]
    newest = database.newest_poll()
    assert newest is not None
    assert newest < now() + 15 * MINUTE
    monkeypatch.setenv("RESTMON_MAX_AHEAD_MINUTES", "0")
    get_settings.cache_clear()
    row = workspace.import_now(f"a,active,{text_of(10)}\na,active,{text_of(-1)}\n")
    assert (row.counts["new"], row.counts["rejected"]) == (1, 1)


def test_the_command_line_rejects_polls_from_the_future(workspace: Workspace):
    path = workspace.write("p.csv", POLLS_HEADER + GOOD + "a,active,2099-01-01 00:00:00\n")
    done = workspace.command("import", "--polls", str(path))
    assert done.returncode == 0
    assert "1 new, 0 updated, 0 unchanged, 1 rejected" in done.stdout
    assert "from the future" in done.stderr
    kept = {"RESTMON_MAX_AHEAD_MINUTES": "60000000"}
    done = workspace.command("import", "--polls", str(path), env=kept)
    assert "1 new, 0 updated, 1 unchanged, 0 rejected" in done.stdout


def test_the_api_rejects_polls_from_the_future(service: Workspace):
    content = (POLLS_HEADER + GOOD + "a,active,2099-01-01 00:00:00\n").encode()
    body, form = multipart([("polls", "p.csv", content)])
    answer = http(f"{service.api}/import_data?wait=true", "POST", body, form)
    assert answer.json["counts"]["rejected"] == 1
    assert "from the future" in answer.json["rejections"][0]["reason"]


# Records and blocks

RECORDS = st.sampled_from(
    [
        "a,active,2023-01-23 16:14:00,plain",
        '"b",active,2023-01-23 16:14:00,"two\nlines"',
        'c,active,2023-01-23 16:14:00,"many\n\n,lines\n""of"" it\n"',
        "d,asleep,2023-01-23 16:14:00,",
        'e,active,"2023-01-23 16:14:00,x',
        '"f,active,2023-01-23 16:14:00,x',
        'g,active,2023-01-23 16:14:00,5" pipe',
        "h,active",
        "",
        'i,"active\n",2023-01-23 16:14:00,"a\nb"',
        "j,active,2023-01-23 16:14:00,x\ry,active,2023-01-23 16:14:00,z",
    ]
)


def everything(content: bytes) -> tuple[Any, ...]:
    """All that the reader gives of a file, whatever its blocks."""
    batches = list(read_batches(io.BytesIO(content), "p.csv", POLLS))
    columns = {
        name: [value for batch in batches for value in batch.columns[name].to_pylist()]
        for name in ("store_id", "status", "timestamp_utc")
    }
    lines = np.concatenate([batch.line for batch in batches]) if batches else np.empty(0)
    malformed = [r for batch in batches for r in batch.malformed]
    remains = [r for batch in batches for r in batch.remains]
    return columns, lines.tolist(), malformed, remains


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RECORDS, max_size=30), st.sampled_from(["\n", "\r\n", "\r"]), st.integers(1, 300))
def test_a_file_reads_the_same_in_blocks_of_any_size(
    monkeypatch: pytest.MonkeyPatch, records: list[str], ending: str, size: int
):
    header = "store_id,status,timestamp_utc,note"
    content = ending.join([header, *records, ""]).encode()
    whole = everything(content)
    with monkeypatch.context() as patch:
        patch.setattr(csv_reader, "LONGEST_HEADER", len(header) + len(ending))
        patch.setattr(csv_reader, "BLOCK_BYTES", size)
        assert everything(content) == whole


@pytest.mark.slow
def test_a_record_at_the_edge_of_a_block_is_whole(workspace: Workspace):
    line = 'a,active,2023-01-23 16:14:{:09.6f},"a note\nof two lines"\n'
    count = csv_reader.BLOCK_BYTES // len(line.format(0)) * 2
    text = "".join(line.format(n / 10_000) for n in range(count))
    path = workspace.write("p.csv", "store_id,status,timestamp_utc,note\n" + text)
    row = imports.run_now([incoming_files.source_file("polls", path)])
    assert (row.counts["read"], row.counts["new"], row.counts["rejected"]) == (count, count, 0)


def test_line_ends_of_every_kind_in_one_file(workspace: Workspace):
    texts = [f"{store},active,2023-01-23 16:14:00 UTC" for store in "abcd"]
    text = "\r\n".join(texts[:2]) + "\r" + texts[2] + "\n" + texts[3] + "\r" + "e,asleep,x"
    row = workspace.import_now(text)
    assert (row.counts["read"], row.counts["new"], row.counts["rejected"]) == (5, 4, 1)
    assert row.rejections[0]["line"] == 6
    path = workspace.path / "polls.csv"
    shown = preview.preview(path, "polls.csv")
    assert (shown.lines, [p.line for p in shown.problems]) == (5, [6])


# One file of rejected lines an attempt


def asked(workspace: Workspace) -> Import:
    path = workspace.write("p.csv", POLLS_HEADER + GOOD + "a,asleep,2023-01-23 16:14:00\n")
    return imports.request([incoming_files.source_file("polls", path)])


def only_whole_files() -> None:
    assert not list(get_settings().rejected_dir.glob("*.part"))
    assert files.clean(now() + DAY) == 0
    assert not list(get_settings().spool_dir.iterdir())


def test_who_lost_the_lease_leaves_the_rejected_lines_alone(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    row = asked(workspace)
    merge, others = database.merge_polls, []

    def take_over() -> None:
        Import.update(lease_until=now() - SECOND).where(Import.id == row.id).execute()
        lease = leases.take(Import, row.id)
        assert lease
        lease.complete(counts={"kinds": {}}, rejections=[])
        content = b"file,line,column,value,reason\nthe,other's\n"
        files.save(Kind.REJECTED, f"{row.id}.csv", content)
        others.append(content)

    def beside() -> None:
        with database.session():
            take_over()

    def late(*columns: Any) -> Any:
        """Before this attempt writes, another worker takes the import over and finishes it. With
        SQLite that worker cannot write beside this one."""
        monkeypatch.setattr(database, "merge_polls", merge)
        if get_settings().uses_sqlite:
            take_over()
        else:
            other = Thread(target=beside)
            other.start()
            other.join()
        return merge(*columns)

    monkeypatch.setattr(database, "merge_polls", late)
    assert not imports.work(row.id)
    assert others
    assert rejected_text(row.id).endswith("the,other's\n")
    only_whole_files()


def test_what_fails_after_the_commit_fails_no_import(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("restmon.ingest.writer.LARGE", 1)

    def tidy() -> None:
        raise RuntimeError("no room for statistics")

    monkeypatch.setattr(database, "tidy", tidy)
    row = asked(workspace)
    assert imports.work(row.id)
    assert imports.get(row.id).status == COMPLETE
    assert len(rejected_lines(row.id)) == 1
    assert "no room for statistics" in caplog.text
    only_whole_files()


def test_an_attempt_that_fails_leaves_no_rejected_lines(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: Any) -> None:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(database, "merge_polls", fail)
    row = asked(workspace)
    with pytest.raises(RuntimeError):
        imports.work(row.id)
    assert imports.find_rejected(row.id) is None
    only_whole_files()
    with database.session():
        assert not Poll.select().exists()
