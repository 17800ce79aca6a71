"""``python -m restmon alerts``."""

import click

from restmon.access.roles import THIS_MACHINE
from restmon.cli.hidden import read_hidden
from restmon.core.instants import as_text
from restmon.notify import acknowledgements, channels, outbox, rules, sending_again
from restmon.notify.channels import Recipient
from restmon.notify.conditions import CONDITIONS, DEFAULT_MINUTES
from restmon.notify.quiet_hours import parse_time
from restmon.storage import database

GROUPS = click.option("--group", "groups", multiple=True, help="For the people of this group.")


@click.group("alerts")
def alerts_command() -> None:
    """Manage channels and rules of messages, and list what was sent."""


@alerts_command.command("channels")
def channels_command() -> None:
    """List the channels that messages go to."""
    database.configure()
    found = channels.list_channels()
    for one in found:
        of = "all stores" if one.groups is None else ", ".join(one.groups)
        events = f"  {', '.join(one.events)}" if one.events else ""
        error = f"  last error: {one.last_error}" if one.last_error else ""
        click.echo(f"{one.id:>4}  {one.name}  {one.address}  {of}{events}{error}")
    if not found:
        click.echo("There are no channels.")


@alerts_command.command("add-channel")
@click.argument("name")
@GROUPS
@click.option("--zone", help="The recipient's time zone.")
def add_channel_command(name: str, groups: tuple[str, ...], zone: str | None) -> None:
    """Add the channel NAME. Its address of Apprise is asked for, or read from standard input."""
    url = read_hidden("Address")
    database.configure()
    added = channels.add_channel(name, url, Recipient(zone), groups)
    click.echo(f"The channel {name} has the id {added}.")


@alerts_command.command("add-webhook")
@click.argument("name")
@click.argument("url")
@GROUPS
@click.option(
    "--event",
    "events",
    multiple=True,
    type=click.Choice(channels.EVENTS),
    help="An event that it gets (default: all).",
)
def add_webhook_command(
    name: str, url: str, groups: tuple[str, ...], events: tuple[str, ...]
) -> None:
    """Add the webhook NAME that gets events (default: all) at URL."""
    database.configure()
    added, secret = channels.add_webhook(name, url, events or channels.EVENTS, groups)
    click.echo(f"The webhook {name} has the id {added}. The secret of its signatures:")
    click.echo(secret)


@alerts_command.command("delete-channel")
@click.argument("channel_id", type=int)
def delete_channel_command(channel_id: int) -> None:
    """Delete the channel CHANNEL_ID, and the rules that send to no other one."""
    database.configure()
    channels.delete_channel(channel_id)
    click.echo(f"The channel {channel_id} is deleted.")


@alerts_command.command("quiet-hours")
@click.argument("channel_id", type=int)
@click.option("--zone", help="The recipient's time zone.")
@click.option("--from", "begin", help="When messages begin to wait, such as 22:00.")
@click.option("--to", "end", help="When they are sent again, such as 07:00.")
def quiet_hours_command(
    channel_id: int, zone: str | None, begin: str | None, end: str | None
) -> None:
    """Set the quiet hours of the channel CHANNEL_ID. Without options it has none."""
    walls = [None if text is None else parse_time(text) for text in (begin, end)]
    recipient = Recipient(zone, walls[0], walls[1])
    database.configure()
    channels.set_recipient(channel_id, recipient)
    said = f"is quiet from {begin} to {end}" if begin else "has no quiet hours"
    click.echo(f"The channel {channel_id} {said}.")


@alerts_command.command("test")
@click.argument("channel_id", type=int)
def test_command(channel_id: int) -> None:
    """Send a test message to the channel CHANNEL_ID, now."""
    from restmon.notify import delivery  # noqa: PLC0415 - other commands do without its libraries

    database.configure()
    message_id = channels.send_test(channel_id)
    if not delivery.deliver(message_id):
        message = next(one for one in outbox.list_recent(THIS_MACHINE) if one.id == message_id)
        raise click.ClickException(message.error or "Another worker sends it.")
    click.echo("The message was taken.")


@alerts_command.command("rules")
def rules_command() -> None:
    """List the rules."""
    database.configure()
    found = rules.list_rules()
    for one in found:
        of = one.wanted.store or one.wanted.group or "all stores"
        to = ", ".join(one.channels)
        paused = "  paused" if one.paused else ""
        click.echo(f"{one.id:>4}  {one.wanted.condition}  {of}  to {to}{paused}")
    if not found:
        click.echo("There are no rules.")


@alerts_command.command("add-rule")
@click.argument("condition", type=click.Choice(list(CONDITIONS)))
@click.option(
    "--channel", "channel_ids", type=int, multiple=True, required=True, help="Send to this channel."
)
@click.option("--group", help="Of this group (default: of all stores).")
@click.option("--store", help="Of the store with this id.")
@click.option("--minutes", type=int, default=DEFAULT_MINUTES, help="After so many open minutes.")
@click.option("--reminder", type=int, help="A reminder after each so many open minutes.")
def add_rule_command(
    condition: str, channel_ids: tuple[int, ...], minutes: int, reminder: int | None, **of: str
) -> None:
    """Add a rule that sends a message on CONDITION."""
    database.configure()
    wanted = rules.Wanted(condition, of["group"], of["store"], minutes, reminder)
    click.echo(f"The rule has the id {rules.add_rule(wanted, channel_ids)}.")


@alerts_command.command("delete-rule")
@click.argument("rule_id", type=int)
def delete_rule_command(rule_id: int) -> None:
    """Delete the rule RULE_ID."""
    database.configure()
    rules.delete_rule(rule_id)
    click.echo(f"The rule {rule_id} is deleted.")


@alerts_command.command("messages")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, help="How many (default: 50).")
def messages_command(limit: int) -> None:
    """List the newest messages: when, to whom, and why not."""
    database.configure()
    found = outbox.list_recent(THIS_MACHINE, limit)
    for one in found:
        error = f"  {one.error}" if one.error else ""
        state = outbox.name_state(one)
        click.echo(
            f"{one.id}  {as_text(one.requested_at)}  {state}  {one.channel_name}  "
            f"{one.subject}{error}"
        )
    if not found:
        click.echo("There are no messages.")


@alerts_command.command("send-again")
@click.argument("message_id")
def send_again_command(message_id: str) -> None:
    """Send the message MESSAGE_ID again, now: it may have arrived, or was given up."""
    from restmon.notify import delivery  # noqa: PLC0415 - other commands do without its libraries

    database.configure()
    sending_again.send_again(message_id)
    if not delivery.deliver(message_id):
        message = outbox.get(message_id, THIS_MACHINE)
        raise click.ClickException(message.error or "Another worker sends it.")
    click.echo("The message was taken.")


@alerts_command.command("open")
def open_command() -> None:
    """List the alerts that go on."""
    database.configure()
    found = acknowledgements.list_open()
    for one in found:
        by = f"  acknowledged by {one.acknowledged_by or acknowledgements.BY_LINK}"
        click.echo(
            f"{one.id}  {one.condition}  {one.title}  since {as_text(one.since)}"
            f"{by if one.acknowledged_at else ''}"
        )
    if not found:
        click.echo("There are no open alerts.")


@alerts_command.command("acknowledge")
@click.argument("alert_id")
def acknowledge_command(alert_id: str) -> None:
    """Acknowledge the alert ALERT_ID, so that no more reminders of it come."""
    database.configure()
    found = acknowledgements.acknowledge_alert(alert_id)
    click.echo(f"The alert is acknowledged: {found.title}.")
