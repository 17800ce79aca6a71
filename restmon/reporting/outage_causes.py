"""Why outages began, as their polls said (SEMANTICS.md, "An outage")."""

import numpy as np
from numpy.typing import NDArray

from restmon.core.outage_statistics import UNKNOWN, Reasons, find_causes
from restmon.core.outages import find_outages
from restmon.reporting.snapshot import Stores
from restmon.reporting.window_lines import Reading, WindowLine
from restmon.storage import database
from restmon.storage.models import PollReason, Store

Ints = NDArray[np.int64]

STORES_NAMED = 500
"""The ids of so many stores are written into a query."""


def find_causes_in(piece: WindowLine, how: Reading, first_down: Ints) -> NDArray[np.object_]:
    """The cause of each outage of a piece, None if no poll gave one."""
    line = piece.line
    owner = find_outages(line, how.as_of, piece.lo, piece.hi).store
    causes = np.full(len(owner), None, object)
    if not len(owner):
        return causes
    said, reasons = _read_reasons(piece.stores, np.unique(owner), int(first_down.min()), how.as_of)
    if not len(reasons):
        return causes
    codes = find_causes(line, how.as_of, piece.lo, piece.hi, said)
    known = codes != UNKNOWN
    causes[known] = reasons[codes[known]]
    return causes


def _read_reasons(
    stores: Stores, some: Ints, since: int, until: int
) -> tuple[Reasons, NDArray[np.object_]]:
    """The reasons of the polls of some stores (places, sorted) in a range of time, sorted by store,
    then time, and their texts."""
    rows = stores.rows[some]
    # Peewee takes longer to write thousands of ids than the database to look into each store.
    of = Store.select(Store.id) if len(rows) > STORES_NAMED else rows.tolist()
    query = PollReason.select(PollReason.store, PollReason.timestamp, PollReason.reason).where(
        PollReason.store.in_(of) & PollReason.timestamp.between(since, until)
    )
    found = database.tuples(query) if PollReason.select().limit(1).exists() else []
    row, time, text = zip(*found, strict=True) if found else ((), (), ())
    place = np.full(int(rows.max(initial=0)) + 1, -1, np.int64)
    place[rows] = some
    row_of = np.array(row, np.int64)
    store = place[np.minimum(row_of, len(place) - 1)]
    store[row_of >= len(place)] = -1
    when = np.array(time, np.int64)
    order = np.lexsort((when, store))
    order = order[store[order] >= 0]
    said = Reasons(store[order], when[order], np.arange(len(order)))
    return said, np.array(text, object)[order]
