"""The forms for a store's entry in the directory, and for other hours of a store or a group."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from restmon.access.roles import Actor
from restmon.dashboard import clock, holidays_form, jobs_table, messages
from restmon.errors import RestmonError
from restmon.ingest import store_editing
from restmon.ingest.hours_editing import HoursRejected
from restmon.ingest.store_editing import DATE_COLUMNS, Subject
from restmon.stores import groups

LABELS = {
    "name": "Name",
    "address": "Address",
    "sales_per_hour": "Sales per hour",
    "opened_on": "Opened on",
    "closed_on": "Shut for good on",
    **dict(zip(DATE_COLUMNS, ("Date", "Opens", "Closes", "Note"), strict=True)),
}
FIRST_DATE, LAST_DATE = date(1800, 1, 1), date(2200, 12, 31)
EDITED: dict[str, Any] = {
    "date": st.column_config.DateColumn("Date", required=True, format="YYYY-MM-DD"),
    "start_time_local": st.column_config.TextColumn("Opens", help="9:00 or 9 AM"),
    "end_time_local": st.column_config.TextColumn(
        "Closes", help="17:00 or 5 PM. A time before the opening is on the next day."
    ),
    "note": st.column_config.TextColumn("Note", help="Such as the name of the holiday."),
}


def show_entry_form(store_id: str, actor: Actor) -> None:
    """Edit the name, the address, the sales and the first and last day of a store."""
    with messages.stop_on_error():
        kept = store_editing.read_entry(store_id, actor)
    label = "Name, address, sales, first and last day"
    with (
        st.expander(label, icon=":material/storefront:"),
        st.form(f"entry_of_{store_id}", border=False),
    ):
        entry: dict[str, Any] = {
            name: st.text_input(LABELS[name], kept[name], key=f"{name}_of_{store_id}")
            for name in ("name", "address", "sales_per_hour")
        }
        for name in ("opened_on", "closed_on"):
            day = date.fromisoformat(kept[name]) if kept[name] else None
            entry[name] = st.date_input(
                LABELS[name],
                day,
                FIRST_DATE,
                LAST_DATE,
                key=f"{name}_of_{store_id}",
                help="From this day on it counts as closed." if name == "closed_on" else None,
            )
        if st.form_submit_button("Save", icon=":material/save:", key="save_entry"):
            save_or_explain(lambda: store_editing.save_entry(store_id, entry, actor))


def show_dates_form(subject: Subject, actor: Actor) -> None:
    """Edit the other hours of a store or a group, a row for each stretch."""
    with messages.stop_on_error():
        kept = store_editing.read_dates(subject, actor)
    kept["date"] = pd.to_datetime(kept["date"])
    for column in DATE_COLUMNS[1:3]:
        kept[column] = kept[column].map(clock.rewrite_time)
    whose = subject.store or subject.group
    kind = "store" if subject.store else "group"
    with st.expander("Other hours on dates, such as holidays", icon=":material/event:"):
        st.caption(
            "They replace the weekly hours of their date. Leave both times empty where it is "
            "closed. A store's own come before those of its groups."
        )
        edited = st.data_editor(
            kept,
            num_rows="dynamic",
            hide_index=True,
            column_config=EDITED,
            key=f"dates_of_{kind}_{whose}_{st.session_state.get('saved', 0)}",
            alt=f"Other hours of the {kind} {whose}",
        )
        if st.button("Save other hours", icon=":material/save:", key=f"save_dates_{kind}"):
            rows = edited[DATE_COLUMNS].itertuples(index=False, name=None)
            save_or_explain(lambda: store_editing.save_dates(subject, rows, actor))
        holidays_form.show_holidays_form(subject, actor, save_or_explain)


def show_group_dates_form(actor: Actor) -> None:
    """Edit the other hours of one of the actor's groups."""
    names = [group.name for group in groups.list_groups(actor.groups)]
    if not names:
        return
    name = st.selectbox(
        "Other hours of a group",
        names,
        index=None,
        key="dates_group",
        help="They count for all its stores, but for those with own other hours on the date.",
    )
    if name:
        show_dates_form(Subject(group=name), actor)


def save_or_explain(change: Callable[[], bool]) -> None:
    """Save, run the page again and show the outcome; or show what cannot be stored."""
    try:
        changed = change()
    except HoursRejected as error:
        st.error("This cannot be saved; nothing was changed.", icon=":material/error:")
        st.dataframe(
            pd.DataFrame(
                [
                    (p.line, LABELS.get(p.column, p.column), p.value, p.reason)
                    for p in error.problems
                ],
                columns=["line", "column", "value", "reason"],
            ),
            hide_index=True,
            column_config={**jobs_table.REJECTED_COLUMNS, "line": "Row"},
            key="problems_of_dates",
            alt="What cannot be kept",
        )
        return
    except RestmonError as error:
        messages.show_error(error)
        return
    st.session_state["saved"] = st.session_state.get("saved", 0) + 1
    messages.queue_message("Saved." if changed else "Nothing was changed, as all is as before.")
    st.rerun()
