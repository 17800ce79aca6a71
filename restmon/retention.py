"""Forgetting old polls, and giving the disk space back."""

from dataclasses import dataclass

from peewee import fn

from restmon import database
from restmon.hours import DAY
from restmon.models import Poll, Store
from restmon.revisions import new_revision
from restmon.settings import get_settings

STORES_AT_ONCE = 100
SPAN_AT_ONCE = 7 * DAY


def apply(days: int | None = None) -> int:
    """Delete the polls older than ``days`` before the newest one (None: RESTMON_RETENTION_DAYS;
    unset: nothing); returns how many.

    Counted from the newest poll, not from the clock, so that a database of old data is not
    emptied. Works in transactions of at most a week of a hundred stores, so that imports and
    reports get their turn in between, and can be stopped and begun again at any point.
    """
    days = days or get_settings().retention_days
    with database.session():
        newest = database.newest_poll()
        if not days or newest is None:
            return 0
        before = newest - days * DAY
        rows = [row for (row,) in database.tuples(Store.select(Store.id).order_by(Store.id))]
        return sum(
            _delete(rows[i : i + STORES_AT_ONCE], before)
            for i in range(0, len(rows), STORES_AT_ONCE)
        )


def _delete(rows: list[int], before: int) -> int:
    deleted = 0
    while (oldest := _oldest(rows)) is not None and oldest < before:
        until = min(before, oldest + SPAN_AT_ONCE)
        with database.writing():
            old = Poll.store.in_(rows) & (Poll.timestamp < until)
            deleted += Poll.delete().where(old).execute()
            # No snapshot goes back so far, but a store may have lost its last observation.
            new_revision()
    return deleted


def _oldest(rows: list[int]) -> int | None:
    """The oldest poll of some stores: one index look-up each."""
    first = fn.MIN(Poll.timestamp)
    found = [Poll.select(first).where(Poll.store == row).scalar() for row in rows]
    return min((instant for instant in found if instant is not None), default=None)


@dataclass(frozen=True)
class Space:
    """The size of the database on disk, in bytes, before and after."""

    before: int
    after: int


def vacuum() -> Space:
    """Rewrite the database without the room that deleted rows left.

    Needs as much free disk as the database has data, and waits for other writers.
    """
    with database.session(), database.explained():
        return Space(*database.vacuum())
