"""The report in detail: uptime, outages, coverage, target and lost sales of every store in a window
(SEMANTICS.md, "The report" and the sections after it)."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.core.aggregation import down_stretches
from restmon.core.coverage import measure_coverage
from restmon.core.instants import MINUTE, WEEK
from restmon.core.outage_statistics import measure_outages
from restmon.core.outages import find_outages
from restmon.core.status_now import DOWN
from restmon.core.timeline import NEAREST
from restmon.core.uptime import measure_uptime_between
from restmon.reporting.current_status import NEVER, find_current_status, find_last_polls
from restmon.reporting.scopes import Scope, choose_as_of, read_scope
from restmon.reporting.snapshot import Stores
from restmon.reporting.store_facts import Sales, read_group_names, read_names, read_sales
from restmon.reporting.target_standing import Standing, judge_stores
from restmon.reporting.window_lines import Reading, WindowLine, read_lines
from restmon.reporting.windows import LAST_WEEK, Window
from restmon.settings import get_settings
from restmon.storage import database

Ints = NDArray[np.int64]
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Measures:
    """The measurements of stores in their windows: arrays of shape (stores,).

    Attributes
    ----------
    lo, hi : int64, instants
    open, up, down, covered : int64, half microseconds
    outages, begun : int64
    longest, total : int64, half microseconds
        As in `OutageStatistics`.
    last_poll : int64, instant, or NEVER
        At or before ``as_of``, as are the next two.
    status_now : int8, see `core.status_now`
    down_since : int64, instant, or NEVER where the store is not down
    lost_sales : float64, NaN where there is no estimate
    """

    lo: Ints
    hi: Ints
    open: Ints
    up: Ints
    down: Ints
    covered: Ints
    outages: Ints
    begun: Ints
    longest: Ints
    total: Ints
    last_poll: Ints
    status_now: NDArray[np.int8]
    down_since: Ints
    lost_sales: NDArray[np.float64]


@dataclass(frozen=True)
class Details:
    """The report in detail, as of an instant: ``measures`` of the ``stores``, with their
    ``names``, ``groups`` and standing against their targets, in the order of the report."""

    as_of: int
    method: str
    window: Window
    scope: Scope
    stores: Stores
    names: list[str | None]
    groups: list[list[str]]
    measures: Measures
    standing: Standing


def compute_details(
    scope: Scope,
    window: Window | None = None,
    as_of: int | None = None,
    method: str = NEAREST,
    progress: Progress = lambda _: None,
) -> Details:
    """Compute the details of a scope's stores in a window (None: the last week), from one
    consistent state of the data.

    Raises NoPolls if there is nothing to report, NotFound if the group or store is gone, and
    BadRequest for a window that does not fit ``as_of``.
    """
    window = window or LAST_WEEK
    with database.reading():
        instant = choose_as_of(scope, as_of)
        stores = read_scope(scope)
        lo, hi = window.of_stores(instant, stores.zones, stores.zone_of_store)
        how = Reading(instant, method)
        sales = read_sales(stores)
        measures = _measure_all(stores, (lo, hi), how, sales, progress)
        standing = judge_stores(stores, (lo, hi), measures.down, how)
        return Details(
            instant,
            method,
            window,
            scope,
            stores,
            read_names(stores),
            read_group_names(stores, scope.seen),
            measures,
            standing,
        )


def _measure_all(
    stores: Stores, window: tuple[Ints, Ints], how: Reading, sales: Sales, progress: Progress
) -> Measures:
    """What is measured of all stores, in pieces."""
    lo, hi = window
    count = len(stores.ids)
    # The status now needs the last week. Where the window ends now, one reading does for both.
    begin = np.where(hi == how.as_of, np.minimum(lo, how.as_of - WEEK), lo)
    parts = []
    for piece in read_lines(stores, begin, hi, how):
        after = piece.first + len(piece.stores.ids)
        some = slice(piece.first, after)
        own = sales.of_range(piece.first, after)
        parts.append(_measure(piece, (lo[some], hi[some]), how, own))
        progress(0.9 * (after / count))
    joined: dict[str, Any] = {
        field.name: np.concatenate([np.empty(0, kind), *(getattr(p, field.name) for p in parts)])
        for field, kind in zip(fields(Measures), _KINDS, strict=True)
    }
    return Measures(**joined)


_KINDS = (*(np.int64,) * 11, np.int8, np.int64, np.float64)
"""The dtypes of the fields of `Measures`."""


def _measure(piece: WindowLine, window: tuple[Ints, Ints], how: Reading, sales: Sales) -> Measures:
    """What is measured of the stores of a piece."""
    line, (lo, hi) = piece.line, window
    up, down = measure_uptime_between(line, lo, hi)
    near = get_settings().covered_minutes * MINUTE
    covered, opened = measure_coverage(line.clock, piece.polls, lo, hi, near)
    outages = measure_outages(line, how.as_of, lo, hi)
    owner = np.arange(len(lo))
    lost = sales.estimate_lost(piece.stores, owner, down_stretches(line, lo, hi))
    return Measures(
        lo,
        hi,
        opened,
        up,
        down,
        covered,
        outages.outages,
        outages.begun,
        outages.longest,
        outages.total,
        *_find_now(piece, how),
        lost,
    )


def _find_now(piece: WindowLine, how: Reading) -> tuple[Ints, NDArray[np.int8], Ints]:
    """(last poll, status, since when it is down) of each store at ``as_of``."""
    as_of, count = how.as_of, len(piece.stores.ids)
    pieces = [piece]
    if (piece.hi < as_of).any():
        week_ago, now = np.full(count, as_of - WEEK), np.full(count, as_of)
        pieces = list(read_lines(piece.stores, week_ago, now, how))
    last, status, since = (
        np.concatenate(column)
        for column in zip(*(_read_now(part, as_of) for part in pieces), strict=True)
    )
    return last, status, since


def _read_now(piece: WindowLine, as_of: int) -> tuple[Ints, NDArray[np.int8], Ints]:
    line = piece.line
    last_poll, _ = find_last_polls(piece.stores, piece.polls, as_of)
    status = find_current_status(piece.stores, piece.polls, line, last_poll, as_of)
    found = find_outages(line, as_of, as_of - WEEK)
    # Where the switch to down is at as_of itself, there is no outage yet.
    since = np.full(line.stores, as_of, np.int64)
    since[found.store[found.ongoing]] = found.start[found.ongoing]
    since[status != DOWN] = NEVER
    return last_poll, status, since
