"""The outbox: messages that wait to be sent, one row for each message and channel.

A row is added in the transaction that decides that there is something to say, so a message exists
if and only if the decision does. Its ``key`` names what it is about; a second one with that key is
not added. A worker claims a row by a lease, prepares everything, writes down that it hands the
message over, does so, and writes down that it was taken::

    added ── claimed ── handed over ── taken           (Complete)
               ^  │         │
               │  │         ├── refused: waits 30 s, 1 min, 2 min … 1 h, for a day (Failed)
               └──┘         └── no answer, or the worker died: it may have arrived (Unsure)

Until the message is handed over nothing has left, so a worker that dies before leaves a row that
another one claims. After that nobody knows. Such a message is not sent again by itself: a person
can do so, and the next evaluation reminds of an alert that is still open. A webhook is never handed
over in this sense: its receiver drops an id that it knows, so it is simply sent again.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import chunked, fn

from restmon.access.roles import Actor
from restmon.core.instants import DAY, MINUTE, SECOND
from restmon.errors import BadRequest, NotFound
from restmon.leasing import leases
from restmon.leasing.leases import new_owner
from restmon.logs import event
from restmon.notify.quiet_hours import find_end
from restmon.notify.visibility import may_use
from restmon.storage import database, models
from restmon.storage.models import COMPLETE, FAILED, RUNNING
from restmon.storage.notify_models import Channel, OutboxMessage, Rule

log = logging.getLogger("restmon.notify")
CANCELED, UNSURE = "Canceled", "Unsure"
ALERT, TEST, DOCUMENT = "alert", "test", "document"
"""Kinds of messages. That of a webhook's message is the name of its event."""
WEBHOOK, APPRISE = "webhook", "apprise"
"""Kinds of channels."""
GIVEN_UP_AFTER = DAY
AT_ONCE = 100
BACKOFF = (30, 60, 120, 240, 480, 900, 1800, 3600)
"""Seconds until the next try; the last one repeats."""
MOST_SENDS = 10
"""How often a message is claimed without a known result: one that kills its workers ends."""
LARGEST_ATTACHMENT = 25 * 2**20
STUCK = 30 * MINUTE
"""A message that is due for longer than this means that the outbox is stuck."""
WORKER_ENDED = "May have arrived: the worker ended while it was handed over."


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a message."""

    content: bytes
    name: str
    media_type: str


@dataclass(frozen=True)
class Draft:
    """A message to be sent.

    ``key`` (at most 150 characters) names what it is about, without the channel. ``payload`` is the
    JSON text that a webhook gets. ``urgent``: quiet hours do not hold it up. ``rule`` (row id) and
    ``alert`` name the alert that it is of. ``reminds`` of it, or ``ends`` it: see `_is_needless`.
    """

    key: str
    kind: str
    subject: str
    body: str = ""
    payload: str | None = None
    attachment: Attachment | None = None
    urgent: bool = False
    rule: int | None = None
    alert: str | None = None
    reminds: bool = False
    ends: bool = False


def add(channel: Channel, draft: Draft, by: Actor | str) -> str | None:
    """Add a message to a channel, in the caller's transaction. Returns its id, or None if there is
    one with that key already, or nothing to say because of quiet hours.

    The caller enqueues the id after the commit; the sweep finds it otherwise. Raises BadRequest for
    an attachment of more than 25 MiB, RuntimeError outside of a transaction.
    """
    return next(iter(add_all([(channel, draft)], by)), None)


def add_all(drafts: Sequence[tuple[Channel, Draft]], by: Actor | str) -> list[str]:
    """Add messages, each to its channel, in this order; returns the ids of those that `add` would
    add. Raises as it does."""
    if not models.database.in_transaction():
        raise RuntimeError("Add a message in the transaction that decides on it.")
    moment = database.clock()
    rows = [
        {**_make_row(channel, draft, by, moment), "requested_at": moment + n}
        for n, (channel, draft) in enumerate(drafts)
        if not (draft.reminds or draft.ends) or not _is_needless(channel, draft)
    ]
    added = []
    for some in chunked(rows, AT_ONCE):
        OutboxMessage.insert_many(some).on_conflict_ignore().execute()
        # What that returns differs between the databases.
        ids = [row["id"] for row in some]
        query = OutboxMessage.select(OutboxMessage.id).where(OutboxMessage.id.in_(ids))
        there = {message_id for (message_id,) in database.tuples(query)}
        added += [message_id for message_id in ids if message_id in there]
    return added


def _make_row(channel: Channel, draft: Draft, by: Actor | str, moment: int) -> dict[str, Any]:
    file = draft.attachment
    if file is not None and len(file.content) > LARGEST_ATTACHMENT:
        raise BadRequest("The file is larger than 25 MiB.", "Send a part of it, or another format.")
    due = moment if draft.urgent else hold(channel, moment)
    return {
        "id": models.new_id(),
        "key": _key(channel, draft.key),
        "channel": channel.id,
        "channel_name": channel.name,
        "groups": channel.groups,
        "rule": draft.rule,
        "alert": draft.alert,
        "kind": draft.kind,
        "subject": draft.subject,
        "body": draft.body,
        "payload": draft.payload,
        "attachment": None if file is None else file.content,
        "attachment_name": None if file is None else file.name,
        "attachment_type": None if file is None else file.media_type,
        "actor": by if isinstance(by, str) else by.name,
        "requested_by": "web" if draft.kind == TEST else "schedule",
        "due_at": due,
        "give_up_at": due + GIVEN_UP_AFTER,
    }


def _key(channel: Channel, key: str) -> str:
    return f"{channel.id}:{key}"


def hold(channel: Channel, instant: int) -> int:
    """The instant at which the channel's quiet hours let a message of an instant go."""
    return find_end(instant, channel.zone or "UTC", channel.quiet_from, channel.quiet_to)


def hold_again(channel: Channel) -> None:
    """Give the messages that quiet hours hold up the end of the channel's quiet hours of now. The
    caller is in a transaction."""
    moment = database.clock()
    due = hold(channel, moment)
    held = (OutboxMessage.channel == channel.id) & (OutboxMessage.status == RUNNING)
    OutboxMessage.update(due_at=due, give_up_at=due + GIVEN_UP_AFTER).where(
        held & (OutboxMessage.tries == 0) & (OutboxMessage.due_at > moment)
    ).execute()


def _is_needless(channel: Channel, draft: Draft) -> bool:
    """Whether quiet hours leave nothing to remind of or to end: they still hold up all that was
    said of the alert. What is held up and says less than the draft is canceled: reminders, and with
    the end of the alert everything."""
    moment = database.clock()
    query = OutboxMessage.select(
        OutboxMessage.id, OutboxMessage.status, OutboxMessage.tries, OutboxMessage.due_at
    ).where(
        (OutboxMessage.channel == channel.id)
        & (OutboxMessage.rule == draft.rule)
        & (OutboxMessage.alert == draft.alert)
        & (OutboxMessage.status != CANCELED)
    )
    rows = list(database.tuples(query))
    held = [
        row for row, status, tries, due in rows if status == RUNNING and not tries and due > moment
    ]
    only_held = len(held) == len(rows) > 0
    if held and (draft.ends or not only_held):
        why = "It was over before the quiet hours were." if draft.ends else "A later one says more."
        OutboxMessage.update(status=CANCELED, finished_at=moment, error=why).where(
            OutboxMessage.id.in_(held) & (OutboxMessage.status == RUNNING)
        ).execute()
    return only_held


def list_due(limit: int = 1000) -> list[str]:
    """The ids of the messages that are due and that no worker holds, the oldest first."""
    with database.session():
        moment = database.clock()
        query = (
            OutboxMessage.select(OutboxMessage.id)
            .where(_waits(moment) & (OutboxMessage.due_at <= moment))
            .order_by(OutboxMessage.due_at, OutboxMessage.requested_at)
            .limit(limit)
        )
        return [message_id for (message_id,) in database.tuples(query)]


def _waits(moment: int) -> Any:
    """The condition that a message is to be sent and that no worker holds it."""
    # A lease that ends later than any new one is from before the clock stepped back.
    furthest = moment + (leases.LEASE_SECONDS + leases.MARGIN_SECONDS) * SECOND
    until = OutboxMessage.lease_until
    free = until.is_null() | (until < moment) | (until > furthest)
    return (OutboxMessage.status == RUNNING) & free


def claim(message_id: str) -> tuple[OutboxMessage, str] | None:
    """The message and the name of a new lease on it, or None if it is not due, or somebody else
    holds it, or its worker ended while it was handed over: then it becomes unsure."""
    owner = new_owner()
    with database.updating():
        moment = database.clock()
        claimed = (
            OutboxMessage.update(
                lease_owner=owner,
                lease_until=moment + leases.LEASE_SECONDS * SECOND,
                started_at=moment,
                attempts=OutboxMessage.attempts + 1,
            )
            .where((OutboxMessage.id == message_id) & _waits(moment))
            .where((OutboxMessage.due_at <= moment) & OutboxMessage.sending_at.is_null())
            .execute()
        )
        if claimed:
            return OutboxMessage.get_by_id(message_id), owner
        mark_unsure(message_id, _waits(moment) & OutboxMessage.sending_at.is_null(False))
        return None


def mark_unsure(message_id: str, condition: Any, why: str = WORKER_ENDED) -> bool:
    """Mark a message that may have arrived, if a condition holds; returns whether it did. Its rule
    is evaluated again, which reminds of an alert that is still open. The caller is in a
    transaction."""
    marked = (
        OutboxMessage.update(
            status=UNSURE, error=why, finished_at=database.clock(), lease_until=None
        )
        .where((OutboxMessage.id == message_id) & condition)
        .execute()
    )
    if marked:
        of = OutboxMessage.select(OutboxMessage.rule).where(OutboxMessage.id == message_id)
        Rule.update(revision=None).where(Rule.id.in_(of)).execute()
        event(log, "message_unsure", id=message_id)
    return bool(marked)


def next_try(tries: int, moment: int) -> int:
    """When to try again after so many failures (1 or more)."""
    return moment + BACKOFF[min(tries, len(BACKOFF)) - 1] * SECOND


def list_recent(actor: Actor, limit: int = 100, channel_id: int | None = None) -> list[Any]:
    """The newest messages of channels that the actor may use, newest first, without their
    attachments."""
    fields = [f for f in OutboxMessage._meta.sorted_fields if f is not OutboxMessage.attachment]
    query = OutboxMessage.select(*fields).order_by(
        OutboxMessage.requested_at.desc(), OutboxMessage.id
    )
    if channel_id is not None:
        query = query.where(OutboxMessage.channel == channel_id)
    found = []
    with database.session():
        if actor.groups is None:
            return list(query.limit(limit))
        for message in query.where(OutboxMessage.groups.is_null(False)).iterator():
            if may_use(actor, message.groups):
                found.append(message)
                if len(found) == limit:
                    break
    return found


def get(message_id: str, actor: Actor) -> OutboxMessage:
    """A message by its id. Raises NotFound, also if the actor may not see it."""
    with database.session():
        message = OutboxMessage.find(message_id)
    if message is None or not may_use(actor, message.groups):
        raise NotFound(f"There is no message {message_id[:64]!r}.", "GET /messages lists them.")
    return message


STATES = {COMPLETE: "sent", FAILED: "failed", CANCELED: "not sent", UNSURE: "unsure"}


def name_state(message: OutboxMessage) -> str:
    """The state of a message in words: waiting, sending, sent, unsure, failed, not sent."""
    if message.status == RUNNING:
        return "sending" if message.lease_owner is not None else "waiting"
    return STATES[message.status]


@dataclass(frozen=True)
class Depth:
    """How the outbox is: how many messages wait, for how long the oldest of them is due already
    (seconds), how many were sent, given up and may have arrived, of all that are on record, and how
    many were given up in the last day."""

    waiting: int
    overdue_seconds: float
    sent: int
    failed: int
    unsure: int
    failed_today: int

    @property
    def is_stuck(self) -> bool:
        """Whether somebody should look at it."""
        return self.overdue_seconds * SECOND > STUCK or self.failed_today > 0


def measure_depth() -> Depth:
    """How the outbox is now."""
    with database.session():
        moment = database.clock()
        counted = OutboxMessage.select(OutboxMessage.status, fn.COUNT(OutboxMessage.id))
        by_status: dict[str, int] = dict(database.tuples(counted.group_by(OutboxMessage.status)))
        # The first try is due at once; a message that was not taken is due again and again.
        running = OutboxMessage.status == RUNNING
        oldest = OutboxMessage.select(fn.MIN(OutboxMessage.give_up_at)).where(
            running & (OutboxMessage.give_up_at - GIVEN_UP_AFTER <= moment)
        )
        first = oldest.scalar()
        recent = OutboxMessage.select().where(
            (OutboxMessage.status == FAILED) & (OutboxMessage.finished_at > moment - DAY)
        )
        overdue = 0.0 if first is None else (moment - (first - GIVEN_UP_AFTER)) / SECOND
        return Depth(
            by_status.get(RUNNING, 0),
            overdue,
            by_status.get(COMPLETE, 0),
            by_status.get(FAILED, 0),
            by_status.get(UNSURE, 0),
            recent.count(),
        )


def forget(before: int) -> int:
    """Delete the messages that ended before an instant; returns how many."""
    old = (OutboxMessage.status != RUNNING) & (OutboxMessage.finished_at < before)
    return int(OutboxMessage.delete().where(old).execute())


def find_channels(ids: Iterable[int]) -> list[Channel]:
    """The channels of some row ids, in the order of the ids. The caller holds a connection."""
    return list(Channel.select().where(Channel.id.in_(list(ids))).order_by(Channel.id))
