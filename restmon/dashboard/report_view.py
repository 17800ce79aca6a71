"""One report: its state, its downloads and its table; and what a report is, in words."""

import json
import re
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from restmon.core.findings import count_of
from restmon.core.instants import as_datetime
from restmon.dashboard import jobs_table, messages, notices, store_data, widgets
from restmon.dashboard.clock import moment
from restmon.dashboard.connections import open_connections
from restmon.errors import DataChanged, RestmonError
from restmon.reporting import calendar_windows, report_details, reports, workbook
from restmon.reporting.style import read_style
from restmon.storage import database
from restmon.storage.models import FAILED, RUNNING, Report

FILES = {
    "CSV": (".csv", "text/csv"),
    "Details (CSV)": ("-details.csv", "text/csv"),
    "Details (Excel)": (".xlsx", workbook.TYPE),
    "Details (JSON)": (".json", "application/json"),
}
"""The files of a report: the end of the file's name, and its type."""
HEADS = {
    "groups": ("Groups", ""),
    "uptime_percent": ("Uptime (%)", "%.1f"),
    "coverage": ("Coverage (%)", "%.1f"),
    "down": ("Down (h)", "%.2f"),
    "outages": ("Outages", "localized"),
    "longest_outage": ("Longest outage (h)", "%.2f"),
    "lost_sales": ("Lost sales (estimate)", "dollar"),
    "target": ("Target (%)", "%.2f"),
    "target_status": ("This month", ""),
    "up": ("Up (h)", "%.2f"),
    "open": ("Open (h)", "%.2f"),
    "status_now": ("Status then", ""),
}
"""The columns of the details that the page shows, and the form of their numbers; the files have
all columns."""
UNITS = {"hour": "min", "day": "h", "week": "h"}


def describe_report(row: Report) -> str:
    """Return what a report is, such as ``Week of Nov 16 – 22, Brand A, nearest poll``."""
    described = report_details.describe(row)
    store = described["store_id"]
    label = store_data.visible_stores().label(str(store)) if store else None
    parts = [
        describe_window(row),
        label or described["group"] or "all stores",
        jobs_table.METHOD_NAMES[row.method].lower(),
    ]
    return ", ".join(map(str, parts))


def describe_dated(row: Report) -> str:
    """Return what a report is, and as of when, where the window does not say it."""
    text = describe_report(row)
    dated = row.window is not None and "last" not in row.window
    zone = notices.zone_of(store_data.visible_stores())
    return text if dated else f"{text}, as of {moment(row.as_of, zone)}"


def describe_window(row: Report) -> str:
    """Return the window of a report in words."""
    return calendar_windows.describe_window(row.window, row.as_of, read_style())


@st.cache_data(max_entries=8, show_spinner=False)
def table_of(report_id: str) -> pd.DataFrame:
    """A complete report's CSV; it never changes."""
    return reports.read_table(reports.get(report_id))


@st.cache_data(max_entries=8, show_spinner=False)
def details_of(report_id: str) -> pd.DataFrame:
    """The details of a complete report of a window; they never change."""
    table = pd.DataFrame(report_details.read(reports.get(report_id)).records())
    return table if table.empty else table[["store_id", *HEADS]]


def make_file(report_id: str, name: str) -> bytes:
    """A complete report as one of FILES, also in another thread. Raises RestmonError."""
    with open_connections(), database.session():
        row = reports.get(report_id)
        if name == "CSV":
            return reports.read_csv(row)
        table = report_details.read(row)
    if name == "Details (Excel)":
        return workbook.make_workbook(table)
    return (table.csv() if name == "Details (CSV)" else json.dumps(table.records())).encode()


def show_downloads(row: Report) -> None:
    """A button for each file of a report. It is made when the button is pressed."""
    names = [name for name in FILES if name != "CSV" or row.window is None]
    problem = report_details.find_problem(row)
    words = re.sub(r"[^a-z0-9]+", "-", describe_report(row).lower())
    stem = f"report-{words}-{as_datetime(row.as_of or 0):%Y%m%d-%H%M}"
    with st.container(horizontal=True):
        for n, name in enumerate(names):
            suffix, kind = FILES[name]
            widgets.show_download(
                name,
                partial(make_file, row.id, name),
                f"{stem}{suffix}",
                kind,
                type="primary" if not n else "secondary",
                disabled=name != "CSV" and problem is not None,
                key=f"download_{n}",
            )
    if isinstance(problem, DataChanged):
        st.caption(
            "The data changed after this report, so its details can no longer be made. Make a new "
            "report to get them."
        )
    elif problem is not None:
        messages.show_error(problem)


def show_report(row: Report, zone: str) -> None:
    """One report: its state, its downloads and its table, with times in a zone."""
    if row.status == RUNNING:
        st.info("This report is under way. It appears here when it is done.")
        return
    if row.status == FAILED:
        st.error(
            f"This report failed. {messages.escape_markdown(row.error or '')}",
            icon=":material/error:",
        )
        return
    st.header(messages.escape_markdown(describe_report(row)))
    st.caption(
        f"As of {moment(row.as_of, zone)} · {count_of(row.stores or 0, 'store')}",
        help=f"{moment(row.as_of)}. The report's id for the API: {row.id}",
    )
    try:
        if row.window is None:
            table, heads = table_of(row.id), seven_columns()
        else:
            table, heads = details_of(row.id), detail_columns()
    except RestmonError as error:
        messages.show_error(error)
        return
    show_downloads(row)
    if table.empty:
        st.info("The report has no stores.")
        return
    urls = widgets.store_urls(table["store_id"], store_data.visible_stores().names)
    st.dataframe(
        table.assign(store_id=urls),
        hide_index=True,
        column_config={"store_id": widgets.store_link_column(), **heads},
        lazy=True,
        key="report_table",
        placeholder="–",
        alt="The report, a row for each store",
    )


def seven_columns() -> dict[str, Any]:
    """The heads of the columns of a report without a window."""
    return {
        f"{kind}_last_{window}": st.column_config.NumberColumn(
            f"{kind.capitalize()}, last {window} ({unit})", format="%.2f"
        )
        for window, unit in UNITS.items()
        for kind in ("uptime", "downtime")
    }


def detail_columns() -> dict[str, Any]:
    """The heads of the columns of the details."""
    number, currency = st.column_config.NumberColumn, read_style().currency
    forms = {
        name: f"{currency}%.2f" if form == "dollar" else form for name, (_, form) in HEADS.items()
    }
    return {
        name: number(title, format=forms[name]) if forms[name] else title
        for name, (title, _) in HEADS.items()
    }
