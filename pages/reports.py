"""Trigger reports, watch them, look at them, download them, compare two."""

from datetime import UTC, datetime, time

import pandas as pd
import streamlit as st

from jobs import tasks
from pages import parts
from restmon import comparison, database, reports, snapshot
from restmon.errors import RestmonError
from restmon.models import COMPLETE, FAILED, RUNNING, Report
from restmon.roles import Role
from restmon.uptime import METHODS, NEAREST
from restmon.wording import at, moment, size

COMPARED = [
    "store_id",
    "uptime_share_change",
    "uptime_share_older",
    "uptime_share_newer",
    "downtime_change",
    "only_in",
]
UNITS = {"hour": "min", "day": "h", "week": "h"}


def trigger_form(newest: int) -> None:
    """Ask for a report."""
    with st.form("trigger", border=True):
        st.header("Make a report")
        left, right = st.columns(2)
        method = right.segmented_control(
            "Between polls, the status is that of the",
            METHODS,
            default=NEAREST,
            required=True,
            format_func=parts.METHOD_NAMES.__getitem__,
            key="report_method",
            help="The help page draws both.",
        )
        when = left.datetime_input(
            "As of (UTC); empty: the newest poll",
            value=None,
            min_value=datetime(1970, 1, 1),
            max_value=datetime.combine(at(newest).date(), time(23, 59)),
            step=60,
            key="as_of",
            help=f"The newest poll is of {moment(newest)}.",
        )
        if st.form_submit_button("Make the report", type="primary", icon=":material/play_arrow:"):
            as_of = None if when is None else round(when.replace(tzinfo=UTC).timestamp() * 10**6)
            with parts.told():
                row = tasks.enqueue_report(
                    as_of=as_of,
                    method=method or NEAREST,
                    requested_by="dashboard",
                    actor=parts.actor(),
                )
            st.query_params["report"] = row.id


def called(row: Report) -> str:
    """What a report under way is called."""
    return f"Report asked for {moment(row.requested_at, seconds=True)}"


def history(rows: list[Report], chosen: str) -> None:
    """All reports in a table; the chosen one is shown below it."""
    columns = {
        "as_of": [None if row.as_of is None else at(row.as_of) for row in rows],
        "method": [parts.METHOD_NAMES[row.method] for row in rows],
        "stores": [row.stores for row in rows],
        "size": ["" if row.size is None else size(row.size) for row in rows],
        "seconds": [reports.seconds(row) for row in rows],
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
    parts.job_history(rows, columns, config, chosen=chosen, parameter="report", name="history")


@st.cache_data(max_entries=8, show_spinner=False)
def table_of(report_id: str) -> pd.DataFrame:
    """A complete report's CSV; it never changes."""
    return reports.table(reports.get(report_id))


def shown(row: Report) -> None:
    """One report: its state, its download and its table."""
    if row.status == RUNNING:
        st.info("This report is under way; it is shown here when it is done.")
        return
    if row.status == FAILED:
        st.error(f"This report failed. {parts.literal(row.error)}", icon=":material/error:")
        return
    st.header(f"Report as of {moment(row.as_of)}")
    table = table_of(row.id)
    content = reports.read_csv(row)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download the CSV",
            content,
            f"report-{at(row.as_of):%Y%m%d-%H%M%S}.csv",
            "text/csv",
            type="primary",
            icon=":material/download:",
            on_click="ignore",
            key="download",
        )
        st.caption(
            f"{row.stores:,} stores · {parts.METHOD_NAMES[row.method].lower()} · id {row.id}",
            width="stretch",
        )
    config: dict[str, object] = {"store_id": parts.store_link()}
    for window, unit in UNITS.items():
        for kind in ("uptime", "downtime"):
            config[f"{kind}_last_{window}"] = st.column_config.NumberColumn(
                f"{kind.capitalize()} last {window} ({unit})", format="%.2f"
            )
    st.dataframe(
        table.assign(store_id=parts.addresses(table["store_id"])),
        hide_index=True,
        column_config=config,
        lazy=True,
        key="report_table",
        alt="The report's uptime and downtime of every store",
    )


def compare(rows: list[Report]) -> None:
    """Which stores got worse between two reports."""
    done = [row for row in rows if row.status == COMPLETE]
    if len(done) < 2:
        st.caption("Make a second report to compare two of them here.")
        return
    names = {
        row.id: f"{moment(row.as_of)} · {parts.METHOD_NAMES[row.method].lower()} · {row.id[:6]}"
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
            (left, right), ("older", "newer"), comparison.suggested(done), strict=True
        )
    )
    if older == newer:
        st.info("Choose two different reports.")
        return
    with parts.told():
        found = comparison.compare(older, newer)
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
    st.dataframe(
        found.table[COMPARED].assign(store_id=parts.addresses(found.table["store_id"])),
        hide_index=True,
        lazy=True,
        column_config={
            "store_id": parts.store_link(),
            "uptime_share_change": number("Change (pp)", format="%+.1f"),
            "uptime_share_older": number("Uptime, older (%)", format="%.1f"),
            "uptime_share_newer": number("Uptime, newer (%)", format="%.1f"),
            "downtime_change": number("Change of downtime, week (h)", format="%+.2f"),
            "only_in": "Only in",
        },
        key="comparison",
        placeholder="–",
        alt="Stores of both reports, the one that got worse the most first",
    )


parts.framed()
st.title("Reports")
with database.session():
    newest = snapshot.cache.newest_poll()
if newest is None:
    parts.nothing_yet()
who = parts.actor()
if who.may(Role.OWNER):
    trigger_form(newest or 0)
everything = reports.recent(actor=who)
running = [row.id for row in everything if row.status == RUNNING]
parts.live(
    lambda: parts.under_way(reports.recent(actor=parts.actor()), running, called),
    every=parts.BUSY_SECONDS if running else parts.IDLE_SECONDS,
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
    parts.tell(error)
st.header("Compare two reports")
compare(everything)
