"""Editing the business hours and the time zone of one store, under the rules of an import."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, Any

import numpy as np

from restmon.access import audit, visibility
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.formatting import wall_text
from restmon.core.hours import CLOSED
from restmon.errors import BadRequest, NotFound
from restmon.ingest import arrow_arrays
from restmon.ingest.batches import Rejection
from restmon.ingest.checked import rejection
from restmon.ingest.former_hours import HOURS, UNREADABLE, ZONES
from restmon.ingest.headers import BUSINESS_HOURS, LAYOUTS
from restmon.ingest.validation import PARSERS
from restmon.ingest.values.times_of_day import parse_opening
from restmon.ingest.values.zones import parse_zones
from restmon.storage import database
from restmon.storage.changes import ChangeLog
from restmon.storage.models import BusinessHours, Store
from restmon.storage.revisions import new_revision

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = list(LAYOUTS[BUSINESS_HOURS])[1:]
"""The columns of a row: dayOfWeek, start_time_local, end_time_local."""
MOST_ROWS = 1000


class HoursRejected(BadRequest):
    """Rows of business hours are not valid. ``problems`` has an entry for each bad value (``line``
    is the row's number, from 1). Nothing has changed."""

    def __init__(self, problems: list[Rejection]) -> None:
        first = problems[0]
        more = len(problems) - 1
        others = "" if not more else f" (and {more} more problem{'s' if more > 1 else ''})"
        super().__init__(
            f"Row {first.line}, {first.column} {first.value!r}: {first.reason}{others}.",
            "Fix the rows that are named; nothing was changed.",
        )
        self.problems = problems


@dataclass(frozen=True)
class StoreHours:
    """The stored hours and zone of a store.

    ``zone`` is None if none was given (then America/Chicago). ``hours`` has a row for each stretch,
    with the columns dayOfWeek, start_time_local and end_time_local as text, by day, then start.
    Without rows the store is open around the clock, unless its hours are ``unreadable``: imported
    lines were rejected, and it counts as never open.
    """

    store_id: str
    zone: str | None
    hours: "pd.DataFrame"
    unreadable: bool


def read_hours(store_id: str) -> StoreHours:
    """The hours and zone of a store, as `set_hours` and `set_zone` take them; raises NotFound."""
    import pandas as pd  # noqa: PLC0415 - the API edits without it

    with database.reading():
        store = _get(store_id)
        rows = _read_stored(store)
    text = [(str(day), _time_text(start), _time_text(end)) for day, start, end in rows]
    hours = pd.DataFrame(text, columns=COLUMNS, dtype=object)
    return StoreHours(store_id, store.timezone, hours, store.hours_unreadable)


def set_hours(store_id: str, rows: Iterable[Sequence[Any]], actor: Actor = THIS_MACHINE) -> bool:
    """Replace the business hours of a store. Returns whether something changed.

    ``rows`` are (day, start, end), as text in the form of a business-hours file. Numbers and
    ``datetime.time`` become such text; None and NaN are empty. Empty rows are left out, unless all
    are empty. Without rows the store is open around the clock.

    Raises NotFound for a store that the actor does not see, Forbidden, and :class:`HoursRejected`
    for rows that are not valid.
    """
    hours = _hours(rows)
    with _changing(store_id, actor) as store:
        return _record(actor, store, audit.HOURS_CHANGED, _put_hours(store, hours))


def set_zone(store_id: str, zone: str | None, actor: Actor = THIS_MACHINE) -> bool:
    """Set the time zone of a store, or remove it with None or "". Returns whether it changed.

    Raises NotFound for a store that the actor does not see, Forbidden, and BadRequest for an
    unknown time zone.
    """
    wanted = _zone(zone)
    with _changing(store_id, actor) as store:
        return _record(actor, store, audit.ZONE_CHANGED, _put_zone(store, wanted))


def save(
    store_id: str,
    rows: Iterable[Sequence[Any]],
    zone: str | None,
    actor: Actor = THIS_MACHINE,
) -> bool:
    """`set_hours` and `set_zone` in one transaction: both, or neither if one raises. Raises what
    they raise."""
    hours, wanted = _hours(rows), _zone(zone)
    with _changing(store_id, actor) as store:
        both = _put_hours(store, hours), _put_zone(store, wanted)
        action = audit.HOURS_CHANGED if both[0] else audit.ZONE_CHANGED
        if all(both):
            action = audit.HOURS_AND_ZONE_CHANGED
        return _record(actor, store, action, any(both))


def write_cell(value: Any) -> str:
    """The text of a table's cell. A whole number has no point, and an empty cell no text."""
    if isinstance(value, str):
        return value.strip()
    import pandas as pd  # noqa: PLC0415 - the API edits without it

    if pd.isna(value):
        return ""
    if isinstance(value, float | np.floating) and value.is_integer():
        return str(int(value))
    if isinstance(value, time):
        return value.isoformat()
    return str(value).strip()


def _hours(rows: Iterable[Sequence[Any]]) -> list[tuple[int, int, int]]:
    return _check_rows([tuple(write_cell(value) for value in row) for row in rows])


def _zone(zone: str | None) -> str | None:
    """The zone as it is stored. Raises BadRequest for an unknown time zone."""
    wanted = write_cell(zone)
    if not wanted:
        return None
    raw = wanted.encode("utf-8", "replace")
    parsed = parse_zones(arrow_arrays.of_bytes([raw]))
    if not parsed.good[0]:
        raise BadRequest(
            f"Time zone {wanted[:60]!r}: {parsed.reason(raw)}.", "Choose one from the list."
        )
    return str(parsed.values[0])


def _put_hours(store: Store, hours: list[tuple[int, int, int]]) -> bool:
    """Replace the hours of a store. Returns whether they changed. Without rows, unreadable hours
    stay unreadable."""
    before = _read_stored(store)
    if hours == before:
        return False
    log = ChangeLog()
    log.note(HOURS, {store.id: before})
    if store.hours_unreadable:
        log.note(UNREADABLE, {store.id: True})
    lines = [(store.id, *row) for row in hours]
    database.replace_hours(np.array([store.id], np.int64), np.array(lines, np.int64).reshape(-1, 4))
    Store.update(hours_unreadable=False).where(Store.id == store.id).execute()
    new_revision(stores_changed=True)
    return True


def _put_zone(store: Store, zone: str | None) -> bool:
    """Replace the zone of a store. Returns whether it changed."""
    if zone == store.timezone:
        return False
    ChangeLog().note(ZONES, {store.id: store.timezone})
    Store.update(timezone=zone).where(Store.id == store.id).execute()
    new_revision(stores_changed=True)
    return True


def _record(actor: Actor, store: Store, action: str, changed: bool) -> bool:
    """``changed``; where it is true, the change is put on record."""
    if changed:
        audit.note(actor, action, store.store_id)
    return changed


def _time_text(wall: int) -> str:
    """A stored time of day as text."""
    return "closed" if wall == CLOSED else wall_text(wall)


def _check_rows(rows: list[tuple[str, ...]]) -> list[tuple[int, int, int]]:
    """The distinct rows as (day, start, end), sorted. Raises HoursRejected with all problems."""
    if len(rows) > MOST_ROWS:
        raise BadRequest(f"{len(rows):,} rows are too many.", f"Give at most {MOST_ROWS:,}.")
    if any(len(row) != len(COLUMNS) for row in rows):
        raise BadRequest("A row has day, start and end.", "Give all three in each row.")
    numbers = [n for n, row in enumerate(rows) if any(row)] or list(range(len(rows)))
    if not numbers:
        return []
    problems = []
    columns = []
    texts = [[rows[n][i].encode("utf-8", "replace") for n in numbers] for i in range(len(COLUMNS))]
    days, starts, ends = map(arrow_arrays.of_bytes, texts)
    opening = parse_opening(starts, ends)
    parsed = (PARSERS[COLUMNS[0]](days), opening.start, opening.end)
    for column, values, found in zip(COLUMNS, texts, parsed, strict=True):
        columns.append(found.values)
        problems += [
            rejection(numbers[at] + 1, column, values[at], found)
            for at in np.flatnonzero(~found.good).tolist()
        ]
    if problems:
        raise HoursRejected(sorted(problems, key=lambda problem: problem.line))
    return sorted(set(zip(*(column.tolist() for column in columns), strict=True)))


@contextmanager
def _changing(store_id: str, actor: Actor) -> Iterator[Store]:
    """The transaction of a change to a store that the actor sees."""
    actor.must(Role.OWNER)
    with database.writing():
        visibility.must_see(actor, store_id)
        yield _get(store_id)


def _get(store_id: str) -> Store:
    store = Store.get_or_none(Store.store_id == store_id)
    if store is None:
        raise NotFound(
            f"There is no store {store_id[:64]!r}.", "A store is known once a file has named it."
        )
    return store


def _read_stored(store: Store) -> list[tuple[int, int, int]]:
    query = BusinessHours.select(
        BusinessHours.day_of_week, BusinessHours.start_time, BusinessHours.end_time
    ).where(BusinessHours.store == store.id)
    return sorted(set(database.tuples(query)))
