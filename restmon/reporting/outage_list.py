"""Lists outages with their duration, cause and lost sales (SEMANTICS.md, "An outage")."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peewee import chunked

from restmon.core.aggregation import Stretches
from restmon.core.instants import DAY, HOUR, MINUTE
from restmon.core.outage_statistics import UNKNOWN, Reasons, find_causes
from restmon.core.outages import DownRuns, find_down_runs, find_outages
from restmon.core.rounding import divide_half_even
from restmon.core.timeline import NEAREST, Timeline
from restmon.core.zone_offsets import zone_offsets
from restmon.reporting.current_status import NEVER
from restmon.reporting.details_table import (
    INSTANT,
    LOCAL,
    NUMBER,
    TEXT,
    YES_OR_NO,
    iso_instants,
)
from restmon.reporting.incident_list import CACHED_DAYS, FoundIncidents, find_among, name_incident
from restmon.reporting.scopes import Scope, choose_as_of, read_scope
from restmon.reporting.snapshot import Stores, cache, current_revision
from restmon.reporting.store_facts import Sales, read_names, read_sales
from restmon.reporting.window_lines import Reading, WindowLine, read_lines
from restmon.reporting.windows import LAST_WEEK, Window
from restmon.storage import database
from restmon.storage.models import PollReason

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

COLUMNS = {
    "store_id": TEXT,
    "name": TEXT,
    "zone": TEXT,
    "start": INSTANT,
    "end": INSTANT,
    "start_local": LOCAL,
    "end_local": LOCAL,
    "ongoing": YES_OR_NO,
    "open_minutes": NUMBER,
    "cause": TEXT,
    "incident_id": TEXT,
    "lost_sales": NUMBER,
    "last_up_poll": INSTANT,
    "first_down_poll": INSTANT,
    "last_down_poll": INSTANT,
    "next_up_poll": INSTANT,
}
"""The columns of a list of outages. An outage that goes on has no end. The first two polls decided
its start, the last two its end. A missing poll is empty."""
MINUTE_IN_HUNDREDTHS = 2 * MINUTE // 100
STORES_AT_ONCE = 500


@dataclass(frozen=True)
class OutageArrays:
    """Outages, sorted by store, then start: arrays of one length.

    ``store`` is a place among the stores; ``start``, ``end`` and the polls are instants, NEVER
    where there is none; ``open_time`` is in half microseconds; ``cause`` is a text, or None;
    ``incident`` is the start of the incident that the store was part of then, or NEVER; ``lost``
    are the lost sales, NaN where there is no estimate.
    """

    store: Ints
    start: Ints
    end: Ints
    open_time: Ints
    ongoing: Flags
    last_up: Ints
    first_down: Ints
    last_down: Ints
    next_up: Ints
    cause: NDArray[np.object_]
    incident: Ints
    lost: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.store)

    def where(self, mask: Flags) -> "OutageArrays":
        """Return those of a mask."""
        return OutageArrays(*(getattr(self, field.name)[mask] for field in fields(self)))


_KINDS: tuple[Any, ...] = (
    *((np.int64,) * 4),
    bool,
    *((np.int64,) * 4),
    object,
    np.int64,
    np.float64,
)
"""The dtypes of the fields of `OutageArrays`."""


@dataclass(frozen=True)
class FoundOutages:
    """The outages of the ``stores``, which have ``names``, that overlap a window, as of an
    instant."""

    as_of: int
    window: Window
    stores: Stores
    names: list[str | None]
    outages: OutageArrays

    def filtered(self, ongoing: bool | None, min_minutes: float) -> OutageArrays:
        """The outages that go on (or, for False, have ended) and have lasted at least so many open
        minutes."""
        found = self.outages
        mask = found.open_time >= 2 * MINUTE * min_minutes
        if ongoing is not None:
            mask &= found.ongoing == ongoing
        return found.where(mask)


def find_outages_in(
    scope: Scope,
    window: Window | None = None,
    as_of: int | None = None,
    method: str = NEAREST,
) -> FoundOutages:
    """The outages of a scope's stores that overlap a window (None: the last week). None is cut at
    its edges.

    For a group or all stores, an outage has the incident of these stores that it was part of, if
    any. Raises NoPolls, NotFound and BadRequest as `compute_details` does.
    """
    window = window or LAST_WEEK
    with database.reading():
        instant = choose_as_of(scope, as_of)
        stores = read_scope(scope)
        lo, hi = window.of_stores(instant, stores.zones, stores.zone_of_store)
        how = Reading(instant, method, runs=False)
        incidents = None
        if scope.store is None and len(lo):
            span = window.of_all(instant)
            incidents = find_among(stores, scope, span, Reading(instant, method))

        def find() -> FoundOutages:
            found = _find(stores, (lo, hi), how, incidents)
            return FoundOutages(instant, window, stores, read_names(stores), found)

        if len(lo) and int((hi - lo).max()) > CACHED_DAYS * DAY:
            return find()
        return cache.remember(current_revision(), ("outages", scope, window, how), find)


def find_ongoing(stores: Stores, how: Reading) -> OutageArrays:
    """The outages of the stores that go on at ``as_of``, without their incidents. The caller holds
    a read transaction."""
    count = len(stores.ids)
    window = np.full(count, how.as_of - HOUR), np.full(count, how.as_of)
    found = _find(stores, window, how, None)
    return found.where(found.ongoing)


def _find(
    stores: Stores, window: tuple[Ints, Ints], how: Reading, incidents: FoundIncidents | None
) -> OutageArrays:
    sales = read_sales(stores)
    parts = [
        _find_in_piece(piece, how, sales.of_range(piece.first, piece.first + len(piece.lo)))
        for piece in read_lines(stores, *window, how)
    ]
    joined: dict[str, Any] = {
        field.name: np.concatenate([np.empty(0, kind), *(getattr(p, field.name) for p in parts)])
        for field, kind in zip(fields(OutageArrays), _KINDS, strict=True)
    }
    if incidents is not None:
        joined["incident"] = _find_incident(
            joined["store"], joined["start"], joined["end"], incidents
        )
    return OutageArrays(**joined)


def _find_in_piece(piece: WindowLine, how: Reading, sales: Sales) -> OutageArrays:
    line, window = piece.line, (piece.lo, piece.hi)
    found = find_outages(line, how.as_of, *window)
    runs = find_down_runs(line, how.as_of, *window)
    n, interval, begin, end = line.clock.cut(runs.begin, runs.end)
    down = Stretches(
        n,
        line.clock.doubled_instants(interval, begin),
        line.clock.doubled_instants(interval, end),
    )
    last_up, next_up = _polls_around(line, runs)
    first_down = line.time[runs.first]
    return OutageArrays(
        found.store + piece.first,
        found.start,
        found.end,
        found.open_time,
        found.ongoing,
        last_up,
        first_down,
        line.time[runs.last],
        np.where(found.ongoing, NEVER, next_up),
        _find_causes(piece, how, first_down),
        np.full(len(found), NEVER, np.int64),
        sales.estimate_lost(piece.stores, found.store, down),
    )


def _polls_around(line: Timeline, runs: DownRuns) -> tuple[Ints, Ints]:
    """The observations of the same store before and after each run; NEVER if there is none."""
    before, after = runs.first - 1, runs.last + 1
    place = np.maximum(before, 0)
    has_before = (before >= 0) & (line.store[place] == runs.store)
    last_up = np.where(has_before, line.time[place], NEVER)
    place = np.minimum(after, max(len(line.store) - 1, 0))
    has_after = (after < len(line.store)) & (line.store[place] == runs.store)
    return last_up, np.where(has_after, line.time[place], NEVER)


def _find_causes(piece: WindowLine, how: Reading, first_down: Ints) -> NDArray[np.object_]:
    """The cause of each outage of a piece, None if no poll gave one."""
    line = piece.line
    owner = find_outages(line, how.as_of, piece.lo, piece.hi).store
    causes = np.full(len(owner), None, object)
    if not len(owner):
        return causes
    since = int(first_down.min())
    rows = list(_read_reasons(piece.stores, np.unique(owner), since, how.as_of))
    if not rows:
        return causes
    rows.sort(key=lambda row: row[:2])
    store, time = (np.array(column, np.int64) for column in list(zip(*rows, strict=True))[:2])
    said = Reasons(store, time, np.arange(len(rows)))
    for n, code in enumerate(find_causes(line, how.as_of, piece.lo, piece.hi, said).tolist()):
        if code != UNKNOWN:
            causes[n] = rows[code][2]
    return causes


def _read_reasons(
    stores: Stores, some: Ints, since: int, until: int
) -> Iterator[tuple[int, int, str]]:
    """(store, time, reason) of the polls of some stores in a range of time."""
    place = {int(stores.rows[store]): store for store in some.tolist()}
    if not PollReason.select(PollReason.store).limit(1).exists():
        return
    for rows in chunked(sorted(place), STORES_AT_ONCE):
        query = PollReason.select(PollReason.store, PollReason.timestamp, PollReason.reason).where(
            PollReason.store.in_(rows) & PollReason.timestamp.between(since, until)
        )
        for row, time, reason in database.tuples(query):
            yield place[row], time, reason


def _find_incident(store: Ints, start: Ints, end: Ints, found: FoundIncidents) -> Ints:
    """The start of the first incident that each outage was part of, or NEVER."""
    events = found.incidents
    result = np.full(len(store), NEVER, np.int64)
    if not len(events.store) or not len(store):
        return result
    # Pairs are sorted by store, then incident. Later incidents of a store end later.
    pairs = np.lexsort((events.incident, events.store))
    of_store, incident = events.store[pairs], events.incident[pairs]
    span = len(events.start) + 1
    key = of_store * span + incident
    earliest = np.searchsorted(events.end, start, "right")
    at = np.minimum(np.searchsorted(key, store * span + earliest), len(key) - 1)
    part = (of_store[at] == store) & (incident[at] >= earliest) & (events.start[incident[at]] < end)
    result[part] = events.start[incident[at[part]]]
    return result


def make_rows(found: FoundOutages, chosen: OutageArrays) -> list[list[Any]]:
    """The rows of COLUMNS of some of the outages."""
    zones = found.stores.zone_of_store[chosen.store]
    ended = ~chosen.ongoing
    minutes = divide_half_even(chosen.open_time, MINUTE_IN_HUNDREDTHS) / 100
    columns: list[list[Any]] = [
        [found.stores.ids[store] for store in chosen.store.tolist()],
        [found.names[store] for store in chosen.store.tolist()],
        [found.stores.zones[zone] for zone in zones.tolist()],
        iso_instants(chosen.start),
        iso_instants(chosen.end, ended),
        local_texts(chosen.start, zones, found.stores.zones, np.ones(len(ended), bool)),
        local_texts(chosen.end, zones, found.stores.zones, ended),
        chosen.ongoing.tolist(),
        minutes.tolist(),
        chosen.cause.tolist(),
        [None if start == NEVER else name_incident(start) for start in chosen.incident.tolist()],
        [None if np.isnan(lost) else round(lost, 2) for lost in chosen.lost.tolist()],
    ]
    for polls in (chosen.last_up, chosen.first_down, chosen.last_down, chosen.next_up):
        columns.append(iso_instants(polls, polls != NEVER))
    return [list(row) for row in zip(*columns, strict=True)]


def local_texts(instants: Ints, zone_of: Ints, zones: list[str], known: Flags) -> list[str | None]:
    """Instants in local time, in ISO 8601 with the offset; None for unknown ones."""
    result: list[str | None] = [None] * len(instants)
    for zone in np.unique(zone_of[known]).tolist():
        mine = np.flatnonzero(known & (zone_of == zone))
        own = instants[mine]
        # Whole days, so that the cached offsets serve the next call.
        offsets = zone_offsets(
            zones[zone], int(own.min()) // DAY * DAY, (int(own.max()) // DAY + 1) * DAY
        )
        offset = offsets.offset[np.searchsorted(offsets.begin, own, "right") - 1]
        texts = np.datetime_as_string((own + offset).astype("datetime64[us]")).tolist()
        for place, text, east in zip(mine.tolist(), texts, offset.tolist(), strict=True):
            result[place] = text + _offset_text(east)
    return result


def _offset_text(east: int) -> str:
    minutes = abs(east) // MINUTE
    return f"{'-' if east < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
