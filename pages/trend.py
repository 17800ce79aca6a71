"""Weeks and months of a store, a group or all stores, and who is getting worse."""

import streamlit as st

from restmon.dashboard import (
    day_strips,
    filters,
    identity,
    messages,
    notices,
    store_data,
    trend_tables,
)
from restmon.dashboard.widgets import choose_store
from restmon.reporting.scopes import find_scope
from restmon.reporting.trend import read_trend

who = identity.require_role()
st.title("Trend")
fleet = store_data.load_fleet()
notices.show_freshness(fleet)
with st.container(horizontal=True, vertical_alignment="bottom"):
    group = filters.choose_group()
    store = choose_store(fleet.stores)
with messages.stop_on_error(), st.spinner("Counting …"):
    found = read_trend(find_scope(who, None if store else group, store))
if found is None:
    st.info(day_strips.NOT_MADE_YET, icon=":material/hourglass_top:")
    st.stop()
day_strips.say_through(found.as_of, found.stores.zones[0], behind=found.behind)
st.caption(
    "A bar is the part of the open time that was down: shorter is better. It is hatched where "
    "less than 80% of the open time was seen."
)
left, right = st.columns(2)
with left:
    st.header("Weeks")
    trend_tables.show_periods(found.weeks, "Week of", "%b %d")
with right:
    st.header("Months")
    trend_tables.show_periods(found.months, "Month", "%b %Y")
trend_tables.show_getting_worse(found)
