"""The table of stores: the order, the rows, and more of them."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from restmon.core.findings import count_of
from restmon.core.formatting import ago, duration, share
from restmon.core.status_now import DOWN, NOT_REPORTING
from restmon.core.targets import NO_TARGET, NONE
from restmon.dashboard import clock, filters, widgets
from restmon.dashboard.html_table import Cell, Column, show_table, store_address
from restmon.reporting.current_status import NEVER
from restmon.reporting.fleet import Fleet
from restmon.reporting.store_list import Listing, sort_stores
from restmon.reporting.store_week import StoreWeek, read_week
from restmon.storage.models import now
from restmon.stores.targets import as_percent

AT_ONCE = 50
ORDERS = {
    "Most downtime": ("down", True),
    "Lowest uptime": ("uptime_percent", False),
    "Most outages": ("outages", True),
    "Down the longest": ("down_since", False),
    "Oldest last poll": ("last_poll", False),
    "Name": ("name", False),
    "Id": ("store_id", False),
    "Status": ("status_now", False),
}
"""What the stores can be sorted by: the value, and whether the largest comes first."""
HEADS = [
    Column("Store"),
    Column("Status"),
    Column("Uptime", numeric=True),
    Column("Coverage", numeric=True),
    Column("Outages", numeric=True),
    Column("Down for", numeric=True),
    Column("Target of the month"),
    Column("Lost (estimate)", numeric=True),
    Column("Last poll"),
]


def choose_order() -> str:
    """Show the choice of the order in the current row, and return it."""
    names = list(ORDERS)
    chosen = st.selectbox("Sort by", names, key="sort", bind="query-params", width=filters.WIDTH)
    return chosen or names[0]


def show_stores(listing: Listing, mask: NDArray[np.bool_], order: str) -> None:
    """The stores of the mask, some at a time."""
    found = listing.fleet
    sort, descending = ORDERS[order]
    rows = sort_stores(listing, np.flatnonzero(mask), sort, descending=descending)
    most = st.session_state.get("most_stores", AT_ONCE)
    shown = rows[:most]
    st.caption(
        f"**{len(rows):,}** store{'' if len(rows) == 1 else 's'}. Uptime, coverage, outages, "
        "downtime and loss are those of the last 7 days. A click on a row opens the store."
    )
    week = read_week(found, shown)
    chosen = filters.current_filters()
    show_table(
        f"Stores: {order.lower()} first",
        HEADS,
        [_write_row(found, n, week, k, chosen) for k, n in enumerate(shown.tolist())],
    )
    if len(rows) > most:
        rest = min(AT_ONCE, len(rows) - most)
        if st.button(f"Show {count_of(rest, 'more store')}", key="more_stores"):
            st.session_state["most_stores"] = most + AT_ONCE
            st.rerun()


def _write_row(
    found: Fleet, n: int, week: StoreWeek, k: int, chosen: dict[str, str]
) -> list[Cell | str]:
    up, down = int(found.up[n, 2]), int(found.down[n, 2])
    last, zone = int(found.last_poll[n]), str(found.zones[n])
    label = found.stores.label(found.ids[n])
    return [
        Cell(label, "", store_address(label, **chosen)),
        _describe_status(found, n, zone),
        share(up, up + down),
        share(int(found.covered[n, 2]), int(found.open_time[n, 2])),
        f"{int(found.outages[n]):,}",
        duration(down),
        _describe_target(week, k),
        clock.money(float(week.lost[k])),
        "never" if last == NEVER else Cell(ago(last, now()), clock.moment(last, zone)),
    ]


def _describe_status(found: Fleet, n: int, zone: str) -> Cell:
    text = widgets.describe_status(found, n)
    if found.status_now[n] == DOWN:
        since = int(found.down_since[n])
        before = "before " if since <= int(found.hour_edges[0]) else ""
        return Cell(f"{text} since {before}{clock.moment(since, zone)}", clock.moment(since))
    if found.status_now[n] == NOT_REPORTING:
        return Cell(text, f"last poll {clock.moment(int(found.last_poll[n]), zone)}")
    return Cell(text)


def _describe_target(week: StoreWeek, k: int) -> str:
    target, status = int(week.standing.target[k]), str(week.standing.status[k])
    if target == NO_TARGET or status == NONE:
        return "–"
    return f"{as_percent(target):g}%: {status}"
