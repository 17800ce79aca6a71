"""Lists outages with their duration, cause and lost sales (SEMANTICS.md, "An outage")."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.core.aggregation import Stretches, down_stretches
from restmon.core.instants import DAY, HOUR, MINUTE
from restmon.core.outages import DownRuns, find_down_runs, find_outages
from restmon.core.rounding import divide_half_even
from restmon.core.timeline import NEAREST, Timeline
from restmon.core.zone_offsets import zone_offsets
from restmon.reporting.current_status import NEVER
from restmon.reporting.details_table import (
    INSTANT,
    LOCAL,
    NOTES,
    NUMBER,
    TEXT,
    YES_OR_NO,
    iso_instants,
)
from restmon.reporting.incident_list import (
    KEPT_DAYS,
    FoundIncidents,
    find_among,
    gather,
    kept_name,
    name_incident,
)
from restmon.reporting.outage_causes import find_causes_in
from restmon.reporting.outage_notes import match_notes, name_cause, record_note
from restmon.reporting.scopes import Scope, choose_as_of, read_scope
from restmon.reporting.snapshot import Stores, cache, current_revision
from restmon.reporting.store_facts import Sales, read_names, read_sales
from restmon.reporting.window_lines import Reading, WindowLine, read_lines
from restmon.reporting.windows import LAST_WEEK, Window
from restmon.storage import database
from restmon.stores.notes import read_notes

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
    "notes": NOTES,
}
"""The columns of a list of outages. An outage that goes on has no end. The first two polls decided
its start, the last two its end. A missing poll is empty."""
MINUTE_IN_HUNDREDTHS = 2 * MINUTE // 100


@dataclass(frozen=True)
class OutageArrays:
    """Outages, sorted by store, then start: arrays of one length.

    ``store`` is a place among the stores; ``start``, ``end`` and the polls are instants, NEVER
    where there is none; ``open_time`` is in half microseconds; ``cause`` is a text, or None;
    ``incident`` is the start of the incident that the store was part of then, or NEVER; ``lost``
    are the lost sales, NaN where there is no estimate; ``notes`` are tuples of `Note`.
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
    notes: NDArray[np.object_]

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
    object,
)
"""The dtypes of the fields of `OutageArrays`."""


@dataclass(frozen=True)
class StoreCosts:
    """What a window cost each store: its downtime in the window, ``down`` (int64 half
    microseconds), and the estimate of the sales ``lost`` in it (float64, NaN where there is none).
    An outage that reaches beyond the window counts with its part in it."""

    down: Ints
    lost: NDArray[np.float64]

    def of(self, mask: Flags) -> "StoreCosts":
        """Those of some stores."""
        return StoreCosts(self.down[mask], self.lost[mask])


_Part = tuple[OutageArrays, StoreCosts]


@dataclass(frozen=True)
class FoundOutages:
    """The outages of the ``stores``, which have ``names``, that overlap a window, as of an
    instant, and what the window cost each store."""

    as_of: int
    window: Window
    stores: Stores
    names: list[str | None]
    outages: OutageArrays
    costs: StoreCosts

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
        span = window.of_all(instant) if scope.store is None and len(lo) else None

        def find() -> FoundOutages:
            outages, costs = _find_with_incidents(stores, scope, (lo, hi), span, how)
            return FoundOutages(instant, window, stores, read_names(stores), outages, costs)

        if len(lo) and int((hi - lo).max()) > KEPT_DAYS * DAY:
            return _with_notes(find())
        key = ("outages", scope, window, how)
        return _with_notes(cache.remember(current_revision(), key, find))


def find_ongoing(stores: Stores, how: Reading) -> OutageArrays:
    """The outages of the stores that go on at ``as_of``, without their incidents. The caller holds
    a read transaction."""
    count = len(stores.ids)
    window = np.full(count, how.as_of - HOUR), np.full(count, how.as_of)
    found, _ = _find(stores, window, how)
    return add_notes(stores, found.where(found.ongoing))


def find_recent(stores: Stores, how: Reading) -> OutageArrays:
    """The outages of the stores that overlap the last week, without their incidents. The caller
    holds a read transaction."""
    window = LAST_WEEK.of_stores(how.as_of, stores.zones, stores.zone_of_store)
    found, _ = _find(stores, window, how)
    return add_notes(stores, found)


def _with_notes(found: FoundOutages) -> FoundOutages:
    return replace(found, outages=add_notes(found.stores, found.outages))


def add_notes(stores: Stores, outages: OutageArrays) -> OutageArrays:
    """The outages of the stores with their notes, which change without a new revision, and with the
    causes that these give. The caller holds a read transaction."""
    if not len(outages):
        return outages
    place = {row: n for n, row in enumerate(stores.rows.tolist())}
    notes = [(place[note.store], note) for note in read_notes(place, int(outages.start.min()))]
    if not notes:
        return outages
    of_each = match_notes((outages.store, outages.start, outages.end, outages.ongoing), notes)
    cause = outages.cause.copy()
    for n in np.flatnonzero(of_each.astype(bool)).tolist():
        cause[n] = name_cause(cause[n], of_each[n])
    return replace(outages, notes=of_each, cause=cause)


def _find_with_incidents(
    stores: Stores,
    scope: Scope,
    window: tuple[Ints, Ints],
    span: tuple[int, int] | None,
    how: Reading,
) -> tuple[OutageArrays, StoreCosts]:
    """The outages, each with its incident among those in the ``span`` (None: without). Where the
    window of every store is the span, the polls are read once for both."""
    if span is None:
        return _find(stores, window, how)
    name = kept_name(scope, span, replace(how, runs=True))
    same = all((edge == at).all() for edge, at in zip(window, span, strict=True))
    if same and span[1] - span[0] <= KEPT_DAYS * DAY and not cache.keeps(current_revision(), name):
        parts: list[_Part] = []
        pieces = _walk(stores, window, how, parts)
        found = gather(stores, span, how.as_of, pieces)
        incidents = cache.remember(current_revision(), name, lambda: found)
        outages, costs = _join(parts)
    else:
        incidents = find_among(stores, scope, span, replace(how, runs=True))
        outages, costs = _find(stores, window, how)
    part_of = _find_incident(outages.store, outages.start, outages.end, incidents)
    return replace(outages, incident=part_of), costs


def _find(
    stores: Stores, window: tuple[Ints, Ints], how: Reading
) -> tuple[OutageArrays, StoreCosts]:
    """The outages without their incidents."""
    parts: list[_Part] = []
    for _ in _walk(stores, window, how, parts):
        pass
    return _join(parts)


def _walk(
    stores: Stores, window: tuple[Ints, Ints], how: Reading, parts: list[_Part]
) -> Iterator[tuple[int, Timeline]]:
    """Yield the timelines of all of the stores, each with the place of its first, and put what is
    found in each into ``parts``."""
    sales = read_sales(stores)
    for piece in read_lines(stores, *window, how):
        own = sales.of_range(piece.first, piece.first + len(piece.lo))
        parts.append((_find_in_piece(piece, how, own), _measure_costs(piece, own)))
        yield piece.first, piece.line


def _join(parts: list[_Part]) -> tuple[OutageArrays, StoreCosts]:
    joined: dict[str, Any] = {
        field.name: np.concatenate(
            [np.empty(0, kind), *(getattr(outages, field.name) for outages, _ in parts)]
        )
        for field, kind in zip(fields(OutageArrays), _KINDS, strict=True)
    }
    down = np.concatenate([np.empty(0, np.int64), *(costs.down for _, costs in parts)])
    lost = np.concatenate([np.empty(0), *(costs.lost for _, costs in parts)])
    return OutageArrays(**joined), StoreCosts(down, lost)


def _measure_costs(piece: WindowLine, sales: Sales) -> StoreCosts:
    """What the window cost each store of a piece."""
    fallen = down_stretches(piece.line, piece.lo, piece.hi)
    count = len(piece.lo)
    down = np.zeros(count, np.int64)
    np.add.at(down, fallen.store, fallen.end - fallen.start)
    return StoreCosts(down, sales.estimate_lost(piece.stores, np.arange(count), fallen))


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
        find_causes_in(piece, how, first_down),
        np.full(len(found), NEVER, np.int64),
        sales.estimate_lost(piece.stores, found.store, down),
        np.full(len(found), None, object),
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
    columns.append([[record_note(note) for note in of or ()] for of in chosen.notes.tolist()])
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
