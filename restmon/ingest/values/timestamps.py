"""What the values in the files mean (SEMANTICS.md, "Inputs"): raw columns to typed arrays.

Each parser takes a pyarrow binary array of n raw values and returns a :class:`Parsed`: an array
of n typed values, the mask of those that are good, and why the others are not.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from restmon.hours import DAY, HOUR, SECOND

STORE_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
ROUNDED_NUMBER = re.compile(rb"\d(\.\d+)?[eE]\+?\d+")
WALL_TIME = re.compile(rb"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?")
TIMESTAMP = re.compile(
    rb"(\d{4})-(\d\d)-(\d\d)[ Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{0,9}))?"
    rb" ?(UTC|[Zz]|([+-])(\d\d)(?::?(\d\d))?)?"
)
# What pyarrow parses by itself once the suffix is off; the rest goes through TIMESTAMP.
PLAIN_TIMESTAMP = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[ T]"
    r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?( UTC|Z)?$"
)
NOT_PLACES = {b"localtime", b"posixrules", b"Factory"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EARLIEST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
LATEST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND

Reason = Callable[[bytes], str]


@dataclass(frozen=True)
class Parsed:
    """Typed ``values`` (where ``good``; anything elsewhere) and the ``reason`` of a bad one."""

    values: NDArray[Any]
    good: NDArray[np.bool_]
    reason: Reason


def by_distinct_value(
    raw: pa.Array, parse: Callable[[bytes], Any], dtype: Any, bad: Any, reason: Reason
) -> Parsed:
    """Parse each distinct value once; ``parse`` returns None for a bad one."""
    encoded = raw.dictionary_encode()
    parsed = [parse(value) for value in encoded.dictionary.to_pylist()]
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    if not parsed:
        return Parsed(np.empty(0, dtype), np.empty(0, bool), reason)
    good = np.array([value is not None for value in parsed], bool)
    values = np.array([bad if value is None else value for value in parsed], dtype)
    return Parsed(values[codes], good[codes], reason)


class StoreIds:
    """Numbers store ids in the order of their first appearance, over many batches. Where there is
    a set of those ``permitted``, others are bad."""

    def __init__(self, permitted: frozenset[str] | None = None) -> None:
        self.names: list[str] = []
        self._permitted = permitted
        self._known = pa.array([], pa.binary())

    def parse(self, raw: pa.Array) -> Parsed:
        """The ids' numbers, int64."""
        codes = pc.index_in(raw, value_set=self._known)
        values = codes.fill_null(-1).to_numpy().astype(np.int64)
        good = np.ones(len(values), bool)
        if codes.null_count:
            unknown = np.flatnonzero(values < 0)
            found = by_distinct_value(
                raw.take(pa.array(unknown)), self._new, np.int64, -1, self._why_not
            )
            values[unknown], good[unknown] = found.values, found.good
            self._known = pa.array([name.encode() for name in self.names], pa.binary())
        return Parsed(values, good, self._why_not)

    def _new(self, value: bytes) -> int | None:
        if not STORE_ID.fullmatch(value):
            return None
        name = value.decode("ascii")
        if self._permitted is not None and name not in self._permitted:
            return None
        self.names.append(name)
        return len(self.names) - 1

    def _why_not(self, value: bytes) -> str:
        if STORE_ID.fullmatch(value):
            return "this is not one of your stores"
        return why_not_a_store_id(value)


def why_not_a_store_id(value: bytes) -> str:
    """The reason a store id is rejected."""
    if not value:
        return "the store id is empty"
    if ROUNDED_NUMBER.fullmatch(value):
        return (
            "a spreadsheet has rounded this store id to a number with an exponent; "
            "export the column as text"
        )
    if len(value) > 64:
        return "a store id has at most 64 characters"
    return "a store id is letters, digits and _ . : -, beginning with a letter or digit"


def parse_statuses(raw: pa.Array) -> Parsed:
    """Statuses, int8: 1 active, 0 inactive, in any case."""
    known = {b"active": 1, b"inactive": 0}
    return by_distinct_value(
        raw, lambda v: known.get(v.lower()), np.int8, 0, lambda _: "it is not active or inactive"
    )


def parse_days(raw: pa.Array) -> Parsed:
    """Days of the week, int64: 0 Monday … 6 Sunday."""
    known = {str(day).encode(): day for day in range(7)}
    return by_distinct_value(
        raw, known.get, np.int64, 0, lambda _: "it is not a day from 0 (Monday) to 6 (Sunday)"
    )


def wall_time(value: bytes, *, is_end: bool = False) -> int | None:
    """Microseconds since midnight of ``HH:MM[:SS[.ffffff]]``, or None; an end may be 24:00."""
    match = WALL_TIME.fullmatch(value)
    if not match:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[:3])
    fraction = int((match[4] or b"").ljust(6, b"0"))
    time = hours * HOUR + minutes * 60 * SECOND + seconds * SECOND + fraction
    if minutes > 59 or seconds > 59 or time > DAY or (time == DAY and not is_end):
        return None
    return time


def parse_wall_times(raw: pa.Array, *, is_end: bool) -> Parsed:
    """Wall-clock times, int64 microseconds since midnight; an end may be 24:00."""
    latest = "24:00" if is_end else "23:59:59.999999"
    reason = f"it is not a time HH:MM or HH:MM:SS from 00:00 to {latest}"
    return by_distinct_value(
        raw, lambda v: wall_time(v, is_end=is_end), np.int64, 0, lambda _: reason
    )


@lru_cache(maxsize=4096)
def zone_name(value: bytes) -> str | None:
    """The IANA name when there is such a zone, else None."""
    if value in NOT_PLACES:
        return None
    try:
        return ZoneInfo(value.decode("ascii")).key
    except (ValueError, OSError, LookupError):
        return None


def parse_zones(raw: pa.Array) -> Parsed:
    """Time-zone names, object array of str."""
    return by_distinct_value(
        raw,
        zone_name,
        object,
        "",
        lambda v: (
            "it is not the name of an IANA time zone such as America/Chicago"
            if v
            else "the time zone is empty"
        ),
    )


def timestamp(value: bytes) -> int | None:
    """Microseconds since the epoch of one timestamp as the files write it, or None."""
    match = TIMESTAMP.fullmatch(value)
    if not match:
        return None
    *date, fraction, _zone, sign, hours, minutes = match.groups()
    try:
        moment = datetime(*(int(part) for part in date), tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError:
        return None
    offset = 0
    if sign:
        if int(hours) > 23 or int(minutes or 0) > 59:
            return None
        offset = int(hours) * HOUR + int(minutes or 0) * 60 * SECOND
    result = (moment - EPOCH) // MICROSECOND + int((fraction or b"")[:6].ljust(6, b"0"))
    result += offset if sign == b"-" else -offset
    return result if EARLIEST <= result <= LATEST else None


def why_not_a_timestamp(value: bytes) -> str:
    """The reason a timestamp is rejected."""
    if not value:
        return "the timestamp is empty"
    if TIMESTAMP.fullmatch(value):
        return "there is no such date or time of day"
    return "it is not a timestamp such as 2023-01-22 12:09:39.388884 UTC"


def parse_timestamps(raw: pa.Array) -> Parsed:
    """Timestamps, int64 microseconds since the epoch, UTC; further digits are cut off."""
    fast = _plain_timestamps(raw)
    if fast is not None:
        return Parsed(fast, np.ones(len(raw), bool), why_not_a_timestamp)
    values = np.zeros(len(raw), np.int64)
    good = np.zeros(len(raw), bool)
    plain = pc.match_substring_regex(raw, PLAIN_TIMESTAMP).to_numpy(zero_copy_only=False)
    if plain.any():
        fast = _plain_timestamps(raw.filter(pa.array(plain)), cut=True)
        if fast is None:
            plain[:] = False
        else:
            values[plain] = fast
            good[plain] = True
    slow = np.flatnonzero(~plain)
    for i, value in zip(slow.tolist(), raw.take(pa.array(slow)).to_pylist(), strict=True):
        instant = timestamp(value)
        if instant is not None:
            values[i] = instant
            good[i] = True
    return Parsed(values, good, why_not_a_timestamp)


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
        return text.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return None
