"""Make reports, watch them, look at them, download them, compare two."""

import streamlit as st

from restmon.access.roles import Role
from restmon.dashboard import (
    comparison_view,
    identity,
    jobs_table,
    live,
    messages,
    notices,
    report_form,
    report_view,
    store_data,
)
from restmon.dashboard.clock import moment
from restmon.dashboard.html_table import Cell, Column, time_cell
from restmon.errors import RestmonError
from restmon.reporting import reports, sources
from restmon.storage import database
from restmon.storage.models import COMPLETE, RUNNING, Report


def name_running(row: Report) -> str:
    """Return the name of a running report."""
    return f"Report requested {moment(row.requested_at, zone)}"


def write_row(row: Report) -> tuple[str, *tuple[Cell | str, ...]]:
    """Return the cells of a report in the table of all reports."""
    stores = "" if row.stores is None else f"{row.stores:,}"
    return report_view.describe_report(row), time_cell(row.as_of, zone), stores


who = identity.require_role()
st.title("Reports")
with database.session():
    newest = sources.choose_source(who.groups).newest_poll()
if newest is None:
    notices.stop_without_polls()
zone = notices.zone_of(store_data.visible_stores())
if who.may(Role.OWNER):
    report_form.show_report_form(newest or 0)
everything = reports.list_recent(actor=who)
running = [row.id for row in everything if row.status == RUNNING]
live.refresh(
    lambda: jobs_table.show_progress(
        reports.list_recent(actor=identity.current_actor()), running, name_running
    ),
    every=live.BUSY_SECONDS if running else live.IDLE_SECONDS,
)
if not everything:
    if who.may(Role.OWNER):
        st.info("No reports yet. Press “Make the report”; it takes a second or two.")
    else:
        st.info("There is no report of your stores yet. Ask an operator to make one.")
    st.stop()
newest_complete = next((row for row in everything if row.status == COMPLETE), everything[0])
wanted = st.query_params.get("report") or newest_complete.id
try:
    report_view.show_report(reports.get(wanted, who), zone)
except RestmonError as error:
    messages.show_error(error)
st.header("All reports")
jobs_table.show_jobs(
    everything,
    [Column("Report"), Column("As of"), Column("Stores", numeric=True)],
    write_row,
    chosen=wanted,
    parameter="report",
    name="All reports",
)
st.header("Compare two reports")
comparison_view.show_comparison(everything)
