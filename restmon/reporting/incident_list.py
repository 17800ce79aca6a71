"""Incidents: many stores down at once, in a window (SEMANTICS.md, "An incident")."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from restmon.core import incidents
from restmon.core.aggregation import Stretches, down_stretches
from restmon.core.incidents import Incidents, Quarters
from restmon.core.instants import DAY, MINUTE, as_datetime
from restmon.core.rounding import divide_half_even
from restmon.core.timeline import NEAREST, Timeline
from restmon.reporting.details_table import COUNT, GROUPS, INSTANT, NUMBER, TEXT, iso_instants
from restmon.reporting.scopes import Scope, choose_as_of, read_scope
from restmon.reporting.snapshot import Stores, cache, current_revision
from restmon.reporting.store_facts import read_group_names
from restmon.reporting.window_lines import Reading, read_lines
from restmon.reporting.windows import LAST_WEEK, Window
from restmon.storage import database

Ints = NDArray[np.int64]

COLUMNS = {
    "incident_id": TEXT,
    "start": INSTANT,
    "end": INSTANT,
    "stores": COUNT,
    "most_down": COUNT,
    "peak_share": NUMBER,
    "minutes_lost": NUMBER,
    "zones": GROUPS,
    "groups": GROUPS,
}
"""The columns of a list of incidents: instants, how many stores each struck and how many were down
at once at most, the highest share of open stores that were down (per cent), the open minutes that
were lost, and the zones and groups it struck most."""
CACHED_DAYS = 8
"""Windows up to this length are answered whatever the number of stores."""
KEPT_DAYS = 32
"""Windows up to this length are cached, because their results are small."""
MOST_NAMED = 3
MINUTE_IN_HUNDREDTHS = 2 * MINUTE // 100


@dataclass(frozen=True)
class FoundIncidents:
    """The ``incidents`` of the ``stores`` in [lo, hi), as of an instant, and the open time that
    each cost its stores (int64 half microseconds)."""

    as_of: int
    lo: int
    hi: int
    stores: Stores
    incidents: Incidents
    lost: Ints = field(repr=False)

    @property
    def ids(self) -> list[str]:
        """The id of each incident: when it began."""
        return [name_incident(start) for start in self.incidents.start.tolist()]


def name_incident(start: int) -> str:
    """The id of the incident of a set of stores that began at an instant."""
    return f"{as_datetime(start):%Y%m%dT%H%MZ}"


def list_incidents(
    scope: Scope,
    window: Window | None = None,
    as_of: int | None = None,
    method: str = NEAREST,
) -> FoundIncidents:
    """The incidents of a scope's stores in a window (None: the last week). Dates and months are
    those of UTC, because quarter hours are on the UTC clock.

    Raises NoPolls, NotFound and BadRequest as `compute_details` does.
    """
    window = window or LAST_WEEK
    with database.reading():
        instant = choose_as_of(scope, as_of)
        lo, hi = window.of_all(instant)
        stores = read_scope(scope)
        return find_among(stores, scope, (lo, hi), Reading(instant, method))


def find_among(
    stores: Stores, scope: Scope, window: tuple[int, int], how: Reading
) -> FoundIncidents:
    """The incidents of the scope's ``stores`` in a window. The caller holds a read transaction."""
    lo, hi = window
    if hi - lo > KEPT_DAYS * DAY:
        return _find(stores, window, how)
    key = kept_name(scope, window, how)
    return cache.remember(current_revision(), key, lambda: _find(stores, window, how))


def kept_name(scope: Scope, window: tuple[int, int], how: Reading) -> Hashable:
    """By what the incidents of a scope in a window are remembered (`SnapshotCache.remember`)."""
    return "incidents", scope, window, how


def _find(stores: Stores, window: tuple[int, int], how: Reading) -> FoundIncidents:
    lo, hi = window
    count = len(stores.ids)
    pieces = read_lines(stores, np.full(count, lo), np.full(count, hi), how)
    return gather(stores, window, how.as_of, ((piece.first, piece.line) for piece in pieces))


def find_in_line(
    stores: Stores, line: Timeline, window: tuple[int, int], as_of: int
) -> FoundIncidents:
    """The incidents of the stores in a window, of their timeline, which is good in it."""
    return gather(stores, window, as_of, [(0, line)])


def gather(
    stores: Stores, window: tuple[int, int], as_of: int, pieces: Iterable[tuple[int, Timeline]]
) -> FoundIncidents:
    """The incidents in the timelines of all of the stores: each, good in the window, with the place
    of its first."""
    lo, hi = window
    start = np.arange(-(-lo // incidents.QUARTER), -(-hi // incidents.QUARTER))
    down, opened = np.zeros(len(start), np.int64), np.zeros(len(start), np.int64)
    at_instants, fallen = [], []
    for first, line in pieces:
        counted = incidents.count_quarters(line, lo, hi)
        down += counted.down
        opened += counted.open
        at_instants.append(_moved(incidents.down_at_instants(line), first))
        fallen.append(_moved(down_stretches(line, lo, hi), first))
    quarters = Quarters(start * incidents.QUARTER, down, opened)
    found = incidents.gather_incidents(quarters, _joined(at_instants))
    lost = incidents.measure_lost_time(found, _joined(fallen))
    return FoundIncidents(as_of, lo, hi, stores, found, lost)


def _moved(found: Stretches, first: int) -> Stretches:
    return Stretches(found.store + first, found.start, found.end)


def _joined(parts: list[Stretches]) -> Stretches:
    nothing = np.empty(0, np.int64)
    return Stretches(
        *(
            np.concatenate([nothing, *(getattr(part, name) for part in parts)])
            for name in ("store", "start", "end")
        )
    )


def make_rows(found: FoundIncidents, seen: frozenset[int] | None) -> list[list[object]]:
    """The rows of COLUMNS. Names only groups among ``seen`` (row ids; None: all). Zones and groups
    are texts such as ``America/Chicago (12)``, with the number of stores that were down."""
    events = found.incidents
    with database.reading():
        groups = read_group_names(found.stores, seen) if len(events.start) else []
    zones = [[found.stores.zones[zone]] for zone in found.stores.zone_of_store.tolist()]
    struck = np.split(events.store, np.searchsorted(events.incident, np.arange(1, len(found.ids))))
    share = [round(100 * share, 2) for share in events.peak_share.tolist()]
    minutes = divide_half_even(found.lost, MINUTE_IN_HUNDREDTHS) / 100
    columns = (
        found.ids,
        iso_instants(events.start),
        iso_instants(events.end),
        [len(stores) for stores in struck],
        events.most_down.tolist(),
        share,
        minutes.tolist(),
        [_most(zones, stores) for stores in struck],
        [_most(groups, stores) for stores in struck],
    )
    return [list(row) for row in zip(*columns, strict=False)]


def _most(names: list[list[str]], struck: Ints) -> list[str]:
    """The names that most of the stores have, with their numbers."""
    counts: dict[str, int] = {}
    for store in struck.tolist():
        for name in names[store]:
            counts[name] = counts.get(name, 0) + 1
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [f"{name} ({count})" for name, count in order[:MOST_NAMED]]
