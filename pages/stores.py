"""All stores in one table: search, sort, open one."""

import numpy as np
import pandas as pd
import streamlit as st

from restmon.core.formatting import stamp
from restmon.dashboard import filters, identity, notices, store_data, widgets
from restmon.reporting.current_status import NEVER
from restmon.reporting.fleet import Fleet

SIX_HOURS = 28  # of a week


def down_since(found: Fleet, n: int) -> str | None:
    """Since when a store that is down now is down, in its own time."""
    begin, week = int(found.down_since[n]), int(found.hour_edges[0])
    if begin == NEVER:
        return None
    zone = found.stores.zones[found.stores.zone_of_store[n]]
    return f"before {stamp(week, zone)}" if begin <= week else stamp(begin, zone)


def table(found: Fleet, rows: np.ndarray) -> pd.DataFrame:
    """A row a store, worst first."""
    hours = 2 * 3.6e9
    up = found.up_by_hour[rows].reshape(len(rows), SIX_HOURS, -1).sum(2)
    down = found.down_by_hour[rows].reshape(len(rows), SIX_HOURS, -1).sum(2)
    zones = found.zones[rows]
    polled = np.where(found.last_poll[rows] == NEVER, pd.NaT.value, found.last_poll[rows])
    last = zip(found.last_poll[rows].tolist(), zones.tolist(), strict=True)
    return pd.DataFrame(
        {
            "store": widgets.store_urls((found.ids[n] for n in rows), found.stores.names),
            "now": [widgets.describe_status(found, n) for n in rows],
            "uptime_share": 100 * found.share[rows],
            "uptime": found.up[rows, 2] / hours,
            "downtime": found.down[rows, 2] / hours,
            "downtime_day": found.down[rows, 1] / hours,
            "outages": found.outages[rows],
            "week": list(np.where(up + down > 0, down, 0).astype(np.float32)),
            "last_poll_local": [
                None if time == NEVER else stamp(time, zone) for time, zone in last
            ],
            "last_poll": pd.DatetimeIndex(polled.view("datetime64[us]")).tz_localize("UTC"),
            "zone": zones,
        }
    )


identity.require_role()
st.title("Stores")
found = store_data.load_fleet()
notices.show_freshness(found)
with st.container(horizontal=True, vertical_alignment="bottom"):
    mask = filters.choose_stores(found, with_status=True)
if filters.show_if_empty(mask):
    st.stop()
rows = np.flatnonzero(mask)
order = np.lexsort((rows, -found.down[rows, 2]))
rows = rows[order]
st.caption(
    f"**{len(rows):,}** store{'' if len(rows) == 1 else 's'}; most downtime of the week first."
)
shown = table(found, rows)
if st.session_state.get("status") == filters.IS_DOWN:
    shown.insert(2, "down_since", [down_since(found, n) for n in rows.tolist()])
number = st.column_config.NumberColumn
st.dataframe(
    shown,
    hide_index=True,
    lazy=True,
    height=620,
    column_config={
        "store": widgets.store_link_column(),
        "now": st.column_config.TextColumn("Now", width=150),
        "down_since": st.column_config.TextColumn(
            "Down since (local)", help="When the outage began, in the store's own time zone."
        ),
        "uptime_share": st.column_config.ProgressColumn(
            "Uptime, week (%)", format="%.1f %%", min_value=0, max_value=100
        ),
        "uptime": number("Uptime, week (h)", format="%.2f"),
        "downtime": number("Downtime, week (h)", format="%.2f"),
        "downtime_day": number("Downtime, day (h)", format="%.2f"),
        "outages": number("Outages, week", format="localized"),
        "week": st.column_config.BarChartColumn(
            "Week’s downtime",
            width=140,
            help="Hours down in each quarter of a day, oldest first.",
            y_min=0,
            y_max=6,
            color="#D9601A",
        ),
        "last_poll_local": st.column_config.TextColumn(
            "Last poll (local)", help="In the store's own time zone, which is the last column."
        ),
        "last_poll": st.column_config.DatetimeColumn(
            "Last poll (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"
        ),
        "zone": "Time zone",
    },
    placeholder="–",
    key="stores",
    alt="Table of all stores with uptime, downtime, outages and the last poll",
)
st.caption("Click a store to open it, a column's head to sort by it.")
