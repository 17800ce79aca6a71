"""The OpenAPI document is valid, and the API does what it says: schemathesis against a real API."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, settings

import api_server
from restmon import imports, openapi, reports
from restmon.models import FAILED, Import, Report, now
from tests.conftest import POLLS_HEADER, Workspace, http, opened

POLLS = "x,active,2023-01-23 16:14:00 UTC\nx,inactive,2023-01-23 17:15:00 UTC\n"
CONFIG = schemathesis.Config.from_dict(
    {
        # Bytes at random are no CSV file: 422 is right for them, though the schema allows them.
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ["2xx", "404", "409", "422"]},
        }
    }
)
schemathesis.serializer.alias("application/gzip", "application/octet-stream")
schema = schemathesis.openapi.from_dict(openapi.document("http://127.0.0.1"), config=CONFIG)


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
    held = {"lease_owner": "a worker", "lease_until": now() + 3600 * 1_000_000, "attempts": 1}
    failed = {"status": FAILED, "error": "It could not be written.", "finished_at": now()}
    (processes.path / "inbox").mkdir()
    (processes.path / "inbox" / "polls.csv").write_text(POLLS_HEADER + POLLS)
    with opened(processes):
        imported = processes.import_now(POLLS + "x,broken,2023-01-23 16:14:00 UTC\n")
        complete = reports.request()
        assert reports.work(complete.id)
        yield Known(
            processes.api,
            complete.id,
            Report.create(progress=0.42, **held).id,
            Report.create(**failed).id,
            imported.id,
            Import.create(files=[{"kind": "polls", "name": "p.csv", "path": "p"}], **held).id,
            Import.create(files=[{"kind": "polls", "name": "p.csv", "path": "p"}], **failed).id,
        )


def test_the_document_is_valid_and_is_what_the_api_serves(known: Known):
    document = http(f"{known.api}/openapi.json")
    assert document.status == 200
    assert document.json == openapi.document(known.api)
    assert document.json["openapi"] == "3.1.0"
    schema.validate()
    broken = openapi.document(known.api)
    del broken["paths"]["/"]["get"]["responses"]["200"]["description"]
    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict(broken).validate()


def test_every_route_is_in_the_document_and_the_other_way_round():
    routes = {
        (route.method, re.sub("<([a-z_]+)>", r"{\1}", route.rule))
        for route in api_server.app.routes
    }
    documented = {
        (method.upper(), path)
        for path, operations in openapi.document("")["paths"].items()
        for method in operations
    }
    assert routes == documented


@schema.parametrize()
@settings(
    max_examples=25,
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
        ("GET", "/openapi.json", {}, 200),
        ("GET", "/healthz", {}, 200),
        ("GET", "/metrics", {}, 200),
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
    known: Known, method: str, path: str, request_of: dict[str, Any], status: int
):
    given: dict[str, Any] = {}
    for name, value in request_of.items():
        if name == "files":
            given["body"] = {"polls": [text.encode() for text in value]}
            given["media_type"] = "multipart/form-data"
        elif isinstance(value, dict):
            given[name] = {k: getattr(known, str(v), v) for k, v in value.items()}
        else:
            given[name] = value
    if method == "POST" and "body" in given:
        given.setdefault("media_type", "application/json")
    case = schema[path][method].Case(**given)
    answer = case.call_and_validate(base_url=known.api)
    assert answer.status_code == status, answer.text


def test_an_import_that_waited_and_failed_is_as_documented(known: Known):
    from tests.test_api import torn_gzip

    case = schema["/import_data"]["POST"].Case(
        query={"wait": "true"},
        body={"polls": [torn_gzip()]},
        media_type="multipart/form-data",
    )
    answer = case.call_and_validate(base_url=known.api)
    assert answer.status_code == 422
    assert imports.get(answer.json()["import_id"]).status == FAILED
