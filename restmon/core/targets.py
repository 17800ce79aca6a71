"""Uptime targets and their budgets (SEMANTICS.md, "Targets"). Pure.

A target is a whole number of *millionths*: 99.5 % is 995,000. Its products with times stay whole
numbers, so a store that used its budget to the last microsecond has met its target. Times are int64
half microseconds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

WHOLE = 1_000_000
NO_TARGET = -1
NONE, MET, AT_RISK, MISSED = "", "met", "at risk", "missed"


def effective_targets(
    own: Ints, group_store: Ints, group_target: Ints, of_all: int = NO_TARGET
) -> Ints:
    """Return the target that applies to each store.

    Parameters
    ----------
    own : int64 array of shape (stores,)
        The stores' own targets, which come first; NO_TARGET where there is none.
    group_store, group_target : int64 arrays of one length
        A store, and the target of one of its groups: the highest comes second.
    of_all : int
        The target of all stores, which comes last.

    Returns
    -------
    int64 array of shape (stores,), millionths, or NO_TARGET
    """
    highest = np.full(len(own), NO_TARGET, np.int64)
    np.maximum.at(highest, group_store, group_target)
    return np.where(own != NO_TARGET, own, np.where(highest != NO_TARGET, highest, of_all))


@dataclass(frozen=True)
class Judgement:
    """How stores, or sums of stores, compare with their targets: arrays of one length.

    Attributes
    ----------
    budget, used, left : float64 arrays, half microseconds
        ``left`` is below 0 where the target is missed. NaN without a target.
    burn_rate : float64 array
        1 uses up the budget exactly. inf if there is no budget; NaN without a target, or if nothing
        was open so far.
    status : array of str
        MET, AT_RISK, MISSED, or NONE without a target.
    """

    budget: Floats
    used: Floats
    left: Floats
    burn_rate: Floats
    status: NDArray[np.str_]


def judge(target: Ints, open_of_month: Ints, open_so_far: Ints, down: Ints) -> Judgement:
    """Return how each store compares with its target.

    Parameters
    ----------
    target : int64 array of shape (stores,)
        Millionths, or NO_TARGET.
    open_of_month : int64 array of the same shape
        The open time of the whole month, planned hours included.
    open_so_far, down : int64 arrays of the same shape
        Open time and downtime of the month up to ``as_of``.
    """
    groups = np.arange(len(target))
    return judge_groups(target, open_of_month, open_so_far, down, groups)


def judge_groups(
    target: Ints, open_of_month: Ints, open_so_far: Ints, down: Ints, group: Ints
) -> Judgement:
    """Return how groups of stores compare with their targets. Budget, open time and downtime are
    the sums of their stores that have a target.

    Parameters
    ----------
    target, open_of_month, open_so_far, down : int64 arrays of one length
        As `judge` takes them; a store that is in several groups has an entry for each.
    group : int64 array of the same length
        The group of each entry, from 0. There is one result for each group up to the largest.
    """
    count = int(group.max()) + 1 if len(group) else 0
    some = target != NO_TARGET
    has = np.zeros(count, bool)
    has[group[some]] = True
    allowed = WHOLE - target[some]
    # Sums of products do not fit into 64 bits: these are Python's whole numbers.
    budget = _sums(count, group[some], allowed * open_of_month[some])
    pace = _sums(count, group[some], allowed * open_so_far[some])
    used = _sums(count, group[some], down[some])
    was_open = _sums(count, group[some], open_so_far[some]) > 0
    spent = used * WHOLE
    missed = (spent > budget).astype(bool)
    fast = (spent > pace).astype(bool)
    status = np.select([~has, missed, fast], [NONE, MISSED, AT_RISK], MET)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = spent.astype(np.float64) / pace.astype(np.float64)
    rate = np.where((spent == 0) & (pace == 0), 0.0, rate)
    budget_time = budget.astype(np.float64) / WHOLE
    used_time = used.astype(np.float64)
    unknown = np.where(has, 0.0, np.nan)
    return Judgement(
        budget_time + unknown,
        used_time + unknown,
        budget_time - used_time + unknown,
        np.where(has & was_open, rate, np.nan),
        status,
    )


def open_time_until_missed(budget: float, used: float, open_so_far: int) -> float:
    """Return how much open time of the month has passed when the budget is used up, if the rest of
    the month is like the month so far.

    All in half microseconds, of one store. inf if nothing was down so far.
    """
    return budget * open_so_far / used if used > 0 else float("inf")


def _sums(count: int, group: Ints, amount: Ints) -> NDArray[np.object_]:
    """The sums of amounts by group, as Python's whole numbers."""
    result = np.zeros(count, object)
    np.add.at(result, group, amount.astype(object))
    return result
