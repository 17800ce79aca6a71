"""Sending the messages of the outbox: claim, hand over, mark (see `outbox`)."""

import logging
from contextlib import ExitStack

from restmon.errors import RestmonError
from restmon.leasing import leases
from restmon.leasing.leases import Lease, LeaseLost
from restmon.logs import event
from restmon.notify import outbox, secrets, senders
from restmon.notify.handing_over import HandOver, MayHaveArrived, NotSent
from restmon.storage import database
from restmon.storage.models import COMPLETE, FAILED, RUNNING
from restmon.storage.notify_models import Channel, OutboxMessage

log = logging.getLogger("restmon.notify")
WEARS_OUT = "Its workers were stopped {} times while they worked on it. It is not tried again."


def deliver(message_id: str) -> bool:
    """Send a message that is due. Returns whether it was sent by this call."""
    claimed = outbox.claim(message_id)
    if claimed is None:
        return False
    message, owner = claimed
    lease = Lease(message, owner)
    try:
        with leases.keep(lease):
            return _send(message, lease)
    except LeaseLost:
        return False


def _send(message: OutboxMessage, lease: Lease) -> bool:
    moment = database.clock()
    with database.session():
        channel = Channel.get_or_none(Channel.id == message.channel_id)
    if channel is None:
        _end(lease, outbox.CANCELED, "The channel was deleted.")
        return False
    if message.attempts > outbox.MOST_SENDS:
        _end(lease, FAILED, WEARS_OUT.format(outbox.MOST_SENDS))
        return False
    held = moment if message.kind == outbox.TEST else outbox.hold(channel, moment)
    if held > moment:
        lease.update(due_at=held, lease_owner=None, lease_until=None, attempts=0)
        return False
    with ExitStack() as after:
        hand_over = HandOver(lambda: lease.update(sending_at=database.clock()), after)
        try:
            opened = senders.open_channel(channel, secrets.decrypt)
            said = senders.send(message, opened, hand_over)
        except MayHaveArrived as error:
            with database.updating():
                outbox.mark_unsure(message.id, lease.is_held(), error.message)
            return False
        except RestmonError as error:
            _note_failure(message, channel, lease, error)
            return False
        _note_success(message, channel, lease, said)
    return True


def _note_success(message: OutboxMessage, channel: Channel, lease: Lease, said: str) -> None:
    """Mark a message sent, also where another worker took this one for dead meanwhile."""
    with database.updating():
        done = database.clock()
        mine = (OutboxMessage.id == message.id) & (OutboxMessage.lease_owner == lease.owner)
        marked = (
            OutboxMessage.update(
                status=COMPLETE,
                progress=1.0,
                error=said or None,
                finished_at=done,
                lease_until=None,
                sending_at=None,
            )
            .where(mine & OutboxMessage.status.in_((RUNNING, outbox.UNSURE)))
            .execute()
        )
        if not marked:
            raise LeaseLost(message.id)
        Channel.update(last_sent_at=done, last_error=None).where(Channel.id == channel.id).execute()
    event(log, "message_sent", id=message.id, channel=channel.id, kind=message.kind)


def _note_failure(
    message: OutboxMessage, channel: Channel, lease: Lease, error: RestmonError
) -> None:
    """Put a message off, or give it up."""
    final = isinstance(error, NotSent) and error.is_final
    with database.updating():
        moment = database.clock()
        tries = message.tries + 1
        due = outbox.hold(channel, outbox.next_try(tries, moment))
        given_up = final or due > message.give_up_at or message.kind == outbox.TEST
        text = str(error)
        if given_up and not final and message.kind != outbox.TEST:
            text = f"Given up after {tries} tries in a day. {text}"
        values = {"tries": tries, "error": text, "sending_at": None, "attempts": 0}
        if given_up:
            lease.update(status=FAILED, finished_at=moment, lease_until=None, **values)
        else:
            lease.update(due_at=due, lease_owner=None, lease_until=None, **values)
        Channel.update(last_failed_at=moment, last_error=str(error)).where(
            Channel.id == channel.id
        ).execute()
    event(
        log, "message_not_sent", id=message.id, channel=channel.id, tries=tries, given_up=given_up
    )


def _end(lease: Lease, status: str, error: str) -> None:
    lease.update(
        status=status, error=error, finished_at=database.clock(), lease_until=None, sending_at=None
    )
