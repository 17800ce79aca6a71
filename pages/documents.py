"""Make documents to send on, watch them, download them."""

import streamlit as st

from jobs import tasks
from restmon.access.roles import Role
from restmon.core.formatting import size
from restmon.dashboard import (
    identity,
    jobs_table,
    live,
    messages,
    notices,
    schedule_forms,
    store_data,
)
from restmon.dashboard.clock import moment
from restmon.dashboard.document_form import FORM_NAMES, PERIOD_NAMES, ask_for_document
from restmon.dashboard.html_table import Cell, Column, time_cell
from restmon.documents import documents
from restmon.errors import RestmonError
from restmon.reporting import sources
from restmon.storage import database
from restmon.storage.document_models import Document
from restmon.storage.models import COMPLETE, FAILED, RUNNING

HEADS = [
    Column("Document of"),
    Column("Time"),
    Column("Format"),
    Column("As of"),
    Column("Stores", numeric=True),
    Column("Size", numeric=True),
]


def called(row: Document) -> str:
    """Return the name of a running document."""
    zone = notices.zone_of(store_data.visible_stores())
    return f"Document requested {moment(row.requested_at, zone, seconds=True)}"


def subject(row: Document) -> str:
    """Return what a document is about."""
    described = documents.describe(row)
    return str(described["group"] or described["store_id"] or "All stores")


def history(rows: list[Document], chosen: str) -> None:
    """All documents in a table; the chosen one is offered above it."""
    zone = notices.zone_of(store_data.visible_stores())

    def write_row(row: Document) -> tuple[str, *tuple[Cell | str, ...]]:
        return (
            subject(row),
            PERIOD_NAMES.get(row.period, row.period),
            FORM_NAMES[row.form],
            time_cell(row.as_of, zone),
            "" if row.stores is None else f"{row.stores:,}",
            "" if row.size is None else size(row.size),
        )

    jobs_table.show_jobs(
        rows,
        HEADS,
        write_row,
        chosen=chosen,
        parameter="document",
        name="All documents",
    )


@st.cache_data(max_entries=4, show_spinner=False)
def file_of(document_id: str) -> bytes:
    """A complete document; it never changes."""
    return documents.read_file(documents.get(document_id))


def show(row: Document) -> None:
    """One document: its state or its download."""
    if row.status == RUNNING:
        st.info("This document is under way; it is offered here when it is done.")
        return
    if row.status == FAILED:
        st.error(
            f"This document failed. {messages.escape_markdown(row.error or '')}",
            icon=":material/error:",
        )
        return
    try:
        content = file_of(row.id)
    except RestmonError as error:
        messages.show_error(error)
        return
    st.download_button(
        f"Download {documents.file_name(row)}",
        content,
        documents.file_name(row),
        documents.TYPES[row.form],
        type="primary",
        icon=":material/download:",
        on_click="ignore",
        key="download",
    )


def show_documents() -> None:
    """The form, what is under way, and all documents."""
    if who.may(Role.OWNER):
        with messages.stop_on_error():
            wanted = ask_for_document(who, newest or 0, store_data.visible_stores())
            if wanted is not None:
                st.query_params["document"] = tasks.enqueue_document(wanted, "dashboard", who).id
    everything = documents.list_recent(actor=who)
    running = [row.id for row in everything if row.status == RUNNING]
    live.refresh(
        lambda: jobs_table.show_progress(
            documents.list_recent(actor=identity.current_actor()), running, called
        ),
        every=live.BUSY_SECONDS if running else live.IDLE_SECONDS,
    )
    if not everything:
        if who.may(Role.OWNER):
            st.info("No document yet. Press “Make the document”: it takes a second or two.")
        else:
            st.info("There is no document of your stores yet. Ask an operator to make one.")
        return
    newest_complete = next((row for row in everything if row.status == COMPLETE), everything[0])
    chosen_id = st.query_params.get("document") or newest_complete.id
    try:
        show(documents.get(chosen_id, who))
    except RestmonError as error:
        messages.show_error(error)
    st.header("All documents")
    history(everything, chosen_id)


who = identity.require_role()
st.title("Documents")
messages.show_queued_message()
with database.session():
    newest = sources.choose_source(who.groups).newest_poll()
if newest is None:
    notices.stop_without_polls()
documents_tab, schedules_tab = st.tabs(["Documents", "Schedules"], key="part", bind="query-params")
with documents_tab:
    if documents_tab.open:
        show_documents()
with schedules_tab:
    if schedules_tab.open:
        schedule_forms.show_schedules(who)
