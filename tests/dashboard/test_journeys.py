"""What a manager wants to know, on a phone and on a desktop, with the clicks counted."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from restmon.ingest.store_editing import save_entry
from restmon.stores import targets
from tests.support.browser import DESKTOP, PHONE, launched, settle, visiting
from tests.support.workspace import Workspace, make_workspace, open_workspace

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STORES = [f"s-{n:02d}" for n in range(12)]
DOWN = "s-11"
WHY = "Tablet is offline"
IN_INCIDENT = STORES[:8]
SALES = 100
"""Dollars an hour."""
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


class Visitor:
    """A page, and how often its visitor has clicked or tapped."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0

    def click(self, place: Locator) -> None:
        place.first.click(force=True)
        self.clicks += 1
        settle(self.page)


def incident_day(now: datetime) -> datetime:
    """Three days ago: the evening on which many stores were down."""
    return (now - timedelta(days=3)).replace(hour=18)


def polls(now: datetime) -> Iterator[str]:
    """Polls of 35 days, each hour. One store is down since three hours before the last of them; an
    evening three days ago, eight were down; and on the 15th of the month before, one for an
    hour."""
    begin = incident_day(now)
    for hour in range(35 * 24):
        at = now - timedelta(hours=hour)
        for store in STORES:
            struck = store in IN_INCIDENT and begin <= at <= begin + timedelta(hours=3)
            down = struck or (store == DOWN and hour < 3)
            reason = "Point of sale is down" if struck else WHY
            status = f"inactive,{at:%Y-%m-%d %H:%M:%S},{reason}" if down else f"active,{at},"
            yield f"{store},{status}\n"
    fifteenth = (now.replace(day=1) - timedelta(days=1)).replace(day=15)
    for hour, status in ((11, "active"), (12, "inactive"), (13, "active")):
        yield f"s-00,{status},{fifteenth.replace(hour=hour)},\n"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with launched(chromium) as running:
        yield running


@pytest.fixture(scope="module")
def restaurants(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Workspace]:
    """A dashboard of twelve stores that are open around the clock, as `polls` says, in New York;
    not to be changed."""
    made = make_workspace(tmp_path_factory.mktemp("restaurants"))
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    try:
        made.write("polls.csv", "store_id,status,timestamp_utc,reason\n" + "".join(polls(now)))
        zones = "".join(f"{store},America/New_York\n" for store in STORES)
        made.write("zones.csv", f"store_id,timezone_str\n{zones}")
        done = made.restmon("import", str(made.path / "polls.csv"), str(made.path / "zones.csv"))
        assert done.returncode == 0, done.stderr
        with open_workspace(made):
            for store in STORES:
                save_entry(store, {"name": f"Main Street {store}", "sales_per_hour": f"{SALES}"})
            targets.set_target(targets.Subject(store=DOWN), 999_900)
        made.start_worker()
        made.start_dashboard()
        yield made
    finally:
        made.stop_all()


@SIZES
def test_which_stores_are_down_since_when_and_why(
    browser: Browser, restaurants: Workspace, size: dict[str, int]
):
    """The first page says it; a click on the store says more."""
    with visiting(browser, restaurants.dashboard, size) as page:
        visitor = Visitor(page)
        expect(page.get_by_role("heading", level=2).first).to_contain_text("1 of 12 stores is down")
        line = page.get_by_test_id("stPageLink").filter(has_text=DOWN).first
        expect(line).to_contain_text("down for 2 h 30 min (since ")
        expect(line).to_contain_text(WHY)
        expect(line).to_contain_text("an estimated $250 lost so far")
        assert visitor.clicks == 0
        visitor.click(line.get_by_role("link"))
        expect(page.get_by_role("heading", level=1)).to_have_text(
            f"Store Main Street {DOWN} ({DOWN})"
        )
        for text in ("2 h 30 min", WHY):
            expect(page.get_by_text(text).filter(visible=True).first).to_be_visible()
        assert visitor.clicks == 1


@SIZES
def test_the_incident_of_an_evening_is_opened_and_its_stores_are_listed(
    browser: Browser, restaurants: Workspace, size: dict[str, int]
):
    with visiting(browser, restaurants.dashboard, size) as page:
        visitor = Visitor(page)
        evening = incident_day(datetime.now(UTC))
        incident = page.get_by_role("link").filter(has_text="8 stores down")
        expect(incident).to_contain_text(f"{evening:%a, %b} {evening.day}")
        visitor.click(incident)
        expect(page.get_by_role("heading", level=1)).to_have_text("Outages")
        rows = page.locator(".rows tbody tr")
        expect(rows).to_have_count(len(IN_INCIDENT))
        for store in IN_INCIDENT:
            expect(rows.filter(has_text=store)).to_contain_text("Point of sale is down")
        assert visitor.clicks == 1


@SIZES
def test_what_the_last_month_cost(browser: Browser, restaurants: Workspace, size: dict[str, int]):
    with visiting(browser, restaurants.dashboard, size) as page:
        visitor = Visitor(page)
        visitor.click(page.get_by_role("link", name="See what last month cost"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Outages")
        expect(page.get_by_role("combobox", name="When")).to_have_value("Last month")
        month = datetime.now(UTC).replace(day=1) - timedelta(days=1)
        cost = re.compile(rf"An estimated \$[\d,.]+ was lost in {month:%B}")
        expect(page.get_by_role("heading", level=2).first).to_contain_text(cost)
        assert visitor.clicks == 1


@SIZES
def test_who_missed_the_target(browser: Browser, restaurants: Workspace, size: dict[str, int]):
    with visiting(browser, restaurants.dashboard, size) as page:
        visitor = Visitor(page)
        visitor.click(page.get_by_role("link", name="Who missed the target this month?"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Stores")
        rows = page.locator(".rows tbody tr")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text(DOWN)
        assert visitor.clicks == 1


@SIZES
def test_a_store_is_printed(browser: Browser, restaurants: Workspace, size: dict[str, int]):
    with visiting(browser, restaurants.dashboard, size) as page:
        page.add_init_script("window.print = () => { window.printed = true; }")
        page.evaluate("window.print = () => { window.printed = true; }")
        visitor = Visitor(page)
        visitor.click(page.get_by_test_id("stPageLink").filter(has_text=DOWN).get_by_role("link"))
        expect(page.get_by_role("heading", level=1)).to_contain_text(DOWN)
        visitor.click(page.get_by_role("button", name="Print", exact=True))
        page.wait_for_function("() => window.printed")
        assert visitor.clicks == 2
