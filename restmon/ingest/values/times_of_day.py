"""Times of day, and the pairs of them in a day of business hours."""

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from restmon.core.hours import CLOSED
from restmon.core.instants import DAY, HOUR, MINUTE, SECOND
from restmon.ingest.values.base import Parsed, by_distinct_value, words

WHOLE_DAY = -2

CLOSED_WORDS = frozenset(
    ("", "closed", "x", "-", "\N{EN DASH}", "\N{EM DASH}", "off", "close", "closed all day")
)
WHOLE_DAY_WORDS = re.compile(
    r"(?:open )?24(?: |-)?(?:h|hr|hrs|hour|hours)\.?|(?:open )?24/7|(?:open )?all day"
)
TIME = re.compile(
    r"(?P<hour>\d\d?)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"(?: ?(?P<half>[ap])\.? ?m\.?)?"
)


def time_of_day(value: bytes | str, *, is_end: bool = False) -> int | None:
    """Microseconds since midnight of one time of day, or None; an end may be 24:00."""
    word = words(value) if isinstance(value, bytes) else value
    if word in {"noon", "12 noon"}:
        return DAY // 2
    if word in {"midnight", "12 midnight"}:
        return DAY if is_end else 0
    match = TIME.fullmatch(word)
    if not match or not (match["minute"] or match["half"]):
        return None
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"] == "p" else 0)
    time = hour * HOUR + minute * MINUTE + second * SECOND
    time += int((match["fraction"] or "")[:6].ljust(6, "0"))
    if minute > 59 or second > 59 or time > DAY or (time == DAY and not is_end):
        return None
    return time


def why_not_a_time(value: bytes, *, is_end: bool = False) -> str:
    """The reason a time of day is rejected."""
    word = words(value)
    which = "end" if is_end else "start"
    if not word:
        return f"the {which} time is empty; leave both empty where the store is closed that day"
    if word in CLOSED_WORDS:
        return f"the {which} says closed but the other time does not; write it in both"
    if re.fullmatch(r"\d\d?", word):
        return f"it does not say whether {word} is morning or evening; write {word}:00, or AM or PM"
    if re.fullmatch(r"0?[.,]\d+", word):
        return "it is a spreadsheet's number for a time; format the column as time"
    match = TIME.fullmatch(word)
    if match and match["half"]:
        return "there is no such time on the 12-hour clock, which goes from 12:00 AM to 11:59 PM"
    latest = "24:00" if is_end else "23:59:59.999999"
    return f"it is not a time such as 9:00, 09:00:00 or 9:00 AM, from 00:00 to {latest}"


def parse_times(raw: pa.Array, *, is_end: bool) -> Parsed:
    """Times of day, int64 microseconds since midnight; an end may be 24:00."""
    return by_distinct_value(
        raw,
        lambda value: time_of_day(value, is_end=is_end),
        np.int64,
        0,
        lambda value: why_not_a_time(value, is_end=is_end),
    )


def parse_cells(raw: pa.Array, *, is_end: bool) -> Parsed:
    """The same where CLOSED and WHOLE_DAY are values, too."""

    def parse(value: bytes) -> int | None:
        word = words(value)
        if word in CLOSED_WORDS:
            return CLOSED
        if WHOLE_DAY_WORDS.fullmatch(word):
            return WHOLE_DAY
        return time_of_day(word, is_end=is_end)

    return by_distinct_value(
        raw, parse, np.int64, 0, lambda value: why_not_a_time(value, is_end=is_end)
    )


@dataclass(frozen=True)
class Opening:
    """Start and end of n rows: both are CLOSED, or both are times."""

    start: Parsed
    end: Parsed


def parse_opening(start_raw: pa.Array, end_raw: pa.Array) -> Opening:
    """Parse two columns of one length. A row may also say that the day is closed or whole."""
    start, end = parse_cells(start_raw, is_end=False), parse_cells(end_raw, is_end=True)
    starts, ends = start.values.copy(), end.values.copy()
    whole = ((starts == WHOLE_DAY) | (ends == WHOLE_DAY)) & start.good & end.good
    fits = np.isin(starts, (WHOLE_DAY, CLOSED, 0)) & np.isin(ends, (WHOLE_DAY, CLOSED, 0, DAY))
    starts[whole & fits], ends[whole & fits] = 0, DAY
    closed_start, closed_end = starts == CLOSED, ends == CLOSED
    start_good = start.good & ~(closed_start & ~closed_end) & (starts != WHOLE_DAY)
    end_good = end.good & ~(closed_end & ~closed_start) & (ends != WHOLE_DAY)

    def why(parsed: Parsed) -> Parsed:
        def reason(value: bytes) -> str:
            if WHOLE_DAY_WORDS.fullmatch(words(value)):
                return "it says the whole day, but the other time does not; leave the other empty"
            return parsed.reason(value)

        return Parsed(parsed.values, parsed.good, reason)

    return Opening(
        Parsed(starts, start_good, why(start).reason), Parsed(ends, end_good, why(end).reason)
    )


Spans = list[tuple[int, int]]
"""(start, end) of a day; [(CLOSED, CLOSED)] where it is closed."""

RANGE = re.compile(r"(.+?) ?(?:-|\N{EN DASH}|\N{EM DASH}|\bto\b|\buntil\b) ?(.+)")


def spans_of_cell(value: bytes) -> Spans | str:
    """The spans in one cell of a weekday's column, or the reason it cannot be read."""
    word = words(value)
    if word in CLOSED_WORDS:
        return [(CLOSED, CLOSED)]
    if WHOLE_DAY_WORDS.fullmatch(word):
        return [(0, DAY)]
    return spans_of(word)


def spans_of(text: str) -> Spans | str:
    """Ranges such as ``11:30-14:00, 17:00-22:00`` in lower case, or why they cannot be read."""
    spans: Spans = []
    for part in re.split(r" ?(?:[,;/&+|\n]|\band\b) ?", text.strip()):
        match = RANGE.fullmatch(part)
        if not match:
            return f"{part[:40]!r} is not a range of times such as 11:30-14:00"
        first, last = match[1].strip(), match[2].strip()
        start, end = time_of_day(first), time_of_day(last, is_end=True)
        for found, written, is_end in ((start, first, False), (end, last, True)):
            if found is None:
                return f"{written[:40]!r}: {why_not_a_time(written.encode(), is_end=is_end)}"
        if _half(first) != _half(last) and not (_says_itself(first) and _says_itself(last)):
            return f"{part[:40]!r} has AM or PM at one time only; write it at both"
        spans.append((int(start or 0), int(end or 0)))
    return spans


def _half(text: str) -> bool:
    match = TIME.fullmatch(text)
    return bool(match and match["half"])


def _says_itself(text: str) -> bool:
    """Whether a time shows its half of the day by itself."""
    match = TIME.fullmatch(text)
    return not match or bool(match["half"]) or not 1 <= int(match["hour"]) <= 12


def write_times(values: NDArray[np.int64]) -> list[str]:
    """The text of times in the long form, for messages."""
    return [f"{v // HOUR:02d}:{v // MINUTE % 60:02d}" for v in values.tolist()]
