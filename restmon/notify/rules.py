"""Rules: what to tell whom. An owner manages those of their own groups."""

from collections.abc import Sequence
from dataclasses import dataclass

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.errors import BadRequest, NotFound
from restmon.notify.channels import EVENTS, find_channel
from restmon.notify.conditions import (
    CONDITIONS,
    DEFAULT_MINUTES,
    DOWN,
    OF_JOBS,
    OF_STORES,
    TARGET,
)
from restmon.notify.outbox import APPRISE
from restmon.notify.visibility import is_within, may_use
from restmon.storage import database
from restmon.storage.models import Group, Store
from restmon.storage.notify_models import Channel, Rule, RuleChannel
from restmon.stores.subjects import Subject, find_row

LONGEST_WAIT, SHORTEST_STEP, LONGEST_STEP = 1440, 15, 7 * 1440


@dataclass(frozen=True)
class Wanted:
    """What a rule is to say: its ``condition``, of a ``group`` (name), a ``store`` (id) or all
    stores, after so many open ``minutes``, with a ``reminder`` each so many open minutes (None:
    none)."""

    condition: str
    group: str | None = None
    store: str | None = None
    minutes: int = DEFAULT_MINUTES
    reminder: int | None = None


@dataclass(frozen=True)
class ShownRule:
    """A rule as it is shown, with the names of its channels."""

    id: int
    wanted: Wanted
    channels: list[str]
    paused: bool
    created_by: str


def add_rule(wanted: Wanted, channels: Sequence[int], actor: Actor = THIS_MACHINE) -> int:
    """Add a rule that sends to channels (row ids). Returns its id.

    It tells of stores that the people of all its channels may see alone. Raises BadRequest,
    NotFound, Forbidden.
    """
    actor.must(Role.OWNER)
    _check(wanted)
    if not channels:
        raise BadRequest("A rule needs a channel.", "Choose one, or add one first.")
    with database.writing():
        rows = [find_channel(channel, actor) for channel in dict.fromkeys(channels)]
        if any(row.kind != APPRISE for row in rows):
            raise BadRequest(
                "A webhook gets events, not messages.", "Choose the events when you add it."
            )
        group = find_row(Subject(group=wanted.group), actor) if wanted.group else None
        store = find_row(Subject(store=wanted.store), actor) if wanted.store else None
        groups = _common_groups(rows, group, actor)
        rule = Rule.create(
            condition=wanted.condition,
            groups=groups,
            group=group,
            store=store,
            minutes=wanted.minutes if wanted.condition == DOWN else 0,
            reminder=None if wanted.condition in {TARGET, *OF_JOBS} else wanted.reminder,
            created_by=actor.name,
        )
        for row in rows:
            RuleChannel.create(rule=rule, channel=row)
        audit.note(actor, audit.RULES_CHANGED, f"{rule.id}: added ({wanted.condition})")
    return int(rule.id)


def _check(wanted: Wanted) -> None:
    if wanted.condition not in CONDITIONS:
        raise BadRequest(
            f"There is no condition {wanted.condition[:40]!r}.", f"Use {', '.join(CONDITIONS)}."
        )
    if wanted.group and wanted.store:
        raise BadRequest("A rule is of a group or of a store.", "Give one of them, or neither.")
    if not 0 <= wanted.minutes <= LONGEST_WAIT:
        raise BadRequest(f"{wanted.minutes} minutes are not from 0 to {LONGEST_WAIT}.")
    step = wanted.reminder
    if step is not None and not SHORTEST_STEP <= step <= LONGEST_STEP:
        raise BadRequest(f"A reminder comes after {SHORTEST_STEP} to {LONGEST_STEP} open minutes.")
    if wanted.store and wanted.condition not in OF_STORES:
        raise BadRequest(
            f"The condition {wanted.condition!r} is not of one store.", "Leave the store out."
        )


def _common_groups(rows: list[Channel], group: int | None, actor: Actor) -> list[int] | None:
    """The groups (row ids; None: every store) whose stores the actor and the people of all the
    channels see. Raises BadRequest if the rule's group is not among them."""
    seen = None if actor.groups is None else set(actor.groups)
    for row in rows:
        if row.groups is not None:
            seen = set(row.groups) if seen is None else seen & set(row.groups)
    if seen is not None and (not seen or (group is not None and group not in seen)):
        raise BadRequest(
            "The people of a channel must not see stores of other groups.",
            "Choose a channel of the rule's group.",
        )
    found = None if seen is None else sorted(seen)
    assert all(is_within(found, row.groups) for row in rows)  # noqa: S101 - a leak otherwise
    return found


def find_rule(rule_id: int, actor: Actor) -> Rule:
    """The row of a rule. Raises NotFound if there is none that the actor may use. The caller holds
    a connection."""
    row = Rule.get_or_none(Rule.id == rule_id)
    if row is None or not may_use(actor, row.groups) or row.condition in EVENTS:
        raise NotFound(f"There is no rule {rule_id}.", "Choose one of your own rules.")
    return row


def delete_rule(rule_id: int, actor: Actor = THIS_MACHINE) -> None:
    """Delete a rule. Messages that wait are still sent. Raises NotFound, Forbidden."""
    actor.must(Role.OWNER)
    with database.writing():
        row = find_rule(rule_id, actor)
        Rule.delete().where(Rule.id == row.id).execute()
        audit.note(actor, audit.RULES_CHANGED, f"{rule_id}: deleted ({row.condition})")


def set_paused(rule_id: int, paused: bool, actor: Actor = THIS_MACHINE) -> None:
    """Pause a rule, or let it go on. Raises NotFound, Forbidden."""
    actor.must(Role.OWNER)
    with database.writing():
        row = find_rule(rule_id, actor)
        Rule.update(paused=paused, revision=None).where(Rule.id == row.id).execute()
        said = "paused" if paused else "goes on"
        audit.note(actor, audit.RULES_CHANGED, f"{rule_id}: {said} ({row.condition})")


def list_rules(actor: Actor = THIS_MACHINE) -> list[ShownRule]:
    """The rules that the actor may use, without those that webhooks have of their own."""
    with database.session():
        rows = [
            row
            for row in Rule.select().order_by(Rule.id)
            if row.condition not in EVENTS and may_use(actor, row.groups)
        ]
        groups: dict[int, str] = dict(database.tuples(Group.select(Group.id, Group.name)))
        ids = [row.store_id for row in rows if row.store_id is not None]
        query = Store.select(Store.id, Store.store_id).where(Store.id.in_(ids))
        stores: dict[int, str] = dict(database.tuples(query))
        names: dict[int, list[str]] = {}
        pairs = RuleChannel.select(RuleChannel.rule, Channel.name).join(Channel)
        for rule, name in database.tuples(pairs.order_by(Channel.name)):
            names.setdefault(rule, []).append(name)
    return [
        ShownRule(
            row.id,
            Wanted(
                row.condition,
                groups.get(row.group_id or 0),
                stores.get(row.store_id or 0),
                row.minutes,
                row.reminder,
            ),
            names.get(row.id, []),
            row.paused,
            row.created_by,
        )
        for row in rows
    ]
