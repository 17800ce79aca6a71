"""Upload CSV files: see what they are, import them, watch it, get the rejected lines."""

from typing import Any

import pandas as pd
import streamlit as st

from jobs import tasks
from restmon.access import visibility
from restmon.access.roles import Role
from restmon.dashboard import (
    clock,
    identity,
    jobs_table,
    live,
    messages,
    notices,
    store_data,
    upload_preview,
)
from restmon.dashboard.html_table import Cell, Column
from restmon.dashboard.page_links import link_to
from restmon.errors import RestmonError
from restmon.ingest import imports, incoming_files, rejected_items, undo
from restmon.ingest.choices import Choices
from restmon.ingest.headers import BUSINESS_HOURS
from restmon.storage.models import FAILED, RUNNING, Import

COUNTS = ("read", "new", "updated", "unchanged", "rejected", "removed")
HOURS_LEFT = (
    " A store of which a line of business hours was rejected keeps the hours it had; if it had "
    "none, it counts as never open until a file gives good ones."
)


def start(files: list[Any], choices: list[Choices]) -> None:
    """Put the files on record and into the queue."""
    spooled: list[Any] = []
    with st.spinner("Starting the import …"):
        try:
            for file, chosen in zip(files, choices, strict=True):
                file.seek(0)
                spooled += incoming_files.spool(
                    file, None, file.name, chosen, identity.current_actor()
                )
            row = tasks.enqueue_import(spooled, "dashboard", identity.current_actor())
        except RestmonError as error:
            incoming_files.discard(spooled)
            messages.show_error(error)
            return
    st.session_state["uploads"] = st.session_state.get("uploads", 0) + 1
    st.session_state.pop("previews", None)
    st.query_params["import"] = row.id
    st.rerun()


def called(row: Import) -> str:
    """What an import under way is called."""
    return f"Importing {names_of(row)}"


def names_of(row: Import) -> str:
    """The names of an import's files, for Markdown."""
    return messages.escape_markdown(", ".join(file["name"] for file in row.files))


def result(row: Import) -> None:
    """What one import did."""
    if row.status == RUNNING:
        return
    messages.show_queued_message()
    if row.status == FAILED:
        st.error(
            f"The import of {names_of(row)} failed and changed nothing. "
            f"{messages.escape_markdown(row.error or '')}",
            icon=":material/error:",
        )
        return
    st.header(f"Result: {names_of(row)}")
    offer_undo(row)
    counts = imports.complete_counts(row) or {}
    with st.grid(6, min_column_width=110):
        for name in COUNTS:
            label = "Lines read" if name == "read" else name.capitalize()
            st.metric(label, f"{counts[name]:,}", border=True, height="stretch")
    hours = counts["kinds"].get(BUSINESS_HOURS, {}).get("rejected", 0)
    about_hours = HOURS_LEFT if hours else ""
    if not counts["read"]:
        st.warning(imports.NO_DATA_LINES, icon=":material/warning:")
    elif imports.is_rejected_whole(row):
        st.warning(imports.EVERY_LINE_REJECTED + about_hours, icon=":material/warning:")
    elif counts["rejected"]:
        st.warning(
            "The rejected lines were left out; all others count." + about_hours,
            icon=":material/warning:",
        )
    else:
        st.success("Every line was accepted.", icon=":material/check_circle:")
    for notice in row.notices or []:
        st.info(messages.escape_markdown(notice), icon=":material/info:")
    for note in imports.notes_of(row):
        st.warning(messages.escape_markdown(note["message"]), icon=":material/info:")
    if imports.notes_of(row):
        link_to("data_check", "See the data check", icon=":material/fact_check:")
    if row.rejections:
        st.dataframe(
            pd.DataFrame(row.rejections),
            hide_index=True,
            column_config=jobs_table.REJECTED_COLUMNS,
            key="rejections",
            alt="The first rejected lines",
            height=min(36 * (len(row.rejections) + 1) + 2, 300),
        )
        found = imports.find_rejected(row.id)
        if found is not None:
            rejected = f"{row.counts['rejected']:,} rejected lines"
            most = rejected_items.MOST_LINES
            is_cut = row.collected_from is not None and row.counts["rejected"] > most
            st.download_button(
                f"Download the first {most:,} of {rejected}"
                if is_cut
                else f"Download all {rejected}",
                imports.read_rejected(found),
                f"rejected-{row.id[:8]}{found.suffix}",
                "application/zip" if found.suffix == ".zip" else "text/csv",
                icon=":material/download:",
                on_click="ignore",
                key="rejected_csv",
            )
    link_to("overview", "See the overview", icon=":material/monitoring:")


def offer_undo(row: Import) -> None:
    """Undo the import in two steps, or say that it was undone."""
    if row.undone_at:
        undone = clock.with_utc(row.undone_at, notices.zone_of(store_data.visible_stores()))
        st.info(
            f"This import was undone on {undone}; what it replaced is back.",
            icon=":material/undo:",
        )
    if not undo.can_undo(row):
        return
    with st.expander("Undo this import", icon=":material/undo:"):
        st.write(
            "What the import replaced comes back: its new polls go, and hours and time zones are "
            "as they were. It cannot be undone where a later import changed the same rows."
        )
        sure = st.checkbox("I want to undo it", key=f"sure_{row.id[:8]}")
        if st.button("Undo the import", icon=":material/undo:", key="undo", disabled=not sure):
            try:
                done = undo.undo(row.id, actor=identity.current_actor())
            except RestmonError as error:
                messages.show_error(error)
                return
            messages.queue_message(done.sentence)
            st.rerun()


def write_row(row: Import) -> tuple[str, *tuple[Cell | str, ...]]:
    """Return the cells of an import in the table of imports."""
    counts = row.counts or {}
    numbers = (counts.get(name) for name in COUNTS)
    files = ", ".join(file["name"] for file in row.files)
    return files, *("" if number is None else f"{number:,}" for number in numbers)


def history(rows: list[Import], chosen: str | None, name: str) -> None:
    """Imports in a table; the chosen one is shown above it."""
    heads = [Column("Files"), *(Column(name.capitalize(), numeric=True) for name in COUNTS)]
    jobs_table.show_jobs(rows, heads, write_row, chosen=chosen, parameter="import", name=name)


who = identity.require_role(Role.OWNER)
st.title("Upload")
if who.groups is not None:
    st.caption("Only lines about your own stores are imported; all others are rejected.")
uploaded = st.file_uploader(
    "Drop your files here: polls, business hours, time zones, store directory, other hours, sales",
    type=["csv", "gz", "tsv", "txt", "zip", "xlsx", "xlsm"],
    accept_multiple_files=True,
    key=f"files_{st.session_state.get('uploads', 0)}",
)
upload_preview.show_file_formats()
if uploaded:
    permitted = None if who.groups is None else visibility.find_store_ids(who.groups)
    looked_at = [
        (file, *upload_preview.show_preview(file, number, who, permitted))
        for number, file in enumerate(uploaded)
    ]
    good = [(file, choices) for file, choices, can_be_imported in looked_at if can_be_imported]
    if good and st.button(
        f"Import {len(good)} file{'' if len(good) == 1 else 's'}",
        type="primary",
        icon=":material/upload:",
        key="import",
    ):
        start([file for file, _ in good], [choices for _, choices in good])
everything = imports.list_recent(actor=who, live=False)
fed = imports.list_recent(actor=who, live=True)
running = [row.id for row in everything if row.status == RUNNING]
live.refresh(
    lambda: jobs_table.show_progress(
        imports.list_recent(actor=identity.current_actor(), live=False), running, called
    ),
    every=live.BUSY_SECONDS if running else live.IDLE_SECONDS,
)
wanted = st.query_params.get("import")
if wanted:
    try:
        result(imports.get(wanted, who))
    except RestmonError as error:
        messages.show_error(error)
if everything:
    st.header("All imports")
    if not wanted:
        st.caption("A click on an import shows its counts and its rejected lines.")
    history(everything, wanted, "All imports")
elif not uploaded and not fed:
    st.caption("No imports yet.")
if fed:
    st.header("Live feed")
    st.caption("What came in by the API or the checker, an hour a row. Click one to undo it.")
    history(fed, wanted, "Live feed")
