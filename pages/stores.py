"""All stores: search, sort, open one."""

import streamlit as st

from restmon.dashboard import filters, identity, notices, store_data, store_rows
from restmon.reporting.store_list import read_listing

who = identity.require_role()
st.title("Stores")
found = store_data.load_fleet()
notices.show_freshness(found)
with st.container(horizontal=True, vertical_alignment="bottom"):
    mask = filters.choose_stores(found, with_status=True, with_target=True)
    order = store_rows.choose_order()
    columns = store_rows.choose_columns()
if filters.show_if_empty(mask):
    st.stop()
store_rows.show_stores(read_listing(who), mask, order, columns)
