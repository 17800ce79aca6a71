"""Forgetting old polls, and giving the disk space back."""

from dataclasses import dataclass

from restmon import database
from restmon.hours import DAY
from restmon.settings import get_settings


def apply(days: int | None = None) -> int:
    """Delete the polls older than ``days`` before the newest one (None: RESTMON_RETENTION_DAYS;
    unset: nothing); returns how many.

    Counted from the newest poll, not from the clock, so that a database of old data is not
    emptied. Works in several transactions and can be stopped and begun again at any point.
    """
    days = days or get_settings().retention_days
    with database.session():
        newest = database.newest_poll()
        if not days or newest is None:
            return 0
        return database.forget(newest - days * DAY)


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
