"""One store over a range of time, for its page. A few index look-ups read all of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.aggregation import (
    Stretches,
    down_stretches,
    local_days,
    open_stretches,
    sum_between,
)
from restmon.core.coverage import covered_stretches
from restmon.core.explanations import ExplainedSpans, explain_spans
from restmon.core.formatting import WEEKDAYS, wall_text
from restmon.core.hours import CLOSED, DEFAULT_ZONE, open_intervals
from restmon.core.instants import DAY, MINUTE
from restmon.core.intervals import OpenIntervals
from restmon.core.observations import Polls
from restmon.core.outage_statistics import UNKNOWN, Reasons, find_causes
from restmon.core.outages import Outages, find_outages
from restmon.core.timeline import NEAREST, build_timeline
from restmon.errors import NotFound
from restmon.reporting import last_observations
from restmon.reporting.computation import check_method
from restmon.reporting.scopes import Scope, choose_as_of, read_scope
from restmon.reporting.snapshot import Stores
from restmon.reporting.snapshot import cache as shared_cache
from restmon.reporting.windows import LAST_WEEK, Window
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import BusinessHours, PollReason, Store
from restmon.stores.schedules import make_schedule

Ints = NDArray[np.int64]

STEP = 2 * DAY
STEP_FACTOR = 4
ALL = np.zeros(1, np.int64)
"""The indices of all stores in a set of one store."""


@dataclass(frozen=True)
class PollsInRange:
    """The polls of the range: ``time`` int64 microseconds, ``status`` int8 (1 = active), and
    whether each ``counts`` (bool): only those made inside business hours do."""

    time: Ints
    status: NDArray[np.int8]
    counts: NDArray[np.bool_]


@dataclass(frozen=True)
class Days:
    """Time by local calendar date: ``date`` datetime64[D]; ``up``, ``down`` and ``open`` int64
    half microseconds, of the part of the date that is in the range; ``seen_up`` and ``seen_down``
    the parts of up and down that are near a poll (SEMANTICS.md, "Coverage")."""

    date: NDArray[np.datetime64]
    up: Ints
    down: Ints
    open: Ints
    seen_up: Ints
    seen_down: Ints

    @property
    def covered(self) -> int:
        """How much of the time of all dates was seen."""
        return int(self.seen_up.sum() + self.seen_down.sum())


@dataclass(frozen=True)
class StoreTimeline:
    """A store in the range [lo, hi). Instants are int64 microseconds since the epoch, UTC;
    durations int64 half microseconds.

    ``hours`` are the rows (day of week, start, end) of its business hours, sorted, wall-clock
    microseconds, CLOSED where a day is closed on purpose; without any it is open 24×7
    (``hours_assumed``), unless they could not be read (``hours_unreadable``): then it has no open
    time. ``observed``: it has an
    observation at or before ``as_of``; without one ``up`` and ``down`` are 0 (SEMANTICS.md,
    "From polls to time"). ``first_observation`` is the store's very first one if the range begins
    before it, else None; ``open_before_first`` is the open time of the range before it, which
    takes its status. ``open_start`` and ``open_end`` are the open intervals, clipped to the
    range, and ``seen_start`` and ``seen_end`` the parts of them that are near a poll. Outages that
    overlap the range are whole; ``causes`` has the reason that polls told for each, None where they
    told none.
    """

    store_id: str
    demo: bool
    zone: str
    zone_assumed: bool
    hours: list[tuple[int, int, int]]
    hours_assumed: bool
    hours_unreadable: bool
    as_of: int
    lo: int
    hi: int
    method: str
    observed: bool
    first_observation: int | None
    open_before_first: int
    last_poll: int | None
    last_poll_active: bool | None
    open_start: Ints
    open_end: Ints
    seen_start: Ints
    seen_end: Ints
    polls: PollsInRange
    spans: ExplainedSpans
    days: Days
    outages: Outages
    causes: list[str | None]
    up: int
    down: int
    open: int


def read_store(
    store_id: str, lo: int, hi: int, method: str = NEAREST, as_of: int | None = None
) -> StoreTimeline:
    """The store in [lo, hi), as of an instant (None: the newest poll in the database).

    ``hi`` is clipped to ``as_of``; then the poll made at ``as_of`` is in the range too. Raises
    NotFound for an unknown store and BadRequest for an unknown method.
    """
    check_method(method)
    with database.reading():
        store, demo, hours = _read_store(store_id)
        if as_of is None:
            as_of = shared_cache.newest_poll()
        as_of = hi if as_of is None else as_of
        hi = min(hi, as_of)
        lo = min(lo, hi)
        end = hi + 1 if hi == as_of else hi
        inside = _read_polls(store, lo, end)
        before = _before(store, lo)
        after, known_until = _after(store, end, as_of)
        newest = database.last_polls_in_ranges(
            store.rows, np.array([last_observations.BEGINNING]), np.array([as_of + 1])
        )
        polls = _join([before, inside, after])
        said, texts = _read_reasons(store, polls)
    begin = min(lo, int(polls.time[0])) if len(polls.time) else lo
    intervals = open_intervals(store.schedule, begin, known_until)
    line = build_timeline(intervals, polls, method)
    observed = len(line.store) > 0
    opened = open_stretches(intervals, lo, hi)
    dates, edges = local_days(store.zones[0], lo, hi)
    open_time = sum_between(opened, edges)
    fallen = down_stretches(line, lo, hi)
    down = sum_between(fallen, edges)
    near = get_settings().covered_minutes * MINUTE
    seen = covered_stretches(line.clock, polls, lo, hi, near)
    seen_down = sum_between(_overlap(fallen, seen), edges)
    seen_up = sum_between(seen, edges) - seen_down
    up = open_time - down if observed else np.zeros_like(down)
    first = None
    if observed and not len(before.time):
        first = int(polls.time[_inside(intervals, polls.time)][0])
    outages = find_outages(line, known_until, lo, hi)
    causes: list[str | None] = [None] * len(outages)
    if texts:
        codes = find_causes(line, known_until, lo, hi, said).tolist()
        causes = [None if code == UNKNOWN else texts[code] for code in codes]
    return StoreTimeline(
        store_id=store_id,
        demo=demo,
        zone=store.zones[0],
        zone_assumed=not store.zone_given[0],
        hours=hours,
        hours_assumed=bool(store.schedule.hours_assumed[0]),
        hours_unreadable=bool(store.schedule.hours_unreadable[0]),
        as_of=as_of,
        lo=lo,
        hi=hi,
        method=method,
        observed=observed,
        first_observation=first,
        open_before_first=0
        if first is None
        else int(sum_between(opened, np.array([lo, first]))[0]),
        last_poll=int(newest[1][0]) if len(newest[1]) else None,
        last_poll_active=bool(newest[2][0]) if len(newest[2]) else None,
        open_start=opened.start // 2,
        open_end=opened.end // 2,
        seen_start=seen.start // 2,
        seen_end=seen.end // 2,
        polls=PollsInRange(inside.time, inside.status, _inside(intervals, inside.time)),
        spans=explain_spans(line, lo, hi, method),
        days=Days(dates, up, down, open_time, seen_up, seen_down),
        outages=outages,
        causes=causes,
        up=int(up.sum()),
        down=int(down.sum()),
        open=int(open_time.sum()),
    )


def _overlap(some: Stretches, others: Stretches) -> Stretches:
    """The time that lies in stretches of both, of one store; those of each do not overlap."""
    first = np.searchsorted(others.end, some.start, "right")
    counts = np.maximum(np.searchsorted(others.start, some.end) - first, 0)
    n = np.repeat(np.arange(len(counts)), counts)
    k = np.arange(len(n)) - np.repeat(np.cumsum(counts) - counts, counts) + first[n]
    start = np.maximum(some.start[n], others.start[k])
    return Stretches(some.store[n], start, np.minimum(some.end[n], others.end[k]))


def read_window(
    scope: Scope, window: Window | None, as_of: int | None = None, method: str = NEAREST
) -> StoreTimeline:
    """The one store of a scope in a window (None: the last week). Raises NoPolls, NotFound if the
    store is gone, and BadRequest for a window that does not fit ``as_of``."""
    with database.reading():
        instant = choose_as_of(scope, as_of)
        stores = read_scope(scope)
        lo, hi = (window or LAST_WEEK).of_stores(instant, stores.zones, stores.zone_of_store)
        return read_store(stores.ids[0], int(lo[0]), int(hi[0]), method, instant)


def weekly_hours(
    rows: list[tuple[int, int, int]], as_text: Callable[[int], str] = wall_text
) -> list[tuple[str, str]]:
    """Business hours as text, a line a weekday: ("Monday", "09:00–17:00, 18:00–23:59").

    Rows are (day of week, start, end), wall-clock microseconds. A weekday without one is
    "closed"; without any row at all the store is open 24×7, and each says "open 24 hours". An
    end on the next date says so.
    """
    if not rows:
        return [(day, "open 24 hours") for day in WEEKDAYS]
    days: list[list[str]] = [[] for _ in WEEKDAYS]
    for day, start, end in sorted(rows):
        if start == CLOSED:
            continue
        later = "" if end > start else " (next day)"
        days[day].append(f"{as_text(start)}–{as_text(end)}{later}")
    return [(day, ", ".join(texts) or "closed") for day, texts in zip(WEEKDAYS, days, strict=True)]


def _read_store(store_id: str) -> tuple[Stores, bool, list[tuple[int, int, int]]]:
    """(the store as a set of one, whether it is demo data, its rows of hours)."""
    found = database.tuples(
        Store.select(Store.id, Store.timezone, Store.demo, Store.hours_unreadable).where(
            Store.store_id == store_id
        )
    )
    if not found:
        raise NotFound(f"There is no store {store_id[:64]!r}.", "Look for it among the stores.")
    row, zone, demo, unreadable = found[0]
    hours = sorted(
        database.tuples(
            BusinessHours.select(
                BusinessHours.day_of_week, BusinessHours.start_time, BusinessHours.end_time
            ).where(BusinessHours.store == row)
        )
    )
    rows = np.array([row], np.int64)
    table = np.array([(row, *line) for line in hours], np.int64).reshape(-1, 4)
    store = Stores(
        ids=[store_id],
        rows=rows,
        schedule=make_schedule(
            rows, [zone or DEFAULT_ZONE], table, np.array([unreadable], bool), only_store=row
        ),
        demo=bool(demo),
        zone_given=np.array([zone is not None]),
    )
    return store, bool(demo), hours


def _read_polls(store: Stores, lo: int, hi: int) -> Polls:
    """The store's polls in [lo, hi)."""
    return _join(
        [
            Polls(*columns)
            for columns in database.polls_in_ranges(store.rows, np.array([lo]), np.array([hi]))
        ]
    )


def _read_reasons(store: Stores, polls: Polls) -> tuple[Reasons, list[str]]:
    """The reasons of the store's polls in the time of these polls, and their texts."""
    if not len(polls.time):
        return Reasons(*(np.empty(0, np.int64) for _ in range(3))), []
    between = PollReason.timestamp.between(int(polls.time[0]), int(polls.time[-1]))
    table = database.tuples(
        PollReason.select(PollReason.timestamp, PollReason.reason)
        .where(PollReason.store == int(store.rows[0]), between)
        .order_by(PollReason.timestamp)
    )
    time = np.array([instant for instant, _ in table], np.int64)
    numbers = np.arange(len(table), dtype=np.int64)
    return Reasons(np.zeros(len(table), np.int64), time, numbers), [text for _, text in table]


def _join(parts: list[Polls]) -> Polls:
    if not parts:
        return Polls.none()
    return Polls(
        np.concatenate([part.store for part in parts]),
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.status for part in parts]),
    )


def _before(store: Stores, lo: int) -> Polls:
    """The polls before ``lo`` that matter from there on.

    These are the last observation and, if it was down, all polls back to the last one that was up,
    so that an outage has its beginning.
    """
    parts: list[Polls] = []
    step = STEP
    while True:
        last = last_observations.last_observations(store, ALL, lo)
        if not len(last.store):
            break
        newest = int(last.time[0])
        lo = newest if last.status[0] == 1 else newest - step
        part = _read_polls(store, lo, newest + 1)
        up = np.flatnonzero(_counted(store, part) & (part.status == 1))
        if len(up):
            parts.append(_part(part, slice(up[-1], None)))
            break
        parts.append(part)
        step *= STEP_FACTOR
    return _join(parts[::-1])


def _after(store: Stores, begin: int, as_of: int) -> tuple[Polls, int]:
    """The polls from ``begin`` to ``as_of`` that matter before: up to the first observation that
    is up, so that an outage has its end. Also the instant up to which they are known."""
    parts: list[Polls] = []
    step = STEP
    while begin <= as_of:
        end = min(begin + step, as_of + 1)
        part = _read_polls(store, begin, end)
        up = np.flatnonzero(_counted(store, part) & (part.status == 1))
        if len(up):
            parts.append(_part(part, slice(up[0] + 1)))
            return _join(parts), min(int(part.time[up[0]]) + 1, as_of)
        parts.append(part)
        begin = end
        step *= STEP_FACTOR
    return _join(parts), as_of


def _part(polls: Polls, rows: slice) -> Polls:
    return Polls(polls.store[rows], polls.time[rows], polls.status[rows])


def _counted(store: Stores, polls: Polls) -> NDArray[np.bool_]:
    """Which of the polls were made inside business hours."""
    if not len(polls.time):
        return np.empty(0, bool)
    lo, hi = int(polls.time[0]), int(polls.time[-1])
    return _inside(last_observations.intervals_of(store, ALL, np.array([lo]), hi), polls.time)


def _inside(intervals: OpenIntervals, time: Ints) -> NDArray[np.bool_]:
    """Which instants are in one store's open intervals."""
    if not len(intervals.start):
        return np.zeros(len(time), bool)
    p = np.searchsorted(intervals.start, time, "right") - 1
    return (p >= 0) & (time < intervals.end[np.maximum(p, 0)])
