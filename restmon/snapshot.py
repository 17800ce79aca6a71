"""The in-memory cache: the columns that a report reads, kept current with the database.

Each transaction that changes data writes a numbered row (``models.Revision``) that says from
which instant on polls changed. A snapshot that stands at an earlier number reads only those
polls again, so that every process is current at its next use without reading everything.
"""

import threading
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from peewee import fn

from restmon import database
from restmon.hours import DAY, DEFAULT_ZONE, HOUR, WeeklyHours
from restmon.keys import KeySpace
from restmon.models import BusinessHours, Revision, Store
from restmon.uptime import Polls

Ints = NDArray[np.int64]

WEEK = 168 * HOUR
LOOKBACK = 24 * HOUR
"""How far before the week polls are read: most stores' last observation before it is there."""
SLACK = 2 * DAY
FOR_EVER = 2**62


@dataclass(frozen=True)
class Stores:
    """All stores in the order of the report, ``store_id`` as text.

    ``ids`` are their names, ``rows`` their row ids (int64), ``zone_of_store`` (int64) indexes
    ``zones``; ``demo`` says that they are demo data.
    """

    ids: list[str]
    rows: Ints
    zones: list[str]
    zone_of_store: Ints
    hours: WeeklyHours
    demo: bool


@dataclass(frozen=True)
class Snapshot:
    """One consistent state: all stores, and every poll at or after ``polls_from``."""

    revision: int
    stores: Stores
    polls: Polls
    polls_from: int


def current_revision() -> int:
    """The number of the newest revision, 0 before the first."""
    with database.session():
        return int(Revision.select(fn.MAX(Revision.number)).scalar() or 0)


def read_stores() -> Stores:
    """All stores with their hours and zones."""
    table = database.tuples(
        Store.select(Store.store_id, Store.id, Store.timezone, Store.demo).order_by(Store.store_id)
    )
    names = [zone or DEFAULT_ZONE for _, _, zone, _ in table]
    zones = sorted(set(names))
    place = {zone: i for i, zone in enumerate(zones)}
    rows = np.array([row for _, row, _, _ in table], np.int64)
    hours = np.array(
        database.tuples(
            BusinessHours.select(
                BusinessHours.store,
                BusinessHours.day_of_week,
                BusinessHours.start_time,
                BusinessHours.end_time,
            )
        ),
        np.int64,
    ).reshape(-1, 4)
    by_row = np.argsort(rows)
    store = by_row[np.searchsorted(rows[by_row], hours[:, 0])] if len(hours) else hours[:, 0]
    return Stores(
        [store_id for store_id, _, _, _ in table],
        rows,
        zones,
        np.array([place[name] for name in names], np.int64),
        WeeklyHours(store, hours[:, 1], hours[:, 2], hours[:, 3]),
        any(demo for _, _, _, demo in table),
    )


def read(as_of: int | None) -> Snapshot:
    """A snapshot read from the database for a report as of the instant (None: newest poll)."""
    revision = current_revision()
    newest = database.newest_poll() if as_of is None else as_of
    polls_from = (newest or 0) - WEEK - LOOKBACK
    until = FOR_EVER if as_of is None else as_of + 1
    polls = Polls(*database.polls_of_all(polls_from, until))
    return Snapshot(revision, read_stores(), polls, polls_from)


def refreshed(old: Snapshot) -> Snapshot:
    """The snapshot brought up to date with the database."""
    rows = database.tuples(
        Revision.select(
            Revision.number, Revision.polls_from, Revision.stores_changed, Revision.rebuild
        )
        .where(Revision.number > old.revision)
        .order_by(Revision.number)
    )
    if not rows:
        # The database may have been replaced by one with fewer revisions.
        return old if current_revision() == old.revision else read(None)
    if rows[0][0] != old.revision + 1 or any(rebuild for *_, rebuild in rows):
        return read(None)
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
    if newest - WEEK - LOOKBACK - polls_from > SLACK:
        polls_from = newest - WEEK - LOOKBACK
        polls = polls.between(polls_from, newest)
    return Snapshot(int(rows[-1][0]), stores, polls, polls_from)


def _updated(polls: Polls, changed_from: int, stores: int) -> Polls:
    """The polls with those at or after ``changed_from`` read again."""
    store, time, status = database.polls_of_all(changed_from, FOR_EVER)
    old = polls.between(-FOR_EVER, changed_from - 1)
    if not len(store) or not len(old.store):
        return old if len(old.store) else Polls(store, time, status)
    space = KeySpace.covering(stores, int(old.time.min()), int(time.max()))
    at = np.searchsorted(space.keys(old.store, old.time), space.keys(store, time))
    return Polls(
        np.insert(old.store, at, store),
        np.insert(old.time, at, time),
        np.insert(old.status, at, status),
    )


class SnapshotCache:
    """The process's snapshot; safe to use from several threads."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._lock = threading.Lock()

    def get(self, as_of: int | None = None) -> Snapshot:
        """A current snapshot that serves a report as of the instant (None: the newest poll).

        The caller holds a read transaction: the snapshot is of its state of the data.
        """
        with self._lock:
            old = self._snapshot
            new = read(None) if old is None else refreshed(old)
            self._snapshot = new
        if as_of is not None and as_of - WEEK - LOOKBACK < new.polls_from:
            return read(as_of)
        return new

    def clear(self) -> None:
        """Forget the snapshot, as when another database is opened."""
        with self._lock:
            self._snapshot = None


cache = SnapshotCache()
