"""Writes entries of the store directory and their groups, and puts former ones back."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peewee import chunked

from restmon.ingest.values.dates import NO_DATE
from restmon.ingest.values.texts import BETWEEN
from restmon.ingest.whole_rows import Outcome, delete_rows
from restmon.storage import database
from restmon.storage.changes import ChangeLog, Former
from restmon.storage.models import Group, GroupMember, StoreDirectory
from restmon.stores.groups import ids_of, insert_members, read_groups_by_store

ENTRIES, MEMBERS = "directory", "members"
"""The kinds of the notes about replaced rows (`undo_kinds`)."""
FIELDS = ("name", "address", "sales_per_hour", "opened_on", "closed_on")
"""The columns of a directory that are stored with the store."""
AT_ONCE = 500
"""Rows or ids in one statement."""

Values = dict[str, NDArray[Any]]


def write_directory(parts: Iterable[Values], log: ChangeLog) -> Outcome:
    """Store the lines of a directory; ``store_id`` are row ids. A line replaces the values of its
    columns, and with ``groups`` all groups of the store. The caller holds the transaction."""
    directory = _Directory()
    for part in parts:
        directory.apply(part)
    directory.write(log)
    return directory.outcome


class _Directory:
    """The entries of the directory and the groups of stores, while lines change them in memory."""

    def __init__(self) -> None:
        self.entries = {store: list(values) for store, *values in database.tuples(_directory())}
        self.entries_before = {store: tuple(values) for store, values in self.entries.items()}
        self.groups = read_groups_by_store()
        self.groups_before: dict[int, set[int]] = {}
        self.outcome = Outcome()

    def apply(self, part: Values) -> None:
        """Apply lines and count them."""
        columns = [column for column in FIELDS if column in part]
        places = [FIELDS.index(column) for column in columns]
        lists = part.get("groups")
        ids_by_list = {} if lists is None else _ids_by_list(lists)
        values = zip(*(map(_stored, part[column].tolist()) for column in columns), strict=True)
        for n, store in enumerate(part["store_id"].tolist()):
            had, same = self._set_values(store, places, next(values) if columns else ())
            if lists is not None:
                had_groups, same_groups = self._set_groups(store, ids_by_list[lists[n]])
                had, same = had or had_groups, same and same_groups
            self.outcome.unchanged += same
            self.outcome.updated += not same and had
            self.outcome.new += not same and not had

    def _set_values(
        self, store: int, places: list[int], values: tuple[Any, ...]
    ) -> tuple[bool, bool]:
        """Set some values of an entry. Returns (had any of them, had the same)."""
        entry = self.entries.setdefault(store, [None] * len(FIELDS))
        before = tuple(entry[place] for place in places)
        for place, value in zip(places, values, strict=True):
            entry[place] = value
        return any(value is not None for value in before), before == values

    def _set_groups(self, store: int, groups: set[int]) -> tuple[bool, bool]:
        """Set the groups of a store. Returns (had any, had the same)."""
        before = self.groups.get(store, set())
        if before != groups:
            self.groups_before.setdefault(store, before)
            self.groups[store] = groups
        return bool(before), before == groups

    def write(self, log: ChangeLog) -> None:
        """Write what differs from what was stored, and note the former rows."""
        nothing = (None,) * len(FIELDS)
        entries = {
            store: entry
            for store, entry in self.entries.items()
            if tuple(entry) != self.entries_before.get(store, nothing)
        }
        log.note(
            ENTRIES, {store: list(self.entries_before.get(store, nothing)) for store in entries}
        )
        _replace_entries(entries)
        former = {
            store: groups
            for store, groups in self.groups_before.items()
            if self.groups[store] != groups
        }
        log.note(MEMBERS, {store: sorted(groups) for store, groups in former.items()})
        _replace_groups(former, self.groups)
        self.outcome.changed = bool(entries) or bool(former)


def _directory() -> Any:
    return StoreDirectory.select(
        StoreDirectory.store, *(getattr(StoreDirectory, column) for column in FIELDS)
    )


def _stored(value: Any) -> Any:
    """A value of the directory as it is stored: None for an empty cell."""
    empty = value in ("", NO_DATE) or (isinstance(value, float) and math.isnan(value))
    return None if empty else value


def _ids_by_list(listed: NDArray[np.object_]) -> dict[str, set[int]]:
    """The groups (row ids) of each distinct list of names. Makes missing groups."""
    lists = {text: [name for name in text.split(BETWEEN) if name] for text in set(listed.tolist())}
    names = sorted({name for found in lists.values() for name in found})
    ids = dict(zip(names, ids_of(names).tolist(), strict=True))
    return {text: {ids[name] for name in found} for text, found in lists.items()}


def _replace_entries(entries: dict[int, list[Any]]) -> None:
    for stores in chunked(list(entries), AT_ONCE):
        StoreDirectory.delete().where(StoreDirectory.store.in_(stores)).execute()
    rows = [
        (store, *entry) for store, entry in entries.items() if any(v is not None for v in entry)
    ]
    for part in chunked(rows, 100):
        names = [StoreDirectory.store, *(getattr(StoreDirectory, column) for column in FIELDS)]
        StoreDirectory.insert_many(part, fields=names).execute()


def _replace_groups(before: dict[int, set[int]], after: dict[int, set[int]]) -> None:
    added = [(g, s) for s, were in before.items() for g in sorted(after[s] - were)]
    gone = [(g, s) for s, were in before.items() for g in sorted(were - after[s])]
    insert_members(added)
    delete_rows("group_member", ("group_id", "store_id"), gone)


def put_back_entries(former: Former) -> None:
    """Put entries of the directory back."""
    _replace_entries(dict(former))  # type: ignore[arg-type]


def put_back_members(former: Former) -> None:
    """Put stores back into their former groups that still exist."""
    there = {group for (group,) in database.tuples(Group.select(Group.id))}
    pairs = database.tuples(GroupMember.select(GroupMember.store, GroupMember.group))
    now: dict[int, set[int]] = {}
    for store, group in pairs:
        now.setdefault(store, set()).add(group)
    before = {store: now.get(store, set()) for store in former if isinstance(store, int)}
    _replace_groups(before, {store: set(were) & there for store, were in former.items()})  # type: ignore[misc]
