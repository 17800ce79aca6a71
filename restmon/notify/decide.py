"""What to say of what a rule watches: a function of what is known, and of what was said. Pure.

A *subject* is a store (its row id), a part of what is watched of it, or the whole rule (store 0).
A fact says whether it is on (down, not reporting …), off, unknown (closed, so that nothing is said
until it opens), or gone. `decide` takes the facts of one instant and the watches, which remember
what was said, and returns the new watches and the messages. Times are those of the data, so that a
late import says what it would have said in time.

The rules, in the words of Help: a subject that is on for the least time is told once. It is told
again when it is over. A reminder comes each time another step of open time has passed, until
somebody acknowledges it. More than five at once, and stores of one incident, are one message. A
third message about one store within 24 hours says that it is flapping: nothing more is said of it
until it was off for two open hours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from restmon.core.instants import DAY, HOUR

ON, OFF, UNKNOWN, GONE = "on", "off", "unknown", "gone"
Key = tuple[int, str]
BUNDLE: Key = (0, "bundle")
"""The key under which the watches remember the message about many stores at once."""
MOST_ALONE = 5
"""More subjects than this that begin at once are one message."""
FLAPS, FLAP_TIME = 3, DAY
STEADY = 2 * 2 * HOUR
"""The open time (half microseconds) after which a flapping store counts as steady."""
MANY, INCIDENT, PART = "many", "incident", "part"

STARTED, OVER, REMINDER = "started", "over", "reminder"
FLAPPING, NO_LONGER_FLAPPING = "flapping", "steady"
BUNDLE_STARTED, INCIDENT_STARTED = "many started", "incident started"
BUNDLE_REMINDER, BUNDLE_OVER = "many reminder", "many over"


@dataclass(frozen=True)
class Fact:
    """What is known of a subject: its ``state``, ``since`` when it is on (instant), for how much
    open time it is on (``lasted``) or off (``steady``), half microseconds, whether it is part of
    the incident, and whether it is closed now, so that it alone is no reason to say something."""

    state: str
    since: int = 0
    lasted: int = 0
    steady: int = 0
    in_incident: bool = False
    is_closed: bool = False


@dataclass(frozen=True)
class Facts:
    """The facts as of an instant. Subjects without one are gone. ``incident``: one goes on."""

    as_of: int
    subjects: Mapping[Key, Fact]
    incident: bool = False


@dataclass(frozen=True)
class Policy:
    """How a rule tells: what is on for at least ``least`` (half microseconds of open time), a
    reminder after each ``reminder`` (the same; None: none), several at once as one message
    (``bundles``), ``damps`` what flaps, and tells what is over (``closes``). With ``gathers`` all
    that begins is one message, and the next one comes so long after it at the earliest."""

    least: int = 0
    reminder: int | None = None
    bundles: bool = True
    damps: bool = True
    closes: bool = True
    gathers: int | None = None


@dataclass(frozen=True)
class Watch:
    """What is remembered of a subject: whether it was told and goes on (``is_open``), the ``as_of``
    at which it was told (``alert``, which names the alert), ``since`` when it was on then, the open
    time at the last message (``told_for``), how many reminders there were, when it was told within
    the last 24 hours (``recent``), and whether it is part of a bundle. ``counted``: a bundle that
    goes on has it in its numbers; whether it was on or off when that was last known. Of a bundle,
    ``bundle`` is its kind, ``told_for`` the instant of the last message, ``members`` how many
    subjects it has in its numbers, and ``first`` how many its first message
    had."""

    is_open: bool = False
    alert: int = 0
    since: int = 0
    told_for: int = 0
    reminders: int = 0
    recent: tuple[int, ...] = ()
    is_flapping: bool = False
    is_acknowledged: bool = False
    bundle: str = ""
    members: int = 0
    counted: str = ""
    first: int = 0


NOTHING = Watch()
Watches = Mapping[Key, Watch]


@dataclass(frozen=True)
class Message:
    """Something to say of subjects (``keys``). ``alert`` and the first key name the alert that it
    belongs to; ``number`` tells its reminders apart. Where a bundle is over, ``keys`` are those
    that are still on, ``number`` is of how many, of which ``first`` were in its first message and
    ``gone`` are not watched any more; ``flapping`` are those of the keys that flap."""

    kind: str
    keys: tuple[Key, ...]
    alert: int
    number: int = 0
    first: int = 0
    gone: int = 0
    flapping: frozenset[Key] = frozenset()


@dataclass
class _Round:
    """One call of `decide`."""

    facts: Facts
    policy: Policy
    watches: dict[Key, Watch] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    starting: list[Key] = field(default_factory=list)
    flapping: list[Key] = field(default_factory=list)


def decide(
    watches: Watches, facts: Facts, policy: Policy
) -> tuple[dict[Key, Watch], list[Message]]:
    """Return the new watches and what is to be said, in order. Facts that are not newer than those
    of the last call say nothing new."""
    now = _Round(facts, policy)
    for key in sorted({*watches, *facts.subjects} - {BUNDLE}):
        fact = facts.subjects.get(key, Fact(GONE))
        watch = _without_old(watches.get(key, NOTHING), facts.as_of)
        if is_counted(watch) and fact.state in {ON, OFF}:
            watch = replace(watch, counted=fact.state)
        if fact.state == ON:
            watch = _look_at_on(now, key, fact, watch)
        elif fact.state == OFF:
            watch = _look_at_off(now, key, fact, watch)
        elif fact.state == GONE:
            watch = NOTHING
        if watch != NOTHING:
            now.watches[key] = watch
    bundle = watches.get(BUNDLE, NOTHING)
    if policy.gathers is not None:
        bundle = _gather(now, bundle, policy.gathers)
    else:
        bundle = _look_at_bundle(now, _start(now, bundle))
    if bundle.is_open:
        now.watches[BUNDLE] = bundle
    return now.watches, now.messages


def is_counted(watch: Watch) -> bool:
    """Whether the bundle that goes on has a subject in its numbers."""
    return bool(watch.counted) or watch.bundle == PART


def find_not_over(watches: Watches) -> list[Key]:
    """The subjects that the bundle has in its numbers and that are not known to be off again."""
    return [key for key, one in watches.items() if is_counted(one) and one.counted != OFF]


def _without_old(watch: Watch, as_of: int) -> Watch:
    recent = tuple(told for told in watch.recent if told > as_of - FLAP_TIME)
    return watch if recent == watch.recent else replace(watch, recent=recent)


def _look_at_on(now: _Round, key: Key, fact: Fact, watch: Watch) -> Watch:
    as_of = now.facts.as_of
    if watch.is_open and fact.since <= watch.alert:
        return _remind(now, key, fact, watch)
    if watch.is_open:  # it was off in between, and nobody looked
        watch = _closed(watch)
    if fact.lasted < now.policy.least:
        return watch
    watch = replace(watch, is_open=True, alert=as_of, since=fact.since, told_for=fact.lasted)
    (now.flapping if watch.is_flapping else now.starting).append(key)
    return watch


def _closed(watch: Watch) -> Watch:
    recent, counted = watch.recent, watch.counted
    return replace(NOTHING, recent=recent, is_flapping=watch.is_flapping, counted=counted)


def _remind(now: _Round, key: Key, fact: Fact, watch: Watch) -> Watch:
    step = now.policy.reminder
    silent = watch.bundle or watch.is_flapping or watch.is_acknowledged
    if step is None or silent or fact.lasted - watch.told_for < step:
        return watch
    number = watch.reminders + 1
    now.messages.append(Message(REMINDER, (key,), watch.alert, number))
    return replace(watch, told_for=fact.lasted, reminders=number)


def _look_at_off(now: _Round, key: Key, fact: Fact, watch: Watch) -> Watch:
    if watch.is_open:
        if now.policy.closes and not watch.is_flapping and not watch.bundle:
            now.messages.append(Message(OVER, (key,), watch.alert))
        watch = _closed(watch)
    if watch.is_flapping and fact.steady >= STEADY:
        now.messages.append(Message(NO_LONGER_FLAPPING, (key,), now.facts.as_of))
        return replace(NOTHING, counted=watch.counted)
    return watch


def _start(now: _Round, bundle: Watch) -> Watch:
    """Say what begins: stores of an incident and many at once as one message, others alone."""
    as_of, subjects = now.facts.as_of, now.facts.subjects
    alone = now.starting
    if now.policy.bundles:
        of_incident = [key for key in alone if now.facts.incident and subjects[key].in_incident]
        alone = [key for key in alone if key not in set(of_incident)]
        if of_incident and bundle.bundle != INCIDENT:
            struck = [key for key, fact in subjects.items() if fact.in_incident]
            bundle = _told_bundle(now, bundle, INCIDENT, of_incident)
            bundle = _count(now, bundle, struck)
            now.messages.append(Message(INCIDENT_STARTED, tuple(sorted(struck)), bundle.alert))
        if bundle.bundle == INCIDENT:
            # Nothing is said of what flaps, but it has its place in the numbers.
            flapping = [key for key in now.flapping if subjects[key].in_incident]
            bundle = _join(now, bundle, of_incident + flapping)
        if len(alone) > MOST_ALONE:
            bundle = _told_bundle(now, bundle, bundle.bundle or MANY, alone)
            after = as_of - bundle.alert
            now.messages.append(Message(BUNDLE_STARTED, tuple(alone), bundle.alert, after))
            bundle = _join(now, bundle, alone)
            alone = []
    for key in alone:
        watch = now.watches[key]
        recent = (*watch.recent, as_of)
        flaps = now.policy.damps and len(recent) >= FLAPS
        now.messages.append(Message(FLAPPING if flaps else STARTED, (key,), as_of))
        now.watches[key] = replace(watch, recent=recent, is_flapping=flaps)
    return bundle


def _gather(now: _Round, bundle: Watch, pause: int) -> Watch:
    """Say all that begins in one message, if the last one is long enough ago and one of the
    subjects is open. What is not said begins again next time."""
    as_of, keys = now.facts.as_of, now.starting
    is_early = bundle.is_open and as_of - bundle.told_for < pause
    if is_early or all(now.facts.subjects[key].is_closed for key in keys):
        for key in keys:
            del now.watches[key]
        return bundle
    now.messages.append(Message(STARTED if len(keys) == 1 else BUNDLE_STARTED, tuple(keys), as_of))
    return replace(NOTHING, is_open=True, alert=as_of, told_for=as_of, bundle=MANY)


def _told_bundle(now: _Round, bundle: Watch, kind: str, keys: list[Key]) -> Watch:
    as_of = now.facts.as_of
    told = replace(bundle, told_for=as_of, bundle=kind, is_acknowledged=False)
    if bundle.is_open:
        return told
    since = min(now.facts.subjects[key].since for key in keys)
    return replace(told, is_open=True, alert=as_of, since=since)


def _join(now: _Round, bundle: Watch, keys: list[Key]) -> Watch:
    """Make subjects part of the bundle: it says when they are over, and reminds of them."""
    bundle = _count(now, bundle, keys)
    for key in keys:
        now.watches[key] = replace(now.watches[key], bundle=PART)
    return bundle


def _count(now: _Round, bundle: Watch, keys: list[Key]) -> Watch:
    """Have subjects in the numbers of the bundle, each once: what was told alone before, and what
    is not on for long enough to be told, is among the stores of an incident."""
    known = {key: now.watches.get(key, NOTHING) for key in keys}
    added = sum(not is_counted(watch) for watch in known.values())
    now.watches |= {key: replace(watch, counted=ON) for key, watch in known.items()}
    members = bundle.members + added
    return replace(bundle, members=members, first=bundle.first if bundle.members else members)


def _look_at_bundle(now: _Round, bundle: Watch) -> Watch:
    """End a bundle of which few are left, or remind of it."""
    if not bundle.is_open:
        return bundle
    as_of = now.facts.as_of
    left = sorted(find_not_over(now.watches))
    if len(left) <= MOST_ALONE and not (bundle.bundle == INCIDENT and now.facts.incident):
        if now.policy.closes:
            now.messages.append(_end_bundle(now, bundle, left))
        _let_go(now)
        return NOTHING
    on = tuple(key for key in left if now.facts.subjects[key].state == ON)
    step = now.policy.reminder
    if step is None or bundle.is_acknowledged or not on or 2 * (as_of - bundle.told_for) < step:
        return bundle
    number = bundle.reminders + 1
    now.messages.append(Message(BUNDLE_REMINDER, on, bundle.alert, number))
    return replace(bundle, told_for=as_of, reminders=number)


def _end_bundle(now: _Round, bundle: Watch, left: list[Key]) -> Message:
    known = sum(is_counted(watch) for watch in now.watches.values())
    return Message(
        BUNDLE_OVER,
        tuple(left),
        bundle.alert,
        bundle.members,
        first=bundle.first,
        # A bundle from before this was counted has no first.
        gone=bundle.members - known if bundle.first else 0,
        flapping=frozenset(key for key in left if now.watches[key].is_flapping),
    )


def _let_go(now: _Round) -> None:
    """Each subject of a bundle that ended stands for itself again."""
    for key, watch in list(now.watches.items()):
        fact = now.facts.subjects[key]
        was_on = watch.bundle == PART and fact.state == ON
        told_for = fact.lasted if was_on else watch.told_for
        now.watches[key] = replace(watch, bundle="", counted="", told_for=told_for)
        if now.watches[key] == NOTHING:
            del now.watches[key]
