"""What is stored about one store: its polls in a range and around it, reasons, hours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.hours import DEFAULT_ZONE
from restmon.core.instants import DAY
from restmon.core.intervals import OpenIntervals
from restmon.core.observations import Polls
from restmon.core.outage_statistics import Reasons
from restmon.errors import NotFound
from restmon.reporting import last_observations
from restmon.reporting.snapshot import Stores
from restmon.storage import database
from restmon.storage.models import BusinessHours, PollReason, Store
from restmon.stores.schedules import make_schedule

Ints = NDArray[np.int64]

STEP = 2 * DAY
STEP_FACTOR = 4
ALL = np.zeros(1, np.int64)
"""The indices of all stores in a set of one store."""


@dataclass(frozen=True)
class StoreRow:
    """A store as a set of one (``stores``), and its rows of ``hours`` (day of week, start, end),
    sorted, wall-clock microseconds."""

    stores: Stores
    hours: list[tuple[int, int, int]]


@dataclass(frozen=True)
class StorePolls:
    """The polls of a store that matter for a range.

    ``before`` and ``after`` are those outside of it that decide its edges and the outages that
    reach beyond them; all polls up to ``known_until`` are known. ``newest`` is the last poll as of
    the instant, whether it counts or not.
    """

    before: Polls
    inside: Polls
    after: Polls
    known_until: int
    newest: Polls

    @property
    def every(self) -> Polls:
        """All polls but ``newest``, in order."""
        return join_polls([self.before, self.inside, self.after])


def read_row(store_id: str) -> StoreRow:
    """A store by its id. Raises NotFound. The caller holds a read transaction."""
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
    return StoreRow(store, hours)


def read_store_polls(store: Stores, lo: int, hi: int, as_of: int) -> StorePolls:
    """The polls of a store that matter for [lo, hi), as of an instant. The caller holds a read
    transaction."""
    after, known_until = _read_after(store, hi, as_of)
    newest = database.last_polls_in_ranges(
        store.rows, np.array([last_observations.BEGINNING]), np.array([as_of + 1])
    )
    return StorePolls(
        _read_before(store, lo), _read_between(store, lo, hi), after, known_until, Polls(*newest)
    )


def read_reasons(store: Stores, polls: Polls) -> tuple[Reasons, list[str]]:
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


def join_polls(parts: list[Polls]) -> Polls:
    """Polls one after the other."""
    if not parts:
        return Polls.none()
    return Polls(
        np.concatenate([part.store for part in parts]),
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.status for part in parts]),
    )


def are_inside(intervals: OpenIntervals, time: Ints) -> NDArray[np.bool_]:
    """Which instants are in one store's open intervals."""
    if not len(intervals.start):
        return np.zeros(len(time), bool)
    p = np.searchsorted(intervals.start, time, "right") - 1
    return (p >= 0) & (time < intervals.end[np.maximum(p, 0)])


def _read_between(store: Stores, lo: int, hi: int) -> Polls:
    """The store's polls in [lo, hi)."""
    found = database.polls_in_ranges(store.rows, np.array([lo]), np.array([hi]))
    return join_polls([Polls(*columns) for columns in found])


def _read_before(store: Stores, lo: int) -> Polls:
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
        part = _read_between(store, lo, newest + 1)
        up = np.flatnonzero(_are_observations(store, part) & (part.status == 1))
        if len(up):
            parts.append(_slice(part, slice(up[-1], None)))
            break
        parts.append(part)
        step *= STEP_FACTOR
    return join_polls(parts[::-1])


def _read_after(store: Stores, begin: int, as_of: int) -> tuple[Polls, int]:
    """The polls from ``begin`` to ``as_of`` that matter before: up to the first observation that
    is up, so that an outage has its end. Also the instant up to which they are known."""
    parts: list[Polls] = []
    step = STEP
    while begin <= as_of:
        end = min(begin + step, as_of + 1)
        part = _read_between(store, begin, end)
        up = np.flatnonzero(_are_observations(store, part) & (part.status == 1))
        if len(up):
            parts.append(_slice(part, slice(up[0] + 1)))
            return join_polls(parts), min(int(part.time[up[0]]) + 1, as_of)
        parts.append(part)
        begin = end
        step *= STEP_FACTOR
    return join_polls(parts), as_of


def _slice(polls: Polls, rows: slice) -> Polls:
    return Polls(polls.store[rows], polls.time[rows], polls.status[rows])


def _are_observations(store: Stores, polls: Polls) -> NDArray[np.bool_]:
    """Which of the polls were made inside business hours."""
    if not len(polls.time):
        return np.empty(0, bool)
    lo, hi = int(polls.time[0]), int(polls.time[-1])
    return are_inside(last_observations.intervals_of(store, ALL, np.array([lo]), hi), polls.time)
