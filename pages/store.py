"""One store: its status and target, when it was up and down, why that is so, and its outages."""

from datetime import timedelta
from html import escape

import streamlit as st

from restmon.core.formatting import duration, share
from restmon.core.instants import HOUR, as_datetime
from restmon.dashboard import (
    figures,
    filters,
    identity,
    live,
    messages,
    navigation,
    notices,
    printing,
    store_chart,
    store_data,
    store_hours,
    store_outages,
    store_range,
    store_strip,
    store_summary,
    store_weeks,
    widgets,
)
from restmon.dashboard.clock import moment, time_tag, utc, with_utc, write_time
from restmon.reporting import store_timeline
from restmon.reporting.other_dates import read_other_dates
from restmon.reporting.store_timeline import StoreTimeline
from restmon.reporting.week_by_week import read_weeks
from restmon.storage import database

HOUR_HALVES = 2 * HOUR
DAYS_AHEAD = 60
"""So many days after today the dates with other hours are shown."""


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
        st.caption("No polls yet.")
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
    st.info(
        "There is no poll of this store in its open hours before "
        f"{with_utc(view.first_observation, view.zone)}. The "
        f"{duration(view.open_before_first)} of open time until then count as that poll said.",
        icon=":material/visibility_off:",
    )


def warnings(view: StoreTimeline) -> None:
    """Why there are no numbers, where there are none."""
    if view.hours_unreadable:
        st.warning(
            "The business hours of this store could not be read, so it counts as never open, with "
            "no uptime and no downtime, until a file or the Settings page gives good ones.",
            icon=":material/warning:",
        )
    elif not view.observed:
        st.warning(
            "This store was never polled while open, so no uptime and no downtime is claimed.",
            icon=":material/visibility_off:",
        )


who = identity.require_role()
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
place = found.stores.places[chosen]
zone = str(found.zones[place])
stale = notices.show_stale_feed(found, zone)
store_summary.show_status(found, place, stale=stale)
store_strip.show_strip(chosen, found.as_of, zone)
with messages.stop_on_error(), database.reading():
    weeks = read_weeks(chosen, found.as_of)
store_summary.show_target_and_loss(weeks)
printing.show_print_link()
lo, hi, method = store_range.choose_range(found.as_of, zone)
with messages.stop_on_error(), database.reading():
    view = store_timeline.read_store(chosen, lo, hi, method, found.as_of)
    today = as_datetime(view.as_of, zone).date()
    dates = read_other_dates(
        chosen,
        as_datetime(view.lo, zone).date(),
        today + timedelta(days=DAYS_AHEAD),
        who,
        write_time,
    )
st.caption(
    f"{moment(view.lo, view.zone)} – {moment(view.hi, view.zone)}, times in **{view.zone}**",
    help=utc(view.lo, view.hi),
)
printing.show_print_title(
    f"Store {escape(called)}, as of {time_tag(view.as_of, zone)}, times in {escape(zone)}"
)
if view.lo >= view.hi:
    st.info("This range is after the newest poll. Choose an earlier one.")
    st.stop()
numbers(view)
warnings(view)
first_poll(view)
store_chart.show_timeline(view, dates)
store_outages.show_outages(view, dates, who)
store_chart.offer_spans(view)
store_weeks.show_weeks(weeks)
store_hours.show_hours(view, dates, who)
