"""One store over a range of time, for its page. A few index look-ups read all of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
from restmon.core.hours import CLOSED, open_intervals
from restmon.core.instants import MINUTE
from restmon.core.observations import Polls
from restmon.core.outage_statistics import UNKNOWN, Reasons, find_causes
from restmon.core.outages import Outages, find_down_runs, find_outages
from restmon.core.timeline import NEAREST, Timeline, build_timeline
from restmon.reporting.computation import check_method
from restmon.reporting.outage_notes import Notes, match_notes, name_cause
from restmon.reporting.scopes import Scope, choose_as_of, read_scope
from restmon.reporting.snapshot import cache as shared_cache
from restmon.reporting.store_polls import (
    StorePolls,
    are_inside,
    read_reasons,
    read_row,
    read_store_polls,
)
from restmon.reporting.windows import LAST_WEEK, Window
from restmon.settings import get_settings
from restmon.storage import database
from restmon.stores.notes import Note, read_notes

Ints = NDArray[np.int64]


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
    overlap the range are whole; ``causes`` has the cause of each, None where polls and notes give
    none, ``notes`` its notes, and ``first_down`` and ``last_down`` its first and last inactive
    observation. ``loose_notes`` are those about an instant of the range that is in no outage.
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
    notes: list[Notes]
    first_down: Ints
    last_down: Ints
    loose_notes: Notes
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
        row = read_row(store_id)
        as_of, lo, hi = _clip(lo, hi, as_of)
        found = read_store_polls(row.stores, lo, hi + 1 if hi == as_of else hi, as_of)
        polls = found.every
        reasons = read_reasons(row.stores, polls)
        notes = read_notes(row.stores.rows.tolist())
    store, zone = row.stores, row.stores.zones[0]
    begin = min(lo, int(polls.time[0])) if len(polls.time) else lo
    intervals = open_intervals(store.schedule, begin, found.known_until)
    line = build_timeline(intervals, polls, method)
    opened = open_stretches(intervals, lo, hi)
    near = get_settings().covered_minutes * MINUTE
    seen = covered_stretches(line.clock, polls, lo, hi, near)
    days = _measure_days(zone, (lo, hi), line, opened, seen)
    first = None
    if len(line.store) and not len(found.before.time):
        first = int(polls.time[are_inside(intervals, polls.time)][0])
    return StoreTimeline(
        store_id=store_id,
        demo=store.demo,
        zone=zone,
        zone_assumed=not store.zone_given[0],
        hours=row.hours,
        hours_assumed=bool(store.schedule.hours_assumed[0]),
        hours_unreadable=bool(store.schedule.hours_unreadable[0]),
        as_of=as_of,
        lo=lo,
        hi=hi,
        method=method,
        observed=len(line.store) > 0,
        first_observation=first,
        open_before_first=_measure_before(opened, lo, first),
        **_find_last_poll(found.newest),
        open_start=opened.start // 2,
        open_end=opened.end // 2,
        seen_start=seen.start // 2,
        seen_end=seen.end // 2,
        polls=PollsInRange(
            found.inside.time, found.inside.status, are_inside(intervals, found.inside.time)
        ),
        spans=explain_spans(line, lo, hi, method),
        days=days,
        **_find_outages(line, found, (lo, hi), reasons, notes),
        up=int(days.up.sum()),
        down=int(days.down.sum()),
        open=int(days.open.sum()),
    )


def _clip(lo: int, hi: int, as_of: int | None) -> tuple[int, int, int]:
    """(``as_of``, the range that ends at it at the latest)."""
    if as_of is None:
        as_of = shared_cache.newest_poll()
    if as_of is None:  # there is no poll
        as_of = hi
    hi = min(hi, as_of)
    return as_of, min(lo, hi), hi


def _measure_days(
    zone: str, window: tuple[int, int], line: Timeline, opened: Stretches, seen: Stretches
) -> Days:
    """The time of each local date of the window, of which ``opened`` is the open time and ``seen``
    what was near a poll."""
    dates, edges = local_days(zone, *window)
    fallen = down_stretches(line, *window)
    down, open_time = sum_between(fallen, edges), sum_between(opened, edges)
    up = open_time - down if len(line.store) else np.zeros_like(down)
    seen_down = sum_between(_overlap(fallen, seen), edges)
    return Days(dates, up, down, open_time, sum_between(seen, edges) - seen_down, seen_down)


def _measure_before(opened: Stretches, lo: int, first: int | None) -> int:
    """The open time from ``lo`` to the first observation, half microseconds."""
    return 0 if first is None else int(sum_between(opened, np.array([lo, first]))[0])


def _find_last_poll(newest: Polls) -> dict[str, Any]:
    """The fields of the last poll."""
    if not len(newest.time):
        return {"last_poll": None, "last_poll_active": None}
    return {"last_poll": int(newest.time[0]), "last_poll_active": bool(newest.status[0])}


def _find_outages(
    line: Timeline,
    polls: StorePolls,
    window: tuple[int, int],
    reasons: tuple[Reasons, list[str]],
    notes: list[Note],
) -> dict[str, Any]:
    """The fields of the outages that overlap the window."""
    lo, hi = window
    outages = find_outages(line, polls.known_until, lo, hi)
    runs = find_down_runs(line, polls.known_until, lo, hi)
    of_each = match_notes(
        (outages.store, outages.start, outages.end, outages.ongoing), [(0, note) for note in notes]
    ).tolist()
    matched = {note for found in of_each for note in found}
    said, texts = reasons
    causes: list[str | None] = [None] * len(outages)
    if texts:
        codes = find_causes(line, polls.known_until, lo, hi, said).tolist()
        causes = [None if code == UNKNOWN else texts[code] for code in codes]
    return {
        "outages": outages,
        "causes": [name_cause(*pair) for pair in zip(causes, of_each, strict=True)],
        "notes": of_each,
        "first_down": line.time[runs.first],
        "last_down": line.time[runs.last],
        "loose_notes": tuple(n for n in notes if lo <= n.at < hi and n not in matched),
    }


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
