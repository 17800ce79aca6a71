"""How much of a window is answered at once: an answer holds one of the API's few threads."""

from restmon.core.instants import DAY
from restmon.errors import BadRequest
from restmon.reporting.incident_list import CACHED_DAYS
from restmon.reporting.scopes import Scope, choose_as_of, read_scope
from restmon.reporting.windows import LAST_WEEK, Window
from restmon.storage import database

MOST_STORE_DAYS = 450_000
"""A month of 14,000 stores, or 13 months of 1,100. Outages of it took 4.5 s on two busy cores."""


def check_length(scope: Scope, window: Window | None, as_of: int | None) -> None:
    """Raise BadRequest where the stores of a scope are too many for so long a window (None: the
    last week). Up to 8 days are answered whatever their number: these are cached.

    Raises NoPolls, NotFound and BadRequest as `compute_details` does.
    """
    with database.reading():
        instant = choose_as_of(scope, as_of)
        lo, hi = (window or LAST_WEEK).of_all(instant)
        days = -(-(hi - lo) // DAY)
        if days <= CACHED_DAYS or scope.store is not None:
            return
        stores = len(read_scope(scope).ids)
    if days * stores > MOST_STORE_DAYS:
        most = max(MOST_STORE_DAYS // stores, CACHED_DAYS)
        raise BadRequest(
            f"{days} days of {stores:,} stores are too much for one answer.",
            f"Ask for {most} days or less at a time, or for a group or a store; the command line "
            "and reports of a window have no such limit.",
        )
