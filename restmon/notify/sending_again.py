"""Sending a message again that may have arrived or was given up: what only a person decides."""

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.errors import BadRequest
from restmon.notify import outbox
from restmon.notify.outbox import GIVEN_UP_AFTER, UNSURE
from restmon.storage import database
from restmon.storage.models import FAILED, RUNNING
from restmon.storage.notify_models import OutboxMessage

AGAIN = (UNSURE, FAILED)


def send_again(message_id: str, actor: Actor = THIS_MACHINE) -> None:
    """Send a message again, with the same id; the caller enqueues it. Raises NotFound, Forbidden,
    BadRequest for one that waits, was sent or is not to be sent, or whose channel is deleted."""
    actor.must(Role.OWNER)
    with database.writing():
        row = outbox.get(message_id, actor)
        if row.channel_id is None:
            raise BadRequest("The channel of this message was deleted.", "Add it again.")
        moment = database.clock()
        changed = (
            OutboxMessage.update(
                status=RUNNING,
                error=None,
                finished_at=None,
                sending_at=None,
                lease_owner=None,
                lease_until=None,
                attempts=0,
                tries=0,
                due_at=moment,
                give_up_at=moment + GIVEN_UP_AFTER,
            )
            .where((OutboxMessage.id == row.id) & OutboxMessage.status.in_(AGAIN))
            .execute()
        )
        if not changed:
            raise BadRequest(
                f"This message is {outbox.name_state(row)}.",
                "Send again what may have arrived, or was given up.",
            )
        audit.note(actor, audit.SENT_AGAIN, f"{row.subject} to {row.channel_name}")
