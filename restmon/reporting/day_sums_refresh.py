"""Brings the stored day sums up to date with polls and hours, a step at a time.

A step reads one state of the data, and writes what it made in one transaction with what it stands
for (`DaySumsState`). So a worker may die at any point, and of two workers at once the second one's
step is dropped::

    first                  done_from                 last
      |----- to be made ------|------- done -----------|
                     <-- 14 --|            <- changed ->
              a step makes the dates before those that are done, and
              makes the changed stores and dates of the done ones again

What changed is known from the revisions, and from the fingerprints of the stores' hours:

1. Polls from ``t`` on changed. A store's time then changed from its last observation before ``t``
   on; without one, all of it. For most stores that is within the day before ``t``.
2. The hours of a store changed: all of its days.
3. If polls were removed, or there is too much for one step: everything.
"""

import logging
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from restmon.core.hours import open_intervals
from restmon.core.instants import DAY, SECOND
from restmon.core.observations import are_observations
from restmon.logs import event
from restmon.reporting.day_measures import (
    StoreDays,
    find_first_date,
    find_last_date,
    measure_days,
)
from restmon.reporting.last_observations import BEGINNING, last_observations
from restmon.reporting.schedule_fingerprints import make_fingerprints
from restmon.reporting.snapshot import (
    FOR_EVER,
    Stores,
    cache,
    changes_since,
    current_revision,
    read_stores,
)
from restmon.reporting.window_lines import STORE_DAYS_AT_ONCE, Reading, read_ranges
from restmon.reporting.windows import find_midnights
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.day_sums import (
    COLUMNS,
    THE_STATE,
    DayRow,
    pack_fingerprints,
    read_days,
    read_state,
    unpack_fingerprints,
)
from restmon.storage.models import DaySums, DaySumsState

log = logging.getLogger("restmon.history")
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

DAYS_KEPT = 400
"""13 months, and a little more."""
MOST_STORE_DAYS = 600_000
"""More changed days of stores than this are not patched; all is made again."""
FORMAT = 2
"""Counted up when the same polls give other sums."""
BUSY_SECONDS = 120
NEVER_MADE = -1


@dataclass(frozen=True)
class Standing:
    """What sums stand for; see `DaySumsState`. ``last`` is the last date, ``stores`` and
    ``fingerprints`` those of the data."""

    revision: int
    as_of: int
    basis: str
    stores: Stores
    fingerprints: Ints
    first: int
    last: int


def is_current() -> bool:
    """Whether all day sums are those of the newest data."""
    with database.reading():
        state = read_state()
        as_of = cache.newest_poll()
        if state is None or as_of is None:
            return state is None and as_of is None
        return (
            state.revision == current_revision()
            and state.as_of == as_of
            and state.basis == _basis()
            and state.done_from <= state.first
        )


def refresh(most_steps: int | None = None) -> int:
    """Bring the day sums up to date, in at most so many steps (None: as many as it takes). Returns
    how many steps it took. Does nothing while another worker is at it."""
    steps = 0
    while steps != most_steps and not is_current() and _take():
        _step()
        steps += 1
    if steps:
        event(log, "day_sums", steps=steps)
    return steps


def _basis() -> str:
    return f"{FORMAT}:{get_settings().covered_minutes}"


def _take() -> bool:
    """Say that this worker is at it. False where another one is."""
    with database.updating():
        moment = database.clock()
        state = read_state()
        until = moment + BUSY_SECONDS * SECOND
        if state is None:
            DaySumsState.create(
                id=THE_STATE,
                revision=NEVER_MADE,
                as_of=0,
                first=0,
                done_from=1,
                basis="",
                schedules=b"",
                busy_until=until,
            )
            return True
        if state.busy_until is not None and moment < state.busy_until <= until:
            return False
        DaySumsState.update(busy_until=until).where(DaySumsState.id == THE_STATE).execute()
        return True


@dataclass(frozen=True)
class Made:
    """What a step made of the ``old`` state: the packed ``rows`` by date, and what all rows from
    ``done_from`` on stand for then (None: there are no polls any more)."""

    old: DaySumsState
    new: Standing | None
    rows: dict[int, bytes]
    done_from: int


def _step() -> None:
    made = _prepare()
    if made is not None:
        with database.updating():
            _write(made)


def _prepare() -> Made | None:
    with database.reading():
        old = read_state()
        if old is None:
            return None
        as_of = database.newest_poll()
        if as_of is None:
            return Made(old, None, {}, 0)
        new = _read_standing(as_of)
        return Made(old, new, *_make(old, new))


def _write(made: Made) -> None:
    """Write what was made, unless another worker was faster."""
    old, new = made.old, made.new
    mine = (
        (DaySumsState.id == THE_STATE)
        & (DaySumsState.revision == old.revision)
        & (DaySumsState.as_of == old.as_of)
        & (DaySumsState.done_from == old.done_from)
        & (DaySumsState.first == old.first)
    )
    if new is None:
        if DaySumsState.delete().where(mine).execute():
            DaySums.delete().execute()
        return
    values = {
        "revision": new.revision,
        "as_of": new.as_of,
        "first": new.first,
        "done_from": made.done_from,
        "basis": new.basis,
        "schedules": pack_fingerprints(new.stores.rows, new.fingerprints),
        "busy_until": None,
    }
    if not DaySumsState.update(**values).where(mine).execute():
        return
    outside = (DaySums.date < new.first) | (DaySums.date > new.last)
    DaySums.delete().where(outside | DaySums.date.in_(list(made.rows))).execute()
    for date, data in made.rows.items():
        DaySums.create(date=date, data=data)


def _read_standing(as_of: int) -> Standing:
    stores = read_stores()
    last = find_last_date(stores, as_of)
    oldest = database.oldest_poll()
    first = last if oldest is None else find_first_date(stores, min(oldest, as_of))
    return Standing(
        current_revision(),
        as_of,
        _basis(),
        stores,
        make_fingerprints(stores.schedule),
        max(first, last - DAYS_KEPT + 1),
        last,
    )


def _make(old: DaySumsState, new: Standing) -> tuple[dict[int, bytes], int]:
    """The rows that this step writes, packed, and the date from which on all are done then."""
    done_from = max(old.done_from, new.first)
    begin = _find_changed(old, new) if old.basis == new.basis else None
    rows: dict[int, bytes] = {}
    order = np.argsort(new.stores.rows)
    if begin is None or old.done_from > new.last:
        done_from = new.last + 1
    else:
        rows = _patch(np.maximum(begin, done_from), new, order)
    if done_from > new.first:
        days = max(STORE_DAYS_AT_ONCE // max(len(new.stores.ids), 1), 1)
        earlier = max(new.first, done_from - days)
        made = measure_days(
            new.stores,
            np.full(len(new.stores.ids), earlier),
            done_from - 1,
            Reading(new.as_of),
        )
        for k, date in enumerate(made.dates.tolist()):
            rows[date] = _row_of(made, k, new.stores.rows, order).pack()
        done_from = earlier
    return rows, done_from


def _row_of(made: StoreDays, k: int, rows: Ints, order: Ints) -> DayRow:
    return DayRow(rows[order], *(getattr(made, name)[order, k] for name in COLUMNS))


def _patch(begin: Ints, new: Standing, order: Ints) -> dict[int, bytes]:
    """The rows of the dates from each store's first changed one (``begin``) on, packed."""
    if not (begin <= new.last).any():
        return {}
    how = Reading(new.as_of)
    parts = []
    # Those that changed in the same few days are measured together.
    early = begin < np.median(begin[begin <= new.last]) - 2
    for mask in (early, ~early & (begin <= new.last)):
        if mask.any():
            made = measure_days(new.stores.chosen(mask), begin[mask], new.last, how)
            parts.append((np.flatnonzero(mask), made))
    lowest = min(made.first for _, made in parts)
    stored = dict(read_days(lowest, new.last)) if new.last - lowest < 3 else None
    return {
        date: _patch_row(date, begin, parts, new, order, stored)
        for date in range(lowest, new.last + 1)
    }


def _patch_row(
    date: int,
    begin: Ints,
    parts: list[tuple[Ints, StoreDays]],
    new: Standing,
    order: Ints,
    stored: dict[int, DayRow] | None,
) -> bytes:
    rows = new.stores.rows
    found = dict(read_days(date, date)) if stored is None else stored
    former = found.get(date, DayRow.zero(np.empty(0, np.int64))).of(rows[order])
    row = replace(former, **{name: getattr(former, name).copy() for name in COLUMNS})
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    for chosen, made in parts:
        if date < made.first:
            continue
        mine = begin[chosen] <= date
        at = place[chosen[mine]]
        for name in COLUMNS:
            getattr(row, name)[at] = getattr(made, name)[mine, date - made.first]
    return row.pack()


def _find_changed(old: DaySumsState, new: Standing) -> Ints | None:
    """The first date of each store (int64, shape (stores,)) whose time may have changed, after the
    last date where none has. None: everything is to be made again."""
    if old.revision == NEVER_MADE:
        return None
    changes = changes_since(old.revision)
    if changes is None or any(rebuild for *_, rebuild in changes):
        return None
    begin = np.full(len(new.stores.ids), new.last + 1, np.int64)
    starts = [polls_from for _, polls_from, _, _ in changes if polls_from is not None]
    if new.as_of != old.as_of:
        starts.append(min(new.as_of, old.as_of) + 1)
    if starts:
        t = min(starts)
        begin = _find_changed_by_polls(new, t)
    begin[~_have_same_hours(bytes(old.schedules), new)] = new.first
    if int(np.maximum(new.last + 1 - np.maximum(begin, new.first), 0).sum()) > MOST_STORE_DAYS:
        return None
    return begin


def _have_same_hours(schedules: bytes, new: Standing) -> Flags:
    """Whether each store has the hours of which the fingerprint was packed."""
    known, former = unpack_fingerprints(schedules)
    if not len(known):
        return np.zeros(len(new.stores.rows), bool)
    order = np.argsort(known)
    at = order[np.minimum(np.searchsorted(known[order], new.stores.rows), len(known) - 1)]
    return (known[at] == new.stores.rows) & (former[at] == new.fingerprints)


def _find_changed_by_polls(new: Standing, t: int) -> Ints:
    """The first date of each store whose time may have changed where polls from ``t`` on did."""
    stores, count = new.stores, len(new.stores.ids)
    day = _earliest_date(t - DAY)
    begin = np.full(count, day, np.int64)
    if day <= new.first:
        return begin
    lo = find_midnights(day, stores.zones)[stores.zone_of_store]
    near = read_ranges(stores, np.arange(count), lo, np.full(count, t))
    intervals = open_intervals(stores.schedule, lo, np.full(count, t))
    has_near = np.zeros(count, bool)
    has_near[near.store[are_observations(intervals, near)]] = True
    unseen = np.flatnonzero(~has_near)
    n, _, _ = database.last_polls_in_ranges(
        stores.rows[unseen], np.full(len(unseen), t), np.full(len(unseen), FOR_EVER)
    )
    unseen = unseen[n]
    if len(unseen):
        before = last_observations(stores, unseen, int(lo.max()))
        begin[unseen] = BEGINNING
        begin[before.store] = before.time // DAY - 1
    return np.minimum(begin, day)


def _earliest_date(instant: int) -> int:
    """A date that no zone's clock has passed at an instant."""
    return instant // DAY - 1
