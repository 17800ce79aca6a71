"""What all pages share: the frame around a page, its notices, and the data they read."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from jobs.queue import huey
from restmon import database, demo_data, heartbeats, snapshot
from restmon.errors import RestmonError
from restmon.models import now
from restmon.settings import get_settings
from restmon.wording import ago, moment

_frame = threading.local()
WORKER_COMMAND = "python -m restmon worker"


@st.cache_resource(show_spinner=False)
def _open(database_url: str, queue_url: str) -> None:
    """Open database and queue once a process."""
    database.configure()
    huey.connect()


def navigation() -> Any:
    """The page that was asked for; draws the menu. Paths are the files' names, as AppTest needs."""
    return st.navigation(
        [
            st.Page("pages/overview.py", title="Overview", icon=":material/monitoring:"),
            st.Page("pages/stores.py", title="Stores", icon=":material/list:"),
            st.Page("pages/store.py", title="Store", icon=":material/storefront:"),
            st.Page("pages/upload.py", title="Upload", icon=":material/upload_file:"),
            st.Page("pages/reports.py", title="Reports", icon=":material/description:"),
            st.Page("pages/settings.py", title="Settings", icon=":material/tune:"),
            st.Page("pages/help.py", title="Help", icon=":material/help:"),
        ],
        position="top",
    )


def framed() -> None:
    """The first line of every page: make sure that it stands in its frame.

    Streamlit runs a file of pages/ by itself when a process's first visitor asks for its address,
    before app.py has told of its navigation.
    """
    if not getattr(_frame, "entered", False):
        navigation()
        st.rerun()


def run(page: Any) -> None:
    """Show a page in its frame: what goes wrong is one sentence, never a traceback."""
    _frame.entered = True
    try:
        _run(page)
    finally:
        _frame.entered = False


def _run(page: Any) -> None:
    with told():
        settings = get_settings()
        _open(settings.database_url, settings.effective_queue_url)
        with database.explained():
            demo_banner()
            page.run()


@contextmanager
def told() -> Iterator[None]:
    """Tell the user what went wrong inside the block, and stop there."""
    try:
        yield
    except RestmonError as error:
        st.error(f"{error.message} {error.hint}", icon=":material/error:")
        st.stop()


def demo_banner() -> None:
    """Say on every page that the stores are made up, with the button that removes them."""
    if not demo_data.has_demo():
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="demo"):
        st.markdown(
            ":material/science: **Demo data.** These stores are made up. Your first upload "
            "removes them, or do it now.",
            width="stretch",
        )
        if st.button("Remove the demo stores", key="clear_demo"):
            demo_data.clear_demo()
            st.rerun()


def worker_notice() -> bool:
    """Whether a worker is alive; if not, say so and how to start one."""
    if heartbeats.worker_alive():
        return True
    st.warning(
        "No worker is running, so reports and imports wait. Start one in a terminal: "
        f"`{WORKER_COMMAND}` (or start everything: `make run`).",
        icon=":material/pause_circle:",
    )
    return False


def nothing_yet() -> None:
    """What to do when the database has no polls; ends the page."""
    st.info(
        "There are no polls yet. Upload three CSV files to begin: polls, business hours and time "
        "zones.",
        icon=":material/upload_file:",
    )
    st.page_link("pages/upload.py", label="Upload files", icon=":material/upload_file:")
    st.stop()


def freshness(as_of: int, newest: int) -> None:
    """As of when the numbers are, and how old the newest poll is."""
    text = f"As of **{moment(as_of)}** · newest poll {ago(newest, now())}"
    st.caption(text, help="The newest poll is what “now” means, unless you choose another instant.")


def state() -> tuple[str, int]:
    """What cached reads depend on: the database and its revision."""
    return get_settings().database_url, snapshot.current_revision()


def chart(figure: Any, description: str, **options: Any) -> Any:
    """Show a Plotly figure without the tool bar; ``description`` is for screen readers."""
    config = {"displayModeBar": False, "scrollZoom": False}
    return st.plotly_chart(figure, config=config, alt=description, **options)
