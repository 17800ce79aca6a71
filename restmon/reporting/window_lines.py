"""Stores' timelines over windows of time, in pieces that fit into memory.

Outside of a window only those polls are read that its numbers need: the neighbors of the window,
and, if a store is down at an edge, all up to the next observation that is up, so that its outages
are whole::

          last up                    window                    first up
    ------x-----o---o-----|---x----o-----x------o--|----o---o----x------- as_of
          <---- read ------------------------------------------->
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.hours import open_intervals
from restmon.core.instants import DAY
from restmon.core.intervals import replace_intervals
from restmon.core.keys import sort_order
from restmon.core.observations import Polls, are_observations
from restmon.core.timeline import NEAREST, Timeline, build_timeline
from restmon.reporting.last_observations import BEGINNING, STEP_FACTOR, intervals_of
from restmon.reporting.snapshot import LOOKBACK, Stores
from restmon.storage import database

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

STORE_DAYS_AT_ONCE = 200_000
"""One piece has this many days of stores: about four million polls."""
FIRST_STEP = 4 * DAY
AT_ONCE = 2_000_000
"""Polls that are read at a time: a week of 14,000 stores."""


@dataclass(frozen=True)
class Reading:
    """How timelines are read: as of an instant, by a method, with all observations or with one
    entry for each run of one status (see `Timeline`)."""

    as_of: int
    method: str = NEAREST
    runs: bool = True


@dataclass(frozen=True)
class WindowLine:
    """Some stores' timeline, good in [lo, hi) of each (int64 arrays of shape (stores,), instants),
    outages that overlap it whole. ``first`` is the place of the first of the stores among those
    that were asked for. ``polls`` are those that were read, from a day before the window on at
    least, and to a day after it."""

    first: int
    stores: Stores
    lo: Ints
    hi: Ints
    polls: Polls
    line: Timeline


def read_lines(stores: Stores, lo: Ints, hi: Ints, how: Reading) -> Iterator[WindowLine]:
    """Yield the timelines of all of the stores, some at a time, in their order.

    Parameters
    ----------
    stores : Stores
    lo, hi : int64 arrays of shape (stores,), instants
        The window of each store, ``lo <= hi <= as_of``.
    how : Reading

    The caller holds a read transaction.
    """
    count = len(stores.ids)
    if not count:
        return
    days = int((hi - lo).max()) // DAY + 2
    most = max(STORE_DAYS_AT_ONCE // days, 1)
    for first in range(0, count, most):
        chosen = np.zeros(count, bool)
        chosen[first : first + most] = True
        part = stores if chosen.all() else stores.chosen(chosen)
        yield from _read_piece(first, part, lo[chosen], hi[chosen], how)


def _read_piece(
    first: int, stores: Stores, lo: Ints, hi: Ints, how: Reading
) -> Iterator[WindowLine]:
    as_of, count = how.as_of, len(stores.ids)
    begin, end = lo - LOOKBACK, np.minimum(hi + LOOKBACK, as_of + 1)
    polls = read_ranges(stores, np.arange(count), begin, end)
    intervals = open_intervals(stores.schedule, begin, end)
    outside = (polls.time < _of_each(lo, polls)) | (polls.time >= _of_each(hi, polls))
    outside &= polls.status == 1
    up = polls.where(outside)
    up = up.where(are_observations(intervals, up))
    seen_before, seen_after = np.zeros(count, bool), end > as_of
    seen_before[up.store[up.time < lo[up.store]]] = True
    seen_after[up.store[up.time >= hi[up.store]]] = True
    earlier = _read_earlier(stores, np.flatnonzero(~seen_before), begin)
    unseen = np.flatnonzero(~seen_after)
    later = _read_later(stores, unseen, end, as_of)
    # Without a later poll too: the last status goes on to ``as_of``.
    goes_beyond = ~seen_after
    goes_beyond[earlier.store] = True
    extended = np.flatnonzero(goes_beyond)
    if len(extended):
        polls = _insert(polls, _join(earlier, later))
        begin[earlier.store[::-1]] = earlier.time[::-1]  # sorted, so the first one stays
        if not _fit(count, begin, end):
            half = np.arange(count) < count // 2
            yield from _read_piece(first, stores.chosen(half), lo[half], hi[half], how)
            then = first + count // 2
            yield from _read_piece(then, stores.chosen(~half), lo[~half], hi[~half], how)
            return
        theirs = intervals_of(stores, extended, begin[extended], end[extended])
        intervals = replace_intervals(intervals, extended, theirs)
    line = build_timeline(intervals, polls, how.method, runs=how.runs)
    yield WindowLine(first, stores, lo, hi, polls, line)


def _of_each(edge: Ints, polls: Polls) -> Ints:
    """The edge of the window of each poll's store; of shape (1,) where it is the same of all."""
    return edge[:1] if (edge == edge[0]).all() else edge[polls.store]


def _fit(count: int, begin: Ints, end: Ints) -> bool:
    """Whether the keys of a number of stores and of instants from lo to hi fit into 64 bits (see
    `KeySpace`). If polls lie centuries apart, a piece must have fewer stores."""
    return count == 1 or count * (int(end.max()) - int(begin.min()) + 8 * DAY) < 2**62


def read_ranges(stores: Stores, chosen: Ints, lo: Ints, hi: Ints) -> Polls:
    """Return the polls of the chosen stores (sorted indices), each with lo <= time < hi."""
    parts = [
        (chosen[n], time, status)
        for n, time, status in database.polls_in_ranges(stores.rows[chosen], lo, hi, AT_ONCE)
    ]
    if not parts:
        return Polls.none()
    if len(parts) == 1:
        return Polls(*parts[0])
    return Polls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _read_earlier(stores: Stores, wanted: Ints, begin: Ints) -> Polls:
    """The polls before ``begin`` of the wanted stores, back to their last observation that is up.

    Each round begins at a store's last poll, so that years without one take no time, and goes back
    four times as far as the round before.
    """
    parts: list[Polls] = []
    end, step = begin[wanted], FIRST_STEP
    while len(wanted):
        n, last, _ = database.last_polls_in_ranges(
            stores.rows[wanted], np.full(len(wanted), BEGINNING), end
        )
        wanted, since, end = wanted[n], last - step, last + 1
        part = read_ranges(stores, wanted, since, end)
        parts.append(part)
        goes_on = ~_have_up(stores, wanted, part, since, end)
        wanted, end = wanted[goes_on], since[goes_on]
        step *= STEP_FACTOR
    return _join(*parts)


def _read_later(stores: Stores, wanted: Ints, end: Ints, as_of: int) -> Polls:
    """The polls from ``end`` on of the wanted stores, up to their first observation that is up, or
    ``as_of``. Moves ``end`` to behind them."""
    parts: list[Polls] = []
    step = FIRST_STEP
    while len(wanted):
        since = end[wanted]
        until = np.minimum(since + step, as_of + 1)
        part = read_ranges(stores, wanted, since, until)
        parts.append(part)
        end[wanted] = until
        wanted = wanted[~_have_up(stores, wanted, part, since, until) & (until <= as_of)]
        step *= STEP_FACTOR
    return _join(*parts)


def _have_up(stores: Stores, chosen: Ints, polls: Polls, lo: Ints, hi: Ints) -> Flags:
    """Whether each of the chosen stores has an observation that is up among the polls: bool, of
    the shape of ``chosen``."""
    result = np.zeros(len(chosen), bool)
    up = polls.where(polls.status == 1)
    if len(up.store):
        # Only stores with such polls need their hours expanded.
        mine = np.unique(up.store)
        if not _fit(len(mine), lo, hi):
            half = len(chosen) // 2
            lower = _have_up(stores, chosen[:half], _of(up, chosen[:half]), lo[:half], hi[:half])
            upper = _have_up(stores, chosen[half:], _of(up, chosen[half:]), lo[half:], hi[half:])
            return np.concatenate([lower, upper])
        place = np.searchsorted(chosen, mine)
        intervals = intervals_of(stores, mine, lo[place], hi[place])
        numbered = Polls(np.searchsorted(mine, up.store), up.time, up.status)
        result[place[numbered.store[are_observations(intervals, numbered)]]] = True
    return result


def _of(polls: Polls, chosen: Ints) -> Polls:
    return polls.where(np.isin(polls.store, chosen))


def _insert(polls: Polls, few: Polls) -> Polls:
    """The polls with a few new ones inserted."""
    at = polls.places(few.store, few.time)
    return Polls(
        np.insert(polls.store, at, few.store),
        np.insert(polls.time, at, few.time),
        np.insert(polls.status, at, few.status),
    )


def _join(*parts: Polls) -> Polls:
    """All of the polls, sorted."""
    some = [part for part in parts if len(part.store)]
    if len(some) < 2:
        return some[0] if some else Polls.none()
    store, time, status = (
        np.concatenate([getattr(part, column) for part in some])
        for column in ("store", "time", "status")
    )
    order = sort_order(store, time)
    return Polls(store[order], time[order], status[order])
