"""How all stores do: what is wrong, since when and at what cost; then the last week."""

import numpy as np
import streamlit as st

from restmon.charts.fleet import HourLine, draw_distribution, draw_heat_map, draw_uptime_over_time
from restmon.core.findings import count_of
from restmon.core.formatting import duration, share
from restmon.dashboard import (
    attention_list,
    figures,
    filters,
    hour_links,
    identity,
    incident_cards,
    notices,
    store_data,
    widgets,
)
from restmon.dashboard.clock import moment
from restmon.reporting.attention import find_attention
from restmon.reporting.fleet import Fleet, shares
from restmon.reporting.style import read_style

WORST = 10


def describe_week(found: Fleet, n: int) -> str:
    """How a store did in the last week."""
    up, down = int(found.up[n, 2]), int(found.down[n, 2])
    covered, open_time = int(found.covered[n, 2]), int(found.open_time[n, 2])
    return (
        f"{duration(down)} down · {share(up, up + down)} up "
        f"({figures.describe_coverage(covered, open_time)}) · "
        f"{count_of(int(found.outages[n]), 'outage')} · {widgets.describe_status(found, n)}"
    )


def show_worst(found: Fleet, mask: np.ndarray) -> None:
    """The stores with the most downtime of the week, each a link to its page."""
    rows = np.flatnonzero(mask & (found.down[:, 2] > 0))
    rows = rows[np.argsort(-found.down[rows, 2], kind="stable")][:WORST]
    st.header("Most downtime in the last week")
    if not len(rows):
        figures.show_good_news(
            "No store was down in the last week.",
            int(found.covered[mask, 2].sum()),
            int(found.open_time[mask, 2].sum()),
        )
        return
    widgets.link_to_each_store(
        ((found.ids[n], describe_week(found, n)) for n in rows.tolist()), found.stores.names
    )
    chosen = filters.current_filters()
    widgets.link_to_stores("See all these stores" if chosen else "See all stores", chosen)


def show_charts(found: Fleet, mask: np.ndarray, zone: str) -> None:
    """The week hour by hour, by weekday and hour, and by store."""
    up, down, seen = (
        part[mask].sum(0, dtype=float)
        for part in (found.up_by_hour, found.down_by_hour, found.covered_by_hour)
    )
    figure = draw_uptime_over_time(
        HourLine(found.hour_edges[1:], up, down, seen), zone, read_style()
    )
    hour_links.show_hours(found, figure, shares(up, down), zone)
    left, right = st.columns(2)
    with left:
        widgets.show_chart(
            draw_heat_map(
                found.down_by_weekday_hour[mask].sum(0, dtype=float),
                found.open_by_weekday_hour[mask].sum(0, dtype=float),
                read_style(),
            ),
            "Heat map of the share of open time in which stores were down, by weekday and hour",
            key="heat_map",
        )
    with right:
        widgets.show_chart(
            draw_distribution(100 * found.share[mask]),
            "Bars: how many stores had how much uptime in the last week",
            key="distribution",
        )


def show_data_quality(found: Fleet, mask: np.ndarray, zone: str) -> None:
    """What is left out or assumed, each with a way to the Data check."""
    st.header("Data quality")
    counts = {
        "{} without a poll in open hours, left out of all numbers": ~found.observed
        & ~found.hours_unreadable,
        "{} with hours that could not be read, left out of all numbers": found.hours_unreadable,
        "{} without business hours, taken as open 24×7": found.hours_assumed
        & ~found.hours_unreadable,
        "{} without a time zone, taken as Chicago time": found.zone_assumed,
    }
    lines = {text: int((flags & mask).sum()) for text, flags in counts.items()}
    for text, count in lines.items():
        if count:
            st.page_link(
                "pages/data_check.py",
                label=text.format(count_of(count, "store")),
                icon=":material/fact_check:",
            )
    if not any(lines.values()):
        st.caption("Every store has polls, business hours and a time zone of its own.")
    begun = int(found.hour_edges[0])
    st.caption(f"The week began {moment(begun, zone)}.", help=moment(begun))


who = identity.require_role()
st.title("Overview")
found = store_data.load_fleet()
stale = notices.show_stale_feed(found)
top = st.container()
with st.container(horizontal=True, vertical_alignment="bottom"):
    mask = filters.choose_stores(found)
    if filters.show_if_empty(mask):
        st.stop()
    zone = filters.choose_times_in(found, mask)
with top:
    attention_list.show_sentence(found, mask, stale=stale)
    attention_list.show_attention(found, find_attention(found, who.groups), mask, stale=stale)
figures.show_figures(found, mask, stale=stale)
incident_cards.show_incidents(found, zone)
show_charts(found, mask, zone)
show_worst(found, mask)
show_data_quality(found, mask, zone)
