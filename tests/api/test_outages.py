"""The routes of outages and incidents: what they give, in which form, and to whom."""

import csv
import io

import pytest

from restmon.access import api_keys
from restmon.api.outage_models import IncidentList, OutageList
from restmon.core.instants import HOUR, as_text
from restmon.reporting import answer_limits, incident_list, outage_list
from restmon.stores import groups
from tests.support.workspace import Workspace
from tests.support.wsgi import ask, get, refused

pytestmark = pytest.mark.both_databases

AS_OF = 1674670402_000_000  # 2023-01-25 18:13:22 UTC
POLLS = "".join(
    f"s{store},{status},{as_text(AS_OF - n * HOUR)}\n"
    for store in range(10)
    for n in range(48)
    for status in ["inactive" if store < 6 and 10 <= n < 14 else "active"]
)


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    """Ten stores, of which s0 to s5 were down for four hours; s1 and s9 in Mine."""
    workspace.import_now(POLLS)
    groups.create("Mine")
    groups.set_members("Mine", ["s1", "s9"])
    return workspace


def test_outages_as_json_and_as_csv(stores: Workspace):
    found = get("/outages", last="2d", min_minutes="30")
    assert OutageList.model_validate(found).content() == found
    assert (found["as_of"], found["window"]) == ("2023-01-25T18:13:22.000000Z", "last=2d")
    assert found["count"] == len(found["outages"]) == 6
    one = found["outages"][1]
    assert (one["store_id"], one["open_minutes"], one["ongoing"]) == ("s1", 240.0, False)
    assert one["incident_id"] == get("/incidents")["incidents"][0]["incident_id"]
    answer = ask("/outages", last="2d", format="csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="outages.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == list(outage_list.COLUMNS)
    assert [row["store_id"] for row in rows] == [row["store_id"] for row in found["outages"]]
    assert get("/outages", ongoing="true")["outages"] == []
    assert get("/outages", store_id="s9")["count"] == 0


def test_incidents_as_json_and_as_csv(stores: Workspace):
    found = get("/incidents")
    assert IncidentList.model_validate(found).content() == found
    [one] = found["incidents"]
    assert (one["stores"], one["peak_share"], one["groups"]) == (6, 60.0, ["Mine (1)"])
    assert (found["window_to"], found["count"]) == ("2023-01-25T18:13:22.000000Z", 1)
    [row] = csv.DictReader(io.StringIO(ask("/incidents", format="csv").text))
    assert list(row) == list(incident_list.COLUMNS)
    assert (row["stores"], row["peak_share"]) == ("6", "60.00")
    assert get("/incidents", group="mine")["count"] == 0


def test_an_owner_sees_own_stores_alone(stores: Workspace):
    key = api_keys.make("o", api_keys.Role.OWNER, None, ["Mine"])
    groups.create("Theirs")
    groups.set_members("Theirs", ["s2"])
    found = get("/outages", key)
    assert {row["store_id"] for row in found["outages"]} == {"s1"}
    assert get("/incidents", key)["count"] == 0
    assert "no store 's2'" in refused("/outages", 404, key, store_id="s2")
    for path in ("/outages", "/incidents"):
        assert "no group 'Theirs'" in refused(path, 404, key, group="Theirs")


@pytest.mark.parametrize(
    ("path", "query", "status", "says"),
    [
        ("/outages", {"from_": "2023-01-24", "to": "2023-01-23"}, 400, "ends before it begins"),
        ("/incidents", {"month": "0000-01"}, 400, "is no month"),
        ("/outages", {"ongoing": "perhaps"}, 400, "ongoing='perhaps' is not known"),
        ("/outages", {"min_minutes": "-1"}, 400, "min_minutes='-1' cannot be used"),
        ("/outages", {"min_minutes": "nan"}, 400, "min_minutes='nan' cannot be used"),
        ("/outages", {"format": "xml"}, 400, "format='xml' is not known"),
        ("/outages", {"group": "none"}, 404, "There is no group 'none'"),
        ("/incidents", {"group": "none"}, 404, "There is no group 'none'"),
        ("/outages", {"store_id": "none"}, 404, "There is no store 'none'"),
        ("/outages", {"store_id": "s1", "group": "Mine"}, 400, "cannot be combined"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(
    stores: Workspace, path: str, query: dict, status: int, says: str
):
    assert says in refused(path, status, **query)


def test_too_many_for_one_answer(stores: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("restmon.api.outage_routes.MOST_OUTAGES", 5)
    assert "There are 6 outages, and an answer has at most 5" in refused("/outages", 400)
    assert ask("/outages", format="csv").text.count("\n") == 7


@pytest.mark.parametrize("path", ["/outages", "/incidents", "/groups/Most/uptime"])
def test_a_window_that_would_hold_a_thread_too_long_is_refused(
    stores: Workspace, monkeypatch: pytest.MonkeyPatch, path: str
):
    monkeypatch.setattr(answer_limits, "MOST_STORE_DAYS", 9 * 40)
    groups.create("Most")
    groups.set_members("Most", [f"s{n}" for n in range(9)])
    words = {} if path.startswith("/groups") else {"group": "Most"}
    assert get(path, last="40d", **words)
    says = refused(path, 400, last="41d", **words)
    assert "41 days of 9 stores are too much for one answer" in says
    assert "41 days of 9 stores" in refused(path, 400, **words, **{"from": "2022-12-15T18:13:23Z"})
    monkeypatch.setattr(answer_limits, "MOST_STORE_DAYS", 1)
    assert get(path, last="8d", **words)
    assert refused(path, 400, last="9d", **words)
    assert get("/outages", last="397d", store_id="s1")["count"] == 1


def test_without_polls_there_are_none(workspace: Workspace):
    for path in ("/outages", "/incidents"):
        assert "no polls in the database" in refused(path, 409)
