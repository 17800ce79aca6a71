"""The routes of stores and groups: what they give, a page at a time, and to whom."""

import csv
import io
from collections import defaultdict
from datetime import datetime
from typing import Any

import pytest

from restmon.access import api_keys
from restmon.core.instants import HOUR, from_datetime
from restmon.ingest.store_editing import save_entry
from restmon.reporting.computation import compute
from restmon.reporting.details import compute_details
from restmon.reporting.details_table import make_table
from restmon.reporting.scopes import find_scope
from restmon.stores import groups, targets
from restmon.stores.subjects import Subject
from tests.support.workspace import Workspace
from tests.support.wsgi import ask, get, refused

pytestmark = pytest.mark.both_databases

POLLS = "".join(
    f"{store},{status},2023-01-{day:02} {hour:02}:{minute:02}:00 UTC\n"
    for store, minute, down in (("a", 10, ()), ("b", 20, (18, 19)), ("c", 30, (20, 21, 22)))
    for day in range(18, 26)
    for hour in range(12, 24)
    for status in ["inactive" if hour in down and day > 22 else "active"]
)
HOURS = "".join(f"{store},{day},09:00,17:00\n" for store in ("a", "b") for day in range(7))
ZONES = "a,America/Chicago\nb,America/New_York\nc,America/Denver\nidle,Asia/Kolkata\n"
AS_OF = "2023-01-25T23:30:00.000000Z"


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    """The stores a, b, c, and idle, which was never polled; a and b in Mine, c in Theirs/1."""
    workspace.import_now(POLLS, HOURS, ZONES)
    for name, members in (("Mine", ["a", "b"]), ("Theirs/1", ["c"]), ("Empty", [])):
        groups.create(name)
        groups.set_members(name, members)
    save_entry("b", {"name": "Börse", "address": "1 Main St", "sales_per_hour": "120"})
    return workspace


def ids(found: Any) -> list[str]:
    return [one["store_id"] for one in found["stores"]]


def instant(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text))


def test_stores_as_they_are_now(stores: Workspace):
    found = get("/stores")
    assert found["as_of"] == found["window_to"] == AS_OF
    assert (found["count"], found["next"]) == (4, None)
    a, b, c, idle = found["stores"]
    assert (a["status_now"], b["status_now"], c["status_now"]) == ("closed", "closed", "up")
    assert (idle["status_now"], idle["uptime_percent"], idle["up"]) == ("no data", None, 0)
    assert (b["name"], b["groups"], b["hours"], c["hours"]) == (
        "Börse",
        ["Mine"],
        "given",
        "assumed",
    )
    report = {line.split(",")[0]: line.split(",") for line in compute().csv().splitlines()[1:]}
    for one in found["stores"]:
        row = report[one["store_id"]]
        assert (one["up"], one["down"]) == (float(row[3]), float(row[6]))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["a", "b", "c", "idle"]),
        ({"search": "B"}, ["b"]),
        ({"search": "BÖRSE"}, ["b"]),
        ({"search": "nothing"}, []),
        ({"group": "mine"}, ["a", "b"]),
        ({"group": "Empty"}, []),
        ({"zone": "america/denver"}, ["c"]),
        ({"status": "closed"}, ["a", "b"]),
        ({"status": "no data", "zone": "Asia/Kolkata"}, ["idle"]),
        ({"sort": "-store_id"}, ["idle", "c", "b", "a"]),
        ({"sort": "-down"}, ["c", "b", "a", "idle"]),
        ({"sort": "uptime_percent"}, ["b", "c", "a", "idle"]),
        ({"sort": "-uptime_percent"}, ["a", "c", "b", "idle"]),
        ({"sort": "name"}, ["b", "a", "c", "idle"]),
        ({"sort": "last_poll"}, ["a", "b", "c", "idle"]),
    ],
    ids=str,
)
def test_stores_are_found_sorted_and_paged(stores: Workspace, query: dict, expected: list[str]):
    assert ids(get("/stores", **query)) == expected
    paged, cursor = [], {}
    for _ in range(10):
        found = get("/stores", limit=1, **query, **cursor)
        assert found["count"] == len(expected)
        paged += ids(found)
        if found["next"] is None:
            break
        cursor = {"cursor": found["next"]}
    assert paged == expected


def test_a_page_goes_on_where_a_store_has_gone(stores: Workspace):
    from restmon.ops import deletion

    first = get("/stores", limit=2, sort="-outages")
    assert ids(first) == ["b", "c"]
    deletion.delete_store("c")
    assert ids(get("/stores", cursor=first["next"], sort="-outages")) == ["a", "idle"]


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ({"status": "fine"}, 400, "status='fine' is not known. Use up or down or closed"),
        ({"sort": "size"}, 400, "sort='size' is not known."),
        ({"limit": "0"}, 400, "limit='0' cannot be used. Use 1 to 1,000."),
        ({"limit": "many"}, 400, "limit='many' cannot be used."),
        ({"cursor": "x"}, 400, "The cursor is not one that this route has given."),
        ({"cursor": "WzFd"}, 400, "The cursor is not one that this route has given."),
        ({"group": "none"}, 404, "There is no group 'none'."),
    ],
    ids=str,
)
def test_what_cannot_be_asked_of_stores(stores: Workspace, query: dict, status: int, says: str):
    assert says in refused("/stores", status, **query)


def test_a_cursor_belongs_to_its_order(stores: Workspace):
    cursor = get("/stores", limit=1, sort="-down")["next"]
    assert "of a list sorted by -down." in refused("/stores", 400, cursor=cursor)


def test_without_polls_there_is_nothing_to_give(workspace: Workspace):
    workspace.import_now(zones=ZONES)
    for path in ("/stores", "/stores/a", "/stores/a/uptime", "/stores/a/spans", "/groups"):
        assert "no polls in the database" in refused(path, 409)


def test_all_that_is_known_of_a_store(stores: Workspace):
    targets.set_target(targets.ALL_STORES, 900_000)
    targets.set_target(Subject(store="b"), 999_000)
    found = get("/stores/b")
    (record,) = make_table(compute_details(find_scope(store_id="b"))).records()
    assert {name: record[name] for name in record if name in found} == {
        name: value for name, value in found.items() if name in record
    }
    assert (found["address"], found["sales_per_hour"]) == ("1 Main St", 120)
    assert found["business_hours"][6] == {
        "day_of_week": 6,
        "start_time_local": "09:00",
        "end_time_local": "17:00",
    }
    # 31 days of 8 hours, and three days with 2 hours and half of the gaps beside them down.
    assert (found["target"], found["target_status"]) == (99.9, "missed")
    assert (found["budget"], found["used"], found["budget_left"]) == (0.25, 6.0, -5.75)
    assert found["burn_rate"] == pytest.approx(6 / (25 * 8) / 0.001, abs=0.01)
    assert get("/stores/a")["target_status"] == "met"
    assert get("/stores/idle")["coverage"] == 0


@pytest.mark.parametrize("by", ["hour", "day", "week", "month"])
def test_the_uptime_of_a_store_adds_up(stores: Workspace, by: str):
    whole = get("/stores/b")
    found = get("/stores/b/uptime", by=by)
    assert (found["window_from"], found["window_to"]) == (whole["window_from"], AS_OF)
    names = ("open", "up", "down", "uptime_percent", "coverage", "outages")
    assert {name: found["total"][name] for name in names} == {name: whole[name] for name in names}
    for name in ("open", "up", "down"):
        parts = sum(one[name] for one in found["periods"])
        assert parts == pytest.approx(whole[name], abs=0.01 * len(found["periods"]))
    ends = [one["end"] for one in found["periods"]]
    assert [one["start"] for one in found["periods"]] == [found["window_from"], *ends[:-1]]
    assert {"hour": 169, "day": 8, "week": 2, "month": 1}[by] == len(ends)
    dates = [one["date"] for one in found["periods"]]
    assert dates[0] == {"hour": None, "day": "2023-01-18", "week": "2023-01-16"}.get(
        by, "2023-01-01"
    )


def test_the_uptime_of_a_group_is_the_sum_of_its_stores(stores: Workspace):
    window = {"from_": "2023-01-20", "to": "2023-01-24", "by": "day"}
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for store_id in ("a", "b"):
        for one in get(f"/stores/{store_id}/uptime", **window)["periods"]:
            for name in ("open", "up", "down"):
                sums[one["date"], name] += one[name]
    found = get("/groups/mine/uptime", **window)
    assert (found["group"], found["stores"], found["never_observed"]) == ("Mine", 2, 0)
    # New York's day begins an hour before Chicago's.
    assert found["window_from"] == "2023-01-20T05:00:00.000000Z"
    assert found["window_to"] == "2023-01-24T06:00:00.000000Z"
    assert [one["date"] for one in found["periods"]] == [f"2023-01-{d}" for d in range(20, 24)]
    for one in found["periods"]:
        assert {n: one[n] for n in ("open", "up", "down")} == {
            n: pytest.approx(sums[one["date"], n]) for n in ("open", "up", "down")
        }
    assert (found["target"], found["target_status"], found["budget"]) == (None, None, None)
    targets.set_target(Subject(group="Mine"), 990_000)
    found = get("/groups/Mine/uptime", **window)
    # 1 per cent of twice 31 days of 8 hours.
    assert (found["target"], found["target_status"]) == (99.0, "missed")
    assert (found["budget"], found["used"], found["budget_left"]) == (4.96, 6.0, -1.04)
    assert get("/groups/Empty/uptime")["periods"] == []
    slash = get("/groups/Theirs/1/uptime", last="24h", by="hour")
    assert (slash["stores"], slash["total"]["open"]) == (1, 24)


def test_the_spans_of_a_store(stores: Workspace):
    found = get("/stores/b/spans", from_="2023-01-23", to="2023-01-24")
    assert found["window_from"] == "2023-01-23T05:00:00.000000Z"
    assert {one["status"] for one in found["spans"]} == {"up", "down"}
    assert found["spans"][0]["starts_at"] == "opening"
    assert found["spans"][-1]["ends_at"] == "closing"
    down = sum(
        instant(one["end"]) - instant(one["start"])
        for one in found["spans"]
        if one["status"] == "down"
    )
    assert down == 2 * HOUR
    total = get("/stores/b/uptime", from_="2023-01-23", to="2023-01-24")["total"]
    assert (total["down"], total["open"]) == (2, 8)


@pytest.mark.parametrize(
    "path", ["/stores/a/uptime", "/stores/a/spans", "/groups/Mine/uptime"], ids=str
)
@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"from_": "2023-01-24", "to": "2023-01-23"}, "ends before it begins"),
        ({"month": "0000-01"}, "month='0000-01' is no month."),
        ({"from_": "2013-01-01", "to": "2023-01-01", "by": "hour"}, "longer than 13 months"),
        ({"last": "ten years"}, "is no length of time"),
        ({"last": "1d", "month": "2023-01"}, "cannot be combined"),
        ({"from_": "2030-01-01"}, "is not before as_of"),
        ({"method": "guess"}, "method='guess' is not known."),
        ({"as_of": "soon"}, "as_of='soon' is not an instant."),
    ],
    ids=str,
)
def test_a_window_that_cannot_be(stores: Workspace, path: str, query: dict, says: str):
    assert says in refused(path, 400, **query)


def test_a_period_that_is_not_known(stores: Workspace):
    assert "by='minute' is not known." in refused("/stores/a/uptime", 400, by="minute")


def test_groups_as_they_are_now(stores: Workspace):
    found = get("/groups")
    assert found["as_of"] == AS_OF
    empty, mine, theirs = found["groups"]
    assert (empty["group"], empty["stores"], empty["uptime_percent"]) == ("Empty", 0, None)
    assert (mine["stores"], mine["statuses"]["closed"], theirs["statuses"]["up"]) == (2, 2, 1)
    total = get("/groups/Mine/uptime", last="24h")["total"]
    names = ("open", "up", "down", "uptime_percent", "coverage")
    assert {name: mine[name] for name in names} == {name: total[name] for name in names}


def test_an_owner_sees_their_own_alone(stores: Workspace):
    key = api_keys.make("owner", "owner", groups=["Mine"])
    targets.set_target(Subject(store="c"), 900_000)
    targets.set_target(Subject(store="a"), 990_000)
    found = get("/stores", key)
    assert (ids(found), found["count"]) == (["a", "b"], 2)
    assert [one["group"] for one in get("/groups", key)["groups"]] == ["Mine"]
    assert [one["store_id"] for one in get("/targets", key)["targets"]] == ["a"]
    for path in ("", "/uptime", "/spans"):
        assert get(f"/stores/a{path}", key)["store_id"] == "a"
        others = refused(f"/stores/c{path}", 404, key)
        assert others.replace("'c'", "'z'") == refused(f"/stores/z{path}", 404, key)
    assert get("/groups/Mine/uptime", key)["stores"] == 2
    others = refused("/groups/Theirs/1/uptime", 404, key)
    assert others.replace("Theirs/1", "z") == refused("/groups/z/uptime", 404, key)
    assert "There is no group" in refused("/stores", 404, key, group="Theirs/1")
    # The newest poll of theirs is not the newest of all.
    assert found["as_of"] == "2023-01-25T23:20:00.000000Z"


STANDING = ("target_status", "budget", "used", "budget_left", "burn_rate")


def test_targets_are_listed_with_how_their_stores_stand(stores: Workspace):
    assert get("/targets") == {"as_of": AS_OF, "targets": []}
    for subject, target in (
        (targets.ALL_STORES, 900_000),
        (Subject(group="Mine"), 990_000),
        (Subject(group="Empty"), 950_000),
        (Subject(store="a"), 999_900),
        (Subject(store="c"), 10_000),
    ):
        targets.set_target(subject, target)
    found = get("/targets")
    assert found["as_of"] == AS_OF
    every, empty, mine, a, c = found["targets"]
    assert [one["stores"] for one in (every, empty, mine, a, c)] == [
        len(ids(get("/stores"))),
        0,
        2,
        1,
        1,
    ]
    assert [empty[name] for name in STANDING] == [None] * len(STANDING)

    def standing(path: str, **query: str) -> dict[str, Any]:
        answer = get(path, **query)
        return {name: answer[name] for name in STANDING}

    for entry, path in ((a, "/stores/a"), (c, "/stores/c"), (mine, "/groups/Mine/uptime")):
        assert {name: entry[name] for name in STANDING} == standing(path)
        assert entry["target_status"] in ("met", "at risk", "missed")
    each = [get(f"/stores/{store}") for store in ids(get("/stores"))]
    used = sum(one["used"] for one in each)
    assert every["used"] == pytest.approx(used, abs=0.005 * len(each) + 0.01)
    csv_answer = ask("/targets", "GET", format="csv")
    assert refused("/targets", 400, format="xml")
    # An owner sees their own; of all stores these alone count.
    owner = api_keys.make("owner", "owner", groups=["Mine"])
    (whole, group, store) = get("/targets", owner)["targets"]
    assert [one["stores"] for one in (whole, group, store)] == [2, 2, 1]
    assert {name: whole[name] for name in STANDING} == {name: group[name] for name in STANDING}
    assert csv_answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(csv_answer.text)))
    assert [(row["store_id"], row["group"]) for row in rows] == [
        ("*", ""),
        ("", "Empty"),
        ("", "Mine"),
        ("a", ""),
        ("c", ""),
    ]
    for row, entry in zip(rows, found["targets"], strict=True):
        assert float(row["target"]) == entry["target"]
        assert int(row["stores"]) == entry["stores"]
        for name in STANDING[1:]:
            assert row[name] == ("" if entry[name] is None else f"{entry[name]:.2f}")


def test_targets_before_the_first_poll_have_no_standing(workspace: Workspace):
    targets.set_target(targets.ALL_STORES, 990_000)
    found = get("/targets")
    assert found["as_of"] is None
    (entry,) = found["targets"]
    assert (entry["target"], entry["stores"], entry["target_status"]) == (99, 0, None)


def test_targets_by_the_api(stores: Workspace):
    owner = api_keys.make("owner", "owner", groups=["Mine"])
    key = api_keys.make("operator", "operator")

    def put(status: int, who: str = key, **body: Any) -> Any:
        found = ask("/targets", "PUT", who, json=body)
        assert found.status_code == status, found.text
        return found.json()

    assert put(200, target=99.5) == {"store_id": None, "group": None, "target": 99.5}
    assert put(200, owner, target="98 %", group="Mine")["target"] == 98
    assert "operator" in put(403, owner, target=98)["error"]["hint"]
    for body, status, says in (
        ({"target": 101}, 400, "not from 1 to 100 per cent"),
        ({"target": 0}, 400, "not from 1 to 100 per cent"),
        ({"target": "high"}, 400, "not a number of per cent"),
        ({"group": "Mine"}, 400, "The target is missing."),
        ({"target": 99, "group": "Mine", "store_id": "a"}, 400, "a store and a group"),
        ({"target": 99, "group": "Theirs/1"}, 404, "There is no group"),
        ({"target": 99, "store_id": "c"}, 404, "There is no store"),
    ):
        assert says in put(status, owner, **body)["error"]["message"]
    assert ask("/targets", "DELETE", owner, group="Mine").json() == {
        "store_id": None,
        "group": "Mine",
    }
    assert ask("/targets", "DELETE", owner, group="Mine").status_code == 404
    assert ask("/targets", "DELETE", owner).status_code == 403
    assert [one["target"] for one in get("/targets", owner)["targets"]] == [99.5]
