"""Times, dates and money as this installation writes them (`RESTMON_CLOCK`, `RESTMON_CURRENCY`)."""

from html import escape

from restmon.core import formatting
from restmon.core.instants import as_datetime
from restmon.ingest.values.times_of_day import time_of_day
from restmon.reporting.style import read_style


def moment(instant: int | None, zone: str = "UTC", *, seconds: bool = False) -> str:
    """Return an instant as text (see `formatting.moment`)."""
    return formatting.moment(instant, zone, read_style(), seconds=seconds)


def utc(*instants: int) -> str:
    """Return instants in UTC as text: what is shown over every local time."""
    return " – ".join(moment(instant) for instant in instants)


def local_and_utc(instant: int, zone: str) -> str:
    """Return an instant in local time and in UTC, for what is shown over a text without a time."""
    local, over = moment(instant, zone), moment(instant)
    return local if local == over else f"{local}, {over}"


def with_utc(instant: int, zone: str) -> str:
    """Return an instant in local time as Markdown with UTC small behind it, for places over which
    nothing can be shown."""
    local, over = moment(instant, zone), moment(instant)
    return local if local == over else f"{local} :small[({over})]"


def time_tag(instant: int, zone: str, *, seconds: bool = False) -> str:
    """Return an instant in local time as HTML, with UTC shown over it."""
    iso = as_datetime(instant).strftime("%Y-%m-%dT%H:%M:%SZ")
    over, text = moment(instant, seconds=seconds), moment(instant, zone, seconds=seconds)
    return f'<time datetime="{iso}" title="{escape(over)}">{escape(text)}</time>'


def money(amount: float) -> str:
    """Return an amount of money as text."""
    return formatting.money(amount, read_style())


def write_time(wall: int) -> str:
    """Return a time of day, microseconds since midnight, as text."""
    return formatting.wall_time(wall, read_style())


def rewrite_time(text: str) -> str:
    """Return a time of day that is text in the same way; other text as it is."""
    wall = time_of_day(text, is_end=True)
    return text if wall is None else write_time(wall)


def write_hour(hour: int) -> str:
    """Return an hour of the day, 0 to 23, as text such as ``9 AM`` or ``09:00``."""
    return formatting.hour_of_day(hour, read_style())
