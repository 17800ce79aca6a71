"""Fingerprints of stores' hours, which tell the stores whose hours changed."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from restmon.core.hours import ALWAYS, NEVER, Schedule

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

WEEKLY, DATED, OWN_DATED, LIFESPAN, UNREADABLE = range(1, 6)


def make_fingerprints(schedule: Schedule) -> Ints:
    """Return a number for the hours of each store: int64, shape (stores,). Two schedules of a store
    with the same number are the same, but for one chance in 2**64."""
    stores = schedule.stores
    zones = [
        int.from_bytes(hashlib.sha256(zone.encode()).digest()[:8], "little")
        for zone in schedule.zones
    ]
    total = np.array(zones, np.uint64)[schedule.zone_of_store] if stores else np.empty(0, np.uint64)
    weekly = schedule.weekly
    _add(total, weekly.store, _mix(WEEKLY, weekly.day_of_week, weekly.start, weekly.end))
    if schedule.other is not None:
        other = schedule.other
        kind = np.where(other.own, OWN_DATED, DATED)
        _add(total, other.store, _mix(kind, other.date, other.start, other.end))
    opened_on = np.full(stores, ALWAYS) if schedule.opened_on is None else schedule.opened_on
    closed_on = np.full(stores, NEVER) if schedule.closed_on is None else schedule.closed_on
    total += _mix(LIFESPAN, opened_on, closed_on)
    total[schedule.hours_unreadable] += np.uint64(UNREADABLE)
    return total.view(np.int64)


def _add(total: Words, store: Ints, numbers: Words) -> None:
    known = store >= 0
    np.add.at(total, store[known], numbers[known])


def _mix(*columns: int | Ints) -> Words:
    """A number for each row of the columns (Vigna's splitmix64, a column after the other)."""
    mixed = np.zeros(1, np.uint64)
    for column in columns:
        mixed = mixed ^ np.atleast_1d(np.asarray(column, np.int64)).view(np.uint64)
        mixed = mixed + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return mixed
