"""Reports of many stores, computed in parts by whichever workers are free.

A shard is a row, a job as the report is: a worker takes a lease on it, and when that worker dies
another takes it up. All shards of a report are of one state of the data, that of the revision at
which the report was parted: a shard that finds the data as of the report's instant changed since
then gives the report back, to be parted anew; and a report that was given back too often is
computed in one piece. So no worker need hold anything open for the others.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from restmon import database
from restmon.models import RUNNING, Report, Revision, Shard, Store, now
from restmon.settings import get_settings
from restmon.snapshot import LOOKBACK, Snapshot, current_revision, read_stores
from restmon.uptime import Polls

MOST_ROUNDS = 3
"""So often a report is parted before it is computed in one piece."""


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
        depth = window + LOOKBACK
        stores = read_stores(self.first, self.end)
        lo, hi = np.full(len(stores.ids), as_of - depth), np.full(len(stores.ids), as_of + 1)
        parts = list(database.polls_in_ranges(stores.rows, lo, hi))
        polls = (
            Polls(*(np.concatenate(column) for column in zip(*parts, strict=True)))
            if parts
            else Polls.none()
        )
        return Snapshot(current_revision(), stores, polls, as_of - depth, depth)


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
        as_of = database.newest_poll() if report.as_of is None else report.as_of
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
    later = database.tuples(
        Revision.select(
            Revision.number, Revision.polls_from, Revision.stores_changed, Revision.rebuild
        )
        .where(Revision.number > revision)
        .order_by(Revision.number)
    )
    if [number for number, *_ in later] != [revision + 1 + n for n in range(len(later))]:
        return False
    if not later and current_revision() != revision:
        return False
    return not any(
        rebuild or changed or (polls_from is not None and polls_from <= as_of)
        for _, polls_from, changed, rebuild in later
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
