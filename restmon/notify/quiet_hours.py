"""Quiet hours of a recipient: the time of day at which messages wait. Pure."""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from restmon.core.instants import HOUR, MINUTE, as_datetime, from_datetime
from restmon.errors import BadRequest

TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


def parse_time(text: str) -> int:
    """Return the time of day of a text such as 22:00 (microseconds since midnight). Raises
    BadRequest."""
    found = TIME_OF_DAY.fullmatch(text.strip())
    if found is None:
        raise BadRequest(f"{text[:20]!r} is no time of day.", "Write it as 22:00.")
    return int(found[1]) * HOUR + int(found[2]) * MINUTE


def write_time(wall: int) -> str:
    """Return the text of a time of day, such as 22:00."""
    return f"{wall // HOUR:02d}:{wall % HOUR // MINUTE:02d}"


def find_end(instant: int, zone: str, begin: int | None, end: int | None) -> int:
    """Return the instant at which a message of ``instant`` may be sent: the end of the quiet hours
    that it falls into, or itself.

    ``begin`` and ``end`` are wall-clock times in the zone (microseconds since midnight, whole
    minutes). Quiet hours whose end is not later than their beginning go over midnight; None, or
    two equal times, means that there are none.
    """
    if begin is None or end is None or begin == end:
        return instant
    local = as_datetime(instant, zone)
    wall = (local.hour * 60 + local.minute) * MINUTE
    inside = begin <= wall < end if begin < end else wall >= begin or wall < end
    if not inside:
        return instant
    day = local.date() if wall < end else local.date() + timedelta(days=1)
    minutes = end // MINUTE
    moment = datetime.combine(day, time(minutes // 60, minutes % 60), ZoneInfo(zone))
    return max(instant, from_datetime(moment))
