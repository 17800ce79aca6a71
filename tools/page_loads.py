"""How long each page of a running dashboard takes to load in a browser: medians, as Markdown.

``python tools/page_loads.py URL [STORE]``: from the request until the page's script has run and
its charts are drawn; in a browser that was never here before (cold), and in one that has the
dashboard's own files in its cache, as from the second visit on (warm).
"""

import shutil
import sys
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import BrowserContext, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.browser import DESKTOP, DONE, FLAGS

TIMES = 5


def main() -> None:
    base, store = sys.argv[1], (sys.argv[2:] or [""])[0]
    pages = {
        "Overview": "",
        "Stores": "stores",
        "Store": f"store?store={store}",
        "Upload": "upload",
        "Reports": "reports",
        "Settings": f"settings?store={store}",
        "Help": "help",
    }
    print("| page | cold, median (s) | slowest | warm, median (s) | slowest |")
    print("| --- | ---: | ---: | ---: | ---: |")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, path in pages.items():
            cold, warm = [], []
            for _ in range(TIMES):
                context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
                cold.append(seconds_to_load(context, f"{base}/{path}"))
                warm.append(seconds_to_load(context, f"{base}/{path}"))
                context.close()
            cells = [f"{f(times):.2f}" for times in (cold, warm) for f in (median, max)]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
        browser.close()


def seconds_to_load(context: BrowserContext, url: str) -> float:
    """Open the page in a new tab and wait until it is done."""
    page = context.new_page()
    begin = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_function(DONE, timeout=60_000)
    seconds = time.perf_counter() - begin
    page.close()
    return seconds


if __name__ == "__main__":
    main()
