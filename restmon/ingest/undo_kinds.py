"""The kinds of rows that an import replaces, and how each is put back.

A feed's writer notes what it replaces (`storage.changes.ChangeLog.note`) under a kind, and has an
entry in `PUT_BACK`. Polls and new stores are put back by `undo` itself.
"""

from collections.abc import Callable

import numpy as np
from peewee import chunked

from restmon.ingest import directory_writer, other_hours_writer, poll_reasons, sales_writer
from restmon.ingest.former_hours import HOURS, UNREADABLE, ZONES
from restmon.storage import database
from restmon.storage.changes import Former
from restmon.storage.models import Store


def _put_back_zones(former: Former) -> None:
    database.set_zones(np.array(list(former), np.int64), list(former.values()))


def _put_back_hours(former: Former) -> None:
    lines = [[row, *line] for row, its in former.items() for line in its]
    rows = np.array(list(former), np.int64)
    database.replace_hours(rows, np.array(lines, np.int64).reshape(-1, 4))


def _put_back_unreadable(former: Former) -> None:
    for value in (False, True):
        rows = [row for row, was in former.items() if was == value]
        for part in chunked(rows, 10_000):
            Store.update(hours_unreadable=value).where(Store.id.in_(part)).execute()


PUT_BACK: dict[str, Callable[[Former], None]] = {
    ZONES: _put_back_zones,
    HOURS: _put_back_hours,
    UNREADABLE: _put_back_unreadable,
    directory_writer.ENTRIES: directory_writer.put_back_entries,
    directory_writer.MEMBERS: directory_writer.put_back_members,
    other_hours_writer.DATES: other_hours_writer.put_back_dates,
    sales_writer.HOURLY: sales_writer.put_back_sales,
    poll_reasons.REASONS: poll_reasons.put_back_reasons,
}
"""The function for each kind that puts rows back. It gets only keys of stores that still exist, and
keys of no store. The caller holds the write transaction."""
