"""The targets that were set, and how the stores of each stand, all at once."""

from dataclasses import dataclass

import numpy as np

from restmon.access.roles import THIS_MACHINE, Actor
from restmon.core.targets import Judgement
from restmon.errors import NoPolls
from restmon.reporting.details_table import COUNT, NUMBER, TEXT, Cell, write_csv
from restmon.reporting.scopes import Scope, choose_as_of, read_scope
from restmon.reporting.snapshot import Stores, cache, current_revision
from restmon.reporting.target_standing import Ints, describe_standing, judge_now
from restmon.reporting.window_lines import Reading
from restmon.storage import database
from restmon.stores.groups import list_groups, read_groups_by_store
from restmon.stores.targets import EVERYTHING, StoredTarget, list_targets

COLUMNS = {
    "store_id": TEXT,
    "group": TEXT,
    "target": NUMBER,
    "stores": COUNT,
    "target_status": TEXT,
    "budget": NUMBER,
    "used": NUMBER,
    "budget_left": NUMBER,
    "burn_rate": NUMBER,
}
"""The columns of the list as CSV: the first three are those of a targets file."""


@dataclass(frozen=True)
class TargetStanding:
    """A ``target`` that was set, how many ``stores`` it is of, and how they stand together in the
    month of ``as_of``, each by the target that holds for it (arrays of one entry; None where there
    is no such store, or no poll yet)."""

    target: StoredTarget
    stores: int
    standing: Judgement | None


def list_target_standings(actor: Actor = THIS_MACHINE) -> tuple[int | None, list[TargetStanding]]:
    """(``as_of``, the targets that are there for the actor, in the order of `list_targets`).
    ``as_of`` is None before the first poll. Of the stores those that the actor sees count."""
    scope = Scope(actor.groups)
    with database.reading():
        targets = list_targets(actor)
        stores = read_scope(scope)
        try:
            how = Reading(choose_as_of(scope))
        except NoPolls:
            how = None
        standing = None
        if how is not None and targets:
            key = ("standing", None, scope.seen, how.as_of, how.method)
            standing = cache.remember(current_revision(), key, lambda: judge_now(stores, how))
        places = _find_places(targets, stores, actor)
    found = []
    for target, place in zip(targets, places, strict=True):
        together = None
        if standing is not None and len(place):
            together = standing.of(place).together()
        found.append(TargetStanding(target, len(place), together))
    return (None if how is None else how.as_of), found


def _find_places(targets: list[StoredTarget], stores: Stores, actor: Actor) -> list[Ints]:
    """The places among the stores of those that each target is of."""
    every = np.arange(len(stores.ids))
    of_store = {store_id: every[n : n + 1] for n, store_id in enumerate(stores.ids)}
    of_group: dict[str | None, list[int]] = {}
    if any(target.group is not None for target in targets):
        names = {group.id: group.name for group in list_groups(actor.groups)}
        members = read_groups_by_store()
        for place, row in enumerate(stores.rows.tolist()):
            for group in members.get(row, ()):
                of_group.setdefault(names.get(group), []).append(place)
    nothing = every[:0]
    return [
        of_store.get(target.store, nothing)
        if target.store is not None
        else every
        if target.group is None
        else np.array(of_group.get(target.group, []), np.int64)
        for target in targets
    ]


def export_csv(actor: Actor = THIS_MACHINE) -> str:
    """The list as CSV. Imported again as a targets file, it changes nothing."""
    return write_csv(COLUMNS, [_make_row(one) for one in list_target_standings(actor)[1]])


def _make_row(one: TargetStanding) -> list[Cell]:
    target = one.target
    of_all = target.store is None and target.group is None
    cells: dict[str, Cell] = {
        "store_id": EVERYTHING if of_all else target.store,
        "group": target.group,
        "target": target.percent,
        "stores": one.stores,
        **describe_standing(one.standing),
    }
    return [cells[name] for name in COLUMNS]
