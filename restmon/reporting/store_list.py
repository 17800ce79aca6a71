"""The stores that an actor sees, as of now: found by words, group, zone and status, sorted, a page
at a time."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.access.roles import THIS_MACHINE, Actor
from restmon.core.status_now import STATUS_NAMES
from restmon.reporting.current_status import NEVER
from restmon.reporting.fleet import Fleet, compute_fleet
from restmon.reporting.scopes import find_scope
from restmon.reporting.snapshot import cache
from restmon.reporting.store_facts import read_group_names, read_names
from restmon.storage import database

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

Key = str | int | float
Keys = tuple[Any, Flags]
"""Values of one type to sort stores by, and which of them are known."""


@dataclass(frozen=True)
class Ranks:
    """The places of all stores in an order: ``distinct`` values, sorted, and the ``place`` of each
    store's among them (int64; of an unknown one their number)."""

    distinct: Any
    place: Ints


@dataclass(frozen=True)
class Listing:
    """All stores that an actor sees, in the order of ``fleet.ids``, with their ``names`` and
    ``groups``, and the ``words`` that a search goes through."""

    fleet: Fleet
    names: list[str | None]
    groups: list[list[str]]
    words: list[str]
    ranks: dict[str, Ranks] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """A place in the order of a list: a store's key (None where it is unknown), and its id."""

    key: Key | None
    store_id: str


@dataclass(frozen=True)
class StoreQuery:
    """A query of stores.

    Finds those with ``search`` in their id or name in any case, in the ``group``, in the ``zone``,
    and with the status (one of STATUS_NAMES); None matches any. ``sort`` is one of SORTS, largest
    first if ``descending``. Stores without a value come last. Returns at most ``limit`` stores
    ``after`` a place.
    """

    search: str | None = None
    group: str | None = None
    zone: str | None = None
    status: str | None = None
    sort: str = "store_id"
    descending: bool = False
    limit: int = 100
    after: Place | None = None


@dataclass(frozen=True)
class Page:
    """Some stores of a listing: their indices ``chosen`` (int64), in order, how many there are on
    all pages, and the place after which the next page begins (None: this is the last)."""

    listing: Listing
    chosen: Ints
    count: int
    next: Place | None


def read_listing(actor: Actor = THIS_MACHINE) -> Listing:
    """All stores that the actor sees, computed once a revision. Raises NoPolls."""
    with database.reading():
        fleet = compute_fleet(groups=actor.groups)
        return cache.remember(
            fleet.revision,
            ("listing", fleet.as_of, actor.groups),
            lambda: _make_listing(fleet, actor.groups),
        )


def _make_listing(fleet: Fleet, seen: frozenset[int] | None) -> Listing:
    names = read_names(fleet.stores)
    words = [f"{i}\n{name or ''}".casefold() for i, name in zip(fleet.ids, names, strict=True)]
    return Listing(fleet, names, read_group_names(fleet.stores, seen), words)


def list_stores(query: StoreQuery, actor: Actor = THIS_MACHINE) -> Page:
    """A page of the list. Raises NoPolls, and NotFound for a group that the actor does not see."""
    with database.reading():
        listing = read_listing(actor)
        group = find_scope(actor, query.group).group if query.group else None
    matching = np.flatnonzero(_match(listing, query, group))
    ranks = _rank(listing, query.sort)
    place = _places(ranks, descending=query.descending)
    rest = matching
    if query.after is not None:
        rest = rest[_is_after(listing, ranks, place, query)[rest]]
    order = np.lexsort((rest, place[rest]))
    chosen = rest[order[: query.limit]]
    last = None
    if len(rest) > len(chosen):
        n = int(chosen[-1])
        own = int(ranks.place[n])
        key = ranks.distinct[own].item() if own < len(ranks.distinct) else None
        last = Place(key, listing.fleet.ids[n])
    return Page(listing, chosen, len(matching), last)


def sort_stores(listing: Listing, rows: Ints, sort: str, *, descending: bool) -> Ints:
    """Return the stores (indices) in the order of one of SORTS; those without such a value last."""
    place = _places(_rank(listing, sort), descending=descending)
    return rows[np.lexsort((rows, place[rows]))]


def _places(ranks: Ranks, *, descending: bool) -> Ints:
    known = len(ranks.distinct)
    if not descending:
        return ranks.place
    return np.where(ranks.place < known, known - 1 - ranks.place, known)


def _match(listing: Listing, query: StoreQuery, group: str | None) -> Flags:
    fleet = listing.fleet
    mask = np.ones(len(fleet.ids), bool)
    if query.status is not None:
        mask &= fleet.status_now == STATUS_NAMES.index(query.status)
    if query.zone is not None:
        wanted = query.zone.casefold()
        mask &= np.array([z.casefold() == wanted for z in fleet.stores.zones] or [False])[
            fleet.stores.zone_of_store
        ]
    if group is not None:
        mask &= np.fromiter((group in names for names in listing.groups), bool, len(mask))
    if query.search is not None:
        wanted = " ".join(query.search.split()).casefold()
        mask &= np.fromiter((wanted in words for words in listing.words), bool, len(mask))
    return mask


def _is_after(listing: Listing, ranks: Ranks, place: Ints, query: StoreQuery) -> Flags:
    """Which stores come after a place. The store of the place may be gone by now."""
    assert query.after is not None  # noqa: S101 - for the type checker
    ids, known = listing.fleet.ids, len(ranks.distinct)
    beyond = np.arange(len(ids)) >= bisect_right(ids, query.after.store_id)
    if query.after.key is None:
        return (place >= known) & beyond
    at = int(np.searchsorted(ranks.distinct, query.after.key))
    there = at < known and ranks.distinct[at] == query.after.key
    own = known - 1 - at if query.descending else at
    if not there:
        return place > own if query.descending else place >= own
    return (place > own) | ((place == own) & beyond)


def _rank(listing: Listing, sort: str) -> Ranks:
    if sort not in listing.ranks:
        values, known = SORTS[sort](listing)
        distinct, place = np.unique(values[known], return_inverse=True)
        of_all = np.full(len(known), len(distinct), np.int64)
        of_all[known] = place
        listing.ranks[sort] = Ranks(distinct, of_all)
    return listing.ranks[sort]


def _all_known(values: Any) -> Keys:
    return values, np.ones(len(values), bool)


def _by_name(listing: Listing) -> Keys:
    names = [(name or "").casefold() for name in listing.names]
    return np.array(names, np.str_), np.array([bool(name) for name in names], bool)


def _by_share(listing: Listing) -> Keys:
    share = listing.fleet.share
    return share, ~np.isnan(share)


def _by_instant(instants: Ints) -> Keys:
    return instants, instants != NEVER


SORTS: dict[str, Callable[[Listing], Keys]] = {
    "store_id": lambda found: _all_known(np.array(found.fleet.ids, np.str_)),
    "name": _by_name,
    "status_now": lambda found: _all_known(found.fleet.status_now),
    "uptime_percent": _by_share,
    "down": lambda found: _all_known(found.fleet.down[:, 2]),
    "outages": lambda found: _all_known(found.fleet.outages),
    "last_poll": lambda found: _by_instant(found.fleet.last_poll),
    "down_since": lambda found: _by_instant(found.fleet.down_since),
}
"""What stores are sorted by."""
KEY_TYPES: dict[str, type] = {
    "store_id": str,
    "name": str,
    "uptime_percent": float,
    **dict.fromkeys(("status_now", "down", "outages", "last_poll", "down_since"), int),
}
"""The type of the key of each."""
