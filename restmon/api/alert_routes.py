"""The routes of channels, rules and messages."""

import bottle

from jobs import tasks
from restmon.access.roles import Role
from restmon.api.alert_models import (
    AddChannel,
    AddRule,
    AlertAcknowledged,
    AlertEntry,
    AlertList,
    Changed,
    ChannelAdded,
    ChannelEntry,
    ChannelList,
    Deleted,
    GetMessages,
    MessageAdded,
    MessageEntry,
    MessageList,
    OneAlert,
    OneChannel,
    OneMessage,
    OneRule,
    RuleAdded,
    RuleEntry,
    RuleList,
    SetQuietHours,
)
from restmon.api.answers import answer
from restmon.api.application import Application
from restmon.api.operations import Operation
from restmon.api.requests import actor
from restmon.api.store_answers import iso
from restmon.notify import acknowledgements, channels, outbox, rules, sending_again
from restmon.notify.quiet_hours import write_time
from restmon.storage.models import COMPLETE

routes = Application()


@routes.get(
    "/channels",
    needs=Role.OWNER,
    operation=Operation("get_channels", gives={200: [ChannelList]}),
)
def get_channels() -> bottle.HTTPResponse:
    """Get the channels that messages go to, without their addresses."""
    found = [
        ChannelEntry(
            channel_id=one.id,
            name=one.name,
            address=one.address,
            kind="webhook" if one.kind == outbox.WEBHOOK else "apprise",
            groups=one.groups,
            events=one.events,
            zone=one.recipient.zone,
            quiet_from=_time(one.recipient.quiet_from),
            quiet_to=_time(one.recipient.quiet_to),
            last_sent_at=_known(one.last_sent_at),
            last_failed_at=_known(one.last_failed_at),
            last_error=one.last_error,
        )
        for one in channels.list_channels(actor())
    ]
    return answer(ChannelList(count=len(found), channels=found))


@routes.post(
    "/channels",
    needs=Role.OWNER,
    operation=Operation(
        "add_channel", main="POST", takes=AddChannel, gives={200: [ChannelAdded]}, errors=(404,)
    ),
)
def add_channel(asked: AddChannel) -> bottle.HTTPResponse:
    """Add a channel: an address of Apprise, or with events a webhook.

    The answer has the secret of a webhook's signatures, which is not shown again.
    """
    if asked.events:
        added, secret = channels.add_webhook(
            asked.name, asked.url, asked.events, asked.groups, actor()
        )
        return answer(ChannelAdded(channel_id=added, secret=secret))
    recipient = channels.Recipient(asked.zone, asked.quiet_from, asked.quiet_to)
    added = channels.add_channel(asked.name, asked.url, recipient, asked.groups, actor())
    return answer(ChannelAdded(channel_id=added, secret=None))


@routes.put(
    "/channels/<channel_id>",
    needs=Role.OWNER,
    operation=Operation(
        "set_quiet_hours", main="PUT", takes=SetQuietHours, gives={200: [Changed]}, errors=(404,)
    ),
)
def set_quiet_hours(asked: SetQuietHours) -> bottle.HTTPResponse:
    """Change the recipient's time zone and quiet hours of a channel. Messages that wait for the end
    of the quiet hours follow the new ones."""
    recipient = channels.Recipient(asked.zone, asked.quiet_from, asked.quiet_to)
    channels.set_recipient(asked.channel_id, recipient, actor())
    return answer(Changed(status="changed"))


@routes.delete(
    "/channels",
    needs=Role.OWNER,
    operation=Operation(
        "delete_channel", main="DELETE", takes=OneChannel, gives={200: [Deleted]}, errors=(404,)
    ),
)
def delete_channel(asked: OneChannel) -> bottle.HTTPResponse:
    """Delete a channel, and the rules that send to no other one."""
    channels.delete_channel(asked.channel_id, actor())
    return answer(Deleted(status="deleted"))


@routes.post(
    "/channels/<channel_id>/test",
    needs=Role.OWNER,
    operation=Operation(
        "test_channel", main="POST", takes=OneChannel, gives={200: [MessageAdded]}, errors=(404,)
    ),
)
def test_channel(asked: OneChannel) -> bottle.HTTPResponse:
    """Send a test message to a channel. GET /messages tells what became of it."""
    message_id = channels.send_test(asked.channel_id, actor())
    tasks.enqueue_messages([message_id])
    return answer(MessageAdded(message_id=message_id))


@routes.get("/rules", needs=Role.OWNER, operation=Operation("get_rules", gives={200: [RuleList]}))
def get_rules() -> bottle.HTTPResponse:
    """Get the rules that say what is sent where."""
    found = [
        RuleEntry(
            rule_id=one.id,
            condition=one.wanted.condition,
            group=one.wanted.group,
            store_id=one.wanted.store,
            minutes=one.wanted.minutes,
            reminder=one.wanted.reminder,
            channels=one.channels,
            paused=one.paused,
        )
        for one in rules.list_rules(actor())
    ]
    return answer(RuleList(count=len(found), rules=found))


@routes.post(
    "/rules",
    needs=Role.OWNER,
    operation=Operation(
        "add_rule", main="POST", takes=AddRule, gives={200: [RuleAdded]}, errors=(404,)
    ),
)
def add_rule(asked: AddRule) -> bottle.HTTPResponse:
    """Add a rule that sends messages to channels."""
    wanted = rules.Wanted(
        asked.condition, asked.group, asked.store_id, asked.minutes, asked.reminder
    )
    return answer(RuleAdded(rule_id=rules.add_rule(wanted, asked.channels, actor())))


@routes.delete(
    "/rules",
    needs=Role.OWNER,
    operation=Operation(
        "delete_rule", main="DELETE", takes=OneRule, gives={200: [Deleted]}, errors=(404,)
    ),
)
def delete_rule(asked: OneRule) -> bottle.HTTPResponse:
    """Delete a rule. Messages that wait are still sent."""
    rules.delete_rule(asked.rule_id, actor())
    return answer(Deleted(status="deleted"))


@routes.get(
    "/messages",
    needs=Role.OWNER,
    operation=Operation("get_messages", takes=GetMessages, gives={200: [MessageList]}),
)
def get_messages(asked: GetMessages) -> bottle.HTTPResponse:
    """Get the newest messages: what was sent when, to whom, and why not."""
    found = [
        MessageEntry(
            message_id=one.id,
            kind=one.kind,
            subject=one.subject,
            channel=one.channel_name,
            state=outbox.name_state(one),  # type: ignore[arg-type]
            created_at=iso(one.requested_at),
            due_at=iso(one.due_at),
            sent_at=iso(one.finished_at) if one.status == COMPLETE else None,
            tries=one.tries,
            error=one.error,
        )
        for one in outbox.list_recent(actor(), channel_id=asked.channel_id)
    ]
    return answer(MessageList(count=len(found), messages=found))


@routes.post(
    "/messages/<message_id>/send_again",
    needs=Role.OWNER,
    operation=Operation(
        "send_message_again",
        main="POST",
        takes=OneMessage,
        gives={200: [MessageAdded]},
        errors=(404,),
    ),
)
def send_message_again(asked: OneMessage) -> bottle.HTTPResponse:
    """Send a message again that may have arrived, or was given up. It keeps its id."""
    sending_again.send_again(asked.message_id, actor())
    tasks.enqueue_messages([asked.message_id])
    return answer(MessageAdded(message_id=asked.message_id))


@routes.get(
    "/alerts", needs=Role.OWNER, operation=Operation("get_alerts", gives={200: [AlertList]})
)
def get_alerts() -> bottle.HTTPResponse:
    """Get the alerts that go on."""
    found = [
        AlertEntry(
            alert_id=one.id,
            rule_id=one.rule_id,
            condition=one.condition,
            title=one.title,
            store_id=one.store_id,
            since=iso(one.since),
            told_at=iso(one.told_at),
            flapping=one.is_flapping,
            acknowledged_at=_known(one.acknowledged_at),
            acknowledged_by=one.acknowledged_by,
        )
        for one in acknowledgements.list_open(actor())
    ]
    return answer(AlertList(count=len(found), alerts=found))


@routes.post(
    "/alerts/<alert_id>/acknowledge",
    needs=Role.OWNER,
    operation=Operation(
        "acknowledge_alert",
        main="POST",
        takes=OneAlert,
        gives={200: [AlertAcknowledged]},
        errors=(404,),
    ),
)
def acknowledge_alert(asked: OneAlert) -> bottle.HTTPResponse:
    """Acknowledge an alert, so that no more reminders of it come."""
    found = acknowledgements.acknowledge_alert(asked.alert_id, actor())
    assert found.acknowledged_at is not None  # noqa: S101 - it just was
    return answer(AlertAcknowledged(title=found.title, acknowledged_at=iso(found.acknowledged_at)))


def _time(wall: int | None) -> str | None:
    return None if wall is None else write_time(wall)


def _known(instant: int | None) -> str | None:
    return None if instant is None else iso(instant)
