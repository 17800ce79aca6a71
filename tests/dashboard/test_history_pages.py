"""History on the pages: strips of days, bars in the table of stores, groups, trends."""

import pytest

from restmon.access.roles import Actor, Role
from restmon.core.formatting import share
from restmon.core.instants import as_text
from restmon.reporting import day_sums_refresh, history
from restmon.reporting.fleet import compute_fleet
from restmon.reporting.group_board import read_board
from restmon.reporting.history import read_group_days
from restmon.reporting.month_standing import read_month_standing
from restmon.reporting.scopes import find_scope
from restmon.reporting.target_standing import judge_now
from restmon.reporting.trend import read_trend
from restmon.reporting.uptime_series import read_series
from restmon.reporting.window_lines import Reading
from restmon.reporting.windows import parse_window
from restmon.storage import database
from restmon.storage.models import Group
from restmon.stores import groups
from restmon.stores.subjects import Subject
from restmon.stores.targets import set_target
from tests.support.pages import POLLS, html_rows, page, seen, stores_listed
from tests.support.workspace import Workspace

HOUR, DAY = 3_600_000_000, 86_400_000_000
AS_OF = 1_674_670_402_000_000
"""2023-01-25 18:13:22 UTC"""
EVERYTHING = Actor("x", Role.OPERATOR)


@pytest.fixture
def two_groups(workspace: Workspace) -> Workspace:
    """Stores a and b in group East, c in group West; c is polled later than the others."""
    polls = "".join(
        f"{store},{'inactive' if n % 9 == place else 'active'},{as_text(end - n * HOUR)}\n"
        for place, (store, end) in enumerate(
            [("a", AS_OF - 2 * DAY), ("b", AS_OF - 2 * DAY), ("c", AS_OF)]
        )
        for n in range(24 * 12)
    )
    workspace.import_now(polls)
    for name, members in (("East", ["a", "b"]), ("West", ["c"])):
        groups.create(name)
        groups.add(name, members)
    return workspace


def owner_of(*names: str) -> Actor:
    with database.session():
        return Actor("o", Role.OWNER, frozenset(Group.named(name).id for name in names))


@pytest.mark.parametrize("most", [0, 20_000])
def test_the_days_of_a_group_come_from_polls_and_from_sums_alike(
    two_groups: Workspace, monkeypatch: pytest.MonkeyPatch, most: int
):
    expected = read_group_days(EVERYTHING, 90)
    assert expected is not None
    monkeypatch.setattr(history, "MOST_FROM_POLLS", most)
    if not most:
        assert read_group_days(EVERYTHING, 90) is None  # nothing is made yet
    day_sums_refresh.refresh()
    found = read_group_days(EVERYTHING, 90)
    assert found is not None
    assert not found.behind
    assert list(found.of_groups) == ["East", "West"]
    for name, days in {"all": found.of_all, **found.of_groups}.items():
        wanted = {"all": expected.of_all, **expected.of_groups}[name]
        for column in ("dates", "open", "up", "down", "covered"):
            assert getattr(days, column).tolist() == getattr(wanted, column).tolist()
    east, west = found.of_groups["East"], found.of_groups["West"]
    assert (east.open + west.open == found.of_all.open).all()


@pytest.mark.parametrize("most", [0, 20_000])
def test_an_owner_sees_the_days_of_their_own_stores_alone(
    two_groups: Workspace, monkeypatch: pytest.MonkeyPatch, most: int
):
    day_sums_refresh.refresh()
    monkeypatch.setattr(history, "MOST_FROM_POLLS", most)
    found = read_group_days(owner_of("East"), 90)
    assert found is not None
    assert list(found.of_groups) == ["East"]
    # Nothing says that others were polled later.
    assert found.as_of == AS_OF - 2 * DAY
    assert found.of_all.dates[-1] == (AS_OF - 2 * DAY) // DAY
    assert found.of_all.open[-1] < 2 * 2 * DAY
    assert found.of_all.open.tolist() == found.of_groups["East"].open.tolist()


def test_sums_that_are_behind_say_until_when_they_go(
    two_groups: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(history, "MOST_FROM_POLLS", 0)
    day_sums_refresh.refresh()
    two_groups.import_now(f"c,active,{as_text(AS_OF + 3 * HOUR)}\n")
    found = read_group_days(EVERYTHING, 90)
    assert found is not None
    assert found.behind
    assert found.as_of == AS_OF
    shown = page("overview")
    assert any("These days go through Wed, Jan 25" in c.value for c in shown.caption)
    day_sums_refresh.refresh()
    shown = page("overview")
    assert not any("These days go through" in c.value for c in shown.caption)


def test_the_overview_has_a_strip_for_each_group(two_groups: Workspace):
    shown = page("overview")
    html = "".join(block.proto.body for block in shown.get("html"))
    assert 'aria-label="East: ' in html
    assert 'aria-label="West: ' in html
    assert "of open time was seen" in html


def test_without_groups_the_overview_has_one_strip(workspace: Workspace):
    workspace.import_now(POLLS)
    shown = page("overview")
    html = "".join(block.proto.body for block in shown.get("html"))
    assert 'aria-label="All stores: ' in html


def test_stores_are_filtered_by_their_target(two_groups: Workspace):
    assert "Target of the month" not in [box.label for box in page("stores").selectbox]
    set_target(Subject(group="East"), 999_000)
    set_target(Subject(group="West"), 500_000)
    assert stores_listed(page("stores", target="missed")) == ["a", "b"]
    assert stores_listed(page("stores", target="met")) == ["c"]
    shown = page("overview")
    (link,) = [entry for entry in shown.page_link if "missed the target" in entry.value]
    assert "target=missed" in link.proto.query_string


@pytest.mark.parametrize("most", [0, 20_000])
def test_targets_are_judged_by_the_day_sums_as_by_the_polls(
    two_groups: Workspace, monkeypatch: pytest.MonkeyPatch, most: int
):
    set_target(Subject(), 950_000)
    day_sums_refresh.refresh()
    monkeypatch.setattr(history, "MOST_FROM_POLLS", most)
    judged = read_month_standing(EVERYTHING)
    assert judged is not None
    stores, found = judged
    with database.reading():
        expected = judge_now(stores, Reading(AS_OF))
    for name, column in vars(expected).items():
        assert getattr(found, name).tolist() == column.tolist(), name


def test_the_columns_of_the_stores_can_be_chosen(two_groups: Workspace):
    rows = html_rows(page("stores"))
    assert list(rows[0])[:4] == ["Store", "Status", "Last 30 days", "Uptime"]
    (some,) = {tuple(row) for row in html_rows(page("stores", columns=["Lost", "Uptime"]))}
    assert some == ("Store", "Uptime", "Lost (estimate)", "href")
    html = "".join(block.proto.body for block in page("stores").get("html"))
    assert html.count('class="mini"') == 3


def test_groups_stand_side_by_side(two_groups: Workspace):
    set_target(Subject(group="East"), 999_000)
    rows = html_rows(page("groups"))
    assert [row["Group"] for row in rows] == ["East", "West", "All stores"]
    assert [row["Stores"] for row in rows] == ["2", "1", "3"]
    assert [row["href"] for row in rows] == ["/stores?group=East", "/stores?group=West", "/stores"]
    assert [row["Target"] for row in rows] == ["missed", "–", "missed"]
    fleet = compute_fleet()
    up, down = fleet.up[2, 2], fleet.down[2, 2]
    assert rows[1]["Uptime"].startswith(share(up, up + down))
    by_stores = html_rows(page("groups", sort_groups="Most stores"))
    assert [row["Group"] for row in by_stores] == ["East", "West", "All stores"]


def test_groups_of_an_owner_say_nothing_of_others(two_groups: Workspace):
    mine = read_board(owner_of("West"))
    assert [(row.name, row.stores) for row in mine] == [("West", 1), ("", 1)]
    assert mine[0].up == mine[1].up


def test_without_groups_the_page_says_how_to_make_them(workspace: Workspace):
    workspace.import_now(POLLS)
    assert "There are no groups yet." in seen(page("groups"))


@pytest.fixture
def falling(workspace: Workspace) -> Workspace:
    """Store a is down for a fifth of its last four weeks; b is always up."""
    lines = []
    for n in range(24 * 7 * 14):
        down = n < 24 * 7 * 4 and n % 5 == 0
        lines.append(f"a,{'inactive' if down else 'active'},{as_text(AS_OF - n * HOUR)}")
        lines.append(f"b,active,{as_text(AS_OF - n * HOUR)}")
    workspace.import_now("\n".join(lines) + "\n")
    groups.create("Good")
    groups.add("Good", ["b"])
    return workspace


@pytest.mark.parametrize("most", [0, 20_000])
def test_the_trend_finds_who_is_getting_worse(
    falling: Workspace, monkeypatch: pytest.MonkeyPatch, most: int
):
    monkeypatch.setattr(history, "MOST_FROM_POLLS", most)
    if not most:
        assert "The history by day is being made." in seen(page("trend"))
    day_sums_refresh.refresh()
    shown = page("trend")
    tables = [block.proto.body for block in shown.get("html") if "<table" in block.proto.body]
    assert len(tables) == 3
    assert "/store?store=a" in tables[2]
    assert "/store?store=b" not in tables[2]
    assert "**1** of 2 stores: their last 4 weeks are lower" in seen(shown)
    found = read_trend(find_scope(EVERYTHING))
    assert found is not None
    window = parse_window({"from": "2022-12-26"})
    series = read_series(find_scope(EVERYTHING), "week", window)
    assert found.weeks.dates[-5:].tolist() == series.number.tolist()
    for name in ("open", "up", "down", "covered"):
        got = getattr(found.weeks, name)[-5:]
        assert got.tolist() == getattr(series.sums, name).tolist()


def test_the_trend_of_a_group_and_of_a_store(falling: Workspace):
    assert "This store is not getting worse." in seen(page("trend", group="Good"))
    assert "**1** of 1 store: their last 4" in seen(page("trend", store="a"))
    assert read_trend(find_scope(owner_of("Good"))).stores.ids == ["b"]  # type: ignore[union-attr]
