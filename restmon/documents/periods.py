"""The period of a document, in words: last week, a month, dates (SEMANTICS.md, "Now").

A week is Monday to Sunday and a month the calendar month, both by the clock of each store. Which
week is the last one depends on the date in one zone: the one that most of the stores are in, or the
one that the user has chosen.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from restmon.core.formatting import US, Style
from restmon.core.formatting import day as day_text
from restmon.core.hours import DEFAULT_ZONE
from restmon.core.instants import DAY, HOUR, as_datetime, as_text, day_number
from restmon.errors import BadRequest
from restmon.reporting.snapshot import Stores
from restmon.reporting.windows import MOST_DAYS, Edge, Window

LAST_WEEK = "last week"
NAMED = ("yesterday", LAST_WEEK, "this week", "last month", "this month")
"""The periods with a name."""
FORMS = f"{', '.join(NAMED)}, 24h, 30d, 2026-01, or 2026-01-05 to 2026-01-11"
DATE = r"\d{4}-\d\d-\d\d"
DATES = re.compile(rf"({DATE})(?: ?(?:to|\.\.|,) ?({DATE}))?")
MONTH = re.compile(r"(\d{4})-(\d\d)")
LENGTH = re.compile(r"(?:last )?(\d{1,4}) ?(h|hours?|d|days?|w|weeks?)")
HOURS = {"h": 1, "d": 24, "w": 168}


@dataclass(frozen=True)
class Period:
    """A period in ``words``, its ``name`` for people, its ``window``, and the window of the equal
    period ``before`` it, whose name is ``before_name``. ``first`` and ``last`` are its dates, both
    included; None where it is a length of time that ends at ``as_of``."""

    words: str
    name: str
    window: Window
    before: Window
    before_name: str
    first: date | None = None
    last: date | None = None

    def span(self, as_of: int, zone: str, style: Style = US) -> str:
        """The first and the last date, or instant, for people."""
        if self.first is None or self.last is None:
            begin = as_datetime(as_of - self.window.last, zone)
            return f"{begin:%b} {begin.day}, {begin.year} – {_short(as_of, zone)}"
        if self.first == self.last:
            return day_text(self.first, style)
        return f"{day_text(self.first, style)} – {day_text(self.last, style)}"


def _short(instant: int, zone: str) -> str:
    local = as_datetime(instant, zone)
    return f"{local:%b} {local.day}, {local.year}"


def main_zone(stores: Stores) -> str:
    """The zone that most of the stores are in; of several, the first by name."""
    counts = np.bincount(stores.zone_of_store, minlength=len(stores.zones))
    if not counts.sum():
        return DEFAULT_ZONE
    return min(stores.zones[zone] for zone in np.flatnonzero(counts == counts.max()).tolist())


def normalize(words: str | None) -> str:
    """The words in small letters, single spaces between them; the default for none."""
    text = " ".join((words or "").strip().lower().split())
    if text.replace("-", " ").replace("_", " ") in NAMED:
        text = text.replace("-", " ").replace("_", " ")
    return text or LAST_WEEK


def check_period(words: str | None) -> str:
    """The words in the form in which they are stored. Raises BadRequest if they name no period."""
    text = normalize(words)
    read_period(text, 0, "UTC")
    return text


def read_period(words: str | None, as_of: int, zone: str) -> Period:
    """The period that words name, as of an instant, on the calendar of a zone.

    Raises BadRequest for other words.
    """
    text = normalize(words)
    today = as_datetime(as_of, zone).date()
    if text in NAMED:
        return _named(text, today)
    if match := LENGTH.fullmatch(text):
        return _length(text, int(match[1]) * HOURS[match[2][0]], as_of)
    try:
        if match := MONTH.fullmatch(text):
            return _month(text, date(int(match[1]), int(match[2]), 1))
        if match := DATES.fullmatch(text):
            first = date.fromisoformat(match[1])
            return _dates(text, first, date.fromisoformat(match[2] or match[1]))
    except ValueError:
        pass
    raise BadRequest(f"The window {(words or '')[:60]!r} is not known.", f"Use {FORMS}.")


def _named(text: str, today: date) -> Period:
    monday = today - timedelta(days=today.weekday())
    first_of_month = today.replace(day=1)
    if text == "yesterday":
        day = today - timedelta(days=1)
        return _of_days(text, "Yesterday", (day, day), "the day before")
    if text == LAST_WEEK:
        first = monday - timedelta(days=7)
        return _of_days(text, "Last week", (first, monday - timedelta(days=1)), "the week before")
    if text == "this week":
        ends = (monday, monday + timedelta(days=6))
        return _of_days(text, "This week so far", ends, "the week before")
    if text == "last month":
        first_of_month = (first_of_month - timedelta(days=1)).replace(day=1)
    name = f"{first_of_month:%B %Y}" + (" so far" if text == "this month" else "")
    return _month(text, first_of_month, name)


def _month(text: str, first: date, name: str = "") -> Period:
    last = first.replace(day=monthrange(first.year, first.month)[1])
    before = (first - timedelta(days=1)).replace(day=1) if first > date(1, 2, 1) else first
    window = _window(before, first - timedelta(days=1) if before < first else last)
    return Period(
        text, name or f"{first:%B %Y}", _window(first, last), window, f"{before:%B}", first, last
    )


def _dates(text: str, first: date, last: date) -> Period:
    if last < first:
        raise BadRequest(f"The window {text[:60]!r} ends before it begins.", "Exchange the dates.")
    days = (last - first).days + 1
    if days > MOST_DAYS:
        raise BadRequest("The window is longer than 13 months.", f"Use {MOST_DAYS} days or less.")
    one = day_text(first)
    name = one if days == 1 else f"{one} – {day_text(last)}"
    before = f"the {days} days before" if days > 1 else "the day before"
    return _of_days(text, name, (first, last), before)


def _of_days(text: str, name: str, ends: tuple[date, date], before_name: str) -> Period:
    first, last = ends
    length = timedelta(days=(last - first).days + 1)
    if first - date.min < length:
        raise BadRequest(f"The window {text[:60]!r} is too early.", "Use a later date.")
    before = _window(first - length, last - length)
    return Period(text, name, _window(first, last), before, before_name, first, last)


def _window(first: date, last: date) -> Window:
    """The local dates from the first to the last, cut at ``as_of`` as a month is."""
    words = (("from", first.isoformat()), ("to", last.isoformat()))
    return Window(words, month=(day_number(first), day_number(last) + 1))


def _length(text: str, hours: int, as_of: int) -> Period:
    if not 0 < hours <= MOST_DAYS * 24:
        raise BadRequest(f"The window {text[:60]!r} is too long or empty.", "Use 1h to 397d.")
    length = hours * HOUR
    whole_days = hours % 24 == 0
    amount = f"{length // DAY} days" if whole_days and hours > 24 else f"{hours} hours"
    word = f"{hours // 24}d" if whole_days else f"{hours}h"
    lo, hi = as_of - 2 * length, as_of - length
    ends = (("from", as_text(lo)), ("to", as_text(hi))) if lo > 0 else ()
    before = Window(ends, Edge("", instant=lo), Edge("", instant=hi))
    window = Window((("last", word),), last=length)
    return Period(text, f"Last {amount}", window, before, f"the {amount} before")
