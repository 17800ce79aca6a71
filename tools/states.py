"""``make states``: every page in every state of the data, at two widths and in both themes.

Makes a database for each state in a temporary folder, starts dashboard and worker on it, and writes
PNG files to ``FOLDER/STATE/``, and for each state, width and theme a sheet of all its pages, which
is what to look at first: ``FOLDER/STATE-WIDTH-THEME.png``.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from screenshots import (
    CHROMIUM_FLAGS,
    EMAIL,
    PASSWORD,
    PEOPLE,
    ROOT,
    THREE_REPORTS,
    WIDTHS,
    environment,
    free_port,
    log_in,
    settled,
    shoot,
    wait_for_port,
)

PAGES = {
    "overview": "",
    "stores": "stores",
    "store": "store?store=demo-00004",
    "outages": "outages",
    "trend": "trend",
    "groups": "groups",
    "alerts": "alerts",
    "documents": "documents",
    "upload": "upload",
    "reports": "reports",
    "data_check": "data_check",
    "settings": "settings",
    "settings-groups": "settings?part=Groups",
    "settings-targets": "settings?part=Targets",
    "settings-delete": "settings?part=Delete+data",
    "help": "help",
    "access": "access",
    "keys": "access?access_part=API+keys",
    "audit": "access?access_part=Audit",
    "account": "account",
}
OPERATORS = {"access", "keys", "audit", "account", "settings-groups", "settings-delete"}
"""Pages that an owner does not have, or that nobody has without a login."""
SHEET_WIDTH, SHEET_HEIGHT, GAP, ACROSS = 420, 1100, 12, 6
OWNER = "nora@example.com"
MADE = """
import sys
from datetime import datetime
from pathlib import Path
from restmon.demo import generator
folder, stores, days, end = sys.argv[1:]
generator.generate(Path(folder), generator.DemoPlan(
    stores=int(stores), days=int(days), end=datetime.fromisoformat(end), everything=True))
"""
WAITING = """
from restmon.reporting import reports
from restmon.storage import database
database.configure()
reports.request(requested_by="dashboard")
"""
COMMAND = [sys.executable, "-m", "restmon"]


def script(env: dict[str, str], text: str, *arguments: object) -> None:
    """Run a Python script on the database that the environment names."""
    words = [sys.executable, "-c", text, *map(str, arguments)]
    subprocess.run(words, cwd=ROOT, env=env, check=True)


def load_demo(env: dict[str, str]) -> None:
    """The demo stores, with polls up to this hour."""
    subprocess.run([*COMMAND, "demo", "--load"], cwd=ROOT, env=env, check=True)


def load_made(
    env: dict[str, str], stores: int = 40, age: float = 0, *, halved: bool = False
) -> None:
    """Made-up stores whose newest polls are ``age`` days old. With ``halved``, every other store
    has no polls of the last two days before that."""
    end = (datetime.now(UTC) - timedelta(days=age)).replace(minute=0, second=0, microsecond=0)
    with tempfile.TemporaryDirectory(prefix="restmon-states-") as name:
        folder = Path(name)
        script(env, MADE, folder, stores, 15 if stores < 1000 else 9, end.isoformat())
        if halved:
            silent = f"{end - timedelta(days=2):%Y-%m-%d %H:%M}"
            path = folder / "polls.csv"
            head, *lines = path.read_text().splitlines(keepends=True)
            parts = [line.split(",", 3) for line in lines]
            kept = [
                line
                for line, (store, _, at, *_) in zip(lines, parts, strict=True)
                if int(store[-5:]) % 2 or at < silent
            ]
            path.write_text(head + "".join(kept))
        files = sorted(map(str, folder.glob("*.csv")))
        subprocess.run([*COMMAND, "import", *files], cwd=ROOT, env=env, check=True)


def prepare(state: str, env: dict[str, str]) -> None:
    """Fill the database of a state."""
    if state == "empty":
        return
    if state in {"demo", "no-worker", "owner"}:
        load_demo(env)
    else:
        load_made(
            env,
            stores=14_000 if state == "14000" else 40,
            age=25 if state == "stale" else 0,
            halved=state == "unseen",
        )
    script(env, THREE_REPORTS)
    if state == "no-worker":
        script(env, WAITING)
    if state in {"demo", "owner"}:
        script(env, PEOPLE)


STATES = ("empty", "demo", "14000", "stale", "unseen", "no-worker", "owner")
WHO = {"demo": EMAIL, "owner": OWNER}
"""Who looks at a state in which there are accounts."""


@contextmanager
def running(state: str) -> Iterator[str]:
    """The dashboard's address, while it and, unless the state has none, a worker run."""
    work = Path(tempfile.mkdtemp(prefix="restmon-states-"))
    port = free_port()
    env = environment(work, port)
    started = []
    try:
        prepare(state, env)
        for name in ("dashboard", *(["worker"] if state != "no-worker" else [])):
            process = subprocess.Popen(
                [*COMMAND, name], cwd=ROOT, env=env, stdout=subprocess.DEVNULL
            )
            started.append(process)
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(30)
        shutil.rmtree(work, ignore_errors=True)


def pages_of(state: str, only: list[str]) -> list[str]:
    """The names of the pages that there are in a state."""
    there = {path.stem for path in (ROOT / "pages").glob("*.py")}
    names = [name for name in PAGES if not only or name in only]
    names = [name for name in names if PAGES[name].partition("?")[0] in there | {""}]
    if state == "owner":
        return [name for name in names if name not in OPERATORS or name == "account"]
    return [name for name in names if name != "account" or state in WHO]


def join(paths: list[Path], sheet: Path) -> None:
    """Put pictures side by side, ``ACROSS`` in a row, each scaled to ``SHEET_WIDTH`` and cut below
    ``SHEET_HEIGHT``."""
    pictures = []
    for path in paths:
        picture = Image.open(path).convert("RGB")
        height = picture.height * SHEET_WIDTH // picture.width
        scaled = picture.resize((SHEET_WIDTH, height), Image.Resampling.LANCZOS)
        pictures.append(scaled.crop((0, 0, SHEET_WIDTH, min(height, SHEET_HEIGHT))))
    rows = [pictures[n : n + ACROSS] for n in range(0, len(pictures), ACROSS)]
    heights = [max(picture.height for picture in row) + GAP for row in rows]
    size = (min(len(pictures), ACROSS) * (SHEET_WIDTH + GAP) + GAP, sum(heights) + GAP)
    whole = Image.new("RGB", size, "#808080")
    for row, top in zip(rows, accumulate(heights, initial=GAP), strict=False):
        for n, picture in enumerate(row):
            whole.paste(picture, (GAP + n * (SHEET_WIDTH + GAP), top))
    whole.save(sheet)


def take(browser: Browser, base: str, state: str, options: argparse.Namespace) -> None:
    """Take the pictures of one state."""
    folder = options.folder / state
    folder.mkdir(parents=True, exist_ok=True)
    names = pages_of(state, options.pages)
    for theme in options.themes:
        for width in options.widths:
            across, down = WIDTHS[width]
            context = browser.new_context(
                viewport={"width": across, "height": down}, color_scheme=theme
            )
            page = context.new_page()
            page.goto(base)
            if state in WHO:
                log_in(page, WHO[state], PASSWORD)
            paths = []
            for name in names:
                page.goto(f"{base}/{PAGES[name]}")
                settled(page)
                paths.append(folder / f"{name}-{width}-{theme}.png")
                shoot(page, paths[-1])
                page.set_viewport_size({"width": across, "height": down})
            context.close()
            join(paths, options.folder / f"{state}-{width}-{theme}.png")


def main() -> None:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--states", nargs="*", default=STATES, choices=STATES)
    parser.add_argument("--pages", nargs="*", default=[], choices=PAGES)
    parser.add_argument("--themes", nargs="*", default=("light", "dark"), choices=("light", "dark"))
    parser.add_argument("--widths", nargs="*", default=tuple(WIDTHS), choices=WIDTHS)
    options = parser.parse_args()
    chromium = os.environ.get("RESTMON_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        raise SystemExit("There is no chromium on the PATH; install it or set RESTMON_CHROMIUM.")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        for state in options.states:
            with running(state) as base:
                take(browser, base, state, options)
            print(f"{options.folder / state}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
