"""Reports of many stores, split into shards that all free workers compute::

    report            shards: ranges of store_id       files (`storage.files`)
    Running  --split--> 0: from "a"    worker 1   ->   part ID/00000-....csv  \
                        1: from "f"    worker 2   ->   part ID/00001-....csv   > joined: ID.csv
                        2: from "q"    worker 1   ->   part ID/00002-....csv  /

A shard is a row and a job, as the report is. A worker takes a lease on it. When that worker dies,
another takes it up.

All shards of a report read the same data: that of the revision at which the report was split. No
worker keeps a transaction open for the others. A worker that finds that a later revision changed
what the report reads deletes the shards, and the report is split again. After three rounds the
report is computed in one piece.
"""

import threading
from dataclasses import dataclass

import numpy as np

from restmon.core.observations import Polls
from restmon.reporting import sources
from restmon.reporting.poll_parts import PollParts
from restmon.reporting.snapshot import (
    LOOKBACK,
    Snapshot,
    Stores,
    changes_since,
    current_revision,
    read_stores,
)
from restmon.settings import get_settings
from restmon.storage import database, files, models
from restmon.storage.files import Kind
from restmon.storage.models import RUNNING, Report, Shard, Store

MOST_ROUNDS = 3
"""A report is split this often. Then it is computed in one piece."""
MOST_POLLS_IN_MEMORY = 30_000_000
"""Polls, of 17 bytes each, that a worker keeps in memory of the stores it computed last."""


@dataclass(frozen=True)
class StoreRange:
    """A source of snapshots of the stores from ``first`` to before ``end`` (None: to the last), by
    ``store_id`` as text."""

    first: str
    end: str | None

    def get(self, as_of: int | None, window: int) -> Snapshot:
        """A snapshot for a report as of the instant on the window (microseconds) before it. The
        caller holds a read transaction."""
        assert as_of is not None  # noqa: S101 - a shard's instant is on record
        lo, hi = as_of - window - LOOKBACK, as_of + 1
        old = memory.take(self)
        new = (old and self._refresh(old, lo, hi)) or self._read(lo, hi)
        memory.keep(self, new)
        return new.snapshot

    def _read(self, lo: int, hi: int) -> "RangeSnapshot":
        stores = read_stores(self.first, self.end)
        polls = PollParts(polls_between(stores, lo, hi))
        return RangeSnapshot(Snapshot(current_revision(), stores, polls, lo, hi - lo), hi)

    def _refresh(self, old: "RangeSnapshot", lo: int, hi: int) -> "RangeSnapshot | None":
        """The snapshot in memory, with new and changed polls read again; None if everything must be
        read again."""
        was = old.snapshot
        changes = changes_since(was.revision)
        if changes is None or any(stores or rebuild for _, _, stores, rebuild in changes):
            return None
        good_until = min([old.until, *(first for _, first, _, _ in changes if first is not None)])
        if not was.polls_from <= lo <= good_until:
            return None
        until = max(good_until, hi)
        read = good_until < until
        later = polls_between(was.stores, good_until, until) if read else Polls.none()
        revision = changes[-1][0] if changes else was.revision
        new = was.continued(revision, good_until, later)
        return RangeSnapshot(new.trimmed(lo), until)


@dataclass(frozen=True)
class RangeSnapshot:
    """A snapshot of a range of stores. It has the polls before ``until``."""

    snapshot: Snapshot
    until: int


class Memory:
    """The ranges of stores that this process computed last. Safe to use from several threads.
    Any worker may get any range next, so it keeps as many as there is room for."""

    def __init__(self) -> None:
        self._kept: dict[StoreRange, RangeSnapshot] = {}
        self._database: object = None
        self._lock = threading.Lock()

    def take(self, stores: StoreRange) -> RangeSnapshot | None:
        """The snapshot of the range, if it is of the database that is open."""
        with self._lock:
            if self._database is not models.database.obj:
                self._database, self._kept = models.database.obj, {}
            return self._kept.get(stores)

    def keep(self, stores: StoreRange, found: RangeSnapshot) -> None:
        """Keep this snapshot, and as many of those used before it as there is room for."""
        with self._lock:
            self._kept.pop(stores, None)
            room = MOST_POLLS_IN_MEMORY - len(found.snapshot.parts)
            recent = []
            for other, had in reversed(self._kept.items()):
                room -= len(had.snapshot.parts)
                if room < 0:
                    break
                recent.append((other, had))
            self._kept = dict([*reversed(recent), (stores, found)])


memory = Memory()


def polls_between(stores: Stores, lo: int, hi: int) -> Polls:
    """The polls of the stores with lo <= timestamp < hi."""
    count = len(stores.ids)
    parts = list(database.polls_in_ranges(stores.rows, np.full(count, lo), np.full(count, hi)))
    if not parts:
        return Polls.none()
    return Polls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def list_shards(report_id: str) -> list[Shard]:
    """The report's shards in the order of their stores; none where it is not split."""
    with database.session():
        return list(Shard.select().where(Shard.report == report_id).order_by(Shard.number))


def split(report: Report) -> bool:
    """Insert the shards of a report. Returns False if the report is too small to be split."""
    most = get_settings().shard_stores
    if report.rounds >= MOST_ROUNDS:
        return False
    with database.reading():
        if Store.select().count() <= most:
            return False
        revision = current_revision()
        as_of = report.as_of
        if as_of is None:
            as_of = sources.choose_source(report.groups).newest_poll()
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


def list_waiting(report_id: str) -> list[str]:
    """The ids of the report's shards that no worker works on."""
    with database.session():
        query = Shard.select(Shard.id).where(
            (Shard.report == report_id)
            & (Shard.status == RUNNING)
            & (Shard.lease_until.is_null() | (Shard.lease_until < database.clock()))
        )
        return [shard_id for (shard_id,) in database.tuples(query.order_by(Shard.number))]


def is_unchanged_since(revision: int, as_of: int) -> bool:
    """Whether a report as of the instant still reads the same data as at the revision."""
    changes = changes_since(revision)
    return changes is not None and not any(
        rebuild or changed or (polls_from is not None and polls_from <= as_of)
        for _, polls_from, changed, rebuild in changes
    )


def give_back(report_id: str) -> None:
    """Delete the report's shards, so that it is split again."""
    with database.updating():
        Shard.delete().where(Shard.report == report_id).execute()


def update_progress(report_id: str) -> bool:
    """Store the report's progress. Returns whether all of its shards are done."""
    with database.updating():
        found = database.tuples(Shard.select(Shard.status).where(Shard.report == report_id))
        left = sum(status == RUNNING for (status,) in found)
        if found:
            Report.update(progress=0.95 * (1 - left / len(found))).where(
                (Report.id == report_id) & (Report.status == RUNNING)
            ).execute()
    return not left


def part_key(shard: Shard) -> str:
    """The key of the shard's part of the CSV (`files.Kind.PART`), which has no header."""
    return f"{shard.report_id}/{shard.number:05}-{shard.id}.csv"


def delete_parts(report_id: str) -> None:
    """Delete the parts of a report, once they are joined."""
    for part in list(files.list_files(Kind.PART, f"{report_id}/")):
        files.delete(Kind.PART, part.key)
