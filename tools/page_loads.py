"""How long each page of a running dashboard takes to load in a browser: medians, as Markdown.

``python tools/page_loads.py URL [STORE]``: from the request until the page's script has run and
its charts are drawn, in a new browser context each time.
"""

import shutil
import sys
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

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
    print("| page | median (s) | slowest (s) |\n| --- | ---: | ---: |")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, path in pages.items():
            seconds = []
            for _ in range(TIMES):
                context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
                page = context.new_page()
                begin = time.perf_counter()
                page.goto(f"{base}/{path}", wait_until="commit")
                page.wait_for_function(DONE, timeout=60_000)
                seconds.append(time.perf_counter() - begin)
                context.close()
            print(f"| {name} | {median(seconds):.2f} | {max(seconds):.2f} |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
