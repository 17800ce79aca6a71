"""Reports of windows, groups and stores: from the request to their files, by API and CLI."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from restmon.access.roles import Actor, Role
from restmon.errors import BadRequest, DataChanged, NotFound, RestmonError
from restmon.reporting import comparison, report_details, reports
from restmon.reporting.details_table import COLUMNS, DetailsTable
from restmon.reporting.reports import Part
from restmon.reporting.workbook import make_workbook
from restmon.settings import get_settings
from restmon.storage import database, files
from restmon.storage.files import Kind
from restmon.storage.models import COMPLETE, FAILED, Report, StoreDirectory
from restmon.stores import groups
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

POLLS = "".join(
    f"{store},{status},2023-01-{day} {hour:02}:00:00 UTC\n"
    for store, statuses in (("a", "uudu"), ("b", "uuuu"), ("00123", "dddd"))
    for day in range(20, 26)
    for hour, status in zip(
        (0, 6, 12, 18), [{"u": "active", "d": "inactive"}[s] for s in statuses], strict=True
    )
)


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    workspace.import_now(POLLS, zones="a,America/New_York\nb,Asia/Tokyo\n")
    groups.create("G")
    groups.add("G", ["a", "00123"])
    return workspace


def made(**request: Any) -> Report:
    part = Part(**{k: request.pop(k) for k in ("words", "group", "store_id") if k in request})
    report = reports.request(part=part, **request)
    reports.work(report.id)
    return reports.get(report.id)


def ids(table: DetailsTable) -> list[Any]:
    return [row[0] for row in table.rows]


def test_a_report_of_a_window_has_details_alone(stores: Workspace):
    report = made(words={"from": "2023-01-22", "to": "2023-01-24"})
    assert (report.status, report.stores) == (COMPLETE, 3)
    found = files.find(Kind.REPORT, report_details.key_of(report.id))
    assert found is not None
    assert report.size == found.size
    assert files.find(Kind.REPORT, reports.csv_key(report.id)) is None
    described = reports.describe(report)
    assert described["window"] == "from=2023-01-22 to=2023-01-24"
    table = report_details.read(report)
    assert ids(table) == ["00123", "a", "b"]
    row = table.records()[1]
    assert (row["window_from"], row["window_to"]) == (
        "2023-01-22T05:00:00.000000Z",
        "2023-01-24T05:00:00.000000Z",
    )
    assert (row["open"], row["down"]) == (48.0, 12.0)
    with pytest.raises(BadRequest, match="a window of its own"):
        reports.read_csv(report)
    plain = made()
    with pytest.raises(BadRequest, match="These two reports cannot be compared"):
        comparison.compare_reports(report.id, plain.id)


def test_a_report_of_a_group_or_store_has_their_lines_alone(stores: Workspace):
    for part, expected in (({"group": "g"}, ["00123", "a"]), ({"store_id": "b"}, ["b"])):
        report = made(**part)
        lines = reports.read_csv(report).decode().splitlines()
        whole = reports.read_csv(made()).decode().splitlines()
        assert lines == [whole[0], *(x for x in whole[1:] if x.split(",")[0] in expected)]
        assert report.stores == len(expected)
        assert ids(report_details.read(report)) == expected
        assert ids(report_details.read(made(words={"last": "2d"}, **part))) == expected
    described = reports.describe(made(group="g"))
    assert (described["group"], described["store_id"], described["window"]) == ("G", None, None)


def test_an_owners_report_has_details_of_their_stores(stores: Workspace):
    with database.session():
        own = frozenset({groups.Group.named("G").id})
    owner = Actor("o", Role.OWNER, own)
    assert ids(report_details.read(made(actor=owner, words={"last": "1d"}))) == ["00123", "a"]
    assert ids(report_details.read(made(actor=owner))) == ["00123", "a"]
    for part in ({"group": "H"}, {"store_id": "b"}):
        with pytest.raises(NotFound):
            made(actor=owner, **part)


def test_details_of_a_plain_report_are_of_what_it_read(stores: Workspace):
    report, other = made(), made()
    report_details.read(report)
    # A later poll changes nothing that it read, an earlier one does.
    stores.import_now("a,inactive,2023-01-26 00:00:00 UTC\n")
    assert report_details.read(other).records()[1]["last_poll"] == "2023-01-25T18:00:00.000000Z"
    stores.import_now("a,inactive,2023-01-25 10:00:00 UTC\n")
    assert ids(report_details.read(report)) == ["00123", "a", "b"]  # they were kept
    files.delete(Kind.REPORT, report_details.key_of(other.id))
    with pytest.raises(DataChanged, match="have changed since"):
        report_details.read(other)


def test_a_report_in_shards_has_details_too(stores: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RESTMON_SHARD_STORES", "2")
    get_settings.cache_clear()
    report = reports.request(part=Part(group="G"))
    reports.work(report.id)
    for part in reports.shards.list_shards(report.id):
        reports.work_shard(part.id)
    reports.work(report.id)
    done = reports.get(report.id)
    assert (done.status, done.stores) == (COMPLETE, 2)
    assert ids(report_details.read(done)) == ["00123", "a"]
    # One of a window is computed in pieces by one worker.
    assert ids(report_details.read(made(words={"last": "3d"}))) == ["00123", "a", "b"]


def test_a_group_that_is_gone_fails_the_report(stores: Workspace):
    report = reports.request(part=Part({"last": "1d"}, group="G"))
    groups.delete("G")
    reports.work(report.id)
    done = reports.get(report.id)
    assert (done.status, done.error) == (FAILED, "There is no group 'G' any more.")


def test_files_that_are_gone_or_damaged(stores: Workspace):
    report = made(words={"last": "1d"})
    key = report_details.key_of(report.id)
    files.save(Kind.REPORT, key, b"[]")
    with pytest.raises(RestmonError, match="damaged"):
        report_details.read(report)
    files.delete(Kind.REPORT, key)
    with pytest.raises(NotFound, match=f"no longer in {files.where(Kind.REPORT)}"):
        report_details.read(report)


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ({"words": {"from": "2023-01-24", "to": "2023-01-23"}}, "ends before it begins"),
        ({"words": {"month": "0000-01"}}, "is no month"),
        ({"words": {"from": "2023-01-24", "to": "2023-01-26"}}, "is after as_of"),
        ({"group": "none"}, "There is no group 'none'"),
        ({"store_id": "none"}, "There is no store 'none'"),
        ({"group": "G", "store_id": "a"}, "cannot be combined"),
    ],
)
def test_what_cannot_be_is_refused_at_the_request(
    stores: Workspace, part: dict[str, Any], sentence: str
):
    with pytest.raises(RestmonError, match=sentence):
        made(**part)
    assert Report.select().count() == 0


def book_of(content: bytes) -> tuple[list[list[Any]], list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["Details", "About"]
    return tuple(book.get_sheet_by_name(name).to_python() for name in book.sheet_names)  # type: ignore[return-value]


def test_the_workbook(stores: Workspace):
    with database.session():
        row = groups.Store.get(groups.Store.store_id == "a")
        StoreDirectory.create(store=row.id, name="=1+1")
    report = made(words={"month": "2023-01"})
    content = make_workbook(report_details.read(report))
    rows, about = book_of(content)
    assert rows[0] == list(COLUMNS)
    first, second = (dict(zip(COLUMNS, row, strict=True)) for row in rows[1:3])
    assert first["store_id"] == "00123"  # as text, with its zeros
    assert (first["uptime_percent"], first["outages"]) == (0.0, 1.0)
    assert isinstance(first["open"], float)
    assert second["name"] == "=1+1"
    assert second["lost_sales"] == ""
    facts = {line[0]: line[1] for line in about}
    assert facts["window"] == "month=2023-01"
    assert facts["as_of"] == "2023-01-25 18:00:00.000000 UTC"
    assert facts["method"] == "nearest"
    assert facts["zone assumed"] == "1 stores (America/Chicago)"
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert 'state="frozen"' in sheet


def test_the_command_line_writes_every_format(stores: Workspace, tmp_path: Path):
    def run(*words: str) -> str:
        path = tmp_path / "out"
        done = stores.command("report", "--output", path, *words)
        assert done.returncode == 0, done.stderr
        assert "as of 2023-01-25 18:00:00.000000 UTC" in done.stdout
        return path.read_bytes().decode("latin-1")

    whole = run()
    assert run("--format", "csv", "--store", "a").splitlines() == [
        whole.splitlines()[0],
        *(line for line in whole.splitlines() if line.startswith("a,")),
    ]
    details = run("--from", "2023-01-22", "--to", "2023-01-24", "--group", "G").splitlines()
    assert details[0] == ",".join(COLUMNS)
    assert [line.split(",")[0] for line in details[1:]] == ["00123", "a"]
    found = json.loads(run("--last", "24h", "--format", "json", "--method", "previous"))
    assert found["about"]["window"] == "last=24h"
    assert [store["open"] for store in found["stores"]] == [24.0, 24.0, 24.0]
    rows, _ = book_of(run("--format", "xlsx").encode("latin-1"))
    assert [row[0] for row in rows] == ["store_id", "00123", "a", "b"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--last", "2d", "--format", "csv"], "seven columns are of the last hour, day and week"),
        (["--from", "2023-01-24", "--to", "2023-01-20"], "ends before it begins"),
        (["--month", "2023-00"], "is no month"),
        (["--group", "none"], "There is no group 'none'"),
        (["--store", "none", "--format", "xlsx"], "There is no store 'none'"),
    ],
)
def test_the_command_line_refuses_in_one_sentence(
    stores: Workspace, tmp_path: Path, words: list[str], sentence: str
):
    done = stores.command("report", "--output", tmp_path / "out", *words)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
