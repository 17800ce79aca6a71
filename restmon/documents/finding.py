"""What a document says: one finding, from which every paper is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.core.instants import DAY
from restmon.core.targets import NO_TARGET, WHOLE
from restmon.core.timeline import NEAREST
from restmon.documents.daily import Daily, measure_daily
from restmon.documents.periods import Period, main_zone, read_period
from restmon.errors import BadRequest
from restmon.reporting import incident_list, outage_list
from restmon.reporting.details import Details, Progress, compute_details
from restmon.reporting.details_table import DetailsTable, make_table
from restmon.reporting.incident_list import FoundIncidents
from restmon.reporting.outage_list import FoundOutages
from restmon.reporting.scopes import Scope, choose_as_of, read_scope
from restmon.reporting.window_lines import Reading
from restmon.storage import database

Ints = NDArray[np.int64]

MOST_WITH_PAGES = 500
"""The most stores of which a document has half a page each."""
MOST_STORE_DAYS = 2_000_000
"""The most days of stores that are charted by day: a year of 5,000 stores."""


@dataclass(frozen=True)
class Question:
    """What a document is asked about.

    ``period`` is in words (`periods`). ``zone`` is the zone on whose calendar the words are read
    (None: that of most stores). ``each_store`` asks for half a page of every store.
    """

    scope: Scope
    period: str
    as_of: int | None = None
    method: str = NEAREST
    zone: str | None = None
    each_store: bool = False


@dataclass(frozen=True)
class Totals:
    """The sums of the stores in a window: half microseconds, and numbers of stores. ``lost`` is
    None where no store has an estimate; ``no_estimate`` is how many have none."""

    stores: int
    open: int
    up: int
    down: int
    covered: int
    outages: int
    never_seen: int
    lost: float | None
    no_estimate: int

    @property
    def has_data(self) -> bool:
        """Whether anything is claimed."""
        return self.up + self.down > 0

    @property
    def was_seen(self) -> bool:
        """Whether any of it was near a poll, and is not only carried over from another time."""
        return self.has_data and self.covered > 0

    @property
    def coverage(self) -> float:
        """The part of the open time that was near a poll; 0 of none."""
        return self.covered / self.open if self.open else 0.0


@dataclass(frozen=True)
class Finding:
    """All that a document says. ``judged`` is how many stores have a target, ``below`` how many of
    them were below it in the window; ``targets`` are the least and the greatest target (per cent),
    None without any. ``worst`` are places of stores, most downtime first. ``daily`` is None where
    the window has too many days of stores to chart."""

    title: str
    zone: str
    period: Period
    details: Details
    table: DetailsTable
    totals: Totals
    before: Totals
    judged: int
    below: int
    targets: tuple[float, float] | None
    worst: list[int]
    incidents: FoundIncidents
    incident_rows: list[list[Any]]
    outages: FoundOutages
    daily: Daily | None
    each_store: bool

    @property
    def as_of(self) -> int:
        """The instant of the finding."""
        return self.details.as_of

    @property
    def count(self) -> int:
        """How many stores it is about."""
        return len(self.details.stores.ids)


def find(asked: Question, progress: Progress = lambda _: None) -> Finding:
    """Read all that a document says, from one consistent state of the data.

    Raises NoPolls, NotFound and BadRequest as `compute_details` does, and BadRequest for half a
    page of each of too many stores.
    """
    with database.reading():
        as_of = choose_as_of(asked.scope, asked.as_of)
        stores = read_scope(asked.scope)
        if asked.each_store:
            check_pages(len(stores.ids))
        zone = asked.zone or main_zone(stores)
        period = read_period(asked.period, as_of, zone)
        window, method = period.window, asked.method
        details = compute_details(
            asked.scope, window, as_of, method, lambda done: progress(0.5 * done)
        )
        before = _sum_up_before(asked, period, as_of)
        progress(0.6)
        incidents = incident_list.list_incidents(asked.scope, window, as_of, method)
        outages = outage_list.find_outages_in(asked.scope, window, as_of, method)
        progress(0.7)
        daily = None
        lo, hi = details.measures.lo, details.measures.hi
        if int((hi - lo).sum()) // DAY + len(lo) <= MOST_STORE_DAYS:
            daily = measure_daily(details.stores, lo, hi, Reading(as_of, method))
        progress(0.8)
        names = incident_list.make_rows(incidents, asked.scope.seen)
    judged, below, targets = _judge(details)
    return Finding(
        title=_title(asked.scope, details),
        zone=zone,
        period=period,
        details=details,
        table=make_table(details),
        totals=sum_up(details),
        before=before,
        judged=judged,
        below=below,
        targets=targets,
        worst=_find_worst(details),
        incidents=incidents,
        incident_rows=names,
        outages=outages,
        daily=daily,
        each_store=asked.each_store,
    )


def check_pages(stores: int) -> None:
    """Raise BadRequest if there are too many stores for half a page of each."""
    if stores > MOST_WITH_PAGES:
        raise BadRequest(
            f"There are {stores:,} stores, and a document has half a page of each of at most "
            f"{MOST_WITH_PAGES}.",
            "Leave the pages of the stores out, or choose a smaller group.",
        )


def _title(scope: Scope, details: Details) -> str:
    if scope.store is not None:
        return details.names[0] or scope.store
    if scope.group is not None:
        return scope.group
    return "All stores" if scope.seen is None else "Your stores"


def _sum_up_before(asked: Question, period: Period, as_of: int) -> Totals:
    """The sums of the period before."""
    try:
        return sum_up(compute_details(asked.scope, period.before, as_of, asked.method))
    except BadRequest:  # it would begin before the epoch
        return Totals(0, 0, 0, 0, 0, 0, 0, None, 0)


def sum_up(details: Details) -> Totals:
    """The sums of all of the stores."""
    m = details.measures
    known = ~np.isnan(m.lost_sales)
    return Totals(
        stores=len(m.open),
        open=int(m.open.sum()),
        up=int(m.up.sum()),
        down=int(m.down.sum()),
        covered=int(m.covered.sum()),
        outages=int(m.outages.sum()),
        never_seen=int(((m.up + m.down == 0) & (m.open > 0)).sum()),
        lost=float(m.lost_sales[known].sum()) if known.any() else None,
        no_estimate=int((~known).sum()),
    )


def _judge(details: Details) -> tuple[int, int, tuple[float, float] | None]:
    """(stores with a target that were observed, those below it in the window, least and greatest
    target)."""
    m, target = details.measures, details.standing.target
    has = target != NO_TARGET
    if not has.any():
        return 0, 0, None
    claimed = m.up + m.down
    judged = has & (claimed > 0)
    # Exact in integers: an hour has 7.2e9 half microseconds, a year of them times a million fits
    # into a float only roughly, so Python's numbers compare.
    below = sum(
        up * WHOLE < wanted * whole
        for up, wanted, whole in zip(
            m.up[judged].tolist(), target[judged].tolist(), claimed[judged].tolist(), strict=True
        )
    )
    ends = float(target[has].min()) / 10_000, float(target[has].max()) / 10_000
    return int(judged.sum()), int(below), ends


def _find_worst(details: Details, most: int = 5) -> list[int]:
    """The places of the stores with the most downtime, only those with any."""
    down = details.measures.down
    order: Sequence[int] = np.argsort(-down, kind="stable")[:most].tolist()
    return [place for place in order if down[place] > 0]
