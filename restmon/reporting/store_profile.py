"""Everything known about one store: its entry in the directory, its hours, and its last week."""

from dataclasses import dataclass

from restmon.access.roles import THIS_MACHINE, Actor
from restmon.core.hours import CLOSED
from restmon.reporting.details import Details, compute_details
from restmon.reporting.scopes import find_scope
from restmon.storage import database
from restmon.storage.models import BusinessHours, StoreDirectory


@dataclass(frozen=True)
class StoreProfile:
    """A store: its ``details`` in the last week (with one row), its ``address`` and
    ``sales_per_hour``, and ``opened_on`` and ``closed_on`` (days since 1970-01-01). The rows of its
    business hours are (day of week, start, end), sorted, in wall-clock microseconds. Both times are
    None on a closed day."""

    details: Details
    address: str | None
    sales_per_hour: float | None
    opened_on: int | None
    closed_on: int | None
    hours: list[tuple[int, int | None, int | None]]


def read_profile(store_id: str, actor: Actor = THIS_MACHINE) -> StoreProfile:
    """The profile of a store. Raises NotFound, also if the actor does not see it, and NoPolls."""
    with database.reading():
        details = compute_details(find_scope(actor, store_id=store_id))
        row = int(details.stores.rows[0])
        entry = StoreDirectory.get_or_none(StoreDirectory.store == row) or StoreDirectory()
        hours = database.tuples(
            BusinessHours.select(
                BusinessHours.day_of_week, BusinessHours.start_time, BusinessHours.end_time
            ).where(BusinessHours.store == row)
        )
    return StoreProfile(
        details,
        entry.address,
        entry.sales_per_hour,
        entry.opened_on,
        entry.closed_on,
        [
            (day, None, None) if start == CLOSED else (day, start, end)
            for day, start, end in sorted(hours)
        ],
    )
