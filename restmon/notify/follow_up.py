"""What follows a message of an alert that may have arrived: one reminder, where the alert is still
open and nobody acknowledged it. So nothing is lost in silence, and nothing is sent twice."""

from collections.abc import Sequence

from restmon.core.instants import DAY
from restmon.notify import decide
from restmon.notify.decide import BUNDLE, ON, Facts, Key, Message, Watches
from restmon.notify.messages import alert_key
from restmon.notify.outbox import UNSURE
from restmon.storage import database
from restmon.storage.notify_models import OutboxMessage, Rule

LONGEST_AGO = 7 * DAY
"""How long after a message that may have arrived its alert is still reminded of: a store that is
closed for some days opens meanwhile."""


def name_alert(key: Key, alert: int) -> str:
    """The name of an alert within its rule."""
    return f"{key[0]}:{key[1]}:{alert}"


def find_unsure(
    rule: Rule, watches: Watches, facts: Facts, messages: Sequence[Message]
) -> dict[int, list[tuple[str, Message]]]:
    """The messages of a rule that may have arrived and whose alert goes on, each as its id and the
    reminder that follows it, by channel (row id). ``messages`` are those of this evaluation: an
    alert of which something is said anyway needs no more. The outbox takes none of it twice. The
    caller holds a connection."""
    rows = OutboxMessage.select(
        OutboxMessage.id, OutboxMessage.channel, OutboxMessage.alert, OutboxMessage.finished_at
    ).where((OutboxMessage.status == UNSURE) & (OutboxMessage.rule == rule.id))
    since = database.clock() - LONGEST_AGO
    unsure = [row for row in database.tuples(rows) if row[1] is not None and row[3] > since]
    if not unsure:
        return {}
    said = {name_alert(alert_key(message), message.alert) for message in messages}
    still_open = {
        name_alert(key, watch.alert): key
        for key, watch in watches.items()
        if watch.is_open and not watch.is_acknowledged
    }
    found: dict[int, list[tuple[str, Message]]] = {}
    for message_id, channel, alert, _ in unsure:
        key = still_open.get(alert)
        if key is None or alert in said:
            continue
        reminder = _remind(key, watches, facts)
        if reminder is not None:
            found.setdefault(channel, []).append((message_id, reminder))
    return found


def _remind(key: Key, watches: Watches, facts: Facts) -> Message | None:
    """The reminder of an open alert; None while it must wait until a store opens."""

    alert, keys = watches[key].alert, [key]
    if key == BUNDLE:
        others = {one: watch for one, watch in watches.items() if watch.is_open and one != BUNDLE}
        keys = sorted(decide.find_not_over(watches))
        keys = keys or [one for one, watch in others.items() if watch.alert == alert]
    known = {one: facts.subjects[one] for one in keys if one in facts.subjects}
    on = tuple(one for one, fact in known.items() if fact.state == ON)
    if not on or all(known[one].is_closed for one in on):
        return None
    kind = decide.BUNDLE_REMINDER if key == BUNDLE else decide.REMINDER
    return Message(kind, on, alert)
