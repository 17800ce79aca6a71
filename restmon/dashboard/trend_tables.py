"""The tables of the Trend page: weeks, months, and the stores that are getting worse."""

import streamlit as st

from restmon.charts.day_strip import NO_DATA_STYLE
from restmon.charts.style import DOWN, SEEN_ENOUGH
from restmon.core.day_sums import Days
from restmon.core.findings import count_of
from restmon.core.formatting import duration, share
from restmon.core.instants import date_of
from restmon.dashboard.html_table import Cell, Column, show_table, store_address
from restmon.reporting.trend import Trend

MOST_SHOWN = 50
HEADS = [
    Column(""),
    Column("Downtime"),
    Column("Uptime", numeric=True),
    Column("Coverage", numeric=True),
]
"""The first head says of what the rows are."""


def show_periods(days: Days, name: str, date_format: str) -> None:
    """Weeks or months, the newest first: the bar is the share of open time that was down."""
    parts = [
        down / (up + down) if up + down else 0.0
        for up, down in zip(days.up.tolist(), days.down.tolist(), strict=True)
    ]
    most = max(parts, default=0.0)
    rows: list[list[Cell | str]] = []
    for n in reversed(range(len(days))):
        up, down = int(days.up[n]), int(days.down[n])
        covered, opened = int(days.covered[n]), int(days.open[n])
        width = 100 * parts[n] / most if most else 0.0
        day = date_of(int(days.dates[n]))
        when = f"{day:{date_format}}".replace(" 0", " ")
        when += " (so far)" if n == len(days) - 1 else ""
        bar = _draw_bar(width, duration(down), covered, opened)
        rows.append([when, Cell("", picture=bar), share(up, up + down), share(covered, opened)])
    heads = [Column(name), *HEADS[1:]]
    show_table(f"The last {count_of(len(days), name.lower())}", heads, rows, compact=True)


def _draw_bar(width: float, text: str, covered: int, opened: int) -> str:
    """A bar of downtime; hatched where less than 80% was seen, grey where nothing was."""
    if not covered:
        bar = f"width: 100%; background: {NO_DATA_STYLE}"
        text = "no data" if opened else "closed"
    else:
        hatch = "" if covered >= SEEN_ENOUGH * opened else f"{NO_DATA_STYLE}, "
        bar = f"width: {width:.1f}%; background: {hatch}{DOWN}"
    return (
        '<span style="display: block; min-width: 6rem">'
        f'<span style="display: block; height: 0.5rem; border-radius: 2px; {bar}"></span>'
        f"<small>{text}</small></span>"
    )


def show_getting_worse(found: Trend) -> None:
    """The stores whose last four weeks are lower than usual."""
    st.header("Getting worse")
    worse = found.worse
    if not worse.judged:
        st.caption(
            "No store has enough weeks to say: at least three of the last four and of the four "
            "before, each with a coverage of 80%."
        )
        return
    rest = len(found.stores.ids) - worse.judged
    note = f" {count_of(rest, 'store')} could not be judged." if rest else ""
    if len(found.stores.ids) == 1 and not len(worse.store):
        st.caption("This store is not getting worse.")
        return
    if not len(worse.store):
        st.caption(f"None of {count_of(worse.judged, 'store')} is getting worse.{note}")
        return
    st.caption(
        f"**{len(worse.store):,}** of {count_of(worse.judged, 'store')}: their last 4 weeks are "
        "lower than the 4 weeks before by more than twice the usual spread of their weeks."
        f"{note}"
    )
    rows: list[list[Cell | str]] = []
    for k, n in enumerate(worse.store[:MOST_SHOWN].tolist()):
        label = found.stores.label(found.stores.ids[n])
        now, before, spread = (float(c[k]) for c in (worse.now, worse.before, worse.spread))
        rows.append(
            [
                Cell(label, "", store_address(label)),
                f"{100 * now:.1f}%",
                f"{100 * before:.1f}%",
                f"{100 * (before - now):.1f} points",
                f"{100 * spread:.2f} points",
            ]
        )
    show_table(
        "Stores that are getting worse, the largest fall first",
        [
            Column("Store"),
            Column("Last 4 weeks", numeric=True),
            Column("4 weeks before", numeric=True),
            Column("Lower by", numeric=True),
            Column("Usual spread", numeric=True),
        ],
        rows,
    )
    if len(worse.store) > MOST_SHOWN:
        st.caption(f"The first {MOST_SHOWN} are shown.")
