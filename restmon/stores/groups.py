"""Groups of stores: a brand, an owner, a city. A store may be in any number of them.

A name is 1 to 64 characters (`core.group_names`). Two names that differ only in case are the same
group. Every change makes a new revision, so that pages read anew what they cached under the old
one. No report reads groups, so a snapshot reads nothing for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from peewee import JOIN, chunked, fn

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.group_names import group_name, same_name, why_not_a_group_name
from restmon.errors import BadRequest, NotFound
from restmon.storage import database, models
from restmon.storage.access_models import AccountGroup, ApiKeyGroup
from restmon.storage.document_models import Schedule, StatusPage
from restmon.storage.models import Group, GroupMember, OtherHours, Store, Target
from restmon.storage.revisions import new_revision

if TYPE_CHECKING:
    import pandas as pd

AT_ONCE = 500
"""Names in one statement."""
NAMED = 5
"""How many unknown stores an error names."""


@dataclass(frozen=True)
class GroupSize:
    """A group: its ``id``, which stays when the name changes, its ``name`` and its number of
    ``stores``."""

    id: int
    name: str
    stores: int


def list_groups(only: frozenset[int] | None = None) -> list[GroupSize]:
    """All groups, or only those of the row ids, with their sizes, by name in any case."""
    query = Group.select(Group.id, Group.name, fn.COUNT(GroupMember.store))
    if only is not None:
        query = query.where(Group.id.in_(sorted(only)))
    with database.session():
        rows = database.tuples(
            query.join(GroupMember, JOIN.LEFT_OUTER)
            .group_by(Group.id, Group.name, Group.same_name)
            .order_by(Group.same_name)
        )
    return [GroupSize(*row) for row in rows]


def create(name: str, actor: Actor = THIS_MACHINE) -> GroupSize:
    """Make an empty group. Raises BadRequest for a name that is not valid or is taken, and
    Forbidden."""
    with _changing(actor):
        kept = _free_name(name)
        row = Group.create(name=kept, same_name=same_name(kept))
        new_revision()
        audit.note(actor, audit.GROUPS_CHANGED, kept)
    return GroupSize(row.id, kept, 0)


def rename(name: str, new_name: str, actor: Actor = THIS_MACHINE) -> str:
    """Give a group another name and return the name as it is stored. Raises NotFound, BadRequest,
    Forbidden."""
    return change(name, new_name, actor=actor).name


def change(
    name: str,
    new_name: str,
    added: Iterable[str] = (),
    removed: Iterable[str] = (),
    actor: Actor = THIS_MACHINE,
) -> GroupSize:
    """Rename a group, add and remove stores, all or nothing. Returns the changed group. Raises
    NotFound, BadRequest, Forbidden."""
    with _changing(actor):
        group = Group.named(name)
        kept = _free_name(new_name, but=group.id)
        before, new, gone = _member_rows(group.id), set(_rows(added)), set(_rows(removed))
        changes = _change(group.id, new - before, gone & before)
        if kept != group.name:
            renamed = {"name": kept, "same_name": same_name(kept)}
            Group.update(renamed).where(Group.id == group.id).execute()
            new_revision()
        if changes or kept != group.name:
            audit.note(actor, audit.GROUPS_CHANGED, kept)
        return GroupSize(group.id, kept, len(_member_rows(group.id)))


def delete(name: str, actor: Actor = THIS_MACHINE) -> None:
    """Delete a group, not its stores; raises NotFound, Forbidden.

    An actor who saw only its stores then sees none. No later group has its id, so from then on only
    actors who see every store see its reports and imports.
    """
    with _changing(actor):
        group = Group.named(name)
        revision = members_revision([int(group.id)])
        for model in (
            GroupMember,
            AccountGroup,
            ApiKeyGroup,
            OtherHours,
            Target,
            StatusPage,
            Schedule,
        ):
            model.delete().where(model.group == group.id).execute()
        Group.delete().where(Group.id == group.id).execute()
        new_revision(**revision)
        audit.note(actor, audit.GROUPS_CHANGED, group.name)


def set_members(name: str, store_ids: Iterable[str], actor: Actor = THIS_MACHINE) -> bool:
    """Make these stores the only ones of the group. Returns whether something changed.

    Raises NotFound for an unknown group or store, and Forbidden. Then nothing has changed.
    """
    with _changing(actor):
        group = Group.named(name)
        wanted = set(_rows(store_ids))
        before = _member_rows(group.id)
        return _record(actor, group, _change(group.id, wanted - before, before - wanted)) > 0


def add(name: str, store_ids: Iterable[str], actor: Actor = THIS_MACHINE) -> int:
    """Add stores to a group and return how many were not in it. Raises NotFound, Forbidden."""
    with _changing(actor):
        group = Group.named(name)
        added = set(_rows(store_ids)) - _member_rows(group.id)
        return _record(actor, group, _change(group.id, added, set()))


def remove(name: str, store_ids: Iterable[str], actor: Actor = THIS_MACHINE) -> int:
    """Remove stores from a group and return how many were in it. Raises NotFound, Forbidden."""
    with _changing(actor):
        group = Group.named(name)
        removed = set(_rows(store_ids)) & _member_rows(group.id)
        return _record(actor, group, _change(group.id, set(), removed))


def members_of(names: str | Iterable[str]) -> list[str]:
    """The ids of the stores that are in any of the groups, as text in order; raises NotFound."""
    with database.reading():
        groups = [Group.named(name).id for name in ([names] if isinstance(names, str) else names)]
        members = GroupMember.select(GroupMember.store).where(GroupMember.group.in_(groups))
        rows = database.tuples(
            Store.select(Store.store_id).where(Store.id.in_(members)).order_by(Store.store_id)
        )
    return [store_id for (store_id,) in rows]


def groups_of(store_id: str) -> list[str]:
    """The names of the groups a store is in, in order; raises NotFound for an unknown store."""
    with database.reading():
        (row,) = _rows([store_id])
        rows = database.tuples(
            Group.select(Group.name)
            .join(GroupMember)
            .where(GroupMember.store == row)
            .order_by(Group.same_name)
        )
    return [name for (name,) in rows]


def memberships() -> "pd.DataFrame":
    """Every membership, a row each: ``store_id`` and ``group``, text, by group, then store."""
    import pandas as pd  # noqa: PLC0415 - a report and an import do without it

    with database.session():
        rows = database.tuples(
            GroupMember.select(Store.store_id, Group.name)
            .join(Store)
            .switch(GroupMember)
            .join(Group)
            .order_by(Group.same_name, Store.store_id)
        )
    return pd.DataFrame(rows, columns=["store_id", "group"], dtype=object)


def export_csv() -> str:
    """Every membership as CSV text, which `ingest.groups_csv` reads. An empty group has no line."""
    return memberships().to_csv(index=False, lineterminator="\n")


@contextmanager
def _changing(actor: Actor) -> Iterator[None]:
    """The transaction of a change that requires an operator."""
    actor.must(Role.OPERATOR)
    with database.writing():
        yield


def _record(actor: Actor, group: Group, changes: int) -> int:
    """Record a change of memberships if there is any; returns their number."""
    if changes:
        audit.note(actor, audit.GROUPS_CHANGED, group.name)
    return changes


def _free_name(name: str, but: int | None = None) -> str:
    """The name as it is stored. Raises BadRequest if it is not valid or another group has it."""
    kept = group_name(name)
    if kept is None:
        raise BadRequest(
            f"{name[:80]!r} cannot be a group: {why_not_a_group_name(name)}.", "Write another name."
        )
    taken = Group.get_or_none(Group.same_name == same_name(kept))
    if taken is not None and taken.id != but:
        raise BadRequest(f"There is already a group {taken.name!r}.", "Write another name.")
    return kept


def _rows(store_ids: Iterable[str]) -> list[int]:
    """The row ids of stores. Raises NotFound, which names the unknown ones."""
    wanted = list(dict.fromkeys(store_ids))
    query = Store.select(Store.store_id, Store.id)
    if len(wanted) <= AT_ONCE:
        query = query.where(Store.store_id.in_(wanted))
    known: dict[str, int] = dict(database.tuples(query))
    unknown = [store_id for store_id in wanted if store_id not in known]
    if unknown:
        named = ", ".join(repr(store_id[:64]) for store_id in unknown[:NAMED])
        more = f" and {len(unknown) - NAMED:,} more" if len(unknown) > NAMED else ""
        raise NotFound(
            f"There is no store {named}{more}.", "A store is known once a file has named it."
        )
    return [known[store_id] for store_id in wanted]


def _member_rows(group_id: int) -> set[int]:
    query = GroupMember.select(GroupMember.store).where(GroupMember.group == group_id)
    return {row for (row,) in database.tuples(query)}


def _change(group_id: int, added: set[int], removed: set[int]) -> int:
    """Add stores to a group and remove others; returns how many."""
    insert_members([(group_id, row) for row in sorted(added)])
    if removed:
        p = models.database.param
        sql = f"DELETE FROM group_member WHERE group_id = {p} AND store_id = {p}"  # noqa: S608  # nosec B608
        models.database.cursor().executemany(sql, [(group_id, row) for row in sorted(removed)])
    if added or removed:
        new_revision(**members_revision([group_id]))
    return len(added) + len(removed)


def members_revision(group_ids: list[int]) -> dict[str, bool]:
    """What a revision says about a change of these groups' members. If a group has other hours on a
    date, the hours of those stores change too."""
    dated = OtherHours.select(OtherHours.group).where(OtherHours.group.is_null(False)).distinct()
    with_dates = {group_id for (group_id,) in database.tuples(dated)}
    return {"stores_changed": not with_dates.isdisjoint(group_ids)}


def ids_of(names: Sequence[str]) -> NDArray[np.int64]:
    """The ids (int64) of groups by name. Makes the missing ones, as first spelled. The caller holds
    the write transaction."""
    sames = [same_name(name) for name in names]
    first = dict(zip(reversed(sames), reversed(names), strict=True))
    known: dict[str, int] = dict(database.tuples(Group.select(Group.same_name, Group.id)))
    missing = [{"name": name, "same_name": s} for s, name in first.items() if s not in known]
    for part in chunked(missing, AT_ONCE):
        Group.insert_many(part).execute()
    if missing:
        known = dict(database.tuples(Group.select(Group.same_name, Group.id)))
    return np.array([known[same] for same in sames], np.int64)


def read_groups_by_store() -> dict[int, set[int]]:
    """The groups (row ids) by store (row id), without stores that are in none. The caller holds a
    connection."""
    found: dict[int, set[int]] = {}
    for store, group in database.tuples(GroupMember.select(GroupMember.store, GroupMember.group)):
        found.setdefault(store, set()).add(group)
    return found


def insert_members(pairs: Sequence[Sequence[int]]) -> None:
    """Insert the missing memberships (group, store), row ids."""
    if pairs:
        p = models.database.param
        sql = f"INSERT INTO group_member (group_id, store_id) VALUES ({p}, {p})"  # noqa: S608  # nosec B608
        models.database.cursor().executemany(sql, pairs)
