"""Reports of many stores, computed in parts by whichever workers are free.

A shard is a row, a job as the report is: a worker takes a lease on it, and when that worker dies
another takes it up. All shards of a report are of one state of the data, that of the revision at
which the report was parted: a shard that finds the data as of the report's instant changed since
then gives the report back, to be parted anew; and a report that was given back too often is
computed in one piece. So no worker need hold anything open for the others.
"""

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from restmon import database, models
from restmon.models import RUNNING, Report, Shard, Store, now
from restmon.settings import get_settings
from restmon.snapshot import (
    LOOKBACK,
    Snapshot,
    Stores,
    cache,
    changes_since,
    current_revision,
    merged,
    read_stores,
)
from restmon.uptime import Polls

MOST_ROUNDS = 3
"""So often a report is parted before it is computed in one piece."""
MOST_POLLS_KEPT = 30_000_000
"""So many polls, of 17 bytes each, a worker keeps of the stores it computed last."""


@dataclass(frozen=True)
class StoreRange:
    """The stores from ``first`` up to, not including, ``end`` (None: to the last), by
    ``store_id`` as text. Gives snapshots of them alone."""

    first: str
    end: str | None

    def get(self, as_of: int | None, window: int) -> Snapshot:
        """A snapshot for a report as of the instant on the window (microseconds) before it. The
        caller holds a read transaction."""
        assert as_of is not None  # noqa: S101 - a shard's instant is on record
        lo, hi = as_of - window - LOOKBACK, as_of + 1
        old = kept.take(self)
        new = (old and self._renewed(old, lo, hi)) or self._read(lo, hi)
        kept.keep(self, new)
        return new.snapshot

    def _read(self, lo: int, hi: int) -> "Kept":
        stores = read_stores(self.first, self.end)
        polls = polls_between(stores, lo, hi)
        return Kept(Snapshot(current_revision(), stores, polls, lo, hi - lo), hi)

    def _renewed(self, old: "Kept", lo: int, hi: int) -> "Kept | None":
        """What was kept with only those polls read that have changed or come since; None where
        that does not do."""
        was = old.snapshot
        changes = changes_since(was.revision)
        if changes is None or any(stores or rebuild for _, _, stores, rebuild in changes):
            return None
        good_until = min([old.until, *(first for _, first, _, _ in changes if first is not None)])
        if not was.polls_from <= lo <= good_until:
            return None
        polls = was.polls.between(lo, min(good_until, hi) - 1)
        if good_until < hi:
            later = polls_between(was.stores, good_until, hi)
            polls = merged(polls, later, len(was.stores.ids))
        revision = changes[-1][0] if changes else was.revision
        return Kept(Snapshot(revision, was.stores, polls, lo, hi - lo), hi)


@dataclass(frozen=True)
class Kept:
    """A snapshot of a range of stores, which has the polls before ``until``."""

    snapshot: Snapshot
    until: int


class Memory:
    """The ranges of stores that this process computed last; safe to use from several threads.
    Which one a worker gets next is chance, so it keeps as many as there is room for."""

    def __init__(self) -> None:
        self._kept: dict[StoreRange, Kept] = {}
        self._database: object = None
        self._lock = threading.Lock()

    def take(self, stores: StoreRange) -> Kept | None:
        """What is kept of the range, of the database that is open."""
        with self._lock:
            if self._database is not models.database.obj:
                self._database, self._kept = models.database.obj, {}
            return self._kept.get(stores)

    def keep(self, stores: StoreRange, found: Kept) -> None:
        """Keep this, and of the ranges used before it as many as there is room for."""
        with self._lock:
            self._kept.pop(stores, None)
            room = MOST_POLLS_KEPT - len(found.snapshot.polls.time)
            recent = []
            for other, had in reversed(self._kept.items()):
                room -= len(had.snapshot.polls.time)
                if room < 0:
                    break
                recent.append((other, had))
            self._kept = dict([*reversed(recent), (stores, found)])


kept = Memory()


def polls_between(stores: Stores, lo: int, hi: int) -> Polls:
    """The polls of the stores with lo <= timestamp < hi."""
    count = len(stores.ids)
    parts = list(database.polls_in_ranges(stores.rows, np.full(count, lo), np.full(count, hi)))
    if not parts:
        return Polls.none()
    return Polls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def of(report_id: str) -> list[Shard]:
    """The report's shards in the order of their stores; none where it is not parted."""
    with database.session():
        return list(Shard.select().where(Shard.report == report_id).order_by(Shard.number))


def part(report: Report) -> bool:
    """Put shards of the report on record; returns whether it is large enough for that."""
    most = get_settings().shard_stores
    if report.rounds >= MOST_ROUNDS:
        return False
    with database.reading():
        if Store.select().count() <= most:
            return False
        revision = current_revision()
        as_of = cache.newest_poll() if report.as_of is None else report.as_of
        ids = [i for (i,) in database.tuples(Store.select(Store.store_id).order_by(Store.store_id))]
    if as_of is None:
        return False
    firsts = ids[::most]
    rows = [
        {
            "report": report.id,
            "number": number,
            "first": first,
            "end": end,
            "as_of": as_of,
            "data_revision": revision,
            "requested_by": report.requested_by,
        }
        for number, (first, end) in enumerate(zip(firsts, [*firsts[1:], None], strict=True))
    ]
    with database.updating():
        Shard.delete().where(Shard.report == report.id).execute()
        for row in rows:
            Shard.create(**row)
        Report.update(rounds=Report.rounds + 1).where(Report.id == report.id).execute()
    return True


def waiting(report_id: str) -> list[str]:
    """The ids of the report's shards that no worker has taken up."""
    with database.session():
        query = Shard.select(Shard.id).where(
            (Shard.report == report_id)
            & (Shard.status == RUNNING)
            & (Shard.lease_until.is_null() | (Shard.lease_until < now()))
        )
        return [shard_id for (shard_id,) in database.tuples(query.order_by(Shard.number))]


def unchanged_since(revision: int, as_of: int) -> bool:
    """Whether a report as of the instant reads now what it read at the revision."""
    changes = changes_since(revision)
    return changes is not None and not any(
        rebuild or changed or (polls_from is not None and polls_from <= as_of)
        for _, polls_from, changed, rebuild in changes
    )


def give_back(report_id: str) -> None:
    """Forget the report's shards: it is to be parted anew."""
    with database.updating():
        Shard.delete().where(Shard.report == report_id).execute()


def settled(report_id: str) -> bool:
    """Whether none of the report's shards is left to do. Puts the report's progress on record."""
    with database.updating():
        found = database.tuples(Shard.select(Shard.status).where(Shard.report == report_id))
        left = sum(status == RUNNING for (status,) in found)
        if found:
            Report.update(progress=0.95 * (1 - left / len(found))).where(
                (Report.id == report_id) & (Report.status == RUNNING)
            ).execute()
    return not left


def folder(report_id: str) -> Path:
    """Where the parts of a report stand until they are joined."""
    return get_settings().reports_dir / f"{report_id}.parts"


def path(shard: Shard) -> Path:
    """Where the shard's part of the CSV stands, lines without the header."""
    return folder(shard.report_id) / f"{shard.number:05}-{shard.id}.csv"
