"""One local date in text: days since 1970-01-01. `dates` parses columns of them."""

import re
from datetime import date

from restmon.core.instants import day_number
from restmon.ingest.values.one_timestamp import DAY_FIRST

MIDNIGHT = rb"(?:[ T]00:00(?::00(?:\.0*)?)?)?"
ISO = re.compile(
    rb"(?P<year>\d{4})(?P<between>[-/.])(?P<month>\d\d?)(?P=between)(?P<day>\d\d?)" + MIDNIGHT
)
SLASHED = re.compile(
    rb"(?P<first>\d\d?)(?P<between>[-/.])(?P<then>\d\d?)(?P=between)(?P<year>\d{4})" + MIDNIGHT
)


def local_date(value: bytes, order: str | None = None) -> int | None:
    """The number of one date, or None. ``order`` is the order of dates such as 11/12/2026. Without
    it they are bad."""
    match = ISO.fullmatch(value)
    if match:
        month, day = match["month"], match["day"]
    else:
        match = SLASHED.fullmatch(value) if order else None
        if not match:
            return None
        month, day = match["first"], match["then"]
        if order == DAY_FIRST:
            month, day = day, month
    try:
        return day_number(date(int(match["year"]), int(month), int(day)))
    except ValueError:
        return None
