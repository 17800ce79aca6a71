"""Pages on paper, by a real browser: whole, on white, without menus and buttons; and what a
selection in the timeline shows."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pypdf
import pytest
from playwright.sync_api import Browser, Page, expect

from restmon.dashboard import printing
from tests.support.browser import DESKTOP, PHONE, launched, settle, visiting
from tests.support.workspace import Workspace, make_workspace

pytestmark = [pytest.mark.browser]

STORE = "store?store=demo-00004"
FRAMED = ("Search stores", "Download what is shown", "Print", "Between polls")
"""What belongs to the screen."""
PLACES = """() => [...document.querySelectorAll('.js-plotly-plot .svg-container, table, h1, h2')]
    .map(e => e.getBoundingClientRect()).filter(b => b.width)
    .map(b => [b.left, b.right])"""
COLORS = """() => [...document.querySelectorAll('h1, p, td, th, .js-plotly-plot text')]
    .filter(e => e.getBoundingClientRect().width)
    .map(e => getComputedStyle(e)[e.tagName === 'text' ? 'fill' : 'color'])"""
MARGINS = 2 * 12 / 25.4 * 96
FREE_SPOT = """chart => {
    const middle = e => { const b = e.getBoundingClientRect(); return b.left + b.width / 2; };
    const marks = [...chart.querySelectorAll('.scatterlayer .point')].map(middle);
    const bars = [...chart.querySelectorAll('.trace.bars')[1].querySelectorAll('.point path')]
        .map(e => e.getBoundingClientRect());
    const distance = x => Math.min(...marks.map(m => Math.abs(m - x)));
    const spots = bars.flatMap(b => Array.from({length: Math.floor(b.width)},
        (_, n) => ({x: b.left + n, y: b.top + b.height / 2})));
    return spots.reduce((best, one) => distance(one.x) > distance(best.x) ? one : best);
}"""
"""The spot of the bars of the time up that is farthest from every mark of a poll: when the demo's
polls were depends on the hour of the test."""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with launched(chromium) as running:
        yield running


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Workspace]:
    """A dashboard on the demo stores, not to be changed."""
    made = make_workspace(tmp_path_factory.mktemp("demo"))
    try:
        assert made.restmon("demo", "--load").returncode == 0
        made.start_dashboard()
        yield made
    finally:
        made.stop_all()


def on_paper(page: Page, paper: str) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(page.pdf(format=paper)))


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("paper", "width"), [("A4", 794), ("Letter", 816)])
@pytest.mark.parametrize("path", [STORE, ""])
def test_a_page_is_printed_whole(
    browser: Browser, demo: Workspace, path: str, paper: str, width: int, theme: str
):
    with visiting(browser, f"{demo.dashboard}/{path}", DESKTOP, theme) as page:
        text = "\n".join(one.extract_text() for one in on_paper(page, paper).pages)
        for word in FRAMED:
            assert word not in text
        if path:
            for word in (
                "(demo-00004)",
                "as of ",
                "When the store was up and down",
                "Uptime of each day",
                "This week and the week before",
                "Business hours",
                "Sunday",
            ):
                assert word in text.replace("\n", " "), word
        else:
            assert text.startswith("Overview")
            assert not re.search(r"Down now\s+(Stopped reporting|As of)", text), "The list is gone."
            assert "As of " in text
        # The layout of the paper, in the window.
        page.emulate_media(media="print")
        page.set_viewport_size({"width": round(width - MARGINS), "height": 1000})
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        inside = page.evaluate("innerWidth")
        places = page.evaluate(PLACES)
        assert places
        assert all(left >= -1 and right <= inside + 1 for left, right in places), places
        assert set(page.evaluate(COLORS)) == {"rgb(10, 19, 28)"}
        page.evaluate("dispatchEvent(new Event('afterprint'))")


def test_the_print_link_prints_charts_in_the_width_of_paper(browser: Browser, demo: Workspace):
    with visiting(browser, f"{demo.dashboard}/{STORE}", DESKTOP) as page:
        page.evaluate(
            "window.print = () => window.printed ="
            " document.querySelector('.js-plotly-plot .svg-container').clientWidth"
        )
        page.get_by_role("button", name="Print", exact=True).click()
        page.wait_for_function("() => window.printed")
        assert page.evaluate("window.printed") <= printing.WIDTH
        page.wait_for_function(
            "() => document.querySelector('.js-plotly-plot .svg-container').clientWidth > 1000"
        )


def test_a_selected_span_says_why_below_the_chart(browser: Browser, demo: Workspace):
    with visiting(browser, f"{demo.dashboard}/{STORE}", DESKTOP) as page:
        chart = page.locator("[data-testid=stPlotlyChart]").first
        chart.scroll_into_view_if_needed()
        spot = chart.evaluate(FREE_SPOT)
        page.mouse.click(spot["x"], spot["y"])
        settle(page)
        told = page.locator("[data-testid=stAlert]").filter(has_text="from ")
        expect(told).to_contain_text("for ")
        expect(told).to_contain_text("UTC")


def test_a_tap_on_a_phone_says_why(browser: Browser, demo: Workspace):
    context = browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type]
        has_touch=True,
        is_mobile=True,
        user_agent="Mozilla/5.0 (Linux; Android 15) Mobile Safari/537.36",
    )
    page = context.new_page()
    try:
        page.goto(f"{demo.dashboard}/{STORE}")
        settle(page)
        chart = page.locator("[data-testid=stPlotlyChart]").first
        chart.scroll_into_view_if_needed()
        box: Any = chart.locator(".trace.bars").nth(1).locator(".point path").first.bounding_box()
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(chart.locator(".hoverlayer")).to_contain_text("UTC")
    finally:
        context.close()
