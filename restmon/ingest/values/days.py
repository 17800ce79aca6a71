"""Days of the week."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from restmon.ingest.values.base import Parsed, by_distinct_value, words

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ZERO_MONDAY = "0-monday"
NUMBERINGS: dict[str, dict[int, int]] = {
    ZERO_MONDAY: {number: number for number in range(7)},
    "1-monday": {number: number - 1 for number in range(1, 8)},
    "1-sunday": {number: (number + 5) % 7 for number in range(1, 8)},
    "0-sunday": {number: (number + 6) % 7 for number in range(7)},
}
"""How a file may number its days; each gives 0 = Monday … 6 = Sunday."""
IN_WORDS = {
    ZERO_MONDAY: "0 for Monday through 6 for Sunday",
    "1-monday": "1 for Monday through 7 for Sunday",
    "1-sunday": "1 for Sunday through 7 for Saturday",
    "0-sunday": "0 for Sunday through 6 for Saturday",
}
NUMBER = re.compile(r"\d(\.0+)?")


def day_named(word: str) -> int | None:
    """The day of an English name, or of its first three letters or more; None for other text."""
    word = word.removesuffix(".")
    if len(word) < 3:
        return None
    return next((day for day, name in enumerate(NAMES) if name.startswith(word)), None)


def parse_days(
    raw: "pa.Array", numbering: str | None = None, seven: Callable[[], NoReturn] | None = None
) -> Parsed:
    """Days of the week, int64: 0 Monday … 6 Sunday.

    ``numbering`` is one of NUMBERINGS. Without it 0 is Monday, and a 7 calls ``seven``, which
    raises.
    """
    known = NUMBERINGS[numbering or ZERO_MONDAY]

    def parse(value: bytes) -> int | None:
        word = words(value)
        if not NUMBER.fullmatch(word):
            return day_named(word)
        number = int(word[0])
        if number == 7 and numbering is None and seven is not None:
            seven()
        return known.get(number)

    def reason(value: bytes) -> str:
        said = "the day is empty" if not value else "it is not a day"
        return f"{said}; use {IN_WORDS[numbering or ZERO_MONDAY]}, or a day name"

    return by_distinct_value(raw, parse, np.int64, 0, reason)
