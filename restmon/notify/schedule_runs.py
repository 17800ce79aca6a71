"""Runs of schedules: each due time once, whatever becomes of the workers.

A run is claimed by its row, whose (schedule, due time) is unique, in the transaction that also
inserts its document. Of several times that were missed only the latest is made up. The document is
put into the outbox in the transaction that says so on the run::

    due ── run, document (Running) ── document (Complete) ── run delivered, messages in the outbox

A worker that dies anywhere leaves rows from which the next sweep goes on.
"""

import json

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.instants import as_text
from restmon.documents import documents
from restmon.errors import BadRequest, RestmonError
from restmon.leasing import jobs
from restmon.notify import outbox
from restmon.notify.schedules import describe_plan, find, plan_of
from restmon.notify.visibility import is_within
from restmon.reporting.style import read_style
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.access_models import Account, AccountGroup
from restmon.storage.document_models import Document, Schedule, ScheduleRun
from restmon.storage.models import COMPLETE, RUNNING, Group
from restmon.storage.notify_models import Channel

NO_RIGHT = "Whoever made this schedule does not see these stores any more."


def claim_due(moment: int | None = None) -> list[str]:
    """Claim the schedules that are due at an instant (None: now), each due time once. Returns the
    ids of the documents to enqueue."""
    at = database.clock() if moment is None else moment
    with database.session():
        waiting = [row.id for row in Schedule.select().where(~Schedule.paused)]
    claimed = [_claim(schedule_id, at) for schedule_id in waiting]
    return [document_id for document_id in claimed if document_id]


def _claim(schedule_id: int, at: int) -> str | None:
    with database.session():  # without the write lock, since most are not due
        row = Schedule.get_or_none(Schedule.id == schedule_id)
        if row is None or _find_due(row, at) is None:
            return None
    with database.writing():
        row = Schedule.get_or_none(Schedule.id == schedule_id)
        due = None if row is None or row.paused else _find_due(row, at)
        return None if row is None or due is None else _insert(row, due, by_hand=False)


def _find_due(row: Schedule, at: int) -> int | None:
    """The latest due time that has no run yet, or None."""
    due = plan_of(row).last_due(at)
    if due is None or due <= row.since:
        return None
    later = ScheduleRun.select().where(
        (ScheduleRun.schedule == row.id) & ~ScheduleRun.by_hand & (ScheduleRun.due_at >= due)
    )
    return None if later.exists() else due


def _insert(row: Schedule, due: int, *, by_hand: bool) -> str | None:
    """Insert a run and its document; None if another worker was first, or if whoever made the
    schedule may not see the stores any more. The caller holds the transaction."""
    values = {"schedule": row.id, "due_at": due, "by_hand": by_hand}
    ScheduleRun.insert(values).on_conflict_ignore().execute()
    run = ScheduleRun.get_or_none((ScheduleRun.schedule == row.id) & (ScheduleRun.due_at == due))
    if run is None or run.document_id is not None or run.note is not None:
        return None
    if not _is_still_allowed(row):
        run.note, run.delivered_at = NO_RIGHT, database.clock()
        run.save()
        return None
    seen = None if row.groups is None else frozenset(row.groups)
    actor = Actor(row.actor, Role.OPERATOR if seen is None else Role.OWNER, seen)
    document = jobs.record(
        Document,
        actor,
        "schedule",
        form=row.form,
        paper=row.paper,
        period=row.period,
        zone=row.zone,
        scope=_scope(row),
        each_store=row.each_store,
        as_of=due,
    )
    run.document_id = document.id
    run.save()
    return str(document.id)


def _scope(row: Schedule) -> dict[str, object] | None:
    if row.group_id is None:
        return None
    return {"group": Group.get_by_id(row.group_id).name, "group_row": row.group_id}


def _is_still_allowed(row: Schedule) -> bool:
    """Whether the account that made a schedule may still see what it is about. A key, or this
    machine, has no account; an operator deletes its schedules."""
    account = Account.get_or_none(Account.email == row.actor)
    if account is None:
        return "@" not in row.actor
    if account.disabled_at is not None:
        return False
    if account.every_store:
        return True
    own = AccountGroup.select(AccountGroup.group).where(AccountGroup.account == account.id)
    return row.groups is not None and {g for (g,) in database.tuples(own)} >= set(row.groups)


def run_now(schedule_id: int, actor: Actor = THIS_MACHINE) -> str:
    """Run a schedule at once, as of now. Returns the id of the document to enqueue. Raises
    NotFound, BadRequest, Forbidden."""
    actor.must(Role.OWNER)
    with database.writing():
        row = find(schedule_id, actor)
        document_id = _insert(row, database.clock(), by_hand=True)
        if document_id is None:
            raise BadRequest(NO_RIGHT, "Delete the schedule, and add one of your own.")
        audit.note(actor, audit.SCHEDULE_CHANGED, f"{row.name}: run by hand")
    return document_id


def deliver_ready() -> list[str]:
    """Put the documents that are ready into the outbox. Returns the ids of the messages."""
    with database.session():
        ended = Document.select(Document.id).where(Document.status != RUNNING)
        waiting = ScheduleRun.select(ScheduleRun.id).where(
            ScheduleRun.delivered_at.is_null()
            & (ScheduleRun.document_id.in_(ended) | ScheduleRun.document_id.is_null())
        )
        runs = [run_id for (run_id,) in database.tuples(waiting)]
    return [message for run_id in runs for message in _deliver(run_id)]


def deliver(document_id: str) -> list[str]:
    """Put a document of a schedule into the outbox, once it has ended. Returns the ids of the
    messages; none for a document of no schedule."""
    with database.session():
        run = ScheduleRun.get_or_none(
            (ScheduleRun.document_id == document_id) & ScheduleRun.delivered_at.is_null()
        )
    return [] if run is None else _deliver(run.id)


def _deliver(run_id: int) -> list[str]:
    with database.writing():
        run = ScheduleRun.get_or_none(
            (ScheduleRun.id == run_id) & ScheduleRun.delivered_at.is_null()
        )
        document = None if run is None else Document.get_or_none(Document.id == run.document_id)
        if run is None or document is None or document.status == RUNNING:
            return []
        row = Schedule.get_by_id(run.schedule_id)
        notes, sent = [], []
        if document.status != COMPLETE:
            notes.append(str(document.error))
        rows = row.groups if row.group_id is None else [row.group_id]
        for channel_id in row.channels:
            channel = Channel.get_or_none(Channel.id == channel_id)
            if channel is None or not is_within(rows, channel.groups):
                notes.append("A channel is gone, or may not get these stores.")
                continue
            try:
                message = outbox.add(channel, _draft(run, row, document), row.actor)
            except RestmonError as error:  # too large for a mail, or its file is gone
                notes.append(str(error))
                message = outbox.add(channel, _draft(run, row, document, whole=False), row.actor)
            sent += [message] if message else []
        run.delivered_at, run.note = database.clock(), " ".join(dict.fromkeys(notes)) or None
        run.save()
    return sent


def _draft(
    run: ScheduleRun, row: Schedule, document: Document, *, whole: bool = True
) -> outbox.Draft:
    """The message of a run: the document attached, or why there is none."""
    link = f"{get_settings().link_url}/documents?document={document.id}"
    attachment = None
    if document.status != COMPLETE:
        subject = f"{row.name}: the document could not be made"
        body = f"{document.error}\n\n{link}"
    else:
        name = documents.file_name(document)
        subject = f"{row.name}: {document.title or name}"
        body = f"{row.name}, {describe_plan(plan_of(row), read_style())}.\n\n{link}"
        if whole:
            kind = documents.TYPES[document.form]
            attachment = outbox.Attachment(documents.read_file(document), name, kind)
    payload = {
        "event": "report.completed",
        "schedule": row.name,
        "document_id": document.id,
        "status": document.status,
        "due_at": as_text(run.due_at),
        "url": link,
    }
    return outbox.Draft(
        key=f"schedule:{run.id}",
        kind=outbox.DOCUMENT,
        subject=subject,
        body=body,
        payload=json.dumps(payload),
        attachment=attachment,
    )
