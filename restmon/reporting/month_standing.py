"""How all stores stand against their targets in the month of now, once a revision."""

import numpy as np

from restmon.access.roles import Actor
from restmon.core.instants import as_datetime, day_number
from restmon.reporting.history import DaySource, find_source
from restmon.reporting.scopes import Scope
from restmon.reporting.snapshot import Stores
from restmon.reporting.target_standing import Standing, find_months, judge_stores
from restmon.reporting.window_lines import Reading
from restmon.storage import database
from restmon.stores.targets import have_targets

DAYS_OF_MONTH = 31


def read_month_standing(actor: Actor) -> tuple[Stores, Standing] | None:
    """The stores that the actor sees, and how each stands in the month so far; None while the sums
    that this needs are still to be made, and where nobody has set a target. Raises NoPolls."""
    with database.reading():
        if not have_targets():
            return None
        source = find_source(Scope(actor.groups), DAYS_OF_MONTH)
        if source is None:
            return None
        standing = source.remember("month standing", lambda: _judge(source))
        return source.stores, standing


def _judge(source: DaySource) -> Standing:
    """How the stores of a source stand, by the sums of the days of the month."""
    stores, as_of = source.stores, source.as_of
    first = np.array([_first_of_month(as_of, zone) for zone in stores.zones], np.int64)
    first_of_store = first[stores.zone_of_store]
    used = np.zeros(len(stores.ids), np.int64)
    for date, row in source.read(DAYS_OF_MONTH):
        used += np.where(date >= first_of_store, row.down, 0)
    ends = np.full(len(stores.ids), as_of, np.int64)
    begin, until, _ = find_months(stores, ends, as_of)
    return judge_stores(stores, (begin, until), used, Reading(as_of))


def _first_of_month(as_of: int, zone: str) -> int:
    """The first date of the month that ends at an instant or goes on there."""
    day = as_datetime(as_of - 1, zone).date()
    return day_number(day.replace(day=1))
