"""News of imports and reports: that one is complete, failed, or had rejected lines."""

import json
from typing import Any

from restmon.core.instants import DAY, MINUTE, as_text
from restmon.notify import outbox
from restmon.notify.channels import IMPORTED, REPORTED
from restmon.notify.conditions import IMPORT
from restmon.notify.outbox import Draft
from restmon.notify.texts import clean_name
from restmon.notify.visibility import is_within
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import FAILED, RUNNING, Import, Report
from restmon.storage.notify_models import Rule

OVERLAP = 10 * MINUTE
"""A transaction may write an earlier instant than one that ended before it."""


def find_news(rule: Rule) -> tuple[list[Draft], int]:
    """What a rule says of the jobs that ended since it was last evaluated, and up to when. The
    outbox takes none of it twice. The caller holds a read transaction."""
    moment = database.clock()
    since = max(rule.created_at, (rule.as_of or 0) - OVERLAP, moment - DAY)
    model: type[Import | Report] = Import if rule.condition in {IMPORT, IMPORTED} else Report
    ended = (model.finished_at > since) & (model.status != RUNNING)
    jobs = model.select().where(ended).order_by(model.finished_at, model.id)
    found = [_make_draft(rule, job) for job in jobs if _concerns(rule, job)]
    return [draft for draft in found if draft is not None], moment


def _concerns(rule: Rule, job: Import | Report) -> bool:
    """Whether the people of a rule may see a job: where they see some groups alone, only what the
    person who made the rule asked for."""
    if rule.groups is None:
        return True
    return is_within(job.groups, rule.groups) and bool(job.actor == rule.created_by)


def _make_draft(rule: Rule, job: Import | Report) -> Draft | None:
    key = f"{rule.id}:{job.id}"
    if rule.condition in {IMPORTED, REPORTED}:
        said = _describe(rule.condition, job)
        payload = json.dumps(said, ensure_ascii=False)
        return Draft(key, rule.condition, f"{rule.condition} {job.id}", payload=payload)
    if isinstance(job, Import):
        return _say_import(key, job)
    site = get_settings().link_url
    subject = "A report is ready" if job.status != FAILED else "A report failed"
    lines = [f"Report: {job.id}"]
    if job.error:
        lines.append(clean_name(job.error))
    return Draft(key, outbox.ALERT, subject, "\n".join([*lines, "", f"{site}/reports"]))


def _say_import(key: str, job: Import) -> Draft | None:
    rejected = (job.counts or {}).get("rejected", 0)
    names = ", ".join(clean_name(file["name"]) for file in job.files[:3])
    more = f" and {len(job.files) - 3} more" if len(job.files) > 3 else ""
    if job.status == FAILED:
        subject, lines = f"The import of {names}{more} failed", [clean_name(job.error or "")]
    elif rejected:
        read = (job.counts or {}).get("read", 0)
        subject = f"{rejected:,} of {read:,} lines of {names}{more} were rejected"
        lines = [
            f"{file_name}, line {one['line']}: {clean_name(str(one['reason']))}"
            for one in job.rejections[:5]
            for file_name in [clean_name(str(one["file"]))]
        ]
    else:
        return None
    link = f"{get_settings().link_url}/upload"
    return Draft(key, outbox.ALERT, subject, "\n".join([*lines, "", link]))


def _describe(event: str, job: Import | Report) -> dict[str, Any]:
    known: dict[str, Any] = {
        "event": event,
        "id": job.id,
        "status": job.status,
        "finished_at": as_text(job.finished_at) if job.finished_at else None,
        "error": job.error,
    }
    if isinstance(job, Import):
        counts = job.counts or {}
        known["counts"] = {
            name: counts.get(name) for name in ("read", "new", "updated", "unchanged", "rejected")
        }
    else:
        known["stores"] = job.stores
        known["as_of"] = None if job.as_of is None else as_text(job.as_of)
    return known
