"""All outages of a window: which stores, since when, how long, why, and at what cost."""

import numpy as np
import streamlit as st

from restmon.dashboard import (
    filters,
    identity,
    incident_cards,
    messages,
    notices,
    outage_costs,
    outage_results,
    outage_rows,
    outage_window,
    store_data,
)
from restmon.reporting.fleet_view import view_fleet
from restmon.reporting.scopes import find_scope

who = identity.require_role()
st.title("Outages")
found = store_data.load_fleet()
top = st.container()
with st.container(horizontal=True, vertical_alignment="bottom"):
    mask = filters.choose_stores(found)
    if filters.show_if_empty(mask):
        st.stop()
    zone = filters.choose_times_in(view_fleet(found, mask))
    with messages.stop_on_error():
        window = outage_window.choose_window(zone, found.as_of)
    chosen = outage_rows.choose_outages()
with top:
    notices.show_freshness(found, zone)
with messages.stop_on_error(), st.spinner("Counting …"):
    scope = find_scope(who, group=st.session_state.get("group"))
    every, incidents = outage_results.find_outages(found, scope, window)
more = outage_window.current_window() | filters.current_filters()
ids = np.array(found.ids, object)[mask]
if chosen.incident is None:
    when = outage_window.describe_window(window, found.as_of)
    outage_costs.show_costs(every, ids, when, who, filters.current_filters())
incident_cards.show_found_incidents(incidents, zone, more)
outage_rows.show_outages(every, outage_rows.pick(every, ids, chosen), zone)
