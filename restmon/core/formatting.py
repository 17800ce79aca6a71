"""How instants, durations and shares are told to people. Pure.

Instants are microseconds since the epoch, UTC; durations half microseconds, as in
`restmon/uptime.py`.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from restmon.hours import SECOND

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(instant: int, zone: str = "UTC") -> datetime:
    """The instant as a datetime in the zone."""
    return (EPOCH + timedelta(microseconds=int(instant))).astimezone(ZoneInfo(zone))


def moment(instant: int | None, zone: str = "UTC", *, seconds: bool = False) -> str:
    """Such as ``Wed 25 Jan 2023 12:13 CST``; "never" for None."""
    if instant is None:
        return "never"
    clock = "%H:%M:%S" if seconds else "%H:%M"
    local = at(instant, zone)
    return f"{local:%a} {local.day} {local:%b %Y} {local.strftime(clock)} {local:%Z}"


def stamp(instant: int, zone: str = "UTC") -> str:
    """Such as ``2023-01-25 12:13 CST``, for columns that are sorted; quick for many."""
    return _stamp(instant // (60 * SECOND), zone)


@lru_cache(maxsize=10_000)
def _stamp(minute: int, zone: str) -> str:
    return f"{at(minute * 60 * SECOND, zone):%Y-%m-%d %H:%M %Z}"


def clock(instant: int, zone: str = "UTC") -> str:
    """Such as ``12:13``; with seconds where there are any."""
    local = at(instant, zone)
    return local.strftime("%H:%M:%S" if local.second else "%H:%M")


def wall_text(wall: int) -> str:
    """A wall-clock time, microseconds since midnight, as ``HH:MM``; with seconds and their
    fraction where it has any."""
    minutes, rest = divmod(wall, 60 * SECOND)
    text = f"{minutes // 60:02d}:{minutes % 60:02d}"
    if rest:
        seconds, fraction = divmod(rest, SECOND)
        text += f":{seconds:02d}" + (f".{fraction:06d}" if fraction else "")
    return text


def duration(half_microseconds: int) -> str:
    """Such as ``2 h 05 min``, ``45 min`` or ``30 s``."""
    seconds = round(half_microseconds / 2 / SECOND)
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def ago(instant: int | None, now: int) -> str:
    """How long before now, such as ``3 minutes ago``; "never" for None."""
    if instant is None:
        return "never"
    seconds = (now - instant) / SECOND
    if seconds < 0:
        return "in the future"
    for size, name in ((86_400 * 365, "year"), (86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number:,} {name}{'' if number == 1 else 's'} ago"
    return "just now"


def share(part: float, whole: float) -> str:
    """A percentage that shows 100 % and 0 % only where they are exact; "–" of nothing."""
    if not whole:
        return "–"
    if part in (0, whole):
        return "100 %" if part else "0 %"
    percent = 100 * part / whole
    if percent < 0.05:
        return "< 0.1 %"
    return "> 99.9 %" if percent >= 99.95 else f"{percent:.1f} %"


def size(number: int) -> str:
    """A number of bytes, such as ``1.2 MB``."""
    if number < 1000:
        return f"{number} byte{'' if number == 1 else 's'}"
    value, unit = number / 1000, "kB"
    for larger in ("MB", "GB"):
        if value >= 999.95:  # it would be written as 1,000.0
            value, unit = value / 1000, larger
    return f"{value:,.1f} {unit}"


def edge(kind: str, instant: int, before: int, after: int, zone: str) -> str:
    """Why a span begins or ends there (the words are `restmon/reasons.py`'s), in local time."""
    first, second = clock(before, zone), clock(after, zone)
    reason = {
        "opening": "opening",
        "closing": "closing",
        "midpoint": f"midpoint between polls {first} and {second}",
        "poll": f"poll at {second}",
        "range": "edge of what is shown",
    }[kind]
    return f"{clock(instant, zone)} ({reason})"
