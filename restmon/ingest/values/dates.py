"""Local dates: days since 1970-01-01."""

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from restmon.ingest.values.base import Parsed, by_distinct_value, trimmed
from restmon.ingest.values.one_date import ISO, SLASHED, local_date
from restmon.ingest.values.timestamps import DateOrderEvidence

NO_DATE = np.iinfo(np.int64).min
"""The value of an empty cell in an optional column."""


class Dates:
    """Parses columns of dates into int64 days since 1970-01-01, or NO_DATE for an empty cell of an
    ``optional`` column. Without ``order``, the first date such as 11/12/2026 calls ``decide`` once,
    which returns the order or raises."""

    def __init__(self, order: str | None = None, decide: Callable[[], str] | None = None) -> None:
        self.order = order
        self._decide = decide

    def __call__(self, raw: pa.Array, *, optional: bool) -> Parsed:
        def parse(value: bytes) -> int | None:
            if not value and optional:
                return NO_DATE
            if self.order is None and self._decide is not None and SLASHED.fullmatch(value):
                self.order = self._decide()
            return local_date(value, self.order)

        return by_distinct_value(raw, parse, np.int64, 0, why_not_a_date)


def why_not_a_date(value: bytes) -> str:
    """The reason a date is rejected."""
    if not value:
        return "the date is empty"
    if ISO.fullmatch(value) or SLASHED.fullmatch(value):
        return "there is no such date"
    if re.fullmatch(rb"\d{5}(\.\d+)?", value):
        return "it is a spreadsheet's number for a date; format the column as date"
    if re.fullmatch(rb"\d\d?[-/.]\d\d?[-/.]\d\d", value):
        return "its year has two digits; write it with four, as in 2026-11-26"
    return "it is not a date such as 2026-11-26"


def add_evidence(evidence: DateOrderEvidence, raw: pa.Array) -> None:
    """Add the evidence of further dates about their order."""
    for value in pc.unique(raw).to_pylist():
        match = SLASHED.fullmatch(trimmed(value))
        if match:
            evidence.note(int(match["first"]), int(match["then"]), trimmed(value).decode("ascii"))
