"""The log of what was sent: when, to whom, and why not."""

import streamlit as st

from jobs import tasks
from restmon.access.roles import Actor
from restmon.core.formatting import elapsed
from restmon.core.instants import DAY
from restmon.dashboard import messages, notices, store_data
from restmon.dashboard.clock import moment
from restmon.dashboard.html_table import Cell, Column, show_table
from restmon.dashboard.messages import escape_markdown
from restmon.notify import outbox, sending_again
from restmon.notify.channels import ShownChannel
from restmon.storage.models import RUNNING, now
from restmon.storage.notify_models import OutboxMessage

SHOWN, MOST_BUTTONS = 100, 10
SYMBOLS = {
    "sent": "✓",
    "waiting": "…",
    "sending": "…",
    "unsure": "?",
    "failed": "⚠",
    "not sent": "–",
}


def show_messages(who: Actor, every_channel: list[ShownChannel]) -> None:
    """Show the newest messages of the actor's channels, and what is wrong with a channel."""
    for channel in every_channel:
        failed = channel.last_failed_at is not None and channel.last_error
        if failed and (channel.last_sent_at or 0) < (channel.last_failed_at or 0):
            st.warning(
                f"{channel.name}: the last message was not taken. {channel.last_error}",
                icon=":material/warning:",
            )
    found = outbox.list_recent(who, SHOWN)
    if not found:
        st.info("No message yet. The ones that your rules send are listed here.")
        return
    _show_unsure(who, found)
    zone = notices.zone_of(store_data.visible_stores())
    show_table(
        "Messages, newest first",
        [Column("Message"), Column("To"), Column("Created"), Column("State")],
        [_write_row(one, zone) for one in found],
    )
    if len(found) == SHOWN:
        st.caption(f"The newest {SHOWN} messages.")


def _show_unsure(who: Actor, found: list[OutboxMessage]) -> None:
    """Show what may have arrived or was given up in the last day, with a button to send it
    again."""
    since = now() - DAY
    unsure = [
        one
        for one in found
        if one.status in sending_again.AGAIN and one.channel_id and (one.finished_at or 0) > since
    ]
    for one in unsure[:MOST_BUTTONS]:
        with st.container(border=True, key=f"unsure_{one.id}"):
            st.markdown(
                f"{SYMBOLS[outbox.name_state(one)]} **{escape_markdown(one.subject)}** → "
                f"{escape_markdown(one.channel_name)}  \n{escape_markdown(one.error or '')}"
            )
            again = st.button("Send again", icon=":material/send:", key=f"again_{one.id}")
        if again:
            with messages.continue_on_error():
                sending_again.send_again(one.id, who)
                tasks.enqueue_messages([one.id])
                messages.queue_message(f"It is sent again to {one.channel_name}.")
                st.rerun()


def _write_row(message: OutboxMessage, zone: str) -> list[Cell | str]:
    created = Cell(moment(message.requested_at, zone), moment(message.requested_at))
    over = moment(message.finished_at) if message.finished_at else ""
    state = Cell(_describe_state(message, zone), over)
    return [message.subject, message.channel_name, created, state]


def _describe_state(message: OutboxMessage, zone: str) -> str:
    """The state of a message, with the reason where it was not sent."""
    name = outbox.name_state(message)
    text = f"{SYMBOLS[name]} {name}"
    if name == "sent" and message.finished_at:
        text += f" {moment(message.finished_at, zone)}"
    if message.status == RUNNING and message.due_at > now():
        text += f", due in {elapsed(now(), message.due_at) or 'a minute'}"
    return f"{text}. {message.error}" if message.error else text
