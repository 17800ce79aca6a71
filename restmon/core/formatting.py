"""Instants, durations and shares as text for people. Pure.

Instants are microseconds since the epoch, UTC; durations half microseconds, as in
`restmon/core/uptime.py`.
"""

from functools import lru_cache

from restmon.core.instants import HOUR, SECOND, as_datetime

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


def moment(instant: int | None, zone: str = "UTC", *, seconds: bool = False) -> str:
    """Return an instant such as ``Wed 25 Jan 2023 12:13 CST``; "never" for None."""
    if instant is None:
        return "never"
    clock = "%H:%M:%S" if seconds else "%H:%M"
    local = as_datetime(instant, zone)
    return f"{local:%a} {local.day} {local:%b %Y} {local.strftime(clock)} {local:%Z}"


def stamp(instant: int, zone: str = "UTC") -> str:
    """Return an instant such as ``2023-01-25 12:13 CST``: sorts as text, quick for many."""
    return _stamp(instant // (60 * SECOND), zone)


@lru_cache(maxsize=10_000)
def _stamp(minute: int, zone: str) -> str:
    return f"{as_datetime(minute * 60 * SECOND, zone):%Y-%m-%d %H:%M %Z}"


def clock(instant: int, zone: str = "UTC") -> str:
    """Return a time of day such as ``12:13``; with seconds where there are any."""
    local = as_datetime(instant, zone)
    return local.strftime("%H:%M:%S" if local.second else "%H:%M")


def store_label(store_id: str, name: str | None) -> str:
    """Return how a store is called: its name with the id behind it, or the id alone."""
    return f"{name} ({store_id})" if name else store_id


def wall_text_12(wall: int) -> str:
    """Return a wall-clock time, microseconds since midnight, as ``9:00 AM``; the end of a day is
    ``midnight``."""
    if wall == 24 * HOUR:
        return "midnight"
    hours, rest = divmod(wall, HOUR)
    return f"{hours % 12 or 12}{wall_text(rest)[2:]} {'PM' if hours >= 12 else 'AM'}"


def wall_text(wall: int) -> str:
    """Return a wall-clock time, microseconds since midnight, as ``HH:MM``; with seconds and their
    fraction where it has any."""
    minutes, rest = divmod(wall, 60 * SECOND)
    text = f"{minutes // 60:02d}:{minutes % 60:02d}"
    if rest:
        seconds, fraction = divmod(rest, SECOND)
        text += f":{seconds:02d}" + (f".{fraction:06d}" if fraction else "")
    return text


def duration(half_microseconds: int) -> str:
    """Return a duration such as ``2 h 05 min``, ``45 min`` or ``30 s``."""
    seconds = round(half_microseconds / 2 / SECOND)
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def ago(instant: int | None, now: int) -> str:
    """Return how long before now an instant is: ``3 minutes ago``; "never" for None."""
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
    """Return a percentage. It is 100 % or 0 % only where that is exact, "–" of nothing."""
    if not whole:
        return "–"
    if part in (0, whole):
        return "100 %" if part else "0 %"
    percent = 100 * part / whole
    if percent < 0.05:
        return "< 0.1 %"
    return "> 99.9 %" if percent >= 99.95 else f"{percent:.1f} %"


def size(number: int) -> str:
    """Return a number of bytes such as ``1.2 MB``."""
    if number < 1000:
        return f"{number} byte{'' if number == 1 else 's'}"
    value, unit = number / 1000, "kB"
    for larger in ("MB", "GB"):
        if value >= 999.95:  # it would be written as 1,000.0
            value, unit = value / 1000, larger
    return f"{value:,.1f} {unit}"


def edge(kind: str, instant: int, before: int, after: int, zone: str) -> str:
    """Return why a span begins or ends at an instant, in local time (see `explanations.Edges`)."""
    first, second = clock(before, zone), clock(after, zone)
    reason = {
        "opening": "opening",
        "closing": "closing",
        "midpoint": f"midpoint between polls {first} and {second}",
        "poll": f"poll at {second}",
        "range": "edge of what is shown",
    }[kind]
    return f"{clock(instant, zone)} ({reason})"


def no_formula(text: str) -> str:
    """Return the text in a form that a spreadsheet shows and does not run."""
    return f"'{text}" if text.startswith(FORMULA_BEGINS) else text
