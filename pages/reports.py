"""Trigger reports, watch them, look at them, download them, compare two."""

import json
from datetime import datetime, time
from typing import Any

import pandas as pd
import streamlit as st

from jobs import tasks
from restmon.access.roles import Role
from restmon.core.formatting import size
from restmon.core.instants import as_datetime, from_datetime
from restmon.core.timeline import METHODS, NEAREST
from restmon.dashboard import (
    identity,
    jobs_table,
    live,
    messages,
    notices,
    report_form,
    store_data,
    widgets,
)
from restmon.dashboard.clock import moment
from restmon.errors import RestmonError
from restmon.reporting import comparison, report_details, reports, sources, workbook
from restmon.storage import database
from restmon.storage.models import COMPLETE, FAILED, RUNNING, Report

COMPARED = [
    "store_id",
    "uptime_share_change",
    "uptime_share_older",
    "uptime_share_newer",
    "downtime_change",
    "only_in",
]
FILES = {
    "CSV": (".csv", "text/csv"),
    "details": ("-details.csv", "text/csv"),
    "workbook": (".xlsx", workbook.TYPE),
    "JSON": (".json", "application/json"),
}
"""The forms of a report: the end of the file's name, and its type."""
FORM_NAMES = {
    "CSV": "CSV: hour, day and week",
    "details": "CSV: details of every store",
    "workbook": "Excel workbook: details",
    "JSON": "JSON: details",
}
UNITS = {"hour": "min", "day": "h", "week": "h"}


def trigger_form(newest: int) -> None:
    """Ask for a report."""
    with st.container(border=True):
        st.header("Make a report")
        with messages.stop_on_error():
            part = report_form.choose_part(newest)
        with st.form("trigger", border=False):
            left, right = st.columns(2)
            method = right.segmented_control(
                "Between polls, the status is that of the",
                METHODS,
                default=NEAREST,
                required=True,
                format_func=jobs_table.METHOD_NAMES.__getitem__,
                key="report_method",
                help="The help page draws both.",
            )
            when = left.datetime_input(
                "As of (UTC); empty: the newest poll",
                value=None,
                min_value=datetime(1970, 1, 1),
                max_value=datetime.combine(as_datetime(newest).date(), time(23, 59)),
                step=60,
                key="as_of",
                help=f"The newest poll is of {moment(newest)}.",
            )
            asked = st.form_submit_button(
                "Make the report", type="primary", icon=":material/play_arrow:"
            )
        if asked:
            as_of = None if when is None else from_datetime(when)
            with messages.stop_on_error():
                row = tasks.enqueue_report(
                    as_of=as_of,
                    method=method or NEAREST,
                    requested_by="dashboard",
                    actor=identity.current_actor(),
                    part=part,
                )
            st.query_params["report"] = row.id


def called(row: Report) -> str:
    """Return the name of a running report."""
    return f"Report requested {moment(row.requested_at, seconds=True)}"


def history(rows: list[Report], chosen: str) -> None:
    """All reports in a table; the chosen one is shown below it."""
    columns: dict[str, list[Any]] = {
        "as_of": [None if row.as_of is None else as_datetime(row.as_of) for row in rows],
        "method": [jobs_table.METHOD_NAMES[row.method] for row in rows],
        "stores": [row.stores for row in rows],
        "size": ["" if row.size is None else size(row.size) for row in rows],
        "seconds": [reports.measure_seconds(row) for row in rows],
    }
    config = {
        "as_of": st.column_config.DatetimeColumn(
            "As of (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"
        ),
        "method": "Method",
        "stores": st.column_config.NumberColumn("Stores", format="localized"),
        "size": "Size",
        "seconds": st.column_config.NumberColumn("Took (s)", format="%.2f"),
    }
    jobs_table.show_jobs(rows, columns, config, chosen=chosen, parameter="report", name="history")


@st.cache_data(max_entries=8, show_spinner=False)
def table_of(report_id: str) -> pd.DataFrame:
    """A complete report's CSV; it never changes."""
    return reports.read_table(reports.get(report_id))


@st.cache_data(max_entries=8, show_spinner="Making the file …")
def file_of(report_id: str, name: str) -> bytes:
    """A complete report as a file; it never changes."""
    row = reports.get(report_id)
    if name == "CSV":
        return reports.read_csv(row)
    table = report_details.read(row)
    if name == "workbook":
        return workbook.make_workbook(table)
    return (table.csv() if name == "details" else json.dumps(table.records())).encode()


def show_downloads(row: Report) -> None:
    """The menu of the forms in which a report can be downloaded."""
    names = [name for name in FILES if name != "CSV" or row.window is None]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Form",
            names,
            format_func=FORM_NAMES.__getitem__,
            key=f"form_{row.id}",
            width=360,
        )
        suffix, kind = FILES[name]
        try:
            content = file_of(row.id, name)
        except RestmonError as error:
            messages.show_error(error)
            return
        st.download_button(
            f"Download the {name}",
            content,
            f"report-{as_datetime(row.as_of or 0):%Y%m%d-%H%M%S}{suffix}",
            kind,
            type="primary",
            icon=":material/download:",
            on_click="ignore",
            key="download",
        )


def show_details(row: Report) -> None:
    """The table of a report of a window."""
    table = pd.DataFrame(report_details.read(row).records())
    urls = widgets.store_urls(table["store_id"], store_data.visible_stores().names)
    st.dataframe(
        table.assign(store_id=urls),
        hide_index=True,
        column_config={"store_id": widgets.store_link_column()},
        lazy=True,
        key="details_table",
        alt="The report's details of every store",
    )


def shown(row: Report) -> None:
    """One report: its state, its download and its table."""
    if row.status == RUNNING:
        st.info("This report is under way; it is shown here when it is done.")
        return
    if row.status == FAILED:
        st.error(
            f"This report failed. {messages.escape_markdown(row.error or '')}",
            icon=":material/error:",
        )
        return
    st.header(f"Report as of {moment(row.as_of)}")
    described = report_details.describe(row)
    parts = [f"{row.stores:,} stores", jobs_table.METHOD_NAMES[row.method].lower()]
    parts += [f"window {described['window']}"] if described["window"] else []
    parts += [f"group {described['group']}"] if described["group"] else []
    parts += [f"store {described['store_id']}"] if described["store_id"] else []
    st.caption(messages.escape_markdown(" · ".join([*parts, f"id {row.id}"])))
    show_downloads(row)
    if row.window is not None:
        show_details(row)
        return
    table = table_of(row.id)
    urls = widgets.store_urls(table["store_id"], store_data.visible_stores().names)
    config: dict[str, Any] = {"store_id": widgets.store_link_column()}
    for window, unit in UNITS.items():
        for kind in ("uptime", "downtime"):
            config[f"{kind}_last_{window}"] = st.column_config.NumberColumn(
                f"{kind.capitalize()} last {window} ({unit})", format="%.2f"
            )
    st.dataframe(
        table.assign(store_id=urls),
        hide_index=True,
        column_config=config,
        lazy=True,
        key="report_table",
        alt="The report's uptime and downtime of every store",
    )


def compare(rows: list[Report]) -> None:
    """Which stores got worse between two reports."""
    done = [row for row in rows if row.status == COMPLETE and row.window is None]
    if len(done) < 2:
        st.caption("Make a second report to compare two of them here.")
        return
    methods = jobs_table.METHOD_NAMES
    names = {
        row.id: f"{moment(row.as_of)} · {methods[row.method].lower()} · {row.id[:6]}"
        for row in done
    }
    left, right = st.columns(2)
    ids = list(names)
    older, newer = (
        column.selectbox(
            f"{name.capitalize()} report",
            ids,
            ids.index(first.id),
            names.__getitem__,
            key=name,
            bind="query-params",
        )
        for column, name, first in zip(
            (left, right), ("older", "newer"), comparison.suggest_reports(done), strict=True
        )
    )
    if older == newer:
        st.info("Choose two different reports.")
        return
    with messages.stop_on_error():
        found = comparison.compare_reports(older, newer)
    if found.backwards:
        st.warning("The “older” report is as of later than the “newer” one. Exchange the two.")
    if not found.same_method:
        st.warning("The two reports use different methods; a change need not be the stores'.")
    with st.grid(3, min_column_width=120):
        only = int(found.table["only_in"].notna().sum())
        for label, count in (
            ("Got worse", found.worse),
            ("Got better", found.better),
            ("Only in one report", only),
        ):
            st.metric(label, f"{count:,}", border=True, height="stretch")
    number = st.column_config.NumberColumn
    urls = widgets.store_urls(found.table["store_id"], store_data.visible_stores().names)
    st.dataframe(
        found.table[COMPARED].assign(store_id=urls),
        hide_index=True,
        lazy=True,
        column_config={
            "store_id": widgets.store_link_column(),
            "uptime_share_change": number("Change (points)", format="%+.1f"),
            "uptime_share_older": number("Uptime, older (%)", format="%.1f"),
            "uptime_share_newer": number("Uptime, newer (%)", format="%.1f"),
            "downtime_change": number("Change of downtime, week (h)", format="%+.2f"),
            "only_in": "Only in",
        },
        key="comparison",
        placeholder="–",
        alt="Stores of both reports, the one that got worse the most first",
    )


who = identity.require_role()
st.title("Reports")
with database.session():
    newest = sources.choose_source(who.groups).newest_poll()
if newest is None:
    notices.stop_without_polls()
if who.may(Role.OWNER):
    trigger_form(newest or 0)
everything = reports.list_recent(actor=who)
running = [row.id for row in everything if row.status == RUNNING]
live.refresh(
    lambda: jobs_table.show_progress(
        reports.list_recent(actor=identity.current_actor()), running, called
    ),
    every=live.BUSY_SECONDS if running else live.IDLE_SECONDS,
)
if not everything:
    if who.may(Role.OWNER):
        st.info("No report yet. Press “Make the report”: it takes a second or two.")
    else:
        st.info("There is no report of your stores yet. Ask an operator to make one.")
    st.stop()
st.header("All reports")
newest_complete = next((row for row in everything if row.status == COMPLETE), everything[0])
wanted = st.query_params.get("report") or newest_complete.id
history(everything, wanted)
try:
    shown(reports.get(wanted, who))
except RestmonError as error:
    messages.show_error(error)
st.header("Compare two reports")
compare(everything)
