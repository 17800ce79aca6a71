"""Polls, and which of them count: a store's *observations* (SEMANTICS.md, "From polls to time").

Pure. Instants are int64 microseconds since the epoch, UTC.
"""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from restmon.core.intervals import OpenIntervals
from restmon.core.keys import KeySpace
from restmon.core.open_clock import OpenClock
from restmon.core.threads import map_parts, slices

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Statuses = NDArray[np.int8]

NOWHERE = -1
"""The interval of an observation that lies in none."""


@dataclass(frozen=True)
class Polls:
    """Polls of all stores, sorted by store, then time, each (store, time) once.

    Attributes
    ----------
    store : int64 array
        The store's index.
    time : int64 array of the same length, instants
    status : int8 array of the same length
        1 = active, 0 = inactive.
    """

    store: Ints
    time: Ints
    status: Statuses

    @classmethod
    def none(cls) -> "Polls":
        """Return no polls at all."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int8))

    @cached_property
    def ends(self) -> tuple[int, int] | None:
        """The instants of the oldest and of the newest poll. None: there is no poll."""
        return (int(self.time.min()), int(self.time.max())) if len(self.time) else None

    def between(self, lo: int, hi: int) -> "Polls":
        """Return those with lo <= time <= hi."""
        if self.ends is None or (lo <= self.ends[0] and self.ends[1] <= hi):
            return self
        if self.ends[1] < lo or hi < self.ends[0]:
            return Polls.none()
        return self.where((self.time >= lo) & (self.time <= hi))

    def where(self, mask: Flags) -> "Polls":
        """Return the polls of a mask."""
        return Polls(self.store[mask], self.time[mask], self.status[mask])

    @cached_property
    def keyed(self) -> tuple[KeySpace, Ints]:
        """The (store, time) pairs as sorted keys, and their space: instants beyond the last poll
        come after all of the store's."""
        if self.ends is None:
            return KeySpace(0, 1), np.empty(0, np.int64)
        lo, hi = self.ends
        space = KeySpace.covering(int(self.store[-1]) + 1, lo, hi + 1)
        key = np.empty(len(self.store), np.int64)

        def fill(part: slice) -> None:
            key[part] = space.keys(self.store[part], self.time[part])

        map_parts(fill, slices(len(key)))
        return space, key

    def places(self, store: Ints, instant: Ints) -> Ints:
        """Return how many polls come before each (store, instant)."""
        space, key = self.keyed
        place = np.empty(len(store), np.int64)

        def fill(part: slice) -> None:
            wanted = space.clipped_keys(store[part], instant[part])
            place[part] = np.searchsorted(key, wanted)

        map_parts(fill, slices(len(place)))
        return place

    def ranges_in(self, intervals: OpenIntervals) -> tuple[Ints, Ints]:
        """Return (first, after) of each interval: the polls from ``first`` up to, not including,
        ``after`` lie in it. Timeline and coverage ask for the same intervals: the last are kept."""
        kept = self._last_ranges[0]
        if kept is None or kept[0] is not intervals:
            first = self.places(intervals.store, intervals.start)
            after = self.places(intervals.store, intervals.end)
            kept = intervals, first, after
            self._last_ranges[0] = kept  # as one, since threads share polls
        return kept[1], kept[2]

    @cached_property
    def _last_ranges(self) -> list[tuple[OpenIntervals, Ints, Ints] | None]:
        return [None]


def observed_between(
    stores: int, intervals: OpenIntervals, polls: Polls, lo: int, hi: int
) -> Flags:
    """Return whether each store has an observation with lo <= time < hi: bool, shape (stores,)."""
    some = np.flatnonzero((intervals.start < hi) & (intervals.end > lo))
    store = intervals.store[some]
    first = polls.places(store, np.maximum(intervals.start[some], lo))
    after = polls.places(store, np.minimum(intervals.end[some], hi))
    result = np.zeros(stores, bool)
    result[store[after > first]] = True
    return result


def are_observations(intervals: OpenIntervals, polls: Polls) -> Flags:
    """Return which polls lie in an open interval: bool, one a poll."""
    edge = np.zeros(len(polls.time) + 1, np.int8)
    first, after = polls.ranges_in(intervals)
    some = first < after
    edge[first[some]] += 1
    edge[after[some]] -= 1
    return np.cumsum(edge[:-1]) > 0


@dataclass(frozen=True)
class Observations:
    """Observations, each with the one before it: arrays of one length, sorted by store, then time.

    Attributes
    ----------
    store, time, status : as in `Polls`
    interval : int64 array
        The index of the open interval it lies in, or NOWHERE.
    time_before, interval_before : int64 arrays
        Time and interval of the store's observation before it, which need not be an entry.
        Without meaning where ``is_first``.
    is_first : bool array
        The store has no observation before it.
    """

    store: Ints
    time: Ints
    status: Statuses
    interval: Ints
    time_before: Ints
    interval_before: Ints
    is_first: Flags

    @classmethod
    def none(cls) -> "Observations":
        """Return no observations at all."""
        nothing, flags = np.empty(0, np.int64), np.empty(0, bool)
        return cls(nothing, nothing, np.empty(0, np.int8), nothing, nothing, nothing, flags)

    def where(self, mask: Flags) -> "Observations":
        """Return those of the mask."""
        return Observations(*(getattr(self, column.name)[mask] for column in fields(self)))


def find_observations(
    intervals: OpenIntervals, polls: Polls, *, turns_only: bool = False
) -> Observations:
    """Return the polls that lie in an open interval.

    The polls of one interval are neighbors among the sorted polls, so a search for the two edges of
    each interval finds them. A store open from 9 to 12 and from 17 to 20::

        poll      #0   #1   #2      #3   #4      #5        #6
        time     8:30 9:10 10:10  11:10 14:00  17:20     18:20
        status     1    1    0       0    1       0         1
        interval   -   [------ 0 ------]  -     [---- 1 ----]
        ranges         #1 ........... #3        #5 ....... #6

    Each range has its *opening* observation (#1, #5) and *following* ones (#2, #3, #6). The one
    before a following one is the poll before it; the one before an opening one is the last of the
    range before (#3 before #5), or there is none (#1).

    Parameters
    ----------
    intervals, polls
        Of the same stores.
    turns_only : bool
        Return only those whose status differs from the one before, and each store's first: #1, #2
        and #6 above. That is all that uptime and outages need, and a small part of the work.
    """
    ranges = _Ranges.find(intervals, polls)
    if not len(ranges.interval):
        return Observations.none()
    opening = ranges.opening(polls.status) if turns_only else np.arange(len(ranges.interval))
    following, of_range = ranges.turning(polls.status) if turns_only else ranges.following()

    poll = np.concatenate([following, ranges.first[opening]])
    order = np.argsort(poll, kind="stable")
    poll = poll[order]
    before = np.concatenate([following - 1, ranges.last_before[opening]])[order]
    interval = ranges.interval[np.concatenate([of_range, opening])[order]]
    interval_before = ranges.interval[np.concatenate([of_range, opening - 1])[order]]
    is_first = np.concatenate([np.zeros(len(following), bool), ranges.is_first[opening]])[order]
    return Observations(
        intervals.store[interval],
        polls.time[poll],
        polls.status[poll],
        interval,
        polls.time[before],
        interval_before,
        is_first,
    )


@dataclass(frozen=True)
class _Ranges:
    """The intervals that have polls, and those polls: ``first`` to ``after - 1`` lie in
    ``interval``. ``is_first``: it is its store's first such interval. int64 and bool arrays of
    one length."""

    interval: Ints
    first: Ints
    after: Ints
    is_first: Flags

    @classmethod
    def find(cls, intervals: OpenIntervals, polls: Polls) -> "_Ranges":
        first, after = polls.ranges_in(intervals)
        interval = np.flatnonzero(first < after)
        store = intervals.store[interval]
        is_first = np.ones(len(interval), bool)
        is_first[1:] = store[1:] != store[:-1]
        return cls(interval, first[interval], after[interval], is_first)

    @property
    def last_before(self) -> Ints:
        """The last poll of the range before each. For the first range it has no meaning."""
        return np.append(0, self.after[:-1] - 1)

    def opening(self, status: Statuses) -> Ints:
        """The ranges whose opening observation differs from the one before it, or has none
        before."""
        return np.flatnonzero(self.is_first | (status[self.first] != status[self.last_before]))

    def following(self) -> tuple[Ints, Ints]:
        """(poll, range) of all following observations."""
        lengths = self.after - self.first - 1
        of_range = np.repeat(np.arange(len(self.first)), lengths)
        # Numbered from 0 through all ranges, each range's number moved to begin after its first.
        numbers_before = np.cumsum(lengths) - lengths
        poll = np.arange(len(of_range)) + np.repeat(self.first + 1 - numbers_before, lengths)
        return poll, of_range

    def turning(self, status: Statuses) -> tuple[Ints, Ints]:
        """(poll, range) of the following observations that differ from the poll before them."""
        poll = np.flatnonzero(status[1:] != status[:-1]) + 1
        of_range = np.searchsorted(self.first, poll, "right") - 1
        inside = (self.first[of_range] < poll) & (poll < self.after[of_range]) & (of_range >= 0)
        return poll[inside], of_range[inside]


def with_earlier(found: Observations, earlier: Polls, clock: OpenClock) -> Observations:
    """Return the observations with one more before all others of some stores.

    ::

        store            a    a    b         earlier: a at 3, c at 5
        time             8    9    7
        is_first         yes  no   yes

        store         a  a    a    b    c
        time          3  8    9    7    5
        time_before   -  3    8    -    -
        is_first     yes no   no  yes  yes

    Parameters
    ----------
    found : Observations
    earlier : Polls
        At most one of each store, earlier than all of its others. It counts as an observation even
        if it lies in no interval.
    clock : OpenClock
        Of the same intervals.
    """
    interval = intervals_around(earlier, clock)
    place = np.searchsorted(found.store, earlier.store)
    has_more = np.flatnonzero(np.append(found.store, -1)[place] == earlier.store)
    next_one = place[has_more]
    time_before, interval_before = found.time_before.copy(), found.interval_before.copy()
    is_first = found.is_first.copy()
    time_before[next_one] = earlier.time[has_more]
    interval_before[next_one] = interval[has_more]
    is_first[next_one] = False
    return Observations(
        np.insert(found.store, place, earlier.store),
        np.insert(found.time, place, earlier.time),
        np.insert(found.status, place, earlier.status),
        np.insert(found.interval, place, interval),
        np.insert(time_before, place, earlier.time),
        np.insert(interval_before, place, interval),
        np.insert(is_first, place, np.ones(len(place), bool)),
    )


def intervals_around(polls: Polls, clock: OpenClock) -> Ints:
    """Return the index of the interval each poll lies in, or NOWHERE."""
    intervals = clock.intervals
    if not len(intervals.store):
        return np.full(len(polls.store), NOWHERE, np.int64)
    key = clock.space.clipped_keys(polls.store, polls.time)
    interval = np.searchsorted(clock.start_key, key, "right") - 1
    known = np.maximum(interval, 0)
    inside = (interval >= intervals.first[polls.store]) & (polls.time < intervals.end[known])
    inside &= polls.time >= intervals.start[known]
    return np.where(inside, interval, NOWHERE)
