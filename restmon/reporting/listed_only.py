"""Stores that only the optional feeds name: a report has no line for them (SEMANTICS.md, "The
report")."""

import numpy as np
from numpy.typing import NDArray

from restmon.reporting import last_observations
from restmon.reporting.snapshot import FOR_EVER, Stores
from restmon.storage import database
from restmon.storage.models import HourlySales, OtherHours, StoreDirectory


def find_named(stores: Stores) -> NDArray[np.bool_] | None:
    """Which stores are in polls, business hours or time zones: bool, one a store; None if all are.
    The caller holds a read transaction.

    A store with nothing but entries in optional feeds is in none of the three.
    """
    if not any(
        model.select().limit(1).exists() for model in (StoreDirectory, OtherHours, HourlySales)
    ):
        return None
    bare = np.flatnonzero(~stores.zone_given & stores.schedule.hours_assumed)
    if not len(bare):
        return None
    listed: set[int] = set()
    for model in (StoreDirectory, OtherHours, HourlySales):
        listed |= {row for (row,) in database.tuples(model.select(model.store).distinct())}
    bare = bare[np.isin(stores.rows[bare], np.array(sorted(listed - {None}), np.int64))]
    begin = np.full(len(bare), last_observations.BEGINNING, np.int64)
    polled, _, _ = database.last_polls_in_ranges(stores.rows[bare], begin, begin * 0 + FOR_EVER)
    bare = np.delete(bare, polled)
    if not len(bare):
        return None
    named = np.ones(len(stores.ids), bool)
    named[bare] = False
    return named
