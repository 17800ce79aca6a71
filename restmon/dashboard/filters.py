"""The filters on stores. The page's address keeps them."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from restmon.dashboard.identity import current_actor
from restmon.dashboard.widgets import mask_matches
from restmon.reporting.fleet import Fleet
from restmon.stores import groups

DOWN_NOW, OPEN_NOW = "Down now", "Open now"


def choose_stores(found: Fleet, *, with_now: bool = False) -> NDArray[np.bool_]:
    """Show the filters and return which stores match (bool, one per store)."""
    mask = np.ones(len(found.ids), bool)
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        search = st.text_input(
            "Search stores",
            key="search",
            bind="query-params",
            type="search",
            width=220,
            placeholder="Name or id",
        )
        zones = sorted(set(found.zones.tolist()))
        zone = st.selectbox(
            "Time zone",
            zones,
            index=None,
            placeholder="All zones",
            key="zone",
            bind="query-params",
            width=220,
        )
        group_names = [entry.name for entry in groups.list_groups(current_actor().groups)]
        group = None
        if group_names:
            group = st.selectbox(
                "Group",
                group_names,
                index=None,
                placeholder="All groups",
                key="group",
                bind="query-params",
                width=220,
            )
        now_is = None
        if with_now:
            now_is = st.segmented_control(
                "Now", [DOWN_NOW, OPEN_NOW], key="now", bind="query-params"
            )
    if search and search.strip():
        mask &= mask_matches(found.stores, search)
    if zone:
        mask &= found.zones == zone
    if group:
        mask &= pd.Series(found.ids, dtype="str").isin(groups.members_of(group)).to_numpy(bool)
    if now_is == DOWN_NOW:
        mask &= found.down_now
    elif now_is == OPEN_NOW:
        mask &= found.open_now
    return mask


def current_filters(**more: str) -> dict[str, str]:
    """Return the query parameters of the current filters and ``more``, for a link."""
    chosen = {name: st.session_state.get(name) for name in ("search", "zone", "group")}
    return {name: str(value) for name, value in chosen.items() if value} | more


def show_if_empty(mask: NDArray[np.bool_]) -> bool:
    """Return whether no store matches the filters, and show a hint if so."""
    if mask.any():
        return False
    st.info("No store matches these filters. Clear one of them.", icon=":material/filter_alt_off:")
    return True
