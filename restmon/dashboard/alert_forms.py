"""The forms that add, pause and delete alert rules."""

import streamlit as st

from restmon.access.roles import Actor
from restmon.core.formatting import duration
from restmon.core.instants import MINUTE
from restmon.dashboard import messages, store_data, widgets
from restmon.dashboard.messages import escape_markdown
from restmon.notify import rules
from restmon.notify.channels import ShownChannel
from restmon.notify.conditions import (
    CONDITIONS,
    DEFAULT_MINUTES,
    DOWN,
    IN_SHORT,
    OF_JOBS,
    OF_STORES,
    TARGET,
)
from restmon.notify.outbox import APPRISE
from restmon.notify.rules import ShownRule, Wanted
from restmon.stores import groups

REMINDERS = {None: "No reminder", 30: "30 min", 60: "1 hour", 240: "4 hours", 720: "12 hours"}
ALL, GROUP, STORE = "All stores", "A group", "A store"


def show_rules(who: Actor, found: list[ShownRule], every_channel: list[ShownChannel]) -> None:
    """Show the rules, each with its buttons, and the form that adds one."""
    for rule in found:
        _show_rule(rule, who)
    usable = [channel for channel in every_channel if channel.kind == APPRISE]
    if not usable:
        st.info("Add a channel first. A rule says what to send there.")
        return
    st.header("Add a rule")
    _show_form(who, usable)


def describe(wanted: Wanted) -> str:
    """What a rule says, in words."""
    subject = "All stores"
    if wanted.store is not None:
        subject = f"Store {wanted.store}"
    elif wanted.group is not None:
        subject = f"Group {wanted.group}"
    said = IN_SHORT[wanted.condition].format(duration(2 * wanted.minutes * MINUTE))
    if wanted.reminder is not None:
        said += f"; a reminder every {duration(2 * wanted.reminder * MINUTE)}"
    return f"{subject}: {said}"


def _show_rule(rule: ShownRule, who: Actor) -> None:
    with st.container(border=True, key=f"rule_{rule.id}"):
        paused = " (paused)" if rule.paused else ""
        to = escape_markdown(", ".join(rule.channels))
        st.markdown(f"{escape_markdown(describe(rule.wanted))}{paused} → **{to}**")
        with st.container(horizontal=True):
            label, icon = ("Go on", "play_arrow") if rule.paused else ("Pause", "pause")
            pause = st.button(label, icon=f":material/{icon}:", key=f"pause_{rule.id}")
            delete = st.button("Delete", icon=":material/delete:", key=f"delete_rule_{rule.id}")
    with messages.continue_on_error():
        if pause:
            rules.set_paused(rule.id, not rule.paused, who)
            st.rerun()
        if delete:
            rules.delete_rule(rule.id, who)
            messages.queue_message("The rule is deleted.")
            st.rerun()


def _show_form(who: Actor, usable: list[ShownChannel]) -> None:
    condition = st.selectbox(
        "When", list(CONDITIONS), format_func=CONDITIONS.__getitem__, key="rule_condition"
    )
    group = store = None
    if condition not in OF_JOBS:
        kinds = [ALL, GROUP, STORE] if condition in OF_STORES else [ALL, GROUP]
        kind = st.radio("Of", kinds, horizontal=True, key="rule_of")
        if kind == GROUP:
            names = [one.name for one in groups.list_groups(who.groups)]
            group = st.selectbox("Group", names, index=None, key="rule_group")
        if kind == STORE:
            stores = store_data.visible_stores()
            store = widgets.choose_store(stores, key="rule_store")
        if (kind == GROUP and not group) or (kind == STORE and not store):
            return
    with st.form("add_rule", border=False):
        minutes = DEFAULT_MINUTES
        if condition == DOWN:
            minutes = st.number_input(
                "After so many open minutes",
                min_value=0,
                max_value=1440,
                value=DEFAULT_MINUTES,
                key="rule_minutes",
            )
        reminder = None
        if condition not in {TARGET, *OF_JOBS}:
            reminder = st.selectbox(
                "Reminder", list(REMINDERS), format_func=REMINDERS.__getitem__, key="rule_reminder"
            )
        by_id = {channel.id: channel for channel in usable}
        chosen = st.multiselect(
            "Send to",
            list(by_id),
            default=[usable[0].id] if len(usable) == 1 else None,
            format_func=lambda channel: by_id[channel].name,
            key="rule_channels",
        )
        add = st.form_submit_button(
            "Add the rule", type="primary", icon=":material/add:", key="add_rule_button"
        )
    if add:
        with messages.continue_on_error():
            wanted = Wanted(condition, group, store, int(minutes), reminder)
            rules.add_rule(wanted, chosen, who)
            messages.queue_message("The rule is added.")
            st.rerun()
