"""The stores that the visitor may see."""

import streamlit as st

from restmon.access import visibility
from restmon.dashboard.identity import current_actor
from restmon.dashboard.notices import stop_without_polls
from restmon.errors import NoPolls
from restmon.reporting import fleet, snapshot
from restmon.reporting.fleet import Fleet
from restmon.reporting.snapshot import Stores
from restmon.storage import database


def visible_stores() -> Stores:
    """Return all stores that the visitor may see, in the order of their ids."""
    who = current_actor()
    with database.reading():
        stores = snapshot.cache.get().stores
    if who.groups is None:
        return stores
    return stores.chosen(visibility.mask_stores(who.groups, stores.ids))


def load_fleet() -> Fleet:
    """Return the numbers of all stores that the visitor may see, as of their newest poll.

    Without a store or a poll, says what to do and stops the page.
    """
    who = current_actor()
    if who.groups is not None and not visibility.find_store_ids(who.groups):
        st.info(
            "No store is in your groups yet. Ask an operator to put your stores into them.",
            icon=":material/group_off:",
        )
        st.stop()
    try:
        with st.spinner("Counting …"):
            return fleet.compute_fleet(groups=who.groups)
    except NoPolls:
        stop_without_polls()
        raise AssertionError from None  # stop_without_polls has stopped the page
