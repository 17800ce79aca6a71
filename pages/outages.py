"""All outages of a window: which stores, since when, how long, why, and at what cost."""

import numpy as np
import streamlit as st

from restmon.dashboard import (
    filters,
    identity,
    incident_cards,
    messages,
    notices,
    outage_rows,
    outage_window,
    store_data,
)
from restmon.reporting.incident_list import list_incidents
from restmon.reporting.outage_list import find_outages_in
from restmon.reporting.scopes import find_scope

who = identity.require_role()
st.title("Outages")
found = store_data.load_fleet()
notices.show_freshness(found)
with st.container(horizontal=True, vertical_alignment="bottom"):
    mask = filters.choose_stores(found)
    if filters.show_if_empty(mask):
        st.stop()
    zone = filters.choose_times_in(found, mask)
    with messages.stop_on_error():
        window = outage_window.choose_window(zone, found.as_of)
    chosen = outage_rows.choose_outages()
with messages.stop_on_error(), st.spinner("Counting …"):
    scope = find_scope(who, group=st.session_state.get("group"))
    every = find_outages_in(scope, window, found.as_of)
    incidents = list_incidents(scope, window, found.as_of)
more = outage_window.current_window() | filters.current_filters()
incident_cards.show_found_incidents(incidents, zone, more)
ids = np.array(found.ids, object)[mask]
outage_rows.show_outages(every, outage_rows.pick(every, ids, chosen), zone)
