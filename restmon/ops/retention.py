"""Retention: deleting old polls, and giving the disk space back."""

from dataclasses import dataclass

from restmon.core.instants import DAY
from restmon.errors import RestmonError
from restmon.reporting.snapshot import FOR_EVER
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import now

BEGINNING = -FOR_EVER


class TooMuchAtOnce(RestmonError):
    """The retention would delete more than half of all polls at once."""

    code = "too_much_at_once"


@dataclass(frozen=True)
class Due:
    """What a retention of ``days`` would delete: ``old`` polls ``before`` an instant. ``newer`` is
    how many it would leave, counted up to ``old``."""

    days: int
    before: int
    old: int
    newer: int

    @property
    def too_much(self) -> bool:
        """Whether it would delete more than half of all polls."""
        return self.old > self.newer

    @property
    def warning(self) -> str:
        """The sentence for the user if it is too much."""
        return (
            f"The retention of {self.days:,} days would delete {self.old:,} of "
            f"{self.old + self.newer:,} polls, more than half, so nothing was deleted."
        )


def find_due(days: int | None = None) -> Due | None:
    """What a retention of so many days (None: RESTMON_RETENTION_DAYS) would delete now, or None if
    there is no retention or no poll.

    The days count back from the newest poll, so that a database of old data is not emptied. They
    count back from the clock if that is earlier, so that a poll from the future deletes no others.
    Takes as long as counting the old polls.
    """
    days = days or get_settings().retention_days
    with database.reading():
        newest = database.newest_poll()
        if not days or newest is None:
            return None
        before = min(newest, now()) - days * DAY
        old = database.count_polls(BEGINNING, before)
        return Due(days, before, old, database.count_polls(before, FOR_EVER, at_most=old))


def apply(days: int | None = None, *, accept_much: bool = False) -> int:
    """Delete the polls that are older than ``days`` (see `find_due`) and return how many.

    Raises TooMuchAtOnce and deletes nothing if these are more than half of all polls, unless
    ``accept_much``. Works in several transactions; it may stop and start again at any point.
    """
    found = find_due(days)
    if found is None or not found.old:
        return 0
    if found.too_much and not accept_much:
        raise TooMuchAtOnce(
            found.warning,
            "Look at python -m restmon status and RESTMON_RETENTION_DAYS; if this is what you "
            "want, run python -m restmon vacuum --yes.",
        )
    with database.session():
        return database.forget(found.before)


@dataclass(frozen=True)
class DiskSizes:
    """The size of the database on disk, in bytes, before and after."""

    before: int
    after: int


def vacuum() -> DiskSizes:
    """Rewrite the database without the room that deleted rows left.

    Needs as much free disk as the database has data, and waits for other writers.
    """
    with database.session(), database.explain_errors():
        return DiskSizes(*database.vacuum())
