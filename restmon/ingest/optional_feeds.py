"""The optional feeds, from checked lines to what is stored: the store directory, other hours on
dates, hourly sales (SEMANTICS.md, "Inputs")."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peewee import chunked

from restmon.core.group_names import same_name
from restmon.core.hours import CLOSED
from restmon.errors import FileRejected
from restmon.ingest.checked import Checked, OwnerDate
from restmon.ingest.headers import DIRECTORY, OTHER_HOURS, SALES
from restmon.ingest.values.dates import NO_DATE
from restmon.ingest.values.texts import BETWEEN, GroupNames
from restmon.ingest.whole_rows import compare_rows
from restmon.storage import database, models
from restmon.storage.changes import ChangeLog, Former, Key
from restmon.storage.models import Group, GroupMember, HourlySales, OtherHours, StoreDirectory
from restmon.stores.groups import ids_of, insert_members, read_groups_by_store

ENTRIES, MEMBERS, DATES, HOURLY = "directory", "members", "other_hours", "sales"
"""The kinds under which is noted what was replaced (`undo_kinds`)."""

Ints = NDArray[np.int64]
Values = dict[str, NDArray[Any]]

FIELDS = ("name", "address", "sales_per_hour", "opened_on", "closed_on")
"""The columns of a directory that are kept with the store."""
OF_STORE, OF_GROUP = 0, 1
MOST_ROWS = 5_000_000
"""So many dates of stores and groups at most are in one import."""
AT_ONCE = 500
"""Rows or ids in one statement."""


@dataclass
class Outcome:
    """How many lines were new, updated and unchanged, how many rows were removed, and whether
    something is other than before."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    changed: bool = False


@dataclass
class OptionalFeeds:
    """The good lines of the optional feeds of an import. Stores are numbered as in its ids, groups
    as in ``groups``; ``spoiled`` are the dates that are not taken."""

    groups: GroupNames = field(default_factory=GroupNames)
    spoiled: set[OwnerDate] = field(default_factory=set)
    _parts: dict[str, list[Values]] = field(default_factory=dict)
    _dates: int = 0

    def add(self, kind: str, name: str, found: Checked) -> None:
        """Take the good lines of a batch of the file ``name``."""
        self._parts.setdefault(kind, []).append(found.values)
        self.spoiled |= found.dates
        if kind == OTHER_HOURS:
            self._dates += len(found.line)
            if self._dates > MOST_ROWS:
                raise FileRejected(
                    f"{name} names more than {MOST_ROWS:,} dates of stores.", "Import it in parts."
                )

    @property
    def empty(self) -> bool:
        """Whether there is no line."""
        return not any(len(part["store_id"]) for parts in self._parts.values() for part in parts)

    def write(self, ids: Sequence[str], store_rows: Ints, log: ChangeLog) -> dict[str, Outcome]:
        """Apply them, by kind; ``store_rows`` are the row ids of the stores ``ids``. The caller
        holds the write transaction and adds a revision; what is replaced goes into the ``log``."""
        done = {}
        if DIRECTORY in self._parts:
            parts = self._parts[DIRECTORY]
            numbered = ({**part, "store_id": store_rows[part["store_id"]]} for part in parts)
            done[DIRECTORY] = write_directory(numbered, log)
        if OTHER_HOURS in self._parts:
            done[OTHER_HOURS] = self._write_other_hours(ids, store_rows, log)
        if SALES in self._parts:
            columns = [
                np.concatenate([part[name] for part in self._parts[SALES]])
                for name in ("store_id", "dayOfWeek", "hour", "sales")
            ]
            done[SALES] = write_sales(log, store_rows[columns[0]], *columns[1:])
        return done

    def _write_other_hours(self, ids: Sequence[str], store_rows: Ints, log: ChangeLog) -> Outcome:
        parts = self._parts[OTHER_HOURS]
        store, group, *rest = (
            np.concatenate([part[name] for part in parts])
            for name in ("store_id", "group", "date", "start_time_local", "end_time_local", "note")
        )
        group_ids = ids_of(self.groups.names)
        left = np.zeros(len(store), bool)
        if self.spoiled:
            sames = [same_name(name) for name in self.groups.names]
            owners = (
                ("store", ids[s]) if s >= 0 else ("group", sames[g])
                for s, g in zip(store.tolist(), group.tolist(), strict=True)
            )
            spoiled = [
                (*owner, date) in self.spoiled
                for owner, date in zip(owners, rest[0].tolist(), strict=True)
            ]
            left = np.array(spoiled, bool)
        of_group = store < 0
        row = np.zeros(len(store), np.int64)
        row[~of_group] = store_rows[store[~of_group]]
        row[of_group] = group_ids[group[of_group]]
        kept = ~left
        lines = (of_group.astype(np.int64), row, *rest)
        done = write_other_hours(log, OtherHoursLines(*(column[kept] for column in lines)))
        done.unchanged += int(left.sum())
        return done


def write_directory(parts: Iterable[Values], log: ChangeLog) -> Outcome:
    """Store what lines of a directory say; ``store_id`` are row ids. A line replaces what its
    columns hold, of ``groups`` all that the store is in. The caller holds the transaction."""
    known = {row[0]: list(row[1:]) for row in database.tuples(_directory())}
    members = read_groups_by_store()
    fields_before = {store: tuple(values) for store, values in known.items()}
    groups_before: dict[int, set[int]] = {}
    done = Outcome()
    for part in parts:
        columns = [column for column in FIELDS if column in part]
        places = [FIELDS.index(column) for column in columns]
        listed = part.get("groups")
        group_ids = _ids_by_list(listed) if listed is not None else {}
        rows = part["store_id"].tolist()
        values = zip(*(map(_kept, part[column].tolist()) for column in columns), strict=True)
        for n, store in enumerate(rows):
            said = next(values) if columns else ()
            entry = known.setdefault(store, [None] * len(FIELDS))
            before = tuple(entry[place] for place in places)
            had = any(value is not None for value in before)
            same = said == before
            for place, value in zip(places, said, strict=True):
                entry[place] = value
            if listed is not None:
                are = members.get(store, set())
                wanted = group_ids[listed[n]]
                had |= bool(are)
                same &= are == wanted
                if are != wanted:
                    groups_before.setdefault(store, are)
                    members[store] = wanted
            done.unchanged += same
            done.updated += not same and had
            done.new += not same and not had
    entries = {s: e for s, e in known.items() if tuple(e) != fields_before.get(s, (None,) * 5)}
    nothing = (None,) * len(FIELDS)
    log.note(ENTRIES, {store: list(fields_before.get(store, nothing)) for store in entries})
    _replace_entries(entries)
    groups_before = {store: are for store, are in groups_before.items() if members[store] != are}
    log.note(MEMBERS, {store: sorted(are) for store, are in groups_before.items()})
    _replace_groups(groups_before, members)
    done.changed = bool(entries) or bool(groups_before)
    return done


def _directory() -> Any:
    return StoreDirectory.select(
        StoreDirectory.store, *(getattr(StoreDirectory, column) for column in FIELDS)
    )


def _kept(value: Any) -> Any:
    """A value of the directory as it is stored: None for an empty cell."""
    empty = value in ("", NO_DATE) or (isinstance(value, float) and math.isnan(value))
    return None if empty else value


def _ids_by_list(listed: NDArray[np.object_]) -> dict[str, set[int]]:
    """The groups (row ids) of each distinct list of names; they are made where missing."""
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
    _delete("group_member", ("group_id", "store_id"), gone)


@dataclass(frozen=True)
class OtherHoursLines:
    """Other hours, a line each: ``owner`` is OF_STORE or OF_GROUP, ``row`` its row id, ``date`` a
    day number, ``start`` and ``end`` microseconds after midnight or CLOSED (int64 all), ``note`` a
    text."""

    owner: Ints
    row: Ints
    date: Ints
    start: Ints
    end: Ints
    note: NDArray[np.object_]


def write_other_hours(log: ChangeLog, new: OtherHoursLines) -> Outcome:
    """Replace the other hours of the dates that have lines. The caller holds the transaction."""
    stored_rows = database.tuples(
        OtherHours.select(
            OtherHours.store,
            OtherHours.group,
            OtherHours.date,
            OtherHours.start_time,
            OtherHours.end_time,
            OtherHours.note,
        )
    )
    notes: dict[str, int] = {"": 0}
    stored = np.array(
        [
            (
                OF_GROUP if store is None else OF_STORE,
                group if store is None else store,
                day,
                CLOSED if begin is None else begin,
                CLOSED if finish is None else finish,
                notes.setdefault(text or "", len(notes)),
            )
            for store, group, day, begin, finish, text in stored_rows
        ],
        np.int64,
    ).reshape(-1, 6)
    codes = np.array([notes.setdefault(t, len(notes)) for t in new.note.tolist()], np.int64)
    parts = [new.owner, new.row, new.date, new.start, new.end, codes]
    lines = np.column_stack(parts).astype(np.int64)
    stored = stored[_of_same(stored[:, :3], lines[:, :3])]
    changes = compare_rows(lines, stored, place=3, owner=3)
    texts = list(notes)
    before: dict[Key, list[Any]] = {}
    for which, who, day in changes.owners.tolist():
        before[(who, 0, day) if which == OF_STORE else (0, who, day)] = []
    for which, who, day, begin, finish, code in stored.tolist():
        key = (who, 0, day) if which == OF_STORE else (0, who, day)
        if key in before:
            before[key].append([begin, finish, texts[code]])
    log.note(DATES, before)
    for which, column in ((OF_STORE, "store_id"), (OF_GROUP, "group_id")):
        keys = changes.owners[changes.owners[:, 0] == which][:, 1:]
        _delete("other_hours", (column, "date"), keys.tolist())
    rows = [
        (
            who if which == OF_STORE else None,
            who if which == OF_GROUP else None,
            day,
            None if begin == CLOSED else begin,
            None if begin == CLOSED else finish,
            texts[code] or None,
        )
        for which, who, day, begin, finish, code in changes.rows.tolist()
    ]
    columns = ("store_id", "group_id", "date", "start_time", "end_time", "note")
    _insert("other_hours", columns, rows)
    counts = (changes.new, changes.updated, changes.unchanged, changes.removed)
    return Outcome(*counts, bool(len(changes.owners)))


def write_sales(
    log: ChangeLog, row: Ints, day: Ints, hour: Ints, sales: NDArray[np.float64]
) -> Outcome:
    """Replace all hourly sales of the stores ``row`` (row ids). Of several lines of one hour the
    last one counts. The caller holds the transaction."""
    wanted = np.unique(row).tolist()
    query = HourlySales.select(
        HourlySales.store, HourlySales.day_of_week, HourlySales.hour, HourlySales.sales
    )
    if len(wanted) <= AT_ONCE:
        query = query.where(HourlySales.store.in_(wanted))
    table = np.array(database.tuples(query), np.float64).reshape(-1, 4)
    stored = np.column_stack([table[:, :3].astype(np.int64), _bits(table[:, 3])])
    stored = stored[np.isin(stored[:, 0], row)]
    lines = np.column_stack([row, day, hour, _bits(sales)])
    order = np.lexsort((hour, day, row))  # stable: lines of one hour stay in their order
    lines = lines[order]
    same_place = (lines[1:, :3] == lines[:-1, :3]).all(axis=1)
    same_value = lines[1:, 3] == lines[:-1, 3]
    last = np.append(~same_place, True)[: len(lines)]
    changes = compare_rows(lines[last], stored, place=3, owner=1)
    former: dict[Key, list[Any]] = {store: [] for (store,) in changes.owners.tolist()}
    for store, *place, amount in table[np.isin(table[:, 0], changes.owners)].tolist():
        former[int(store)].append([*map(int, place), amount])
    log.note(HOURLY, former)
    _delete("hourly_sales", ("store_id",), changes.owners.tolist())
    amounts = np.ascontiguousarray(changes.rows[:, 3]).view(np.float64)
    columns = ("store_id", "day_of_week", "hour", "sales")
    rows = zip(*changes.rows[:, :3].T.tolist(), amounts.tolist(), strict=True)
    _insert("hourly_sales", columns, list(rows))
    return Outcome(
        changes.new,
        changes.updated + int((same_place & ~same_value).sum()),
        changes.unchanged + int((same_place & same_value).sum()),
        changes.removed,
        bool(len(changes.owners)),
    )


def clear_sales(log: ChangeLog, row: int) -> bool:
    """Forget the hourly sales of a store (row id); returns whether there were any. The caller
    holds the transaction."""
    mine = HourlySales.store == row
    columns = (HourlySales.day_of_week, HourlySales.hour, HourlySales.sales)
    former = [list(line) for line in database.tuples(HourlySales.select(*columns).where(mine))]
    if former:
        log.note(HOURLY, {row: former})
        HourlySales.delete().where(mine).execute()
    return bool(former)


def _bits(amounts: NDArray[np.float64]) -> Ints:
    """Amounts as whole numbers that are equal where they are."""
    return (np.ascontiguousarray(amounts, np.float64) + 0.0).view(np.int64)


def _of_same(rows: Ints, lines: Ints) -> NDArray[np.bool_]:
    """Which rows are among the lines."""
    wanted = set(map(tuple, np.unique(lines, axis=0).tolist()))
    return np.fromiter((tuple(row) in wanted for row in rows.tolist()), bool, len(rows))


def _insert(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        marks = ", ".join([models.database.param] * len(columns))
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608  # nosec B608
        models.database.cursor().executemany(sql, rows)


def _delete(table: str, columns: Sequence[str], keys: Sequence[Sequence[Any]]) -> None:
    if keys:
        where = " AND ".join(f"{column} = {models.database.param}" for column in columns)
        sql = f"DELETE FROM {table} WHERE {where}"  # noqa: S608  # nosec B608
        models.database.cursor().executemany(sql, keys)


def put_back_entries(former: Former) -> None:
    """Put entries of the directory back."""
    _replace_entries(dict(former))  # type: ignore[arg-type]


def put_back_members(former: Former) -> None:
    """Put stores back into the groups they were in, as far as these are still there."""
    there = {group for (group,) in database.tuples(Group.select(Group.id))}
    pairs = database.tuples(GroupMember.select(GroupMember.store, GroupMember.group))
    now: dict[int, set[int]] = {}
    for store, group in pairs:
        now.setdefault(store, set()).add(group)
    before = {store: now.get(store, set()) for store in former if isinstance(store, int)}
    _replace_groups(before, {store: set(were) & there for store, were in former.items()})  # type: ignore[misc]


def put_back_dates(former: Former) -> None:
    """Put other hours back, as far as their group is still there."""
    there = {group for (group,) in database.tuples(Group.select(Group.id))}
    keys = [key for key in former if isinstance(key, tuple) and (not key[1] or key[1] in there)]
    _delete("other_hours", ("store_id", "date"), [(s, day) for s, g, day in keys if not g])
    _delete("other_hours", ("group_id", "date"), [(g, day) for _, g, day in keys if g])
    rows = [
        (
            store or None,
            group or None,
            day,
            None if begin == CLOSED else begin,
            None if begin == CLOSED else finish,
            text or None,
        )
        for store, group, day in keys
        for begin, finish, text in former[store, group, day]
    ]
    columns = ("store_id", "group_id", "date", "start_time", "end_time", "note")
    _insert("other_hours", columns, rows)


def put_back_sales(former: Former) -> None:
    """Put hourly sales back."""
    _delete("hourly_sales", ("store_id",), [(store,) for store in former])
    rows = [(store, *line) for store, lines in former.items() for line in lines]
    _insert("hourly_sales", ("store_id", "day_of_week", "hour", "sales"), rows)
