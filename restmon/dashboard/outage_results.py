"""The outages and incidents of a window, computed beside the page where that takes long."""

from collections.abc import Callable, Hashable

from restmon.core.instants import DAY
from restmon.dashboard import background
from restmon.reporting.fleet import Fleet
from restmon.reporting.incident_list import FoundIncidents, list_incidents
from restmon.reporting.outage_list import FoundOutages, find_outages_in
from restmon.reporting.scopes import Scope
from restmon.reporting.windows import LAST_WEEK, Window

AT_ONCE = 30_000
"""So many days of stores are computed in the run of the page."""


def find_outages(
    fleet: Fleet, scope: Scope, window: Window | None
) -> tuple[FoundOutages, FoundIncidents]:
    """The outages and incidents of a scope's stores. Where that takes long, the page says so,
    stops, and runs again when they are there. Raises BadRequest for a window that cannot be."""
    lo, hi = (window or LAST_WEEK).of_all(fleet.as_of)
    key, make = _job(fleet, scope, window)
    if len(fleet.ids) * (hi - lo) > AT_ONCE * DAY:
        background.wait(
            key,
            make,
            f"Counting the outages of {len(fleet.ids):,} stores. It takes a few seconds, and this "
            "page goes on by itself.",
        )
    return make()


def _job(
    fleet: Fleet, scope: Scope, window: Window | None
) -> tuple[Hashable, Callable[[], tuple[FoundOutages, FoundIncidents]]]:
    def make() -> tuple[FoundOutages, FoundIncidents]:
        return (
            find_outages_in(scope, window, fleet.as_of),
            list_incidents(scope, window, fleet.as_of),
        )

    return ("outages", fleet.revision, fleet.as_of, scope, window), make
