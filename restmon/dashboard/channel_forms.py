"""The forms that add, test and delete channels."""

from datetime import time
from zoneinfo import available_timezones

import streamlit as st

from jobs import tasks
from restmon.access.roles import Actor
from restmon.core.formatting import wall_time
from restmon.core.instants import MINUTE
from restmon.dashboard import messages
from restmon.dashboard.messages import escape_markdown
from restmon.notify import channels
from restmon.notify.channels import EVENTS, Recipient, ShownChannel
from restmon.notify.outbox import APPRISE
from restmon.reporting.style import read_style
from restmon.settings import get_settings
from restmon.stores import groups

MAIL, WEBHOOK = "Mail, chat or text message", "A program (webhook)"
PLAIN_MAIL = "`you@example.com` (mail), "
MAIL_BY_SERVER = (
    "`mailto://user:password@smtp.example.com?from=alerts@example.com&to=you@example.com` (mail), "
)
OTHERS = (
    "`slack://…`, `msteams://…`, `twilio://…` (text message), `pover://…`: "
    "[all services](https://github.com/caronc/apprise/wiki)"
)


def show_channels(who: Actor, found: list[ShownChannel]) -> None:
    """Show the channels, each with its buttons, and the forms that add one."""
    for channel in found:
        _show_channel(channel, who)
    st.header("Add a channel")
    kind = st.radio("Send to", [MAIL, WEBHOOK], horizontal=True, key="channel_kind")
    if kind == WEBHOOK:
        _show_webhook_form(who)
    else:
        _show_channel_form(who)


def _show_channel(channel: ShownChannel, who: Actor) -> None:
    with st.container(border=True, key=f"channel_{channel.id}"):
        st.markdown(f"**{escape_markdown(channel.name)}** · {escape_markdown(_describe(channel))}")
        with st.container(horizontal=True):
            test = st.button("Send a test", icon=":material/send:", key=f"test_{channel.id}")
            if channel.kind == APPRISE:
                with st.popover("Quiet hours", icon=":material/bedtime:"):
                    _show_quiet_hours(channel, who)
            delete = st.button("Delete", icon=":material/delete:", key=f"delete_{channel.id}")
    with messages.continue_on_error():
        if test:
            tasks.enqueue_messages([channels.send_test(channel.id, who)])
            messages.queue_message(f"A test is on its way to {channel.name}; see Messages.")
            st.rerun()
        if delete:
            channels.delete_channel(channel.id, who)
            messages.queue_message(f"The channel {channel.name} is deleted.")
            st.rerun()


def _show_quiet_hours(channel: ShownChannel, who: Actor) -> None:
    known = channel.recipient
    with st.form(f"quiet_{channel.id}", border=False):
        st.caption("Messages wait until the quiet hours end. Leave both times empty for none.")
        zones = sorted(available_timezones())
        zone = st.selectbox(
            "Time zone",
            zones,
            index=zones.index(known.zone) if known.zone in zones else None,
            placeholder="UTC",
            key=f"quiet_zone_{channel.id}",
        )
        begin = st.time_input(
            "Quiet from", value=_time(known.quiet_from), key=f"quiet_from_{channel.id}"
        )
        end = st.time_input("Quiet to", value=_time(known.quiet_to), key=f"quiet_to_{channel.id}")
        save = st.form_submit_button("Save", type="primary", key=f"save_quiet_{channel.id}")
    if save:
        with messages.continue_on_error():
            channels.set_recipient(channel.id, Recipient(zone, _wall(begin), _wall(end)), who)
            messages.queue_message(f"The quiet hours of {channel.name} are saved.")
            st.rerun()


def _describe(channel: ShownChannel) -> str:
    groups_of = "all stores" if channel.groups is None else ", ".join(channel.groups)
    parts = [channel.address, f"for {groups_of}"]
    who, style = channel.recipient, read_style()
    if who.quiet_from is not None and who.quiet_to is not None:
        begin, end = wall_time(who.quiet_from, style), wall_time(who.quiet_to, style)
        parts.append(f"quiet from {begin} to {end} ({who.zone})")
    return " · ".join([*parts, *channel.events])


def _choose_groups(who: Actor) -> list[str]:
    names = [group.name for group in groups.list_groups(who.groups)]
    if not names:
        return []
    return st.multiselect(
        "For the stores of",
        names,
        placeholder="All stores that you see",
        key="channel_groups",
        help="Everybody who sees all these groups can use the channel.",
    )


def _show_channel_form(who: Actor) -> None:
    examples = (PLAIN_MAIL if get_settings().mail_server else MAIL_BY_SERVER) + OTHERS
    with st.form("add_channel", border=False):
        name = st.text_input("Name", max_chars=64, key="channel_name", placeholder="Night manager")
        url = st.text_input(
            "Address", key="channel_url", type="password", autocomplete="off", help=examples
        )
        st.caption(f"Such as {examples}. It is stored encrypted, and never shown again.")
        chosen = _choose_groups(who)
        with st.container(horizontal=True):
            zone = st.selectbox(
                "Time zone",
                sorted(available_timezones()),
                index=None,
                placeholder="UTC",
                key="channel_zone",
            )
            begin = st.time_input("Quiet from", value=None, key="quiet_from")
            end = st.time_input("Quiet to", value=None, key="quiet_to")
        add = st.form_submit_button(
            "Add the channel", type="primary", icon=":material/add:", key="add_channel_button"
        )
    if add:
        with messages.continue_on_error():
            recipient = Recipient(zone, _wall(begin), _wall(end))
            channels.add_channel(name, url, recipient, chosen, who)
            messages.queue_message(f"The channel {name} is added. Send a test, then add a rule.")
            st.rerun()


def _wall(given: time | None) -> int | None:
    return None if given is None else (given.hour * 60 + given.minute) * MINUTE


def _time(wall: int | None) -> time | None:
    minutes = 0 if wall is None else wall // MINUTE
    return None if wall is None else time(minutes // 60, minutes % 60)


def _show_webhook_form(who: Actor) -> None:
    with st.form("add_webhook", border=False):
        name = st.text_input("Name", max_chars=64, key="webhook_name", placeholder="Ticket system")
        url = st.text_input(
            "Address", key="webhook_url", placeholder="https://example.com/hooks/restmon"
        )
        events = st.multiselect("Events", EVENTS, default=list(EVENTS), key="webhook_events")
        chosen = _choose_groups(who)
        add = st.form_submit_button(
            "Add the webhook", type="primary", icon=":material/add:", key="add_webhook_button"
        )
    if add:
        with messages.continue_on_error():
            _, secret = channels.add_webhook(name, url, events, chosen, who)
            st.session_state["webhook_secret"] = secret
            messages.queue_message(f"The webhook {name} is added.")
            st.rerun()


def show_secret() -> None:
    """Show the secret of the webhook that was just added, once."""
    if secret := st.session_state.pop("webhook_secret", None):
        st.markdown("The secret of its signatures, which is not shown again:")
        st.code(secret, language=None)
