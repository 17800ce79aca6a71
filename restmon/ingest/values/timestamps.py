"""Timestamps: instants in microseconds since the epoch, UTC."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from restmon.core.instants import as_datetime
from restmon.ingest import arrow_arrays
from restmon.ingest.values.base import Parsed, by_distinct_value, trimmed
from restmon.ingest.values.one_timestamp import (
    DAY_FIRST,
    MONTH_FIRST,
    SLASHED,
    TIMESTAMP,
    UNIX,
    UNIX_FROM,
    UNIX_UNIT,
    timestamp,
    unix_time,
)

LETTERED_ZONE = re.compile(rb"(.*\d) ?[A-Za-z]{2,5}")
# What pyarrow parses by itself once the suffix is off; the rest goes through TIMESTAMP.
PLAIN_TIMESTAMP = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[ T]"
    r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?( UTC|Z)?$"
)


@dataclass
class DateOrderEvidence:
    """The evidence in a file about the order of its dates: a date whose first part is above 12, one
    whose second part is, and one that proves nothing (None: there is none)."""

    day_first: str | None = None
    month_first: str | None = None
    undecided: str | None = None

    def add(self, raw: pa.Array) -> None:
        """Look at further values."""
        for value in pc.unique(raw).to_pylist():
            match = SLASHED.fullmatch(trimmed(value))
            if not match:
                continue
            text = trimmed(value).decode("ascii")
            self.note(int(match["first"]), int(match["then"]), text)

    def note(self, first: int, then: int, text: str) -> None:
        """Look at the first two parts of one date."""
        if first > 12:
            self.day_first = self.day_first or text
        elif then > 12:
            self.month_first = self.month_first or text
        else:
            self.undecided = self.undecided or text

    @property
    def order(self) -> str | None:
        """The order that the file proves, or None."""
        if self.day_first and not self.month_first:
            return DAY_FIRST
        return MONTH_FIRST if self.month_first and not self.day_first else None


NOTHING_WRONG = "it is a timestamp"


def why_not_a_timestamp(value: bytes, order: str | None = None) -> str:
    """The reason a timestamp is rejected; NOTHING_WRONG for a valid one."""
    if not value:
        return "the timestamp is empty"
    if UNIX.fullmatch(value):
        if unix_time(value) is not None:
            return NOTHING_WRONG
        return "as Unix time it is before 1973; write a date such as 2026-01-22 12:09:39 UTC"
    if re.fullmatch(rb"\d{5}(\.\d+)?", value):
        return "it is a spreadsheet's number for a date; format the column as date and time"
    if re.fullmatch(rb"\d+([.,]\d+)?[eE]\+?\d+", value):
        return "a spreadsheet has rounded this number; export the column as text"
    if re.fullmatch(rb"-?\d+(\.\d+)?", value):
        return "it is no Unix time: that has 10 digits for seconds, 13 for ms or 16 for µs"
    match = TIMESTAMP.fullmatch(value) or SLASHED.fullmatch(value)
    if match and timestamp(value, order) is not None:
        return NOTHING_WRONG
    if match and match["sign"] and (match["name"] or b"").upper() in {b"UTC", b"GMT", b"Z"}:
        return "its offset and its time zone contradict each other"
    if match:
        return "there is no such date or time of day"
    lettered = LETTERED_ZONE.fullmatch(value)
    if lettered and (TIMESTAMP.fullmatch(lettered[1]) or SLASHED.fullmatch(lettered[1])):
        return "letters such as EST are no sure offset; write UTC, or an offset such as -0500"
    if re.fullmatch(rb"\d{4}-\d\d?-\d\d?|\d\d?[-/.]\d\d?[-/.]\d{2,4}", value):
        return "it is a date without a time of day"
    if re.match(rb"\d\d?[-/.]\d\d?[-/.]\d\d\b", value):
        return "its year has two digits; write it with four, as in 2026-01-22 12:09:39"
    return "it is not a timestamp such as 2023-01-22 12:09:39.388884 UTC"


class Timestamps:
    """Parses columns of timestamps into int64 microseconds since the epoch, UTC. Cuts off further
    digits. Without ``order``, the first date such as 11/12/2026 calls ``decide`` once, which
    returns the order or raises."""

    def __init__(self, order: str | None = None, decide: Callable[[], str] | None = None) -> None:
        self.order = order
        self._decide = decide

    def __call__(self, raw: pa.Array) -> Parsed:
        fast = _plain_timestamps(raw)
        if fast is not None:
            return Parsed(fast, np.ones(len(raw), bool), self._why_not)
        text = _trimmed_text(raw)
        if text is None:
            return self._slowly(raw)
        fast = _unix_times(text)
        if fast is not None:
            return Parsed(fast, np.ones(len(raw), bool), self._why_not)
        values = np.zeros(len(raw), np.int64)
        good = np.zeros(len(raw), bool)
        plain = arrow_arrays.to_bools(pc.match_substring_regex(text, PLAIN_TIMESTAMP))
        if plain.any():
            fast = _plain_timestamps(text.filter(arrow_arrays.of_bools(plain)), cut=True)
            if fast is None:
                plain = np.zeros(len(raw), bool)
            else:
                values[plain], good[plain] = fast, True
        others = np.flatnonzero(~plain)
        if len(others):
            found = self._slowly(raw.take(arrow_arrays.of_ints(others)))
            values[others], good[others] = found.values, found.good
        return Parsed(values, good, self._why_not)

    def _slowly(self, raw: pa.Array) -> Parsed:
        return by_distinct_value(raw, self._one, np.int64, 0, why_not_a_timestamp)

    def _one(self, value: bytes) -> int | None:
        if self.order is None and self._decide is not None and SLASHED.fullmatch(value):
            self.order = self._decide()
        return timestamp(value, self.order)

    def _why_not(self, value: bytes) -> str:
        value = trimmed(value)
        if self.order is None and SLASHED.fullmatch(value):
            return "its month and day can be read in two ways; write it as 2026-01-22 12:09:39"
        return why_not_a_timestamp(value, self.order)


def parse_timestamps(raw: pa.Array) -> Parsed:
    """Timestamps of a column that nobody has chosen an order for."""
    return Timestamps()(raw)


def not_after(found: Parsed, latest: int) -> Parsed:
    """The same column, but instants after ``latest`` are bad."""
    if not len(found.values) or found.values.max() <= latest:
        return found
    too_late = found.good & (found.values > latest)
    limit = as_datetime(latest).strftime("%Y-%m-%d %H:%M:%S UTC")
    from_the_future = (
        f"it is from the future (after {limit}, the latest that is taken); correct it, or the "
        "clock of the machine that restmon runs on"
    )

    def reason(value: bytes) -> str:
        # A value that was bad before has its own reason.
        why = found.reason(value)
        return why if why != NOTHING_WRONG else from_the_future

    return Parsed(found.values, found.good & ~too_late, reason)


def _trimmed_text(raw: pa.Array) -> pa.Array | None:
    """The values as text without white space around them, or None where they are not UTF-8."""
    try:
        return pc.utf8_trim_whitespace(raw.cast(pa.string()))
    except pa.ArrowInvalid:
        return None


def _unix_times(text: pa.Array) -> NDArray[np.int64] | None:
    """All values at once when each is a Unix time of the same unit, else None."""
    lengths = pc.min_max(pc.binary_length(text))
    length = lengths["min"].as_py()
    if length not in UNIX_UNIT or lengths["max"].as_py() != length:
        return None
    if not pc.all(pc.ascii_is_decimal(text)).as_py():
        return None
    instants: NDArray[np.int64] = arrow_arrays.to_ints(text.cast(pa.int64())) * UNIX_UNIT[length]
    return instants if (instants >= UNIX_FROM).all() else None


def _plain_timestamps(raw: pa.Array, *, cut: bool = False) -> NDArray[np.int64] | None:
    """All values at once when each is plain (``cut``: known to be), else None."""
    if not len(raw):
        return np.empty(0, np.int64)
    try:
        text = raw.cast(pa.string())
        for suffix in (" UTC", "Z"):
            ends = pc.ends_with(text, suffix)
            if pc.all(ends).as_py():
                text = pc.utf8_slice_codeunits(text, 0, -len(suffix))
                break
            if pc.any(ends).as_py():
                shorter = pc.utf8_slice_codeunits(text, 0, -len(suffix))
                text = pc.if_else(ends, shorter, text)
                if not cut:
                    break  # whoever carries both suffixes is looked at one by one
        if cut:
            text = pc.utf8_slice_codeunits(text, 0, 26)
        # pyarrow would also read a date alone, or one without seconds, and year 0.
        if (
            pc.min(pc.binary_length(text)).as_py() < 19
            or pc.any(pc.starts_with(text, "0000")).as_py()
        ):
            return None
        return arrow_arrays.to_ints(text.cast(pa.timestamp("us")).cast(pa.int64()))
    except pa.ArrowInvalid:
        return None
