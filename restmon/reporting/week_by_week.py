"""The last seven local dates of one store beside the seven before, and the month so far."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from restmon.core.aggregation import down_stretches, open_stretches, sum_between
from restmon.core.hours import open_intervals
from restmon.core.instants import SECOND, as_datetime
from restmon.core.outages import find_outages
from restmon.core.targets import NO_TARGET, open_time_until_missed
from restmon.core.timeline import NEAREST, Timeline
from restmon.reporting.scopes import Scope, read_scope
from restmon.reporting.snapshot import Stores
from restmon.reporting.store_facts import read_sales
from restmon.reporting.target_standing import Standing, judge_now
from restmon.reporting.window_lines import Reading, read_lines
from restmon.storage import database

Ints = NDArray[np.int64]

DAYS = 7


@dataclass(frozen=True)
class Week:
    """Seven local dates: ``dates``, and of each ``open``, ``up`` and ``down`` (int64 half
    microseconds) and how many ``outages`` overlap it. ``all_outages`` overlap the week, and
    ``lost`` is the estimate of its lost sales (NaN where there is none). The polls of the store
    begin after ``unseen`` of the dates."""

    dates: list[date]
    open: Ints
    up: Ints
    down: Ints
    outages: list[int]
    all_outages: int
    lost: float
    unseen: int


@dataclass(frozen=True)
class StoreWeeks:
    """One store up to ``as_of``.

    ``this`` are the seven local dates up to today, and ``before`` the seven before them, which end
    at the same time of day. ``standing`` is that against the target of the month (one entry).
    ``missed_at`` is when the budget is used up, if the rest of the month is like the month so far;
    None if it is not, or there is no target. ``lost_in_month`` is the estimate of the month's lost
    sales so far.
    """

    as_of: int
    zone: str
    observed: bool
    this: Week
    before: Week
    standing: Standing
    missed_at: int | None
    lost_in_month: float


def read_weeks(store_id: str, as_of: int, method: str = NEAREST) -> StoreWeeks:
    """The last two weeks and the month of a store, as of an instant. Raises NotFound."""
    how = Reading(as_of, method)
    with database.reading():
        stores = read_scope(Scope(store=store_id))
        zone = stores.zones[int(stores.zone_of_store[0])]
        edges = [_edges(as_of, zone, back) for back in (0, DAYS)]
        month = _start_of_month(as_of, zone)
        lo = min(month, edges[1][0])
        (piece,) = read_lines(stores, np.array([lo]), np.array([as_of]), how)
        standing = judge_now(stores, how)
        lost = [
            _estimate_lost(stores, piece.line, *span)
            for span in ((edges[0][0], as_of), (edges[1][0], edges[1][-1]), (month, as_of))
        ]
    today = as_datetime(as_of, zone).date()
    weeks = [
        _measure_week(piece.line, how, edge, today - timedelta(days=back), amount)
        for edge, back, amount in zip(edges, (0, DAYS), lost[:2], strict=True)
    ]
    return StoreWeeks(
        as_of,
        zone,
        bool(piece.line.observed[0]),
        weeks[0],
        weeks[1],
        standing,
        _find_miss(stores, standing, month, zone),
        lost[2],
    )


def _edges(as_of: int, zone: str, back: int) -> Ints:
    """The instants between the seven local dates that end so many days before ``as_of``, at its
    time of day."""
    now = as_datetime(as_of, zone)
    last = now.date() - timedelta(days=back)
    starts = [_midnight(last - timedelta(days=n), zone) for n in reversed(range(DAYS))]
    if not back:
        return np.array([*starts, as_of], np.int64)
    wall = datetime.combine(last, now.time(), ZoneInfo(zone))
    end = max(round(wall.timestamp() * SECOND), starts[-1])
    return np.array([*starts, end], np.int64)


def _midnight(day: date, zone: str) -> int:
    """The instant at which a local date begins."""
    return round(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


def _start_of_month(as_of: int, zone: str) -> int:
    return _midnight(as_datetime(as_of - 1, zone).date().replace(day=1), zone)


def _measure_week(line: Timeline, how: Reading, edges: Ints, last: date, lost: float) -> Week:
    lo, hi = int(edges[0]), int(edges[-1])
    opened = sum_between(open_stretches(line.clock.intervals, lo, hi), edges)
    down = sum_between(down_stretches(line, lo, hi), edges)
    up = opened - down if line.observed[0] else np.zeros_like(down)
    count = [
        len(find_outages(line, how.as_of, int(a), int(b))) if a < b else 0
        for a, b in pairwise(edges)
    ]
    dates = [last - timedelta(days=n) for n in reversed(range(DAYS))]
    every = len(find_outages(line, how.as_of, lo, hi))
    unseen = int((edges[1:] <= line.time[0]).sum()) if line.observed[0] else 0
    return Week(dates, opened, up, down, count, every, lost, unseen)


def _estimate_lost(stores: Stores, line: Timeline, lo: int, hi: int) -> float:
    if lo >= hi:
        return 0.0
    down = down_stretches(line, lo, hi)
    return float(read_sales(stores).estimate_lost(stores, np.zeros(1, np.int64), down)[0])


def _find_miss(stores: Stores, standing: Standing, month: int, zone: str) -> int | None:
    """When the store has been open in the month for so long that the budget is used up."""
    if standing.target[0] == NO_TARGET:
        return None
    judged = standing.each()
    until = open_time_until_missed(
        float(judged.budget[0]), float(judged.used[0]), int(standing.so_far[0])
    )
    if not until < standing.of_month[0]:
        return None
    first = as_datetime(month, zone).date()
    end = _midnight((first + timedelta(days=32)).replace(day=1), zone)
    opened = open_intervals(stores.schedule, month, end).clipped(month, end)
    lengths = 2 * (opened.end - opened.start)
    total = np.cumsum(lengths)
    at = int(np.searchsorted(total, until))
    if at >= len(total):
        return None
    return int(opened.end[at] - (total[at] - until) / 2)
