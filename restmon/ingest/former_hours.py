"""Notes of what the hours and time zones of stores were before a change (`undo_kinds`)."""

import numpy as np
from numpy.typing import NDArray

from restmon.storage.changes import Former

Ints = NDArray[np.int64]

ZONES, HOURS, UNREADABLE = "zones", "hours", "unreadable"
"""The kinds of the notes."""


def former_hours(rows: Ints, stored: Ints) -> Former:
    """Return the hours of stores for a note: the lines [day, start, end] by row id.

    Parameters
    ----------
    rows : int64 array
        Row ids of stores.
    stored : int64 array of shape (lines, 4)
        Lines of any stores: store row id, day of week, start, end.
    """
    former: dict[int, list[list[int]]] = {row: [] for row in rows.tolist()}
    for store, *line in stored[np.isin(stored[:, 0], rows)].tolist():
        former[store].append(line)
    return former  # type: ignore[return-value]
