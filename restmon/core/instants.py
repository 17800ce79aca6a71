"""Instants: whole microseconds since 1970-01-01 00:00 UTC, and their conversions.

restmon stores instants as such numbers and computes with them. Only this module turns them into
datetimes or texts, and datetimes into them. `restmon/ingest/values/timestamps.py` parses instants
that a person or a file wrote.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
"""Lengths of time in microseconds."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_WEEKDAY = 3
"""1970-01-01 was a Thursday; 0 is Monday."""
MICROSECOND = timedelta(microseconds=1)
EARLIEST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
LATEST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
"""The first and the last instant that a datetime can hold: years 1 to 9999."""
EPOCH_DATE = EPOCH.date()


def as_datetime(instant: int, zone: str = "UTC") -> datetime:
    """Return an instant as an aware datetime.

    Parameters
    ----------
    instant : int
        Microseconds since the epoch, from EARLIEST to LATEST.
    zone : str
        An IANA name. Its clock shows the result.

    Raises
    ------
    OverflowError
        For an instant outside of years 1 to 9999.
    """
    moment = EPOCH + timedelta(microseconds=int(instant))
    return moment if zone == "UTC" else moment.astimezone(ZoneInfo(zone))


def from_datetime(moment: datetime) -> int:
    """Return the instant of a datetime; one without a zone is in UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // MICROSECOND


def as_text(instant: int) -> str:
    """Return an instant in the form of the polls file: ``2023-01-22 12:09:39.388884 UTC``."""
    return f"{as_datetime(instant).isoformat(sep=' ', timespec='microseconds')[:26]} UTC"


def day_number(day: date) -> int:
    """Return how many days after 1970-01-01 a date is."""
    return (day - EPOCH_DATE).days


def date_of(number: int) -> date:
    """Return the date that is this many days after 1970-01-01."""
    return EPOCH_DATE + timedelta(days=int(number))
