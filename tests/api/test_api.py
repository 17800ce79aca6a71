"""The API's contract, over HTTP, against a real API and a real worker."""

import csv
import gzip
import io
import json
import re
import resource
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restmon.leasing import heartbeats
from restmon.reporting import computation, reports
from restmon.storage import database, files
from restmon.storage.files import Kind
from restmon.storage.models import COMPLETE, FAILED, RUNNING, Import, Report, Store, now
from tests.support import kept
from tests.support.environment import wait_until
from tests.support.examples import examples
from tests.support.forms import parsed, raw, torn_gzip
from tests.support.http import Answer, http, multipart
from tests.support.workers import held_job
from tests.support.workspace import HOURS_HEADER, POLLS_HEADER, ZONES_HEADER, Workspace

pytestmark = pytest.mark.both_databases

# The worked example of SEMANTICS.md: a Monday in Chicago (UTC-6), open 09:00 to 12:00.
POLLS = POLLS_HEADER + "x,active,2023-01-23 16:14:00 UTC\nx,inactive,2023-01-23 17:15:00 UTC\n"

HOURS = HOURS_HEADER + "x,0,09:00:00,12:00:00\n"

ZONES = ZONES_HEADER + "x,America/Chicago\ny,US/Central\n"

NEWEST = "2023-01-23 17:15:00.000000 UTC"

NOON = "2023-01-23T18:00:00Z"

FIELDS = {"polls": POLLS, "business_hours": HOURS, "timezones": ZONES}

LARGEST_FORM = 1024 * 1024


def send(
    service: Workspace, *files: tuple[str, str, str | bytes], query: str = "wait=true"
) -> Answer:
    """POST /import_data of (field, file name, content) parts."""
    encoded = [(f, name, c.encode() if isinstance(c, str) else c) for f, name, c in files]
    body, headers = multipart(encoded)
    return http(f"{service.api}/import_data?{query}", "POST", body, headers)


def send_body(service: Workspace, body: bytes, boundary: str = "xYz") -> Answer:
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return http(f"{service.api}/import_data?wait=true", "POST", body, kind)


@pytest.fixture
def example(service: Workspace) -> Workspace:
    """The service with the worked example imported."""
    texts = (POLLS, HOURS, ZONES)
    assert service.import_now(*(text.partition("\n")[2] for text in texts)).status == COMPLETE
    return service


def trigger(service: Workspace, **query: str) -> str:
    answer = http(f"{service.api}/trigger_report?{urlencode(query)}", "POST")
    assert answer.status == 202, answer.text
    return str(answer.json["report_id"])


def ended(service: Workspace, report_id: str) -> Any:
    """The JSON of a report once it is no longer running."""
    url = f"{service.api}/get_report?report_id={report_id}"

    def look() -> Any:
        answer = http(url)
        assert answer.status == 200, answer.text
        return answer.json if answer.json["status"] != RUNNING else None

    return wait_until("the report ends", look)


def import_ended(service: Workspace, import_id: str) -> Any:
    """The JSON of an import once it is no longer running."""
    url = f"{service.api}/import_data?import_id={import_id}"

    def look() -> Any:
        answer = http(url)
        assert answer.status == 200, answer.text
        return answer.json if answer.json["status"] != RUNNING else None

    return wait_until("the import ends", look)


def is_json(answer: Answer) -> bool:
    return answer.headers["content-type"] == "application/json; charset=utf-8"


def error(answer: Answer, status: int, code: str) -> str:
    """Check that an answer is an error as every error is; returns its message and hint."""
    assert answer.status == status, answer.text
    assert is_json(answer)
    assert set(answer.json) >= {"error"}
    found = answer.json["error"]
    assert set(found) == {"code", "message", "hint"}
    assert found["code"] == code
    assert found["message"].endswith(".")
    assert "Traceback" not in answer.text
    return f"{found['message']} {found['hint']}"


def spooled(service: Workspace) -> list[str]:
    """The uploads that are kept, and what is left of others on the API's machine."""
    left = (path.name for path in (service.path / "data" / "spool").glob("*.upload"))
    return list({*kept.keys(Kind.UPLOAD), *left})


def nothing_left_spooled(service: Workspace) -> None:
    """An import's uploads are gone, which they are a moment after it has ended."""
    wait_until("no upload is kept", lambda: not spooled(service))


def stored_stores() -> int:
    with database.session():
        return int(Store.select().count())


def on_record() -> int:
    """How many reports and imports there are."""
    with database.session():
        return int(Report.select().count() + Import.select().count())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_report_is_asked_for_without_any_input(example: Workspace, method: str):
    answer = http(f"{example.api}/trigger_report", method)
    assert answer.status == 202
    assert is_json(answer)
    assert answer.headers["cache-control"] == "no-store"
    report_id = answer.json["report_id"]
    assert re.fullmatch("[0-9a-f]{32}", report_id)
    assert answer.json == {
        "report_id": report_id,
        "status": "Running",
        "status_url": f"{example.api}/get_report?report_id={report_id}",
    }
    done = ended(example, report_id)
    assert http(answer.json["status_url"]).json == done
    requested_at = done.pop("requested_at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} UTC", requested_at)
    assert done == {
        "report_id": report_id,
        "status": "Complete",
        "progress": 1.0,
        "as_of": NEWEST,
        "method": "nearest",
        "requested_by": "api",
        "demo": False,
        "stores": 2,
        "window": None,
        "group": None,
        "store_id": None,
        **{
            f"{form}_url": f"{example.api}/get_report?report_id={report_id}&format={form}"
            for form in ("csv", "details", "xlsx")
        },
        "csv": computation.compute().csv(),
    }


FORM = {"Content-Type": "application/x-www-form-urlencoded"}

JSON = {"Content-Type": "application/json"}

GIVEN = {"as_of": NOON, "method": "previous"}

MULTIPART = "".join(
    f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    for name, value in GIVEN.items()
)


@pytest.mark.parametrize(
    ("method", "query", "body", "headers"),
    [
        ("GET", urlencode(GIVEN), None, {}),
        ("POST", urlencode(GIVEN), None, {}),
        ("POST", "", json.dumps(GIVEN).encode(), JSON),
        ("POST", "", json.dumps(GIVEN).encode(), FORM),  # what curl -d says of anything
        ("POST", "", urlencode(GIVEN).encode(), FORM),
        (
            "POST",
            "",
            (MULTIPART + "--b--").encode(),
            {"Content-Type": "multipart/form-data; boundary=b"},
        ),
        ("POST", "as_of=2001-01-01&method=nearest", json.dumps(GIVEN).encode(), JSON),
        ("POST", "method=previous", b'{"as_of": "2023-01-23 18:00:00 UTC", "method": null}', JSON),
    ],
    ids=["get", "query", "json", "json-as-form", "form", "multipart", "body-wins", "both"],
)
def test_as_of_and_method_come_as_the_client_likes(
    example: Workspace, method: str, query: str, body: bytes | None, headers: dict[str, str]
):
    answer = http(f"{example.api}/trigger_report?{query}", method, body, headers)
    assert answer.status == 202, answer.text
    done = ended(example, answer.json["report_id"])
    assert (done["as_of"], done["method"]) == ("2023-01-23 18:00:00.000000 UTC", "previous")
    # SEMANTICS.md: up 09:00-11:15, down 11:15-12:00, and of the last hour 15 and 45 minutes.
    assert done["csv"].splitlines()[1:] == [
        "x,15.00,2.25,2.25,45.00,0.75,0.75",
        "y,0.00,0.00,0.00,0.00,0.00,0.00",
    ]


def test_the_file_itself_however_it_is_asked_for(example: Workspace):
    report_id = trigger(example)
    done = ended(example, report_id)
    url = f"{example.api}/get_report"
    by_query, by_path = f"{url}?report_id={report_id}", f"{url}/{report_id}"
    asked = {"report_id": report_id, "format": "csv"}
    answers = [
        http(f"{by_query}&format=csv"),
        http(done["csv_url"]),
        http(by_query, headers={"Accept": "text/csv"}),
        http(by_path, headers={"Accept": "text/csv"}),
        http(f"{by_path}?format=csv"),
        http(url, "POST", json.dumps(asked).encode(), JSON),
        http(url, "POST", urlencode(asked).encode(), FORM),
        http(f"{by_query}&format=csv", "POST"),
    ]
    for answer in answers:
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert (
            answer.headers["content-disposition"]
            == f'attachment; filename="restmon-{report_id}.csv"'
        )
        assert answer.headers["x-report-status"] == "Complete"
        assert answer.headers["content-length"] == str(len(answer.body))
        assert answer.text == done["csv"]
    head = http(f"{by_query}&format=csv", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == answers[0].headers["content-length"]
    assert head.headers["x-report-status"] == "Complete"


def test_the_state_however_it_is_asked_for(example: Workspace):
    report_id = trigger(example)
    done = ended(example, report_id)
    url = f"{example.api}/get_report"
    body = json.dumps({"report_id": report_id}).encode()
    assert http(f"{url}/{report_id}").json == done
    assert http(f"{url}?report_id={report_id}&format=json").json == done
    assert http(url, "POST", body, JSON).json == done
    assert http(url, "POST", body, FORM).json == done
    assert http(url, "POST", f"report_id={report_id}".encode(), FORM).json == done
    short = http(f"{url}?report_id={report_id}&format=status").json
    assert short == {name: value for name, value in done.items() if name != "csv"}


def test_the_accept_header_chooses(example: Workspace):
    report_id = trigger(example)
    ended(example, report_id)
    url = f"{example.api}/get_report?report_id={report_id}"
    for accept, is_csv in (
        ("*/*", False),
        ("application/json", False),
        ("text/csv", True),
        ("Text/CSV; charset=utf-8", True),
        ("text/csv, application/json", True),
        ("application/json, text/csv;q=0.5", False),
        ("application/json;q=0.5, text/csv;q=0.9", True),
        ("text/csv; q=0", False),
        ("text/csv;q=much", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        (";;q=,,=", False),
    ):
        answer = http(url, headers={"Accept": accept})
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/csv") is is_csv, accept
        assert is_json(http(f"{url}&format=json", headers={"Accept": accept}))


def test_a_running_report_tells_its_progress(example: Workspace):
    with held_job(Report, progress=0.42) as report:
        url = f"{example.api}/get_report?report_id={report.id}"
        found = http(url)
        assert found.status == 200
        assert found.json["status"] == "Running"
        assert found.json["progress"] == 0.42
        assert found.json["as_of"] is None
        assert found.json.keys().isdisjoint({"csv", "csv_url", "stores", "error"})
        for answer in (http(f"{url}&format=csv"), http(url, headers={"Accept": "text/csv"})):
            assert (answer.status, answer.text) == (202, "Running")
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            assert answer.headers["x-report-status"] == "Running"
            assert answer.headers["cache-control"] == "no-store"
            assert "content-disposition" not in answer.headers


def test_a_failed_report_says_why(example: Workspace):
    said = kept.refuse_to_write(example, Kind.REPORT)
    report_id = trigger(example)
    done = ended(example, report_id)
    assert done["status"] == "Failed"
    assert said in done["error"]
    assert done.keys().isdisjoint({"csv", "csv_url", "stores"})
    answer = http(f"{example.api}/get_report?report_id={report_id}&format=csv")
    assert done["error"] in error(answer, 409, "report_failed")
    assert answer.headers["x-report-status"] == "Failed"


def test_a_report_whose_file_was_removed(example: Workspace):
    report_id = trigger(example)
    assert ended(example, report_id)["status"] == COMPLETE
    files.delete(Kind.REPORT, reports.csv_key(report_id))
    url = f"{example.api}/get_report?report_id={report_id}"
    for answer in (http(url), http(f"{url}&format=csv")):
        said = error(answer, 404, "not_found")
        assert f"The CSV of report {report_id} is no longer" in said
        assert "Trigger a new report." in said
    assert http(f"{url}&format=status").json["status"] == COMPLETE


def test_concurrent_triggers_get_their_own_reports(example: Workspace):
    asked = [
        {"as_of": f"2023-01-23T1{hour}:{minute:02}:00Z", "method": method}
        for hour in (6, 7)
        for minute in (5, 20, 59)
        for method in ("nearest", "previous")
    ]
    with ThreadPoolExecutor(len(asked)) as pool:
        ids = list(pool.map(lambda query: trigger(example, **query), asked))
        done = list(pool.map(lambda report_id: ended(example, report_id), ids))
    assert len(set(ids)) == len(asked)
    for query, found in zip(asked, done, strict=True):
        as_of = computation.parse_as_of(query["as_of"])
        assert found["as_of"] == reports.as_text(as_of)
        assert found["csv"] == computation.compute(as_of, query["method"]).csv()
    assert len({found["csv"] for found in done}) > len(asked) // 2


STRANGE_IDS = [
    "nope",
    "0" * 32,
    "Z" * 10_000,
    "☃",
    "'; DROP TABLE report; --",
    "\x00",
    "%s%n{0}",
    "a\r\nX-Evil: yes",
    '"><script>alert(1)</script>',
]


@pytest.mark.parametrize("strange", STRANGE_IDS, ids=lambda s: ascii(s)[:20])
def test_an_unknown_id_is_404(service: Workspace, strange: str):
    encoded = quote(strange, safe="")
    answers = [
        http(f"{service.api}/get_report?report_id={encoded}"),
        http(f"{service.api}/get_report?report_id={encoded}&format=csv"),
        http(
            f"{service.api}/get_report", "POST", json.dumps({"report_id": strange}).encode(), JSON
        ),
        http(f"{service.api}/import_data?import_id={encoded}"),
        http(f"{service.api}/get_report/{encoded}"),
        http(f"{service.api}/import_data/{encoded}/rejected.csv"),
    ]
    for answer in answers:
        said = error(answer, 404, "not_found")
        assert len(said) < 250
        assert "x-evil" not in answer.headers


@pytest.mark.parametrize(
    "climb", ["../restmon.db", "..%2frestmon.db", "%2e%2e%2f%2e%2e%2fx", "a/b"]
)
def test_an_id_is_no_path(service: Workspace, climb: str):
    for path in (f"get_report/{climb}", f"import_data/{climb}/rejected.csv"):
        received = raw(service, f"GET /{path} HTTP/1.0\r\n\r\n".encode())
        error(parsed(received), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "get_report", "report_id"),
        ("GET", "get_report?report_id=", "report_id"),
        ("POST", "get_report", "report_id"),
        ("GET", "import_data", "import_id"),
        ("GET", "import_data?import_id=&wait=true", "import_id"),
    ],
)
def test_a_missing_id_is_400(service: Workspace, method: str, path: str, name: str):
    assert f"The {name} is missing." in error(
        http(f"{service.api}/{path}", method), 400, "bad_request"
    )


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("as_of=soon", "as_of='soon' is not an instant"),
        ("as_of=2023-02-30T00:00:00Z", "is not an instant"),
        ("as_of=10000-01-01T00:00:00Z", "is not an instant"),
        ("as_of=" + "9" * 10_000, "is not an instant"),
        ("as_of=2023-01-23%0d%0aX-Evil:+yes", "is not an instant"),
        ("method=guess", "method='guess' is not known. Use nearest or previous."),
        ("method=Nearest", "method='Nearest' is not known"),
        ("method=" + "n" * 10_000, "is not known"),
        ("as_of=%ff", "not UTF-8"),
    ],
    ids=lambda text: text[:30],
)
def test_a_wrong_as_of_or_method_is_400(service: Workspace, query: str, says: str):
    before = on_record()
    for method in ("GET", "POST"):
        answer = http(f"{service.api}/trigger_report?{query}", method)
        said = error(answer, 400, "bad_request")
        assert says in said
        assert len(said) < 250
        assert "x-evil" not in answer.headers
    assert on_record() == before


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"[1, 2]", JSON),
        (b"{", JSON),
        (b"7", JSON),
        (b'{"as_of": "\xff"}', JSON),
        (rb'{"as_of": "\ud800"}', JSON),
        (b'{"a": ' * 100_000, JSON),
        (b'{"as_of": ' + b"9" * 10_000 + b"}", JSON),
        (b'{"as_of"', FORM),
        (b"as_of=%ff", FORM),
        (b"as_of=1", {"Content-Type": "multipart/form-data"}),
        (b"as_of=1", {"Content-Type": "multipart/form-data; boundary=b"}),
        (b"--b\r\n\r\n", {"Content-Type": "multipart/form-data; boundary=b; charset=nonsense"}),
        (
            b'--b\r\nContent-Disposition: form-data; name="as_of"\r\n'
            b"Content-Type: text/plain; charset=hex\r\n\r\nsoon\r\n--b--",
            {"Content-Type": "multipart/form-data; boundary=b"},
        ),
    ],
    ids=str,
)
def test_a_body_that_cannot_be_read_is_400(
    service: Workspace, body: bytes, headers: dict[str, str]
):
    for path in ("trigger_report", "get_report"):
        answer = http(f"{service.api}/{path}", "POST", body, headers)
        assert "neither a JSON object nor a form" in error(answer, 400, "bad_request")


def test_a_format_that_is_not_known_is_400(example: Workspace):
    report_id = trigger(example)
    answer = http(f"{example.api}/get_report/{report_id}?format=xml")
    assert "Use json or csv or status or details or xlsx." in error(answer, 400, "bad_request")


def test_without_polls_a_report_is_409(service: Workspace):
    assert send(service, ("timezones", "z.csv", ZONES)).status == 200
    before = on_record()
    for method in ("GET", "POST"):
        answer = http(f"{service.api}/trigger_report", method)
        said = error(answer, 409, "no_polls")
        assert said == "There are no polls in the database yet. Import some first."
    assert on_record() == before
    assert send(service, ("polls", "p.csv", POLLS)).status == 200
    assert ended(service, trigger(service))["status"] == COMPLETE


def test_head_asks_for_nothing(example: Workspace):
    before = on_record()
    answer = http(f"{example.api}/trigger_report", "HEAD")
    assert (answer.status, answer.body) == (405, b"")
    assert answer.headers["allow"] == "GET,POST"
    assert on_record() == before


def counts(read: int, new: int, updated: int = 0, unchanged: int = 0, rejected: int = 0) -> Any:
    return {
        "read": read,
        "new": new,
        "updated": updated,
        "unchanged": unchanged,
        "rejected": rejected,
        "removed": 0,
    }


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("field", FIELDS)
def test_each_file_can_come_alone(service: Workspace, field: str, zipped: bool):
    text = FIELDS[field].encode()
    name = f"{field}.csv.gz" if zipped else f"{field}.csv"
    lines = len(text.splitlines()) - 1
    answer = send(service, (field, name, gzip.compress(text) if zipped else text))
    assert answer.status == 200, answer.text
    assert is_json(answer)
    state = answer.json
    assert re.fullmatch("[0-9a-f]{32}", state["import_id"])
    assert (state["status"], state["progress"]) == ("Complete", 1.0)
    assert state["files"] == [{"kind": field, "name": name}]
    assert state["counts"] == {**counts(lines, lines), "kinds": {field: counts(lines, lines)}}
    assert (state["error"], state["error_code"], state["rejections"]) == (None, None, [])
    assert "rejected_csv_url" not in state
    assert http(f"{service.api}/import_data?import_id={state['import_id']}").json == state
    nothing_left_spooled(service)
    again = send(service, (field, name, text)).json
    assert again["counts"] == {
        **counts(lines, 0, unchanged=lines),
        "kinds": {field: counts(lines, 0, unchanged=lines)},
    }


def test_several_files_are_one_import(service: Workspace):
    more = POLLS_HEADER + "z,active,2023-01-23 12:00:00 UTC\nx,active,2023-01-23 17:15:00 UTC\n"
    answer = send(
        service,
        ("timezones", "zones.csv", ZONES),
        ("polls", "one.csv", POLLS),
        ("polls", "two.csv.gz", gzip.compress(more.encode())),
        ("business_hours", "hours.csv", HOURS),
    )
    assert answer.status == 200, answer.text
    assert [f["name"] for f in answer.json["files"]] == [
        "zones.csv",
        "one.csv",
        "two.csv.gz",
        "hours.csv",
    ]
    kinds = answer.json["counts"]["kinds"]
    assert kinds["polls"] == counts(4, 3, updated=1)  # the later file wins
    assert kinds["timezones"] == counts(2, 2)
    assert ended(service, trigger(service))["csv"].splitlines()[1].startswith("x,60.00,")


def test_without_wait_an_import_is_accepted(service: Workspace):
    answer = send(service, ("polls", "p.csv", POLLS), query="")
    assert answer.status == 202
    assert set(answer.json) == {"import_id", "status", "status_url"}
    import_id = answer.json["import_id"]
    assert answer.json["status"] == RUNNING
    assert answer.json["status_url"] == f"{service.api}/import_data?import_id={import_id}"
    done = import_ended(service, import_id)
    assert done["status"] == COMPLETE
    assert http(answer.json["status_url"]).json == done


@pytest.mark.parametrize("word", ["true", "1", "yes", "TRUE", "false", "0", "no", ""])
def test_wait_may_be_said_in_several_ways(service: Workspace, word: str):
    answer = send(service, ("polls", "p.csv", POLLS), query=f"wait={word}")
    assert answer.status == (200 if word.lower() in {"true", "1", "yes"} else 202)
    import_ended(service, answer.json["import_id"])


def test_another_word_for_wait_is_400(service: Workspace):
    answer = send(service, ("polls", "p.csv", POLLS), query="wait=perhaps")
    assert "wait='perhaps' is not known. Use true or false." in error(answer, 400, "bad_request")
    assert (on_record(), spooled(service)) == (0, [])


@pytest.mark.parametrize("headers", [{}, JSON, FORM], ids=["none", "json", "form"])
def test_without_a_body_the_import_folder_is_read(service: Workspace, headers: dict[str, str]):
    inbox = service.path / "inbox"
    (inbox / "nested").mkdir(parents=True)
    (inbox / "store_status.csv.gz").write_bytes(gzip.compress(POLLS.encode()))
    (inbox / "menu_hours.csv").write_text(HOURS)
    (inbox / "zones.csv").write_text(ZONES)
    (inbox / "unrelated.csv").write_text("name,price\nsoup,4\n")
    (inbox / "picture.csv").write_bytes(b"\x89PNG\x00\x00")
    (inbox / "notes.txt").write_text(POLLS)
    (inbox / "nested" / "polls.csv").write_text(POLLS_HEADER + "n,active,2023-01-23 16:00:00 UTC\n")
    answer = http(f"{service.api}/import_data?wait=true", "POST", b"", headers)
    assert answer.status == 200, answer.text
    assert answer.json["files"] == [
        {"kind": "business_hours", "name": "menu_hours.csv"},
        {"kind": "polls", "name": "store_status.csv.gz"},
        {"kind": "timezones", "name": "zones.csv"},
    ]
    assert answer.json["counts"]["new"] == 5
    assert stored_stores() == 2
    assert {p.name for p in inbox.iterdir()} >= {"store_status.csv.gz", "menu_hours.csv"}
    accepted = http(f"{service.api}/import_data", "POST", b"", headers)
    assert accepted.status == 202
    assert import_ended(service, accepted.json["import_id"])["counts"]["unchanged"] == 5


@pytest.mark.parametrize(
    ("there", "says"),
    [
        (None, "cannot be read: No such file or directory."),
        ({}, "There is no table that restmon reads"),
        ({"soup.csv": "name,price\n"}, "There is no table that restmon reads"),
    ],
    ids=["missing", "empty", "unrelated"],
)
def test_an_import_folder_without_files_is_404(
    service: Workspace, there: dict[str, str] | None, says: str
):
    inbox = service.path / "inbox"
    if there is not None:
        inbox.mkdir()
        for name, text in there.items():
            (inbox / name).write_text(text)
    said = error(http(f"{service.api}/import_data", "POST"), 404, "not_found")
    assert says in said
    assert str(inbox) in said
    assert "RESTMON_IMPORT_DIR" in said
    assert on_record() == 0


REJECTED_WHOLE = {
    "lacks.csv": (b"store_id,status\nx,active\n", "lacks.csv has no column timestamp_utc"),
    "empty.csv": (b"", "empty.csv is empty"),
    "hours.csv": (HOURS.encode(), "hours.csv has no column timestamp_utc"),
    "picture.csv": (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "picture.csv is a picture"),
    "utf16.csv": (POLLS.encode("utf-16-le"), "utf16.csv is not CSV text in UTF-8"),
    "torn.csv.gz": (gzip.compress(POLLS.encode())[:20], "damaged or cut off"),
}


@pytest.mark.parametrize("name", REJECTED_WHOLE)
@pytest.mark.parametrize("query", ["", "wait=true"], ids=["accept", "wait"])
def test_a_file_rejected_whole_is_422_and_changes_nothing(
    example: Workspace, name: str, query: str
):
    before, csv_before = on_record(), computation.compute().csv()
    content, says = REJECTED_WHOLE[name]
    good = ("timezones", "good.csv", ZONES_HEADER + "new,UTC\n")
    answer = send(example, good, ("polls", name, content), query=query)
    said = error(answer, 422, "file_rejected")
    assert says in said
    assert name in said
    assert (on_record(), spooled(example)) == (before, [])
    assert computation.compute().csv() == csv_before


def test_a_file_rejected_by_the_worker_is_422_and_changes_nothing(example: Workspace):
    csv_before = computation.compute().csv()
    content = torn_gzip()
    good = ("timezones", "good.csv", ZONES_HEADER + "new,UTC\n")
    answer = send(example, good, ("polls", "torn.csv.gz", content))
    said = error(answer, 422, "file_rejected")
    assert "torn.csv.gz is a gzip file that is damaged or cut off." in said
    assert answer.json["status"] == FAILED
    url = f"{example.api}/import_data?import_id={answer.json['import_id']}"
    state = http(url)
    assert (state.status, state.json["status"], state.json["counts"]) == (200, FAILED, None)
    assert "torn.csv.gz" in state.json["error"]
    assert state.json["error_code"] == "file_rejected"
    accepted = send(example, ("polls", "torn.csv.gz", content), query="")
    assert accepted.status == 202
    assert import_ended(example, accepted.json["import_id"])["status"] == FAILED
    assert computation.compute().csv() == csv_before
    nothing_left_spooled(example)


def test_an_import_that_fails_for_another_reason_is_500(example: Workspace):
    said = kept.refuse_to_write(example, Kind.REJECTED)
    # The name is a word of the error's text, which the file has no part in.
    answer = send(example, ("polls", "file", POLLS_HEADER + "x,broken,2023-01-23 16:14:00\n"))
    assert said in error(answer, 500, "import_failed")
    assert answer.json["status"] == FAILED


def test_rejected_lines_are_told_and_can_be_downloaded(service: Workspace):
    lines = [f"x,broken{n},2023-01-23 16:14:00 UTC" for n in range(1500)]
    text = POLLS + "\n".join(lines) + '\n"=cmd, ""q""",active,2023-01-23 16:14:00 UTC\n'
    answer = send(service, ("polls", "p.csv", text))
    assert answer.status == 200
    state = answer.json
    assert state["status"] == COMPLETE
    total = counts(1503, 2, rejected=1501)
    assert state["counts"] == {**total, "kinds": {"polls": total}}
    assert len(state["rejections"]) == 1000
    first = state["rejections"][0]
    assert first.pop("reason")
    assert first == {"file": "p.csv", "line": 4, "column": "status", "value": "broken0"}
    url = f"{service.api}/import_data/{state['import_id']}/rejected.csv"
    assert state["rejected_csv_url"] == url
    file = http(url)
    assert file.status == 200
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    name = f"rejected-{state['import_id']}.csv"
    assert file.headers["content-disposition"] == f'attachment; filename="{name}"'
    rows = list(csv.DictReader(io.StringIO(file.text)))
    columns = POLLS.splitlines()[0].split(",")
    assert list(rows[0]) == [*columns, "line", "problem"]
    assert [int(row["line"]) for row in rows] == list(range(4, 1505))
    assert rows[-1]["problem"].startswith("store_id: ")
    assert rows[-1]["store_id"] == '\'=cmd, "q"'
    files.delete(Kind.REJECTED, f"{state['import_id']}.csv")
    error(http(url), 404, "not_found")


def test_an_import_without_rejected_lines_has_no_file_of_them(service: Workspace):
    state = send(service, ("polls", "p.csv", POLLS)).json
    answer = http(f"{service.api}/import_data/{state['import_id']}/rejected.csv")
    assert "No line of this import was rejected." in error(answer, 404, "not_found")


def part(name: str, filename: str | None, content: str, more: str = "") -> str:
    file = "" if filename is None else f'; filename="{filename}"'
    return f'Content-Disposition: form-data; name="{name}"{file}\r\n{more}\r\n{content}\r\n'


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("--xYz\r\n" + part("polls", "p.csv", POLLS), "damaged or cut off"),
        ("--xYz\r\n" + part("polls", "p.csv", POLLS) + "--xYz\r\n", "damaged or cut off"),
        ("--xYz\r\n" + part("polls", "p.csv", POLLS) + "--xYz\r\nContent-Dis", "cut off"),
        ("--xYz\r\n" + part("polls", "p.csv", POLLS)[:70], "damaged or cut off"),
        ("--other\r\n" + part("polls", "p.csv", POLLS) + "--other--", "damaged or cut off"),
        ("no boundary at all", "damaged or cut off"),
        ("--xYz\r\nno colon\r\n\r\n--xYz--", "damaged or cut off"),
        ("--xYz\r\nContent-Type: text/csv\r\n\r\nx\r\n--xYz--", "damaged or cut off"),
        ('--xYz\r\nContent-Disposition: "\r\n\r\nx\r\n--xYz--', "field without a name"),
        ("--xYz\r\nContent-Disposition: a; b\r\n\r\nx\r\n--xYz--", "field without a name"),
        ("--xYz\r\n" + part("polls", "p.csv", POLLS, "Content-Length: x\r\n") + "--xYz--", "cut"),
        ("--xYz\r\n" + part("polls", "p.csv", POLLS, "Content-Length: 3\r\n") + "--xYz--", "cut"),
        ("--xYz\r\nContent-Disposition: form-data\r\n\r\nx\r\n--xYz--", "field without a name"),
        ("--xYz--", "The form has no file"),
        ("--xYz\r\n" + part("polls", "", "") + "--xYz--", "The form has no file"),
        ("--xYz\r\n" + part("polls", None, POLLS) + "--xYz--", "is text, not a file"),
        ("--xYz\r\n" + part("menu", "m.csv", HOURS) + "--xYz--", "has the field 'menu'"),
        (
            "--xYz\r\n"
            + part("polls", "p.csv", POLLS)
            + "--xYz\r\n"
            + part("a" * 999, "", "b")
            + "--xYz--",
            "has the field 'aaa",
        ),
    ],
)
def test_a_form_that_cannot_be_used_is_400_and_keeps_nothing(
    service: Workspace, body: str, says: str
):
    said = error(send_body(service, body.encode()), 400, "bad_request")
    assert says in said
    assert len(said) < 250
    if "field" in says or "file" in says:
        assert "polls, business_hours, timezones" in said
    assert (on_record(), spooled(service)) == (0, [])


WELL_FORMED = multipart([("polls", "p.csv", POLLS.encode()), ("timezones", "", b"")])[0]

DAMAGE = st.tuples(
    st.integers(0, len(WELL_FORMED)),
    st.integers(0, 40),
    st.sampled_from([b"", b"\r\n", b"--", b"\0", b'"', b";", b":", b"=", b"\xff", b"\r\n\r\n"])
    | st.binary(max_size=8),
)


@settings(
    max_examples=examples(80),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(DAMAGE, min_size=1, max_size=4))
def test_a_damaged_form_is_read_or_refused(
    service: Workspace, damage: list[tuple[int, int, bytes]]
):
    body = WELL_FORMED
    for place, length, instead in damage:
        body = body[:place] + instead + body[place + length :]
    answer = send_body(service, body, "restmon-test-boundary")
    if answer.status != 200:
        codes = {400: "bad_request", 422: "file_rejected"}
        error(answer, answer.status, codes[answer.status])
    nothing_left_spooled(service)


@pytest.mark.parametrize(
    ("boundary", "body"),
    [
        # As browsers write it: the case of a boundary's letters counts.
        (
            "----WebKitFormBoundaryAbCd",
            "------WebKitFormBoundaryAbCd\r\n{}------WebKitFormBoundaryAbCd--\r\n",
        ),
        ('"quoted b:x"', "--quoted b:x\r\n{}--quoted b:x--"),
        ("xYz", "a preamble\r\n--xYz\r\n{}--xYz--\r\nan epilogue"),
        ("xYz", "--xYz\r\n" + part("timezones", "", "") + "--xYz\r\n{}--xYz--"),
    ],
    ids=["browser", "quoted", "preamble", "field-left-empty"],
)
def test_forms_as_other_clients_write_them(service: Workspace, boundary: str, body: str):
    text = POLLS + "--xYz, no boundary\n"
    answer = send_body(service, body.format(part("polls", "p.csv", text)).encode(), boundary)
    assert answer.status == 200, answer.text
    assert answer.json["counts"]["new"] == 2
    assert answer.json["counts"]["rejected"] == 1


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\\\files\\\\p.csv", "p.csv"),
        ("", "polls.csv"),
        ("a" * 5000 + ".csv", "a" * 96 + ".csv"),
        ("Müller ☃.csv", "Müller ☃.csv"),
    ],
    ids=lambda text: text[:12],
)
def test_a_file_name_is_only_a_name(service: Workspace, filename: str, shown: str):
    body = "--xYz\r\n" + part("polls", filename, POLLS) + "--xYz--"
    answer = send_body(service, body.encode())
    assert answer.status == 200, answer.text
    assert answer.json["files"] == [{"kind": "polls", "name": shown}]


def test_a_large_file_goes_through_the_disk(service: Workspace):
    lines = [f"x,active,2023-01-23 16:14:00.{n:06} UTC" for n in range(60_000)]
    text = POLLS_HEADER.replace("\n", "\r\n") + "\r\n".join(lines)
    assert len(text) > 2 * 1024 * 1024
    answer = send(service, ("polls", "p.csv", text))
    assert answer.status == 200, answer.text
    assert answer.json["counts"]["new"] == 60_000
    nothing_left_spooled(service)


def test_a_chunked_upload(service: Workspace):
    body, headers = multipart([("polls", "p.csv", POLLS.encode())])
    kind = f"Connection: close\r\nContent-Type: {headers['Content-Type']}\r\n"
    head = f"POST /import_data?wait=true HTTP/1.1\r\nHost: 127.0.0.1\r\n{kind}"
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in (body[:50], body[50:])) + b"0\r\n\r\n"
    request = head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunks
    answer = parsed(raw(service, request))
    assert answer.status == 200
    assert answer.json["counts"]["new"] == 2


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (POLLS.encode(), {"Content-Type": "text/csv"}),
        (b"{}", JSON),
        (b"wait=true", FORM),
        (b"x", {}),
    ],
)
def test_a_body_that_is_no_form_is_400(service: Workspace, body: bytes, headers: dict[str, str]):
    answer = http(f"{service.api}/import_data", "POST", body, headers)
    said = error(answer, 400, "bad_request")
    assert "The body is not multipart form data." in said
    assert "curl -F polls=@polls.csv" in said
    assert on_record() == 0


def test_a_client_that_hangs_up_leaves_nothing(service: Workspace):
    body, headers = multipart([("polls", "p.csv", POLLS.encode())])
    head = "POST /import_data HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    head += f"Content-Type: {headers['Content-Type']}\r\n"
    request = head.encode() + b"Content-Length: %d\r\n\r\n" % (len(body) + 1) + body
    with socket.create_connection(("127.0.0.1", service.api_port), 30) as connection:
        connection.sendall(request)
    assert http(f"{service.api}/healthz").status == 200
    assert (on_record(), spooled(service)) == (0, [])


def test_no_room_for_an_upload_is_one_sentence(service: Workspace):
    assert service.api_process
    pid, most = service.api_process.process.pid, 250_000
    text = POLLS_HEADER + "x,active,2023-01-23 16:14:00 UTC\n" * 10_000
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    try:
        said = error(send(service, ("polls", "p.csv", text)), 507, "no_room")
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    assert "The upload cannot be kept in" in said
    assert "Make room" in said
    assert (on_record(), spooled(service)) == (0, [])
    assert send(service, ("polls", "p.csv", text)).status == 200


def test_every_report_is_of_the_data_as_they_are(service: Workspace):
    def report() -> str:
        found = ended(service, trigger(service))
        assert found["csv"] == computation.compute().csv()
        return str(found["csv"])

    assert send(service, ("polls", "p.csv", POLLS)).status == 200
    first = report()
    more = POLLS_HEADER + "new,active,2023-01-23 18:00:00 UTC\n"
    assert send(service, ("polls", "more.csv", more)).status == 200
    second = report()
    assert "\nnew,60.00,24.00,168.00," in second
    corrected = POLLS_HEADER + "new,inactive,2023-01-23 18:00:00 UTC\n"
    assert send(service, ("polls", "corrected.csv", corrected)).status == 200
    third = report()
    assert "\nnew,0.00,0.00,0.00,60.00,24.00,168.00" in third
    hours = service.write("hours.csv", HOURS)
    done = service.restmon("import", "--business-hours", hours)
    assert done.returncode == 0, done.stderr
    fourth = report()
    assert len({first, second, third, fourth}) == 4


def test_imports_and_reports_at_once(service: Workspace):
    def one(n: int) -> str:
        text = POLLS_HEADER + f"s{n},active,2023-01-23 18:00:00 UTC\n"
        assert send(service, ("polls", f"{n}.csv", text)).status == 200
        return str(ended(service, trigger(service))["csv"])

    with ThreadPoolExecutor(6) as pool:
        texts = list(pool.map(one, range(12)))
    for n, text in enumerate(texts):
        assert f"\ns{n},60.00,24.00,168.00," in text
    assert len(ended(service, trigger(service))["csv"].splitlines()) == 13


def test_healthz_when_all_but_the_old_feed_is_well(example: Workspace):
    answer = http(f"{example.api}/healthz")
    assert answer.status == 200
    found = answer.json
    assert 0 <= found.pop("worker_seen_seconds_ago") < heartbeats.ALIVE_SECONDS
    newest = computation.parse_as_of(NEWEST)
    assert found.pop("newest_poll_age_seconds") == pytest.approx((now() - newest) / 1e6, abs=60)
    assert found == {
        "status": "degraded",
        "feed": "stale",
        "future_polls": 0,
        "database": "ok",
        "queue": "ok",
        "worker": "ok",
        "worker_alive": True,
        "newest_poll": NEWEST,
        "queue_depth": 0,
        "outbox": "ok",
        "unsure_messages": 0,
        "watched_folder": "ok",
        "worker_slow": False,
    }


def test_healthz_of_an_empty_database(service: Workspace):
    found = http(f"{service.api}/healthz").json
    assert found["status"] == "ok"
    assert (found["newest_poll"], found["newest_poll_age_seconds"]) == (None, None)


def test_the_page_for_people(service: Workspace):
    answer = http(f"{service.api}/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for line in (
        f"curl -X POST {service.api}/trigger_report",
        f'curl "{service.api}/get_report?report_id=THE_ID"',
        f'"{service.api}/import_data?wait=true"',
    ):
        assert line in answer.text
    for link in re.findall('href="([^"]*)"', answer.text):
        assert http(f"{service.api}{link}").status == 200


def test_the_address_is_the_one_the_client_used(service: Workspace):
    host = 'there.example:1<script>"'
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    page = parsed(raw(service, request.encode()))
    assert page.status == 200
    assert b"curl -X POST http://there.example:1&lt;script&gt;" in page.body
    assert b"<script>" not in page.body
    document = parsed(raw(service, request.replace("GET /", "GET /openapi.json").encode()))
    assert document.json["servers"] == [{"url": f"http://{host}"}]
    no_host = parsed(raw(service, b"GET /openapi.json HTTP/1.0\r\n\r\n"))
    assert no_host.json["servers"][0]["url"].endswith(f":{service.api_port}")


@pytest.mark.parametrize(
    "path", ["nowhere", "get_report/", "get_report/a/b", "trigger_report/", "☃", "x" * 5000]
)
def test_an_unknown_path_is_404(service: Workspace, path: str):
    said = error(http(f"{service.api}/{quote(path)}"), 404, "not_found")
    assert len(said) < 150


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "trigger_report", "GET,POST"),
        ("PUT", "get_report", "GET,POST"),
        ("POST", "get_report/abc", "GET"),
        ("PATCH", "import_data", "GET,POST"),
        ("POST", "import_data/abc/rejected.csv", "GET"),
        ("POST", "healthz", "GET"),
        ("OPTIONS", "openapi.json", "GET"),
        ("POST", "", "GET"),
        ("PROXY", "", "GET"),
    ],
)
def test_a_method_that_is_not_allowed_is_405(
    service: Workspace, method: str, path: str, allowed: str
):
    answer = http(f"{service.api}/{path}", method)
    said = error(answer, 405, "method_not_allowed")
    assert f"{method} is not allowed at /{path}. Use {allowed}." == said
    assert answer.headers["allow"] == allowed


def test_a_form_that_is_too_large_is_413(example: Workspace):
    report_id = trigger(example)
    fits = f"report_id={report_id}&x=".encode().ljust(LARGEST_FORM, b"x")
    for path in ("get_report", "trigger_report"):
        assert http(f"{example.api}/{path}", "POST", fits, FORM).status in {200, 202}
        answer = http(f"{example.api}/{path}", "POST", fits + b"x", FORM)
        error(answer, 413, "too_large")


def test_a_body_beyond_all_bounds_is_413_before_it_is_sent(service: Workspace):
    head = b"POST /import_data HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % 2**40
    error(parsed(raw(service, head)), 413, "too_large")


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (b"get / HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", 400, "bad_request"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "bad_request"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "bad_request"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "bad_request"),
        (b"GET /" + b"x" * 300_000 + b" HTTP/1.1\r\n\r\n", 431, "too_long"),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 300_000 + b"\r\n\r\n", 431, "too_long"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_broken_http_is_told_as_json(
    service: Workspace, request_bytes: bytes, status: int, code: str
):
    error(parsed(raw(service, request_bytes)), status, code)
    assert http(f"{service.api}/").status == 200


def test_without_a_worker_all_is_kept_until_there_is_one(workspace: Workspace):
    workspace.import_now(polls=POLLS.removeprefix(POLLS_HEADER))
    workspace.start_api()
    answer = http(f"{workspace.api}/healthz")
    assert answer.status == 503
    health = answer.json
    assert (health["status"], health["worker_alive"]) == ("failing", False)
    assert health["worker"] == "No worker is alive; start one: python -m restmon worker"
    assert (health["database"], health["queue"], health["queue_depth"]) == ("ok", "ok", 0)
    assert health["worker_seen_seconds_ago"] is None

    report_id = trigger(workspace)
    url = f"{workspace.api}/get_report?report_id={report_id}"
    assert (http(url).json["status"], http(url).json["progress"]) == (RUNNING, 0)
    assert http(f"{url}&format=csv").status == 202
    waited = send(workspace, ("timezones", "z.csv", ZONES))
    assert waited.status == 202
    assert waited.json["status"] == RUNNING
    assert "python -m restmon worker" in waited.json["note"]
    # RESTMON_IMPORT_DIR is the data folder here, as it is by default.
    (workspace.path / "data" / "hours.csv").write_text(HOURS)
    accepted = http(f"{workspace.api}/import_data", "POST")
    assert accepted.status == 202
    assert http(f"{workspace.api}/healthz").json["queue_depth"] == 3
    # A worker of another machine does not have the API's import folder.
    assert len(spooled(workspace)) == (2 if files.in_database() else 1)

    worker = workspace.start_worker()
    assert ended(workspace, report_id)["status"] == COMPLETE
    for found in (waited, accepted):
        assert import_ended(workspace, found.json["import_id"])["status"] == COMPLETE
    assert http(f"{workspace.api}/healthz").status == 200
    assert worker.stop() == 0
    assert http(f"{workspace.api}/healthz").json["worker_alive"] is False


@pytest.mark.usefixtures("tester_alive")
def test_waiting_ends_when_the_api_does(workspace: Workspace):
    """A worker that seems alive and does nothing; half of the API's threads may wait for it."""
    api = workspace.start_api()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(send, workspace, ("timezones", f"{n}.csv", ZONES)) for n in range(8)]
        wait_until("all of them wait", lambda: on_record() == 8)
        one_more = wait_until(
            "one more is refused",
            lambda: next(
                (
                    answer
                    for answer in [send_impatiently(workspace)]
                    if answer is not None and answer.status == 202
                ),
                None,
            ),
        )
        assert "Too many requests wait already" in one_more.json["note"]
        assert http(f"{workspace.api}/healthz").status == 200
        assert not any(answer.done() for answer in waiting)
        assert api.stop(signal.SIGTERM) == 0
        answers = [answer.result() for answer in waiting]
    assert {answer.status for answer in answers} == {202}
    assert {answer.json["note"] for answer in answers} == {"It still runs; ask at status_url."}
    assert "Traceback" not in api.output


def send_impatiently(workspace: Workspace) -> Answer | None:
    """An upload that waits, of a client that hangs up after two seconds."""
    body, headers = multipart([("timezones", "z.csv", ZONES.encode())])
    url = f"{workspace.api}/import_data?wait=true"
    try:
        return http(url, "POST", body, headers, timeout=2)
    except httpx.TimeoutException:
        return None


def no_answer_but_503(service: Workspace, code: str) -> Iterator[str]:
    """What every route that needs the thing says."""
    for method, path in (
        ("POST", "trigger_report"),
        ("GET", "get_report?report_id=x"),
        ("POST", "import_data"),
        ("GET", "import_data?import_id=x"),
    ):
        answer = http(f"{service.api}/{path}", method)
        yield error(answer, 503, code)


def test_a_database_that_breaks(workspace: Workspace, database_kind: str):
    workspace.import_now(polls=POLLS.removeprefix(POLLS_HEADER))
    (workspace.path / "data" / "zones.csv").write_text(ZONES)
    api = workspace.start_api()
    assert http(f"{workspace.api}/healthz").json["database"] == "ok"
    if database_kind == "sqlite":
        expected = "is not an SQLite database"
        database.models.database.close()
        for path in workspace.path.glob("restmon.db*"):
            path.unlink()
        (workspace.path / "restmon.db").write_text("this is no database " * 1000)
    else:
        expected = "does not exist"
        with database.session():
            for table in ("report", "import", "worker_heartbeat", "store"):
                database.models.database.execute_sql(f'DROP TABLE "{table}" CASCADE')
    answer = http(f"{workspace.api}/healthz")
    assert answer.status == 503
    assert answer.json["status"] == "failing"
    assert expected in answer.json["database"]
    assert answer.json["worker"] == "Not known while the database does not answer."
    for said in no_answer_but_503(workspace, "database_unavailable"):
        assert expected in said
    body = send(workspace, ("polls", "p.csv", POLLS))
    error(body, 503, "database_unavailable")
    assert spooled(workspace) == []
    assert http(f"{workspace.api}/").status == 200
    assert "Traceback" not in api.output


def test_a_queue_that_breaks(workspace: Workspace, redis_url: str):
    import redis

    workspace.import_now(polls=POLLS.removeprefix(POLLS_HEADER))
    (workspace.path / "data" / "zones.csv").write_text(ZONES)
    workspace.start_api(env={"RESTMON_QUEUE_URL": redis_url})
    assert http(f"{workspace.api}/healthz").json["queue"] == "ok"
    before = on_record()
    redis.Redis.from_url(redis_url).shutdown(nosave=True)
    answer = http(f"{workspace.api}/healthz")
    assert answer.status == 503
    assert answer.json["database"] == "ok"
    assert answer.json["queue"].startswith("The queue does not answer.")
    assert "queue_depth" not in answer.json
    for method, path in (("POST", "trigger_report"), ("POST", "import_data")):
        said = error(http(f"{workspace.api}/{path}", method), 503, "database_unavailable")
        assert "RESTMON_QUEUE_URL" in said
    error(send(workspace, ("polls", "p.csv", POLLS)), 503, "database_unavailable")
    assert (on_record(), spooled(workspace)) == (before, [])
    error(http(f"{workspace.api}/get_report?report_id=x"), 404, "not_found")
