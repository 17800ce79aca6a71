"""Which stores are getting worse, by their weeks (SEMANTICS.md, "Getting worse"). Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

RECENT = 4
"""So many weeks are compared with as many before them."""
LEAST_COMPARED = 3
"""So many weeks of either must have been seen enough, and one more of all before the last ones."""
SEEN_ENOUGH = 0.8
LEAST_SPREAD = 0.0025
TIMES_THE_SPREAD = 2


@dataclass(frozen=True)
class Weeks:
    """Weeks of stores, oldest first: int64 arrays of shape (stores, weeks), half microseconds."""

    open: Ints
    up: Ints
    down: Ints
    covered: Ints


@dataclass(frozen=True)
class Worse:
    """The stores that are getting worse, the largest fall first: arrays of one length.

    Attributes
    ----------
    store : int64 array
    now, before : float64 arrays
        The uptime (0 to 1) of the last four weeks, and of the four before.
    spread : float64 array
        The usual spread of the uptime of a week.
    judged : int
        How many stores were seen enough to say whether they are.
    """

    store: Ints
    now: Floats
    before: Floats
    spread: Floats
    judged: int


def find_getting_worse(weeks: Weeks) -> Worse:
    """Return the stores whose last four weeks are lower than the four before by more than twice the
    usual spread.

    A week counts if at least 80% of its open time was seen. The usual spread is the standard
    deviation (of the whole population) of the uptime of the weeks that count before the last four,
    at least a quarter of a point. At least three of the last four weeks, three of the four before,
    and four of all before must count.
    """
    total = weeks.up + weeks.down
    counts = (total > 0) & (weeks.covered >= SEEN_ENOUGH * weeks.open)
    recent = np.zeros(counts.shape[1], bool)
    recent[-RECENT:] = True
    compared = np.zeros(counts.shape[1], bool)
    compared[-2 * RECENT : -RECENT] = True
    now, of_now = _uptime_of(weeks, total, counts & recent)
    before, of_before = _uptime_of(weeks, total, counts & compared)
    reference = counts & ~recent
    spread, of_spread = _spread_of(weeks, total, reference)
    judged = (
        (of_now >= LEAST_COMPARED) & (of_before >= LEAST_COMPARED) & (of_spread > LEAST_COMPARED)
    )
    spread = np.maximum(spread, LEAST_SPREAD)
    fall = before - now
    worse = np.flatnonzero(judged & (fall > TIMES_THE_SPREAD * spread))
    order = worse[np.argsort(-fall[worse], kind="stable")]
    return Worse(order, now[order], before[order], spread[order], int(judged.sum()))


def _uptime_of(weeks: Weeks, total: Ints, mask: Flags) -> tuple[Floats, Ints]:
    """The uptime of each store in the weeks of the mask together (0 where there is none), and how
    many weeks these are."""
    up, whole = (np.where(mask, column, 0).sum(axis=1) for column in (weeks.up, total))
    share = np.divide(up, whole, out=np.zeros(len(whole)), where=whole > 0)
    return share, mask.sum(axis=1)


def _spread_of(weeks: Weeks, total: Ints, mask: Flags) -> tuple[Floats, Ints]:
    """The standard deviation of the uptime of each store's weeks of the mask, and how many weeks
    these are."""
    share = np.divide(weeks.up, total, out=np.zeros(total.shape), where=mask)
    count = mask.sum(axis=1)
    least_one = np.maximum(count, 1)
    mean = share.sum(axis=1) / least_one
    away = np.where(mask, share - mean[:, None], 0.0)
    return np.sqrt((away**2).sum(axis=1) / least_one), count
