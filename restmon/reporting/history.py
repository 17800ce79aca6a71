"""The time of stores day by day, for pages: from polls where there is little of it, else from the
stored day sums (SEMANTICS.md, "History by day")."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from restmon.access.roles import Actor
from restmon.core.day_sums import Days
from restmon.core.instants import DAY
from restmon.reporting.day_measures import find_last_date, measure_days
from restmon.reporting.last_observations import BEGINNING
from restmon.reporting.scopes import Scope, choose_as_of, read_scope
from restmon.reporting.snapshot import Stores, cache, changes_since, current_revision
from restmon.reporting.window_lines import Reading
from restmon.reporting.windows import find_midnights
from restmon.storage import database
from restmon.storage.day_sums import COLUMNS, DayRow, read_days, read_state
from restmon.storage.models import GroupMember
from restmon.stores.groups import list_groups

Ints = NDArray[np.int64]
T = TypeVar("T")

MOST_FROM_POLLS = 20_000
"""The time of so many days of stores is read from polls, which takes about a fifth of a second."""


@dataclass(frozen=True)
class DaySource:
    """Where the days of some stores come from.

    ``as_of`` is the instant through which they go, ``last`` its latest local date. ``behind``:
    polls or hours have changed since, and workers make the sums anew. The dates from
    ``polls_from`` on come from polls, the others from the day sums. ``name`` is that of this
    state.
    """

    stores: Stores
    as_of: int
    last: int
    behind: bool
    polls_from: int
    name: Hashable

    def remember(self, name: Hashable, make: Callable[[], T]) -> T:
        """The result of ``make``, computed once for a state of data and sums."""
        return cache.remember(current_revision(), ("history", self.name, name), make)

    def read(self, days: int) -> Iterator[tuple[int, DayRow]]:
        """Yield (date, its row) of the last so many days in order, rows in the order of ``stores``,
        without the dates before the history begins. The caller holds a read transaction."""
        first = self.last - days + 1
        order = np.argsort(self.stores.rows)
        place = np.argsort(order)
        rows = self.stores.rows[order]
        for date, row in read_days(first, min(self.last, self.polls_from - 1)):
            found = row.of(rows)
            yield date, DayRow(self.stores.rows, *(getattr(found, n)[place] for n in COLUMNS))
        if self.polls_from <= self.last:
            yield from self._read_polls(max(first, self.polls_from))

    def _read_polls(self, first: int) -> Iterator[tuple[int, DayRow]]:
        stores = self.stores
        firsts = np.full(len(stores.ids), first, np.int64)
        found = measure_days(stores, firsts, self.last, Reading(self.as_of))
        begin = 0
        if not _have_polls_before(stores, first):
            seen = found.covered.any(axis=0)
            begin = int(np.argmax(seen)) if seen.any() else found.days
        for k in range(begin, found.days):
            columns = (getattr(found, name)[:, k] for name in COLUMNS)
            yield first + k, DayRow(stores.rows, *columns)


def find_source(scope: Scope, days: int) -> DaySource | None:
    """Where the last so many days of the stores of a scope come from; None while the day sums of so
    many stores are still to be made. The caller holds a read transaction.

    Raises NoPolls, and NotFound where the group or the store is gone.
    """
    as_of = choose_as_of(scope)
    stores = read_scope(scope)
    if len(stores.ids) * days <= MOST_FROM_POLLS:
        last = find_last_date(stores, as_of)
        return DaySource(stores, as_of, last, False, BEGINNING, (scope, as_of))
    state = read_state()
    if state is None or state.revision < 0:
        return None
    changes = changes_since(state.revision)
    behind = changes is None or any(any((t is not None, *more)) for _, t, *more in changes)
    behind |= state.done_from > state.first
    through = min(as_of, state.as_of)
    last = find_last_date(stores, through)
    # Where the sums go on after the last poll of these stores, nothing may show it.
    polls_from = through // DAY - 1 if through < state.as_of else last + 1
    marks = (scope, as_of, state.revision, state.as_of, state.done_from)
    return DaySource(stores, through, last, behind, polls_from, marks)


def sum_days(source: DaySource, days: int, members: Sequence[Ints]) -> list[Days]:
    """The sums of some sets of stores (places among those of the source) on the last so many days,
    from the first one of which anything is known. The caller holds a read transaction."""
    owner = np.repeat(np.arange(len(members)), [len(places) for places in members])
    place = np.concatenate([np.empty(0, np.int64), *members]).astype(np.int64)
    first = source.last - days + 1
    begin = source.last + 1
    sums = np.zeros((len(members), 4, days), np.int64)
    for date, row in source.read(days):
        begin = min(begin, date)
        for n, name in enumerate(COLUMNS[:4]):
            np.add.at(sums[:, n, date - first], owner, getattr(row, name)[place])
    dates = np.arange(begin, source.last + 1)
    return [Days(dates, *(column[begin - first :] for column in of)) for of in sums]


def _have_polls_before(stores: Stores, first: int) -> bool:
    """Whether any of the stores has a poll before a date."""
    before = find_midnights(first, stores.zones)[stores.zone_of_store]
    start = np.full(len(before), BEGINNING)
    n, _, _ = database.last_polls_in_ranges(stores.rows, start, before)
    return bool(len(n))


@dataclass(frozen=True)
class GroupDays:
    """The days of groups, by name; ``of_all`` are those of all stores that the actor sees. They go
    through ``as_of``; ``behind`` says that newer polls are still to be added."""

    as_of: int
    behind: bool
    of_all: Days
    of_groups: dict[str, Days]


def read_group_days(actor: Actor, days: int) -> GroupDays | None:
    """The last so many days of each group that the actor sees, made once a revision; None while the
    day sums are still to be made. Raises NoPolls."""
    with database.reading():
        source = find_source(Scope(actor.groups), days)
        if source is None:
            return None
        return source.remember(("groups", days), lambda: _read_groups(source, actor, days))


def _read_groups(source: DaySource, actor: Actor, days: int) -> GroupDays:
    names, members = find_members(source.stores, actor)
    everything = np.arange(len(source.stores.ids))
    of_all, *of_groups = sum_days(source, days, [everything, *members])
    return GroupDays(source.as_of, source.behind, of_all, dict(zip(names, of_groups, strict=True)))


def find_members(stores: Stores, actor: Actor) -> tuple[list[str], list[Ints]]:
    """The groups that the actor sees, by name, and the places of their stores. The caller holds a
    read transaction."""
    found = list_groups(actor.groups)
    query = GroupMember.select(GroupMember.group, GroupMember.store)
    pairs = np.array(database.tuples(query), np.int64).reshape(-1, 2)
    order = np.argsort(stores.rows)
    rows = stores.rows[order]
    at = np.minimum(np.searchsorted(rows, pairs[:, 1]), max(len(rows) - 1, 0))
    known = rows[at] == pairs[:, 1] if len(rows) else np.zeros(len(pairs), bool)
    group, place = pairs[known, 0], order[at[known]]
    return [one.name for one in found], [np.sort(place[group == one.id]) for one in found]


def read_chosen_days(actor: Actor, days: int, ids: Sequence[str]) -> tuple[DaySource, Days] | None:
    """Where the days come from, and the sums of some of the actor's stores (by id) on the last so
    many days; None while the day sums are still to be made. Raises NoPolls."""
    with database.reading():
        source = find_source(Scope(actor.groups), days)
        if source is None:
            return None
        places = source.stores.places
        chosen = np.array(sorted(places[i] for i in ids if i in places), np.int64)
        (found,) = source.remember(
            ("chosen", days, chosen.tobytes()), lambda: sum_days(source, days, [chosen])
        )
        return source, found


def read_store_days(stores: Stores, as_of: int, days: int) -> list[Days]:
    """The last so many days of each of some stores, as of an instant, straight from polls: meant
    for a page of stores. Raises NoPolls."""
    with database.reading():
        last = find_last_date(stores, as_of)
        source = DaySource(stores, as_of, last, False, BEGINNING, None)
        return sum_days(source, days, [np.array([n]) for n in range(len(stores.ids))])
