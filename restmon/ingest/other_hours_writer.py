"""Writes other hours on dates, and puts them back."""

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
        delete_rows("other_hours", (column, "date"), keys.tolist())
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
    insert_rows("other_hours", columns, rows)
    counts = (changes.new, changes.updated, changes.unchanged, changes.removed)
    return Outcome(*counts, bool(len(changes.owners)))


def put_back_dates(former: Former) -> None:
    """Put other hours back, except those of groups that are gone."""
    there = {group for (group,) in database.tuples(Group.select(Group.id))}
    keys = [key for key in former if isinstance(key, tuple) and (not key[1] or key[1] in there)]
    delete_rows("other_hours", ("store_id", "date"), [(s, day) for s, g, day in keys if not g])
    delete_rows("other_hours", ("group_id", "date"), [(g, day) for _, g, day in keys if g])
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
    insert_rows("other_hours", columns, rows)


def _of_same(rows: Ints, lines: Ints) -> NDArray[np.bool_]:
    """Which rows are among the lines."""
    wanted = set(map(tuple, np.unique(lines, axis=0).tolist()))
    return np.fromiter((tuple(row) in wanted for row in rows.tolist()), bool, len(rows))
