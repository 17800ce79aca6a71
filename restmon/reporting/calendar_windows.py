"""Weeks and months as people name them: "last week", "this month", "Nov 16 – 22, 2026".

A week is Monday to Sunday. Which one is *this* week or month is decided by the earliest date that
any of the zones has at ``as_of``, so that the last one is over, and this one has begun, everywhere.
"""

from collections.abc import Mapping
from datetime import timedelta

from restmon.core.formatting import US, Style, date_range, day, moment, month_name
from restmon.core.instants import DAY, date_of
from restmon.reporting.windows import WHOLE, Edge, Window, earliest_date, parse_window

THIS_WEEK, LAST_WEEK = "this week", "last week"
THIS_MONTH, LAST_MONTH = "this month", "last month"
CALENDAR = (THIS_WEEK, LAST_WEEK, THIS_MONTH, LAST_MONTH)
USUAL = "Last hour, day and week"
"""What a report without a window is of."""
UNITS = {"h": "hour", "d": "day", "w": "week"}


def words_of(name: str, as_of: int, zones: list[str]) -> dict[str, str]:
    """Return the words of one of CALENDAR as of an instant, in the form that `parse_window` takes.
    This week and this month end at ``as_of``."""
    today = earliest_date(as_of, zones)
    if name in (THIS_MONTH, LAST_MONTH):
        first = today.replace(day=1)
        chosen = first if name == THIS_MONTH else first - timedelta(days=1)
        return {"month": f"{chosen:%Y-%m}"}
    monday = today - timedelta(days=today.weekday())
    if name == THIS_WEEK:
        return {"from": f"{monday:%Y-%m-%d}"}
    return {"from": f"{monday - timedelta(days=7):%Y-%m-%d}", "to": f"{monday:%Y-%m-%d}"}


def describe_window(
    words: Mapping[str, str | None] | None, as_of: int | None = None, style: Style = US
) -> str:
    """Return a window as people say it, such as ``Week of Nov 16 – 22, 2026``, ``November 2026 so
    far`` or ``Last 30 days``. ``as_of`` (None: not known yet) is that of the report."""
    window = parse_window(words or {})
    if window is None:
        return USUAL
    if window.month is not None:
        first, end = window.month
        so_far = as_of is not None and end * DAY > as_of
        return f"{month_name(date_of(first))}{' so far' if so_far else ''}"
    if window.since is None:
        return _describe_length(dict(window.words).get("last", "7d"))
    return _describe_edges(window, style)


def _describe_length(text: str) -> str:
    if text.lower() in WHOLE:
        return f"Last {text.lower()}"
    number, unit = int(text[:-1]), UNITS[text[-1].lower()]
    return f"Last {number} {unit}s" if number != 1 else f"Last {unit}"


def _describe_edges(window: Window, style: Style) -> str:
    since, until = window.since, window.until
    assert since is not None  # noqa: S101 - for the type checker
    if until is None:
        return f"Since {_edge(since, style)}"
    if since.day is None or until.day is None:
        return f"{_edge(since, style)} to {_edge(until, style)}"
    first, last = date_of(since.day), date_of(until.day - 1)
    if first == last:
        return day(first, style)
    text = date_range(first, last, style)
    is_week = first.weekday() == 0 and (last - first).days == 6
    return f"Week of {text}" if is_week else text


def _edge(edge: Edge, style: Style) -> str:
    if edge.day is None:
        return moment(edge.instant, style=style)
    return day(date_of(edge.day), style)
