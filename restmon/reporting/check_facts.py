"""What the data check looks at: facts of every store, read once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from restmon.access import visibility
from restmon.access.roles import Actor
from restmon.core import hours
from restmon.core.findings import MOST_EXAMPLES, Example, Finding
from restmon.core.hours import ALWAYS
from restmon.core.id_pairs import IdPair, find_pairs
from restmon.core.instants import date_of, from_datetime
from restmon.reporting import last_observations
from restmon.reporting.snapshot import FOR_EVER, Snapshot, Stores, cache
from restmon.storage import database
from restmon.storage.models import HourlySales, StoreDirectory, now

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER = -(2**63)
POLLED, HAS_HOURS, HAS_ZONE, LISTED = 1, 2, 4, 8
"""The feeds that may name a store, as bits."""


@dataclass(frozen=True)
class Facts:
    """What the checks look at. Arrays have an entry for each store, in the order of their ids.

    ``newest`` is the newest poll that is not from the future (an instant, or NEVER). ``future``
    counts the polls from the future, and ``newest_future`` is the last of them. ``directory`` has
    the name (or None) of the stores that stand in the directory, by row id. A store is in business
    from ``opens`` until ``closes``: both are instants of a local midnight.
    """

    at: int
    snapshot: Snapshot
    newest: Ints
    future: Ints
    newest_future: Ints
    directory: dict[int, str | None]
    with_sales: Flags
    opens: Ints
    closes: Ints

    @property
    def stores(self) -> Stores:
        return self.snapshot.stores

    @property
    def ids(self) -> list[str]:
        return self.stores.ids

    @property
    def polled(self) -> Flags:
        return (self.newest != NEVER) | (self.future > 0)

    @property
    def in_business(self) -> Flags:
        return (self.opens <= self.at) & (self.closes > self.at)

    @cached_property
    def names(self) -> list[str | None]:
        return [self.directory.get(row) for row in self.stores.rows.tolist()]

    @cached_property
    def feeds(self) -> Ints:
        """Which feeds name each store, as bits."""
        schedule = self.stores.schedule
        listed = np.fromiter(map(self.directory.__contains__, self.stores.rows.tolist()), bool)
        return (
            POLLED * self.polled
            + HAS_HOURS * ~schedule.hours_assumed
            + HAS_ZONE * self.stores.zone_given
            + LISTED * (listed | self.with_sales)
        )

    @cached_property
    def pairs(self) -> list[IdPair]:
        return find_pairs(self.ids, self.feeds, POLLED)

    @cached_property
    def likely(self) -> dict[str, str]:
        """The id that likely names the same store, of those that have one."""
        alike = [(pair.written, pair.likely) for pair in self.pairs if pair.likely is not None]
        return dict([*((likely, written) for written, likely in alike), *alike])

    def zone_of(self, n: int) -> str:
        return self.stores.zones[self.stores.zone_of_store[n]]

    def finding(
        self,
        code: str,
        mask: Flags,
        message: str,
        action: str,
        detail: Callable[[int], str] = lambda _: "",
        order: Ints | None = None,
    ) -> list[Finding]:
        """The finding about the stores of a mask, or none if the mask is empty.

        ``detail`` describes the store at a place. The examples follow ``order``, an array of all
        places (default: the order of the ids).
        """
        places = np.flatnonzero(mask) if order is None else order[mask[order]]
        if not len(places):
            return []
        examples = tuple(
            Example(self.ids[n], self.likely.get(self.ids[n]), detail(n), self.names[n])
            for n in places[:MOST_EXAMPLES].tolist()
        )
        return [Finding(code, len(places), message, action, examples)]


def collect_facts(actor: Actor) -> Facts:
    """Read the facts of the stores that the actor sees. The caller holds a read transaction."""
    snapshot = cache.get()
    if actor.groups is not None:
        snapshot = snapshot.chosen(visibility.mask_stores(actor.groups, snapshot.stores.ids))
    stores = snapshot.stores
    latest = database.latest_instant()
    names = StoreDirectory.select(StoreDirectory.store, StoreDirectory.name)
    sales = database.tuples(HourlySales.select(HourlySales.store).distinct())
    with_sales = np.isin(stores.rows, np.array([row for (row,) in sales], np.int64))
    opens, closes = _lifespans(stores)
    newest_future, future = _future(stores, latest)
    return Facts(
        at=now(),
        snapshot=snapshot,
        newest=_newest(snapshot, latest),
        future=future,
        newest_future=newest_future,
        directory=dict(database.tuples(names)),
        with_sales=with_sales,
        opens=opens,
        closes=closes,
    )


def _newest(snapshot: Snapshot, latest: int) -> Ints:
    """Each store's newest poll at or before an instant, or NEVER."""
    stores, polls = snapshot.stores, snapshot.polls.between(-FOR_EVER, latest)
    newest = np.full(len(stores.ids), NEVER, np.int64)
    newest[polls.store] = polls.time  # polls are in order of time, so the newest one stays
    missing = np.flatnonzero(newest == NEVER)
    n, time = _last_polls(stores.rows[missing], last_observations.BEGINNING, latest + 1)
    newest[missing[n]] = time
    return newest


def _future(stores: Stores, latest: int) -> tuple[Ints, Ints]:
    """Each store's newest poll after an instant, or NEVER, and how many there are."""
    newest, count = np.full(len(stores.ids), NEVER, np.int64), np.zeros(len(stores.ids), np.int64)
    if not cache.future_polls():
        return newest, count
    n, time = _last_polls(stores.rows, latest + 1, FOR_EVER)
    newest[n] = time
    lo, hi = np.full(len(n), latest + 1, np.int64), np.full(len(n), FOR_EVER, np.int64)
    for store, _, _ in database.polls_in_ranges(stores.rows[n], lo, hi):
        count[n] += np.bincount(store, minlength=len(n))
    return newest, count


def _last_polls(rows: Ints, lo: int, hi: int) -> tuple[Ints, Ints]:
    """(index, instant) of the last poll in [lo, hi) of each store (row ids) that has one."""
    edges = (np.full(len(rows), edge, np.int64) for edge in (lo, hi))
    n, time, _ = database.last_polls_in_ranges(rows, *edges)
    return n, time


def _lifespans(stores: Stores) -> tuple[Ints, Ints]:
    """The instants at which each store opens and closes for good: local midnights. Without such a
    date, an instant before, or after, all others."""
    opens = np.full(len(stores.ids), -FOR_EVER, np.int64)
    closes = np.full(len(stores.ids), FOR_EVER, np.int64)
    schedule = stores.schedule
    for days, none, instants in (
        (schedule.opened_on, ALWAYS, opens),
        (schedule.closed_on, hours.NEVER, closes),
    ):
        if days is None:
            continue
        for n in np.flatnonzero(days != none).tolist():
            zone = ZoneInfo(stores.zones[stores.zone_of_store[n]])
            midnight = datetime.combine(date_of(int(days[n])), time(), zone)
            instants[n] = from_datetime(midnight)
    return opens, closes
