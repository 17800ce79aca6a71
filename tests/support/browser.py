"""A real browser on a real dashboard: waiting until a page is done, and reading it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
SECONDS = 60
SETTLING_SECONDS = 20
# How long a thing takes to appear is the machine's business.
expect.set_options(timeout=SECONDS * 1000)
DONE = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    if (!app || app.dataset.testScriptState !== 'notRunning') return false;
    if (document.querySelector('[data-testid=stSkeleton], [data-stale=true]')) return false;
    const shown = [...document.querySelectorAll('h1')].some(e => e.offsetHeight);
    const charts = [...document.querySelectorAll('[data-testid=stPlotlyChart]')];
    return shown && charts.every(e => e.querySelector('.main-svg .subplot'));
}"""


@contextmanager
def launched(chromium: str) -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visiting(
    browser: Browser,
    url: str,
    size: dict[str, int] | None = None,
    theme: str = "light",
    wait: bool = True,
) -> Iterator[Page]:
    """A new page, settled unless the test does not wait. ``page.complaints`` has the complaints of
    the browser's console, and the requests to other machines."""
    viewport: Any = size or DESKTOP
    context = browser.new_context(
        viewport=viewport, color_scheme="dark" if theme == "dark" else "light", timezone_id="UTC"
    )
    context.set_default_timeout(SECONDS * 1000)
    page = context.new_page()
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # Streamlit looks for a host page, and for itself below a page's path, and finds neither.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            complaints.append(message.text)

    def look(request: Request) -> None:
        if urlsplit(request.url).hostname not in {None, "127.0.0.1", "localhost"}:
            complaints.append(f"{request.url} is elsewhere.")

    page.on("console", listen)
    page.on("request", look)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.complaints = complaints  # type: ignore[attr-defined]
    try:
        page.goto(url)
        if wait:
            settle(page)
        yield page
    finally:
        context.close()


def settle(page: Page) -> None:
    """Wait until Streamlit has run the page and its charts are drawn."""
    page.wait_for_function(DONE, timeout=SECONDS * 1000)


WIDE = """() => {
    const areas = [document.documentElement, document.querySelector('[data-testid=stMain]')];
    return areas.filter(e => e.scrollWidth > e.clientWidth + 1)
        .map(e => `${e.tagName} ${e.scrollWidth} > ${e.clientWidth}`);
}"""


def too_wide(page: Page) -> list[str]:
    """What makes the page scroll sideways: the elements that reach beyond their scroll area.

    Tables and charts take their new width a moment after the window has; they are given time.
    """
    with suppress(PlaywrightTimeout):
        page.wait_for_function(f"() => !({WIDE})().length", timeout=SETTLING_SECONDS * 1000)
    found: list[str] = page.evaluate(WIDE)
    return found
