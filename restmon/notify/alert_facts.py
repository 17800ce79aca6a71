"""What is known of what a rule watches: the numbers of the pages, as facts for `decide`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from restmon.core import status_now
from restmon.core.hours import open_intervals
from restmon.core.incidents import QUARTER
from restmon.core.instants import as_datetime
from restmon.core.targets import AT_RISK, MISSED, WHOLE
from restmon.errors import NoPolls, NotFound
from restmon.notify.channels import EVENTS
from restmon.notify.conditions import DOWN, FEED, INCIDENT, NOT_REPORTING, TARGET
from restmon.notify.decide import GONE, OFF, ON, UNKNOWN, Fact, Facts, Key, Watch
from restmon.reporting.attention import Attention, find_attention
from restmon.reporting.feed import STALE, read_feed
from restmon.reporting.fleet import Present, compute_present
from restmon.reporting.incident_list import FoundIncidents, find_among
from restmon.reporting.outage_list import OutageArrays, find_outages_in, find_recent
from restmon.reporting.scopes import Scope
from restmon.reporting.snapshot import cache
from restmon.reporting.target_standing import Standing, judge_now
from restmon.reporting.window_lines import Reading
from restmon.reporting.windows import LAST_WEEK
from restmon.storage import database
from restmon.storage.models import GroupMember, now
from restmon.storage.notify_models import Rule

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

WHOLE_RULE: Key = (0, "")
OVER_QUARTERS = 2
"""An incident is over after so many quarter hours without it."""
LEAST_USED = 4
"""A month is called at risk once a quarter of its budget is used."""
FEWEST_DOWN = 5


@dataclass(frozen=True)
class Watched:
    """What a rule watches, as of an instant: a fleet, and which of its stores (bool)."""

    rule: Rule
    fleet: Present
    mask: Flags

    @property
    def groups(self) -> frozenset[int] | None:
        """The groups (row ids) that limit the fleet."""
        return None if self.rule.groups is None else frozenset(self.rule.groups)

    @cached_property
    def place(self) -> dict[int, int]:
        """The place in the fleet of each watched store, by row id."""
        rows = self.fleet.stores.rows
        return {int(rows[n]): int(n) for n in np.flatnonzero(self.mask)}

    @cached_property
    def attention(self) -> Attention:
        """The outages that go on, with causes and losses."""
        return find_attention(self.fleet, self.groups)

    @cached_property
    def outage(self) -> dict[int, int]:
        """The entry in ``attention`` of each watched store that is down, by row id."""
        rows = self.fleet.stores.rows[self.attention.store]
        down = self.fleet.status_now[self.attention.store] == status_now.DOWN
        return {int(row): n for n, row in enumerate(rows.tolist()) if down[n] and row in self.place}

    @cached_property
    def incidents(self) -> FoundIncidents:
        """The incidents of the watched stores in the last week."""
        if self.mask.all():
            return self.fleet.incidents
        stores = self.fleet.stores.chosen(self.mask)
        scope = Scope(self.groups, "rule", self.rule.group_id)
        window = LAST_WEEK.of_all(self.fleet.as_of)
        with database.reading():
            return find_among(stores, scope, window, Reading(self.fleet.as_of))

    @cached_property
    def standing(self) -> Standing:
        """How the stores of the fleet stand against their targets this month."""
        how = Reading(self.fleet.as_of)
        with database.reading():
            key = ("standing of rules", self.groups, how.as_of)
            return cache.remember(
                self.fleet.revision, key, lambda: judge_now(self.fleet.stores, how)
            )

    def find_ended(self, rows: Iterable[int]) -> dict[int, OutageArrays]:
        """The last outage of the week that has ended of each of some watched stores (row ids), as
        arrays of one entry."""
        mask = np.zeros(len(self.fleet.ids), bool)
        mask[[self.place[row] for row in rows if row in self.place]] = True
        if not mask.any():
            return {}
        stores = self.fleet.stores.chosen(mask)
        with database.reading():
            found = find_recent(stores, Reading(self.fleet.as_of, self.fleet.method, False))
        ended = found.where(~found.ongoing)
        last = {int(stores.rows[store]): n for n, store in enumerate(ended.store.tolist())}
        return {row: ended.where(np.array([n])) for row, n in last.items()}

    def find_incident(self) -> tuple[int, frozenset[int]] | None:
        """The incident that goes on at ``as_of``, or ended less than two quarter hours before: its
        start, and the row ids of its stores."""
        found = self.incidents
        ends = found.incidents.end
        if not len(ends) or int(ends[-1]) + OVER_QUARTERS * QUARTER < self.fleet.as_of:
            return None
        last = len(ends) - 1
        struck = found.incidents.store[found.incidents.incident == last]
        return int(found.incidents.start[last]), frozenset(found.stores.rows[struck].tolist())


def read_watched(rule: Rule) -> Watched | None:
    """What a rule watches now, None before the first poll. The caller holds a read transaction."""
    groups = None if rule.groups is None else frozenset(rule.groups)
    try:
        fleet = compute_present(groups=groups)
    except (NoPolls, NotFound):
        return None
    mask = np.ones(len(fleet.ids), bool)
    if rule.store_id is not None:
        mask = fleet.stores.rows == rule.store_id
    elif rule.group_id is not None:
        members = GroupMember.select(GroupMember.store).where(GroupMember.group == rule.group_id)
        rows = np.array([row for (row,) in database.tuples(members)], np.int64)
        mask = np.isin(fleet.stores.rows, rows)
    return Watched(rule, fleet, mask)


def gather_facts(watched: Watched, watches: Mapping[Key, Watch]) -> Facts | None:
    """The facts of a rule. None where nothing can be said now: the feed has stopped, so that what
    is known of the stores is old."""
    rule = watched.rule
    feed = read_feed(watched.groups)
    if rule.condition == FEED:
        state = ON if feed.state == STALE else OFF
        since = feed.stale_from or 0
        fact = Fact(state, since, max(0, 2 * (now() - since)) if state == ON else 0)
        return Facts(now(), {WHOLE_RULE: fact})
    if feed.state == STALE:
        return None
    as_of = watched.fleet.as_of
    if rule.condition == INCIDENT:
        found = watched.find_incident()
        if found is None:
            return Facts(as_of, {WHOLE_RULE: Fact(OFF)})
        return Facts(as_of, {WHOLE_RULE: Fact(ON, found[0], 2 * (as_of - found[0]))})
    if rule.condition == TARGET:
        return Facts(as_of, _of_targets(watched, watches))
    if rule.condition == NOT_REPORTING:
        return Facts(as_of, _of_silence(watched, watches))
    assert rule.condition == DOWN or rule.condition in EVENTS  # noqa: S101
    return _of_outages(watched, watches)


def _watched_rows(watched: Watched, watches: Mapping[Key, Watch]) -> list[int]:
    return [row for row, part in watches if row in watched.place and not part]


def _of_outages(watched: Watched, watches: Mapping[Key, Watch]) -> Facts:
    found = watched.attention
    incident = watched.find_incident() if len(watched.outage) >= FEWEST_DOWN else None
    struck = incident[1] if incident else frozenset()
    facts: dict[Key, Fact] = {
        (row, ""): Fact(ON, int(found.since[n]), int(found.down_for[n]), in_incident=row in struck)
        for row, n in watched.outage.items()
    }
    for row in _watched_rows(watched, watches):
        status = int(watched.fleet.status_now[watched.place[row]])
        if (row, "") in facts:
            continue
        if status == status_now.UP:
            flaps = watches[row, ""].is_flapping
            facts[row, ""] = Fact(OFF, steady=_steady_time(watched, row) if flaps else 0)
        elif status in {status_now.CLOSED, status_now.NOT_REPORTING}:
            facts[row, ""] = Fact(UNKNOWN)
    return Facts(watched.fleet.as_of, facts, incident is not None)


def _steady_time(watched: Watched, row: int) -> int:
    """The open time of a store that is up since its last outage of the week ended."""
    fleet = watched.fleet
    n = watched.place[row]
    found = find_outages_in(Scope(None, store=fleet.ids[n]), as_of=fleet.as_of)
    ends = found.outages.end[~found.outages.ongoing]
    since = max(int(ends.max()) if len(ends) else 0, LAST_WEEK.of_all(fleet.as_of)[0])
    one = fleet.stores.schedule.chosen(np.array([n]))
    inside = open_intervals(one, since, fleet.as_of).clipped(since, fleet.as_of)
    return int(2 * (inside.end - inside.start).sum())


def _of_silence(watched: Watched, watches: Mapping[Key, Watch]) -> dict[Key, Fact]:
    fleet = watched.fleet
    silent = fleet.status_now == status_now.NOT_REPORTING
    facts: dict[Key, Fact] = {}
    for n in np.flatnonzero(watched.mask & silent & fleet.open_now).tolist():
        since = int(fleet.last_poll[n])
        facts[int(fleet.stores.rows[n]), ""] = Fact(ON, since, 2 * (fleet.as_of - since))
    states = {
        **dict.fromkeys((status_now.UP, status_now.DOWN, status_now.CLOSED), OFF),
        status_now.NOT_REPORTING: UNKNOWN,
    }
    for row in _watched_rows(watched, watches):
        state = states.get(int(fleet.status_now[watched.place[row]]), GONE)
        facts.setdefault((row, ""), Fact(state))
    return facts


def _of_targets(watched: Watched, watches: Mapping[Key, Watch]) -> dict[Key, Fact]:
    """A part for each of the two statuses. Each is told once a month, while a store is open."""
    fleet, standing = watched.fleet, watched.standing
    months: dict[str, int] = {}
    allowed = (WHOLE - standing.target) * (standing.of_month // LEAST_USED)
    late = (standing.status == AT_RISK) & (standing.used * WHOLE >= allowed)
    facts: dict[Key, Fact] = {}
    for part, mask in ((AT_RISK, late), (MISSED, standing.status == MISSED)):
        for n in np.flatnonzero(mask & watched.mask).tolist():
            zone = fleet.stores.zones[int(fleet.stores.zone_of_store[n])]
            since = months.setdefault(zone, _month_begin(fleet.as_of, zone))
            is_closed = not fleet.open_now[n]
            facts[int(fleet.stores.rows[n]), part] = Fact(ON, since, is_closed=is_closed)
    for key in watches:
        if key[0] in watched.place:
            facts.setdefault(key, Fact(UNKNOWN))
    return facts


def _month_begin(instant: int, zone: str) -> int:
    local = as_datetime(instant, zone)
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return int(first.timestamp()) * 1_000_000
