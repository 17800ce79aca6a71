"""Reports of windows over HTTP, in every format."""

import csv
import io
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from restmon.reporting import workbook
from restmon.reporting.details_table import COLUMNS
from restmon.stores import groups
from tests.support.environment import wait_until
from tests.support.http import http
from tests.support.workspace import Workspace

POLLS = "".join(
    f"{store},{status},2023-01-{day} 12:00:00 UTC\n"
    for store, status in (("a", "active"), ("b", "inactive"))
    for day in range(20, 26)
)


@pytest.fixture
def stores(service: Workspace) -> Workspace:
    service.import_now(POLLS)
    if not any(group.name == "G" for group in groups.list_groups()):
        groups.create("G")
    groups.set_members("G", ["b"])
    return service


def trigger(service: Workspace, query: str) -> Any:
    accepted = http(f"{service.api}/trigger_report?{query}", "POST")
    assert accepted.status == 202, accepted.json

    def is_done() -> bool:
        state = http(f"{accepted.json['status_url']}&format=status").json
        return bool(state["status"] != "Running")

    wait_until("the report is done", is_done)
    return http(accepted.json["status_url"]).json


def test_every_format_of_a_window(stores: Workspace):
    state = trigger(stores, "from=2023-01-22&to=2023-01-24&group=g")
    assert (state["status"], state["stores"], state["group"]) == ("Complete", 1, "G")
    assert state["window"] == "from=2023-01-22 to=2023-01-24"
    assert "csv" not in state
    assert "csv_url" not in state
    [store] = state["details"]
    assert list(store) == list(COLUMNS)
    assert (store["store_id"], store["open"], store["uptime_percent"]) == ("b", 48.0, 0.0)
    assert store["window_from"] == "2023-01-22T06:00:00.000000Z"

    answer = http(state["details_url"])
    assert answer.headers["content-type"].startswith("text/csv")
    assert "-details.csv" in answer.headers["content-disposition"]
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert row["window_from"] == "2023-01-22 06:00:00.000000 UTC"
    base = state["details_url"].partition("&")[0]
    assert http(base, headers={"Accept": "text/csv"}).text == answer.text

    answer = http(state["xlsx_url"])
    assert answer.headers["content-type"] == workbook.TYPE
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.body))
    assert book.get_sheet_by_name("Details").to_python()[1][0] == "b"

    refused = http(f"{base}&format=csv")
    assert refused.status == 400
    assert "window of its own" in refused.json["error"]["message"]


def test_a_plain_report_has_its_csv_and_details(stores: Workspace):
    state = trigger(stores, "")
    assert state["csv"].startswith("store_id,uptime_last_hour")
    assert (state["window"], state["group"], state["store_id"]) == (None, None, None)
    details = list(csv.DictReader(io.StringIO(http(state["details_url"]).text)))
    plain = list(csv.DictReader(io.StringIO(state["csv"])))
    assert [row["up"] for row in details] == [row["uptime_last_week"] for row in plain]
    assert http(state["xlsx_url"]).status == 200


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("from=2023-01-24&to=2023-01-23", 400, "ends before it begins"),
        ("from=2023-01-24&to=2023-01-27", 400, "is after as_of"),
        ("month=0000-01", 400, "is no month"),
        ("last=2y", 400, "is no length of time"),
        ("last=1d&month=2023-01", 400, "cannot be combined"),
        ("group=none", 404, "There is no group 'none'"),
        ("store_id=none", 404, "There is no store 'none'"),
    ],
)
def test_what_cannot_be_is_refused(stores: Workspace, query: str, status: int, sentence: str):
    answer = http(f"{stores.api}/trigger_report?{query}", "POST")
    assert answer.status == status
    assert sentence in answer.json["error"]["message"]
