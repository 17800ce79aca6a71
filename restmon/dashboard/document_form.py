"""The form that asks for a document: of which stores, of which window, in which form."""

from datetime import date, timedelta
from typing import Any

import streamlit as st

from restmon.access.roles import Actor
from restmon.core.instants import as_datetime
from restmon.dashboard.widgets import choose_store
from restmon.documents.documents import CSV, PDF, XLSX, Wanted
from restmon.documents.pdf import A4, LETTER
from restmon.documents.periods import LAST_WEEK
from restmon.errors import BadRequest
from restmon.settings import get_settings
from restmon.stores import groups

DATES = "dates"
PERIOD_NAMES = {
    LAST_WEEK: "Last week, Monday to Sunday",
    "last month": "Last month",
    "this week": "This week so far",
    "this month": "This month so far",
    "yesterday": "Yesterday",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    DATES: "Between two dates",
}
FORM_NAMES = {PDF: "PDF", XLSX: "Excel", CSV: "CSV"}
PAPER_NAMES = {LETTER: "Letter", A4: "A4"}


def ask_for_document(who: Actor, newest: int, stores: Any) -> Wanted | None:
    """Show the form and return what is wanted when it is sent. ``newest`` is the instant of the
    newest poll, ``stores`` what the visitor sees. Raises BadRequest if only one date is chosen."""
    with st.container(border=True):
        st.header("Make a document")
        st.markdown(
            "A page to read and to send on: uptime, downtime, lost sales and the worst stores, "
            "then each outage."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            period = st.selectbox(
                "Time",
                list(PERIOD_NAMES),
                format_func=PERIOD_NAMES.__getitem__,
                key="document_window",
                width=260,
                help="Counted back from the newest poll. A day begins at midnight in each store's "
                "own time zone.",
            )
            if period == DATES:
                last = as_datetime(newest).date()
                chosen: tuple[date, ...] = st.date_input(
                    "First and last date",
                    value=(last - timedelta(days=6), last),
                    max_value=last,
                    key="document_dates",
                    width=260,
                )
            names = [entry.name for entry in groups.list_groups(who.groups)]
            group = None
            if names:
                group = st.selectbox(
                    "Group",
                    names,
                    index=None,
                    placeholder="All groups",
                    key="document_group",
                    width=260,
                )
        store = choose_store(stores, "Or one store", key="document_store", otherwise="All stores")
        with st.form("document", border=False):
            with st.container(horizontal=True, vertical_alignment="bottom"):
                form = st.segmented_control(
                    "Format",
                    list(FORM_NAMES),
                    default=PDF,
                    required=True,
                    format_func=FORM_NAMES.__getitem__,
                    key="document_form",
                )
                paper = st.segmented_control(
                    "Paper of a PDF",
                    list(PAPER_NAMES),
                    default=get_settings().paper,
                    required=True,
                    format_func=PAPER_NAMES.__getitem__,
                    key="document_paper",
                )
                each = st.checkbox(
                    "Half a page of every store",
                    key="document_each",
                    disabled=store is not None,
                    help="In a PDF, for at most 500 stores.",
                )
            sent = st.form_submit_button(
                "Make the document", type="primary", icon=":material/picture_as_pdf:"
            )
    if not sent:
        return None
    words = period
    if period == DATES:
        if len(chosen) != 2:
            raise BadRequest("The last date is not chosen.", "Choose the first and the last date.")
        words = f"{chosen[0]} to {chosen[1]}"
    return Wanted(
        form=form or PDF,
        period=words,
        group=None if store else group,
        store_id=store,
        each_store=each and not store,
        paper=paper,
    )
