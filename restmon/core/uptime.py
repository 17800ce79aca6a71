"""Up and down time in windows (SEMANTICS.md, "Now"), read from the timeline. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from restmon.core.threads import AT_ONCE, map_parts
from restmon.core.timeline import Timeline

Ints = NDArray[np.int64]


def measure_uptime(line: Timeline, as_of: int, windows: Sequence[int]) -> tuple[Ints, Ints]:
    """Return the up and down time in the windows [as_of - w, as_of).

    Parameters
    ----------
    line : Timeline
    as_of : int
        An instant.
    windows : sequence of int
        Lengths in microseconds.

    Returns
    -------
    up, down : int64 arrays of shape (stores, len(windows)), half microseconds, exact
        A store without an observation has 0 and 0. For every other store, up + down is the open
        time in the window.
    """
    up = np.zeros((line.stores, len(windows)), np.int64)
    down = np.zeros_like(up)
    store = np.flatnonzero(line.observed)
    _ = line.up_before  # made once, before threads ask for it

    def read(instant: int) -> tuple[Ints, Ints]:
        return _up_until(line, store, instant)

    instants = [*(as_of - window for window in windows), as_of]
    many = len(store) * len(instants) > AT_ONCE
    readings = map_parts(read, instants) if many else list(map(read, instants))
    end, up_at_end = readings[-1]
    for column, (begin, up_at_begin) in enumerate(readings[:-1]):
        up[store, column] = up_at_end - up_at_begin
        down[store, column] = end - begin - up[store, column]
    return up, down


def measure_uptime_between(line: Timeline, lo: int | Ints, hi: int | Ints) -> tuple[Ints, Ints]:
    """Return the up and down time in [lo, hi).

    Parameters
    ----------
    line : Timeline
    lo, hi : int, or int64 array of shape (stores,)
        Instants, for all stores or for each, lo <= hi.

    Returns
    -------
    up, down : int64 arrays of shape (stores,), half microseconds, exact
        As from `measure_uptime`.
    """
    up, down = np.zeros(line.stores, np.int64), np.zeros(line.stores, np.int64)
    store = np.flatnonzero(line.observed)
    begin, up_at_begin = _up_until(line, store, lo)
    end, up_at_end = _up_until(line, store, hi)
    up[store] = up_at_end - up_at_begin
    down[store] = end - begin - up[store]
    return up, down


def _up_until(line: Timeline, store: Ints, instant: int | Ints) -> tuple[Ints, Ints]:
    """The clock reading of some observed stores at an instant, and the up time on the clock before
    it, through all stores."""
    of_store = np.broadcast_to(np.asarray(instant, np.int64), (line.stores,))
    reading = line.clock.at(store, 2 * of_store[store])
    n = np.searchsorted(line.begin, reading, "right") - 1
    since = np.where(line.status[n] == 1, reading - line.begin[n], 0)
    return reading, line.up_before[n] + since
