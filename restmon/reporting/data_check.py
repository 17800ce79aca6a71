"""The data check: what is likely wrong with the data, and the one thing to do about each."""

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.findings import (
    MOST_EXAMPLES,
    Example,
    Finding,
    count_of,
    find_changed_ids,
    have,
)
from restmon.core.fixed_zones import explain_fixed_zone
from restmon.core.formatting import ago, moment
from restmon.core.hours import DEFAULT_ZONE
from restmon.core.id_pairs import look_rounded
from restmon.core.instants import WEEK, as_datetime, as_text
from restmon.reporting import feed
from restmon.reporting.check_facts import HAS_HOURS, HAS_ZONE, LISTED, NEVER, Facts, collect_facts
from restmon.reporting.freshness import find_stale_stores
from restmon.reporting.style import read_style
from restmon.storage import database

Ints = NDArray[np.int64]

FORGET_COMMAND = "python -m restmon forget --after now"


@dataclass(frozen=True)
class DataCheck:
    """The findings about the ``stores`` (their number), most urgent first. ``checked_at`` is an
    instant."""

    checked_at: int
    stores: int
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """The check as an object."""
        return {
            "checked_at": as_text(self.checked_at),
            "stores": self.stores,
            "findings": [finding.as_json() for finding in self.findings],
        }


def check_data(actor: Actor = THIS_MACHINE) -> DataCheck:
    """Check the stores that the actor sees, in one consistent state.

    Makes the same few queries for any number of stores.
    """
    with database.reading():
        facts = collect_facts(actor)
        findings = (
            *_unreadable_hours(facts),
            *_changed_ids(facts),
            *_stale(facts, actor),
            *_future_polls(facts, actor),
            *_no_polls(facts),
            *_no_hours(facts),
            *_no_zone(facts),
            *_fixed_zones(facts),
            *_polled_after_closing(facts),
            *_same_names(facts),
        )
    return DataCheck(facts.at, len(facts.ids), findings)


def _unreadable_hours(facts: Facts) -> list[Finding]:
    mask = facts.stores.schedule.hours_unreadable & facts.in_business
    count = int(mask.sum())
    return facts.finding(
        "unreadable_hours",
        mask,
        f"{count_of(count, 'store')} {have(count)} business hours that could not be read and "
        f"{'counts' if count == 1 else 'count'} as never open.",
        "Fix the rejected lines of the business-hours file and import it again, or enter the "
        "hours on the Settings page.",
    )


def _changed_ids(facts: Facts) -> list[Finding]:
    rounded = list(compress(facts.ids, look_rounded(facts.ids)))
    return find_changed_ids(facts.pairs, rounded, dict(zip(facts.ids, facts.names, strict=True)))


def _stale(facts: Facts, actor: Actor) -> list[Finding]:
    """A finding about the feed if all polls have stopped, and one about stores whose polls stopped
    before."""
    if not (facts.newest != NEVER).any():
        return []
    newest = int(facts.newest.max())
    findings = []
    at = facts.at
    if feed.read_feed(actor.groups).state == feed.STALE:
        at = newest
        findings.append(
            Finding(
                "stale_feed",
                1,
                f"No poll has come in since {moment(newest, style=read_style())} "
                f"({ago(newest, facts.at)}), so the numbers say nothing of the time after it.",
                "Check the program that polls the stores, and import its newest file.",
                stores=0,
            )
        )
    stale = find_stale_stores(facts.stores.schedule, facts.snapshot.polls, facts.newest, at)
    mask = stale & facts.in_business
    count = int(mask.sum())
    return findings + facts.finding(
        "stale_stores",
        mask,
        f"{count_of(count, 'store')} {have(count)} had no poll for too long, so "
        f"{'its' if count == 1 else 'their'} numbers come from old ones.",
        f"Find out why {'this store is' if count == 1 else 'these stores are'} no longer polled.",
        lambda n: (
            f"last poll {moment(int(facts.newest[n]), facts.zone_of(n), read_style())}, "
            f"{ago(int(facts.newest[n]), facts.at)}"
        ),
        np.argsort(facts.newest, kind="stable"),
    )


def _future_polls(facts: Facts, actor: Actor) -> list[Finding]:
    mask = facts.future > 0
    count, polls = int(mask.sum()), int(facts.future.sum())
    ask = "" if actor.may(Role.OPERATOR) else "ask an operator to "
    found = facts.finding(
        "future_polls",
        mask,
        f"{count_of(polls, 'poll')} of {count_of(count, 'store')} "
        f"{'is' if polls == 1 else 'are'} later than this machine's clock, and "
        f"{'counts' if polls == 1 else 'count'} nowhere.",
        f"Check this machine's clock; if it is right, {ask}delete them in a terminal: "
        f"{FORGET_COMMAND}",
        lambda n: (
            f"{count_of(int(facts.future[n]), 'poll')}, the last at "
            f"{as_text(int(facts.newest_future[n]))[:16]} UTC"
        ),
    )
    return [replace(finding, count=polls, stores=count) for finding in found]


def _no_polls(facts: Facts) -> list[Finding]:
    mask = ~facts.polled & facts.in_business
    count = int(mask.sum())
    return facts.finding(
        "no_polls",
        mask,
        f"{count_of(count, 'store')} {have(count)} no polls, so nothing is known of "
        f"{'it' if count == 1 else 'them'}.",
        "Check that the polls file has these ids, written in the same way.",
        lambda n: f"has {_feeds_of(int(facts.feeds[n]))}" if facts.feeds[n] else "",
    )


def _feeds_of(bits: int) -> str:
    words = {HAS_HOURS: "hours", HAS_ZONE: "a time zone", LISTED: "an entry in the directory"}
    return " and ".join(word for bit, word in words.items() if bits & bit)


def _no_hours(facts: Facts) -> list[Finding]:
    mask = facts.stores.schedule.hours_assumed & facts.in_business
    count = int(mask.sum())
    return facts.finding(
        "no_hours",
        mask,
        f"{count_of(count, 'store')} {have(count)} no business hours and "
        f"{'counts' if count == 1 else 'count'} as open 24 hours a day, 7 days a week.",
        "Import a business-hours file that names these stores, or enter their hours on the "
        "Settings page.",
    )


def _no_zone(facts: Facts) -> list[Finding]:
    mask = ~facts.stores.zone_given & facts.in_business
    count = int(mask.sum())
    return facts.finding(
        "no_zone",
        mask,
        f"{count_of(count, 'store')} {have(count)} no time zone and "
        f"{'counts' if count == 1 else 'count'} as {DEFAULT_ZONE}.",
        "Import a time-zone file that names these stores, or choose their zone on the Settings "
        "page.",
    )


def _fixed_zones(facts: Facts) -> list[Finding]:
    meanings = [explain_fixed_zone(zone) for zone in facts.stores.zones]
    fixed = np.array([text is not None for text in meanings], bool)
    mask = np.zeros(len(facts.ids), bool)
    if len(mask):
        mask = fixed[facts.stores.zone_of_store] & facts.in_business
    count = int(mask.sum())
    return facts.finding(
        "fixed_offset_zone",
        mask,
        f"{count_of(count, 'store')} {have(count)} a time zone without daylight saving time, so "
        f"{'its' if count == 1 else 'their'} hours may be off by one or more.",
        "Choose the zone of a city on the store's clock, such as America/New_York.",
        lambda n: meanings[int(facts.stores.zone_of_store[n])] or "",
    )


def _polled_after_closing(facts: Facts) -> list[Finding]:
    newest = facts.newest.max(initial=NEVER)
    mask = (facts.newest >= facts.closes) & (facts.newest + WEEK > newest)
    count = int(mask.sum())

    def detail(n: int) -> str:
        zone = facts.zone_of(n)
        closed = as_datetime(int(facts.closes[n]), zone)
        last = moment(int(facts.newest[n]), zone, read_style())
        return f"closed on {closed:%Y-%m-%d}, last poll {last}"

    return facts.finding(
        "polled_after_closing",
        mask,
        f"{count_of(count, 'store')} {'is' if count == 1 else 'are'} past "
        f"{'its' if count == 1 else 'their'} closing date, but still polled.",
        "Stop polling these stores, or correct their closing dates.",
        detail,
    )


def _same_names(facts: Facts) -> list[Finding]:
    """A finding about stores in business with the same name, ignoring capitals and spaces."""
    alike: dict[str, list[int]] = defaultdict(list)
    for n in np.flatnonzero(facts.in_business).tolist():
        name = " ".join((facts.names[n] or "").split()).casefold()
        if name:
            alike[name].append(n)
    groups = [places for places in alike.values() if len(places) > 1]
    examples = [
        Example(
            facts.ids[n], facts.ids[places[1] if n == places[0] else places[0]], name=facts.names[n]
        )
        for places in groups
        for n in places
    ]
    if not examples:
        return []
    return [
        Finding(
            "same_names",
            len(examples),
            f"{len(examples):,} stores share their name with another, so nobody can tell them "
            "apart by it.",
            "Give each a name of its own, such as with its street, in the store directory.",
            tuple(examples[:MOST_EXAMPLES]),
        )
    ]
