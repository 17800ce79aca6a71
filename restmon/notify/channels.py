"""Channels: where messages go. An owner manages those of their own groups."""

import secrets as random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import available_timezones

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.access.visibility import stored_groups
from restmon.errors import BadRequest, NotFound
from restmon.notify import mail_server, outbox, secrets
from restmon.notify.outbox import APPRISE, WEBHOOK
from restmon.notify.quiet_hours import write_time
from restmon.notify.visibility import may_use
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import Group, new_id
from restmon.storage.notify_models import Channel, Rule, RuleChannel
from restmon.stores.subjects import Subject, find_row

OPENED, CLOSED = "outage.opened", "outage.closed"
REPORTED, IMPORTED = "report.completed", "import.completed"
EVENTS = (OPENED, CLOSED, REPORTED, IMPORTED)
"""What a webhook can get."""
LONGEST_NAME = 64
LONGEST_URL = 2000


@dataclass(frozen=True)
class Recipient:
    """What is known of who gets the messages: their ``zone`` (None: UTC) and their quiet hours
    there (wall-clock times in microseconds since midnight; None: none)."""

    zone: str | None = None
    quiet_from: int | None = None
    quiet_to: int | None = None


@dataclass(frozen=True)
class ShownChannel:
    """A channel as it is shown: never its address. ``groups`` are names (None: every store)."""

    id: int
    name: str
    address: str
    kind: str
    groups: list[str] | None
    events: list[str]
    recipient: Recipient
    last_sent_at: int | None
    last_failed_at: int | None
    last_error: str | None


def add_channel(
    name: str,
    url: str,
    recipient: Recipient | None = None,
    groups: Sequence[str] = (),
    actor: Actor = THIS_MACHINE,
) -> int:
    """Add a channel of Apprise, for the people of groups (none: of all that the actor sees).
    Returns its id. Raises BadRequest, ChannelRefused, NotFound, Forbidden."""
    from restmon.notify import channel_urls  # noqa: PLC0415 - front doors start without it

    actor.must(Role.OWNER)
    who = _checked(recipient or Recipient())
    url = url.strip()
    values = {"kind": APPRISE, "scheme": channel_urls.check(url), "url": secrets.encrypt(url)}
    with database.writing():
        return _create(name, who, groups, actor, values)


def add_webhook(
    name: str,
    url: str,
    events: Sequence[str],
    groups: Sequence[str] = (),
    actor: Actor = THIS_MACHINE,
) -> tuple[int, str]:
    """Add a webhook that gets some events of the stores in groups (none: of all that the actor
    sees). Returns its id, and the secret of its signatures, which is never shown again. Raises as
    `add_channel` does."""
    from restmon.notify import safe_http  # noqa: PLC0415 - front doors start without it

    actor.must(Role.OWNER)
    unknown = [event for event in events if event not in EVENTS]
    if unknown or not events:
        raise BadRequest(
            f"There is no event {unknown[0][:40]!r}." if unknown else "A webhook needs an event.",
            f"Use some of {', '.join(EVENTS)}.",
        )
    url = url.strip()
    try:
        safe_http.check_url(url)
    except safe_http.NotAnswered as error:
        raise BadRequest(str(error), "Correct the address.") from None
    secret = random.token_urlsafe(32)
    values = {
        "kind": WEBHOOK,
        "scheme": url.partition("://")[0].lower(),
        "url": secrets.encrypt(url),
        "secret": secrets.encrypt(secret),
        "events": sorted(set(events), key=EVENTS.index),
    }
    with database.writing():
        channel = _create(name, Recipient(), groups, actor, values)
        row = Channel.get_by_id(channel)
        for event in row.events:
            if event == CLOSED and OPENED in row.events:
                continue  # one rule follows an outage from its begin to its end
            rule = Rule.create(condition=event, groups=row.groups, created_by=actor.name)
            RuleChannel.create(rule=rule, channel=row)
    return channel, secret


def _create(
    name: str, who: Recipient, groups: Sequence[str], actor: Actor, values: dict[str, Any]
) -> int:
    label = " ".join(name.split())
    if not label or len(label) > LONGEST_NAME or not label.isprintable():
        raise BadRequest(
            "The name of a channel has 1 to 64 characters on one line.", "Write another."
        )
    rows = stored_groups(actor)
    if groups:
        rows = sorted({find_row(Subject(group=group), actor) for group in groups})
    row = Channel.create(
        name=label,
        groups=rows,
        zone=who.zone,
        quiet_from=who.quiet_from,
        quiet_to=who.quiet_to,
        created_by=actor.name,
        **values,
    )
    audit.note(actor, audit.CHANNELS_CHANGED, f"{label}: added ({values['scheme']})")
    return int(row.id)


def _checked(who: Recipient) -> Recipient:
    if who.zone and who.zone not in available_timezones():
        raise BadRequest(
            f"There is no time zone {who.zone[:60]!r}.", "Use a name such as America/New_York."
        )
    if (who.quiet_from is None) != (who.quiet_to is None):
        raise BadRequest("Quiet hours need a beginning and an end.", "Give both, or neither.")
    if who.quiet_from is not None and not who.zone:
        raise BadRequest("Quiet hours need a time zone.", "Choose the recipient's.")
    return replace(who, zone=who.zone or None)


def set_recipient(channel_id: int, who: Recipient, actor: Actor = THIS_MACHINE) -> None:
    """Change the zone and the quiet hours of a channel. What waits for the end of the old ones
    follows the new ones. Raises NotFound, BadRequest, Forbidden."""
    actor.must(Role.OWNER)
    who = _checked(who)
    with database.writing():
        row = find_channel(channel_id, actor)
        if row.kind == WEBHOOK:
            raise BadRequest("A webhook has no quiet hours.", "Choose a channel that people read.")
        Channel.update(zone=who.zone, quiet_from=who.quiet_from, quiet_to=who.quiet_to).where(
            Channel.id == row.id
        ).execute()
        outbox.hold_again(Channel.get_by_id(row.id))
        said = "no quiet hours"
        if who.quiet_from is not None and who.quiet_to is not None:
            begin, end = write_time(who.quiet_from), write_time(who.quiet_to)
            said = f"quiet from {begin} to {end} ({who.zone})"
        audit.note(actor, audit.CHANNELS_CHANGED, f"{row.name}: {said}")


def delete_channel(channel_id: int, actor: Actor = THIS_MACHINE) -> None:
    """Delete a channel, with the rules that send to no other one. What waits for it is not sent.
    Raises NotFound, Forbidden."""
    actor.must(Role.OWNER)
    with database.writing():
        row = find_channel(channel_id, actor)
        of_rules = RuleChannel.select(RuleChannel.rule).where(RuleChannel.channel == row.id)
        rules = [rule for (rule,) in database.tuples(of_rules)]
        Channel.delete().where(Channel.id == row.id).execute()
        others = RuleChannel.select(RuleChannel.rule)
        Rule.delete().where(Rule.id.in_(rules) & Rule.id.not_in(others)).execute()
        audit.note(actor, audit.CHANNELS_CHANGED, f"{row.name}: deleted")


def send_test(channel_id: int, actor: Actor = THIS_MACHINE) -> str:
    """Add a test message, which quiet hours do not hold up; the caller enqueues its id. Raises
    NotFound, Forbidden."""
    actor.must(Role.OWNER)
    with database.writing():
        row = find_channel(channel_id, actor)
        draft = outbox.Draft(
            key=f"test:{new_id()}",
            kind=outbox.TEST,
            subject="Test message from restmon",
            body=f"Messages of restmon arrive here.\n\n{get_settings().link_url}/alerts",
            payload='{"event": "test"}',
            urgent=True,
        )
        added = outbox.add(row, draft, actor)
        audit.note(actor, audit.CHANNELS_CHANGED, f"{row.name}: test")
    assert added is not None  # noqa: S101 - its key is random
    return added


def find_channel(channel_id: int, actor: Actor) -> Channel:
    """The row of a channel. Raises NotFound if there is none that the actor may use. The caller
    holds a connection."""
    row = Channel.get_or_none(Channel.id == channel_id)
    if row is None or not may_use(actor, row.groups):
        raise NotFound(f"There is no channel {channel_id}.", "Choose one of your own channels.")
    return row


def list_channels(actor: Actor = THIS_MACHINE) -> list[ShownChannel]:
    """The channels that the actor may use, by name."""
    with database.session():
        rows = [row for row in Channel.select().order_by(Channel.id) if may_use(actor, row.groups)]
        names: dict[int, str] = dict(database.tuples(Group.select(Group.id, Group.name)))
    shown = [describe(row, names) for row in rows]
    return sorted(shown, key=lambda one: (one.name.casefold(), one.id))


def describe(row: Channel, names: dict[int, str]) -> ShownChannel:
    """A channel as it is shown. ``names`` are those of groups, by row id."""
    return ShownChannel(
        row.id,
        row.name,
        row.scheme if row.scheme == mail_server.SCHEME else f"{row.scheme}://***",
        row.kind,
        None if row.groups is None else [names.get(g, "(deleted)") for g in row.groups],
        list(row.events),
        Recipient(row.zone, row.quiet_from, row.quiet_to),
        row.last_sent_at,
        row.last_failed_at,
        row.last_error,
    )
