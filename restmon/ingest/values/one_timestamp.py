"""One timestamp in text: an instant in microseconds since the epoch, UTC.

`timestamps` parses columns of them. It imports PyArrow, which who reads one alone does not need.
"""

import re
from datetime import datetime

from restmon.core.instants import EARLIEST, HOUR, LATEST, SECOND, from_datetime

MONTH_FIRST, DAY_FIRST = "month-first", "day-first"
DATE_ORDERS = (MONTH_FIRST, DAY_FIRST)

TIME_OF_DAY = (
    rb"(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{0,9}))?)?"
    rb"(?:\ ?(?P<half>[AaPp])\.?[Mm]\.?)?"
)
ZONE = (
    rb"(?:\ ?(?:(?i:UTC|GMT|Z)"
    rb"|(?P<sign>[+-])(?P<hours>\d\d)(?::?(?P<minutes>\d\d))?(?:\ (?P<name>[A-Za-z]{1,5}))?))?"
)
TIMESTAMP = re.compile(
    rb"(?P<year>\d{4})(?P<between>[-/.])(?P<month>\d\d?)(?P=between)(?P<day>\d\d?)(?:\ |[Tt])"
    + TIME_OF_DAY
    + ZONE,
    re.VERBOSE,
)
SLASHED = re.compile(
    rb"(?P<first>\d\d?)(?P<between>[-/.])(?P<then>\d\d?)(?P=between)(?P<year>\d{4})"
    rb"(?:,?\ |[Tt])" + TIME_OF_DAY + ZONE,
    re.VERBOSE,
)
UNIX = re.compile(rb"(\d{10}|\d{13}|\d{16})(?:\.0*)?")
UNIX_UNIT = {10: SECOND, 13: 1000, 16: 1}
UNIX_FROM = 100_000_000 * SECOND


def timestamp(value: bytes, order: str | None = None) -> int | None:
    """The instant of one timestamp in a file, or None. ``order`` is the order of dates such as
    11/12/2026. Without it they are bad."""
    if UNIX.fullmatch(value):
        return unix_time(value)
    match = TIMESTAMP.fullmatch(value)
    if match:
        year, month, day = match["year"], match["month"], match["day"]
    else:
        match = SLASHED.fullmatch(value) if order else None
        if not match:
            return None
        month, day = match["first"], match["then"]
        if order == DAY_FIRST:
            month, day = day, month
        year = match["year"]
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"] in b"Pp" else 0)
    parts = (int(year), int(month), int(day), hour, int(match["minute"]), int(match["second"] or 0))
    try:
        moment = datetime(*parts)
    except ValueError:
        return None
    offset = 0
    if match["sign"]:
        hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
        if hours > 23 or minutes > 59:
            return None
        offset = hours * HOUR + minutes * 60 * SECOND
        if offset and (match["name"] or b"").upper() in {b"UTC", b"GMT", b"Z"}:
            return None
    fraction = (match["fraction"] or b"")[:6].ljust(6, b"0")
    result = from_datetime(moment) + int(fraction)
    result += offset if match["sign"] == b"-" else -offset
    return result if EARLIEST <= result <= LATEST else None


def unix_time(value: bytes) -> int | None:
    digits = value.partition(b".")[0]
    instant = int(digits) * UNIX_UNIT[len(digits)]
    return instant if instant >= UNIX_FROM else None
