"""The first lines of a store's page: its status, its target of the month, and what it lost."""

from html import escape

import numpy as np
import streamlit as st

from restmon.core.formatting import ago, duration, share
from restmon.core.instants import as_datetime
from restmon.core.status_now import DOWN, NOT_REPORTING
from restmon.core.targets import MISSED, NO_TARGET, NONE
from restmon.dashboard import clock, widgets
from restmon.dashboard.clock import time_tag
from restmon.reporting.current_status import NEVER
from restmon.reporting.fleet import Fleet
from restmon.reporting.week_by_week import StoreWeeks, Week
from restmon.storage.models import now
from restmon.stores.targets import as_percent


def show_status(found: Fleet, n: int, *, stale: bool) -> None:
    """The status of the store at a place of the fleet, since when, and when its last poll was."""
    zone, last = str(found.zones[n]), int(found.last_poll[n])
    text = escape(widgets.describe_status(found, n))
    if stale:
        text = f"At the last poll: {text}"
    if found.status_now[n] == DOWN:
        since = int(found.down_since[n])
        before = "before " if since <= int(found.hour_edges[0]) else ""
        text += f" since {before}{time_tag(since, zone)}"
    elif found.status_now[n] == NOT_REPORTING and last != NEVER:
        text += f" since {time_tag(last, zone)}"
    poll = "" if last == NEVER else f"; last poll {escape(ago(last, now()))}"
    st.html(f"<strong>{text}{poll}.</strong>")


def show_target_and_loss(weeks: StoreWeeks) -> None:
    """How the last week was, how the store stands against its target of the month, and what it
    lost."""
    compared = weeks.observed and not weeks.before.unseen
    change = describe_change(weeks.this, weeks.before) if compared else ""
    told = [change and f"Last 7 days: {change}", _describe_target(weeks), _describe_loss(weeks)]
    lines = [line for line in told if line]
    if lines:
        st.html("".join(f'<div style="margin-bottom: 0.4rem">{line}</div>' for line in lines))


def _describe_target(weeks: StoreWeeks) -> str:
    """HTML; "" without a target, and where nothing is claimed of the store."""
    if not weeks.observed:
        return ""
    standing = weeks.standing
    target, status = int(standing.target[0]), str(standing.status[0])
    if target == NO_TARGET or status == NONE:
        return ""
    judged = standing.each()
    budget, used, left = (round(float(x[0])) for x in (judged.budget, judged.used, judged.left))
    month = f"{as_datetime(weeks.as_of - 1, weeks.zone):%B}"
    name = f"The target of {month}, {as_percent(target):g}%,"
    if status == MISSED:
        return (
            f"{name} is missed: {duration(used)} down, {duration(-left)} more than the "
            f"{duration(budget)} that it allows."
        )
    text = (
        f"{name} {'is met so far' if status != 'at risk' else 'is at risk'}: {duration(used)} down "
        f"of the {duration(budget)} that it allows, {duration(left)} left."
    )
    return f"{text} {_describe_pace(weeks, float(judged.burn_rate[0]))}".strip()


def _describe_pace(weeks: StoreWeeks, rate: float) -> str:
    """The burn rate in plain words."""
    if not np.isfinite(rate):
        return ""
    if weeks.missed_at is not None:
        day = _name_date(weeks.missed_at, weeks.zone)
        return f"At this pace the target will be missed on {day}."
    if not rate:
        return "Nothing was down this month."
    return f"At this pace {share(min(rate, 1.0), 1.0)} of it will be used by the end of the month."


def _name_date(instant: int, zone: str) -> str:
    local = as_datetime(instant, zone)
    over = escape(clock.utc(instant))
    return f'<time title="{over}">{local:%b} {local.day}</time>'


def _describe_loss(weeks: StoreWeeks) -> str:
    """HTML; "" where no sales are known."""
    week, month = weeks.this.lost, weeks.lost_in_month
    if not weeks.observed or not np.isfinite(week) or not np.isfinite(month):
        return ""
    name = f"{as_datetime(weeks.as_of - 1, weeks.zone):%B}"
    if not week and not month:
        return f"No sales were lost in the last 7 days or in {name}, as estimated."
    return (
        f"Estimated loss: {escape(clock.money(week))} in the last 7 days, "
        f"{escape(clock.money(month))} in {name} so far."
    )


def describe_change(this: Week, before: Week) -> str:
    """Return how the week compares with the week before, in plain words."""
    up, all_time = int(this.up.sum()), int((this.up + this.down).sum())
    up_before, all_before = int(before.up.sum()), int((before.up + before.down).sum())
    if not all_time or not all_before:
        return "There is nothing to compare: one of the weeks has no open time that was observed."
    points = round(100 * (up / all_time - up_before / all_before), 1)
    less = int(this.down.sum()) - int(before.down.sum())
    if not points and not less:
        return "The same as the week before."
    if not points:
        word = "about the same uptime"
    else:
        number = f"{abs(points):.1f} point{'' if abs(points) == 1 else 's'}"
        word = f"{number} {'higher' if points > 0 else 'lower'} uptime"
    time = f"{duration(abs(less))} {'more' if less > 0 else 'less'} downtime" if less else ""
    return f"{word}{' and ' + time if time else ''} than the week before.".capitalize()
