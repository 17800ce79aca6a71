"""How all stores do: what is wrong, since when and at what cost; then the last week."""

from html import escape

import streamlit as st

from restmon.charts.fleet import HourLine, draw_heat_map, draw_uptime_over_time
from restmon.charts.kept_figure import KeptFigure
from restmon.core.findings import count_of
from restmon.core.formatting import duration, share
from restmon.core.targets import MISSED
from restmon.core.uptime_bins import count_by_uptime
from restmon.dashboard import (
    attention_list,
    day_strips,
    figures,
    filters,
    hour_links,
    identity,
    incident_cards,
    notices,
    printing,
    store_data,
    uptime_bars,
    widgets,
)
from restmon.dashboard.clock import moment, time_tag
from restmon.dashboard.page_links import link_to
from restmon.reporting.attention import find_attention
from restmon.reporting.fleet import Fleet
from restmon.reporting.fleet_view import FleetView, view_fleet
from restmon.reporting.style import read_style
from restmon.stores.targets import list_targets


def describe_week(found: Fleet, n: int) -> str:
    """How a store did in the last week."""
    up, down = int(found.up[n, 2]), int(found.down[n, 2])
    covered, open_time = int(found.covered[n, 2]), int(found.open_time[n, 2])
    return (
        f"{duration(down)} down · {share(up, up + down)} up "
        f"({figures.describe_coverage(covered, open_time)}) · "
        f"{count_of(int(found.outages[n]), 'outage')} · {widgets.describe_status(found, n)}"
    )


def show_worst(view: FleetView) -> None:
    """The stores with the most downtime of the week, each a link to its page."""
    found, week = view.found, view.windows[2]
    st.header("Most downtime in the last week")
    if not view.worst:
        figures.show_good_news("No store was down in the last week.", week.covered, week.open_time)
        return
    widgets.link_to_each_store(
        ((found.ids[n], describe_week(found, n), "") for n in view.worst), found.stores.names
    )
    chosen = filters.current_filters()
    widgets.link_to_stores("See all these stores" if chosen else "See all stores", chosen)


def show_charts(view: FleetView, zone: str) -> None:
    """The week hour by hour, by weekday and hour, and how many stores had how much uptime."""
    over_time, heat_map = view.find_or_make(
        ("charts", zone, read_style()), lambda: draw_charts(view, zone)
    )
    hour_links.show_hours(view, over_time, zone)
    left, right = st.columns(2)
    with left:
        widgets.show_chart(
            heat_map,
            "Heat map of the share of open time in which stores were down, by weekday and hour",
            key="heat_map",
        )
    with right:
        uptime_bars.show_uptime_bars(count_by_uptime(100 * view.found.share[view.mask]))


def draw_charts(view: FleetView, zone: str) -> tuple[KeptFigure, ...]:
    """The figures of `show_charts`."""
    found, style = view.found, read_style()
    hours = HourLine(found.hour_edges[1:], view.up_by_hour, view.down_by_hour, view.covered_by_hour)
    drawn = (
        draw_uptime_over_time(hours, zone, style),
        draw_heat_map(view.down_by_weekday_hour, view.open_by_weekday_hour, style),
    )
    return tuple(KeptFigure(figure) for figure in drawn)


def link_to_missed_targets() -> None:
    """A way to the stores that missed their target, if anybody has set one."""
    if list_targets(who):
        widgets.link_to_stores(
            "Who missed the target this month?", filters.current_filters(target=MISSED)
        )


def count_doubts(view: FleetView) -> dict[str, int]:
    """How many stores are left out, and of how many something is assumed, by what to say."""
    found, unreadable = view.found, view.found.hours_unreadable
    flags = {
        "{} without a poll in open hours, left out of all numbers": ~found.observed & ~unreadable,
        "{} with hours that could not be read, left out of all numbers": unreadable,
        "{} without business hours, taken as open 24×7": found.hours_assumed & ~unreadable,
        "{} without a time zone, taken as Chicago time": found.zone_assumed,
    }
    return {text: int((of & view.mask).sum()) for text, of in flags.items()}


def show_data_quality(view: FleetView, zone: str) -> None:
    """What is left out or assumed, each with a way to the Data check."""
    st.header("Data quality")
    lines = view.find_or_make("doubts", lambda: count_doubts(view))
    for text, count in lines.items():
        if count:
            link_to(
                "data_check",
                text.format(count_of(count, "store")),
                icon=":material/fact_check:",
            )
    if not any(lines.values()):
        st.caption("Every store has polls, business hours and a time zone of its own.")
    begun = int(view.found.hour_edges[0])
    st.caption(f"The week began {moment(begun, zone)}.", help=moment(begun))


who = identity.require_role()
st.title("Overview")
found = store_data.load_fleet()
top = st.container()
with st.container(horizontal=True, vertical_alignment="bottom"):
    mask = filters.choose_stores(found)
    if filters.show_if_empty(mask):
        st.stop()
    view = view_fleet(found, mask)
    zone = filters.choose_times_in(view)
printing.show_print_title(f"As of {time_tag(found.as_of, zone)}, times in {escape(zone)}")
with top:
    stale = notices.show_stale_feed(found, zone)
    attention_list.show_sentence(view, stale=stale)
    attention_list.show_attention(found, find_attention(found, who.groups), mask, zone, stale=stale)
figures.show_figures(view, stale=stale)
link_to_missed_targets()
day_strips.show_strips(found, mask, zone)
incident_cards.show_incidents(found, zone)
show_charts(view, zone)
show_worst(view)
show_data_quality(view, zone)
printing.show_print_link()
