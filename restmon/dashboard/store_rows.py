"""The table of stores: the order, the rows, and more of them."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from restmon.charts import day_strip
from restmon.core.day_sums import Days
from restmon.core.findings import count_of
from restmon.core.formatting import ago, duration, share
from restmon.core.status_now import DOWN, NOT_REPORTING
from restmon.core.targets import NO_TARGET, NONE
from restmon.dashboard import clock, filters, widgets
from restmon.dashboard.html_table import Cell, Column, show_table, store_address
from restmon.reporting.current_status import NEVER
from restmon.reporting.fleet import Fleet
from restmon.reporting.history import read_store_days
from restmon.reporting.store_list import Listing, sort_stores
from restmon.reporting.store_week import StoreWeek, read_week
from restmon.reporting.style import read_style
from restmon.storage.models import now
from restmon.stores.targets import as_percent

Ints = NDArray[np.int64]

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
STORE = Column("Store")
COLUMNS = {
    "Status": Column("Status"),
    "Last 30 days": Column("Last 30 days"),
    "Uptime": Column("Uptime", numeric=True),
    "Coverage": Column("Coverage", numeric=True),
    "Outages": Column("Outages", numeric=True),
    "Down for": Column("Down for", numeric=True),
    "Target": Column("Target of the month"),
    "Lost": Column("Lost (estimate)", numeric=True),
    "Last poll": Column("Last poll"),
}
"""The columns to choose from, by their names in the address."""
DAYS = 30


def choose_order() -> str:
    """Show the choice of the order in the current row, and return it."""
    names = list(ORDERS)
    chosen = st.selectbox("Sort by", names, key="sort", bind="query-params", width=filters.WIDTH)
    return chosen or names[0]


def choose_columns() -> list[str]:
    """Show the choice of the columns in the current row, and return them in their order."""
    with st.popover("Columns", width=filters.NARROW):
        chosen = st.pills(
            "Columns of the table",
            list(COLUMNS),
            selection_mode="multi",
            default=list(COLUMNS),
            key="columns",
            bind="query-params",
        )
    return [name for name in COLUMNS if name in chosen]


def show_stores(
    listing: Listing, mask: NDArray[np.bool_], order: str, columns: Sequence[str]
) -> None:
    """The stores of the mask, some at a time, with the chosen columns."""
    found = listing.fleet
    sort, descending = ORDERS[order]
    rows = sort_stores(listing, np.flatnonzero(mask), sort, descending=descending)
    most = st.session_state.get("most_stores", AT_ONCE)
    shown = rows[:most]
    st.caption(
        f"**{len(rows):,}** store{'' if len(rows) == 1 else 's'}. Uptime, coverage, outages, "
        "downtime and loss are those of the last 7 days. A click on a row opens the store."
    )
    rows_shown = _Rows(found, shown, columns, filters.current_filters())
    show_table(
        f"Stores: {order.lower()} first",
        [STORE, *(COLUMNS[name] for name in rows_shown.columns)],
        [rows_shown.write(k) for k in range(len(shown))],
    )
    if len(rows) > most:
        rest = min(AT_ONCE, len(rows) - most)
        if st.button(f"Show {count_of(rest, 'more store')}", key="more_stores"):
            st.session_state["most_stores"] = most + AT_ONCE
            st.rerun()


class _Rows:
    """Writes the rows of some stores (places in the fleet), with the ``columns`` that say
    something."""

    def __init__(
        self, found: Fleet, rows: Ints, columns: Sequence[str], chosen: dict[str, str]
    ) -> None:
        self._found, self._rows, self._chosen = found, rows, chosen
        self._week = read_week(found, rows)
        self.columns = [name for name in columns if name != "Target" or self._has_target()]
        self._days: list[Days] = []
        if "Last 30 days" in columns and len(rows):
            order = np.argsort(rows)
            mask = np.zeros(len(found.ids), bool)
            mask[rows] = True
            days = read_store_days(found.stores.chosen(mask), found.as_of, DAYS)
            self._days = [days[k] for k in np.argsort(order).tolist()]

    def _has_target(self) -> bool:
        """Whether any of the stores has a target. Without one, its column would be empty."""
        return bool((self._week.standing.target != NO_TARGET).any())

    def write(self, k: int) -> list[Cell | str]:
        """The cells of the k-th of the stores."""
        found, n = self._found, int(self._rows[k])
        label = found.stores.label(found.ids[n])
        first = Cell(label, "", store_address(label, **self._chosen))
        return [first, *(self._cell(name, n, k) for name in self.columns)]

    def _cell(self, name: str, n: int, k: int) -> Cell | str:
        found = self._found
        zone, last = str(found.zones[n]), int(found.last_poll[n])
        up, down = int(found.up[n, 2]), int(found.down[n, 2])
        match name:
            case "Status":
                return _describe_status(found, n, zone)
            case "Last 30 days":
                picture = day_strip.write_small_strip(self._days[k], read_style(), DAYS)
                return Cell("", picture=picture)
            case "Uptime":
                return share(up, up + down)
            case "Coverage":
                return share(int(found.covered[n, 2]), int(found.open_time[n, 2]))
            case "Outages":
                return f"{int(found.outages[n]):,}"
            case "Down for":
                return duration(down)
            case "Target":
                return _describe_target(self._week, k)
            case "Lost":
                return clock.money(float(self._week.lost[k]))
        return "never" if last == NEVER else Cell(ago(last, now()), clock.local_and_utc(last, zone))


def _describe_status(found: Fleet, n: int, zone: str) -> Cell:
    text = widgets.describe_status(found, n)
    if found.status_now[n] == DOWN:
        since = int(found.down_since[n])
        before = "before " if since <= int(found.hour_edges[0]) else ""
        began = f"since {before}{clock.moment(since, zone)}"
        return Cell(text, clock.moment(since), below=began)
    if found.status_now[n] == NOT_REPORTING:
        return Cell(text, f"last poll {clock.local_and_utc(int(found.last_poll[n]), zone)}")
    return Cell(text)


def _describe_target(week: StoreWeek, k: int) -> str:
    target, status = int(week.standing.target[k]), str(week.standing.status[k])
    if target == NO_TARGET or status == NONE:
        return "–"
    return f"{as_percent(target):g}%: {status}"
