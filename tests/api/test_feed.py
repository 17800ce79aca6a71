"""The live feed over HTTP: bodies, answers, rights, many clients at once."""

import csv
import gzip
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import api_server
from restmon.access import api_keys
from restmon.api import item_bodies
from restmon.ingest import live_feed
from restmon.storage import database
from restmon.storage.models import BusinessHours, Import, Poll, Store
from restmon.stores import groups
from tests.ingest.test_undo import read_state
from tests.support.examples import examples
from tests.support.http import http
from tests.support.workspace import Workspace
from tests.support.wsgi import ask

pytestmark = pytest.mark.both_databases

POLLS = [
    {"store_id": "a", "timestamp_utc": "2023-01-23T10:00:00Z", "status": "active"},
    {
        "store_id": "b",
        "timestamp_utc": "2023-01-23T10:00:00Z",
        "status": "down",
        "reason": "HTTP 503",
    },
]
COUNTS = ("read", "new", "updated", "unchanged", "rejected", "removed")


def post(
    path: str, body: bytes | str, headers: dict[str, str] | None = None, key: str | None = None
) -> httpx.Response:
    """POST to the API in this process."""
    sent = dict(headers or {})
    if key:
        sent["Authorization"] = f"Bearer {key}"
    transport = httpx.WSGITransport(api_server.serve, remote_addr="127.0.0.1")
    with httpx.Client(transport=transport, base_url="http://127.0.0.1") as client:
        return client.post(path, content=body, headers=sent)


def lines(items: list[Any]) -> str:
    return "".join(json.dumps(item) + "\n" for item in items)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (lines(POLLS), {"Content-Type": "application/x-ndjson"}),
        (lines(POLLS).replace("\n", "\r\n\r\n"), {}),
        (json.dumps(POLLS), {"Content-Type": "application/json"}),
        (json.dumps(POLLS, indent=2), {"Content-Type": "application/x-www-form-urlencoded"}),
        ("\ufeff" + lines(POLLS), {}),
        (gzip.compress(lines(POLLS).encode()), {"Content-Encoding": "gzip"}),
    ],
)
def test_each_form_of_body_is_taken(workspace: Workspace, body, headers):
    found = post("/polls", body, headers)
    assert found.status_code == 200, found.text
    answer = found.json()
    assert [answer[name] for name in COUNTS] == [2, 2, 0, 0, 0, 0]
    assert answer["rejections"] == []
    with database.session():
        assert Poll.select().count() == 2
    state = ask("/import_data", import_id=answer["import_id"]).json()
    assert (state["status"], state["counts"]["new"]) == ("Complete", 2)
    assert state["files"] == [{"kind": "polls", "name": "live polls"}]
    assert ask(f"/import_data/{answer['import_id']}", "DELETE").status_code == 200
    with database.session():
        assert not Poll.select().exists()


def test_bad_items_are_told_by_index_and_the_others_taken(workspace: Workspace):
    body = lines([POLLS[0]]) + '{"store_id": "c", \n\n' + lines([{**POLLS[1], "status": "?"}, 7])
    answer = post("/polls", body + lines([POLLS[1]])).json()
    assert [answer[name] for name in COUNTS] == [5, 2, 0, 0, 3, 0]
    assert [(one["index"], one["column"], one["value"]) for one in answer["rejections"]] == [
        (1, "", '{"store_id": "c", '),
        (2, "status", "?"),
        (3, "", "7"),
    ]
    assert answer["rejections"][0]["reason"] == "the line is not JSON"
    state = ask("/import_data", import_id=answer["import_id"]).json()
    address = state["rejected_csv_url"].removeprefix("http://127.0.0.1")
    found = ask(address)
    assert found.status_code == 200
    assert found.text.splitlines()[0] == "store_id,timestamp_utc,status,reason,line,problem"
    rows = list(csv.reader(found.text.splitlines()[1:]))
    assert [row[-2] for row in rows] == ["1", "2", "3"]
    assert rows[0][0] == '{"store_id": "c", '


def test_hours_and_zones(workspace: Workspace):
    hours = [
        {"store_id": "a", "dayOfWeek": 0, "start_time_local": "09:00", "end_time_local": "17:00"},
        {"store_id": "b", "dayOfWeek": 9, "start_time_local": "09:00", "end_time_local": "17:00"},
    ]
    answer = post("/business_hours", json.dumps(hours)).json()
    assert [answer[name] for name in COUNTS] == [2, 1, 0, 0, 1, 0]
    assert answer["rejections"][0]["index"] == 1
    wide = {"store_id": "a", **dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "9-17")}
    wide |= {"sat": "closed", "sun": "closed"}
    answer = post("/business_hours", json.dumps([wide])).json()
    assert answer["rejected"] + answer["new"] + answer["updated"] + answer["unchanged"] > 0
    zones = [{"store_id": "a", "timezone_str": "us/pacific"}, {"store_id": "b"}]
    answer = post("/timezones", json.dumps(zones)).json()
    assert [answer[name] for name in COUNTS] == [2, 1, 0, 0, 1, 0]
    with database.session():
        assert Store.get(Store.store_id == "a").timezone == "US/Pacific"
        assert BusinessHours.select().exists()


def torn(content: bytes) -> bytes:
    return gzip.compress(content)[:-20]


REFUSED: dict[str, tuple[bytes, dict[str, str], int]] = {
    "empty": (b"", {}, 400),
    "blank": (b" \n\n", {}, 400),
    "no items": (b"[]", {}, 400),
    "an array cut off": (json.dumps(POLLS).encode()[:-3], {}, 400),
    "an array of Latin-1": (b'["\xe9"]', {}, 400),
    "nested": (b"[" * 100_000, {}, 400),
    "a gzip cut off": (torn(lines(POLLS * 50).encode()), {"Content-Encoding": "gzip"}, 400),
    "no gzip": (lines(POLLS).encode(), {"Content-Encoding": "gzip"}, 400),
    "brotli": (lines(POLLS).encode(), {"Content-Encoding": "br"}, 400),
    "a gzip bomb": (gzip.compress(b"\n" * 50_000_000), {"Content-Encoding": "gzip"}, 413),
    "one object, called JSON": (b'{"store_id": "a"}', {"Content-Type": "application/json"}, 400),
    "too large": (b" " * (item_bodies.LARGEST_BODY + 1), {}, 413),
    "too many": (lines([{}] * 10_001).encode(), {}, 400),
    "too many in an array": (json.dumps([{}] * 10_001).encode(), {}, 400),
    "without a column": (json.dumps([{"store_id": "a"}] * 3).encode(), {}, 422),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_changes_nothing(workspace: Workspace, case: str):
    body, headers, status = REFUSED[case]
    found = post("/polls", body, headers)
    assert found.status_code == status, found.text
    assert found.json()["error"].keys() == {"code", "message", "hint"}
    with database.session():
        assert not Import.select().exists()


PARTS = [b"[", b"]", b"{", b"}", b"\n", b'"store_id"', b":", b",", b"1"]


@given(
    st.binary(max_size=300)
    | st.text(max_size=200).map(str.encode)
    | st.lists(st.sampled_from(PARTS)).map(b"".join),
    st.sampled_from(["/polls", "/business_hours", "/timezones"]),
    st.sampled_from([{}, {"Content-Encoding": "gzip"}, {"Content-Type": "application/json"}]),
)
@settings(max_examples=examples(80), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_body_is_answered(workspace: Workspace, body, path, headers):
    found = post(path, body, headers)
    assert found.status_code in {200, 400, 413, 422}, found.text


def test_who_may_feed(workspace: Workspace):
    post("/polls", json.dumps(POLLS))
    groups.create("Mine")
    groups.add("Mine", ["a"])
    viewer, owner = api_keys.make("v"), api_keys.make("o", "owner", None, ["Mine"])
    operator = api_keys.make("op", "operator")
    body = json.dumps([{**one, "status": "down"} for one in POLLS])
    assert post("/polls", body).status_code == 401
    assert post("/polls", body, key=viewer).status_code == 403
    theirs = post("/polls", body, key=owner).json()
    assert [theirs[name] for name in COUNTS] == [2, 0, 1, 0, 1, 0]
    assert theirs["rejections"][0]["reason"] == "this is not one of your stores"
    everything = post("/polls", body, key=operator).json()
    assert [everything[name] for name in COUNTS] == [2, 0, 0, 2, 0, 0]
    assert theirs["import_id"] != everything["import_id"]
    assert ask("/import_data", "GET", owner, import_id=theirs["import_id"]).status_code == 200
    assert ask("/import_data", "GET", owner, import_id=everything["import_id"]).status_code == 404


def test_a_busy_database_asks_for_patience(workspace: Workspace, monkeypatch: Any):
    monkeypatch.setattr(live_feed, "LONGEST_WAIT_SECONDS", 0.05)
    assert live_feed._turn.acquire()
    try:
        found = post("/polls", json.dumps(POLLS))
    finally:
        live_feed._turn.release()
    assert (found.status_code, found.json()["error"]["code"]) == (503, "busy")
    assert int(found.headers["Retry-After"]) > 0
    assert post("/polls", json.dumps(POLLS)).status_code == 200


@pytest.fixture
def api(workspace: Workspace) -> Iterator[Workspace]:
    workspace.start_api()
    yield workspace


def hour_of(client: int, hour: int, stores: int = 20) -> str:
    return lines(
        [
            {
                "store_id": f"c{client}-{n}",
                "timestamp_utc": f"2023-01-23T{hour:02d}:00:00Z",
                "status": "active",
            }
            for n in range(stores)
        ]
    )


def test_many_clients_at_once(api: Workspace):
    """Every call is answered 200 or asks for patience; what was answered is there, once."""

    def feed(client: int) -> int:
        for hour in range(12):
            while True:
                found = http(f"{api.api}/polls", "POST", hour_of(client, hour).encode())
                if found.status == 200:
                    assert found.json["new"] + found.json["unchanged"] == 20
                    break
                assert found.status == 503, found.text
                assert found.json["error"]["code"] == "busy"
                assert int(found.headers["retry-after"]) > 0
        return client

    with ThreadPoolExecutor(24) as pool:
        assert sorted(pool.map(feed, range(24))) == list(range(24))
    with database.session():
        assert Poll.select().count() == 24 * 12 * 20
        assert "locked" not in api.started[0].output


def test_a_request_cut_off_changes_nothing(api: Workspace):
    body = hour_of(1, 1).encode()
    with socket.create_connection(("127.0.0.1", api.api_port), 30) as connection:
        head = f"POST /polls HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body[: len(body) // 2])
    assert http(f"{api.api}/polls", "POST", hour_of(2, 1).encode()).status == 200
    with database.session():
        assert {store for _, store, *_ in read_state()} == {f"c2-{n}" for n in range(20)}
