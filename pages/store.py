"""One store: when it was up and down, why that is so, and its outages."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from restmon.access.roles import Role
from restmon.core.formatting import duration, share
from restmon.core.instants import DAY, HOUR, MINUTE, SECOND, as_datetime
from restmon.core.timeline import METHODS, NEAREST
from restmon.dashboard import (
    clock,
    figures,
    filters,
    identity,
    jobs_table,
    live,
    messages,
    navigation,
    notices,
    store_chart,
    store_data,
    store_summary,
    widgets,
)
from restmon.dashboard.clock import moment
from restmon.reporting import store_timeline
from restmon.reporting.store_timeline import StoreTimeline
from restmon.storage import database

LENGTHS = {"1 day": DAY, "7 days": 7 * DAY, "30 days": 30 * DAY}
DATES = "Dates"
MOST_DAYS = 92
HOUR_HALVES = 2 * HOUR
LONG_TABLE, TABLE_HEIGHT = 10, 480


def chosen_range(newest: int, zone: str) -> tuple[int, int]:
    """The range to show, from the controls: [lo, hi)."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control(
            "Range",
            [*LENGTHS, DATES],
            default="7 days",
            required=True,
            key="range",
            bind="query-params",
        )
        st.segmented_control(
            "Between polls",
            METHODS,
            default=NEAREST,
            required=True,
            key="method",
            bind="query-params",
            format_func=jobs_table.METHOD_NAMES.__getitem__,
        )
        if name == DATES:
            last = as_datetime(newest, zone).date()
            picked = st.date_input(
                "Dates (local)",
                (last - timedelta(days=6), last),
                max_value=last,
                key="dates",
                bind="query-params",
                width=260,
            )
            if isinstance(picked, date) or len(picked) != 2:
                st.info("Choose the first and the last day.")
                st.stop()
            first, last = picked
            if (last - first).days >= MOST_DAYS:
                st.info(f"Choose at most {MOST_DAYS} days.")
                st.stop()
            return start_of(first, zone), start_of(last + timedelta(days=1), zone)
    return newest - LENGTHS[name], newest


def start_of(day: date, zone: str) -> int:
    """The instant at which a local date begins."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return round(midnight.timestamp()) * SECOND


def numbers(view: StoreTimeline) -> None:
    """Totals of the range, in figures."""
    total = view.up + view.down
    with st.grid(4, min_column_width=190):
        for label, text, note in (
            (
                "Uptime",
                share(view.up, total),
                figures.describe_coverage(view.days.covered, view.open),
            ),
            ("Up", duration(view.up), f"of {duration(view.open)} open"),
            ("Down", duration(view.down), ""),
            ("Outages", f"{len(view.outages.start):,}", ""),
        ):
            with st.container(border=True, height="stretch"):
                st.metric(label, text)
                if note:
                    st.caption(note)
    if view.last_poll is None:
        st.caption("This store was never polled.")
        return
    status = "✓ active" if view.last_poll_active else "✕ inactive"
    when = messages.escape_markdown(moment(view.last_poll, view.zone, seconds=True))
    st.caption(
        f"Last poll: **{status}**, {when}",
        help=moment(view.last_poll, seconds=True),
    )


def first_poll(view: StoreTimeline) -> None:
    """Since when there are polls of the store, if that is later than what is shown."""
    if view.first_observation is None or view.open_before_first <= HOUR_HALVES:
        return
    when = messages.escape_markdown(moment(view.first_observation, view.zone))
    st.info(
        f"There is no poll of this store in its open hours before {when}. The "
        f"{duration(view.open_before_first)} of open time until then count as that poll said.",
        icon=":material/visibility_off:",
    )


def outage_table(view: StoreTimeline) -> None:
    """Every outage that overlaps the range."""
    st.header("Outages")
    found = view.outages
    if not len(found.start):
        if view.observed:
            figures.show_good_news("No outage in this range.", view.days.covered, view.open)
        return
    lines = ["| Start | End | Open minutes down |", "| --- | --- | ---: |"]
    explained = any(view.causes)
    if explained:
        lines = [f"{lines[0]} Cause |", f"{lines[1]} --- |"]
    for n in range(len(found.start) - 1, -1, -1):
        end = "▼ ongoing" if found.ongoing[n] else in_table(int(found.end[n]), view.zone)
        minutes = found.open_time[n] / 2 / MINUTE
        start = in_table(int(found.start[n]), view.zone)
        cause = ""
        if explained:
            in_one_line = " ".join((view.causes[n] or "unknown").split())
            cause = f" {messages.escape_markdown(in_one_line)} |"
        lines.append(f"| {start} | {end} | {minutes:,.1f} |{cause}")
    # Not st.dataframe: it fetches 1.5 MB of scripts, cuts columns off on a phone, and draws what
    # screen readers cannot read.
    st.caption(f"Newest first; times in **{messages.escape_markdown(view.zone)}**, small: in UTC.")
    long = len(found.start) > LONG_TABLE
    with st.container(height=TABLE_HEIGHT if long else "content", key="outages"):
        st.markdown("\n".join(lines))


def in_table(instant: int, zone: str) -> str:
    """An instant in a zone and, small, in UTC."""
    return f"{moment(instant, zone)} :small[:gray[{moment(instant)}]]"


def about(view: StoreTimeline) -> None:
    """Zone and business hours, and what was assumed."""
    st.header("Business hours")
    zone = f"Time zone: **{view.zone}**"
    if view.zone_assumed:
        zone += " (assumed: none was imported for this store)"
    st.markdown(zone)
    if view.hours_unreadable:
        st.markdown("Not known: those that were imported for this store could not be read.")
    elif view.hours_assumed:
        st.markdown("Open **24×7** (assumed: no business hours were imported for this store).")
    else:
        rows = "".join(
            f"| {day} | {text} |\n"
            for day, text in store_timeline.weekly_hours(view.hours, clock.write_time)
        )
        st.markdown(f"| Day | Open (local time) |\n| --- | --- |\n{rows}")
    if identity.current_actor().may(Role.OWNER):
        st.page_link(
            "pages/settings.py",
            label="Change hours, zone, name or sales",
            icon=":material/edit:",
            query_params={"store": view.store_id},
        )


identity.require_role()
heading = st.empty()
heading.title("Store")
found = store_data.load_fleet()
live.rerun_on_change(found.revision)
widgets.drop_name()
filters.remember()
chosen = widgets.choose_store(found.stores)
if not chosen:
    st.info("Choose a store above, or open one from the list of all stores.")
    widgets.link_to_stores("See all stores", {})
    st.stop()
called = found.stores.label(chosen)
heading.title(f"Store {messages.escape_markdown(called)}")
navigation.set_title(f"Store {called}")
stale = notices.show_stale_feed(found)
store_summary.show_summary(found, found.stores.places[chosen], stale=stale)
zone_of_store = str(found.zones[found.stores.places[chosen]])
lo, hi = chosen_range(found.as_of, zone_of_store)
with messages.stop_on_error(), database.reading():
    view = store_timeline.read_store(
        chosen, lo, hi, st.session_state.get("method") or NEAREST, found.as_of
    )
st.caption(
    f"{moment(view.lo, view.zone)} – {moment(view.hi, view.zone)}, times in **{view.zone}**",
    help=f"{moment(view.lo)} – {moment(view.hi)}",
)
if view.lo >= view.hi:
    st.info("This range is after the newest poll. Choose an earlier one.")
    st.stop()
numbers(view)
if view.hours_unreadable:
    st.warning(
        "The business hours of this store could not be read, so it counts as never open, with no "
        "uptime and no downtime, until a file or the Settings page gives good ones.",
        icon=":material/warning:",
    )
elif not view.observed:
    st.warning(
        "This store was never polled while open, so no uptime and no downtime is claimed.",
        icon=":material/visibility_off:",
    )
first_poll(view)
store_chart.show_timeline(view)
outage_table(view)
store_chart.offer_spans(view)
about(view)
