"""``make screenshots``: every page at desktop and phone width, on the demo stores.

Starts dashboard and worker on a database in a temporary folder and writes PNG files to
``docs/screenshots/`` (or the folder given). ``--dark`` takes them in the dark theme.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}
PAGES = {
    "overview": "",
    "stores": "stores",
    "groups": "groups",
    "trend": "trend",
    "store": "store?store=demo-00004",
    "upload": "upload",
    "reports": "reports",
    "settings": "settings",
    "help": "help",
}
BEHIND_A_LOGIN = {
    "login": "login",
    "access": "access",
    "keys": "access?access_part=API+keys",
    "audit": "access?access_part=Audit",
    "account": "account",
}
EMAIL, PASSWORD = "operator@example.com", "four words nobody guesses"
PEOPLE = f"""
from restmon.access import accounts, api_keys, audit
from restmon.storage import database
from restmon.stores import groups
from restmon.access.roles import Role
database.configure()
groups.create("Nora's")
groups.add("Nora's", ["demo-00001", "demo-00004"])
accounts.add({EMAIL!r}, Role.OPERATOR, {PASSWORD!r})
accounts.add("nora@example.com", Role.OWNER, {PASSWORD!r}, ["Nora's"])
accounts.add("viewer@example.com", Role.VIEWER)
api_keys.make("nightly", Role.OPERATOR, 365)
api_keys.make("Nora's till", Role.OWNER, None, ["Nora's"])
"""
THREE_REPORTS = """
from restmon.reporting import reports
from restmon.storage import database
database.configure()
with database.session():
    newest = database.newest_poll()
for days in (2, 1, 0):
    reports.work(reports.request(newest - days * 86_400_000_000, requested_by="dashboard").id)
"""
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, port: int) -> dict[str, str]:
    """What names the database in the folder."""
    return {
        **os.environ,
        "RESTMON_DATABASE_URL": f"sqlite:///{folder / 'restmon.db'}",
        "RESTMON_QUEUE_URL": f"sqlite:///{folder / 'queue.db'}",
        "RESTMON_DATA_DIR": str(folder / "data"),
        "RESTMON_DASHBOARD_PORT": str(port),
    }


def start(env: dict[str, str]) -> list[subprocess.Popen[bytes]]:
    """A database with the demo and a complete report; dashboard and worker."""
    restmon = [sys.executable, "-m", "restmon"]
    subprocess.run([*restmon, "demo", "--load"], cwd=ROOT, env=env, check=True)
    subprocess.run([sys.executable, "-c", THREE_REPORTS], cwd=ROOT, env=env, check=True)
    return [
        subprocess.Popen([*restmon, name], cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
        for name in ("worker", "dashboard")
    ]


def settled(page: Page) -> None:
    """Wait until Streamlit has finished and the charts are drawn."""
    if "/login" in page.url:
        return
    page.wait_for_selector("[data-testid=stApp]")
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState"
        " === 'notRunning' && !document.querySelector('[data-testid=stSkeleton]')"
        " && document.querySelector('h1')",
        timeout=60_000,
    )
    page.wait_for_timeout(1200)


def wait_for_port(port: int) -> None:
    """Wait until something listens on the port."""
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)


def log_in(page: Page, email: str = EMAIL, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector("[data-testid=stApp]")


def shoot(page: Page, path: Path) -> None:
    """The whole page, however long."""
    height = page.evaluate(
        "() => Math.max(...[...document.querySelectorAll('[data-testid=stMain],"
        "[data-testid=stMainBlockContainer], main')].map(e => e.scrollHeight))"
    )
    size: Any = page.viewport_size
    page.set_viewport_size({"width": size["width"], "height": min(int(height) + 80, 6000)})
    page.wait_for_timeout(900)
    page.screenshot(path=str(path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--only", nargs="*", default=[*PAGES, *BEHIND_A_LOGIN])
    parser.add_argument("--url", help="take them of a dashboard that runs already")
    options = parser.parse_args()
    chromium = os.environ.get("RESTMON_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        raise SystemExit("There is no chromium on the PATH; install it or set RESTMON_CHROMIUM.")
    options.folder.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="restmon-screenshots-"))
    port = free_port()
    env = environment(work, port)
    started = [] if options.url else start(env)
    base = options.url or f"http://127.0.0.1:{port}"
    try:
        if not options.url:
            wait_for_port(port)
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
            for behind, pages in ((False, PAGES), (True, BEHIND_A_LOGIN)):
                wanted = [name for name in options.only if name in pages]
                if behind and wanted and not options.url:
                    subprocess.run([sys.executable, "-c", PEOPLE], cwd=ROOT, env=env, check=True)
                for width, (across, down) in WIDTHS.items():
                    context = browser.new_context(
                        viewport={"width": across, "height": down},
                        color_scheme="dark" if options.dark else "light",
                    )
                    for name in wanted:
                        page = context.new_page()
                        page.goto(f"{base}/{pages[name]}")
                        settled(page)
                        shoot(page, options.folder / f"{name}-{width}.png")
                        if name == "login":
                            log_in(page)
                        page.close()
                    context.close()
            browser.close()
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(30)
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
