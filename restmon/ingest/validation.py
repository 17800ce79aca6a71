"""Raw values of a CSV file against the rules of their columns (SEMANTICS.md, "Inputs")."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from restmon.csv_reader import LAYOUTS, Batch, Rejection, shown
from restmon.fields import (
    Parsed,
    StoreIds,
    parse_days,
    parse_statuses,
    parse_timestamps,
    parse_wall_times,
    parse_zones,
)
from restmon.group_names import parse_group_names

PARSERS: dict[str, Callable[[pa.Array], Parsed]] = {
    "timestamp_utc": parse_timestamps,
    "status": parse_statuses,
    "dayOfWeek": parse_days,
    "start_time_local": lambda raw: parse_wall_times(raw, is_end=False),
    "end_time_local": lambda raw: parse_wall_times(raw, is_end=True),
    "timezone_str": parse_zones,
    "group": parse_group_names,
}
"""The parser of every column but ``store_id``, which :class:`~restmon.fields.StoreIds` reads."""


def rejection(line: int, column: str, value: bytes, found: Parsed) -> Rejection:
    """Why a value of a line was rejected."""
    return Rejection(line, column, shown(value), found.reason(value))


def check(
    kind: str, batch: Batch, ids: StoreIds
) -> tuple[NDArray[np.bool_], list[Parsed], list[Rejection]]:
    """Check all lines of a batch of the given kind.

    Returns the mask of the good lines, the columns in the order of the kind's, and one rejection
    for each other line, for the first of its values that is bad.
    """
    good = np.ones(len(batch.line), bool)
    parsed: dict[str, Parsed] = {}
    rejections: list[Rejection] = []
    # The store id comes last: a line rejected for another value names no store.
    for column in [*list(LAYOUTS[kind])[1:], "store_id"]:
        raw = batch.columns[column]
        found = _parse_some(ids, raw, good) if column == "store_id" else PARSERS[column](raw)
        parsed[column] = found
        for i in np.flatnonzero(good & ~found.good).tolist():
            rejections.append(rejection(int(batch.line[i]), column, raw[i].as_py(), found))
        good &= found.good
    return good, [parsed[column] for column in LAYOUTS[kind]], rejections


def _parse_some(ids: StoreIds, raw: pa.Array, wanted: NDArray[np.bool_]) -> Parsed:
    if wanted.all():
        return ids.parse(raw)
    some = ids.parse(raw.filter(pa.array(wanted)))
    values = np.full(len(raw), -1, np.int64)
    good = np.ones(len(raw), bool)
    values[wanted], good[wanted] = some.values, some.good
    return Parsed(values, good, some.reason)
