"""Texts for people, and amounts: names, addresses, reasons, sales."""

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np

from restmon.core.group_names import group_name, same_name, why_not_a_group_name
from restmon.ingest.values.base import Parsed, by_distinct_value, trimmed, words

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST = 200
AMOUNT = re.compile(rb"\$? ?(\d{1,12}(?:\.\d*)?)")
HOUR = re.compile(r"\d\d?(\.0+)?")
BETWEEN = "\x1f"
"""Stands between the names of several groups."""
INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def parse_texts(raw: "pa.Array") -> Parsed:
    """Texts of at most 200 characters in UTF-8, object array of str; "" where there is none."""

    def parse(value: bytes) -> str | None:
        try:
            text = plain(value.decode("utf-8"))
        except UnicodeDecodeError:
            return None
        return text if len(text) <= LONGEST else None

    def reason(value: bytes) -> str:
        try:
            value.decode("utf-8")
        except UnicodeDecodeError:
            return "it is not text in UTF-8"
        return f"it is longer than {LONGEST} characters"

    return by_distinct_value(raw, parse, object, "", reason)


def parse_reasons(raw: "pa.Array") -> Parsed:
    """The reasons of polls, object array of str: cut and cleaned, since no reason makes a poll
    bad."""

    def parse(value: bytes) -> str:
        return plain(plain(value.decode("utf-8", "replace"))[:LONGEST])

    return by_distinct_value(raw, parse, object, "", lambda _: "it is not a reason")


def plain(text: str) -> str:
    """A text without control characters and line ends, in Unicode's composed form, and trimmed. It
    stays the same when it is written to a file and read again."""
    while True:
        before = text
        kept = (c for c in " ".join(text.split()) if unicodedata.category(c) not in INVISIBLE)
        text = trimmed(unicodedata.normalize("NFC", "".join(kept)).encode()).decode()
        if text == before:
            return text


def parse_amounts(raw: "pa.Array") -> Parsed:
    """Amounts of money, float64, not negative."""
    return _amounts(raw, optional=False)


def parse_optional_amounts(raw: "pa.Array") -> Parsed:
    """The same; NaN where there is none."""
    return _amounts(raw, optional=True)


def _amounts(raw: "pa.Array", *, optional: bool) -> Parsed:
    def parse(value: bytes) -> float | None:
        match = AMOUNT.fullmatch(value)
        if match:
            return float(match[1])
        return float("nan") if optional and not value else None

    def reason(value: bytes) -> str:
        if not value:
            return "the amount is empty"
        return "it is not an amount such as 120 or 1250.50, without separators between thousands"

    return by_distinct_value(raw, parse, np.float64, 0.0, reason)


def parse_hours(raw: "pa.Array") -> Parsed:
    """Hours of the day, int64, 0 to 23."""

    def parse(value: bytes) -> int | None:
        word = words(value)
        hour = int(float(word)) if HOUR.fullmatch(word) else 24
        return hour if hour < 24 else None

    def reason(value: bytes) -> str:
        said = "the hour is empty" if not value else "it is not an hour"
        return f"{said}; use 0 for midnight to 1 AM through 23 for 11 PM to midnight"

    return by_distinct_value(raw, parse, np.int64, 0, reason)


def parse_group_lists(raw: "pa.Array") -> Parsed:
    """Names of groups separated by ``;``, object array of str: the names with BETWEEN between."""

    def parse(value: bytes) -> str | None:
        try:
            found = [group_name(part) for part in split_groups(value.decode("utf-8"))]
        except UnicodeDecodeError:
            return None
        names = [name for name in found if name is not None]
        if len(names) != len(found):
            return None
        return BETWEEN.join({same_name(name): name for name in reversed(names)}.values())

    def reason(value: bytes) -> str:
        try:
            parts = split_groups(value.decode("utf-8"))
        except UnicodeDecodeError:
            return "it is not text in UTF-8"
        bad = next(part for part in parts if group_name(part) is None)
        return why_not_a_group_name(bad)

    return by_distinct_value(raw, parse, object, "", reason)


def split_groups(text: str) -> list[str]:
    """The names in a list of groups. A ``;`` of a name has a backslash before it."""
    parts = re.findall(r"(?:\\[;\\]|[^;])+", text)
    return [name for part in parts if (name := re.sub(r"\\([;\\])", r"\1", part).strip())]


class GroupNames:
    """Numbers names of groups in the order of their first appearance. Names outside of the set
    ``permitted`` (in the form of `same_name`) are bad (None: all are permitted)."""

    def __init__(self, permitted: frozenset[str] | None = None) -> None:
        self.names: list[str] = []
        self._permitted = permitted
        self._number: dict[str, int] = {}

    def parse(self, raw: "pa.Array") -> Parsed:
        """The names' numbers, int64."""

        def parse(value: bytes) -> int | None:
            name = self.valid(value)
            if name is None:
                return None
            number = self._number.setdefault(same_name(name), len(self.names))
            if number == len(self.names):
                self.names.append(name)
            return number

        return by_distinct_value(raw, parse, np.int64, 0, self._why_not)

    def valid(self, value: bytes) -> str | None:
        """The name if it is valid and permitted, else None."""
        try:
            name = group_name(trimmed(value).decode("utf-8"))
        except UnicodeDecodeError:
            return None
        if name is None or (self._permitted is not None and same_name(name) not in self._permitted):
            return None
        return name

    def _why_not(self, value: bytes) -> str:
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            return "it is not text in UTF-8"
        if group_name(text) is not None:
            return "this is not one of your groups"
        return why_not_a_group_name(text)
