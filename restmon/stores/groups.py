"""Groups of stores: a brand, an owner, a city. A store may be in any number of them.

A name is 1 to 64 characters (``group_names``); two names that differ only in case are the same
group. Every change makes a new revision, so what a page cached under the old one is read anew;
no report reads groups, and a snapshot has nothing to read for it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from peewee import JOIN, chunked, fn

from restmon import database, models
from restmon.checking import check
from restmon.csv_reader import GROUPS, Rejection, Source, read_batches
from restmon.errors import BadRequest, NotFound
from restmon.fields import StoreIds
from restmon.group_names import group_name, same_name, why_not_a_group_name
from restmon.ingest import KEPT_REJECTIONS, Counts
from restmon.models import AccountGroup, ApiKeyGroup, Group, GroupMember, Store
from restmon.revisions import new_revision

Ints = NDArray[np.int64]

AT_ONCE = 500
"""Names that one statement holds."""
NAMED = 5
"""How many unknown stores an error names."""


@dataclass(frozen=True)
class GroupSize:
    """A group: its ``id`` (it stays when the name changes), its ``name``, its number of
    ``stores``."""

    id: int
    name: str
    stores: int


@dataclass
class GroupImport:
    """What an import of memberships did: lines read = new + unchanged + rejected, and the first
    1,000 rejected lines."""

    counts: Counts = field(default_factory=Counts)
    rejections: list[Rejection] = field(default_factory=list)


def listed(only: frozenset[int] | None = None) -> list[GroupSize]:
    """All groups, or only those of the row ids, with their sizes, by name whatever its case."""
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


def ids_of(names: Iterable[str]) -> list[int]:
    """The row ids of groups by name; raises NotFound for a group that is not there."""
    with database.session():
        return sorted({int(_get(name).id) for name in names})


def create(name: str) -> GroupSize:
    """Make an empty group; raises BadRequest for a name that cannot be one or is taken."""
    with database.writing():
        kept = _free_name(name)
        row = Group.create(name=kept, same_name=same_name(kept))
        new_revision()
    return GroupSize(row.id, kept, 0)


def rename(name: str, new_name: str) -> str:
    """Give a group another name; returns it as it is kept. Raises NotFound, BadRequest."""
    with database.writing():
        group = _get(name)
        kept = _free_name(new_name, but=group.id)
        if kept != group.name:
            changed = {"name": kept, "same_name": same_name(kept)}
            Group.update(changed).where(Group.id == group.id).execute()
            new_revision()
    return kept


def delete(name: str) -> None:
    """Delete a group, not its stores; raises NotFound."""
    with database.writing():
        group = _get(name)
        for model in (GroupMember, AccountGroup, ApiKeyGroup):
            model.delete().where(model.group == group.id).execute()
        Group.delete().where(Group.id == group.id).execute()
        new_revision()


def set_members(name: str, store_ids: Iterable[str]) -> bool:
    """Make exactly these stores the group's; returns whether something changed.

    Raises NotFound for the group or a store that is not there: nothing has changed then.
    """
    with database.writing():
        group = _get(name)
        wanted = set(_rows(store_ids))
        before = _member_rows(group.id)
        return _change(group.id, wanted - before, before - wanted) > 0


def add(name: str, store_ids: Iterable[str]) -> int:
    """Put stores into a group; returns how many were not in it. Raises NotFound."""
    with database.writing():
        group = _get(name)
        return _change(group.id, set(_rows(store_ids)) - _member_rows(group.id), set())


def remove(name: str, store_ids: Iterable[str]) -> int:
    """Take stores out of a group; returns how many were in it. Raises NotFound."""
    with database.writing():
        group = _get(name)
        return _change(group.id, set(), set(_rows(store_ids)) & _member_rows(group.id))


def members_of(names: str | Iterable[str]) -> list[str]:
    """The ids of the stores that are in any of the groups, as text in order; raises NotFound."""
    with database.reading():
        groups = [_get(name).id for name in ([names] if isinstance(names, str) else names)]
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


def memberships() -> pd.DataFrame:
    """Every membership, a row each: ``store_id`` and ``group``, text, by group, then store."""
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
    """Every membership as CSV text, which `import_csv` reads. An empty group has no line."""
    return memberships().to_csv(index=False, lineterminator="\n")


def import_csv(source: Source, name: str) -> GroupImport:
    """Put stores into groups as a CSV file of ``store_id, group`` (or ``group_name``) says.

    In one transaction; groups that are not there yet are made, and nobody is taken out of one.
    ``source`` is a path or an open file that can seek, plain or gzip. A line is rejected alone,
    also one whose store is not in the database. Raises
    :class:`~restmon.errors.FileRejected` for a file that is rejected whole.
    """
    ids = StoreIds()
    rejections = _Rejections()
    lines: list[pd.DataFrame] = []
    result = GroupImport()
    for batch in read_batches(source, name, GROUPS):
        good, (store, group), bad = check(GROUPS, batch, ids)
        rejections.add(batch.malformed + bad)
        result.counts.read += len(batch.line) + len(batch.malformed)
        kept = {"line": batch.line[good], "store": store.values[good], "name": group.values[good]}
        lines.append(pd.DataFrame(kept))
    with database.writing():
        _write(lines, ids.names, rejections, result.counts)
    result.counts.rejected = rejections.count
    result.rejections = rejections.first()
    return result


class _Rejections:
    """Counts rejected lines and keeps the first of them, by line."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[Rejection] = []

    def add(self, rejections: Sequence[Rejection], more: int = 0) -> None:
        """Add rejections, and ``more`` that come after them and were not made."""
        self.count += len(rejections) + more
        self._kept = sorted(self._kept + list(rejections), key=lambda r: r.line)[:KEPT_REJECTIONS]

    def first(self) -> list[Rejection]:
        """The first 1,000, by line."""
        return self._kept


def _write(
    parts: Sequence[pd.DataFrame], names: list[str], rejections: _Rejections, counts: Counts
) -> None:
    """Apply an import's good lines; the caller holds the write transaction.

    ``parts`` have line, store (index of ``names``) and name (of the group).
    """
    if not parts:
        return
    lines = pd.concat(parts, ignore_index=True)
    known: dict[str, int] = dict(database.tuples(Store.select(Store.store_id, Store.id)))
    rows = np.array([known.get(store_id, -1) for store_id in names], np.int64)
    lines["row"] = rows[lines["store"].to_numpy()]
    unknown = lines[lines["row"] < 0]
    told = unknown.head(KEPT_REJECTIONS)
    rejections.add(
        [
            Rejection(line, "store_id", names[store], "no store of this id is known yet")
            for line, store in zip(told["line"].tolist(), told["store"].tolist(), strict=True)
        ],
        len(unknown) - len(told),
    )
    lines = lines[lines["row"] >= 0]
    codes, spellings = pd.factorize(lines["name"])
    group_ids = _ids_of(list(spellings))
    pairs = pd.DataFrame({"group": group_ids[codes], "store": lines["row"].to_numpy()})
    distinct = pairs.drop_duplicates()
    stored = pd.DataFrame(
        database.tuples(
            GroupMember.select(GroupMember.group, GroupMember.store).where(
                GroupMember.group.in_(sorted(set(group_ids.tolist())))
            )
        ),
        columns=["group", "store"],
        dtype="int64",
    )
    both = distinct.merge(stored, how="left", indicator=True)
    new = both.loc[both["_merge"] == "left_only", ["group", "store"]]
    counts.new, counts.unchanged = len(new), len(pairs) - len(new)
    _insert(new.sort_values(["group", "store"]).to_numpy().tolist())
    if len(new):
        new_revision()


def _ids_of(names: list[str]) -> Ints:
    """The ids (int64) of groups by name; they are made, as first spelled, where missing."""
    sames = [same_name(name) for name in names]
    first = dict(zip(reversed(sames), reversed(names), strict=True))
    known: dict[str, int] = dict(database.tuples(Group.select(Group.same_name, Group.id)))
    missing = [{"name": name, "same_name": s} for s, name in first.items() if s not in known]
    for part in chunked(missing, AT_ONCE):
        Group.insert_many(part).execute()
    if missing:
        known = dict(database.tuples(Group.select(Group.same_name, Group.id)))
    return np.array([known[same] for same in sames], np.int64)


def _get(name: str) -> Group:
    group = Group.get_or_none(Group.same_name == same_name(group_name(name) or ""))
    if group is None:
        raise NotFound(f"There is no group {name[:64]!r}.", "Make it, or import a groups file.")
    return group


def _free_name(name: str, but: int | None = None) -> str:
    """The name as it is kept; raises BadRequest unless it is a name, free but for that group."""
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
    """The row ids of stores; raises NotFound that names those that are not there."""
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
    """Put stores into a group and take others out; returns how many."""
    _insert([(group_id, row) for row in sorted(added)])
    if removed:
        p = models.database.param
        sql = f"DELETE FROM group_member WHERE group_id = {p} AND store_id = {p}"  # noqa: S608  # nosec B608
        models.database.cursor().executemany(sql, [(group_id, row) for row in sorted(removed)])
    if added or removed:
        new_revision()
    return len(added) + len(removed)


def _insert(pairs: Sequence[Sequence[int]]) -> None:
    """Insert memberships (group, store), row ids, that are not there."""
    if pairs:
        p = models.database.param
        sql = f"INSERT INTO group_member (group_id, store_id) VALUES ({p}, {p})"  # noqa: S608  # nosec B608
        models.database.cursor().executemany(sql, pairs)
