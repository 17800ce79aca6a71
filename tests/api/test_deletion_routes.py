"""Deleting by hand, and hours on holidays, through the API."""

import json
from typing import Any

import pytest

from restmon.access import api_keys, audit
from restmon.access.roles import Role
from restmon.ingest.store_editing import read_dates
from restmon.storage import database
from restmon.storage.access_models import AuditEntry
from restmon.storage.models import Poll, Store
from restmon.stores import groups
from restmon.stores.subjects import Subject
from tests.support.http import Answer, http
from tests.support.workspace import Workspace

TIMES = ("2023-01-20 10:00:00", "2023-01-23 10:00:00", "2023-01-26 10:00:00")


@pytest.fixture
def service(workspace: Workspace) -> Workspace:
    """An API on stores ``a`` and ``b`` with three polls each, ``a`` in the group Mine."""
    workspace.import_now("".join(f"{s},active,{t}\n" for s in "ab" for t in TIMES))
    groups.create("Mine")
    groups.add("Mine", ["a"])
    workspace.start_api()
    return workspace


def ask(service: Workspace, method: str, path: str, key: str | None = None, **body: Any) -> Answer:
    headers = {"Content-Type": "application/json"} if body else {}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    content = json.dumps(body).encode() if body else None
    return http(service.api + path, method, content, headers)


def left() -> dict[str, int]:
    with database.session():
        return {s.store_id: Poll.select().where(Poll.store == s).count() for s in Store.select()}


def test_polls_and_stores_are_counted_and_then_deleted(service: Workspace):
    path = "/polls?from=2023-01-21T00:00:00Z&to=2023-01-24T00:00:00Z"
    told = {"polls": 2, "store_id": None}
    assert ask(service, "DELETE", f"{path}&dry_run=true").json == told | {"deleted": False}
    assert left() == {"a": 3, "b": 3}
    assert ask(service, "DELETE", path).json == told | {"deleted": True}
    assert left() == {"a": 2, "b": 2}
    whole = "/stores/b"
    told = {"polls": 2, "store_id": "b"}
    assert ask(service, "DELETE", f"{whole}?dry_run=true").json == told | {"deleted": False}
    assert left() == {"a": 2, "b": 2}
    assert ask(service, "DELETE", whole).json == told | {"deleted": True}
    assert left() == {"a": 2}
    assert ask(service, "DELETE", whole).status == 404
    with database.session():
        last = [entry.action for entry in AuditEntry.select().order_by(AuditEntry.id)][-2:]
    assert last == [audit.POLLS_FORGOTTEN, audit.STORE_DELETED]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/polls", 400, "Give from, to or store_id."),
        ("/polls?from=soon", 400, "from"),
        (
            "/polls?from=2023-01-24T00:00:00Z&to=2023-01-21T00:00:00Z",
            400,
            "The range of time is empty.",
        ),
        ("/polls?store_id=a&dry_run=perhaps", 400, "dry_run"),
        ("/polls?store_id=c", 404, "There is no store 'c'."),
        ("/polls?store_id=%00", 404, "There is no store"),
        ("/stores/c", 404, "There is no store 'c'."),
        ("/stores/c?dry_run=1", 404, "There is no store 'c'."),
        ("/stores/a?dry_run=perhaps", 400, "dry_run"),
    ],
)
def test_what_cannot_be_deleted_is_told_and_deletes_nothing(
    service: Workspace, path: str, status: int, said: str
):
    found = ask(service, "DELETE", path)
    assert found.status == status
    assert said in json.dumps(found.json["error"])
    assert left() == {"a": 3, "b": 3}


def test_hours_on_holidays(service: Workspace):
    listed = ask(service, "GET", "/holidays?year=2026").json["holidays"]
    assert {"date": "2026-11-26", "name": "Thanksgiving Day"} in listed
    assert {"date": "2026-11-27", "name": "Day After Thanksgiving"} in ask(
        service, "GET", "/holidays?year=2026&state=ca"
    ).json["holidays"]
    done = ask(
        service, "PUT", "/holidays", group="Mine", year=2026, opens="10 AM", closes="14:00",
        holidays="thanksgiving day; Christmas Day",
    )  # fmt: skip
    assert [h["date"] for h in done.json["holidays"]] == ["2026-11-26", "2026-12-25"]
    assert read_dates(Subject(group="Mine")).values.tolist() == [
        ["2026-11-26", "10:00", "14:00", "Thanksgiving Day"],
        ["2026-12-25", "10:00", "14:00", "Christmas Day"],
    ]
    for wrong, status in (
        ({"group": "Mine", "year": 2026, "holidays": "Festivus"}, 400),
        ({"group": "Mine", "year": 1066}, 400),
        ({"group": "Mine", "year": 2026, "opens": "late"}, 400),
        ({"group": "Other", "year": 2026}, 404),
        ({"year": 2026}, 400),
    ):
        assert ask(service, "PUT", "/holidays", **wrong).status == status, wrong


def test_an_owner_sets_holidays_of_own_groups_and_stores_alone(service: Workspace):
    groups.create("Other")
    key = api_keys.make("owner", Role.OWNER, None, ["Mine"])
    assert ask(service, "PUT", "/holidays", key, year=2026, group="mine").status == 200
    assert ask(service, "PUT", "/holidays", key, year=2026, store_id="a").status == 200
    assert ask(service, "PUT", "/holidays", key, year=2026, group="Other").status == 404
    assert ask(service, "PUT", "/holidays", key, year=2026, store_id="b").status == 404
    assert ask(service, "DELETE", "/polls?store_id=a", key).status == 403
    assert ask(service, "DELETE", "/polls?store_id=a&dry_run=true", key).status == 403
    assert left() == {"a": 3, "b": 3}
