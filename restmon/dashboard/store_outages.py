"""The outages of a store: since when, how long, why, and what was written about them."""

from datetime import date, timedelta
from html import escape

import streamlit as st

from restmon.access.roles import Actor, Role
from restmon.core.formatting import ago, duration, inactive_polls
from restmon.core.instants import as_datetime
from restmon.dashboard import clock, figures, messages
from restmon.dashboard.clock import moment
from restmon.dashboard.html_table import Cell, Column, show_table
from restmon.reporting.other_dates import OtherDate
from restmon.reporting.outage_notes import Notes
from restmon.reporting.store_timeline import StoreTimeline
from restmon.reporting.style import read_style
from restmon.storage.models import now
from restmon.stores import notes
from restmon.stores.notes import CAUSES, LONGEST_TEXT, Note

HEADS = [Column("Began"), Column("Ended"), Column("Down for", numeric=True), Column("Why")]
LONG_TABLE, TABLE_HEIGHT = 10, 480
WRITTEN = "notes_written"
"""How many notes were written, so that the form for a new one begins empty."""


def show_outages(view: StoreTimeline, dates: list[OtherDate], who: Actor) -> None:
    """Every outage that overlaps the range, the newest first, and the forms for notes."""
    st.header("Outages")
    found = view.outages
    if not len(found.start):
        if view.observed:
            figures.show_good_news("No outage in this range.", view.days.covered, view.open)
        else:
            st.caption("No poll was made while this store was open, so there is none to show.")
    else:
        _show_table(view, dates)
    if view.loose_notes:
        st.caption("Notes on times that count as up by now:")
        for note in view.loose_notes:
            said = escape(describe_note(note))
            st.html(f"<div>{clock.time_tag(note.at, view.zone)}: {said}</div>")
    if who.may(Role.OWNER):
        _show_forms(view, who)


def _show_table(view: StoreTimeline, dates: list[OtherDate]) -> None:
    by_date = {found.date: found.text for found in dates}
    marked = [_find_dates(view, n, by_date) for n in range(len(view.outages))]
    heads = [*HEADS]
    if any(marked):
        heads.append(Column("Other hours"))
    if any(view.notes):
        heads.append(Column("Notes"))
    rows = []
    for n in range(len(view.outages) - 1, -1, -1):
        row = _write_row(view, n)
        if any(marked):
            row.append(marked[n])
        if any(view.notes):
            row.append(describe_notes(view.notes[n]))
        rows.append(row)
    long = len(rows) > LONG_TABLE
    with st.container(height=TABLE_HEIGHT if long else "content", key="outages"):
        show_table("Outages, the newest first", heads, rows)


def _write_row(view: StoreTimeline, n: int) -> list[Cell | str]:
    start, end = int(view.outages.start[n]), int(view.outages.end[n])
    return [
        Cell(moment(start, view.zone), clock.utc(start)),
        Cell("▼ ongoing")
        if view.outages.ongoing[n]
        else Cell(moment(end, view.zone), clock.utc(end)),
        duration(int(view.outages.open_time[n])),
        describe_why(view.causes[n], int(view.first_down[n]), int(view.last_down[n]), view.zone),
    ]


def describe_why(cause: str | None, first: int, last: int, zone: str) -> Cell:
    """Return the cause of an outage or, without one, which polls say that the store was down."""
    said = inactive_polls(first, last, zone, read_style())
    over = clock.utc(first) if first == last else clock.utc(first, last)
    return Cell(cause or said, f"{said} {over}" if cause else over)


def describe_note(note: Note) -> str:
    """Return what a note says, who wrote it, and when."""
    said = ". ".join(part for part in (note.cause, note.text) if part)
    changed = ", changed" if note.changed_at is not None else ""
    return f"{said} ({note.actor}, {ago(note.written_at, now())}{changed})"


def describe_notes(found: Notes) -> Cell:
    """Return the notes of an outage as a cell."""
    over = ", ".join(moment(note.written_at) for note in found)
    return Cell("\n".join(map(describe_note, found)), over)


def _find_dates(view: StoreTimeline, n: int, by_date: dict[date, str]) -> str:
    """The dates with other hours that an outage was on."""
    day = as_datetime(int(view.outages.start[n]), view.zone).date()
    last = as_datetime(int(view.outages.end[n]) - 1, view.zone).date()
    found = []
    while day <= last and by_date:
        if day in by_date:
            found.append(f"{day:%b} {day.day}: {by_date[day]}")
        day += timedelta(days=1)
    return "\n".join(found)


def _show_forms(view: StoreTimeline, who: Actor) -> None:
    """The form for a new note, and that for the notes that the visitor may change."""
    messages.show_queued_message()
    if len(view.outages):
        with st.expander("Write a note on an outage", icon=":material/edit_note:"):
            _show_new_form(view, who)
    every = [*view.loose_notes, *(note for found in view.notes for note in found)]
    mine = [note for note in every if note.may_delete(who)]
    if mine:
        with st.expander("Change or delete a note", icon=":material/edit:"):
            _show_change_form(view, mine, who)


def _show_new_form(view: StoreTimeline, who: Actor) -> None:
    newest_first = list(range(len(view.outages)))[::-1]

    def name(n: int) -> str:
        start, length = int(view.outages.start[n]), int(view.outages.open_time[n])
        return f"{moment(start, view.zone)}, down for {duration(length)}"

    written = st.session_state.get(WRITTEN, 0)
    with st.form("new_note", border=False):
        n = st.selectbox("Outage", newest_first, format_func=name, key="note_outage")
        cause, text = _show_fields(f"new_{written}", None)
        save = st.form_submit_button("Save the note", type="primary", icon=":material/save:")
    if save and n is not None:
        with messages.continue_on_error():
            notes.add_note(view.store_id, int(view.first_down[n]), cause, text, who)
            st.session_state[WRITTEN] = written + 1
            messages.queue_message("The note is saved.")
            st.rerun()


def _show_change_form(view: StoreTimeline, mine: list[Note], who: Actor) -> None:
    by_id = {note.id: note for note in mine}

    def name(note_id: int) -> str:
        note = by_id[note_id]
        said = " ".join((note.cause or note.text).split())
        return f"{moment(note.at, view.zone)}: {said[:60]}"

    chosen = st.selectbox("Note", list(by_id), format_func=name, key="note_chosen")
    note = by_id[chosen]
    with st.form(f"note_{note.id}", border=False):
        cause, text = _show_fields(str(note.id), note)
        with st.container(horizontal=True):
            save = note.may_change(who) and st.form_submit_button(
                "Save the change", type="primary", icon=":material/save:"
            )
            delete = st.form_submit_button("Delete the note", icon=":material/delete:")
    with messages.continue_on_error():
        if save:
            notes.change_note(note.id, cause, text, who)
            messages.queue_message("The note is changed.")
            st.rerun()
        if delete:
            notes.delete_note(note.id, who)
            messages.queue_message("The note is deleted.")
            st.rerun()


def _show_fields(key: str, note: Note | None) -> tuple[str | None, str]:
    cause = st.selectbox(
        "Cause",
        CAUSES,
        index=CAUSES.index(note.cause) if note and note.cause in CAUSES else None,
        placeholder="Not known",
        key=f"note_cause_{key}",
    )
    text = st.text_area(
        "What happened",
        note.text if note else "",
        max_chars=LONGEST_TEXT,
        key=f"note_text_{key}",
    )
    return cause, text
