"""Uptime targets of stores, of groups and of all stores (SEMANTICS.md, "Targets").

A target is a whole number of millionths: 99.5 per cent is 995,000. An owner sets the targets of
their own stores and groups. Only an operator sets the target of all stores.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peewee import JOIN, Expression, chunked

from restmon.access import audit, visibility
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.targets import NO_TARGET, effective_targets
from restmon.errors import BadRequest, NotFound
from restmon.storage import database
from restmon.storage.models import Group, GroupMember, Store, Target
from restmon.storage.revisions import new_revision
from restmon.stores.subjects import Subject, find_row

Ints = NDArray[np.int64]

ALL_STORES = Subject()
"""The subject of the target of all stores."""
EVERYTHING = "*"
"""How files and the command line write "all stores"."""
PER_CENT = 10_000
"""Millionths of a per cent."""
WRITTEN = re.compile(r"(\d{1,3}(?:\.\d{1,9})?) ?%?", re.ASCII)
AT_ONCE = 500


@dataclass(frozen=True)
class StoredTarget:
    """A target that was set: its ``store`` (id) or ``group`` (name), both None for all stores, and
    its ``percent``."""

    store: str | None
    group: str | None
    percent: float


def parse_target(text: str) -> int:
    """The millionths of a target that somebody wrote in per cent.

    Raises BadRequest unless it is a number from 1 to 100 with at most 4 decimals. (A target below 1
    per cent is surely a share: 0.995 for 99.5.)
    """
    why = why_not_a_target(text)
    if why:
        raise BadRequest(f"The target {text[:40]!r} cannot be used: {why}.")
    return int(Decimal(_digits(text)) * PER_CENT)


def why_not_a_target(text: str) -> str:
    """The reason a target is rejected; "" for a valid one."""
    digits = _digits(text)
    if not text.strip():
        return "it is empty; write per cent, such as 99.5"
    if not digits:
        return "it is not a number of per cent, such as 99.5"
    number = Decimal(digits)
    if not 1 <= number <= 100:
        return "it is not from 1 to 100 per cent, such as 99.5"
    if number * PER_CENT % 1:
        return "it has more than 4 decimals"
    return ""


def _digits(text: str) -> str:
    found = WRITTEN.fullmatch(text.strip())
    return found[1] if found else ""


def as_percent(target: int) -> float:
    """Millionths as per cent."""
    return target / PER_CENT


def name_subject(subject: Subject) -> str:
    """The store or group of a target, in words."""
    if subject.store is not None:
        return f"store {subject.store}"
    return "all stores" if subject.group is None else f"group {subject.group}"


def list_targets(actor: Actor = THIS_MACHINE) -> list[StoredTarget]:
    """The targets that were set: of all stores, then of groups by name, then of stores by id. An
    actor who sees some groups gets those of these groups, of their stores and of all stores."""
    query = (
        Target.select(Store.store_id, Group.name, Group.id, Target.target)
        .join(Store, JOIN.LEFT_OUTER)
        .switch(Target)
        .join(Group, JOIN.LEFT_OUTER)
        .order_by(Group.same_name, Store.store_id)
    )
    with database.reading():
        rows = database.tuples(query)
        if actor.groups is not None:
            seen, own = visibility.find_store_ids(actor.groups), actor.groups
            rows = [
                (store, name, group, target)
                for store, name, group, target in rows
                if (store is None or store in seen) and (group is None or group in own)
            ]
    rows.sort(key=lambda row: (row[0] is not None, row[1] is not None))  # NULL sorts apart
    return [StoredTarget(store, group, as_percent(n)) for store, group, _, n in rows]


def set_target(subject: Subject, target: int, actor: Actor = THIS_MACHINE) -> bool:
    """Set the target (millionths, see `parse_target`) of a store, a group, or ALL_STORES. Returns
    whether it changed. Raises NotFound, Forbidden."""
    _check_right(subject, actor)
    with database.writing():
        store, group = _rows_of(subject, actor)
        where = _is_of(store, group)
        row = Target.get_or_none(where)
        if row is not None and row.target == target:
            return False
        if row is None:
            Target.create(store=store, group=group, target=target)
        else:
            Target.update(target=target).where(where).execute()
        new_revision()
        said = f"{name_subject(subject)}: {as_percent(target):g} %"
        audit.note(actor, audit.TARGETS_CHANGED, said)
    return True


def remove_target(subject: Subject, actor: Actor = THIS_MACHINE) -> None:
    """Remove the target of a store, a group, or ALL_STORES. Raises NotFound, also if none was set,
    and Forbidden."""
    _check_right(subject, actor)
    with database.writing():
        where = _is_of(*_rows_of(subject, actor))
        if not Target.delete().where(where).execute():
            raise NotFound(
                f"No target was set for {name_subject(subject)[:80]}.",
                "Its targets may be those of its groups, or of all stores.",
            )
        new_revision()
        audit.note(actor, audit.TARGETS_CHANGED, f"{name_subject(subject)}: removed")


@dataclass(frozen=True)
class Wanted:
    """Targets to set at once, in millionths: ``of_all`` (None: leave it), and those of stores and
    groups by row id."""

    of_all: int | None
    stores: dict[int, int]
    groups: dict[int, int]


def set_many(wanted: Wanted, subject: str, actor: Actor = THIS_MACHINE) -> tuple[int, int]:
    """Set targets. Returns how many were new, and how many had another value before.

    ``subject`` says in the audit where they are from. The caller holds the write transaction, and
    has checked that the actor may set them.
    """
    stored = {
        (store, group): target
        for store, group, target in database.tuples(
            Target.select(Target.store, Target.group, Target.target)
        )
    }
    asked: dict[tuple[int | None, int | None], int] = {
        **({(None, None): wanted.of_all} if wanted.of_all is not None else {}),
        **{(row, None): target for row, target in wanted.stores.items()},
        **{(None, row): target for row, target in wanted.groups.items()},
    }
    fresh = [key for key in asked if key not in stored]
    other = [key for key in asked if key in stored and stored[key] != asked[key]]
    for store, group in other:
        Target.update(target=asked[store, group]).where(_is_of(store, group)).execute()
    rows = [{"store": s, "group": g, "target": asked[s, g]} for s, g in fresh]
    for part in chunked(rows, AT_ONCE):
        Target.insert_many(part).execute()
    if fresh or other:
        new_revision()
        audit.note(actor, audit.TARGETS_CHANGED, subject)
    return len(fresh), len(other)


def have_targets() -> bool:
    """Whether any target is set. The caller holds a connection."""
    return bool(Target.select(Target.id).exists())


def read_targets(rows: Sequence[int] | Ints) -> Ints:
    """The target that applies to each of the stores (row ids): its own, else the highest of its
    groups, else that of all stores.

    Returns int64 of the same length, millionths, or NO_TARGET. The caller holds a connection.
    """
    stores = np.asarray(rows, np.int64)
    own = np.full(len(stores), NO_TARGET, np.int64)
    table = database.tuples(Target.select(Target.store, Target.group, Target.target))
    if not table:
        return own
    order = np.argsort(stores)
    of_stores = [(store, target) for store, _, target in table if store is not None]
    place, target = _places(stores, order, of_stores)
    own[place] = target
    of_groups = {group: target for _, group, target in table if group is not None}
    members: list[tuple[int, int]] = []
    for part in chunked(sorted(of_groups), AT_ONCE):
        query = GroupMember.select(GroupMember.store, GroupMember.group)
        found = database.tuples(query.where(GroupMember.group.in_(part)))
        members += [(store, of_groups[group]) for store, group in found]
    of_all = next((t for store, group, t in table if store is None and group is None), NO_TARGET)
    return effective_targets(own, *_places(stores, order, members), of_all)


def read_group_targets(groups: Iterable[int]) -> dict[int, int]:
    """The target (millionths) of each of the groups, or else of all stores, by row id. Groups
    without either are left out. The caller holds a connection."""
    table = database.tuples(
        Target.select(Target.group, Target.target).where(Target.store.is_null())
    )
    by_group: dict[Any, int] = dict(table)
    of_all = by_group.get(None)
    found = {group: by_group.get(group, of_all) for group in groups}
    return {group: target for group, target in found.items() if target is not None}


def _places(stores: Ints, order: Ints, pairs: list[tuple[int, int]]) -> tuple[Ints, Ints]:
    """The places of stores (row ids) among ``stores``, with their values, without those that are
    not among them."""
    table = np.array(pairs, np.int64).reshape(-1, 2)
    if not len(stores):
        return table[:0, 0], table[:0, 1]
    at = np.searchsorted(stores, table[:, 0], sorter=order)
    place = order[np.minimum(at, len(stores) - 1)]
    known = stores[place] == table[:, 0]
    return place[known], table[known, 1]


def _check_right(subject: Subject, actor: Actor) -> None:
    actor.must(Role.OPERATOR if subject == ALL_STORES else Role.OWNER)


def _rows_of(subject: Subject, actor: Actor) -> tuple[int | None, int | None]:
    """(store, group), row ids; both None for all stores."""
    if subject == ALL_STORES:
        return None, None
    row = find_row(subject, actor)
    return (row, None) if subject.store is not None else (None, row)


def _is_of(store: int | None, group: int | None) -> Expression:
    of_store = Target.store.is_null() if store is None else Target.store == store
    of_group = Target.group.is_null() if group is None else Target.group == group
    return of_store & of_group
