"""How stores compare with their targets in a calendar month (SEMANTICS.md, "Targets")."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.core.hours import open_intervals
from restmon.core.instants import HOUR, as_datetime
from restmon.core.targets import NO_TARGET, NONE, WHOLE, Judgement, judge, judge_groups
from restmon.core.uptime import measure_uptime_between
from restmon.reporting.snapshot import Stores
from restmon.reporting.window_lines import Reading, read_lines
from restmon.reporting.windows import parse_window
from restmon.stores.targets import read_targets

Ints = NDArray[np.int64]

TWICE_AN_HOUR = 2 * HOUR
"""The half microseconds of an hour."""


@dataclass(frozen=True)
class Standing:
    """Arrays of shape (stores,): the ``target`` (int64, millionths, or NO_TARGET), the ``status``
    (str, see `core.targets`), and the ``left`` part of the budget (int64, half microseconds in
    millionths; below 0 where it is missed). What they follow from, int64 half microseconds, 0
    without a target: the open time ``of_month`` and of the month ``so_far``, and the downtime
    ``used``."""

    target: Ints
    status: NDArray[np.str_]
    left: Ints
    of_month: Ints
    so_far: Ints
    used: Ints

    def of(self, places: Ints) -> "Standing":
        """Return how those of some places stand."""
        return Standing(*(column[places] for column in vars(self).values()))

    def each(self) -> Judgement:
        """How each store compares."""
        return judge(self.target, self.of_month, self.so_far, self.used)

    def together(self) -> Judgement | None:
        """How the sum of the stores compares, as arrays of one entry; None if none has a target."""
        if (self.target == NO_TARGET).all():
            return None
        one = np.zeros(len(self.target), np.int64)
        return judge_groups(self.target, self.of_month, self.so_far, self.used, one)


def describe_standing(found: Judgement | None) -> dict[str, Any]:
    """Return how the first entry stands, by name: hours and the burn rate with two decimals, None
    without a target."""
    if found is None or not found.status[0]:
        return dict.fromkeys(("target_status", "budget", "used", "budget_left", "burn_rate"))
    rate = float(found.burn_rate[0])
    return {
        "target_status": str(found.status[0]),
        "budget": round(float(found.budget[0]) / TWICE_AN_HOUR, 2),
        "used": round(float(found.used[0]) / TWICE_AN_HOUR, 2),
        "budget_left": round(float(found.left[0]) / TWICE_AN_HOUR, 2),
        "burn_rate": round(rate, 2) if math.isfinite(rate) else None,
    }


def judge_stores(stores: Stores, window: tuple[Ints, Ints], down: Ints, how: Reading) -> Standing:
    """Return how the stores compare with their targets in the month in which their window ends, up
    to ``as_of``.

    Parameters
    ----------
    stores : Stores
    window : pair of int64 arrays of shape (stores,), instants
        Begin and end.
    down : int64 array of shape (stores,), half microseconds
        Downtime in the window. It serves for the month if the window is the month.
    how : Reading

    The caller holds a read transaction.
    """
    target = read_targets(stores.rows)
    status = np.full(len(target), NONE, "<U8")
    left = np.zeros(len(target), np.int64)
    has = target != NO_TARGET
    of_month, so_far, used_of_all = (np.zeros(len(target), np.int64) for _ in range(3))
    if not has.any():
        return Standing(target, status, left, of_month, so_far, used_of_all)
    own = stores if has.all() else stores.chosen(has)
    lo, until, end = find_months(own, window[1][has], how.as_of)
    if (lo == window[0][has]).all() and (until == window[1][has]).all():
        used = down[has]
    else:
        used = np.zeros(len(lo), np.int64)
        for piece in read_lines(own, lo, until, how):
            after = piece.first + len(piece.stores.ids)
            used[piece.first : after] = measure_uptime_between(piece.line, piece.lo, piece.hi)[1]
    of_month[has], so_far[has] = _open_time(own, lo, end), _open_time(own, lo, until)
    used_of_all[has] = used
    status[has] = judge(target[has], of_month[has], so_far[has], used).status
    left[has] = (WHOLE - target[has]) * of_month[has] - used * WHOLE
    return Standing(target, status, left, of_month, so_far, used_of_all)


def judge_now(stores: Stores, how: Reading) -> Standing:
    """Return how the stores compare with their targets in the month of ``as_of``. The caller holds
    a read transaction."""
    nothing = np.zeros(len(stores.ids), np.int64)
    ends = np.full(len(stores.ids), how.as_of, np.int64)
    return judge_stores(stores, (ends, ends), nothing, how)


def find_months(stores: Stores, hi: Ints, as_of: int) -> tuple[Ints, Ints, Ints]:
    """(begin, end or ``as_of`` if that is earlier, end) of the month in which each store's window
    ends, in the store's zone."""
    lo, until, end = (np.empty(len(hi), np.int64) for _ in range(3))
    pairs = np.stack([stores.zone_of_store, hi], axis=1)
    for zone, instant in np.unique(pairs, axis=0).tolist():
        mine = (stores.zone_of_store == zone) & (hi == instant)
        name = stores.zones[zone]
        day = as_datetime(instant - 1, name)
        window = parse_window({"month": f"{day:%Y-%m}"})
        assert window is not None  # noqa: S101 - for the type checker
        begin, after = window.resolve(2**61, [name])
        lo[mine], end[mine] = begin[0], after[0]
        until[mine] = min(int(after[0]), as_of)
    return lo, until, end


def _open_time(stores: Stores, lo: Ints, hi: Ints) -> Ints:
    """The open time of each store in [lo, hi), half microseconds."""
    inside = open_intervals(stores.schedule, lo, hi).clipped(lo, hi)
    result = np.zeros(len(lo), np.int64)
    np.add.at(result, inside.store, 2 * (inside.end - inside.start))
    return result
