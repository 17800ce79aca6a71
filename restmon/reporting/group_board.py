"""Groups side by side: brands, cities, owners."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.access.roles import Actor
from restmon.core.day_sums import Days
from restmon.core.instants import HOUR
from restmon.core.lost_sales import estimate_lost_sales
from restmon.core.status_now import DOWN
from restmon.core.targets import NO_TARGET, NONE, judge_groups
from restmon.reporting.fleet import Fleet, compute_fleet
from restmon.reporting.history import find_members, read_group_days
from restmon.reporting.month_standing import read_month_standing
from restmon.reporting.snapshot import cache
from restmon.reporting.store_facts import read_sales
from restmon.storage import database

Ints = NDArray[np.int64]

DAYS = 90
DAYS_OF_BOARD = 30


@dataclass(frozen=True)
class BoardRow:
    """A group, or all stores ("" for a name): half microseconds, and counts.

    ``up`` and ``down`` are those of the last 7 days, the ones ``before`` of the 7 days before.
    ``days`` are the last 30 days (None: still to be made). ``lost`` is the estimate of the last 7
    days of the stores of which it is known (NaN where of none); ``lost_unknown`` is how many it
    leaves out. ``target_status`` is that of the month (`core.targets`).
    """

    name: str
    stores: int
    down_now: int
    up: int
    down: int
    up_before: int
    down_before: int
    has_before: bool
    open_time: int
    covered: int
    outages: int
    lost: float
    lost_unknown: int
    target_status: str
    days: Days | None


def read_board(actor: Actor) -> list[BoardRow]:
    """The groups that the actor sees, by name, and last all of their stores, made once a revision.
    Raises NoPolls."""
    with database.reading():
        fleet = compute_fleet(groups=actor.groups)
        days = read_group_days(actor, DAYS)
        statuses = _judge(actor)
        plain = cache.remember(
            fleet.revision,
            ("board", fleet.as_of, actor.groups),
            lambda: _sum_up(fleet, actor),
        )
    rows = []
    for name, row in plain:
        own = None if days is None else days.of_groups.get(name) if name else days.of_all
        last = None if own is None else own.last(DAYS_OF_BOARD)
        rows.append(BoardRow(name=name, target_status=statuses.get(name, NONE), days=last, **row))
    return rows


def _judge(actor: Actor) -> dict[str, str]:
    """The target status of the month of each group, and of all stores ("")."""
    judged = read_month_standing(actor)
    if judged is None:
        return {}
    stores, found = judged
    names, members = find_members(stores, actor)
    sets = [*members, np.arange(len(stores.ids))]
    place = np.concatenate(sets)
    group = np.repeat(np.arange(len(sets)), [len(own) for own in sets])
    found = found.of(place)
    if not (found.target != NO_TARGET).any():
        return {}
    result = judge_groups(found.target, found.of_month, found.so_far, found.used, group)
    return dict(zip([*names, ""], result.status.tolist(), strict=False))


def _sum_up(fleet: Fleet, actor: Actor) -> list[tuple[str, dict[str, Any]]]:
    sales = read_sales(fleet.stores)
    halves = fleet.down_by_weekday_hour.astype(np.float64) * (2 * HOUR)
    lost = estimate_lost_sales(halves, sales.per_hour, sales.hourly)
    names, members = find_members(fleet.stores, actor)
    everything = np.arange(len(fleet.ids))
    return [
        (name, _sum_of(fleet, lost, places))
        for name, places in zip([*names, ""], [*members, everything], strict=True)
    ]


def _sum_of(fleet: Fleet, lost: NDArray[np.float64], places: Ints) -> dict[str, Any]:
    known = lost[places][~np.isnan(lost[places])]
    return {
        "stores": len(places),
        "down_now": int((fleet.status_now[places] == DOWN).sum()),
        "up": int(fleet.up[places, 2].sum()),
        "down": int(fleet.down[places, 2].sum()),
        "up_before": int(fleet.up_before[places, 2].sum()),
        "down_before": int(fleet.down_before[places, 2].sum()),
        "has_before": fleet.has_before[2],
        "open_time": int(fleet.open_time[places, 2].sum()),
        "covered": int(fleet.covered[places, 2].sum()),
        "outages": int(fleet.outages[places].sum()),
        "lost": float(known.sum()) if len(known) else np.nan,
        "lost_unknown": len(places) - len(known),
    }
