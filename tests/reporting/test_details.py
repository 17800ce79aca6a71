"""The report in detail against the reference, through stored data."""

import csv
import io
import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restmon.access.roles import Actor, Role
from restmon.core.instants import as_text
from restmon.errors import BadRequest, NoPolls, NotFound
from restmon.reporting import computation, details_table
from restmon.reporting.details import compute_details
from restmon.reporting.scopes import Scope, find_scope
from restmon.reporting.snapshot import cache
from restmon.reporting.windows import parse_window
from restmon.storage import database
from restmon.storage.models import StoreDirectory
from restmon.stores import groups
from tests import reference
from tests.reference import DEFAULT_ZONE, two_decimals
from tests.support.examples import examples
from tests.support.imported import import_stores
from tests.support.stores import DAY, HOUR, MINUTE, AStore, cases
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases


def rows_of(text: str) -> dict[str, dict[str, str]]:
    return {row["store_id"]: row for row in csv.DictReader(io.StringIO(text))}


EVERYTHING = Scope()
EXAMPLE_TIME = 1_678_431_600_000_000
"""2023-03-10 07:00 UTC."""


def details_csv(scope: Scope = EVERYTHING, **words: Any) -> str:
    as_of, method = words.pop("as_of", None), words.pop("method", "nearest")
    window = parse_window({name.rstrip("_"): text for name, text in words.items()})
    return details_table.make_table(compute_details(scope, window, as_of, method)).csv()


def percent(part: Fraction | int, whole: Fraction | int) -> str:
    return two_decimals(Fraction(100 * part) / whole) if whole else ""


def expected_row(store: AStore, as_of: int, method: str, window: tuple[int, int]) -> dict[str, str]:
    """The numbers of a store's line by the plain definition."""
    hours = (store.hours, store.zone, store.polls)
    up, down = reference.time_between(*hours, as_of, method, *window)
    covered, opened = reference.coverage(*hours, as_of, *window, 90 * MINUTE)
    outages, begun, longest, total = reference.outage_statistics(*hours, as_of, method, *window)
    known = [time for time, _ in store.polls if time <= as_of]
    return {
        "open": two_decimals(Fraction(opened, HOUR)),
        "up": two_decimals(up / HOUR),
        "down": two_decimals(down / HOUR),
        "uptime_percent": percent(up, up + down),
        "outages": str(outages),
        "longest_outage": two_decimals(longest / HOUR) if outages else "",
        "mean_outage": two_decimals(total / outages / HOUR) if outages else "",
        "time_between_outages": two_decimals(up / begun / HOUR) if begun else "",
        "coverage": percent(covered, opened),
        "last_poll": as_text(max(known)) if known else "",
        "status_now": status_of(store, as_of, method),
        "zone": store.zone or DEFAULT_ZONE,
        "hours": "given" if store.hours else "assumed",
        "window_from": as_text(window[0]),
        "window_to": as_text(window[1]),
    }


def status_of(store: AStore, as_of: int, method: str) -> str:
    hours = (store.hours, store.zone, store.polls, as_of)
    is_open, is_up = reference.last_status(*hours, method)
    if is_up is None:
        return "no data"
    if reference.is_stale(*hours):
        return "not reporting"
    return ("up" if is_up else "down") if is_open else "closed"


@pytest.mark.parametrize("method", ["nearest", "previous"])
@pytest.mark.parametrize("days_before", [1, 4, 30])
def test_an_outage_after_which_nothing_was_polled_is_whole(
    workspace: Workspace, method: str, days_before: int
):
    poll = EXAMPLE_TIME
    as_of = poll + 60 * DAY
    store = AStore(hours=[], zone=None, polls=[(poll - HOUR, True), (poll, False)])
    import_stores(workspace, [store])
    window = (poll, poll + days_before * DAY)
    words = {"from_": as_text(window[0]), "to": as_text(window[1])}
    row = rows_of(details_csv(as_of=as_of, method=method, **words))["s0"]
    expected = expected_row(store, as_of, method, window)
    assert {name: row[name] for name in expected} == expected
    assert float(row["longest_outage"]) >= 60 * 24


@pytest.mark.parametrize("method", ["nearest", "previous"])
@given(
    case=cases(max_stores=3),
    length=st.sampled_from([HOUR, DAY, 7 * DAY, 40 * DAY]),
    before=st.sampled_from([0, 0, 20 * HOUR, 3 * DAY]),
)
@settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_details_are_the_references(
    workspace: Workspace, method: str, case: tuple, length: int, before: int
):
    stores, as_of = case
    named = import_stores(workspace, stores)
    if not any(store.polls for store in stores):
        return
    window = (as_of - before - length, as_of - before)
    words = {"from_": as_text(window[0]), "to": as_text(window[1])}
    found = rows_of(details_csv(as_of=as_of, method=method, **words))
    assert list(found) == [f"s{s}" for s in named]
    for s in named:
        row, expected = found[f"s{s}"], expected_row(stores[s], as_of, method, window)
        # A store that is open 24 hours, and is not polled when it is open, may be "up" or "down".
        assert {name: row[name] for name in expected} == expected
        down_since = row["down_since"]
        assert bool(down_since) == (row["status_now"] == "down")


def hourly(store: str, end: int, statuses: str) -> str:
    """Hourly polls up to ``end``: u for up, d for down."""
    return "".join(
        f"{store},{'active' if status == 'u' else 'inactive'},{as_text(end - n * HOUR)}\n"
        for n, status in enumerate(reversed(statuses))
    )


AS_OF = 1674670402_000_000  # 2023-01-25 18:13:22 UTC


@pytest.fixture
def three(workspace: Workspace) -> Workspace:
    polls = hourly("a", AS_OF, "u" * 40 + "ddd" + "u" * 5 + "dd")
    polls += hourly("b", AS_OF, "u" * 50) + hourly("c", AS_OF - 3 * DAY, "d" * 10)
    workspace.import_now(polls, zones="a,America/New_York\n")
    groups.create("Brand; one")
    groups.add("Brand; one", ["a", "b"])
    groups.create("Café")
    groups.add("Café", ["a"])
    with database.session():
        from restmon.storage.models import HourlySales, Revision, Store

        rows = {store.store_id: store.id for store in Store.select()}
        StoreDirectory.create(store=rows["a"], name='=HYPERLINK("x")', sales_per_hour=100.0)
        StoreDirectory.create(store=rows["c"], name="Sea, side", sales_per_hour=2.0)
        for hour in range(24):
            HourlySales.create(store=rows["c"], day_of_week=6, hour=hour, sales=24.0)
        Revision.create(stores_changed=True)
    cache.clear()
    return workspace


def test_a_week_in_detail(three: Workspace):
    found = rows_of(details_csv())
    a, b, c = (found[name] for name in "abc")
    assert a["name"] == '\'=HYPERLINK("x")'  # no spreadsheet runs it
    assert a["groups"] == "Brand\\; one;Café"
    assert (a["zone"], a["zone_assumed"], b["zone_assumed"]) == ("America/New_York", "no", "yes")
    assert a["hours"] == "assumed"
    # Down for 3 hours, and since halfway between the polls of 16:13:22 and 17:13:22.
    assert (a["open"], a["down"], a["outages"]) == ("168.00", "4.50", "2")
    assert (a["longest_outage"], a["mean_outage"]) == ("3.00", "2.25")
    assert a["time_between_outages"] == "81.75"
    assert (a["status_now"], a["down_since"]) == ("down", "2023-01-25 16:43:22.000000 UTC")
    assert a["lost_sales"] == "450.00"
    assert (b["lost_sales"], b["longest_outage"], b["uptime_percent"]) == ("", "", "100.00")
    assert (c["status_now"], c["uptime_percent"], c["name"]) == (
        "not reporting",
        "0.00",
        "Sea, side",
    )
    # 168 hours at 2, but for the 24 of a Sunday at 24.
    assert c["lost_sales"] == f"{144 * 2 + 24 * 24}.00"
    assert a["target"] == a["target_status"] == a["budget_left"] == ""


def test_details_agree_with_the_report(three: Workspace):
    plain = {
        row["store_id"]: row for row in csv.DictReader(io.StringIO(computation.compute().csv()))
    }
    found = rows_of(details_csv())
    assert list(found) == list(plain)
    for store, row in found.items():
        assert (row["up"], row["down"]) == (
            plain[store]["uptime_last_week"],
            plain[store]["downtime_last_week"],
        )


def test_local_dates_and_months_are_each_stores(three: Workspace):
    found = rows_of(details_csv(from_="2023-01-24", to="2023-01-25"))
    assert found["a"]["window_from"] == "2023-01-24 05:00:00.000000 UTC"
    assert found["b"]["window_to"] == "2023-01-25 06:00:00.000000 UTC"
    found = rows_of(details_csv(month="2023-01"))
    assert found["b"]["window_from"] == "2023-01-01 06:00:00.000000 UTC"
    assert found["b"]["window_to"] == as_text(AS_OF)


def test_a_target_is_judged_by_the_month(three: Workspace):
    from restmon.stores.targets import Subject, parse_target, set_target

    set_target(Subject(group="Café"), parse_target("99.5"))
    found = rows_of(details_csv(last="1d"))
    # 744 hours in January; it was down for 4.5 of them.
    assert found["a"]["target"] == "99.50"
    assert found["a"]["target_status"] == "missed"
    assert found["a"]["budget_left"] == "-0.78"
    assert found["b"]["target"] == found["b"]["target_status"] == ""
    assert rows_of(details_csv(month="2023-01"))["a"]["budget_left"] == "-0.78"


def test_a_group_or_a_store_alone(three: Workspace):
    assert list(rows_of(details_csv(find_scope(group="café")))) == ["a"]
    assert list(rows_of(details_csv(find_scope(store_id="b")))) == ["b"]
    scope = find_scope(group="Brand; one")
    assert list(rows_of(details_csv(scope))) == ["a", "b"]
    table = details_table.make_table(compute_details(scope))
    assert table.about["of"] == "group Brand; one"
    groups.delete("Brand; one")
    with pytest.raises(NotFound, match="no group 'Brand; one' any more"):
        compute_details(scope)


def test_an_owner_sees_own_stores_and_groups_alone(three: Workspace):
    with database.session():
        cafe = groups.Group.named("Café").id
    owner = Actor("o", Role.OWNER, frozenset({cafe}))
    found = rows_of(details_csv(find_scope(owner)))
    assert list(found) == ["a"]
    assert found["a"]["groups"] == "Café"
    for words in ({"group": "Brand; one"}, {"store_id": "b"}, {"store_id": "x\0"}):
        with pytest.raises(NotFound):
            find_scope(owner, **words)
    with pytest.raises(BadRequest, match="cannot be combined"):
        find_scope(owner, "Café", "a")


def test_a_table_is_kept_as_json(three: Workspace):
    table = details_table.make_table(compute_details(Scope()))
    again = details_table.read_table(table.as_json())
    assert again == table
    assert again.csv() == details_csv()
    record = json.loads(table.as_json())["rows"][0]
    assert record[list(details_table.COLUMNS).index("last_poll")] == "2023-01-25T18:13:22.000000Z"
    assert table.records()[0]["outages"] == 2
    for text in ("", "{}", "[1]"):
        with pytest.raises(Exception, match="damaged"):
            details_table.read_table(text)


def test_without_polls_there_are_no_details(workspace: Workspace):
    with pytest.raises(NoPolls):
        compute_details(Scope())
