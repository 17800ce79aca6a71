"""How all stores do: now, over the last week, and which are the worst."""

import numpy as np
import streamlit as st

from restmon.charts.fleet import draw_distribution, draw_heat_map, draw_uptime_over_time
from restmon.core.formatting import moment, share
from restmon.core.instants import HOUR
from restmon.dashboard import filters, identity, notices, store_data, widgets
from restmon.reporting.fleet import Fleet, shares

WINDOWS = ("Last hour", "Last day", "Last week")
WORST = 10


def headline(found: Fleet, mask: np.ndarray) -> None:
    """Uptime of the three windows against the periods before, and what is down right now."""
    up, down = found.up[mask].sum(0), found.down[mask].sum(0)
    before = shares(found.up_before[mask].sum(0), found.down_before[mask].sum(0))
    after = shares(up, down)
    down_now = int(found.down_now[mask].sum())
    open_now = int((found.open_now & found.observed)[mask].sum())
    with st.grid(4, min_column_width=180):
        st.metric(
            "Down right now",
            f"{down_now:,}",
            f"of {open_now:,} open stores",
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="Stores that are inside their business hours and whose last status is down.",
        )
        for n, name in enumerate(WINDOWS):
            change, same = None, False
            if found.has_before[n] and np.isfinite(after[n]) and np.isfinite(before[n]):
                points = round(100 * float(after[n] - before[n]), 2)
                same = not points
                change = "0.00 points" if same else f"{points:+.2f} points"
            st.metric(
                f"Uptime, {name.lower()}",
                share(float(up[n]), float(up[n] + down[n])),
                change,
                delta_color="off" if same else "normal",
                delta_arrow="off" if same else "auto",
                delta_description=change and f"against the {name.lower().split()[1]} before",
                border=True,
                height="stretch",
            )
    if down_now:
        some = "store that is" if down_now == 1 else f"{down_now:,} stores that are"
        widgets.link_to_stores(
            f"See the {some} down now", filters.current_filters(now=filters.DOWN_NOW)
        )


def told(found: Fleet, n: int, uptime: float) -> str:
    """How a store did in the last week; its uptime is a share."""
    hours, outages = found.down[n, 2] / 2 / HOUR, found.outages[n]
    return (
        f"{hours:,.2f} h down · {100 * uptime:.1f} % up · "
        f"{outages:,} outage{'' if outages == 1 else 's'} · now {widgets.describe_status(found, n)}"
    )


def worst(found: Fleet, mask: np.ndarray) -> None:
    """The stores with the most downtime of the week, each a link to its page."""
    rows = np.flatnonzero(mask & (found.down[:, 2] > 0))
    rows = rows[np.argsort(-found.down[rows, 2], kind="stable")][:WORST]
    st.header("Most downtime in the last week")
    if not len(rows):
        st.success("No store was down in the last week.", icon=":material/check_circle:")
        return
    uptime = found.share[rows].tolist()
    widgets.link_to_each_store(
        ((found.ids[n], told(found, n, up)) for n, up in zip(rows.tolist(), uptime, strict=True)),
        found.stores.names,
    )
    chosen = filters.current_filters()
    widgets.link_to_stores("See all these stores" if chosen else "See all stores", chosen)


identity.require_role()
st.title("Overview")
found = store_data.load_fleet()
notices.show_freshness(found)
mask = filters.choose_stores(found)
headline(found, mask)
if filters.show_if_empty(mask):
    st.stop()
zones = set(found.zones[mask].tolist())
zone = zones.pop() if len(zones) == 1 else "UTC"
widgets.show_chart(
    draw_uptime_over_time(
        found.hour_edges[1:],
        found.up_by_hour[mask].sum(0, dtype=float),
        found.down_by_hour[mask].sum(0, dtype=float),
        zone,
    ),
    "Line of the uptime of all chosen stores in each hour of the last week",
    key="over_time",
)
left, right = st.columns(2)
with left:
    widgets.show_chart(
        draw_heat_map(
            found.down_by_weekday_hour[mask].sum(0, dtype=float),
            found.open_by_weekday_hour[mask].sum(0, dtype=float),
        ),
        "Heat map of the share of open time in which stores were down, by weekday and hour",
        key="heat_map",
    )
with right:
    widgets.show_chart(
        draw_distribution(100 * found.share[mask]),
        "Bars: how many stores had how much uptime in the last week",
        key="distribution",
    )
worst(found, mask)
never = int((~found.observed & mask).sum())
if never:
    st.caption(
        f"{never:,} store{' was' if never == 1 else 's were'} never polled while open and "
        f"count{'s' if never == 1 else ''} nowhere here."
    )
begun = int(found.hour_edges[0])
st.caption(f"The week began {moment(begun, zone)}.", help=moment(begun))
