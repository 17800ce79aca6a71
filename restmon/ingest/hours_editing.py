"""Business hours and time zone of one store, edited by hand, under the rules of an import."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from restmon import audit, database, scope
from restmon.checking import PARSERS, rejection
from restmon.csv_reader import BUSINESS_HOURS, LAYOUTS, Rejection
from restmon.errors import BadRequest, NotFound
from restmon.fields import parse_zones
from restmon.models import BusinessHours, Store
from restmon.revisions import new_revision
from restmon.roles import THIS_MACHINE, Actor, Role
from restmon.wording import wall_text

COLUMNS = list(LAYOUTS[BUSINESS_HOURS])[1:]
"""The columns of a row: dayOfWeek, start_time_local, end_time_local."""
MOST_ROWS = 1000


class HoursRejected(BadRequest):
    """Rows of business hours that cannot be kept: ``problems`` has one entry for each bad value
    (``line`` is the row's number, from 1); nothing was changed."""

    def __init__(self, problems: list[Rejection]) -> None:
        first = problems[0]
        more = len(problems) - 1
        others = "" if not more else f" (and {more} more problem{'s' if more > 1 else ''})"
        super().__init__(
            f"Row {first.line}, {first.column} {first.value!r}: {first.reason}{others}.",
            "Mend the rows that are named; nothing was changed.",
        )
        self.problems = problems


@dataclass(frozen=True)
class StoreHours:
    """What is kept of a store: ``zone`` is None where none was given (then America/Chicago);
    ``hours`` has a row for each stretch, the columns dayOfWeek, start_time_local and
    end_time_local as text, by day, then start. No rows: open around the clock."""

    store_id: str
    zone: str | None
    hours: pd.DataFrame


def hours_of(store_id: str) -> StoreHours:
    """The hours and zone of a store, as `set_hours` and `set_zone` take them; raises NotFound."""
    with database.reading():
        store = _get(store_id)
        rows = _stored(store)
    text = [(str(day), wall_text(start), wall_text(end)) for day, start, end in rows]
    return StoreHours(store_id, store.timezone, pd.DataFrame(text, columns=COLUMNS, dtype=object))


def set_hours(store_id: str, rows: Iterable[Sequence[Any]]) -> bool:
    """Make these the only business hours of a store; returns whether something changed.

    ``rows`` are (day, start, end), each as text as in a business-hours file; numbers and
    ``datetime.time`` are written as such text, None and NaN are empty. Rows that are empty as a
    whole are left out, unless all are. No rows: the store is open around the clock.

    Raises NotFound for an unknown store, :class:`HoursRejected` for rows that cannot be kept.
    """
    hours = _checked([tuple(as_text(value) for value in row) for row in rows])
    with database.writing():
        store = _get(store_id)
        if hours == _stored(store):
            return False
        lines = [(store.id, *row) for row in hours]
        database.replace_hours(
            np.array([store.id], np.int64), np.array(lines, np.int64).reshape(-1, 4)
        )
        new_revision(stores_changed=True)
    return True


def set_zone(store_id: str, zone: str | None) -> bool:
    """Set, or with None or "" unset, the time zone of a store; returns whether it changed.

    Raises NotFound for an unknown store, BadRequest for what is no IANA time zone.
    """
    wanted = as_text(zone) or None
    if wanted:
        raw = wanted.encode("utf-8", "replace")
        parsed = parse_zones(pa.array([raw], pa.binary()))
        if not parsed.good[0]:
            raise BadRequest(
                f"Time zone {wanted[:60]!r}: {parsed.reason(raw)}.", "Choose one from the list."
            )
        wanted = str(parsed.values[0])
    with database.writing():
        store = _get(store_id)
        if store.timezone == wanted:
            return False
        Store.update(timezone=wanted).where(Store.id == store.id).execute()
        new_revision(stores_changed=True)
    return True


def save(
    store_id: str,
    rows: Iterable[Sequence[Any]],
    zone: str | None,
    actor: Actor = THIS_MACHINE,
) -> bool:
    """`set_hours` and `set_zone` in one transaction: both, or none where either raises. Raises
    Forbidden, and NotFound where the store is not there for the actor."""
    actor.must(Role.OWNER)
    with database.writing():
        scope.must_see(actor, store_id)
        changed = set_hours(store_id, rows)
        changed = set_zone(store_id, zone) or changed
        if changed:
            audit.note(actor, audit.EDITED, store_id)
        return changed


def as_text(value: Any) -> str:
    """The text of a table's cell: of a whole number without a point, of nothing none."""
    if pd.isna(value):
        return ""
    if isinstance(value, float | np.floating) and value.is_integer():
        return str(int(value))
    if isinstance(value, time):
        return value.isoformat()
    return str(value).strip()


def _checked(rows: list[tuple[str, ...]]) -> list[tuple[int, int, int]]:
    """The distinct rows as (day, start, end), sorted; raises HoursRejected with all problems."""
    if len(rows) > MOST_ROWS:
        raise BadRequest(f"{len(rows):,} rows are too many.", f"Give at most {MOST_ROWS:,}.")
    if any(len(row) != len(COLUMNS) for row in rows):
        raise BadRequest("A row has day, start and end.", "Give all three in each row.")
    numbers = [n for n, row in enumerate(rows) if any(row)] or list(range(len(rows)))
    if not numbers:
        return []
    problems = []
    columns = []
    for i, column in enumerate(COLUMNS):
        values = [rows[n][i].encode("utf-8", "replace") for n in numbers]
        found = PARSERS[column](pa.array(values, pa.binary()))
        columns.append(found.values)
        problems += [
            rejection(numbers[at] + 1, column, values[at], found)
            for at in np.flatnonzero(~found.good).tolist()
        ]
    if problems:
        raise HoursRejected(sorted(problems, key=lambda problem: problem.line))
    return sorted(set(zip(*(column.tolist() for column in columns), strict=True)))


def _get(store_id: str) -> Store:
    store = Store.get_or_none(Store.store_id == store_id)
    if store is None:
        raise NotFound(
            f"There is no store {store_id[:64]!r}.", "A store is known once a file has named it."
        )
    return store


def _stored(store: Store) -> list[tuple[int, int, int]]:
    query = BusinessHours.select(
        BusinessHours.day_of_week, BusinessHours.start_time, BusinessHours.end_time
    ).where(BusinessHours.store == store.id)
    return sorted(set(database.tuples(query)))
