"""Scopes: all stores that an actor sees, those of a group, or one store."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.access.roles import THIS_MACHINE, Actor
from restmon.errors import BadRequest, NotFound
from restmon.reporting import sources
from restmon.reporting.computation import explain_no_polls
from restmon.reporting.listed_only import find_named
from restmon.reporting.snapshot import Stores, cache, current_revision, read_stores
from restmon.storage import database
from restmon.storage.models import Group, GroupMember
from restmon.stores.subjects import Subject, find_row

BEFORE_ALL_LETTERS = "!"
"""Sorts before every character of a store's id."""


@dataclass(frozen=True)
class Scope:
    """The stores in any of the groups ``seen`` (row ids; None: all stores), limited to one
    ``group`` (its name and row id) or one ``store`` (its id), if given."""

    seen: frozenset[int] | None = None
    group: str | None = None
    group_row: int | None = None
    store: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it has all stores that the actor sees."""
        return self.group_row is None and self.store is None

    @property
    def words(self) -> dict[str, Any] | None:
        """The scope in the form that a report stores, without ``seen``; None for a whole one."""
        if self.store is not None:
            return {"store_id": self.store}
        return None if self.is_whole else {"group": self.group, "group_row": self.group_row}

    @classmethod
    def on_record(cls, seen: list[int] | None, words: dict[str, Any] | None) -> "Scope":
        """The scope from its stored form."""
        found = words or {}
        groups = None if seen is None else frozenset(seen)
        return cls(groups, found.get("group"), found.get("group_row"), found.get("store_id"))


def find_scope(
    actor: Actor = THIS_MACHINE, group: str | None = None, store_id: str | None = None
) -> Scope:
    """The scope of a group, of a store, or else of all stores that the actor sees.

    Raises NotFound if the actor does not see the group or the store, and BadRequest for both.
    """
    scope = Scope(actor.groups)
    if group and store_id:
        raise BadRequest("group and store_id cannot be combined.", "Give one of them.")
    if not group and not store_id:
        return scope
    with database.session():
        row = find_row(Subject(store_id, None if store_id else group), actor)
        if store_id:
            return replace(scope, store=store_id)
        return replace(scope, group=Group.get_by_id(row).name, group_row=row)


def read_scope(scope: Scope) -> Stores:
    """The stores of the scope that a report has a line for, in its order. The caller holds a read
    transaction.

    Raises NotFound if the group is gone by now.
    """
    if scope.store is not None:
        stores = read_stores(scope.store, scope.store + BEFORE_ALL_LETTERS)
        mask = np.ones(len(stores.ids), bool)
        if scope.seen is not None:
            mask = _in_groups(stores, scope.seen)
        if not mask.any():
            raise NotFound(f"There is no store {scope.store[:64]!r} any more.")
        return stores
    stores, named = cache.remember(current_revision(), "named stores", _read_named)
    mask = np.ones(len(stores.ids), bool) if named is None else named
    if scope.group_row is not None:
        if not Group.select(Group.id).where(Group.id == scope.group_row).exists():
            raise NotFound(f"There is no group {(scope.group or '')[:64]!r} any more.")
        mask = mask & _in_groups(stores, frozenset({scope.group_row}))
    if scope.seen is not None:
        mask = mask & _in_groups(stores, scope.seen)
    return stores if mask.all() else stores.chosen(mask)


def mask_ids(scope: Scope, ids: list[str]) -> NDArray[np.bool_] | None:
    """The mask of the stores in the scope's group, or of its one store; None if it has neither. The
    caller holds a read transaction."""
    if scope.is_whole:
        return None
    mine = set(read_scope(scope).ids)
    return np.fromiter((store in mine for store in ids), bool, len(ids))


def _read_named() -> tuple[Stores, Any]:
    stores = read_stores()
    return stores, find_named(stores)


def _in_groups(stores: Stores, groups: frozenset[int]) -> Any:
    members = GroupMember.select(GroupMember.store).where(GroupMember.group.in_(sorted(groups)))
    rows = np.array([row for (row,) in database.tuples(members.distinct())], np.int64)
    return np.isin(stores.rows, rows)


def choose_as_of(scope: Scope, as_of: int | None = None) -> int:
    """The requested instant, or else the newest poll of the stores that the actor sees. The caller
    holds a connection. Raises NoPolls."""
    found = sources.choose_source(scope.seen).newest_poll() if as_of is None else as_of
    if found is None or not database.has_polls():
        raise explain_no_polls()
    return found
