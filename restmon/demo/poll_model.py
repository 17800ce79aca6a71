"""When made-up stores are polled, and when they answer `inactive`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.hours import DEFAULT_ZONE, Schedule, WeeklyHours, open_intervals
from restmon.core.instants import DAY, HOUR, MINUTE, SECOND
from restmon.core.intervals import merge
from restmon.core.keys import KeySpace
from restmon.demo.chance import OUTAGES, POLLER, ROLES, Ints, open_stream
from restmon.demo.chance import REASONS as REASONS_STREAM
from restmon.demo.made_stores import MadeStores, wall_time

Floats = NDArray[np.float64]

Spans = tuple[Ints, Ints, Ints]  # stores, starts, ends: one length

NEVER = int(np.iinfo(np.int64).max)

SILENT = 0.01  # stores without any poll

WITH_GAP = 0.02  # stores not polled for a day or two

IN_INCIDENT = 0.08  # stores of the chain that goes down in one evening

IN_LARGE_INCIDENT = 0.2  # the same, of an export with everything

REASONS = (
    "",
    "Internet outage",
    "Tablet offline",
    "Paused: too many orders",
    "Out of stock",
    "Menu not published",
)
"""Why a poll says it is inactive; the first: it does not say."""

OF_INCIDENT = 1

OFF_WHEN_CLOSED = 0.08  # stores that answer `inactive` outside their hours


@dataclass(frozen=True)
class Reliability:
    """How often stores of one sort go down (outages a day), for how long (median, in hours)."""

    share: float
    a_day: float
    median: float


TERRIBLE = Reliability(0.03, 2.0, 3.0)

BAD = Reliability(0.12, 1.0, 1.0)

GOOD = Reliability(1.0, 1 / 14, 0.75)  # all the others


@dataclass(frozen=True)
class Polling:
    """When each store is polled: arrays of one entry a store.

    ``phase`` is microseconds after the full hour, ``success`` the probability that a poll is not
    lost; a store is not polled in [gap_start, gap_end) nor from ``until`` on.
    """

    phase: Ints
    success: Floats
    gap_start: Ints
    gap_end: Ints
    until: Ints


@dataclass(frozen=True)
class Roles:
    """Which stores (their indices) play which part; no store plays two."""

    silent: Ints
    dead: Ints
    gap: Ints
    terrible: Ints
    bad: Ints
    incident: Ints
    good: Ints  # with those of the incident


@dataclass(frozen=True)
class DownTimes:
    """When stores answer `inactive`: sorted keys of spans that do not touch."""

    space: KeySpace
    start: Ints
    end: Ints  # one entry more: before the first span there is one that ends before everything
    reason: Ints  # of each entry of ``end``, by its place in REASONS

    def reasons_at(self, store: Ints, instant: Ints) -> Ints:
        """The reason of each answer, by its place in REASONS (arrays of one length)."""
        span = np.searchsorted(self.start, self.space.keys(store, instant), side="right")
        return np.where(self.at(store, instant), self.reason[span], 0)

    def at(self, store: Ints, instant: Ints) -> NDArray[np.bool_]:
        """Whether each store is down at each instant (arrays of one length)."""
        key = self.space.keys(store, instant)
        found: NDArray[np.bool_] = key < self.end[np.searchsorted(self.start, key, side="right")]
        return found


def deal_roles(number: int, days: int, seed: int, in_incident: float = IN_INCIDENT) -> Roles:
    """Deal the parts; ``in_incident`` is the share of the stores that have the bad evening. Below
    ten stores nobody plays a special one."""
    left = open_stream(seed, ROLES).permutation(number)
    special = number >= 10

    def take(wanted: int) -> Ints:
        nonlocal left
        taken, left = left[:wanted], left[wanted:]
        return taken

    def share(part: float) -> Ints:
        return take(_at_least_one(part, number) if special else 0)

    long_enough = special and days >= 4
    silent = share(SILENT)
    dead = take((1 if number < 1000 else 2) if long_enough else 0)
    gap = share(WITH_GAP) if long_enough else take(0)
    terrible, bad = share(TERRIBLE.share), share(BAD.share)
    incident = left[: _at_least_one(in_incident, number)] if special else left[:0]
    return Roles(silent, dead, gap, terrible, bad, incident, left)


def plan_polling(
    roles: Roles, number: int, lo: int, hi: int, seed: int, whole: bool = False
) -> Polling:
    """When the stores are polled, between lo and hi. The dead ones are so since their second day;
    where the polls are ``whole``, since the last day but one."""
    rng = open_stream(seed, POLLER, 1)
    early = rng.gamma(1.5, 3 * MINUTE, number)
    anytime = rng.uniform(0, 57 * MINUTE, number)
    phase = np.where(rng.random(number) < 0.85, np.minimum(early, 56 * MINUTE), anytime)
    success = np.clip(rng.normal(0.86, 0.07, number), 0.5, 0.98)
    success[roles.silent] = 0
    gap_start = np.full(number, NEVER)
    gap_end = np.full(number, NEVER)
    gap_start[roles.gap] = rng.integers(lo, max(hi - 2 * DAY, lo + 1), len(roles.gap))
    gap_end[roles.gap] = gap_start[roles.gap] + rng.integers(DAY, 2 * DAY, len(roles.gap))
    until = np.full(number, hi)
    died = rng.integers(DAY, 2 * DAY, len(roles.dead))
    until[roles.dead] = hi - died if whole else lo + died
    return Polling(phase.astype(np.int64), success, gap_start, gap_end, until)


def plan_runs(lo: int, hi: int, seed: int, whole: bool = False) -> list[Ints]:
    """The full hours at which the poller sets out, in lists for 24 hours each.

    It misses single hours, and about a day in every eight unless the polls are ``whole``, but none
    of the last 24.
    """
    rng = open_stream(seed, POLLER)
    hours = np.arange(lo // HOUR, -(-hi // HOUR))
    works = rng.random(len(hours)) >= 0.08
    for block in range(0, len(hours) - 8 * 24 + 1, 8 * 24):
        stop = block + rng.integers(0, 86)
        works[stop : stop + rng.integers(20, 31)] &= whole
    works[-24:] = True
    return [hours[k : k + 24][works[k : k + 24]] * HOUR for k in range(0, len(hours), 24)]


def make_down_times(made: MadeStores, roles: Roles, lo: int, hi: int, seed: int) -> DownTimes:
    """Everything that makes stores answer `inactive` between lo and hi."""
    number = len(made.ids)
    rng = open_stream(seed, OUTAGES)
    parts = [
        *(
            _outages(rng, stores, sort, lo, hi)
            for stores, sort in ((roles.terrible, TERRIBLE), (roles.bad, BAD), (roles.good, GOOD))
        ),
        incident := _incident(rng, roles.incident, lo, hi),
        _closed(made, _off_when_closed(rng, made), lo, hi),
    ]
    store, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
    spans = merge(number, store, start, end)
    space = KeySpace.covering(number, lo, hi)
    start_key, end_key = space.keys(spans.store, spans.start), space.keys(spans.store, spans.end)
    reason = open_stream(seed, REASONS_STREAM).integers(0, len(REASONS), len(start_key) + 1)
    struck, begin, _ = incident
    reason[np.searchsorted(start_key, space.keys(struck, begin), side="right")] = OF_INCIDENT
    return DownTimes(space, start_key, np.insert(end_key, 0, -1), reason)


def _outages(rng: np.random.Generator, stores: Ints, sort: Reliability, lo: int, hi: int) -> Spans:
    """Outages at any time, three minutes to two days long, of stores of one sort."""
    number = rng.poisson(sort.a_day * (hi - lo) / DAY, len(stores))
    store = np.repeat(stores, number)
    start = rng.integers(lo, hi, len(store))
    length = rng.lognormal(np.log(sort.median * HOUR), 1.2, len(store))
    return store, start, start + np.clip(length, 3 * MINUTE, 2 * DAY).astype(np.int64)


def _incident(rng: np.random.Generator, stores: Ints, lo: int, hi: int) -> Spans:
    """The chain's bad evening, one of the last three: down within minutes, up one by one."""
    evening = (hi - 27 * HOUR) // DAY * DAY + 23 * HOUR
    evening -= DAY * int(rng.integers(0, min((hi - lo) // DAY, 3)))
    start = max(evening, lo) + rng.integers(0, 15 * MINUTE, len(stores))
    return stores, start, start + rng.integers(150 * MINUTE, 230 * MINUTE, len(stores))


def _off_when_closed(rng: np.random.Generator, made: MadeStores) -> Ints:
    """The stores that switch off outside their hours: some of those that have any."""
    closing = np.flatnonzero([bool(rows) for rows in made.hours])
    number = _at_least_one(OFF_WHEN_CLOSED, len(closing)) if len(made.ids) >= 10 else 0
    return rng.permutation(closing)[:number]


def _closed(made: MadeStores, stores: Ints, lo: int, hi: int) -> Spans:
    """The closed times between lo and hi of some stores."""
    rows = [(s, *row) for s, store in enumerate(stores) for row in made.hours[store]]
    table = np.array(
        [(s, int(day), wall_time(start), wall_time(end)) for s, day, start, end in rows], np.int64
    ).reshape(-1, 4)
    zones = sorted({made.zones[store] or DEFAULT_ZONE for store in stores})
    zone = np.array([zones.index(made.zones[s] or DEFAULT_ZONE) for s in stores], np.int64)
    opened = open_intervals(Schedule(zones, zone, WeeklyHours(*table.T)), lo, hi)
    # Closed is from lo, and from each interval's end, to the next start, in the end to hi.
    owner = np.insert(opened.store, opened.first[:-1], np.arange(len(stores)))
    start = np.clip(np.insert(opened.end, opened.first[:-1], lo), lo, hi)
    end = np.clip(np.insert(opened.start, opened.first[1:], hi), lo, hi)
    closed = end > start
    return stores[owner[closed]], start[closed], end[closed]


def make_polls(
    rng: np.random.Generator, polling: Polling, runs: Ints, lo: int
) -> tuple[Ints, Ints]:
    """The stores and instants of the polls of some runs, shuffled; none is before lo."""
    run, store = np.nonzero(rng.random((len(runs), len(polling.success))) < polling.success)
    instant = runs[run] + polling.phase[store] + rng.integers(0, 3 * MINUTE, len(store))
    instant += instant % SECOND == 0  # so that there always is a fraction, as in the real feed
    asked = (instant >= lo) & (instant < polling.until[store])
    asked &= (instant < polling.gap_start[store]) | (instant >= polling.gap_end[store])
    order = rng.permutation(np.flatnonzero(asked))
    return store[order], instant[order]


def _at_least_one(share: float, number: int) -> int:
    """A share of a number, rounded, and not none."""
    return max(1, round(share * number))
