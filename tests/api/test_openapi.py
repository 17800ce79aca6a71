"""The OpenAPI document is valid, and the API does what it says: schemathesis against a real API."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

import api_server
from restmon.api import openapi
from restmon.documents import status_pages
from restmon.ingest import imports
from restmon.reporting import reports
from restmon.storage import database
from restmon.storage.models import FAILED, Import, Report, now
from restmon.stores import groups, targets
from tests.support.examples import examples
from tests.support.http import http
from tests.support.workers import held_job
from tests.support.workspace import POLLS_HEADER, Workspace, open_workspace

POLLS = "x,active,2023-01-23 16:14:00 UTC\nx,inactive,2023-01-23 17:15:00 UTC\n"
DEPENDENT = (
    "POST /channels",
    "POST /channels/{channel_id}/test",
    "PUT /channels/{channel_id}",
    "POST /rules",
    "PUT /targets",
    "DELETE /targets",
    "GET /stores",
    "GET /stores/{store_id}/uptime",
    "GET /stores/{store_id}/spans",
    "GET /groups/{group}/uptime",
    "GET /outages",
    "GET /incidents",
    "GET /trigger_report",
    "POST /trigger_report",
    "POST /documents",
    "PUT /status_pages",
    "POST /schedules",
    "PUT /schedules/{schedule_id}",
    "PUT /holidays",
    "GET /holidays",
    "DELETE /polls",
    "POST /polls",
    "POST /business_hours",
    "POST /timezones",
    "POST /stores/{store_id}/notes",
)
CONFIG = schemathesis.Config.from_dict(
    {
        # Bytes at random are no CSV file: 422 is right for them, though the schema allows them.
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409", "422"]},
        },
        # Where values depend on each other, which no schema says.
        "operations": [
            {
                "include-name": name,
                "checks": {
                    "positive_data_acceptance": {
                        "expected-statuses": ["2xx", "400", "404", "409", "422"]
                    }
                },
            }
            for name in DEPENDENT
        ],
    }
)
# Schemathesis sends only types it knows; to it, what is in these is bytes.
schemathesis.serializer.alias(
    [kind for kind in openapi.FILE_TYPES if kind != "text/csv"], "application/octet-stream"
)
schemathesis.serializer.alias([openapi.LINES], "text/plain")


def document(server: str) -> Any:
    return openapi.document(api_server.app.routes, server)


schema = schemathesis.openapi.from_dict(document("http://127.0.0.1"), config=CONFIG)


@dataclass
class Known:
    """A real API with an id of each kind."""

    api: str
    complete: str
    running: str
    failed: str
    imported: str
    importing: str
    not_imported: str


@pytest.fixture(scope="module")
def known(processes: Workspace) -> Iterator[Known]:
    failed = {"status": FAILED, "error": "It could not be written.", "finished_at": now()}
    (processes.path / "inbox").mkdir()
    (processes.path / "inbox" / "polls.csv").write_text(POLLS_HEADER + POLLS)
    waiting = [{"kind": "polls", "name": "p.csv", "path": "p"}]
    with open_workspace(processes), ExitStack() as stack:
        imported = processes.import_now(POLLS + "x,broken,2023-01-23 16:14:00 UTC\n")
        groups.create("g")
        groups.add("g", ["x"])
        complete = reports.request()
        assert reports.work(complete.id)
        yield Known(
            processes.api,
            complete.id,
            stack.enter_context(held_job(Report, progress=0.42)).id,
            Report.create(**failed).id,
            imported.id,
            stack.enter_context(held_job(Import, files=waiting)).id,
            Import.create(files=waiting, **failed).id,
        )


@pytest.fixture
def stocked(known: Known, processes: Workspace) -> Known:
    """The API with polls and a target of store x in group g, whatever requests before deleted."""
    if not database.has_polls():
        processes.import_now(POLLS)
    groups.add("g", ["x"])
    targets.set_target(targets.Subject(store="x"), 990_000)
    status_pages.turn_on("g", "good")
    return known


def test_the_document_is_valid_and_is_what_the_api_serves(known: Known):
    served = http(f"{known.api}/openapi.json")
    assert served.status == 200
    assert served.json == document(known.api)
    assert served.json["openapi"] == "3.1.0"
    schema.validate()
    broken = document(known.api)
    del broken["paths"]["/"]["get"]["responses"]["200"]["description"]
    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict(broken).validate()


def test_every_route_is_in_the_document_and_the_other_way_round():
    routes = {
        (route.method, openapi.IN_PATH.sub(r"{\1}", route.rule)) for route in api_server.app.routes
    }
    documented = {
        (method.upper(), path)
        for path, operations in document("")["paths"].items()
        for method in operations
    }
    assert routes == documented


@schema.parametrize()
@settings(
    max_examples=examples(25),
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_generated_requests_are_answered_as_documented(known: Known, case: schemathesis.Case):
    """With and without what the schema asks for: never an undocumented status, type or body, what
    violates the schema is refused, what conforms is not."""
    answer = case.call_and_validate(base_url=known.api)
    assert answer.status_code < 500


CSV = {"Accept": "text/csv"}
AS_FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("method", "path", "request_of", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/docs", {}, 200),
        ("GET", "/openapi.json", {}, 200),
        ("GET", "/healthz", {}, 200),
        ("GET", "/data_check", {}, 200),
        ("GET", "/export_data", {"query": {"kind": "directory"}}, 200),
        ("GET", "/export_data", {"query": {"kind": "polls"}}, 400),
        ("GET", "/metrics", {}, 200),
        ("PUT", "/targets", {"body": {"target": 99.5}}, 200),
        ("PUT", "/targets", {"body": {"target": 99, "store_id": "x"}}, 200),
        ("PUT", "/targets", {"body": {"target": 101}}, 400),
        ("PUT", "/targets", {"body": {"target": 0}}, 400),
        ("PUT", "/targets", {"body": {"target": "high"}}, 400),
        ("PUT", "/targets", {"body": {"store_id": "x"}}, 400),
        ("PUT", "/targets", {"body": {"target": 99, "store_id": "x", "group": "g"}}, 400),
        ("PUT", "/targets", {"body": {"target": 99, "store_id": "nobody's"}}, 404),
        ("GET", "/targets", {}, 200),
        ("GET", "/stores", {}, 200),
        ("GET", "/stores", {"query": {"sort": "-down", "limit": 1, "status": "down"}}, 200),
        ("GET", "/stores", {"query": {"cursor": "x"}}, 400),
        ("GET", "/stores/{store_id}", {"path_parameters": {"store_id": "x"}}, 200),
        ("GET", "/stores/{store_id}", {"path_parameters": {"store_id": "nobody's"}}, 404),
        ("GET", "/stores/{store_id}/uptime", {"path_parameters": {"store_id": "x"}}, 200),
        ("GET", "/stores/{store_id}/spans", {"path_parameters": {"store_id": "x"}}, 200),
        ("GET", "/groups", {}, 200),
        ("GET", "/groups/{group}/uptime", {"path_parameters": {"group": "g"}}, 200),
        ("GET", "/groups/{group}/uptime", {"path_parameters": {"group": "nobody's"}}, 404),
        ("DELETE", "/targets", {"query": {"store_id": "x"}}, 200),
        ("DELETE", "/targets", {"query": {"group": "nobody's"}}, 404),
        ("GET", "/holidays", {"query": {"year": "2026", "state": "ca"}}, 200),
        ("GET", "/holidays", {"query": {"year": "2026", "state": "ZZ"}}, 400),
        ("GET", "/holidays", {"query": {"year": "soon"}}, 400),
        ("GET", "/holidays", {}, 400),
        ("PUT", "/holidays", {"body": {"year": 2026, "store_id": "x"}}, 200),
        ("PUT", "/holidays", {"body": {"year": 2026, "group": "nobody's"}}, 404),
        ("PUT", "/holidays", {"body": {"year": 2026}}, 400),
        ("PUT", "/holidays", {"body": {"year": 2026, "store_id": "x", "opens": "late"}}, 400),
        (
            "POST",
            "/polls",
            {"body": [{"store_id": "x", "timestamp_utc": 1, "status": 1}]},
            200,
        ),
        ("POST", "/polls", {"body": [{"store_id": "x"}]}, 422),
        ("POST", "/polls", {"body": []}, 400),
        ("POST", "/timezones", {"body": [{"store_id": "x", "timezone_str": "EST"}]}, 200),
        ("DELETE", "/polls", {"query": {"to": "1999-01-01T00:00:00Z"}}, 200),
        ("DELETE", "/polls", {"query": {"store_id": "x", "dry_run": "true"}}, 200),
        ("DELETE", "/polls", {"query": {"store_id": "nobody's"}}, 404),
        ("DELETE", "/polls", {}, 400),
        (
            "DELETE",
            "/stores/{store_id}",
            {"path_parameters": {"store_id": "x"}, "query": {"dry_run": "true"}},
            200,
        ),
        ("DELETE", "/stores/{store_id}", {"path_parameters": {"store_id": "nobodys"}}, 404),
        ("GET", "/trigger_report", {}, 202),
        ("GET", "/trigger_report", {"query": {"as_of": "2023-01-23T17:00:00Z"}}, 202),
        ("GET", "/trigger_report", {"query": {"as_of": "soon"}}, 400),
        ("POST", "/trigger_report", {"body": {"method": "previous"}}, 202),
        ("POST", "/trigger_report", {"body": {"method": None, "as_of": ""}}, 202),
        ("POST", "/trigger_report", {"body": {"method": "guess"}}, 400),
        ("GET", "/get_report", {"query": {"report_id": "complete"}}, 200),
        ("GET", "/get_report", {"query": {"report_id": "complete", "format": "csv"}}, 200),
        ("GET", "/get_report", {"query": {"report_id": "complete"}, "headers": CSV}, 200),
        ("GET", "/get_report", {"query": {"report_id": "complete", "format": "status"}}, 200),
        ("GET", "/get_report", {"query": {"report_id": "running"}}, 200),
        ("GET", "/get_report", {"query": {"report_id": "running", "format": "csv"}}, 202),
        ("GET", "/get_report", {"query": {"report_id": "failed"}}, 200),
        ("GET", "/get_report", {"query": {"report_id": "failed", "format": "csv"}}, 409),
        ("GET", "/get_report", {"query": {"report_id": "nobody's"}}, 404),
        ("GET", "/get_report", {"query": {"report_id": ""}}, 400),
        ("POST", "/get_report", {"body": {"report_id": "complete"}}, 200),
        ("POST", "/get_report", {"body": {"report_id": "running"}, "media_type": AS_FORM}, 200),
        ("GET", "/get_report/{report_id}", {"path_parameters": {"report_id": "complete"}}, 200),
        ("GET", "/get_report/{report_id}", {"path_parameters": {"report_id": "failed"}}, 200),
        ("POST", "/documents", {"body": {"window": "7d"}}, 202),
        ("POST", "/documents", {"body": {"format": "xlsx", "group": "g"}}, 202),
        ("POST", "/documents", {"body": {"window": "soon"}}, 400),
        ("POST", "/documents", {"body": {"store_id": "nobody's"}}, 404),
        ("POST", "/schedules", {"body": {"name": "Weekly", "group": "g"}}, 200),
        ("POST", "/schedules", {"body": {"name": "Weekly", "day": "never"}}, 400),
        ("GET", "/schedules", {}, 200),
        ("GET", "/schedules/{schedule_id}/runs", {"path_parameters": {"schedule_id": 0}}, 404),
        ("PUT", "/status_pages", {"body": {"group": "g", "slug": "good"}}, 200),
        ("PUT", "/status_pages", {"body": {"group": "g", "slug": "-"}}, 400),
        ("GET", "/status_pages", {}, 200),
        ("GET", "/status/{slug}", {"path_parameters": {"slug": "good"}}, 200),
        ("GET", "/status/{slug}.json", {"path_parameters": {"slug": "good"}}, 200),
        ("GET", "/badge/{slug}.svg", {"path_parameters": {"slug": "good"}}, 200),
        ("GET", "/badge/{slug}.svg", {"path_parameters": {"slug": "none"}}, 404),
        ("DELETE", "/status_pages", {"query": {"group": "nobody's"}}, 404),
        ("GET", "/documents", {}, 200),
        ("GET", "/documents/{document_id}", {"path_parameters": {"document_id": "no"}}, 404),
        ("GET", "/documents/{document_id}/file", {"path_parameters": {"document_id": "no"}}, 404),
        ("GET", "/import_data", {"query": {"import_id": "imported"}}, 200),
        ("GET", "/import_data", {"query": {"import_id": "importing"}}, 200),
        ("GET", "/import_data", {"query": {"import_id": "not_imported"}}, 200),
        ("GET", "/import_data", {"query": {"import_id": "nobody's"}}, 404),
        ("POST", "/import_data", {}, 202),
        ("POST", "/import_data", {"query": {"wait": "true"}}, 200),
        ("POST", "/import_data", {"files": [POLLS_HEADER + POLLS]}, 202),
        ("POST", "/import_data", {"files": ["store_id,status\nx,active\n"]}, 422),
        (
            "GET",
            "/import_data/{import_id}/rejected.csv",
            {"path_parameters": {"import_id": "imported"}},
            200,
        ),
        (
            "GET",
            "/import_data/{import_id}/rejected.csv",
            {"path_parameters": {"import_id": "importing"}},
            404,
        ),
    ],
    ids=str,
)
def test_every_documented_answer_is_as_documented(
    stocked: Known, method: str, path: str, request_of: dict[str, Any], status: int
):
    given: dict[str, Any] = {}
    for name, value in request_of.items():
        if name == "files":
            given["body"] = {"polls": [text.encode() for text in value]}
            given["media_type"] = "multipart/form-data"
        elif isinstance(value, dict):
            given[name] = {k: getattr(stocked, str(v), v) for k, v in value.items()}
        else:
            given[name] = value
    if method in {"POST", "PUT"} and "body" in given:
        given.setdefault("media_type", "application/json")
    case = schema[path][method].Case(**given)
    answer = case.call_and_validate(base_url=stocked.api)
    assert answer.status_code == status, answer.text


def test_an_import_that_waited_and_failed_is_as_documented(known: Known):
    from tests.support.forms import torn_gzip

    case = schema["/import_data"]["POST"].Case(
        query={"wait": "true"},
        body={"polls": [torn_gzip()]},
        media_type="multipart/form-data",
    )
    answer = case.call_and_validate(base_url=known.api)
    assert answer.status_code == 422
    assert imports.get(answer.json()["import_id"]).status == FAILED
