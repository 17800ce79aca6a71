"""Evaluates the rules: what is known, what was said, what is to be said.

A rule is evaluated when the data changed since the last time. What is to be said is decided from
one state of the data. Then one transaction writes what was said, and the messages. It changes
nothing if another worker evaluated the rule meanwhile.
"""

import json
import logging
from dataclasses import asdict, dataclass, replace
from typing import Any

from peewee import chunked

from restmon.access.passwords import hash_token
from restmon.core.instants import HOUR
from restmon.errors import RestmonError
from restmon.logs import event
from restmon.notify import decide, follow_up, job_news, outbox, secrets
from restmon.notify.acknowledgements import PATH
from restmon.notify.alert_facts import gather_facts, read_watched
from restmon.notify.channels import CLOSED, EVENTS, OPENED
from restmon.notify.conditions import DOWN, FEED, OF_JOBS, TARGET, policy_of
from restmon.notify.decide import Key, Message, Watch
from restmon.notify.events import describe_event
from restmon.notify.follow_up import name_alert
from restmon.notify.messages import Writer, alert_key, can_be_acknowledged
from restmon.notify.outbox import Draft
from restmon.reporting.snapshot import current_revision
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import now
from restmon.storage.notify_models import AlertState, Channel, Rule, RuleChannel

log = logging.getLogger("restmon.notify")
AT_ONCE = 100
SENDER = "an alert rule"

Drafts = list[tuple[Channel, Draft]]


def evaluate_rules() -> list[str]:
    """Evaluate every rule. Returns the ids of the messages that were added, to be enqueued. A rule
    that fails does not keep others from being evaluated."""
    with database.session():
        rules = list(Rule.select().where(~Rule.paused).order_by(Rule.id))
        revision = current_revision()
    added: list[str] = []
    for rule in rules:
        if not _is_due(rule, revision):
            continue
        try:
            added += evaluate(rule)
        except RestmonError as error:
            event(log, "rule_failed", rule=rule.id, error=error.message)
    return added


def _is_due(rule: Rule, revision: int) -> bool:
    """Whether a rule may have something new to say."""
    if rule.condition in {FEED, *OF_JOBS}:
        return True
    if rule.condition == TARGET and rule.evaluated_at is not None and rule.revision is not None:
        return rule.revision != revision and now() - rule.evaluated_at >= HOUR
    return rule.revision != revision


def evaluate(rule: Rule) -> list[str]:
    """Evaluate one rule; see `evaluate_rules`."""
    with database.reading():
        revision = current_revision()
        joined = Channel.select().join(RuleChannel).where(RuleChannel.rule == rule.id)
        channels = list(joined.order_by(Channel.id))
        look = _look_at_jobs if rule.condition in OF_JOBS else _look_at_stores
        found = look(rule, channels)
    return [] if found is None else _write(rule, revision, found)


@dataclass(frozen=True)
class _Decided:
    """What an evaluation comes to: as of when, the watches that changed (None: forgotten), those of
    them that are not acknowledged any more, and what is to be said to whom."""

    as_of: int
    changed: dict[Key, Watch | None]
    again: frozenset[Key]
    drafts: Drafts


def _look_at_jobs(rule: Rule, channels: list[Channel]) -> _Decided:
    news, until = job_news.find_news(rule)
    return _Decided(
        until, {}, frozenset(), [(channel, draft) for draft in news for channel in channels]
    )


def _look_at_stores(rule: Rule, channels: list[Channel]) -> _Decided | None:
    watched = read_watched(rule)
    if watched is None:
        return None
    before = {key: read_watch(row) for key, row in _states(rule.id).items()}
    facts = gather_facts(watched, before)
    if facts is None or (rule.as_of is not None and facts.as_of < rule.as_of):
        return None
    watches, messages = decide.decide(before, facts, policy_of(rule))
    unsure = follow_up.find_unsure(rule, watches, facts, messages)
    over = [message.keys[0][0] for message in messages if message.kind == decide.OVER]
    ended = watched.find_ended(over) if rule.condition in {DOWN, *EVENTS} else {}
    drafts: Drafts = []
    for channel in channels if messages or unsure else []:
        writer = Writer(watched, ended, channel.zone or "")
        for message in messages:
            if (draft := make_draft(rule, channel, writer, message)) is not None:
                drafts.append((channel, draft))
        for message_id, message in unsure.get(channel.id, []):
            if (draft := make_draft(rule, channel, writer, message)) is not None:
                # Each message that may have arrived is followed by one, whatever else is said.
                drafts.append((channel, replace(draft, key=f"after:{message_id}")))
    changed: dict[Key, Watch | None] = {
        key: watches.get(key) for key in {*before, *watches} if before.get(key) != watches.get(key)
    }
    again = {
        key for key, watch in changed.items() if watch is not None and not watch.is_acknowledged
    } & {key for key, watch in before.items() if watch.is_acknowledged}
    return _Decided(facts.as_of, changed, frozenset(again), drafts)


def make_draft(rule: Rule, channel: Channel, writer: Writer, message: Message) -> Draft | None:
    """The message for a channel; None for an event that a webhook does not get."""
    store, part = alert_key(message)
    alert = name_alert((store, part), message.alert)
    over = message.kind in {decide.OVER, decide.BUNDLE_OVER}
    key = f"{rule.id}:{alert}:{message.kind}:{message.number}"
    if rule.condition in EVENTS:
        name = CLOSED if over else OPENED
        if name not in channel.events:
            return None
        said = describe_event(writer.watched, writer.ended, message)
        payload = json.dumps(said, ensure_ascii=False)
        return Draft(key, name, f"{name} {said['store_id']}", payload=payload)
    text = writer.write(message)
    lines = text.lines
    if rule.reminder is not None and can_be_acknowledged(message):
        token = make_token(rule.id, (store, part), message.alert)
        link = f"{get_settings().link_url}{PATH}?token={token}"
        lines = [*lines, "", "Acknowledge it, so that no reminder follows:", link]
    return Draft(
        key,
        outbox.ALERT,
        text.subject,
        "\n".join(lines),
        rule=rule.id,
        alert=alert,
        reminds=message.kind in {decide.REMINDER, decide.BUNDLE_REMINDER},
        ends=message.kind == decide.OVER or (over and not message.keys),
    )


def make_token(rule: int, key: Key, alert: int) -> str:
    """The token of the acknowledgement link of an alert, the same in each of its messages."""
    return secrets.derive_token(f"acknowledge:{rule}:{key[0]}:{key[1]}:{alert}")


def _states(rule: int) -> dict[Key, AlertState]:
    rows = AlertState.select().where(AlertState.rule == rule)
    return {(row.store, row.part): row for row in rows}


def read_watch(row: AlertState) -> Watch:
    """The watch that a row holds."""
    known = dict(row.values)
    known["recent"] = tuple(known.get("recent", ()))
    acknowledged = row.acknowledged_at is not None
    return Watch(is_open=row.is_open, is_acknowledged=acknowledged, **known)


def _as_row(rule: int, key: Key, watch: Watch, before: AlertState | None) -> dict[str, Any]:
    """The row of a watch. ``before``: the row that may have been acknowledged meanwhile."""
    values = asdict(replace(watch, recent=()))
    values["recent"] = list(watch.recent)
    for name in ("is_open", "is_acknowledged"):
        del values[name]
    same = before is not None and before.is_open and before.values.get("alert") == watch.alert
    token = hash_token(make_token(rule, key, watch.alert)) if watch.is_open else None
    return {
        "rule": rule,
        "store": key[0],
        "part": key[1],
        "is_open": watch.is_open,
        "token_hash": token,
        "acknowledged_at": before.acknowledged_at if same and before is not None else None,
        "acknowledged_by": before.acknowledged_by if same and before is not None else None,
        "values": values,
    }


def _write(rule: Rule, revision: int, found: _Decided) -> list[str]:
    """Write what was decided, unless somebody evaluated the rule meanwhile."""
    last = rule.evaluated_at
    same = Rule.evaluated_at.is_null() if last is None else Rule.evaluated_at == last
    with database.updating():
        moment = max(now(), (last or 0) + 1)
        mine = (
            Rule.update(evaluated_at=moment, revision=revision, as_of=found.as_of)
            .where((Rule.id == rule.id) & ~Rule.paused & same)
            .execute()
        )
        if not mine:
            return []
        _write_states(rule.id, found)
        return outbox.add_all(found.drafts, SENDER)


def _write_states(rule: int, found: _Decided) -> None:
    changed = found.changed
    if not changed:
        return
    before = _states(rule)
    old = [before[key].id for key in changed if key in before]
    for some in chunked(old, AT_ONCE):
        AlertState.delete().where(AlertState.id.in_(some)).execute()
    rows = [
        _as_row(rule, key, watch, None if key in found.again else before.get(key))
        for key, watch in changed.items()
        if watch is not None
    ]
    for part in chunked(rows, AT_ONCE):
        AlertState.insert_many(part).execute()
