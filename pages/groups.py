"""Groups side by side: brands, cities, owners."""

import streamlit as st

from restmon.dashboard import group_rows, identity, notices, store_data
from restmon.reporting.group_board import read_board

who = identity.require_role()
st.title("Groups")
found = store_data.load_fleet()
stale = notices.show_stale_feed(found)
with st.spinner("Counting …"):
    rows = read_board(who)
if len(rows) < 2:
    st.info(
        "There are no groups yet. Make one under Settings, or import a directory with groups: "
        "brands, cities, owners. This page then shows them side by side.",
        icon=":material/workspaces:",
    )
    st.stop()
order = group_rows.choose_order()
st.caption(
    "Uptime with its change from the week before, coverage, outages, downtime and loss are those "
    "of the last 7 days, targets those of this month. A click on a row opens the group's stores."
)
group_rows.show_groups(rows, order, stale=stale)
