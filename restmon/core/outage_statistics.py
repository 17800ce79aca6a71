"""How often and how long stores were down, and why (SEMANTICS.md, "An outage"). Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.observations import Polls, are_observations
from restmon.core.outages import DownRuns, find_down_runs
from restmon.core.timeline import Timeline

Ints = NDArray[np.int64]

UNKNOWN = -1
"""The cause of an outage for which no poll gives a reason."""


@dataclass(frozen=True)
class OutageStatistics:
    """The outages of each store in a window: int64 arrays of shape (stores,).

    Attributes
    ----------
    outages
        How many overlap the window.
    begun
        How many begin in it. An outage that reaches back to a store's first observation has no
        known start, so it does not count.
    longest, total : half microseconds
        The longest, and the sum, of the whole open durations of those that overlap the window.
        The mean is total ÷ outages.
    """

    outages: Ints
    begun: Ints
    longest: Ints
    total: Ints


def measure_outages(
    line: Timeline, as_of: int, lo: int | Ints, hi: int | Ints | None = None
) -> OutageStatistics:
    """Return the statistics of the outages in [lo, hi).

    Parameters
    ----------
    line : Timeline
        It must begin before the outages that reach into the window, so that they are whole.
    as_of, lo, hi
        As ``as_of``, ``since`` and ``until`` of `find_outages`.
    """
    runs = find_down_runs(line, as_of, lo, hi)
    begins = _begin_inside(line, runs)
    duration = runs.end - runs.begin
    longest, total = np.zeros(line.stores, np.int64), np.zeros(line.stores, np.int64)
    np.maximum.at(longest, runs.store, duration)
    np.add.at(total, runs.store, duration)
    return OutageStatistics(
        np.bincount(runs.store, minlength=line.stores),
        np.bincount(runs.store[begins], minlength=line.stores),
        longest,
        total,
    )


def find_begun(line: Timeline, as_of: int, lo: Ints, hi: Ints) -> tuple[Ints, Ints]:
    """Return the outages that begin in [lo, hi), those that `measure_outages` counts as begun.

    Returns
    -------
    store, start : int64 arrays of one length
        The store, and the instant, rounded down. In closed hours it is the next opening.
    """
    runs = find_down_runs(line, as_of, lo, hi)
    begins = _begin_inside(line, runs)
    return runs.store[begins], line.clock.instants(runs.begin[begins], closing=False)


def _begin_inside(line: Timeline, runs: DownRuns) -> NDArray[np.bool_]:
    """Whether each run begins in the window, and somebody saw it begin."""
    return (line.begin[runs.first] >= runs.window_begin) & ~_is_first(line, runs)


def _is_first(line: Timeline, runs: DownRuns) -> NDArray[np.bool_]:
    """Whether each run begins with its store's first observation."""
    before = np.maximum(runs.first - 1, 0)
    return (runs.first == 0) | (line.store[before] != runs.store)


@dataclass(frozen=True)
class Reasons:
    """The reasons that polls gave, sorted by store, then time: arrays of one length.

    Attributes
    ----------
    store : int64 array
    time : int64 array, instants
    code : int64 array, not negative
        Which reason, by a numbering of the caller's.
    """

    store: Ints
    time: Ints
    code: Ints


def find_causes(line: Timeline, as_of: int, lo: int | Ints, hi: int | Ints, said: Reasons) -> Ints:
    """Return the cause of each outage of ``find_outages(line, as_of, lo, hi)``.

    It is the reason of the outage's first inactive observation that has one. All observations from
    the one that begins an outage to the next active one are inactive, so that is the first reason
    given in business hours in between.

    Returns
    -------
    int64 array, one an outage
        The code of the reason, or UNKNOWN.
    """
    runs = find_down_runs(line, as_of, lo, hi)
    result = np.full(len(runs.store), UNKNOWN, np.int64)
    reasons = Polls(said.store, said.time, np.zeros(len(said.store), np.int8))
    counts = are_observations(line.clock.intervals, reasons) & (said.time <= as_of)
    reasons, code = reasons.where(counts), said.code[counts]
    if not len(reasons.store) or not len(result):
        return result
    after = np.minimum(runs.last + 1, len(line.store) - 1)
    recovers = line.store[after] == runs.store
    recovers &= after > runs.last
    until = np.where(recovers, line.time[after], as_of + 1)
    place = reasons.places(runs.store, line.time[runs.first])
    here = np.minimum(place, len(code) - 1)
    found = (place < len(code)) & (reasons.store[here] == runs.store) & (reasons.time[here] < until)
    result[found] = code[here[found]]
    return result
