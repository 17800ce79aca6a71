"""Calendar periods of a window: hours, days, weeks and months, and sums by them. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.aggregation import Stretches, local_days
from restmon.core.instants import EPOCH_WEEKDAY, HOUR
from restmon.core.open_clock import cut_at

Ints = NDArray[np.int64]

BY_HOUR, BY_DAY, BY_WEEK, BY_MONTH = "hour", "day", "week", "month"
PERIODS = (BY_HOUR, BY_DAY, BY_WEEK, BY_MONTH)


@dataclass(frozen=True)
class Periods:
    """The periods of a window, in order.

    Attributes
    ----------
    number : int64 array
        Names the period, the same in all zones. An hour has the number of UTC hours since the
        epoch. Days, weeks (from Monday) and months have the date they begin on, as days after
        1970-01-01.
    edges : int64 array, instants, one more than ``number``
        The edges of each period, inside the window.
    """

    number: Ints
    edges: Ints


def find_periods(zone: str, lo: int, hi: int, by: str) -> Periods:
    """Return the periods of [lo, hi) (instants): hours of UTC, and days, weeks and months of the
    local calendar. ``by`` is one of PERIODS."""
    if lo >= hi:
        return Periods(np.empty(0, np.int64), np.empty(0, np.int64))
    if by == BY_HOUR:
        number = np.arange(lo // HOUR, -(-hi // HOUR))
        return Periods(number, np.append(np.maximum(number * HOUR, lo), hi))
    dates, edges = local_days(zone, lo, hi)
    number = dates.astype(np.int64)
    if by == BY_WEEK:
        number -= (number + EPOCH_WEEKDAY) % 7
    elif by == BY_MONTH:
        number = dates.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    first = np.flatnonzero(np.append(True, number[1:] != number[:-1]))
    return Periods(number[first], np.append(edges[first], edges[-1]))


def sum_in_periods(found: Stretches, edges: Ints) -> Ints:
    """Return how much of all stores' stretches lies between neighboring edges.

    Parameters
    ----------
    found : Stretches
        In any order; they may overlap.
    edges : int64 array, sorted instants

    Returns
    -------
    int64 array, half microseconds, one less than edges
    """
    if not len(edges):
        return np.empty(0, np.int64)
    points = 2 * edges
    n, k = cut_at(points, found.start, found.end)
    inside = (k > 0) & (k < len(points))
    n, k = n[inside], k[inside]
    length = np.minimum(found.end[n], points[k]) - np.maximum(found.start[n], points[k - 1])
    total = np.zeros(len(points) - 1, np.int64)
    np.add.at(total, k - 1, length)
    return total


def sum_by_store(found: Stretches, stores: int, edges: Ints) -> Ints:
    """Return how much of each store's stretches lies between neighboring edges.

    Parameters
    ----------
    found : Stretches
        In any order.
    stores : int
        How many stores there are.
    edges : int64 array, sorted instants

    Returns
    -------
    int64 array of shape (stores, one less than edges), half microseconds
    """
    periods = max(len(edges) - 1, 0)
    if not periods:
        return np.zeros((stores, 0), np.int64)
    points = 2 * edges
    n, k = cut_at(points, found.start, found.end)
    inside = (k > 0) & (k < len(points))
    n, k = n[inside], k[inside]
    length = np.minimum(found.end[n], points[k]) - np.maximum(found.start[n], points[k - 1])
    # Sums of a store's time are whole numbers far below 2**53, which float64 holds exactly.
    total = np.bincount(found.store[n] * periods + k - 1, length, stores * periods)
    return total.astype(np.int64).reshape(stores, periods)
