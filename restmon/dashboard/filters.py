"""The filters on stores. The page's address keeps them, and they stay on the way to other pages."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from restmon.core.status_now import STATUS_NAMES
from restmon.core.targets import AT_RISK, MET, MISSED
from restmon.dashboard.identity import current_actor
from restmon.dashboard.widgets import mask_matches
from restmon.reporting.fleet import Fleet
from restmon.reporting.fleet_view import FleetView, list_zones
from restmon.reporting.month_standing import read_month_standing
from restmon.stores import groups

NAMES = ("search", "group", "zone", "status", "target")
"""The filters, by their parameters in the address."""
KEPT = "kept_filters"
CARRIED = "carried_filters"
KEPT_DATES = "kept_dates"
LAST = "last"
"""The window of outages, by its parameter in the address."""
USUAL_LAST = "Last 7 days"
TIMES_IN = "times_in"
WIDTH = 168
"""Pixels: two stand side by side on a phone."""
ZONE_WIDTH = 204
"""Pixels: the names of most time zones fit. On a phone, `widgets.ZONES` takes over."""
NARROW = 136
"""Pixels: a word or a number."""


def choose_stores(
    found: Fleet, *, with_status: bool = False, with_target: bool = False
) -> NDArray[np.bool_]:
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
    zones = list_zones(found)
    zone = _choose("Time zone", zones, "All zones", "zone", ZONE_WIDTH) if len(zones) > 1 else None
    status = None
    if with_status:
        status = _choose("Status", list(STATUS_NAMES), "Any status", "status")
    target = None
    if with_target and read_month_standing(current_actor()) is not None:
        target = _choose("Target of the month", [MISSED, AT_RISK, MET], "Any", "target")
    kept = st.session_state.get(KEPT, {})
    chosen = {"search": search, "group": group, "zone": zone}
    chosen |= {"status": status} if with_status else {}
    st.session_state[KEPT] = kept | chosen | ({"target": target} if with_target else {})
    if search and search.strip():
        mask &= mask_matches(found.stores, search)
    if zone:
        mask &= found.zones == zone
    if group:
        mask &= pd.Series(found.ids, dtype="str").isin(groups.members_of(group)).to_numpy(bool)
    if target:
        mask &= _have_standing(found, target)
    if status:
        mask &= found.status_now == STATUS_NAMES.index(status)
    return mask


def _have_standing(found: Fleet, target: str) -> NDArray[np.bool_]:
    """Which stores have missed their target of the month, are at risk, or have met it."""
    judged = read_month_standing(current_actor())
    if judged is None:
        return np.zeros(len(found.ids), bool)
    stores, standing = judged
    places = np.flatnonzero(standing.status == target).tolist()
    wanted = {stores.ids[n] for n in places}
    return np.fromiter((store in wanted for store in found.ids), bool, len(found.ids))


def choose_group() -> str | None:
    """Show the filter of groups alone, and return the chosen one."""
    _restore()
    names = [entry.name for entry in groups.list_groups(current_actor().groups)]
    group = _choose("Group", names, "All groups", "group") if names else None
    st.session_state[KEPT] = st.session_state.get(KEPT, {}) | {"group": group}
    return group


def choose_times_in(view: FleetView) -> str:
    """Show the choice of the time zone of all times on the page, and return it: that of most of
    the stores, unless another is chosen."""
    options = [*view.zones, *(["UTC"] if "UTC" not in view.zones else [])]
    chosen = st.selectbox(
        "Times in",
        options,
        key=TIMES_IN,
        bind="query-params",
        width=ZONE_WIDTH,
        help="All times and charts of this page are in this time zone.",
    )
    return chosen or options[0]


def _choose(
    label: str, options: list[str], of_all: str, key: str, width: int = WIDTH
) -> str | None:
    return st.selectbox(
        label, options, index=None, placeholder=of_all, key=key, bind="query-params", width=width
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
    keep_dates(LAST)


def restore_dates(*names: str) -> None:
    """Bring back what was chosen in widgets of dates when the visitor was on the page before, where
    the address says nothing. Call it before these widgets are drawn."""
    kept = st.session_state.get(KEPT_DATES, {})
    for name in names:
        if name in kept and name not in st.session_state and name not in st.query_params:
            st.session_state[name] = kept[name]


def keep_dates(*names: str) -> None:
    """Keep what is chosen in widgets of dates, or what the address of a page without them says."""
    chosen = {
        name: st.session_state.get(name, st.query_params.get(name))
        for name in names
        if name in st.session_state or name in st.query_params
    }
    st.session_state[KEPT_DATES] = st.session_state.get(KEPT_DATES, {}) | chosen


def carry(**more: str) -> None:
    """Take the current filters and ``more`` along to the page that `st.switch_page` opens, which
    cannot set query parameters that widgets are bound to."""
    st.session_state[CARRIED] = current_filters(**more)


def current_filters(**more: str) -> dict[str, str]:
    """Return the query parameters of the current filters and ``more``, for a link."""
    return _as_parameters({name: st.session_state.get(name) for name in NAMES}) | more


def kept_filters() -> dict[str, str]:
    """Return the query parameters of the filters of the pages before, for a link on a page that has
    none itself."""
    return _as_parameters(st.session_state.get(KEPT, {}))


def _as_parameters(chosen: dict[str, str | None]) -> dict[str, str]:
    last = st.session_state.get(KEPT_DATES, {}).get(LAST)
    chosen = chosen | {LAST: None if last == USUAL_LAST else last}
    return {name: str(value) for name, value in chosen.items() if value}


def show_if_empty(mask: NDArray[np.bool_]) -> bool:
    """Return whether no store matches the filters, and show a hint if so."""
    if mask.any():
        return False
    st.info("No store matches these filters. Clear one of them.", icon=":material/filter_alt_off:")
    return True
