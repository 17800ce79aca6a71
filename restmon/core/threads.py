"""Work on large arrays by two threads, which NumPy lets work at once. Pure."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

P = TypeVar("P")
R = TypeVar("R")

THREADS = 2
AT_ONCE = 1 << 17
"""So many numbers are worked on at a time, which the processor's caches hold."""


def map_parts(function: Callable[[P], R], parts: Sequence[P]) -> list[R]:
    """Return what the function returns for each part, in their order. A few parts, which are over
    before a thread has begun, take none."""
    if len(parts) <= THREADS:
        return list(map(function, parts))
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(function, parts))


def slices(length: int) -> list[slice]:
    """Return slices of `AT_ONCE` that cover a length."""
    return [slice(begin, begin + AT_ONCE) for begin in range(0, length, AT_ONCE)]
