"""What a public status page says of a group: now, the last 90 days, the outages that go on."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from restmon.core import status_now
from restmon.core.day_sums import Days
from restmon.core.instants import as_datetime, date_of
from restmon.core.status_now import STATUS_NAMES
from restmon.documents.periods import main_zone
from restmon.documents.status_pages import ShownStatusPage
from restmon.documents.texts import round_half_even
from restmon.errors import NoPolls
from restmon.reporting import history
from restmon.reporting.fleet import WEEK, Fleet, compute_fleet
from restmon.reporting.scopes import Scope
from restmon.storage import database

DAYS, BADGE_DAYS = 90, 30
FRESH_SECONDS = 30
MOST_PAGES = 200


@dataclass(frozen=True)
class OpenOutage:
    """A store that is down: its ``name`` (None: it has none), its id (None: not shown), and since
    when (instant; None: for longer than a week)."""

    name: str | None
    store_id: str | None
    since: int | None


@dataclass(frozen=True)
class PublicStatus:
    """The status of a group's stores as of an instant (None: there are no polls). ``counts`` are
    numbers of stores by the names of STATUS_NAMES, without retired ones. ``days`` are the sums of
    the last 90 local dates, from the first one of which anything is known; None while there are
    none."""

    name: str
    zone: str
    as_of: int | None
    counts: dict[str, int]
    outages: list[OpenOutage]
    days: Days | None

    @property
    def stores(self) -> int:
        """How many stores there are."""
        return sum(self.counts.values())

    @property
    def down(self) -> int:
        """How many stores are down."""
        return self.counts.get("down", 0)

    @property
    def state(self) -> str:
        """In a word: ``up`` (no open store is down), ``some down``, ``all down``, ``closed``, or
        ``no data``."""
        up, down = self.counts.get("up", 0), self.down
        if up or down:
            return "up" if not down else "some down" if up else "all down"
        return "closed" if self.counts.get("closed", 0) else "no data"

    def uptime(self, days: int) -> tuple[int, int]:
        """(time up, time up or down) of the last so many dates, in half microseconds."""
        if self.days is None:
            return 0, 0
        last = self.days.last(days)
        up, down = int(last.up.sum()), int(last.down.sum())
        return up, up + down

    def coverage(self, days: int) -> float:
        """How much of the open time of the last so many dates was near a poll; 0 of none."""
        if self.days is None:
            return 0.0
        last = self.days.last(days)
        opened = int(last.open.sum())
        return int(last.covered.sum()) / opened if opened else 0.0

    def as_json(self, show_ids: bool) -> dict[str, Any]:
        """The members of the page as JSON."""
        return {
            "name": self.name,
            "as_of": None if self.as_of is None else _iso(self.as_of),
            "state": self.state,
            "stores": self.stores,
            "statuses": self.counts,
            "uptime_30_days": _percent(*self.uptime(BADGE_DAYS)),
            "uptime_90_days": _percent(*self.uptime(DAYS)),
            "coverage_30_days": round(100 * self.coverage(BADGE_DAYS), 2),
            "coverage_90_days": round(100 * self.coverage(DAYS), 2),
            "days": [] if self.days is None else _list_days(self.days),
            "outages": [
                {
                    "name": one.name,
                    **({"store_id": one.store_id} if show_ids else {}),
                    "since": None if one.since is None else _iso(one.since),
                }
                for one in self.outages
            ],
        }


def _iso(instant: int) -> str:
    return f"{as_datetime(instant).isoformat(timespec='microseconds')[:26]}Z"


def _percent(part: int, whole: int) -> float | None:
    return round_half_even(10_000 * part, whole) / 100 if whole else None


def _list_days(days: Days) -> list[dict[str, Any]]:
    return [
        {
            "date": date_of(int(day)).isoformat(),
            "uptime": _percent(int(up), int(up + down)),
            "coverage": _percent(int(covered), int(opened)),
        }
        for day, opened, up, down, covered in zip(*vars(days).values(), strict=True)
    ]


def read_status(page: ShownStatusPage) -> PublicStatus:
    """Read the status of a page's group, of its stores alone."""
    with database.reading():
        try:
            fleet = compute_fleet(groups=frozenset({page.group_row}))
        except NoPolls:
            return PublicStatus(page.group, "UTC", None, {}, [], None)
        days = None
        source = history.find_source(Scope(frozenset({page.group_row})), DAYS)
        if source is not None:
            (days,) = history.sum_days(source, DAYS, [np.arange(len(source.stores.ids))])
    retired = STATUS_NAMES[status_now.RETIRED]
    numbers = np.bincount(fleet.status_now, minlength=len(STATUS_NAMES)).tolist()
    counts = {
        name: number
        for name, number in zip(STATUS_NAMES, numbers, strict=True)
        if number and name != retired
    }
    outages = _list_outages(fleet, page.show_ids)
    zone = main_zone(fleet.stores)
    return PublicStatus(page.group, zone, fleet.as_of, counts, outages, days or None)


def _list_outages(fleet: Fleet, show_ids: bool) -> list[OpenOutage]:
    """The stores that are down, longest first."""
    down = np.flatnonzero(fleet.down_now)
    order = down[np.argsort(fleet.down_since[down], kind="stable")]
    result = []
    for place in order.tolist():
        store_id, since = fleet.ids[place], int(fleet.down_since[place])
        older = since <= fleet.as_of - WEEK
        result.append(
            OpenOutage(
                fleet.stores.names.get(store_id),
                store_id if show_ids else None,
                None if older else since,
            )
        )
    return result


class StatusCache:
    """Remembers the status of each page for half a minute, whatever the number of visitors.

    ``clock`` returns seconds that never go back.
    """

    def __init__(
        self,
        read: Callable[[ShownStatusPage], PublicStatus] = read_status,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._clock = read, clock
        self._lock = threading.Lock()
        self._found: OrderedDict[ShownStatusPage, tuple[float, PublicStatus]] = OrderedDict()

    def get(self, page: ShownStatusPage) -> PublicStatus:
        """The status of a page, at most half a minute old. One visitor at a time computes."""
        with self._lock:
            moment = self._clock()
            kept = self._found.get(page)
            if kept is not None and moment - kept[0] < FRESH_SECONDS:
                return kept[1]
            found = self._read(page)
            self._found[page] = moment, found
            self._found.move_to_end(page)
            while len(self._found) > MOST_PAGES:
                self._found.popitem(last=False)
            return found
