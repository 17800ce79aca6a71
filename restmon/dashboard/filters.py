"""The filters on stores. The page's address keeps them, and they stay on the way to other pages."""

from collections import Counter

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from restmon.core.status_now import STATUS_NAMES
from restmon.dashboard.identity import current_actor
from restmon.dashboard.widgets import mask_matches
from restmon.reporting.fleet import Fleet
from restmon.stores import groups

NAMES = ("search", "group", "zone", "status")
"""The filters, by their parameters in the address."""
KEPT = "kept_filters"
CARRIED = "carried_filters"
TIMES_IN = "times_in"
WIDTH = 168
"""Pixels: two stand side by side on a phone."""


def choose_stores(found: Fleet, *, with_status: bool = False) -> NDArray[np.bool_]:
    """Show the filters in the current row, and return which stores match (bool, one per store)."""
    _restore()
    mask = np.ones(len(found.ids), bool)
    search = st.text_input(
        "Search stores",
        key="search",
        bind="query-params",
        type="search",
        width=WIDTH,
        placeholder="Name or id",
    )
    group_names = [entry.name for entry in groups.list_groups(current_actor().groups)]
    group = _choose("Group", group_names, "All groups", "group") if group_names else None
    zones = sorted(set(found.zones.tolist()))
    zone = _choose("Time zone", zones, "All zones", "zone") if len(zones) > 1 else None
    status = None
    if with_status:
        status = _choose("Status", list(STATUS_NAMES), "Any status", "status")
    kept = st.session_state.get(KEPT, {})
    chosen = {"search": search, "group": group, "zone": zone}
    st.session_state[KEPT] = kept | chosen | ({"status": status} if with_status else {})
    if search and search.strip():
        mask &= mask_matches(found.stores, search)
    if zone:
        mask &= found.zones == zone
    if group:
        mask &= pd.Series(found.ids, dtype="str").isin(groups.members_of(group)).to_numpy(bool)
    if status:
        mask &= found.status_now == STATUS_NAMES.index(status)
    return mask


def choose_times_in(found: Fleet, mask: NDArray[np.bool_]) -> str:
    """Show the choice of the time zone of all times on the page, and return it: that of most of
    the stores, unless another is chosen."""
    counts = Counter(found.zones[mask].tolist())
    zones = [name for name, _ in counts.most_common()]
    options = [*zones, *(["UTC"] if "UTC" not in zones else [])]
    chosen = st.selectbox(
        "Times in",
        options,
        key=TIMES_IN,
        bind="query-params",
        width=WIDTH,
        help="All times and charts of this page are in this time zone.",
    )
    return chosen or options[0]


def _choose(label: str, options: list[str], of_all: str, key: str) -> str | None:
    return st.selectbox(
        label, options, index=None, placeholder=of_all, key=key, bind="query-params", width=WIDTH
    )


def _restore() -> None:
    """Bring back the filters of the page that the visitor comes from, where the address says
    nothing. A link that says something shows what it says."""
    carried = st.session_state.pop(CARRIED, None)
    if not st.session_state.pop("arrived", False):
        return
    if carried is None:
        carried = {} if st.query_params else st.session_state.get(KEPT, {})
    for name, value in carried.items():
        if value:
            st.session_state[name] = value


def remember() -> None:
    """Keep the filters of the address, on a page that has none itself, for the next page."""
    given = {name: st.query_params[name] for name in NAMES if name in st.query_params}
    if given:
        st.session_state[KEPT] = given


def carry(**more: str) -> None:
    """Take the current filters and ``more`` along to the page that `st.switch_page` opens, which
    cannot set query parameters that widgets are bound to."""
    st.session_state[CARRIED] = current_filters(**more)


def current_filters(**more: str) -> dict[str, str]:
    """Return the query parameters of the current filters and ``more``, for a link."""
    chosen = {name: st.session_state.get(name) for name in NAMES}
    return {name: str(value) for name, value in chosen.items() if value} | more


def show_if_empty(mask: NDArray[np.bool_]) -> bool:
    """Return whether no store matches the filters, and show a hint if so."""
    if mask.any():
        return False
    st.info("No store matches these filters. Clear one of them.", icon=":material/filter_alt_off:")
    return True
