"""Edit a store's business hours and zone; put stores into groups; set targets."""

import streamlit as st

from restmon.access.roles import Role
from restmon.dashboard import (
    deletion_form,
    export_form,
    group_forms,
    hours_form,
    identity,
    messages,
    notices,
    sales_form,
    status_page_form,
    store_data,
    store_forms,
    target_forms,
)
from restmon.ingest.store_editing import Subject


def show_store_forms() -> None:
    """All that can be changed of a store, and the downloads."""
    chosen = hours_form.show_hours_form(every_store)
    if chosen:
        store_forms.show_dates_form(Subject(store=chosen), who)
        store_forms.show_entry_form(chosen, who)
        sales_form.show_sales_form(chosen, who)
    store_forms.show_group_dates_form(who)
    export_form.offer_exports(who)


who = identity.require_role(Role.OWNER)
st.title("Settings")
messages.show_queued_message()
every_store = store_data.visible_stores()
if not every_store.ids:
    notices.stop_without_polls()
if not who.may(Role.OPERATOR):
    show_store_forms()
    target_forms.show_target_forms(who, every_store)
    status_page_form.show_status_page_form(who)
    st.stop()
hours_tab, groups_tab, targets_tab, deletion_tab = st.tabs(
    ["Hours and zone of a store", "Groups", "Targets", "Delete data"],
    key="part",
    bind="query-params",
)
with hours_tab:
    if hours_tab.open:
        show_store_forms()
with groups_tab:
    if groups_tab.open:
        group_forms.show_group_forms(every_store)
        status_page_form.show_status_page_form(who)
with targets_tab:
    if targets_tab.open:
        target_forms.show_target_forms(who, every_store)
with deletion_tab:
    if deletion_tab.open:
        deletion_form.show_deletion_forms(who, every_store)
