"""Two reports side by side on the Reports page."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from restmon.core.findings import count_of
from restmon.dashboard import filters, messages, report_view, store_data, widgets
from restmon.dashboard.identity import current_actor
from restmon.reporting import comparison
from restmon.reporting.store_facts import read_group_names
from restmon.storage import database
from restmon.storage.models import COMPLETE, Report

WORSE, BETTER, ONE = "Got worse", "Got better", "Only in one report"
TOO_FEW = (
    "Two reports can be compared if they are by the same method, of the same stores, and of the "
    "same length of time, such as two weeks or two months. Make a second report that fits one of "
    "yours."
)
SHOWN = [
    "store_id",
    "groups",
    "uptime_percent_change",
    "uptime_percent_older",
    "uptime_percent_newer",
    "down_change",
    "only_in",
]


def show_comparison(rows: Sequence[Report]) -> None:
    """Choose two reports that fit each other, and show which stores changed the most."""
    done = [row for row in rows if row.status == COMPLETE]
    partners = {row.id: comparison.find_partners(row, done) for row in done}
    choices = {row.id: row for row in done if partners[row.id]}
    if not choices:
        st.caption(TOO_FEW)
        return
    newer = choices[_choose("Report", "newer", choices)]
    olders = {row.id: row for row in partners[newer.id]}
    suggested = comparison.suggest_older(newer, partners[newer.id])
    older = olders[_choose("Compared with", "older", olders, suggested.id)]
    with messages.stop_on_error():
        found = comparison.compare_reports(older.id, newer.id)
    with st.grid(3, min_column_width=120):
        only = int(found.table["only_in"].notna().sum())
        for label, count in ((WORSE, found.worse), (BETTER, found.better), (ONE, only)):
            st.metric(label, f"{count:,}", border=True, height="stretch")
    _show_table(_add_names(found.table))


def _choose(label: str, key: str, rows: dict[str, Report], suggested: str | None = None) -> str:
    ids = list(rows)
    if st.session_state.get(key) not in ids:
        st.session_state.pop(key, None)
    chosen = st.selectbox(
        label,
        ids,
        ids.index(suggested) if suggested else 0,
        lambda report_id: report_view.describe_dated(rows[report_id]),
        key=key,
        bind="query-params",
    )
    return chosen or ids[0]


def _add_names(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the name and the groups of each store that the visitor sees."""
    stores = store_data.visible_stores()
    with database.reading():
        groups = read_group_names(stores, current_actor().groups)
    ids = table["store_id"].tolist()
    names: Any = [stores.names.get(store_id) for store_id in ids]
    of_stores: Any = [groups[stores.places[i]] if i in stores.places else [] for i in ids]
    return table.assign(name=names, groups=of_stores)


def _filter(table: pd.DataFrame) -> pd.DataFrame:
    """Show the filters, and return the rows that match."""
    mask = np.ones(len(table), bool)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search = st.text_input(
            "Search stores",
            key="compared_search",
            type="search",
            placeholder="Name or id",
            width=filters.WIDTH,
        )
        names = sorted({name for groups in table["groups"] for name in groups}, key=str.casefold)
        group = None
        if names:
            group = st.selectbox(
                "Group",
                names,
                index=None,
                placeholder="All groups",
                key="compared_group",
                width=filters.WIDTH,
            )
        change = st.selectbox(
            "Change",
            [WORSE, BETTER, ONE],
            index=None,
            placeholder="Any",
            key="compared_change",
            width=filters.WIDTH,
        )
    if search and search.strip():
        text = table["name"].fillna("").astype("str") + "\n" + table["store_id"]
        mask &= text.str.contains(search.strip(), case=False, regex=False).to_numpy(bool)
    if group:
        mask &= np.array([group in groups for groups in table["groups"]], bool)
    if change == ONE:
        mask &= table["only_in"].notna().to_numpy()
    elif change:
        points = table["uptime_percent_change"].to_numpy()
        mask &= points < 0 if change == WORSE else points > 0
    return table[mask]


def _show_table(table: pd.DataFrame) -> None:
    chosen = _filter(table)
    if chosen.empty:
        st.info("No store matches. Clear one of the filters.", icon=":material/filter_alt_off:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{count_of(len(chosen), 'store')}, the biggest change first")
        widgets.show_download(
            "Download (CSV)",
            lambda: comparison.write_comparison(chosen).encode(),
            "comparison.csv",
            key="download_comparison",
        )
    number = st.column_config.NumberColumn
    urls = widgets.store_urls(chosen["store_id"], store_data.visible_stores().names)
    shown = [name for name in SHOWN if name != "only_in" or chosen["only_in"].notna().any()]
    st.dataframe(
        chosen[shown].assign(
            store_id=urls, groups=[", ".join(names) for names in chosen["groups"]]
        ),
        hide_index=True,
        lazy=True,
        column_config={
            "store_id": widgets.store_link_column(),
            "groups": "Groups",
            "uptime_percent_change": number("Change (points)", format="%+.1f"),
            "uptime_percent_older": number("Uptime before (%)", format="%.1f"),
            "uptime_percent_newer": number("Uptime after (%)", format="%.1f"),
            "down_change": number("Change of downtime (h)", format="%+.2f"),
            "only_in": "Only in the",
        },
        key="comparison",
        placeholder="–",
        alt="Stores of both reports, the one that changed the most first",
    )
