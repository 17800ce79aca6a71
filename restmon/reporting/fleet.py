"""The numbers of all stores for the pages: arrays in the order of the report.

They are computed once a revision, from one consistent state; see :class:`Fleet`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from restmon.core import status_now
from restmon.core.aggregation import by_hour, by_weekday_hour, down_stretches, open_stretches
from restmon.core.coverage import covered_stretches, measure_coverage
from restmon.core.instants import DAY, HOUR, MINUTE
from restmon.core.outages import find_outages
from restmon.core.timeline import NEAREST
from restmon.core.uptime import measure_uptime
from restmon.reporting import computation, sources
from restmon.reporting.current_status import (
    NEVER,
    NEVER_OBSERVED,
    find_current_status,
    find_last_polls,
    find_last_status,
)
from restmon.reporting.incident_list import FoundIncidents, find_in_line
from restmon.reporting.kept_results import KeptResults
from restmon.reporting.snapshot import WEEK, SnapshotCache, Source, Stores, current_revision
from restmon.reporting.snapshot import cache as shared_cache
from restmon.settings import get_settings
from restmon.storage import database

Ints = NDArray[np.int64]
Hours = NDArray[np.float32]
Flags = NDArray[np.bool_]
T = TypeVar("T")

WINDOWS = (HOUR, DAY, WEEK)
HOURS_OF_WEEK = 168


@dataclass(frozen=True)
class Present:
    """How every store is at an instant, rows in the order of ``stores.ids``; not to be changed.

    ``open_now`` (bool): open at ``as_of``; ``status`` (int8): UP or DOWN at the store's last open
    moment, or NEVER_OBSERVED. ``down_since`` (int64 microseconds, or NEVER where it is not down
    now) is when that outage began, exact only inside the week: of an older one it is an instant in
    it before the week. ``last_poll`` (int64 microseconds, or NEVER) and ``last_poll_status`` (int8,
    1 = active, -1 where there is none) are of any poll at or before ``as_of``, also outside
    business hours. ``status_now`` (int8, `core.status_now`): what is shown as the store's status.
    ``incidents`` are those of all of these stores in the week, also after `chosen`.
    """

    revision: int
    as_of: int
    method: str
    stores: Stores
    open_now: Flags
    status: NDArray[np.int8]
    down_since: Ints
    last_poll: Ints
    last_poll_status: NDArray[np.int8]
    status_now: NDArray[np.int8]
    incidents: FoundIncidents

    def chosen(self, mask: Flags) -> Self:
        """The stores of the mask alone."""
        parts: dict[str, Any] = {
            name: value[mask]
            for name, value in vars(self).items()
            if isinstance(value, np.ndarray) and name != "hour_edges"
        }
        return replace(self, stores=self.stores.chosen(mask), **parts)

    @property
    def ids(self) -> list[str]:
        """The stores' ids."""
        return self.stores.ids

    @property
    def zones(self) -> NDArray[np.object_]:
        """The name of each store's zone."""
        return np.array(self.stores.zones, object)[self.stores.zone_of_store]

    @property
    def observed(self) -> Flags:
        """Whether each store has an observation at or before ``as_of``."""
        return self.status != NEVER_OBSERVED

    @property
    def down_now(self) -> Flags:
        """Whether each store is down at ``as_of``: it is open, and its polls come in."""
        return self.status_now == status_now.DOWN


@dataclass(frozen=True)
class Fleet(Present):
    """How every store is, and was in the week before, as of one instant; not to be changed.

    ``up`` and ``down`` are int64 of shape (stores, 3), half microseconds, exact: the report's
    last hour, day and week; ``up_before`` and ``down_before`` the equal periods just before
    those. ``hour_edges`` are the 169 instants (int64 microseconds) of the week's elapsed hours,
    ``up_by_hour`` and ``down_by_hour`` float32 hours of shape (stores, 168) between them.
    ``down_by_weekday_hour`` and ``open_by_weekday_hour`` are the week's float32 hours of shape
    (stores, 7, 24), by what the clock in the store's own zone shows, Monday 00:00 first.

    ``open_time`` and ``covered`` (int64 half microseconds, shape (stores, 3)) are the windows' open
    time, and how much of it was seen (SEMANTICS.md, "Coverage"), also of stores that were never
    observed; ``covered_by_hour`` are the week's float32 hours that were seen.
    ``outages`` (int64) is how many overlap the week. ``zone_assumed`` and ``hours_assumed`` (bool):
    the store has none of its own (SEMANTICS.md, "Open intervals"); ``hours_unreadable`` (bool):
    those it has could not be read ("Bad lines").

    A store that was never observed has no time at all, neither up nor down nor open.
    ``oldest_poll`` is the earliest poll of the two weeks (and of the day before them).
    ``incidents`` are those of all of these stores in the week, also after `chosen`. ``kept`` has
    what pages made of this fleet; another fleet, such as one that `chosen` returns, has its own.
    """

    up: Ints
    down: Ints
    up_before: Ints
    down_before: Ints
    hour_edges: Ints
    up_by_hour: Hours
    down_by_hour: Hours
    down_by_weekday_hour: Hours
    open_by_weekday_hour: Hours
    open_time: Ints
    covered: Ints
    covered_by_hour: Hours
    outages: Ints
    zone_assumed: Flags
    hours_assumed: Flags
    hours_unreadable: Flags
    oldest_poll: int | None
    kept: KeptResults = field(default_factory=KeptResults, init=False, repr=False, compare=False)

    @property
    def share(self) -> NDArray[np.float64]:
        """Each store's uptime of the week ÷ its open time; NaN without open time."""
        return shares(self.up[:, 2], self.down[:, 2])

    @property
    def coverage(self) -> NDArray[np.float64]:
        """How much of each store's open time of the week was seen, nan where there was none."""
        open_time, covered = self.open_time[:, 2], self.covered[:, 2]
        return shares(covered, open_time - covered)

    @property
    def has_before(self) -> tuple[bool, bool, bool]:
        """Whether the polls go back far enough to compare the last hour, day and week with the
        period before: to its beginning, or to within an hour of it."""
        oldest = self.oldest_poll
        hour, day, week = (
            oldest is not None and oldest <= self.as_of - 2 * window + HOUR for window in WINDOWS
        )
        return hour, day, week


def shares(up: NDArray, down: NDArray) -> NDArray[np.float64]:
    """Uptime ÷ (uptime + downtime), float64, nan where both are 0. Arrays of one shape."""
    total = np.add(up, down, dtype=np.float64)
    return np.divide(up, total, out=np.full(total.shape, np.nan), where=total > 0)


def compute_fleet(
    as_of: int | None = None,
    method: str = NEAREST,
    cache: SnapshotCache = shared_cache,
    groups: frozenset[int] | None = None,
) -> Fleet:
    """The stores in some groups (row ids; None: all stores) as of an instant (None: the newest poll
    of these stores). Returns the same object until the data change.

    Raises NoPolls if there is no such poll, BadRequest for an unknown method.
    """
    return _once("fleet", _compute, (as_of, method, groups), cache)


def compute_present(
    as_of: int | None = None,
    method: str = NEAREST,
    cache: SnapshotCache = shared_cache,
    groups: frozenset[int] | None = None,
) -> Present:
    """What `compute_fleet` says of the present, in a third of the time. Raises as it does."""
    return _once("present", _compute_present, (as_of, method, groups), cache)


def _once(
    name: str,
    compute: Callable[[int, int, str, Source], T],
    asked: tuple[int | None, str, frozenset[int] | None],
    cache: SnapshotCache,
) -> T:
    as_of, method, groups = asked
    computation.check_method(method)
    with database.reading():
        revision = current_revision()
        source = sources.choose_source(groups, cache)
        instant = source.newest_poll() if as_of is None else as_of
        if instant is None:
            raise computation.explain_no_polls()
        return cache.remember(
            revision,
            (name, instant, method, groups),
            lambda: compute(revision, instant, method, source),
        )


def _compute_present(revision: int, as_of: int, method: str, source: Source) -> Present:
    """Compute the present in the caller's read transaction."""
    found = computation.read_history(as_of, method, 2 * WEEK, cache=source)
    return _find_present(revision, as_of, method, found)


def _find_present(revision: int, as_of: int, method: str, found: computation.History) -> Present:
    stores, line = found.stores, found.line
    begin = as_of - WEEK
    last_poll, last_poll_status = find_last_polls(stores, found.polls, as_of)
    fell = find_outages(line, as_of, begin)
    # Where the switch to down is at as_of itself, there is no outage yet.
    down_since = np.full(len(stores.ids), as_of, np.int64)
    down_since[fell.store[fell.ongoing]] = fell.start[fell.ongoing]
    shown = find_current_status(stores, found.polls, line, last_poll, as_of)
    down_since[shown != status_now.DOWN] = NEVER
    return Present(
        revision=revision,
        as_of=as_of,
        method=method,
        stores=stores,
        open_now=line.clock.intervals.open_at(as_of),
        status=find_last_status(line),
        down_since=down_since,
        last_poll=last_poll,
        last_poll_status=last_poll_status,
        status_now=shown,
        incidents=find_in_line(stores, line, (begin, as_of), as_of),
    )


def _compute(revision: int, as_of: int, method: str, source: Source) -> Fleet:
    """Compute the fleet in the caller's read transaction."""
    found = computation.read_history(as_of, method, 2 * WEEK, cache=source)
    present = _find_present(revision, as_of, method, found)
    stores, line = found.stores, found.line
    count = len(stores.ids)
    begin = as_of - WEEK

    up, down = measure_uptime(line, as_of, [*WINDOWS, *(2 * window for window in WINDOWS)])
    observed = present.observed

    opened = open_stretches(line.clock.intervals, begin, as_of).of_stores(observed)
    fallen = down_stretches(line, begin, as_of)
    down_by_hour = by_hour(count, fallen, begin, HOURS_OF_WEEK)
    up_by_hour = by_hour(count, opened, begin, HOURS_OF_WEEK)
    up_by_hour -= down_by_hour
    zones = (stores.zone_of_store, stores.zones)

    near = get_settings().covered_minutes * MINUTE
    covered, open_time = (
        np.stack(column, axis=1)
        for column in zip(
            *(
                measure_coverage(line.clock, found.polls, as_of - window, as_of, near)
                for window in WINDOWS
            ),
            strict=True,
        )
    )
    seen = covered_stretches(line.clock, found.polls, begin, as_of, near).of_stores(observed)
    fell = find_outages(line, as_of, begin)

    return Fleet(
        **vars(present),
        up=up[:, :3],
        down=down[:, :3],
        up_before=up[:, 3:] - up[:, :3],
        down_before=down[:, 3:] - down[:, :3],
        hour_edges=begin + HOUR * np.arange(HOURS_OF_WEEK + 1),
        up_by_hour=_hours(up_by_hour),
        down_by_hour=_hours(down_by_hour),
        down_by_weekday_hour=_hours(by_weekday_hour(fallen, *zones, begin, as_of)),
        open_by_weekday_hour=_hours(by_weekday_hour(opened, *zones, begin, as_of)),
        open_time=open_time,
        covered=covered,
        covered_by_hour=_hours(by_hour(count, seen, begin, HOURS_OF_WEEK)),
        outages=np.bincount(fell.store, minlength=count),
        zone_assumed=~stores.zone_given,
        hours_assumed=stores.schedule.hours_assumed,
        hours_unreadable=stores.schedule.hours_unreadable,
        oldest_poll=int(found.polls.time.min()) if len(found.polls.time) else None,
    )


def _hours(half_microseconds: NDArray[np.float64]) -> Hours:
    hours = np.empty(half_microseconds.shape, np.float32)
    return np.divide(half_microseconds, 2 * HOUR, out=hours, casting="same_kind")
