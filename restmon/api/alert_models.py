"""The parameters and answers of the routes of channels, rules and messages."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from restmon.api.models import Answer, Parameters, one_of
from restmon.api.store_models import Instant
from restmon.errors import BadRequest
from restmon.notify.channels import EVENTS
from restmon.notify.conditions import CONDITIONS
from restmon.notify.quiet_hours import parse_time

LARGEST_ID = 2**31


def _whole_number(name: str, value: Any) -> int:
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) < LARGEST_ID):
        raise BadRequest(f"{name}={text[:40]!r} is no whole number.", "Take one that is listed.")
    return int(text)


def _parse_channel(value: Any) -> int:
    return _whole_number("channel_id", value)


def _parse_rule(value: Any) -> int:
    return _whole_number("rule_id", value)


def _parse_minutes(value: Any) -> int:
    return _whole_number("minutes", value)


def _parse_channels(value: Any) -> tuple[int, ...]:
    return tuple(_whole_number("channels", part) for part in str(value).split(","))


def _parse_words(value: Any) -> tuple[str, ...]:
    return tuple(part.strip() for part in str(value).split(",") if part.strip())


def _parse_wall(value: Any) -> int:
    return parse_time(str(value))


RowId = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID - 1}
ChannelId = Annotated[int, BeforeValidator(_parse_channel), WithJsonSchema(RowId)]
RuleId = Annotated[int, BeforeValidator(_parse_rule), WithJsonSchema(RowId)]
Text = WithJsonSchema({"type": "string"})
Words = Annotated[tuple[str, ...], BeforeValidator(_parse_words), Text]
Wall = Annotated[int | None, BeforeValidator(_parse_wall), Text]
Minutes = Annotated[int, BeforeValidator(_parse_minutes), WithJsonSchema(RowId)]


class AddChannel(Parameters):
    """What POST /channels takes. With ``events`` the channel is a webhook."""

    name: str
    """What people call it."""
    url: str
    """Where it sends: a mail address, an address of Apprise, such as slack://, or with ``events``
    the web address of the webhook. It is stored encrypted and never shown again."""
    groups: Words = ()
    """Groups, separated by commas, whose people use it. Default: all that the key sees."""
    events: Words = ()
    """Events of a webhook, separated by commas: outage.opened, outage.closed, report.completed,
    import.completed."""
    zone: str | None = None
    """The recipient's time zone, for the quiet hours."""
    quiet_from: Wall = None
    """When messages begin to wait, such as 22:00."""
    quiet_to: Wall = None
    """When they are sent again, such as 07:00."""


class OneChannel(Parameters):
    """What DELETE /channels and POST /channels/{channel_id}/test take."""

    channel_id: ChannelId
    """The id of the channel."""


class SetQuietHours(Parameters):
    """What PUT /channels/{channel_id} takes. What is left out is taken away."""

    channel_id: ChannelId
    """The id of the channel."""
    zone: str | None = None
    """The recipient's time zone."""
    quiet_from: Wall = None
    """When messages begin to wait, such as 22:00."""
    quiet_to: Wall = None
    """When they are sent again, such as 07:00."""


class OneAlert(Parameters):
    """What POST /alerts/{alert_id}/acknowledge takes."""

    alert_id: str
    """The id of the alert, from GET /alerts."""


class OneMessage(Parameters):
    """What POST /messages/{message_id}/send_again takes."""

    message_id: str
    """The id of the message, from GET /messages."""


class AddRule(Parameters):
    """What POST /rules takes."""

    condition: Annotated[
        str,
        AfterValidator(one_of(tuple(CONDITIONS))),
        WithJsonSchema({"enum": list(CONDITIONS)}),
    ]
    """When it says something."""
    channels: Annotated[tuple[int, ...], BeforeValidator(_parse_channels), Text]
    """The ids of the channels that it sends to, separated by commas."""
    group: str | None = None
    """The group it is of. Without a group and a store: all stores that the key sees."""
    store_id: str | None = None
    """The store it is of."""
    minutes: Minutes = 15
    """How many open minutes a store must be down."""
    reminder: Annotated[int | None, BeforeValidator(_parse_minutes), WithJsonSchema(RowId)] = None
    """A reminder comes after each so many open minutes. Default: none."""


class OneRule(Parameters):
    """What DELETE /rules takes."""

    rule_id: RuleId
    """The id of the rule."""


class GetMessages(Parameters):
    """What GET /messages takes."""

    channel_id: Annotated[int | None, BeforeValidator(_parse_channel), WithJsonSchema(RowId)] = None
    """Only those to this channel."""


class ChannelEntry(Answer):
    """A channel. Its address is never shown."""

    channel_id: int
    name: str
    address: str
    """The scheme of the address and a mask."""
    kind: Literal["apprise", "webhook"]
    groups: list[str] | None
    """The groups whose people use it. Null: those who see every store."""
    events: list[Annotated[str, WithJsonSchema({"enum": list(EVENTS)})]]
    zone: str | None
    """The recipient's time zone."""
    quiet_from: str | None
    """When messages begin to wait, such as 22:00. Null: never."""
    quiet_to: str | None
    last_sent_at: Instant | None
    last_failed_at: Instant | None
    last_error: str | None
    """Why the last message was not taken. Null: it was."""


class ChannelList(Answer):
    """The channels that the key may use."""

    count: int
    channels: list[ChannelEntry]


class ChannelAdded(Answer):
    """A channel that was added."""

    channel_id: int
    secret: str | None
    """The secret of a webhook's signatures. It is not shown again."""


class Changed(Answer):
    """What was changed."""

    status: Literal["changed"]


class Deleted(Answer):
    """What was deleted."""

    status: Literal["deleted"]


class MessageAdded(Answer):
    """A message that was added to the outbox."""

    message_id: str


class RuleEntry(Answer):
    """A rule."""

    rule_id: int
    condition: Annotated[str, WithJsonSchema({"enum": list(CONDITIONS)})]
    group: str | None
    store_id: str | None
    minutes: int
    reminder: int | None
    channels: list[str]
    """The names of its channels."""
    paused: bool


class RuleList(Answer):
    """The rules that the key may use."""

    count: int
    rules: list[RuleEntry]


class RuleAdded(Answer):
    """A rule that was added."""

    rule_id: int


class MessageEntry(Answer):
    """A message: what it says, to whom, and what became of it."""

    message_id: str
    kind: str
    subject: str
    channel: str
    """The name of the channel."""
    state: Literal["waiting", "sending", "sent", "unsure", "failed", "not sent"]
    """unsure: it may have arrived, and is not sent again by itself."""
    created_at: Instant
    due_at: Instant
    sent_at: Instant | None
    tries: int
    """How often it was not taken."""
    error: str | None
    """Why it was not sent, or what is to be said of it."""


class MessageList(Answer):
    """The newest messages, newest first."""

    count: int
    messages: list[MessageEntry]


class AlertEntry(Answer):
    """An alert that goes on."""

    alert_id: str
    rule_id: int
    condition: Annotated[str, WithJsonSchema({"enum": list(CONDITIONS)})]
    title: str
    """What it is of: a store, or how many."""
    store_id: str | None
    """Null: it is not of one store."""
    since: Instant
    told_at: Instant
    """As of when it was told."""
    flapping: bool
    """Nothing more is said of the store until it is steady."""
    acknowledged_at: Instant | None
    acknowledged_by: str | None


class AlertList(Answer):
    """The alerts that go on, those that nobody acknowledged first."""

    count: int
    alerts: list[AlertEntry]


class AlertAcknowledged(Answer):
    """An alert of which no more reminders come."""

    title: str
    acknowledged_at: Instant
