"""The list of schedules, the forms that add and change one, and the history of one."""

from dataclasses import asdict

import streamlit as st

from jobs import tasks
from restmon.access.roles import Actor, Role
from restmon.dashboard import live, messages, notices, schedule_fields
from restmon.dashboard.document_form import FORM_NAMES, PERIOD_NAMES
from restmon.dashboard.html_table import Column, show_table, time_cell
from restmon.documents import documents
from restmon.errors import RestmonError
from restmon.notify import schedules
from restmon.notify.schedules import ShownSchedule
from restmon.storage.models import COMPLETE, now

TITLES = ("Name", "Of", "When", "Document", "Sent to", "Next", "Last run")


def show_schedules(who: Actor) -> None:
    """All schedules of the visitor, and what can be done with them."""
    live.refresh(_show_missing_worker, every=live.IDLE_SECONDS)
    found = schedules.list_schedules(who)
    if found:
        _show_table(found)
        chosen = st.selectbox(
            "Schedule",
            [one.row.id for one in found],
            format_func={one.row.id: f"{one.row.name} ({one.when})" for one in found}.__getitem__,
            key="schedule",
            width=420,
        )
        one = next(one for one in found if one.row.id == chosen)
        if who.may(Role.OWNER):
            _show_buttons(one, who)
            _ask_for_changes(one, who)
        _show_history(one, who)
    else:
        st.info("No schedule yet. A schedule makes a document by itself and sends it.")
    if who.may(Role.OWNER):
        _ask_for_new(who)


def _show_missing_worker() -> None:
    notices.show_missing_worker()


def _show_table(found: list[ShownSchedule]) -> None:
    show_table(
        "All schedules",
        [Column(title) for title in TITLES],
        [
            [
                one.row.name,
                one.group or "All stores",
                one.when,
                _describe(one),
                ", ".join(one.channels) or "kept only",
                "paused" if one.row.paused else time_cell(one.plan.next_due(now()), one.row.zone),
                "" if one.last is None else one.last.state,
            ]
            for one in found
        ],
    )


def _describe(one: ShownSchedule) -> str:
    """What a schedule makes."""
    period = PERIOD_NAMES.get(one.row.period, one.row.period)
    return f"{FORM_NAMES[one.row.form]}: {period}"


def _show_buttons(one: ShownSchedule, who: Actor) -> None:
    row = one.row
    with st.container(horizontal=True):
        if st.button("Run now", icon=":material/play_arrow:", key="run_now"):
            with messages.continue_on_error():
                tasks.enqueue_schedule(row.id, who)
                messages.queue_message(f"{row.name} is under way.")
                st.rerun()
        label, icon = ("Resume", "resume") if row.paused else ("Pause", "pause")
        if st.button(label, icon=f":material/{icon}:", key="pause"):
            with messages.continue_on_error():
                schedules.set_paused(row.id, not row.paused, who)
                st.rerun()
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown("Its documents stay.")
            if st.button("Delete it", key="delete_schedule"):
                with messages.continue_on_error():
                    schedules.delete(row.id, who)
                    messages.queue_message(f"The schedule {row.name} is deleted.")
                    st.rerun()


def _show_history(one: ShownSchedule, who: Actor) -> None:
    """The runs of a schedule, and the download of the one that is chosen."""
    runs = schedules.list_runs(one.row.id, who)
    if not runs:
        st.caption("It has not run yet.")
        return
    st.header("Runs")
    show_table(
        f"The runs of the schedule {one.row.name}, newest first",
        [Column("Due"), Column("State"), Column("Started by"), Column("Note")],
        [
            [
                time_cell(run.row.due_at, one.row.zone),
                run.state,
                "by hand" if run.row.by_hand else "schedule",
                run.row.note or "",
            ]
            for run in runs
        ],
    )
    made = [run.document for run in runs if run.document and run.document.status == COMPLETE]
    if not made:
        return
    names = {document.id: documents.file_name(document) for document in made}
    chosen = st.selectbox(
        "Document", list(names), format_func=names.__getitem__, key="run_document", width=420
    )
    document = next(one for one in made if one.id == chosen)
    try:
        content = documents.read_file(document)
    except RestmonError as error:
        messages.show_error(error)
        return
    st.download_button(
        f"Download {names[chosen]}",
        content,
        names[chosen],
        documents.TYPES[document.form],
        icon=":material/download:",
        on_click="ignore",
        key="run_download",
    )


def _ask_for_new(who: Actor) -> None:
    """The form that adds a schedule."""
    with st.expander("Add a schedule", icon=":material/add:", expanded=False, key="new_schedule"):
        wanted = schedule_fields.ask("schedule", "Add the schedule", who)
        if wanted is not None:
            with messages.continue_on_error():
                row = schedules.add(wanted, who)
                messages.queue_message(f"The schedule {row.name} is there.")
                st.rerun()


def _ask_for_changes(one: ShownSchedule, who: Actor) -> None:
    """The form that changes a schedule."""
    with st.expander("Change the schedule", icon=":material/edit:", key=f"change_{one.row.id}"):
        with messages.stop_on_error():
            current = schedules.find_wanted(one.row.id, who)
        wanted = schedule_fields.ask(
            f"change_schedule_{one.row.id}", "Save the changes", who, current
        )
        if wanted is not None:
            with messages.continue_on_error():
                row = schedules.change(one.row.id, asdict(wanted), who)
                messages.queue_message(f"The schedule {row.name} is changed.")
                st.rerun()
