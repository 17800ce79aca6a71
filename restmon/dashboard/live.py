"""Parts of a page that refresh on their own."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from restmon.dashboard.messages import stop_on_error
from restmon.reporting import snapshot
from restmon.storage import database

BUSY_SECONDS, IDLE_SECONDS, CHECK_SECONDS = 1, 5, 30


def refresh(show: Callable[[], None], *, every: int) -> None:
    """Show a part of a page, and show it again every ``every`` seconds."""

    def part() -> None:
        with stop_on_error(), database.explain_errors(), database.session():
            show()

    st.fragment(part, run_every=every)()


def rerun_on_change(revision: int, show: Callable[[], Any] = lambda: None) -> None:
    """Run the page again once the data's revision is no longer ``revision``.

    ``show`` draws a part of the page at each check.
    """

    def check() -> None:
        if snapshot.current_revision() != revision:
            st.rerun()
        show()

    refresh(check, every=CHECK_SECONDS)
