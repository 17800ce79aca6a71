"""Instants, durations and shares as text for people. Pure.

Instants are microseconds since the epoch, UTC; durations half microseconds, as in
`restmon/core/uptime.py`.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from math import isfinite

from restmon.core.instants import HOUR, MINUTE, SECOND, as_datetime

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Style:
    """How an installation writes: with AM and PM or the 24-hour clock, and the sign of its
    currency. A date in ``this_year`` is written without the year."""

    twelve_hours: bool = True
    currency: str = "$"
    this_year: int | None = None


US = Style()


def moment(
    instant: int | None, zone: str = "UTC", style: Style = US, *, seconds: bool = False
) -> str:
    """Return an instant such as ``Wed, Jan 25, 2023, 12:13 PM CST``; "never" for None."""
    if instant is None:
        return "never"
    local = as_datetime(instant, zone)
    time = clock(instant if seconds else instant // MINUTE * MINUTE, zone, style)
    return f"{day(local, style)}, {time} {local:%Z}"


def day(date: date, style: Style = US) -> str:
    """Return a date such as ``Wed, Jan 25, 2023``."""
    year = "" if date.year == style.this_year else f", {date.year}"
    return f"{date:%a, %b} {date.day}{year}"


def date_range(first: date, last: date, style: Style = US) -> str:
    """Return some dates such as ``Nov 16 – 22, 2026`` or ``Dec 28, 2026 – Jan 3, 2027``."""
    year = "" if last.year == first.year == style.this_year else f", {last.year}"
    before = "" if first.year == last.year else f", {first.year}"
    month = "" if (first.year, first.month) == (last.year, last.month) else f"{last:%b} "
    return f"{first:%b} {first.day}{before} – {month}{last.day}{year}"


def month_name(date: date) -> str:
    """Return the month of a date, such as ``November 2026``."""
    return f"{date:%B %Y}"


def clock(instant: int, zone: str = "UTC", style: Style = US) -> str:
    """Return a time of day such as ``12:13 PM``; with seconds where there are any."""
    local = as_datetime(instant, zone)
    seconds = f":{local.second:02d}" if local.second else ""
    if not style.twelve_hours:
        return f"{local:%H:%M}{seconds}"
    return f"{local.hour % 12 or 12}:{local:%M}{seconds} {local:%p}"


def hour_of_day(hour: int, style: Style = US) -> str:
    """Return an hour of the day, 0 to 24, such as ``9 AM`` or ``09:00``."""
    if not style.twelve_hours:
        return f"{hour:02d}:00"
    return f"{hour % 12 or 12} {'PM' if hour % 24 >= 12 else 'AM'}"


def stamp(instant: int, zone: str = "UTC") -> str:
    """Return an instant such as ``2023-01-25 12:13 CST``, which sorts as text."""
    return _stamp(instant // MINUTE, zone)


@lru_cache(maxsize=10_000)
def _stamp(minute: int, zone: str) -> str:
    return f"{as_datetime(minute * MINUTE, zone):%Y-%m-%d %H:%M %Z}"


def store_label(store_id: str, name: str | None) -> str:
    """Return a store's name followed by its id, or only the id."""
    return f"{name} ({store_id})" if name else store_id


def wall_time(wall: int, style: Style = US) -> str:
    """Return a wall-clock time, microseconds since midnight, as `wall_text_12` or `wall_text`."""
    return wall_text_12(wall) if style.twelve_hours else wall_text(wall)


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
    if 0 < seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60:,} h {minutes % 60:02d} min"


def ago(instant: int | None, now: int) -> str:
    """Return how long before now an instant is: ``3 minutes ago``; "never" for None."""
    if instant is None:
        return "never"
    if now < instant:
        return "in the future"
    length = elapsed(instant, now)
    return f"{length} ago" if length else "just now"


def elapsed(since: int, now: int) -> str:
    """Return a length of time in its largest unit, such as ``3 minutes`` or ``2 days``; "" for
    less than a minute."""
    seconds = (now - since) / SECOND
    for size, name in ((86_400 * 365, "year"), (86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number:,} {name}{'' if number == 1 else 's'}"
    return ""


def share(part: float, whole: float) -> str:
    """Return a percentage. It is 100% or 0% only if that is exact, and "–" if the whole is 0."""
    if not whole or not isfinite(part):
        return "–"
    if part in (0, whole):
        return "100%" if part else "0%"
    percent = 100 * part / whole
    if percent < 0.05:
        return "< 0.1%"
    return "> 99.9%" if percent >= 99.95 else f"{percent:.1f}%"


def change(before: float, after: float, period: str) -> str:
    """Return how a share changed against the period before, such as ``1.8 points higher than the
    week before``; "no change" where the first decimal stays."""
    points = round(100 * (after - before), 1)
    if not points:
        return f"no change from the {period} before"
    word = "higher" if points > 0 else "lower"
    number = f"{abs(points):.1f} point{'' if abs(points) == 1 else 's'}"
    return f"{number} {word} than the {period} before"


def money(amount: float, style: Style = US) -> str:
    """Return an amount such as ``$1,234`` or ``$9.50``; "–" where it is not known (NaN)."""
    if not isfinite(amount):
        return "–"
    sign, rounded = ("-" if amount < 0 else ""), round(abs(amount), 2)
    digits = f"{rounded:,.0f}" if rounded >= 100 or rounded == int(rounded) else f"{rounded:,.2f}"
    return f"{sign}{style.currency}{digits}"


def size(number: int) -> str:
    """Return a number of bytes such as ``1.2 MB``."""
    if number < 1000:
        return f"{number} byte{'' if number == 1 else 's'}"
    value, unit = number / 1000, "kB"
    for larger in ("MB", "GB"):
        if value >= 999.95:  # it would round to 1,000.0
            value, unit = value / 1000, larger
    return f"{value:,.1f} {unit}"


def edge(kind: str, instant: int, polls: tuple[int, int], zone: str, style: Style = US) -> str:
    """Return why a span begins or ends at an instant, in local time (see `explanations.Edges`):
    ``polls`` are those before and after it."""
    first, second = (clock(poll, zone, style) for poll in polls)
    reason = {
        "opening": "opening",
        "closing": "closing",
        "midpoint": f"midpoint between polls {first} and {second}",
        "poll": f"poll at {second}",
        "range": "edge of what is shown",
    }[kind]
    return f"{clock(instant, zone, style)} ({reason})"


def inactive_polls(first: int, last: int, zone: str, style: Style = US) -> str:
    """Return why a store counts as down: ``The 9:58 AM poll was inactive.``, or the first and the
    last of several."""
    if first == last:
        return f"The {clock(_minute(first), zone, style)} poll was inactive."
    a, b = as_datetime(first, zone), as_datetime(last, zone)
    names = [clock(_minute(instant), zone, style) for instant in (first, last)]
    if a.date() != b.date():
        names = [f"{name} on {t:%a, %b} {t.day}" for name, t in zip(names, (a, b), strict=True)]
    return f"Polls from {names[0]} to {names[1]} were inactive."


def _minute(instant: int) -> int:
    return instant // MINUTE * MINUTE


def no_formula(text: str) -> str:
    """Return the text in a form that a spreadsheet shows and does not run."""
    return f"'{text}" if text.startswith(FORMULA_BEGINS) else text


def no_markup(text: str) -> str:
    """Return the text in a form that a chart shows as it is, not as HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
