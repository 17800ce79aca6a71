"""The in-memory cache: the columns that a report reads, kept current with the database.

Each transaction that changes data writes a numbered row (``models.Revision``) that says from
which instant on polls changed. A snapshot that stands at an earlier number reads only those
polls again, so that every process is current at its next use without reading everything.
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from peewee import fn

from restmon import database
from restmon.hours import DAY, DEFAULT_ZONE, HOUR, WeeklyHours
from restmon.keys import KeySpace
from restmon.models import Revision, Store
from restmon.uptime import Polls

Ints = NDArray[np.int64]

WEEK = 168 * HOUR
LOOKBACK = 24 * HOUR
"""How far before the week polls are read: most stores' last observation before it is there."""
SLACK = 2 * DAY
FOR_EVER = 2**62
KEPT = 3
"""How many computed things of one revision are kept."""

T = TypeVar("T")


@dataclass(frozen=True)
class Stores:
    """All stores in the order of the report, ``store_id`` as text.

    ``ids`` are their names, ``rows`` their row ids (int64), ``zone_of_store`` (int64) indexes
    ``zones``; ``demo`` says that they are demo data, ``zone_given`` (bool) which of them have a
    zone of their own.
    """

    ids: list[str]
    rows: Ints
    zones: list[str]
    zone_of_store: Ints
    hours: WeeklyHours
    demo: bool
    zone_given: NDArray[np.bool_]

    def chosen(self, mask: NDArray[np.bool_]) -> "Stores":
        """Those of the mask alone, in the same order."""
        place = np.cumsum(mask) - 1
        kept = mask[self.hours.store]
        columns = (self.hours.day_of_week, self.hours.start, self.hours.end)
        return Stores(
            list(compress(self.ids, mask)),
            self.rows[mask],
            self.zones,
            self.zone_of_store[mask],
            WeeklyHours(place[self.hours.store[kept]], *(column[kept] for column in columns)),
            self.demo,
            self.zone_given[mask],
        )


@dataclass(frozen=True)
class Snapshot:
    """One consistent state: all stores, and every poll at or after ``polls_from``.

    ``depth`` is how far before the newest poll (microseconds) polls are kept at least.
    """

    revision: int
    stores: Stores
    polls: Polls
    polls_from: int
    depth: int


def current_revision() -> int:
    """The number of the newest revision, 0 before the first."""
    with database.session():
        return int(Revision.select(fn.MAX(Revision.number)).scalar() or 0)


def read_stores(first: str | None = None, end: str | None = None) -> Stores:
    """All stores with their hours and zones; or those from ``first`` up to, not including,
    ``end`` alone."""
    wanted = []
    if first is not None:
        wanted.append(Store.store_id >= first)
    if end is not None:
        wanted.append(Store.store_id < end)
    chosen = Store.select(Store.store_id, Store.id, Store.timezone, Store.demo)
    if wanted:
        chosen = chosen.where(*wanted)
    table = database.tuples(chosen.order_by(Store.store_id))
    ids, rows, zones_given, demo = zip(*table, strict=True) if table else ((), (), (), ())
    names = [zone or DEFAULT_ZONE for zone in zones_given]
    zones = sorted(set(names))
    place = {zone: i for i, zone in enumerate(zones)}
    row = np.array(rows, np.int64)
    hours = database.business_hours(first, end)
    by_row = np.argsort(row)
    store = by_row[np.searchsorted(row[by_row], hours[:, 0])] if len(hours) else hours[:, 0]
    return Stores(
        list(ids),
        row,
        zones,
        np.fromiter(map(place.__getitem__, names), np.int64, len(names)),
        WeeklyHours(store, hours[:, 1], hours[:, 2], hours[:, 3]),
        any(demo),
        np.array([zone is not None for zone in zones_given], bool),
    )


def read(as_of: int | None, depth: int = WEEK + LOOKBACK) -> Snapshot:
    """A snapshot read from the database for a report as of the instant (None: newest poll)."""
    revision = current_revision()
    newest = database.newest_poll() if as_of is None else as_of
    polls_from = (newest or 0) - depth
    until = FOR_EVER if as_of is None else as_of + 1
    polls = Polls(*database.polls_of_all(polls_from, until))
    return Snapshot(revision, read_stores(), polls, polls_from, depth)


def changes_since(revision: int) -> list[tuple[int, int | None, bool, bool]] | None:
    """What each revision after the given one changed: its number, ``polls_from``,
    ``stores_changed`` and ``rebuild`` (see :class:`~restmon.models.Revision`).

    None where that is not known: the database may have been replaced by one with other revisions.
    """
    rows = database.tuples(
        Revision.select(
            Revision.number, Revision.polls_from, Revision.stores_changed, Revision.rebuild
        )
        .where(Revision.number > revision)
        .order_by(Revision.number)
    )
    if [number for number, *_ in rows] != [revision + 1 + n for n in range(len(rows))]:
        return None
    if not rows and current_revision() != revision:
        return None
    return rows


def refreshed(old: Snapshot) -> Snapshot:
    """The snapshot brought up to date with the database."""
    rows = changes_since(old.revision)
    if rows is None or any(rebuild for *_, rebuild in rows):
        return read(None, old.depth)
    if not rows:
        return old
    stores, polls = old.stores, old.polls
    if any(changed for _, _, changed, _ in rows):
        stores = read_stores()
        by_row = np.argsort(stores.rows)
        place = by_row[np.searchsorted(stores.rows[by_row], old.stores.rows)]
        polls = replace(polls, store=place[polls.store])
    starts = [polls_from for _, polls_from, _, _ in rows if polls_from is not None]
    if starts:
        polls = _updated(polls, max(min(starts), old.polls_from), len(stores.ids))
    polls_from = old.polls_from
    newest = int(polls.time.max()) if len(polls.time) else polls_from
    if newest - old.depth - polls_from > SLACK:
        polls_from = newest - old.depth
        polls = polls.between(polls_from, newest)
    return Snapshot(int(rows[-1][0]), stores, polls, polls_from, old.depth)


def deepened(old: Snapshot, depth: int) -> Snapshot:
    """The snapshot with the earlier polls that the depth asks for."""
    polls, polls_from = old.polls, old.polls_from
    newest = int(polls.time.max()) if len(polls.time) else database.newest_poll()
    if newest is not None and newest - depth < polls_from:
        earlier = Polls(*database.polls_of_all(newest - depth, polls_from))
        polls, polls_from = merged(earlier, polls, len(old.stores.ids)), newest - depth
    return replace(old, polls=polls, polls_from=polls_from, depth=depth)


def _updated(polls: Polls, changed_from: int, stores: int) -> Polls:
    """The polls with those at or after ``changed_from`` read again."""
    later = Polls(*database.polls_of_all(changed_from, FOR_EVER))
    return merged(polls.between(-FOR_EVER, changed_from - 1), later, stores)


def merged(earlier: Polls, later: Polls, stores: int) -> Polls:
    """The polls of both, all of the first ones earlier than all of the second ones."""
    if not len(earlier.store) or not len(later.store):
        return earlier if len(earlier.store) else later
    space = KeySpace.covering(stores, int(earlier.time.min()), int(later.time.max()))
    key = space.keys(earlier.store, earlier.time)
    at = np.searchsorted(key, space.keys(later.store, later.time))
    return Polls(
        np.insert(earlier.store, at, later.store),
        np.insert(earlier.time, at, later.time),
        np.insert(earlier.status, at, later.status),
    )


class Source(Protocol):
    """What gives snapshots: the cache of all stores, or a part of them."""

    def get(self, as_of: int | None, window: int) -> Snapshot:
        """A snapshot for a report as of the instant (None: the newest poll) on the window
        (microseconds) before it. The caller holds a read transaction."""


class SnapshotCache:
    """The process's snapshot; safe to use from several threads."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._lock = threading.Lock()
        self._newest: tuple[int, int | None] = (0, None)
        self._made: dict[tuple[int, Hashable], Any] = {}
        self._making = threading.Lock()

    def get(self, as_of: int | None = None, window: int = WEEK) -> Snapshot:
        """A current snapshot that serves a report as of the instant (None: the newest poll) on
        the window (microseconds) before it.

        The caller holds a read transaction: the snapshot is of its state of the data.
        """
        depth = window + LOOKBACK
        with self._lock:
            old = self._snapshot
            new = read(None, depth) if old is None else refreshed(old)
            if new.depth < depth:
                new = deepened(new, depth)
            self._snapshot = new
        if as_of is not None and as_of - depth < new.polls_from:
            return read(as_of, depth)
        return new

    def newest_poll(self) -> int | None:
        """The newest poll's instant, or None; looked up once a revision."""
        known, newest = self._newest
        revision = current_revision()
        if revision != known:
            newest = database.newest_poll()
            self._newest = (revision, newest)
        return newest

    def remembered(self, revision: int, name: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gives, made once for a revision and a name; the last few are kept."""
        with self._making:
            if (revision, name) not in self._made:
                made = make()
                kept = {key: value for key, value in self._made.items() if key[0] == revision}
                self._made = dict(list(kept.items())[1 - KEPT :])
                self._made[revision, name] = made
            result: T = self._made[revision, name]
            return result

    def clear(self) -> None:
        """Forget everything, as when another database is opened."""
        with self._making, self._lock:
            self._snapshot = None
            self._newest = (0, None)
            self._made = {}


cache = SnapshotCache()
