"""Long computations beside the run of a page, which would otherwise show nothing meanwhile."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from typing import Any

import streamlit as st

from restmon.dashboard.live import refresh
from restmon.errors import RestmonError
from restmon.storage import database

PATIENCE_SECONDS = 0.8
"""So long a page waits for a result before it says that it is being computed."""
MOST_KEPT = 32

_pool = ThreadPoolExecutor(1, thread_name_prefix="background")
_started: dict[Hashable, "Future[None]"] = {}
_lock = Lock()


def start(key: Hashable, make: Callable[[], Any]) -> "Future[None]":
    """Begin to compute what a key stands for, unless that was begun before. ``make`` keeps its own
    result (`SnapshotCache.remember`); its errors are left to whoever asks for it again."""

    def work() -> None:
        with suppress(RestmonError), database.explain_errors(), database.session():
            make()

    with _lock:
        if key not in _started:
            while len(_started) >= MOST_KEPT:
                del _started[next(iter(_started))]
            _started[key] = _pool.submit(work)
        return _started[key]


def wait(key: Hashable, make: Callable[[], Any], text: str) -> None:
    """Wait for a computation. While it goes on, show the text and stop the page, which runs again
    by itself."""
    job = start(key, make)
    with suppress(TimeoutError):
        job.result(PATIENCE_SECONDS)
    if job.done():
        return
    st.info(text, icon=":material/hourglass_top:")

    def check() -> None:
        if job.done():
            st.rerun()

    refresh(check, every=1)
    st.stop()
