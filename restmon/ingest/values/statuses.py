"""Statuses of polls."""

from typing import TYPE_CHECKING

import numpy as np

from restmon.ingest.values.base import Parsed, by_distinct_value, words

if TYPE_CHECKING:
    import pyarrow as pa

ACTIVE = ("active", "online", "open", "up", "true", "1")
INACTIVE = ("inactive", "offline", "paused", "closed", "down", "false", "0")
STATUSES = dict.fromkeys(ACTIVE, 1) | dict.fromkeys(INACTIVE, 0)
# A spreadsheet or pandas makes a number with a point of a column that has an empty cell.
STATUSES |= {"1.0": 1, "0.0": 0}


def why_not_a_status(value: bytes) -> str:
    """The reason a status is rejected."""
    if not value:
        return "the status is empty; use active or inactive"
    return (
        "it is not active or inactive, nor another word for them: use active, online, open, up, "
        "true or 1; or inactive, offline, paused, closed, down, false or 0"
    )


def parse_statuses(raw: "pa.Array") -> Parsed:
    """Statuses, int8: 1 active, 0 inactive, in any case."""
    return by_distinct_value(raw, lambda v: STATUSES.get(words(v)), np.int8, 0, why_not_a_status)
