"""Turns of pages: few of them run at once.

Python runs one thread at a time. Pages that all run at once only take it from each other, at a
cost, and all of them end late.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Semaphore

LONGEST_WAIT = 1.0
"""Seconds. After that a page runs beside the others, which then wait for something else."""

_turns = Semaphore(max(2, os.cpu_count() or 1))


@contextmanager
def take_turn() -> Iterator[None]:
    """Wait until few other pages run, but not for long, and run the block."""
    mine = _turns.acquire(timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        if mine:
            _turns.release()
