"""Sources of snapshots: all stores, or only those in some groups."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from restmon.access import visibility
from restmon.reporting import last_observations
from restmon.reporting.snapshot import Snapshot, SnapshotCache
from restmon.reporting.snapshot import cache as shared_cache
from restmon.storage import database
from restmon.storage.models import GroupMember


@dataclass(frozen=True)
class GroupSource:
    """A source of snapshots of the stores in any of some groups (row ids). Nothing in them depends
    on other stores."""

    groups: frozenset[int]
    cache: SnapshotCache = shared_cache

    def newest_poll(self) -> int | None:
        """The instant of the newest poll of these stores that is not from the future, or None. The
        caller holds a connection."""
        members = GroupMember.select(GroupMember.store).where(
            GroupMember.group.in_(sorted(self.groups))
        )
        rows = np.array([row for (row,) in database.tuples(members.distinct())], np.int64)
        until = database.latest_instant() + 1
        _, times, _ = database.last_polls_in_ranges(
            rows, np.full(len(rows), last_observations.BEGINNING), np.full(len(rows), until)
        )
        return int(times.max()) if len(times) else None

    def get(self, as_of: int | None, window: int) -> Snapshot:
        """A snapshot for a report as of the instant (None: the newest poll of these stores) on the
        window (microseconds) before it. The caller holds a read transaction."""
        found = self.cache.get(self.newest_poll() if as_of is None else as_of, window)
        return found.chosen(visibility.mask_stores(self.groups, found.stores.ids))


def choose_source(
    groups: Iterable[int] | None, cache: SnapshotCache = shared_cache
) -> SnapshotCache | GroupSource:
    """The source of snapshots of the stores in the groups (None: of all stores)."""
    return cache if groups is None else GroupSource(frozenset(groups), cache)
