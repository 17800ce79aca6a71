"""Writes other hours on dates, and puts them back."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.core.hours import CLOSED
from restmon.ingest.whole_rows import Outcome, compare_rows, delete_rows, insert_rows
from restmon.storage import database
from restmon.storage.changes import ChangeLog, Former, Key
from restmon.storage.models import Group, OtherHours

DATES = "other_hours"
"""The kind of the notes about replaced rows (`undo_kinds`)."""
OF_STORE, OF_GROUP = 0, 1

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class OtherHoursLines:
    """Lines of other hours. ``owner`` is OF_STORE or OF_GROUP, ``row`` its row id, ``date`` a day
    number, ``start`` and ``end`` microseconds after midnight or CLOSED. All are int64, except the
    text ``note``."""

    owner: Ints
    row: Ints
    date: Ints
    start: Ints
    end: Ints
    note: NDArray[np.object_]


def write_other_hours(log: ChangeLog, new: OtherHoursLines) -> Outcome:
    """Replace the other hours of the dates that have lines. The caller holds the transaction."""
    codes_of_notes = {"": 0}
    stored = _read_stored(codes_of_notes)
    codes = [codes_of_notes.setdefault(note, len(codes_of_notes)) for note in new.note.tolist()]
    parts = [new.owner, new.row, new.date, new.start, new.end, np.array(codes, np.int64)]
    lines = np.column_stack(parts).astype(np.int64)
    stored = stored[_of_same(stored[:, :3], lines[:, :3])]
    changes = compare_rows(lines, stored, place=3, owner=3)
    notes = list(codes_of_notes)
    log.note(DATES, _former_rows(changes.owners, stored, notes))
    for kind, column in ((OF_STORE, "store_id"), (OF_GROUP, "group_id")):
        keys = changes.owners[changes.owners[:, 0] == kind][:, 1:]
        delete_rows("other_hours", (column, "date"), keys.tolist())
    _insert(
        (*_key_of(kind, row, date), start, end, notes[code])
        for kind, row, date, start, end, code in changes.rows.tolist()
    )
    counts = (changes.new, changes.updated, changes.unchanged, changes.removed)
    return Outcome(*counts, bool(len(changes.owners)))


def put_back_dates(former: Former) -> None:
    """Put other hours back, except those of groups that are gone."""
    there = {group for (group,) in database.tuples(Group.select(Group.id))}
    keys = [key for key in former if isinstance(key, tuple) and (not key[1] or key[1] in there)]
    delete_rows("other_hours", ("store_id", "date"), [(s, day) for s, g, day in keys if not g])
    delete_rows("other_hours", ("group_id", "date"), [(g, day) for _, g, day in keys if g])
    _insert(
        (store, group, day, start, end, note)
        for store, group, day in keys
        for start, end, note in former[store, group, day]
    )


def _read_stored(codes_of_notes: dict[str, int]) -> Ints:
    """All stored rows: owner, row id, date, start, end, code of the note. Adds codes for notes."""
    query = OtherHours.select(
        OtherHours.store,
        OtherHours.group,
        OtherHours.date,
        OtherHours.start_time,
        OtherHours.end_time,
        OtherHours.note,
    )
    rows = [
        (
            OF_GROUP if store is None else OF_STORE,
            group if store is None else store,
            date,
            CLOSED if start is None else start,
            CLOSED if end is None else end,
            codes_of_notes.setdefault(note or "", len(codes_of_notes)),
        )
        for store, group, date, start, end, note in database.tuples(query)
    ]
    return np.array(rows, np.int64).reshape(-1, 6)


def _key_of(kind: int, row: int, date: int) -> tuple[int, int, int]:
    """The key of a date: row id of the store or 0, row id of the group or 0, date."""
    return (row, 0, date) if kind == OF_STORE else (0, row, date)


def _former_rows(owners: Ints, stored: Ints, notes: list[str]) -> dict[Key, list[Any]]:
    """The stored rows of the dates of ``owners``, by key."""
    former: dict[Key, list[Any]] = {_key_of(*owner): [] for owner in owners.tolist()}
    for kind, row, date, start, end, code in stored.tolist():
        rows = former.get(_key_of(kind, row, date))
        if rows is not None:
            rows.append([start, end, notes[code]])
    return former


def _insert(rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert rows (store or 0, group or 0, date, start, end, note)."""
    insert_rows(
        "other_hours",
        ("store_id", "group_id", "date", "start_time", "end_time", "note"),
        [
            (
                store or None,
                group or None,
                date,
                None if start == CLOSED else start,
                None if start == CLOSED else end,
                note or None,
            )
            for store, group, date, start, end, note in rows
        ],
    )


def _of_same(rows: Ints, lines: Ints) -> NDArray[np.bool_]:
    """Which rows are among the lines."""
    wanted = set(map(tuple, np.unique(lines, axis=0).tolist()))
    return np.fromiter((tuple(row) in wanted for row in rows.tolist()), bool, len(rows))
