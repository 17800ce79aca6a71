"""Upload CSV files: see what they are, import them, watch it, get the rejected lines."""

from dataclasses import asdict
from typing import Any

import pandas as pd
import streamlit as st

from jobs import tasks
from pages import parts
from restmon import imports, preview, scope
from restmon.csv_reader import BUSINESS_HOURS, POLLS, TIMEZONES
from restmon.errors import RestmonError
from restmon.models import FAILED, RUNNING, Import
from restmon.roles import Role
from restmon.wording import size

KINDS = {POLLS: "Polls", BUSINESS_HOURS: "Business hours", TIMEZONES: "Time zones"}
FORMATS = {
    "**Polls**: was the store online? Times are UTC.": (
        "store_id,status,timestamp_utc",
        "8419537941919820732,active,2023-01-22 12:09:39.388884 UTC",
    ),
    "**Business hours**: local time, 0 is Monday.": (
        "store_id,day,start_time_local,end_time_local",
        "1481966498820158979,4,00:00:00,00:10:00",
    ),
    "**Time zones**: IANA names.": (
        "store_id,timezone_str",
        "8139926242460185114,Asia/Beirut",
    ),
}
COUNTS = ("read", "new", "updated", "unchanged", "rejected")


def what_to_upload() -> None:
    """The three kinds of files, in words and by example."""
    with st.expander("What the files look like", icon=":material/help:"):
        st.markdown(
            "UTF-8 CSV, plain or gzipped; the first line names the columns, in any order. Which "
            "kind a file is, is told from its columns."
        )
        # Lines of inline code, since a block of code fetches a highlighter of 1.5 MB.
        for column, (what, lines) in zip(st.columns(3), FORMATS.items(), strict=True):
            column.markdown("  \n".join([what, *(f"`{line}`" for line in lines)]))
        st.markdown(
            "A store without business hours counts as open 24×7, one without a time zone as in "
            "America/Chicago. Importing a file twice changes nothing the second time."
        )


def looked_at(file: Any, number: int, permitted: frozenset[str] | None) -> str | None:
    """Show what an uploaded file is before anything is written, its lines of other stores than
    those ``permitted`` (None: all are) as rejected; returns its kind, or None."""
    shown = parts.literal(file.name)
    with st.container(border=True, key=f"file_{number}"):
        try:
            found = preview.preview(file, file.name, permitted=permitted)
        except RestmonError as error:
            st.markdown(f"**{shown}** · {size(file.size)}")
            parts.tell(error)
            return None
        finally:
            file.seek(0)
        if found.problem or found.kind not in KINDS:
            st.markdown(f"**{shown}** · {size(file.size)}")
            if found.problem:
                parts.tell(found.problem)
            else:
                st.error(
                    f"{shown} is a file of groups: import it on the Settings page.",
                    icon=":material/error:",
                )
            return None
        lines = f"{found.lines:,} lines" if found.exact else f"about {found.lines:,} lines"
        st.markdown(f"**{KINDS[found.kind]}** · {shown} · {lines} · {size(file.size)}")
        mapped = [
            f"{theirs} → {ours}" if theirs != ours else ours
            for theirs, ours in found.columns.items()
        ]
        ignored = f" · ignored: {', '.join(found.ignored)}" if found.ignored else ""
        st.caption(parts.literal(f"Columns: {', '.join(mapped)}{ignored}"))
        if found.problems:
            st.warning(
                f"{found.bad_lines:,} of the first {len(found.rows):,} lines would be rejected; "
                "the others count.",
                icon=":material/warning:",
            )
            st.dataframe(
                pd.DataFrame([asdict(problem) for problem in found.problems]),
                hide_index=True,
                column_config=parts.REJECTED_COLUMNS,
                key=f"problems_{number}",
                alt=f"Lines of {file.name} that would be rejected",
                height=min(36 * (len(found.problems) + 1) + 2, 220),
            )
        with st.expander(f"First lines of {shown}"):
            st.dataframe(
                found.rows.head(50),
                hide_index=True,
                key=f"preview_{number}",
                alt=f"The first lines of {file.name}",
                height=220,
            )
        return found.kind


def start(files: list[Any], kinds: list[str]) -> None:
    """Put the files on record and into the queue."""
    spooled: list[Any] = []
    with st.spinner("Handing the files over …"):
        try:
            for file, kind in zip(files, kinds, strict=True):
                file.seek(0)
                spooled.append(imports.spool(file, kind, file.name))
            row = tasks.enqueue_import(spooled, "dashboard", parts.actor())
        except RestmonError as error:
            imports.forget(spooled)
            parts.tell(error)
            return
    st.session_state["uploads"] = st.session_state.get("uploads", 0) + 1
    st.query_params["import"] = row.id
    st.rerun()


def called(row: Import) -> str:
    """What an import under way is called."""
    return f"Importing {names_of(row)}"


def names_of(row: Import) -> str:
    """The names of an import's files, for Markdown."""
    return parts.literal(", ".join(file["name"] for file in row.files))


def result(row: Import) -> None:
    """What one import did."""
    if row.status == RUNNING:
        return
    if row.status == FAILED:
        st.error(
            f"The import of {names_of(row)} failed and changed nothing. {parts.literal(row.error)}",
            icon=":material/error:",
        )
        return
    st.header(f"Result: {names_of(row)}")
    with st.grid(5, min_column_width=120):
        for name in COUNTS:
            label = "Lines read" if name == "read" else name.capitalize()
            st.metric(label, f"{row.counts[name]:,}", border=True, height="stretch")
    if row.counts["rejected"] == row.counts["read"] and row.counts["read"]:
        st.warning("Every line was rejected, so nothing was changed.", icon=":material/warning:")
    elif row.counts["rejected"]:
        st.warning("The rejected lines were left out; all others count.", icon=":material/warning:")
    else:
        st.success("Every line was accepted.", icon=":material/check_circle:")
    if row.rejections:
        st.dataframe(
            pd.DataFrame(row.rejections),
            hide_index=True,
            column_config=parts.REJECTED_COLUMNS,
            key="rejections",
            alt="The first rejected lines",
            height=min(36 * (len(row.rejections) + 1) + 2, 300),
        )
        path = imports.rejected_path(row.id)
        if path.exists():
            st.download_button(
                f"Download all {row.counts['rejected']:,} rejected lines",
                path.read_bytes(),
                f"rejected-{row.id[:8]}.csv",
                "text/csv",
                icon=":material/download:",
                on_click="ignore",
                key="rejected_csv",
            )
    st.page_link("pages/overview.py", label="See the overview", icon=":material/monitoring:")


def history(rows: list[Import], chosen: str | None) -> None:
    """All imports in a table; the chosen one is shown above it."""
    counts = [row.counts or {} for row in rows]
    columns = {
        "files": [", ".join(file["name"] for file in row.files) for row in rows],
        **{name: [c.get(name) for c in counts] for name in COUNTS},
    }
    number = st.column_config.NumberColumn
    config = {
        "files": st.column_config.TextColumn("Files", width="large"),
        **{name: number(name.capitalize(), format="localized") for name in COUNTS},
    }
    parts.job_history(rows, columns, config, chosen=chosen, parameter="import", name="imports")


parts.framed(Role.OWNER)
who = parts.actor()
st.title("Upload")
if who.groups is not None:
    st.caption("Lines of your own stores count; those of others are rejected.")
uploaded = st.file_uploader(
    "Drop your CSV files here: polls, business hours, time zones, any of them",
    type=["csv", "gz"],
    accept_multiple_files=True,
    key=f"files_{st.session_state.get('uploads', 0)}",
)
what_to_upload()
if uploaded:
    permitted = None if who.groups is None else scope.store_ids(who.groups)
    found_kinds = [looked_at(file, number, permitted) for number, file in enumerate(uploaded)]
    good = [(f, kind) for f, kind in zip(uploaded, found_kinds, strict=True) if kind]
    if good and st.button(
        f"Import {len(good)} file{'' if len(good) == 1 else 's'}",
        type="primary",
        icon=":material/upload:",
        key="import",
    ):
        start([f for f, _ in good], [kind for _, kind in good])
everything = imports.recent(actor=who)
running = [row.id for row in everything if row.status == RUNNING]
parts.live(
    lambda: parts.under_way(imports.recent(actor=parts.actor()), running, called),
    every=parts.BUSY_SECONDS if running else parts.IDLE_SECONDS,
)
wanted = st.query_params.get("import")
if wanted:
    try:
        result(imports.get(wanted, who))
    except RestmonError as error:
        parts.tell(error)
if everything:
    st.header("All imports")
    if not wanted:
        st.caption("Tick an import to see its counts and its rejected lines.")
    history(everything, wanted)
elif not uploaded:
    st.caption("No import yet.")
