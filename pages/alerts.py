"""Alerts: who gets a message when, by which channel, and what was sent."""

import streamlit as st

from restmon.access.roles import Role
from restmon.dashboard import (
    alert_forms,
    channel_forms,
    identity,
    message_log,
    messages,
    open_alerts,
)
from restmon.notify import channels, rules

who = identity.require_role(Role.OWNER)
st.title("Alerts")
messages.show_queued_message()
channel_forms.show_secret()
every_channel = channels.list_channels(who)
every_rule = rules.list_rules(who)
if not every_channel:
    st.info(
        "restmon can send a message when a store goes down, and when it is back up. Add a channel, "
        "such as a mail address, then a rule that says what to send there.",
        icon=":material/notifications:",
    )
    channel_forms.show_channels(who, every_channel)
    st.session_state["part"] = "Channels"  # where the first channel is shown once it is added
    st.stop()
open_tab, log_tab, rules_tab, channels_tab = st.tabs(
    ["Open", "Messages", "Rules", "Channels"],
    key="part",
    bind="query-params",
)
with open_tab:
    if open_tab.open:
        open_alerts.show_open(who, every_rule)
with log_tab:
    if log_tab.open:
        message_log.show_messages(who, every_channel)
with rules_tab:
    if rules_tab.open:
        alert_forms.show_rules(who, every_rule, every_channel)
with channels_tab:
    if channels_tab.open:
        channel_forms.show_channels(who, every_channel)
