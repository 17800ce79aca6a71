"""Whether polls still come in, for the feed as a whole (SEMANTICS.md, "Coverage")."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.access.visibility import mask_stores
from restmon.core.hours import open_intervals
from restmon.core.instants import DAY, HOUR
from restmon.reporting.snapshot import Stores, cache, current_revision, read_stores
from restmon.reporting.sources import choose_source
from restmon.storage import database
from restmon.storage.models import Store, now

Ints = NDArray[np.int64]

OK, STALE, NONE = "ok", "stale", "none"
WEEK = 7 * DAY
LEAST = 3 * HOUR
GAPS = 3
"""How many median gaps may pass."""
SAMPLE = 500
"""The most stores whose gaps are measured."""
HORIZONS = (2 * DAY, 15 * DAY, 60 * DAY)
"""Steps in which open time is searched after the newest poll. After the last step the feed is
stale, whatever the hours."""


@dataclass(frozen=True)
class Feed:
    """``newest`` is the instant (microseconds) of the newest poll that is not from the future, or
    None. ``stale_from`` is the instant from which on the feed is stale, None if that is still too
    far away to be computed."""

    newest: int | None
    stale_from: int | None

    @property
    def state(self) -> str:
        """OK, STALE, or NONE where there is no poll."""
        if self.newest is None:
            return NONE
        return STALE if self.stale_from is not None and now() > self.stale_from else OK


def read_feed(groups: frozenset[int] | None = None) -> Feed:
    """The feed of the stores in some groups (row ids; None: of all stores) as it is now. The caller
    holds a read transaction.

    It is stale when its newest poll, of any store, is older than three times the median gap
    between polls, at least 3 hours, of open time. The gaps are those between neighboring polls of
    one store, of all stores (of 500 spread evenly, where there are more), in the week that ends at
    the newest poll; open time is time in which at least one store is open. Sixty days after the
    newest poll it is stale in any case.

    Makes one query while the newest poll is younger than 3 hours. After that it reads the gaps and
    the hours of all stores once a revision.
    """
    newest = choose_source(groups).newest_poll()
    if newest is None or now() - newest <= LEAST:
        return Feed(newest, None)
    revision = current_revision()
    allowed = cache.remember(
        revision, ("feed_allowed", newest, groups), lambda: _measure_allowed(newest, groups)
    )
    if now() - newest <= allowed:
        return Feed(newest, None)
    stale_from = cache.remember(
        revision,
        ("feed_stale_from", newest, groups),
        lambda: _add_open_time(newest, allowed, groups),
    )
    return Feed(newest, stale_from)


def _stores(groups: frozenset[int] | None) -> Stores:
    stores = read_stores()
    return stores if groups is None else stores.chosen(mask_stores(groups, stores.ids))


def _measure_allowed(newest: int, groups: frozenset[int] | None) -> int:
    """How much open time may pass after the newest poll (microseconds)."""
    if groups is None:
        rows = [row for (row,) in database.tuples(Store.select(Store.id).order_by(Store.id))]
    else:
        rows = sorted(_stores(groups).rows.tolist())
    gaps = _gaps(rows[:: -(-len(rows) // SAMPLE)], newest)
    if not len(gaps):
        gaps = _gaps(rows, newest)  # stores of the sample may have no polls at all
    return max(LEAST, int(GAPS * np.median(gaps))) if len(gaps) else LEAST


def _gaps(rows: list[int], newest: int) -> Ints:
    """The gaps between neighboring polls of each store in the week up to the newest poll."""
    lo, hi = np.full(len(rows), newest - WEEK), np.full(len(rows), newest + 1)
    parts = [
        np.diff(time)[np.diff(store) == 0]
        for store, time, _ in database.polls_in_ranges(np.array(rows, np.int64), lo, hi)
    ]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _add_open_time(begin: int, wanted: int, groups: frozenset[int] | None) -> int:
    """The instant at which stores (at least one) have been open for ``wanted`` since ``begin``."""
    stores = _stores(groups)
    for horizon in HORIZONS:
        end = begin + horizon
        found = open_intervals(stores.schedule, begin, end)
        start, stop = _union(found.start.clip(begin, end), found.end.clip(begin, end))
        passed = np.cumsum(stop - start)
        n = int(np.searchsorted(passed, wanted))
        if n < len(passed):
            return int(stop[n] - (passed[n] - wanted))
    return begin + HORIZONS[-1]


def _union(start: Ints, end: Ints) -> tuple[Ints, Ints]:
    """The stretches that intervals cover together, in order."""
    order = np.argsort(start, kind="stable")
    start, end = start[order], np.maximum.accumulate(end[order]) if len(end) else end
    first = np.ones(len(start), bool)
    first[1:] = start[1:] > end[:-1]
    last = np.roll(first, -1)
    return start[first], end[last] if len(end) else end
