"""What a page says of some stores of a fleet, summed once for all who look at the same stores."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from restmon.core.status_now import STATUS_NAMES
from restmon.reporting.fleet import Fleet, shares
from restmon.reporting.snapshot import Stores

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
T = TypeVar("T")

WORST = 10


@dataclass(frozen=True)
class WindowSums:
    """The time of all stores in a window and, ``up_before`` and ``down_before``, in the period
    before it; half microseconds."""

    up: int
    down: int
    open_time: int
    covered: int
    up_before: int
    down_before: int


@dataclass(frozen=True)
class FleetView:
    """Some stores of a fleet; not to be changed.

    Attributes
    ----------
    found : Fleet
    mask : bool array of shape (stores,)
        Which stores of the fleet.
    counts : list of int
        How many stores have each status of `STATUS_NAMES`.
    open_now : int
        How many observed stores are open.
    windows : tuple of WindowSums
        The last hour, day and week.
    up_by_hour, down_by_hour, covered_by_hour : float64 arrays of shape (168,), hours
        The hours of the week.
    down_by_weekday_hour, open_by_weekday_hour : float64 arrays of shape (7, 24), hours
    worst : list of int
        The places of the stores with the most downtime of the week, the worst first.
    zones : list of str
        The stores' zones, the most frequent first.
    """

    found: Fleet
    mask: Flags
    counts: list[int]
    open_now: int
    windows: tuple[WindowSums, ...]
    up_by_hour: Floats
    down_by_hour: Floats
    covered_by_hour: Floats
    down_by_weekday_hour: Floats
    open_by_weekday_hour: Floats
    worst: list[int]
    zones: list[str]

    @property
    def uptime_by_hour(self) -> Floats:
        """The share of uptime of each hour of the week, NaN without open time."""
        return shares(self.up_by_hour, self.down_by_hour)

    def find_or_make(self, name: Hashable, make: Callable[[], T]) -> T:
        """Return what is made of this view, made once. The name holds whatever else it is made
        of."""
        return self.found.kept.find_or_make((self.mask.tobytes(), name), make)


def view_fleet(found: Fleet, mask: Flags) -> FleetView:
    """The stores of a mask (bool, one a store), which must not be changed afterwards."""
    return found.kept.find_or_make(("view", mask.tobytes()), lambda: _sum(found, mask))


def list_zones(found: Fleet) -> list[str]:
    """The names of the zones of a fleet's stores, in order."""
    return found.kept.find_or_make("names of zones", lambda: sorted(set(found.zones.tolist())))


def _sum(found: Fleet, mask: Flags) -> FleetView:
    columns = (
        found.up,
        found.down,
        found.open_time,
        found.covered,
        found.up_before,
        found.down_before,
    )
    by_window = zip(*(column[mask].sum(axis=0).tolist() for column in columns), strict=True)

    def add(hours: NDArray[np.float32]) -> Floats:
        return hours[mask].sum(axis=0, dtype=float)

    worst = np.flatnonzero(mask & (found.down[:, 2] > 0))
    worst = worst[np.argsort(-found.down[worst, 2], kind="stable")][:WORST]
    status_now = found.status_now[mask]
    return FleetView(
        found,
        mask,
        np.bincount(status_now, minlength=len(STATUS_NAMES)).tolist(),
        int((found.open_now & found.observed)[mask].sum()),
        tuple(WindowSums(*window) for window in by_window),
        add(found.up_by_hour),
        add(found.down_by_hour),
        add(found.covered_by_hour),
        add(found.down_by_weekday_hour),
        add(found.open_by_weekday_hour),
        worst.tolist(),
        zones_by_number(found.stores, mask),
    )


def zones_by_number(stores: Stores, mask: Flags | None = None) -> list[str]:
    """The zones of some stores (bool array, None: of all), that of most stores first. Of zones of
    as many stores, the one that comes first among ``stores.zones`` comes first."""
    of_store = stores.zone_of_store if mask is None else stores.zone_of_store[mask]
    counts = np.bincount(of_store, minlength=len(stores.zones))
    order = np.argsort(-counts, kind="stable")
    return [stores.zones[n] for n in order.tolist() if counts[n]]
