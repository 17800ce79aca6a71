"""Complete reports are sent as they are kept, compressed for who accepts it, and to nobody else
than who may see them."""

import gzip
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

import api_server
from restmon.access import api_keys
from restmon.api.kept_answers import KeptBodies, kept
from restmon.reporting import reports
from restmon.storage import files
from restmon.storage.files import Kind
from tests.support.pages import POLLS, ZONES
from tests.support.workspace import Workspace


@pytest.fixture
def report_id(workspace: Workspace) -> str:
    """A complete report of three stores."""
    workspace.import_now(POLLS, zones=ZONES)
    row = reports.request()
    assert reports.work(row.id)
    return str(row.id)


def ask(
    report_id: str, method: str = "GET", host: str = "127.0.0.1", more: str = "", **headers: str
) -> tuple[httpx.Response, bytes]:
    """The answer, and its body as it is sent."""
    transport = httpx.WSGITransport(api_server.serve, remote_addr="127.0.0.1")
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"Accept-Encoding": "identity"} | sent
    with (
        httpx.Client(transport=transport, base_url=f"http://{host}") as client,
        client.stream(method, f"/get_report?report_id={report_id}{more}", headers=sent) as answer,
    ):
        return answer, b"".join(answer.iter_raw())


ACCEPTED = {
    "gzip": True,
    "gzip, deflate, br": True,
    "GZip;q=0.5": True,
    "*": True,
    "x-gzip": True,
    "gzip;q=0": False,
    "gzip;q=0.000, *": False,
    "identity, gzip;q=0.5": False,
    "br": False,
    "": False,
    "gzip;q=much": False,
}


@pytest.mark.parametrize("more", ["", "&format=csv"])
@pytest.mark.parametrize("accepts", ACCEPTED)
def test_a_body_is_compressed_for_who_accepts_it(report_id: str, accepts: str, more: str):
    plain, body = ask(report_id, more=more)
    assert "content-encoding" not in plain.headers
    for _ in range(2):
        answer, sent = ask(report_id, more=more, Accept_Encoding=accepts)
        assert answer.status_code == 200
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-length"] == str(len(sent))
        assert answer.headers["content-type"] == plain.headers["content-type"]
        assert (answer.headers.get("content-encoding") == "gzip") == ACCEPTED[accepts]
        assert (gzip.decompress(sent) if ACCEPTED[accepts] else sent) == body
    head, nothing = ask(report_id, "HEAD", more=more, Accept_Encoding=accepts)
    assert nothing == b""
    assert head.headers["content-length"] == str(len(sent))
    assert head.headers.get("content-encoding") == answer.headers.get("content-encoding")


def test_the_kept_answer_is_the_report(report_id: str):
    for _ in range(2):
        found = json.loads(ask(report_id)[1])
        assert found["csv"].encode() == ask(report_id, more="&format=csv")[1]
        assert found["csv"].encode() == files.read(Kind.REPORT, reports.csv_key(report_id))
        assert found["stores"] == found["csv"].count("\n") - 1 == 4
        assert found["status"] == "Complete"


def test_its_links_lead_to_the_name_that_was_asked(report_id: str):
    for host in ("127.0.0.1", "localhost:8000", "127.0.0.1"):
        found = json.loads(ask(report_id, host=host)[1])
        assert found["csv_url"].startswith(f"http://{host}/get_report?")


@pytest.mark.parametrize("more", ["", "&format=csv"])
def test_a_file_that_is_gone_or_damaged_is_told_also_later(report_id: str, more: str):
    key = reports.csv_key(report_id)
    content = files.read(Kind.REPORT, key)
    assert ask(report_id, more=more)[0].status_code == 200
    files.delete(Kind.REPORT, key)
    answer, body = ask(report_id, more=more)
    assert (answer.status_code, b"no longer in the reports folder" in body) == (404, True)
    files.save(Kind.REPORT, key, content[:-3])
    answer, body = ask(report_id, more=more)
    assert (answer.status_code, b"is damaged" in body) == (500, True)
    files.save(Kind.REPORT, key, content)
    assert ask(report_id, more=more)[0].status_code == 200


@pytest.mark.parametrize("more", ["", "&format=csv"])
def test_who_may_not_see_a_report_does_not_get_what_is_kept(people: Workspace, more: str):
    row = reports.request()
    assert reports.work(row.id)
    seers = api_keys.make("all")
    mine = api_keys.make("mine", groups=["Mine"])
    for _ in range(2):
        statuses = [
            ask(row.id, more=more, Authorization=f"Bearer {key}")[0].status_code
            for key in (seers, mine, "wrong")
        ]
        statuses.append(ask(row.id, more=more)[0].status_code)
        assert statuses == [200, 404, 401, 401]


def make(content: bytes, made: list[bytes]) -> Callable[[], bytes]:
    return lambda: made.append(content) or content  # type: ignore[func-returns-value]


def test_bodies_take_no_more_room_than_they_may():
    bodies, made = KeptBodies(most_bytes=100), []
    for name in ("a", "b", "a", "c", "a", "b"):
        assert (
            bodies.find_or_make(name, 1, make(name.encode() * 20, made)).plain[:1].decode() == name
        )
        assert bodies._size <= 100
    assert [one[:1] for one in made] == [b"a", b"b", b"c", b"b"]
    large = os.urandom(80)
    for _ in range(2):
        assert bodies.find_or_make("large", 1, make(large, made)).plain == large
    assert made[-2:] == [large, large]
    assert bodies.find_or_make("a", 1, make(b"new", made)).plain == b"a" * 20
    assert bodies.find_or_make("a", 2, make(b"new", made)).plain == b"new"
    for _ in range(2):
        bodies.find_or_make("no mark", None, make(b"again", made))
    assert made[-2:] == [b"again", b"again"]


def test_many_threads_get_the_right_bodies():
    bodies = KeptBodies(most_bytes=100)

    def ask_for(n: int) -> bool:
        content = b"%02d" % (n % 7) * 10
        body = bodies.find_or_make(n % 7, n % 2, lambda: content)
        return body.plain == content and gzip.decompress(body.gzipped) == content

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask_for, range(2000)))
    assert bodies._size == sum(body.size for body in bodies._bodies.values()) <= 100
    assert kept._size >= 0
