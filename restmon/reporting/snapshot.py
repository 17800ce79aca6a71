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
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import compress
from typing import Any, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from peewee import fn

from restmon.core.formatting import store_label
from restmon.core.hours import DEFAULT_ZONE, Schedule, open_intervals
from restmon.core.instants import DAY, HOUR
from restmon.core.intervals import OpenIntervals
from restmon.core.observations import Polls
from restmon.reporting.kept_lines import KeptLine
from restmon.reporting.kept_results import KeptResults
from restmon.reporting.poll_parts import FOR_EVER, PollParts, append_polls
from restmon.storage import database
from restmon.storage.models import Revision, Store
from restmon.stores.names import names_by_id
from restmon.stores.schedules import make_schedule

Ints = NDArray[np.int64]

WEEK = 168 * HOUR
LOOKBACK = 24 * HOUR
"""Polls are read from this long before the week, since most stores have an observation there."""
SLACK = 2 * DAY
RESULTS_KEPT = 24
"""Results of one revision that `SnapshotCache.remember` keeps."""

T = TypeVar("T")


@dataclass(frozen=True)
class Stores:
    """All stores in the order of the report, by ``store_id`` as text.

    ``ids`` are their ids, ``rows`` their row ids (int64), and ``schedule`` says when they are open.
    ``demo`` says whether they are demo data, ``zone_given`` (bool) which of them have their own
    zone. ``names`` has the names, by id, of those that have one. ``kept`` has what was made of
    them last.
    """

    ids: list[str]
    rows: Ints
    schedule: Schedule
    demo: bool
    zone_given: NDArray[np.bool_]
    names: Mapping[str, str] = field(default_factory=dict)
    kept: KeptResults = field(
        default_factory=lambda: KeptResults(most=2), init=False, repr=False, compare=False
    )

    def open_between(self, lo: int, hi: int) -> OpenIntervals:
        """The open intervals of each store between two instants, as `open_intervals` gives them for
        the days from the beginning of the first to the end of the last. They are kept, because the
        next report is likely of the same days."""
        first, last = lo // DAY * DAY, hi // DAY * DAY + DAY - 1
        return self.kept.find_or_make(
            (first, last), lambda: open_intervals(self.schedule, first, last)
        )

    @cached_property
    def ids_as_bytes(self) -> NDArray[np.bytes_]:
        """The ids in UTF-8, all of the length of the longest, ended by zeros."""
        return np.array([store_id.encode() for store_id in self.ids], np.bytes_)

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

    It has all polls of at least the ``depth`` (microseconds) before the newest poll. ``lines`` are
    the timelines that reports have kept of it, by their methods. ``late``: polls came in that are
    earlier than others that were there.
    """

    revision: int
    stores: Stores
    parts: PollParts
    polls_from: int
    depth: int
    lines: dict[str, KeptLine] = field(default_factory=dict, repr=False, compare=False)
    late: bool = False

    @property
    def polls(self) -> Polls:
        """All of its polls."""
        return self.parts.joined()

    def newest(self, until: int) -> int | None:
        """The instant of the newest of these polls at or before ``until``, or None."""
        return self.parts.newest(until)

    def continued(self, revision: int, changed_from: int, later: Polls) -> "Snapshot":
        """The snapshot at a later revision, with the polls from the instant on replaced by these.
        What was kept of them is left out."""
        lines = {m: line for m, line in self.lines.items() if line.until <= changed_from}
        return replace(
            self,
            revision=revision,
            parts=self.parts.replaced(changed_from, later),
            lines=lines,
            late=self.late or len(lines) < len(self.lines),
        )

    def trimmed(self, polls_from: int) -> "Snapshot":
        """The snapshot without the polls before the instant, where these are many."""
        if polls_from - self.polls_from <= SLACK:
            return self
        parts = PollParts(self.polls.between(polls_from, FOR_EVER))
        return replace(self, parts=parts, polls_from=polls_from)

    def chosen(self, mask: NDArray[np.bool_]) -> "Snapshot":
        """The snapshot of only the stores of the mask (bool, one a store), with their polls."""
        place = np.cumsum(mask) - 1
        kept = mask[self.polls.store]
        polls = self.polls.where(kept)
        polls = Polls(place[polls.store], polls.time, polls.status)
        return replace(self, stores=self.stores.chosen(mask), parts=PollParts(polls), lines={})


def current_revision() -> int:
    """The number of the newest revision, 0 before the first."""
    with database.session():
        return int(Revision.select(fn.MAX(Revision.number)).scalar() or 0)


def read_stores(first: str | None = None, end: str | None = None) -> Stores:
    """All stores with their hours, zones and names. With ``first``, only the stores from it to
    before ``end``, without names, which no report needs."""
    return _with_hours(_read_table(first, end), first, end)


@dataclass(frozen=True)
class _StoreTable:
    """The columns of the table of stores that reports need, in the order of the ids."""

    ids: Sequence[str]
    rows: Ints
    zones: Sequence[str | None]
    demo: Sequence[bool]
    unreadable: Sequence[bool]


def _read_table(first: str | None = None, end: str | None = None) -> _StoreTable:
    chosen = Store.select(
        Store.store_id, Store.id, Store.timezone, Store.demo, Store.hours_unreadable
    )
    if first is not None:
        chosen = chosen.where(Store.store_id >= first)
    if end is not None:
        chosen = chosen.where(Store.store_id < end)
    table = database.tuples(chosen.order_by(Store.store_id))
    ids, rows, zones, demo, unreadable = zip(*table, strict=True) if table else ((),) * 5
    return _StoreTable(ids, np.array(rows, np.int64), zones, demo, unreadable)


def _with_hours(table: _StoreTable, first: str | None = None, end: str | None = None) -> Stores:
    return Stores(
        list(table.ids),
        table.rows,
        make_schedule(
            table.rows,
            [zone or DEFAULT_ZONE for zone in table.zones],
            database.business_hours(first, end),
            np.array(table.unreadable, bool),
        ),
        any(table.demo),
        np.array([zone is not None for zone in table.zones], bool),
        names_by_id() if first is None and end is None else {},
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
    table = _read_table()
    reading = database.start_polls_of_all(polls_from, until, table.rows)
    stores = _with_hours(table)
    if newest is not None:
        stores.open_between(polls_from, newest)  # which a report asks for next
    return Snapshot(revision, stores, PollParts(Polls(*reading.result())), polls_from, depth)


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
    new = old
    if any(changed for _, _, changed, _ in rows):
        stores = read_stores()
        by_row = np.argsort(stores.rows)
        place = by_row[np.searchsorted(stores.rows[by_row], old.stores.rows)]
        polls = replace(old.polls, store=place[old.polls.store])
        new = replace(old, stores=stores, parts=PollParts(polls), lines={})
    starts = [polls_from for _, polls_from, _, _ in rows if polls_from is not None]
    revision = int(rows[-1][0])
    if starts:
        changed_from = max(min(starts), old.polls_from)
        later = Polls(*database.polls_of_all(changed_from, FOR_EVER, new.stores.rows))
        new = new.continued(revision, changed_from, later)
    else:
        new = replace(new, revision=revision, lines=dict(new.lines))
    newest = new.newest(database.latest_instant())
    return new if newest is None else new.trimmed(newest - new.depth)


def deepen(old: Snapshot, depth: int) -> Snapshot:
    """The snapshot with the earlier polls that the depth requires."""
    parts, polls_from = old.parts, old.polls_from
    newest = old.newest(database.latest_instant())
    if newest is None:
        newest = database.newest_poll()
    if newest is not None and newest - depth < polls_from:
        earlier = Polls(*database.polls_of_all(newest - depth, polls_from, old.stores.rows))
        parts, polls_from = PollParts(append_polls(earlier, old.polls)), newest - depth
    return replace(old, parts=parts, polls_from=polls_from, depth=depth)


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
        self._locks: dict[tuple[int, Hashable], threading.Lock] = {}
        self._era = 0

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
        """The result of ``make``, computed once for a revision and a name. Keeps the last few. What
        is being made for one name makes no other wait."""
        key = (revision, name)
        with self._making:
            if key in self._made:
                return cast(T, self._made[key])
            lock = self._locks.setdefault(key, threading.Lock())
            era = self._era
        with lock:
            with self._making:
                if key in self._made:
                    return cast(T, self._made[key])
            try:
                result = make()
                with self._making:
                    if era == self._era:
                        kept = {k: value for k, value in self._made.items() if k[0] == revision}
                        self._made = dict(list(kept.items())[1 - RESULTS_KEPT :])
                        self._made[key] = result
            finally:
                with self._making:
                    self._locks.pop(key, None)
            return result

    def keeps(self, revision: int, name: Hashable) -> bool:
        """Whether the result for a revision and a name is there."""
        with self._making:
            return (revision, name) in self._made

    def clear(self) -> None:
        """Forget everything, such as when another database is opened."""
        with self._making, self._lock:
            self._snapshot = None
            self._newest = (0, None)
            self._made = {}
            self._era += 1


cache = SnapshotCache()
