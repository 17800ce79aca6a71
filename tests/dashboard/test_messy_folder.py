"""A folder as people have it, in a real browser: from the drop to the right report."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import xlsxwriter
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from restmon.core.instants import from_datetime
from restmon.reporting import computation
from tests import reference
from tests.support.browser import launched, settle, visiting
from tests.support.stores import HOUR, AStore
from tests.support.workspace import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRST = datetime(2025, 11, 3, tzinfo=UTC)  # a Monday; all dates can be read in two ways
TIMES = [FIRST + timedelta(hours=n, minutes=7) for n in range(9 * 24)]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
CLICKS = 15
"""Two for each of the five choices, one for each of the five other steps."""
TRIES = 10


def is_up(store: int, when: datetime) -> bool:
    return (when.hour * 7 + when.day * 3 + store) % 9 > 1


def times_of(store: int) -> list[datetime]:
    return [when for when in TIMES if (when.hour + store) % 3]


def zipped() -> bytes:
    """Polls of 1 and 2 below a folder, and what a Mac adds."""
    lines = [
        f"{store};{'open' if is_up(store, when) else 'paused'};{int(when.timestamp())}"
        for store in (1, 2)
        for when in times_of(store)
    ]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export/", "")
        text = "\n".join(["Store;Status;Timestamp", *lines])
        archive.writestr("export/status.csv", b"\xef\xbb\xbf" + text.encode())
        archive.writestr("__MACOSX/export/._status.csv", b"\0\x05\x16\x07")
    return out.getvalue()


def workbook() -> bytes:
    """Time zones, as Windows calls them, and a sheet that restmon does not know."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("Zones")
        zones = ("Eastern Standard Time", "Pacific Standard Time", "america/denver", "US/Central")
        for row, cells in enumerate([("Location ID", "TZ"), *enumerate(zones, 1)]):
            sheet.write_row(row, 0, cells)
        book.add_worksheet("Notes").write_row(0, 0, ("To do", "Who"))
    return out.getvalue()


def wide() -> bytes:
    """Hours of 1 and 2 with a column a weekday, in UTF-16, for a spreadsheet."""
    head = ["Store ID", *DAYS]
    rows = [
        ["1", *["9:00 AM - 5:00 PM"] * 5, "closed", "x"],
        ["2", *["11:30-14:00, 17:00-22:00"] * 6, "24 hours"],
    ]
    return "\r\n".join("\t".join(cells) for cells in [head, *rows]).encode("utf-16")


def unknown() -> bytes:
    """Polls of 3 under a header of its own."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Shop", "Checked at", "Answer", "By"])
    for when in times_of(3):
        writer.writerow(["3", when.isoformat(), "UP" if is_up(3, when) else "DOWN", "robot"])
    return out.getvalue().encode()


def numbered() -> bytes:
    """Hours of 3 and 4 by day numbers from 1 to 7, of which 1 is Sunday."""
    lines = [f"3,{day},8:00,24:00" for day in range(1, 8)]
    lines += [f"4,{day},10:00,2:00" for day in range(2, 7)]
    return "\n".join(["# hours", "", "store,day,open,close", *lines]).encode()


def american() -> bytes:
    """Polls of 4, the month first in each date."""
    lines = [
        f"4|{when:%m/%d/%Y %H:%M}|{1 if is_up(4, when) else 0}"
        for when in times_of(4)
        if when.day <= 12
    ]
    return "\n".join(["location_id|timestamp|status", *lines]).encode()


def expected_report() -> str:
    """The report of what the files say, by the plain definition."""
    office = [(day, 9 * HOUR, 17 * HOUR) for day in range(5)]
    kitchen = [
        (day, start, end)
        for day in range(6)
        for start, end in ((11 * HOUR + HOUR // 2, 14 * HOUR), (17 * HOUR, 22 * HOUR))
    ]
    hours = {
        1: office,
        2: [*kitchen, (6, 0, 24 * HOUR)],
        3: [(day, 8 * HOUR, 24 * HOUR) for day in range(7)],
        4: [(day, 10 * HOUR, 2 * HOUR) for day in range(5)],
    }
    zones = ("America/New_York", "America/Los_Angeles", "America/Denver", "US/Central")
    stores = {
        number: AStore(
            hours[number],
            zone,
            [(from_datetime(when), is_up(number, when)) for when in times_of(number)],
        )
        for number, zone in enumerate(zones, 1)
    }
    as_of = max(time for store in stores.values() for time, _ in store.polls)
    rows = [
        ",".join([str(n), *reference.report_row(s.hours, s.zone, s.polls, as_of, "nearest")])
        for n, s in stores.items()
    ]
    return "\n".join([computation.HEADER, *rows]) + "\n"


@pytest.fixture
def browser(chromium: str) -> Iterator[Browser]:
    with launched(chromium) as running:
        yield running


@dataclass
class Person:
    """Somebody at a page, whose clicks are counted."""

    page: Page
    clicks: int = 0

    def click(self, thing: Locator) -> None:
        thing.click()
        self.clicks += 1

    def choose(self, box: str, option: str, shown: Locator | None = None) -> None:
        """Choose an option of a select box; again where the page was drawn anew in between.

        What is ``shown`` tells that it was chosen: by default the box itself. The last choice of a
        form folds the form away.
        """
        opens = self.page.get_by_role("combobox", name=box, exact=False).last
        offered = self.page.get_by_role("option", name=option, exact=False).first
        for _ in range(TRIES):
            settle(self.page)
            opens.click()
            try:
                offered.click(timeout=4000)
                break
            except PlaywrightTimeout:
                self.page.keyboard.press("Escape")
        if shown is None:
            expect(opens).to_have_value(re.compile(re.escape(option)))
        else:
            expect(shown).to_be_visible()
        self.clicks += 2


def test_a_messy_folder_from_drop_to_the_right_report(
    browser: Browser, workspace: Workspace, tmp_path: Path
):
    files = {
        "export.zip": zipped(),
        "zones.xlsx": workbook(),
        "hours wide.txt": wide(),
        "checks.csv": unknown(),
        "days.csv": numbered(),
        "us dates.csv": american(),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    workspace.start_worker()
    workspace.start_dashboard()
    with visiting(browser, f"{workspace.dashboard}/upload") as page:
        person = Person(page)
        dropped = [tmp_path / name for name in files]
        page.locator("input[type=file]").first.set_input_files(dropped)
        person.click(page.get_by_text("Say which column is which in checks.csv"))
        for ours, theirs in (("store_id", "Shop"), ("timestamp_utc", "Checked at")):
            person.choose(ours, theirs)
        main = page.get_by_test_id("stMain")
        for box, option, shown in (
            ("status", "Answer", "Polls · checks.csv · 144 lines"),
            ("How are the days numbered?", "1-sunday", "Business hours · days.csv · 12 lines"),
            ("How are the dates written?", "month-first", "Polls · us dates.csv · 144 lines"),
        ):
            person.choose(box, option, main.get_by_text(shown))
        person.click(page.get_by_role("button", name="Import 6 files"))
        expect(page.get_by_text("Every line was accepted.")).to_be_visible()
        person.click(page.get_by_role("link", name="Reports").first)
        person.click(page.get_by_role("button", name="Make the report"))
        with page.expect_download() as report:
            person.click(page.get_by_role("button", name="CSV", exact=True))
        assert report.value.path().read_text() == expected_report()
        assert person.clicks == CLICKS
        assert page.complaints == []  # type: ignore[attr-defined]
