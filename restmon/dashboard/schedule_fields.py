"""The fields of a schedule: how often, when, of which stores, in which form, to whom."""

from datetime import time
from typing import Any

import streamlit as st

from restmon.access.roles import Actor
from restmon.core.formatting import WEEKDAYS
from restmon.dashboard.document_form import DATES, FORM_NAMES, PERIOD_NAMES
from restmon.documents.documents import PDF
from restmon.notify import channels
from restmon.notify.schedule_times import DAILY, MONTHLY, WEEKLY
from restmon.notify.schedules import PERIODS, WantedSchedule
from restmon.stores import groups

EVERY_NAMES = {DAILY: "Daily", WEEKLY: "Weekly", MONTHLY: "Monthly"}
NEW = WantedSchedule("")


def ask(key: str, button: str, who: Actor, current: WantedSchedule = NEW) -> WantedSchedule | None:
    """Show the fields with the values of a schedule, and return what is wanted once ``button`` is
    pressed. ``key`` begins the keys of the fields."""
    every = st.segmented_control(
        "How often",
        list(EVERY_NAMES),
        default=current.every,
        required=True,
        format_func=EVERY_NAMES.__getitem__,
        key=f"{key}_every",
    )
    with st.form(f"{key}_form", border=False):
        wanted = _show_fields(key, every or current.every, who, current)
        icon = ":material/schedule_send:"
        sent = st.form_submit_button(button, type="primary", icon=icon, key=f"{key}_send")
    return wanted if sent else None


def _show_fields(key: str, every: str, who: Actor, current: WantedSchedule) -> WantedSchedule:
    name = st.text_input("Name", current.name, max_chars=64, key=f"{key}_name", width=420)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        day = _ask_for_day(key, every, current if every == current.every else None)
        clock = st.time_input(
            "Time", time.fromisoformat(current.time), step=900, key=f"{key}_time", width=140
        )
        zone = st.text_input(
            "Time zone",
            current.zone or "",
            placeholder="that of most stores",
            key=f"{key}_zone",
            width=220,
            help="Such as America/New_York. Empty: the zone that most of the stores are in.",
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = [entry.name for entry in groups.list_groups(who.groups)]
        group = st.selectbox(
            "Group",
            names,
            names.index(current.group) if current.group in names else None,
            placeholder="All stores",
            key=f"{key}_group",
            width=260,
        )
        period = _ask_for_period(key, every, current)
        form = st.selectbox(
            "Format",
            list(FORM_NAMES),
            list(FORM_NAMES).index(current.form),
            format_func=FORM_NAMES.__getitem__,
            key=f"{key}_form_kind",
            width=140,
        )
    each = st.checkbox("Half a page of every store (PDF)", current.each_store, key=f"{key}_each")
    known = {one.id: one.name for one in channels.list_channels(who)}
    # Whoever changes a schedule may not see all of its channels. These stay.
    others = [one for one in current.channels if one not in known]
    to = st.multiselect(
        "Send to",
        list(known),
        [one for one in current.channels if one in known],
        format_func=known.__getitem__,
        placeholder="Nobody: it is only kept here",
        key=f"{key}_channels",
        help="Channels are added on the Alerts page.",
    )
    return WantedSchedule(
        name=name,
        every=every,
        day=day,
        time=f"{clock:%H:%M}",
        zone=zone or None,
        group=group,
        form=form or PDF,
        period=period,
        paper=current.paper,
        each_store=each,
        channels=[*others, *to],
    )


def _ask_for_day(key: str, every: str, current: WantedSchedule | None) -> str | None:
    was = None if current is None else current.day
    if every == WEEKLY:
        place = WEEKDAYS.index(was) if was else 0
        return st.selectbox("Day", WEEKDAYS, place, key=f"{key}_weekday", width=180)
    if every == MONTHLY:
        day = st.number_input("Day of the month", 1, 31, int(was or 1), key=f"{key}_day", width=180)
        return str(day)
    return None


def _ask_for_period(key: str, every: str, current: WantedSchedule) -> str | None:
    chosen = PERIODS[every]
    if current.period and every == current.every:
        chosen = current.period
    # One that was set over the API may be another.
    periods: list[Any] = [words for words in PERIOD_NAMES if words != DATES]
    periods += [] if chosen in periods else [chosen]
    return st.selectbox(
        "Time covered",
        periods,
        periods.index(chosen),
        format_func=lambda words: PERIOD_NAMES.get(words, words),
        key=f"{key}_window_{every}",
        width=260,
    )
