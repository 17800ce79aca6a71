"""Parses raw columns into typed arrays, each distinct value once."""

import re
from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Reason = Callable[[bytes], str]
Warn = Callable[[bytes], str | None]

# White space of ASCII and of Unicode in UTF-8: no-break and other spaces, the byte order mark.
SPACE = (
    rb"(?:\s|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8b\xa8\xa9\xaf]|\xe2\x81[\x9f\xa0]"
    rb"|\xe3\x80\x80|\xef\xbb\xbf)"
)
LEADING = re.compile(rb"^" + SPACE + rb"+")
TRAILING = re.compile(SPACE + rb"+$")
INNER = re.compile(SPACE + rb"+")
GUARDED = re.compile(rb"'[=+\-@\t\r]")


@dataclass(frozen=True)
class Parsed:
    """A parsed column: typed ``values``, which have a meaning where ``good``. ``reason`` explains a
    bad value. ``warn`` warns about a good value that may not mean what its writer thinks."""

    values: NDArray[Any]
    good: NDArray[np.bool_]
    reason: Reason
    warn: Warn | None = None


def trimmed(value: bytes) -> bytes:
    """The value without white space or quotes around it, and without the apostrophe that a file of
    rejected lines puts before a formula."""
    if value.isalnum():
        return value
    value = TRAILING.sub(b"", LEADING.sub(b"", value))
    if len(value) > 1 and value[0] == value[-1] == ord('"'):
        value = TRAILING.sub(b"", LEADING.sub(b"", value[1:-1]))
    return value[1:] if GUARDED.match(value) else value


def words(value: bytes) -> str:
    """A value for comparison with words: trimmed, in lower case, one space between words."""
    return INNER.sub(b" ", trimmed(value)).decode("utf-8", "replace").casefold()


def rows_with(raw: "pa.Array", values: Set[bytes]) -> NDArray[np.bool_]:
    """Return which rows of a raw column have, trimmed, one of the values."""
    from restmon.ingest import arrow_arrays  # noqa: PLC0415 - who has no column does not need it

    encoded = raw.dictionary_encode()
    wanted = [trimmed(value) in values for value in encoded.dictionary.to_pylist()]
    return np.array(wanted, bool)[arrow_arrays.to_ints(encoded.indices)]


def by_distinct_value(
    raw: "pa.Array", parse: Callable[[bytes], Any], dtype: Any, bad: Any, reason: Reason
) -> Parsed:
    """Parse each distinct value once, trimmed. ``parse`` returns None for a bad one."""
    from restmon.ingest import arrow_arrays  # noqa: PLC0415 - who has no column does not need it

    def why(value: bytes) -> str:
        return reason(trimmed(value))

    encoded = raw.dictionary_encode()
    parsed = [parse(trimmed(value)) for value in encoded.dictionary.to_pylist()]
    codes = arrow_arrays.to_ints(encoded.indices)
    if not parsed:
        return Parsed(np.empty(0, dtype), np.empty(0, bool), why)
    good = np.array([value is not None for value in parsed], bool)
    values = np.empty(len(parsed), dtype)
    values[:] = [bad if value is None else value for value in parsed]
    return Parsed(values[codes], good[codes], why)
