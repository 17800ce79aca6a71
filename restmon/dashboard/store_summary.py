"""The first lines of a store's page: its status, its target of the month, and what it lost."""

import numpy as np
import streamlit as st

from restmon.core.formatting import ago, duration
from restmon.core.instants import as_datetime
from restmon.core.status_now import DOWN, NOT_REPORTING
from restmon.core.targets import MISSED, NO_TARGET, NONE
from restmon.dashboard import clock, widgets
from restmon.dashboard.messages import escape_markdown
from restmon.reporting.current_status import NEVER
from restmon.reporting.fleet import Fleet
from restmon.reporting.store_week import StoreWeek, read_week
from restmon.storage.models import now
from restmon.stores.targets import as_percent


def show_summary(found: Fleet, n: int, *, stale: bool) -> None:
    """The status of the store at a place of the fleet, its target, and its losses."""
    week = read_week(found, np.array([n], np.int64))
    parts = [_describe_status(found, n, stale=stale)]
    if target := _describe_target(week, found.as_of, str(found.zones[n])):
        parts.append(target)
    lost = float(week.lost[0])
    if lost > 0:  # not where it is unknown, either
        parts.append(f"An estimated {clock.money(lost)} was lost in the last 7 days.")
    st.markdown(escape_markdown("  ".join(parts)))


def _describe_status(found: Fleet, n: int, *, stale: bool) -> str:
    zone, last = str(found.zones[n]), int(found.last_poll[n])
    text = widgets.describe_status(found, n)
    if stale:
        text = f"At the last poll: {text}"
    if found.status_now[n] == DOWN:
        since = int(found.down_since[n])
        before = "before " if since <= int(found.hour_edges[0]) else ""
        text += f" since {before}{clock.moment(since, zone)}"
    elif found.status_now[n] == NOT_REPORTING and last != NEVER:
        text += f" since {clock.moment(last, zone)}"
    return f"{text}." if last == NEVER else f"{text}; last poll {ago(last, now())}."


def _describe_target(week: StoreWeek, as_of: int, zone: str) -> str:
    """How the store stands against its target; "" without one."""
    standing = week.standing
    target, status = int(standing.target[0]), str(standing.status[0])
    if target == NO_TARGET or status == NONE:
        return ""
    judged = standing.each()
    budget, used = (round(float(x[0])) for x in (judged.budget, judged.used))
    month = f"{as_datetime(as_of - 1, zone):%B}"
    verb = "is missed" if status == MISSED else f"is {status}"
    return (
        f"The target of {month}, {as_percent(target):g}%, {verb}: {duration(used)} down of the "
        f"{duration(budget)} that it allows."
    )
