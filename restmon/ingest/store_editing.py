"""Editing what is known about a store besides its weekly hours, under the rules of an import: its
entry in the directory, its hourly sales, and other hours on dates of a store or a group."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.formatting import WEEKDAYS, wall_text
from restmon.core.hours import CLOSED
from restmon.core.instants import date_of
from restmon.ingest.batches import Batch, Rejection
from restmon.ingest.checked import Checked
from restmon.ingest.directory_writer import FIELDS, write_directory
from restmon.ingest.headers import DIRECTORY, OTHER_HOURS, SALES
from restmon.ingest.hours_editing import HoursRejected, write_cell
from restmon.ingest.other_hours_writer import (
    DATES,
    OF_GROUP,
    OF_STORE,
    OtherHoursLines,
    write_other_hours,
)
from restmon.ingest.sales_writer import clear_sales, write_sales
from restmon.ingest.validation import Checker
from restmon.ingest.values.store_ids import StoreIds
from restmon.storage import database
from restmon.storage.changes import ChangeLog, Key
from restmon.storage.models import HourlySales, OtherHours, StoreDirectory
from restmon.storage.revisions import new_revision
from restmon.stores.subjects import Subject, find_row

if TYPE_CHECKING:
    import pandas as pd

DATE_COLUMNS = ["date", "start_time_local", "end_time_local", "note"]
"""The columns of a row of other hours."""


def read_entry(store_id: str, actor: Actor = THIS_MACHINE) -> dict[str, str]:
    """What the directory says of a store: the text of each of FIELDS, "" where there is none.
    Raises NotFound, also where the store is not there for the actor."""
    with database.reading():
        row = StoreDirectory.get_or_none(StoreDirectory.store == find_row(Subject(store_id), actor))
    if row is None:
        return dict.fromkeys(FIELDS, "")
    texts = {name: write_cell(getattr(row, name)) for name in FIELDS}
    for name in ("opened_on", "closed_on"):
        number = getattr(row, name)
        texts[name] = "" if number is None else date_of(number).isoformat()
    return texts


def save_entry(store_id: str, entry: Mapping[str, Any], actor: Actor = THIS_MACHINE) -> bool:
    """Change the store's entry in the directory. Returns whether it changed.

    ``entry`` has a value, in the form of a directory file, for each of FIELDS to change. Raises
    NotFound, Forbidden, and :class:`HoursRejected` for values that are not valid.
    """
    names = [name for name in FIELDS if name in entry]
    found = _check(DIRECTORY, ["store_id", *names], [["x", *(entry[name] for name in names)]])
    with _changing(Subject(store_id), actor) as row:
        values = {name: found.values[name] for name in names}
        changed = write_directory(
            [{"store_id": np.array([row], np.int64), **values}], ChangeLog()
        ).changed
        return _record(actor, Subject(store_id), audit.ENTRY_CHANGED, changed)


def read_dates(subject: Subject, actor: Actor = THIS_MACHINE) -> "pd.DataFrame":
    """The other hours of a store or a group, a row each, with DATE_COLUMNS as text, in order.
    Raises NotFound, also where it is not there for the actor."""
    import pandas as pd  # noqa: PLC0415 - the API edits without it

    with database.reading():
        rows = _stored(subject, find_row(subject, actor))
    texts = [
        (date_of(day).isoformat(), *("" if t is None else wall_text(t) for t in (a, b)), note or "")
        for day, a, b, note in rows
    ]
    return pd.DataFrame(texts, columns=DATE_COLUMNS, dtype=object)


def save_dates(
    subject: Subject, rows: Iterable[Sequence[Any]], actor: Actor = THIS_MACHINE
) -> bool:
    """Replace all other hours of a store or a group. Returns whether something changed.

    ``rows`` are (date, start, end, note), in the form of a file of other hours. Both times empty
    means closed. Empty rows are left out. Raises NotFound, Forbidden, and :class:`HoursRejected`
    for rows that are not valid. Then nothing has changed.
    """
    given = [[_day(row[0]), *row[1:]] for row in rows]
    columns = ["store_id", *DATE_COLUMNS]
    found = _check(OTHER_HOURS, columns, [["x", *row] for row in given]).values
    with _changing(subject, actor) as row:
        named = set(found["date"].tolist())
        stored = {day for day, *_ in _stored(subject, row)}
        gone = stored - named
        log = ChangeLog()
        if gone:
            rows_of = _stored(subject, row)
            former: dict[Key, list[Any]] = {}
            for day, begin, finish, note in rows_of:
                if day in gone:
                    key = (row, 0, day) if subject.store is not None else (0, row, day)
                    times = (CLOSED if t is None else t for t in (begin, finish))
                    former.setdefault(key, []).append([*times, note or ""])
            log.note(DATES, former)
            mine = _owner_column(subject) == row
            OtherHours.delete().where(mine, OtherHours.date.in_(sorted(gone))).execute()
        changed = _write_dates(subject, row, found, log)
        return _record(actor, subject, audit.DATES_CHANGED, changed or bool(gone))


def add_dates(subject: Subject, rows: Iterable[Sequence[Any]], actor: Actor = THIS_MACHINE) -> bool:
    """Replace the other hours of a store or a group on the dates of the rows. Other dates stay.
    Returns whether something changed. Rows and errors are those of `save_dates`."""
    columns = ["store_id", *DATE_COLUMNS]
    found = _check(OTHER_HOURS, columns, [["x", _day(row[0]), *row[1:]] for row in rows]).values
    with _changing(subject, actor) as row:
        changed = _write_dates(subject, row, found, ChangeLog())
        return _record(actor, subject, audit.DATES_CHANGED, changed)


def _write_dates(subject: Subject, row: int, found: Mapping[str, Any], log: ChangeLog) -> bool:
    """Replace the other hours on the dates in ``found``. Returns whether they changed."""
    count = len(found["date"])
    owner = OF_STORE if subject.store is not None else OF_GROUP
    whose = (np.full(count, owner, np.int64), np.full(count, row, np.int64))
    lines = OtherHoursLines(*whose, *(found[name] for name in DATE_COLUMNS))
    return write_other_hours(log, lines).changed


def read_sales(store_id: str, actor: Actor = THIS_MACHINE) -> "pd.DataFrame":
    """The usual sales of a store in each hour of the week: float64, 24 rows (the hour, from 0)
    and a column for each of WEEKDAYS, NaN where none are known. Raises NotFound, also where the
    store is not there for the actor."""
    import pandas as pd  # noqa: PLC0415 - the API edits without it

    sales = np.full((24, 7), np.nan)
    with database.reading():
        mine = HourlySales.store == find_row(Subject(store_id), actor)
        query = HourlySales.select(
            HourlySales.hour, HourlySales.day_of_week, HourlySales.sales
        ).where(mine)
        for hour, day, amount in database.tuples(query):
            sales[hour, day] = amount
    return pd.DataFrame(sales, columns=list(WEEKDAYS))


def save_sales(store_id: str, sales: "pd.DataFrame", actor: Actor = THIS_MACHINE) -> bool:
    """Replace all hourly sales of a store, in the form of `read_sales` (numbers or text). Returns
    whether something changed.

    Raises NotFound, Forbidden, and :class:`HoursRejected` for values that are not valid, with the
    hour's row from 1 and the weekday as column. Then nothing has changed.
    """
    cells = [
        (hour, day, write_cell(sales[name].iloc[hour]))
        for hour in range(24)
        for day, name in enumerate(WEEKDAYS)
    ]
    cells = [cell for cell in cells if cell[2]]
    try:
        columns = ["store_id", "dayOfWeek", "hour", "sales"]
        lines = [["x", day, hour, amount] for hour, day, amount in cells]
        found = _check(SALES, columns, lines).values
    except HoursRejected as error:
        where = [cells[problem.line - 1] for problem in error.problems]
        raise HoursRejected(
            [
                replace(problem, line=hour + 1, column=WEEKDAYS[day])
                for problem, (hour, day, _) in zip(error.problems, where, strict=True)
            ]
        ) from None
    with _changing(Subject(store_id), actor) as row:
        if not cells:
            changed = clear_sales(ChangeLog(), row)
            return _record(actor, Subject(store_id), audit.SALES_CHANGED, changed)
        rows = np.full(len(cells), row, np.int64)
        changed = write_sales(
            ChangeLog(), rows, *(found[name] for name in ("dayOfWeek", "hour", "sales"))
        ).changed
        return _record(actor, Subject(store_id), audit.SALES_CHANGED, changed)


def _check(kind: str, columns: list[str], rows: Sequence[Sequence[Any]]) -> Checked:
    """Check rows by the rules of a file of the kind. Raises HoursRejected with all problems. Rows
    count from 1, as lines do. The first column is the store's."""
    texts = [[write_cell(value) for value in row] for row in rows]
    kept = [n for n, row in enumerate(texts) if any(row[1:]) or kind == DIRECTORY]
    raw = {
        column: pa.array([texts[n][i].encode("utf-8", "replace") for n in kept], pa.binary())
        for i, column in enumerate(columns)
    }
    batch = Batch(raw, np.array(kept, np.int64) + 1)
    found = Checker(kind, StoreIds()).check(batch)
    if found.rejections:
        raise HoursRejected([_without_kept(problem) for problem in found.rejections])
    return found


def _without_kept(problem: Rejection) -> Rejection:
    return Rejection(
        problem.line, problem.column, problem.value, problem.reason.partition("; what was")[0]
    )


def _day(value: Any) -> str:
    """The text of a date in a table's cell, in the form of a file."""
    return write_cell(value)[:10] if hasattr(value, "isoformat") else write_cell(value)


def _owner_column(subject: Subject) -> Any:
    return OtherHours.store if subject.store is not None else OtherHours.group


def _stored(subject: Subject, row: int) -> list[tuple[Any, ...]]:
    """(date, start, end, note) of the rows of a store or group (row id), in order."""
    query = OtherHours.select(
        OtherHours.date, OtherHours.start_time, OtherHours.end_time, OtherHours.note
    ).where(_owner_column(subject) == row)
    return sorted(database.tuples(query), key=lambda found: (found[0], found[1] or CLOSED))


@contextmanager
def _changing(subject: Subject, actor: Actor) -> Iterator[int]:
    """The transaction of a change of a store or group that is there for the actor: its row id."""
    actor.must(Role.OWNER)
    with database.writing():
        yield find_row(subject, actor)


def _record(actor: Actor, subject: Subject, action: str, changed: bool) -> bool:
    """``changed``; where it is true, the change is put on record."""
    if changed:
        new_revision(stores_changed=True)
        if subject.store is None:
            action = audit.GROUP_DATES_CHANGED
        audit.note(actor, action, subject.store or subject.group or "")
    return changed
