"""When a store is open: its zone, its weekly hours, and the dates with other hours."""

import streamlit as st

from restmon.access.roles import Actor, Role
from restmon.core.instants import as_datetime
from restmon.dashboard import clock
from restmon.dashboard.html_table import Cell, Column, show_table
from restmon.dashboard.page_links import link_to
from restmon.reporting import store_timeline
from restmon.reporting.other_dates import OtherDate
from restmon.reporting.store_timeline import StoreTimeline


def show_hours(view: StoreTimeline, dates: list[OtherDate], who: Actor) -> None:
    """Zone and business hours, what was assumed, and the dates with other hours."""
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
    if dates:
        _show_dates(view, dates)
    if who.may(Role.OWNER):
        link_to(
            "settings",
            "Change hours, zone, name or sales",
            icon=":material/edit:",
            query_params={"store": view.store_id},
        )


def _show_dates(view: StoreTimeline, dates: list[OtherDate]) -> None:
    st.markdown("**Dates with other hours**")
    today = as_datetime(view.as_of, view.zone).date()
    rows: list[list[Cell | str]] = []
    for found in dates:
        day = found.date
        text = f"{day:%a, %b} {day.day}, {day.year}" + (" (today)" if day == today else "")
        rows.append([text, found.hours, found.note])
    show_table(
        "Dates with other hours", [Column("Date"), Column("Open (local time)"), Column("Why")], rows
    )
