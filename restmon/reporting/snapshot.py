"""The in-memory cache of the columns that a report reads, kept current with the database.

Each transaction that changes data inserts a numbered row (``models.Revision``) that says from which
instant on polls changed. A snapshot reads only what the rows after its own number name::

    revision 7                    revision 8: polls_from = t1       revision 9: stores_changed
    a snapshot holds              its polls from t1 on are          stores, hours and zones are
    polls of the last 8 days      read again                        read again; polls stay

    A snapshot at 7 that is used after revision 9 does both, and then stands at 9.

A row with ``rebuild``, or a gap in the numbers, means: read everything again.
"""

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import compress
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from peewee import fn

from restmon.core.formatting import store_label
from restmon.core.hours import DEFAULT_ZONE, Schedule
from restmon.core.instants import DAY, HOUR
from restmon.core.keys import KeySpace
from restmon.core.observations import Polls
from restmon.storage import database
from restmon.storage.models import Revision, Store
from restmon.stores.names import names_by_id
from restmon.stores.schedules import make_schedule

Ints = NDArray[np.int64]

WEEK = 168 * HOUR
LOOKBACK = 24 * HOUR
"""Polls are read from this long before the week, since most stores have an observation there."""
SLACK = 2 * DAY
FOR_EVER = 2**62
RESULTS_KEPT = 8
"""Results of one revision that `SnapshotCache.remember` keeps."""

T = TypeVar("T")


@dataclass(frozen=True)
class Stores:
    """All stores in the order of the report, by ``store_id`` as text.

    ``ids`` are their ids, ``rows`` their row ids (int64), and ``schedule`` says when they are open.
    ``demo`` says whether they are demo data, ``zone_given`` (bool) which of them have their own
    zone. ``names`` has the names, by id, of those that have one.
    """

    ids: list[str]
    rows: Ints
    schedule: Schedule
    demo: bool
    zone_given: NDArray[np.bool_]
    names: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each store, by its id."""
        return {store_id: n for n, store_id in enumerate(self.ids)}

    @property
    def labels(self) -> list[str]:
        """The label of each store: its name followed by its id, or only the id."""
        return list(map(self.label, self.ids))

    def label(self, store_id: str) -> str:
        """The label of a store."""
        return store_label(store_id, self.names.get(store_id))

    @property
    def zones(self) -> list[str]:
        """The names of the zones that ``zone_of_store`` indexes."""
        return self.schedule.zones

    @property
    def zone_of_store(self) -> Ints:
        """The index of each store's zone."""
        return self.schedule.zone_of_store

    def chosen(self, mask: NDArray[np.bool_]) -> "Stores":
        """The stores of the mask, in the same order."""
        ids = list(compress(self.ids, mask))
        return Stores(
            ids,
            self.rows[mask],
            self.schedule.chosen(np.flatnonzero(mask)),
            self.demo,
            self.zone_given[mask],
            {i: self.names[i] for i in ids if i in self.names} if self.names else {},
        )


@dataclass(frozen=True)
class Snapshot:
    """One consistent state: all stores, and every poll at or after ``polls_from``.

    It has all polls of at least the ``depth`` (microseconds) before the newest poll.
    """

    revision: int
    stores: Stores
    polls: Polls
    polls_from: int
    depth: int

    def newest(self, until: int) -> int | None:
        """The instant of the newest of these polls at or before ``until``, or None."""
        time = self.polls.time
        if len(time) and time.max() > until:
            time = time[time <= until]
        return int(time.max()) if len(time) else None

    def chosen(self, mask: NDArray[np.bool_]) -> "Snapshot":
        """The snapshot of only the stores of the mask (bool, one a store), with their polls."""
        place = np.cumsum(mask) - 1
        kept = mask[self.polls.store]
        polls = Polls(place[self.polls.store[kept]], self.polls.time[kept], self.polls.status[kept])
        return replace(self, stores=self.stores.chosen(mask), polls=polls)


def current_revision() -> int:
    """The number of the newest revision, 0 before the first."""
    with database.session():
        return int(Revision.select(fn.MAX(Revision.number)).scalar() or 0)


def read_stores(first: str | None = None, end: str | None = None) -> Stores:
    """All stores with their hours, zones and names. With ``first``, only the stores from it to
    before ``end``, without names, which no report needs."""
    wanted = []
    if first is not None:
        wanted.append(Store.store_id >= first)
    if end is not None:
        wanted.append(Store.store_id < end)
    chosen = Store.select(
        Store.store_id, Store.id, Store.timezone, Store.demo, Store.hours_unreadable
    )
    if wanted:
        chosen = chosen.where(*wanted)
    table = database.tuples(chosen.order_by(Store.store_id))
    ids, rows, zones_given, demo, unreadable = zip(*table, strict=True) if table else ((),) * 5
    row = np.array(rows, np.int64)
    zones = [zone or DEFAULT_ZONE for zone in zones_given]
    return Stores(
        list(ids),
        row,
        make_schedule(row, zones, database.business_hours(first, end), np.array(unreadable, bool)),
        any(demo),
        np.array([zone is not None for zone in zones_given], bool),
        {} if wanted else names_by_id(),
    )


def read_snapshot(as_of: int | None, depth: int = WEEK + LOOKBACK) -> Snapshot:
    """A snapshot read from the database for a report as of the instant (None: newest poll).

    The newest poll is always the newest that is not from the future (`database.latest_instant`).
    The snapshot also has polls from the future, but the default ``as_of`` ignores them.
    """
    revision = current_revision()
    newest = database.newest_poll() if as_of is None else as_of
    polls_from = (newest or 0) - depth
    until = FOR_EVER if as_of is None else as_of + 1
    polls = Polls(*database.polls_of_all(polls_from, until))
    return Snapshot(revision, read_stores(), polls, polls_from, depth)


def changes_since(revision: int) -> list[tuple[int, int | None, bool, bool]] | None:
    """What each revision after the given one changed: its number, ``polls_from``,
    ``stores_changed`` and ``rebuild`` (see :class:`~restmon.storage.models.Revision`).

    None if that is unknown, because the database may have been replaced by another one.
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


def refresh(old: Snapshot) -> Snapshot:
    """The snapshot with all later changes in the database."""
    rows = changes_since(old.revision)
    if rows is None or any(rebuild for *_, rebuild in rows):
        return read_snapshot(None, old.depth)
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
        polls = _read_again(polls, max(min(starts), old.polls_from), len(stores.ids))
    new = Snapshot(int(rows[-1][0]), stores, polls, old.polls_from, old.depth)
    newest = new.newest(database.latest_instant())
    if newest is not None and newest - new.depth - new.polls_from > SLACK:
        polls_from = newest - new.depth
        new = replace(new, polls=polls.between(polls_from, FOR_EVER), polls_from=polls_from)
    return new


def deepen(old: Snapshot, depth: int) -> Snapshot:
    """The snapshot with the earlier polls that the depth requires."""
    polls, polls_from = old.polls, old.polls_from
    newest = old.newest(database.latest_instant())
    if newest is None:
        newest = database.newest_poll()
    if newest is not None and newest - depth < polls_from:
        earlier = Polls(*database.polls_of_all(newest - depth, polls_from))
        polls, polls_from = append_polls(earlier, polls, len(old.stores.ids)), newest - depth
    return replace(old, polls=polls, polls_from=polls_from, depth=depth)


def _read_again(polls: Polls, changed_from: int, stores: int) -> Polls:
    """The polls with those at or after ``changed_from`` read again."""
    later = Polls(*database.polls_of_all(changed_from, FOR_EVER))
    return append_polls(polls.between(-FOR_EVER, changed_from - 1), later, stores)


def append_polls(earlier: Polls, later: Polls, stores: int) -> Polls:
    """The polls of both. All of the first must be earlier than all of the second."""
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
    """A source of snapshots: of all stores, or of some."""

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

        The caller holds a read transaction. The snapshot has its state of the data.
        """
        depth = window + LOOKBACK
        with self._lock:
            old = self._snapshot
            new = read_snapshot(None, depth) if old is None else refresh(old)
            if new.depth < depth:
                new = deepen(new, depth)
            self._snapshot = new
        if as_of is None and new.newest(database.latest_instant()) is None:
            as_of = database.newest_poll()  # which a clock that stepped back may leave outside
        if as_of is not None and as_of - depth < new.polls_from:
            return read_snapshot(as_of, depth)
        return new

    def newest_poll(self) -> int | None:
        """The newest poll's instant, or None. Looks it up once a revision."""
        newest, latest = self._newest_stored(), database.latest_instant()
        return newest if newest is None or newest <= latest else database.newest_poll(latest)

    def future_polls(self) -> int:
        """How many polls there are from the future."""
        newest, latest = self._newest_stored(), database.latest_instant()
        if newest is None or newest <= latest:
            return 0
        return database.count_polls(latest + 1, FOR_EVER)

    def _newest_stored(self) -> int | None:
        """The newest poll's instant, even from the future, or None."""
        known, newest = self._newest
        revision = current_revision()
        if revision != known:
            newest = database.newest_poll(FOR_EVER)
            self._newest = (revision, newest)
        return newest

    def remember(self, revision: int, name: Hashable, make: Callable[[], T]) -> T:
        """The result of ``make``, computed once for a revision and a name. Keeps the last 8."""
        with self._making:
            if (revision, name) not in self._made:
                made = make()
                kept = {key: value for key, value in self._made.items() if key[0] == revision}
                self._made = dict(list(kept.items())[1 - RESULTS_KEPT :])
                self._made[revision, name] = made
            result: T = self._made[revision, name]
            return result

    def clear(self) -> None:
        """Forget everything, such as when another database is opened."""
        with self._making, self._lock:
            self._snapshot = None
            self._newest = (0, None)
            self._made = {}


cache = SnapshotCache()
