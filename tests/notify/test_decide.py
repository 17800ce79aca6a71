"""What is said in a simulated month, against a slow definition that goes outage by outage."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restmon.core.instants import DAY, HOUR, MINUTE
from restmon.notify import decide as d
from restmon.notify.decide import Fact, Facts, Policy

MONTH = 30 * DAY
Said = tuple[int, str, int]
"""(instant, kind, store)"""


@dataclass(frozen=True)
class Life:
    """A store that is open from ``opens`` to ``closes`` each day (µs after midnight), its outages
    [(start, end)] on the wall clock, and when somebody looks."""

    opens: int
    closes: int
    outages: list[tuple[int, int]]
    looks: list[int]

    def is_open(self, at: int) -> bool:
        return self.opens <= at % DAY < self.closes

    def open_time(self, start: int, end: int) -> int:
        """Minute by minute, in half microseconds."""
        return sum(2 * MINUTE for minute in range(start, end, MINUTE) if self.is_open(minute))

    def steady(self, since: int, at: int) -> int:
        """The open time since the last outage, as far as it matters: 3 hours of it."""
        passed = 0
        while at > since and passed < 6 * HOUR:
            at -= MINUTE
            passed += 2 * MINUTE * self.is_open(at)
        return passed

    def fact(self, at: int) -> Fact:
        if not self.is_open(at):
            return Fact(d.UNKNOWN)
        for start, end in self.outages:
            if start <= at < end:
                return Fact(d.ON, start, self.open_time(start, at))
        before = [end for _, end in self.outages if end <= at]
        return Fact(d.OFF, steady=self.steady(before[-1] if before else 0, at))


def make_life(seed: int, gap: int, longest: int) -> Life:
    chance = random.Random(seed)
    opens = chance.choice([0, 8, 11]) * HOUR
    closes = DAY if not opens else opens + chance.choice([3, 9, 12]) * HOUR
    at, outages = 0, []
    while at < MONTH:
        start = at + chance.randrange(1, gap) * MINUTE
        at = start + chance.randrange(1, longest) * MINUTE
        outages.append((start, at))
    step = chance.choice([10, 15, 60]) * MINUTE
    looks = [at + chance.randrange(0, 3) * MINUTE for at in range(0, MONTH, step)]
    return Life(opens, closes, outages, looks)


def expect(life: Life, policy: Policy, store: int) -> list[Said]:
    """What is to be said, outage by outage."""
    said: list[Said] = []
    facts = {at: life.fact(at) for at in life.looks}
    told: list[int] = []
    flapping_since: int | None = None

    def end_flapping(until: int) -> None:
        nonlocal flapping_since
        if flapping_since is None:
            return
        for at in life.looks:
            calm = facts[at].state == d.OFF and facts[at].steady >= 4 * HOUR
            if flapping_since < at < until and calm:
                said.append((at, d.NO_LONGER_FLAPPING, store))
                flapping_since = None
                told.clear()
                return

    for number, (start, end) in enumerate(life.outages):
        seen = [at for at in life.looks if start <= at < end and facts[at].state == d.ON]
        first = next((at for at in seen if facts[at].lasted >= policy.least), None)
        if first is None:
            continue
        end_flapping(first)
        if flapping_since is not None:
            continue
        recent = [at for at in told if at > first - DAY]
        if policy.damps and len(recent) >= 2:
            said.append((first, d.FLAPPING, store))
            flapping_since = first
            continue
        told.append(first)
        said.append((first, d.STARTED, store))
        if policy.reminder is not None:
            last = facts[first].lasted
            for at in seen:
                if at > first and facts[at].lasted >= last + policy.reminder:
                    said.append((at, d.REMINDER, store))
                    last = facts[at].lasted
        over = next((at for at in life.looks if at >= end and facts[at].state == d.OFF), None)
        later = life.outages[number + 1 :]
        next_on = next(
            (at for at in life.looks if any(s <= at < e for s, e in later) and life.is_open(at)),
            MONTH * 2,
        )
        if over is not None and over < next_on and policy.closes:
            said.append((over, d.OVER, store))
    end_flapping(MONTH * 2)
    return sorted(said)


@settings(max_examples=15)
@given(
    st.integers(0, 10**9),
    st.sampled_from([0, 10, 45]),
    st.sampled_from([None, 60, 240]),
    st.booleans(),
    st.sampled_from([(60, 40), (900, 200), (4000, 3000)]),
)
def test_a_month_of_one_store(
    seed: int, least: int, reminder: int | None, damps: bool, kind: tuple[int, int]
):
    life = make_life(seed, *kind)
    step = None if reminder is None else reminder * 2 * MINUTE
    policy = Policy(least * 2 * MINUTE, step, damps=damps)
    watches: dict[d.Key, d.Watch] = {}
    said: list[Said] = []
    for at in life.looks:
        facts = Facts(at, {(7, ""): life.fact(at)})
        watches, messages = d.decide(watches, facts, policy)
        again, nothing = d.decide(watches, facts, policy)
        assert (again, nothing) == (watches, [])
        said += [(at, message.kind, 7) for message in messages]
    assert sorted(said) == expect(life, policy, 7)


def run(steps: list[Facts], policy: Policy) -> list[tuple[int, str, int]]:
    """(as_of, kind, number of subjects) of all messages."""
    watches: dict[d.Key, d.Watch] = {}
    said = []
    for facts in steps:
        watches, messages = d.decide(watches, facts, policy)
        said += [(facts.as_of, message.kind, len(message.keys)) for message in messages]
    return said


def down(stores: range, since: int, at: int, *, incident: bool = False) -> dict[d.Key, Fact]:
    return {
        (store, ""): Fact(d.ON, since, 2 * (at - since), in_incident=incident) for store in stores
    }


def up(stores: range) -> dict[d.Key, Fact]:
    return {(store, ""): Fact(d.OFF) for store in stores}


def test_an_incident_of_1300_stores_is_one_message_and_one_end():
    all_of_them, some = range(1, 1301), range(1, 4)
    steps = [Facts(0, up(all_of_them))]
    for minute in range(5, 90, 5):
        at = minute * MINUTE
        steps.append(Facts(at, down(all_of_them, 0, at, incident=True), incident=True))
    steps.append(Facts(90 * MINUTE, up(all_of_them) | down(some, 0, 90 * MINUTE)))
    steps.append(Facts(95 * MINUTE, up(all_of_them)))
    policy = Policy(10 * 2 * MINUTE, 60 * 2 * MINUTE)
    assert run(steps, policy) == [
        (10 * MINUTE, d.INCIDENT_STARTED, 1300),
        (70 * MINUTE, d.BUNDLE_REMINDER, 1300),
        (90 * MINUTE, d.BUNDLE_OVER, 3),
        *[(95 * MINUTE, d.OVER, 1)] * 3,
    ]


def test_stores_that_join_an_incident_later_are_not_told_alone():
    steps = [
        Facts(20, down(range(1, 7), 0, 20, incident=True), incident=True),
        Facts(40, down(range(1, 20), 0, 40, incident=True), incident=True),
        Facts(60, up(range(1, 20))),
    ]
    assert run(steps, Policy()) == [(20, d.INCIDENT_STARTED, 6), (60, d.BUNDLE_OVER, 0)]


def test_many_at_once_are_one_message_and_one_that_is_not_of_them_its_own():
    steps = [
        Facts(20, down(range(1, 24), 0, 20)),
        Facts(40, down(range(1, 24), 0, 40) | down(range(30, 31), 30, 40)),
        Facts(60, down(range(1, 3), 0, 60) | up(range(3, 31))),
        Facts(80, up(range(1, 31))),
    ]
    assert run(steps, Policy()) == [
        (20, d.BUNDLE_STARTED, 23),
        (40, d.STARTED, 1),
        (60, d.OVER, 1),
        (60, d.BUNDLE_OVER, 2),
        (80, d.OVER, 1),
        (80, d.OVER, 1),
    ]


@pytest.mark.parametrize("state", [d.UNKNOWN, d.GONE])
def test_what_is_closed_waits_and_what_is_gone_is_forgotten(state: str):
    key = (1, "")
    steps = [
        Facts(20, down(range(1, 2), 0, 20)),
        Facts(40, {key: Fact(state)} if state == d.UNKNOWN else {}),
        Facts(60, up(range(1, 2))),
    ]
    ends = [(60, d.OVER, 1)] if state == d.UNKNOWN else []
    assert run(steps, Policy()) == [(20, d.STARTED, 1), *ends]


def test_an_acknowledged_alert_gives_no_reminder_and_still_ends():
    policy = Policy(reminder=2 * HOUR)
    watches, said = d.decide({}, Facts(MINUTE, down(range(1, 2), 0, MINUTE)), policy)
    assert [one.kind for one in said] == [d.STARTED]
    watch = watches[1, ""]
    watches = {(1, ""): d.replace(watch, is_acknowledged=True)}
    watches, said = d.decide(watches, Facts(5 * HOUR, down(range(1, 2), 0, 5 * HOUR)), policy)
    assert said == []
    watches, said = d.decide(watches, Facts(6 * HOUR, up(range(1, 2))), policy)
    assert [one.kind for one in said] == [d.OVER]


def test_what_is_gathered_waits_for_the_pause_and_for_an_open_store():
    policy = d.Policy(damps=False, closes=False, gathers=DAY)
    watches: dict[d.Key, d.Watch] = {}
    said: list[tuple[float, int]] = []

    def look(hours: float, *keys: tuple[int, bool]) -> None:
        nonlocal watches
        facts = {(n, "missed"): d.Fact(d.ON, 1, is_closed=closed) for n, closed in keys}
        now = round(hours * HOUR) + DAY
        watches, messages = d.decide(watches, d.Facts(now, facts), policy)
        said.extend((hours, len(message.keys)) for message in messages)

    look(0, (1, True))
    look(1, (1, False))
    look(2, (1, False), (2, False), (3, True))
    look(25, (1, False), (2, True), (3, True))
    look(26, (1, False), (2, True), (3, False), (4, True))
    look(27, (1, False), (2, False), (3, False), (4, False))
    assert said == [(1, 1), (26, 3)]


@settings(max_examples=60)
@given(st.integers(0, 10**9), st.sampled_from([0, 10]))
def test_the_end_of_a_bundle_has_the_stores_that_its_messages_had(seed: int, least: int):
    """Whatever its stores do meanwhile: each is up, or named, or gone."""
    chance = random.Random(seed)
    stores = range(1, 20)
    policy = Policy(least * 2 * MINUTE, 60 * 2 * MINUTE)
    since: dict[int, int] = {}
    watches: dict[d.Key, d.Watch] = {}
    counted: set[d.Key] = set()
    for step in range(1, 60):
        at = step * 5 * MINUTE
        wild, incident = chance.choice([0.05, 0.3, 0.9]), chance.random() < 0.5
        subjects: dict[d.Key, Fact] = {}
        for store in stores:
            state = chance.choices([d.ON, d.OFF, d.UNKNOWN], [wild, 1 - wild, 0.1])[0]
            if state != d.ON:
                since.pop(store, None)
            start = since.setdefault(store, at - 5 * MINUTE) if state == d.ON else 0
            lasted = 2 * (at - start) if state == d.ON else 0
            struck = incident and state == d.ON and chance.random() < 0.8
            subjects[store, ""] = Fact(state, start, lasted, 0, struck)
        goes_on = incident and sum(fact.in_incident for fact in subjects.values()) >= 5
        watches, messages = d.decide(watches, Facts(at, subjects, goes_on), policy)
        for message in messages:
            if message.kind in {d.INCIDENT_STARTED, d.BUNDLE_STARTED}:
                counted |= set(message.keys)
            elif message.kind == d.BUNDLE_REMINDER:
                assert all(subjects[key].state == d.ON for key in message.keys)
            elif message.kind == d.BUNDLE_OVER:
                assert message.number >= len(counted | set(message.keys)) > 0
                assert message.gone == 0
                on = {key for key, fact in subjects.items() if fact.state == d.ON}
                assert counted & on <= set(message.keys)
                assert not any(watch.counted or watch.bundle for watch in watches.values())
                counted = set()
        known = [watch for key, watch in watches.items() if key != d.BUNDLE and d.is_counted(watch)]
        if d.BUNDLE in watches:
            assert watches[d.BUNDLE].members == len(known)
        else:
            assert not known
