"""The table of groups side by side."""

import math
from collections.abc import Callable
from itertools import compress

import numpy as np
import streamlit as st

from restmon.charts import day_strip
from restmon.core.findings import count_of
from restmon.core.formatting import duration, share
from restmon.core.targets import NONE
from restmon.dashboard import clock, filters
from restmon.dashboard.day_strips import group_address
from restmon.dashboard.html_table import Cell, Column, show_table
from restmon.reporting.group_board import DAYS_OF_BOARD, BoardRow
from restmon.reporting.style import read_style

TARGET = Column("Target")
"""Shown where any group has one."""
HEADS = [
    Column("Group"),
    Column("Stores", numeric=True),
    Column("Down now", numeric=True),
    Column("Last 30 days"),
    Column("Uptime", numeric=True),
    Column("Coverage", numeric=True),
    Column("Uptime, 30 days", numeric=True),
    Column("Outages", numeric=True),
    Column("Down for", numeric=True),
    TARGET,
    Column("Lost (estimate)", numeric=True),
]


def _uptime(row: BoardRow) -> float:
    return row.up / (row.up + row.down) if row.up + row.down else math.inf


def _change(row: BoardRow) -> float:
    before = row.up_before + row.down_before
    if not row.has_before or not before or not row.up + row.down:
        return math.inf
    return _uptime(row) - row.up_before / before


ORDERS: dict[str, Callable[[BoardRow], float | str]] = {
    "Lowest uptime": _uptime,
    "Most downtime": lambda row: -row.down,
    "Most lost": lambda row: math.inf if math.isnan(row.lost) else -row.lost,
    "Fell the most": _change,
    "Most outages": lambda row: -row.outages,
    "Most stores": lambda row: -row.stores,
    "Name": lambda row: row.name.casefold(),
}
"""What groups can be sorted by. What is not known comes last."""


def choose_order() -> str:
    """Show the choice of the order, and return it."""
    names = list(ORDERS)
    chosen = st.selectbox(
        "Sort by", names, key="sort_groups", bind="query-params", width=filters.WIDTH
    )
    return chosen or names[0]


def show_groups(rows: list[BoardRow], order: str, *, stale: bool) -> None:
    """The groups in the order, and last all stores."""
    heads = [Column("Were down", numeric=True) if stale and h == HEADS[2] else h for h in HEADS]
    shown = [h != TARGET or any(row.target_status != NONE for row in rows) for h in heads]
    groups = sorted((row for row in rows if row.name), key=ORDERS[order])
    total = [row for row in rows if not row.name]
    show_table(
        f"Groups: {order.lower()} first",
        list(compress(heads, shown)),
        [list(compress(_write_row(row), shown)) for row in [*groups, *total]],
    )


def _write_row(row: BoardRow) -> list[Cell | str]:
    address = group_address(row.name) if row.name else "/stores"
    days = row.days
    month = (0, 0) if days is None else (int(days.up.sum()), int(days.down.sum()))
    picture = (
        "" if days is None else day_strip.write_small_strip(days, read_style(), slots=DAYS_OF_BOARD)
    )
    left_out = (
        f"{count_of(row.lost_unknown, 'store')} without known sales left out"
        if row.lost_unknown
        else ""
    )
    return [
        Cell(row.name or "All stores", "", address),
        f"{row.stores:,}",
        f"{row.down_now:,}",
        Cell("–", picture=picture),
        Cell(share(row.up, row.up + row.down), below=_describe_change(row)),
        share(row.covered, row.open_time),
        share(month[0], sum(month)),
        f"{row.outages:,}",
        duration(row.down),
        "–" if row.target_status == NONE else row.target_status,
        Cell(clock.money(row.lost), "" if np.isnan(row.lost) else left_out),
    ]


def _describe_change(row: BoardRow) -> str:
    """How the uptime changed against the week before, in short."""
    found = _change(row)
    if not math.isfinite(found):
        return ""
    points = round(100 * found, 1)
    if not points:
        return "no change"
    return f"{abs(points):.1f} points {'higher' if points > 0 else 'lower'}"
