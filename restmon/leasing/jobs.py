"""Reports, documents and imports as jobs that somebody requested: recording, finding and describing
them."""

from itertools import islice
from typing import Any, TypeVar

from restmon.access import audit
from restmon.access.roles import Actor, Role
from restmon.access.visibility import sees, stored_groups
from restmon.core.instants import as_text
from restmon.errors import NotFound
from restmon.storage import database
from restmon.storage.document_models import Document
from restmon.storage.models import COMPLETE, AskedFor, Import, Report

JobType = TypeVar("JobType", Report, Document, Import)
ACTIONS = {
    Report: audit.TRIGGERED,
    Document: audit.DOCUMENT_REQUESTED,
    Import: audit.IMPORTED,
}
HINTS = {
    Report: "Trigger one to get a report id.",
    Document: "Ask for one to get a document id.",
    Import: "Start one to get an import id.",
}


def record(model: type[JobType], actor: Actor, requested_by: str, **values: Any) -> JobType:
    """Insert a job as Running, limited to the stores the actor sees, with its audit entry. The
    caller holds the transaction, and puts the id into the queue after the commit."""
    job = model.create(
        requested_by=requested_by, actor=actor.name, groups=stored_groups(actor), **values
    )
    audit.note(actor, ACTIONS[model], job.id)
    return job


def get(model: type[JobType], job_id: str, actor: Actor) -> JobType:
    """The job of an id that came from outside. Raises NotFound, also if the actor may not see
    it."""
    with database.session():
        job = model.find(job_id)
    if job is None or not sees(actor, job):
        raise NotFound(f"There is no {model.__name__.lower()} {job_id[:64]!r}.", HINTS[model])
    return job


def list_recent(model: type[JobType], actor: Actor, limit: int, only: Any = None) -> list[JobType]:
    """The newest jobs that the actor may see, newest first; ``only`` those under a condition."""
    with database.session():
        query = model.select().order_by(model.requested_at.desc())
        if only is not None:
            query = query.where(only)
        if actor.groups is None:
            return list(query.limit(limit))
        query = query.where(model.groups.is_null(False))
        if actor.role == Role.OWNER:
            query = query.where(model.actor == actor.name)
        return list(islice((job for job in query.iterator() if sees(actor, job)), limit))


def describe(job: AskedFor) -> dict[str, Any]:
    """What the API and the pages show of any job: its state, and who requested it when."""
    return {
        "status": job.status,
        "progress": 1.0 if job.status == COMPLETE else round(job.progress, 3),
        "requested_at": as_text(job.requested_at),
        "requested_by": job.requested_by,
        "demo": bool(job.demo),
    }
