"""The groups that an actor sees, as of now: how many of their stores are up, and the last day."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.access.roles import THIS_MACHINE, Actor
from restmon.core.status_now import STATUS_NAMES
from restmon.reporting.fleet import Fleet, compute_fleet
from restmon.reporting.scopes import Scope, read_scope
from restmon.reporting.snapshot import cache, current_revision
from restmon.reporting.target_standing import Standing, judge_now
from restmon.reporting.uptime_series import UptimeSeries, read_series
from restmon.reporting.window_lines import Reading
from restmon.reporting.windows import Window
from restmon.storage import database
from restmon.stores.groups import list_groups, read_groups_by_store
from restmon.stores.targets import read_group_targets

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class GroupSummary:
    """A group: its ``name``, its number of ``stores``, how many have each status (``statuses``, in
    the order of STATUS_NAMES), and the sums of their last day in half microseconds. ``open`` and
    ``covered`` are sums of all stores, ``up`` and ``down`` of the observed ones."""

    name: str
    stores: int
    statuses: list[int]
    open: int
    up: int
    down: int
    covered: int


@dataclass(frozen=True)
class GroupSeries:
    """The uptime of the stores of a ``group``; the target set for it, or else for all stores
    (millionths, None: neither), and how its stores stand in the month of ``as_of``."""

    group: str
    series: UptimeSeries
    target: int | None
    standing: Standing


def read_group_series(
    scope: Scope, by: str, window: Window | None, as_of: int | None, method: str
) -> GroupSeries:
    """The uptime of a group (see `read_series`), and how it stands against its target."""
    row, name = scope.group_row, scope.group
    assert row is not None  # noqa: S101 - for the type checker
    assert name is not None  # noqa: S101
    with database.reading():
        series = read_series(scope, by, window, as_of, method)
        stores, how = read_scope(scope), Reading(series.as_of, method)
        name_of_result = ("standing", row, scope.seen, series.as_of, method)
        standing = cache.remember(
            current_revision(), name_of_result, lambda: judge_now(stores, how)
        )
        target = read_group_targets([row]).get(row)
    return GroupSeries(name, series, target, standing)


def list_group_summaries(actor: Actor = THIS_MACHINE) -> tuple[int, list[GroupSummary]]:
    """(``as_of``, the groups that the actor sees, by name whatever its case), made once a
    revision. Raises NoPolls."""
    with database.reading():
        fleet = compute_fleet(groups=actor.groups)
        found = cache.remember(
            fleet.revision,
            ("groups", fleet.as_of, actor.groups),
            lambda: _summarize(fleet, actor.groups),
        )
    return fleet.as_of, found


def _summarize(fleet: Fleet, seen: frozenset[int] | None) -> list[GroupSummary]:
    place = {row: n for n, row in enumerate(fleet.stores.rows.tolist())}
    members: dict[int, list[int]] = {}
    for store, groups in read_groups_by_store().items():
        if store in place:
            for group in groups:
                members.setdefault(group, []).append(place[store])
    return [
        _sum_up(fleet, group.name, np.array(sorted(members.get(group.id, [])), np.int64))
        for group in list_groups(seen)
    ]


def sum_up_all(fleet: Fleet) -> GroupSummary:
    """The summary of all stores of a fleet, as of a group without a name."""
    return _sum_up(fleet, "", np.arange(len(fleet.ids)))


def _sum_up(fleet: Fleet, name: str, stores: Ints) -> GroupSummary:
    counts = np.bincount(fleet.status_now[stores], minlength=len(STATUS_NAMES))
    return GroupSummary(
        name,
        len(stores),
        counts.tolist(),
        int(fleet.open_time[stores, 1].sum()),
        int(fleet.up[stores, 1].sum()),
        int(fleet.down[stores, 1].sum()),
        int(fleet.covered[stores, 1].sum()),
    )
