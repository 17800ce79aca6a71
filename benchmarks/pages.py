"""``make bench-pages``: how long each page of the dashboard takes to load in a browser.

14,000 stores of the demo generator, a week and a day of polls. From the request until the page's
script has run and its charts are drawn; in a browser that was never here before (cold), and when
its tab comes back to the page (warm). Two pages that hold nothing of restmon's are measured along,
in turn with the others: Streamlit alone, and Streamlit with a chart of two points.

The browser is nobody's puppet: the clock is an extension. Under Playwright, as under open
developer tools, a page with charts takes half as long again, because the engine then keeps account
of where each function of Plotly's four million letters stands.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from statistics import median
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from benchmarks.__main__ import RESULTS, ROOT, WEEK_DAYS, machine
from benchmarks.load import free_port, wait_for
from restmon.demo import generator
from tests.support.browser import DESKTOP, DONE

STORES = 14_000
LONGEST_SECONDS = 60
CHROMIUM = os.environ.get("RESTMON_CHROMIUM") or shutil.which("chromium") or ""
STORE = "demo-00002"
PAGES = {
    "Overview": "/",
    "Stores": "/stores",
    "Groups": "/groups",
    "Store": "/store?store={store}",
    "Upload": "/upload",
    "Reports": "/reports",
    "Documents": "/documents",
    "Schedules": "/documents?part=Schedules",
    "Alerts": "/alerts",
    "Settings": "/settings?store={store}",
    "Access": "/access",
    "Outages": "/outages",
    "Trend": "/trend",
    "Data check": "/data_check",
    "Help": "/help",
}
BARE = {
    "Streamlit alone": 'import streamlit as st\nst.title("Bare")\n',
    "Streamlit, one chart": (
        'import streamlit as st\nst.title("Bare")\n'
        'st.plotly_chart({"data": [{"x": [1, 2], "y": [1, 2]}], "layout": {}})\n'
    ),
}
CONTENT_SCRIPT = """
const done = %(done)s;
const look = () => {
    if (!done()) return requestAnimationFrame(look);
    const seconds = performance.now() / 1000;
    location.replace(`%(clock)s/?seconds=${seconds}`);
};
if (location.port !== '%(port)s') look();
"""
# Until the browser has nothing of its own to do.
ON_THE_WAY = "<script>setTimeout(() => location.replace({url}), {milliseconds})</script>"


class Clock(ThreadingHTTPServer):
    """Sends the browser to a page, and again, and is told how long either took."""

    url = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.times: Queue[float] = Queue()
        self.address = f"http://127.0.0.1:{self.server_port}"


class Visit(BaseHTTPRequestHandler):
    """A request of the browser on its way between two visits of the page."""

    server: Clock

    def do_GET(self) -> None:
        """Take the time that is told, and send the browser on."""
        told = parse_qs(urlsplit(self.path).query).get("seconds")
        if told:
            self.server.times.put(float(told[0]))
        on = ON_THE_WAY.format(url=json.dumps(self.server.url), milliseconds=1000 if told else 3000)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(on.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def extension(clock: Clock) -> Iterator[str]:
    """The folder of an extension that tells the clock when a page is done."""
    script = {"done": DONE, "clock": clock.address, "port": clock.server_port}
    manifest = {
        "manifest_version": 3,
        "name": "clock",
        "version": "1",
        "content_scripts": [
            {"matches": ["http://*/*"], "js": ["clock.js"], "run_at": "document_start"}
        ],
    }
    with tempfile.TemporaryDirectory(prefix="restmon-clock-") as folder:
        Path(folder, "clock.js").write_text(CONTENT_SCRIPT % script)
        Path(folder, "manifest.json").write_text(json.dumps(manifest))
        yield folder


@contextmanager
def bare(script: str, *options: str) -> Iterator[str]:
    """The address of a dashboard that is a script of Streamlit's and no more."""
    with tempfile.TemporaryDirectory(prefix="restmon-bare-") as folder:
        path, port = Path(folder, "bare.py"), free_port()
        path.write_text(script)
        arguments = ["streamlit", "run", str(path), "--server.headless=true"]
        arguments += [f"--server.port={port}", "--server.address=127.0.0.1"]
        arguments += ["--server.fileWatcherType=none", "--browser.gatherUsageStats=false", *options]
        with served(arguments, port, dict(os.environ)) as url:
            yield url


@contextmanager
def ours(folder: Path, stores: int) -> Iterator[str]:
    """The address of restmon's dashboard, with so many stores."""
    made = generator.generate(folder, generator.DemoPlan(stores=stores, days=WEEK_DAYS, seed=3))
    port = free_port()
    env = os.environ | {
        "RESTMON_DATABASE_URL": f"sqlite:///{folder / 'restmon.db'}",
        "RESTMON_DATA_DIR": str(folder),
        "RESTMON_DASHBOARD_PORT": str(port),
    }
    files = {
        "--polls": made.polls,
        "--business-hours": made.business_hours,
        "--timezones": made.timezones,
    }
    arguments = [str(part) for pair in files.items() for part in pair]
    for command in (["import", *arguments], ["report", "--output", str(folder / "report.csv")]):
        subprocess.run(
            [sys.executable, "-m", "restmon", *command],
            env=env,
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    with served(["restmon", "dashboard"], port, env) as url:
        yield url


@contextmanager
def served(arguments: list[str], port: int, env: dict[str, str]) -> Iterator[str]:
    """The address of a module that serves pages, while the block runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=env,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/_stcore/health")
        yield url
    finally:
        process.terminate()
        process.wait()


def seconds_to_load(url: str, clock: Clock, folder: str) -> tuple[float, float]:
    """Open the page twice in a new browser, and wait each time until it is done."""
    clock.url = url
    with tempfile.TemporaryDirectory(prefix="restmon-browser-", ignore_cleanup_errors=True) as home:
        process = subprocess.Popen(
            [
                CHROMIUM,
                "--headless=new",
                "--no-sandbox",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-features=DisableLoadExtensionCommandLineSwitch",
                f"--load-extension={folder}",
                f"--user-data-dir={home}",
                "--window-size={width},{height}".format(**DESKTOP),
                clock.address,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return clock.times.get(timeout=LONGEST_SECONDS), clock.times.get(
                timeout=LONGEST_SECONDS
            )
        finally:
            process.terminate()
            process.wait()


def main() -> None:
    """Measure, print a table, write it to the results folder."""
    parser = argparse.ArgumentParser(prog="make bench-pages ARGS=…", description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="repetitions of each page")
    parser.add_argument("--stores", type=int, default=STORES)
    parser.add_argument("--pages", nargs="+", choices=[*PAGES, *BARE], default=[*PAGES, *BARE])
    parser.add_argument("--output", type=Path, help="the JSON file (default: by date)")
    options = parser.parse_args()
    if not CHROMIUM:
        raise SystemExit("There is no chromium on the PATH. Install it, or set RESTMON_CHROMIUM.")
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    now, on = datetime.now(UTC), machine()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="restmon-pages-"))
        base = stack.enter_context(ours(Path(folder), options.stores))
        pages = {
            name: base + PAGES[name].format(store=STORE)
            if name in PAGES
            else stack.enter_context(bare(BARE[name]))
            for name in options.pages
        }
        clock = Clock()
        stack.callback(clock.shutdown)
        Thread(target=clock.serve_forever, daemon=True).start()
        told = stack.enter_context(extension(clock))
        for _ in range(options.repeat):
            for name, url in pages.items():
                found[name].append(seconds_to_load(url, clock, told))
    lines = [
        {
            "page": name,
            **{
                temperature: {"median": median(times), "least": min(times), "most": max(times)}
                for temperature, times in zip(
                    ("cold", "warm"), zip(*both, strict=True), strict=True
                )
            },
        }
        for name, both in found.items()
    ]
    output = options.output or RESULTS / f"pages-{now:%Y%m%d-%H%M%S}.json"
    result = {"date": now.isoformat(timespec="seconds"), **on, "repeat": options.repeat}
    output.write_text(json.dumps({**result, "lines": lines}, indent=1) + "\n")
    print(f"{on['cores']} cores; medians of {options.repeat} (least–most), seconds\n")
    print("| page | cold | warm |\n| --- | --- | --- |")
    for line in lines:
        cells = [
            "{median:.2f} ({least:.2f}–{most:.2f})".format(**line[name])
            for name in ("cold", "warm")
        ]
        print(f"| {line['page']} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
