"""A store's week in one line: a column a weekday, or the notation of OpenStreetMap."""

import re

from restmon.ingest.values.base import words
from restmon.ingest.values.days import NAMES, day_named
from restmon.ingest.values.times_of_day import (
    CLOSED,
    CLOSED_WORDS,
    WHOLE_DAY_WORDS,
    Spans,
    spans_of,
)

Week = list[tuple[int, int, int]]
"""(day, start, end), start and end CLOSED on a closed day."""

SHORT = {name[:2]: day for day, name in enumerate(NAMES)}
_DAYS = r"[a-z]+\.?(?: ?[-\N{EN DASH}] ?[a-z]+\.?)?"
DAYS = re.compile(rf"{_DAYS}(?: ?, ?{_DAYS})*")


def _day(word: str) -> int | None:
    return SHORT.get(word.removesuffix("."), day_named(word))


def _days(text: str) -> list[int] | str:
    """The days in ``mo-fr, su``, or the part that names none."""
    found: list[int] = []
    for part in text.split(","):
        ends = [_day(end.strip()) for end in re.split(r"[-\N{EN DASH}]", part.strip())]
        if None in ends:
            return part.strip()
        first, last = int(ends[0] or 0), int(ends[-1] or 0)
        found += [day % 7 for day in range(first, last + 1 + (7 if last < first else 0))]
    return found


def week_of(value: bytes) -> Week | str:
    """The seven days of an ``opening_hours`` value of OpenStreetMap, or why it cannot be read.

    A later rule replaces the days of an earlier one, as in OpenStreetMap. Days that no rule names
    are closed. Reads rules of weekdays and times, but no seasons, dates and the like. Skips ``PH``
    and ``SH`` rules (holidays), because other hours on dates are a feed of their own.
    """
    text = words(value)
    if not text:
        return "the opening hours are empty; write off for a store that is closed all week"
    week: dict[int, Spans] = {}
    for rule in filter(None, (part.strip() for part in text.split(";"))):
        if re.match(r"(ph|sh)\b", rule):
            continue
        match = DAYS.match(rule)
        named = match[0].strip() if match else ""
        if named and (named in CLOSED_WORDS or named in {"open", "all day", "noon", "midnight"}):
            named = ""
        rest = rule[len(match[0]) :] if match and named else rule
        # "mo off": the words of a closed day look like days.
        head, _, last = named.rpartition(" ")
        if last in CLOSED_WORDS and head:
            named, rest = head.rstrip(" ,"), last
        days = _days(named.rstrip(" ,:")) if named else list(range(7))
        if isinstance(days, str):
            return f"{days[:40]!r} is not a day such as Mo or Monday"
        spans = _spans(rest.strip(" :"))
        if isinstance(spans, str):
            return spans
        week |= dict.fromkeys(days, spans)
    if not week:
        return "it names no day; write such as Mo-Fr 11:00-22:00; Sa,Su off"
    closed: Spans = [(CLOSED, CLOSED)]
    return [(day, *span) for day in range(7) for span in week.get(day, closed)]


def _spans(text: str) -> Spans | str:
    if text in CLOSED_WORDS - {""}:
        return [(CLOSED, CLOSED)]
    if not text or WHOLE_DAY_WORDS.fullmatch(text) or text == "open":
        return [(0, 86_400_000_000)]
    return spans_of(text)
