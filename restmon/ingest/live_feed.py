"""Items that come in one call: checked and written as the lines of a file are, at once.

A call is one transaction. What the calls of one actor bring in an hour is collected in one row of
the imports, so that it is seen on the Upload page and can be undone.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from restmon.access import visibility
from restmon.access.roles import Actor, Role
from restmon.core.instants import HOUR
from restmon.errors import BadRequest, Busy
from restmon.ingest.allowed import Allowed
from restmon.ingest.batches import Batch, Rejection
from restmon.ingest.headers import BUSINESS_HOURS, POLLS, TIMEZONES
from restmon.ingest.item_batches import make_batch
from restmon.ingest.rejected import GOOD_LINE, KEPT_REJECTIONS, RejectedLines, problem_of
from restmon.ingest.rejected_items import MOST_LINES, Line, keep_lines
from restmon.ingest.results import Counts
from restmon.ingest.staging import Staging
from restmon.ingest.validation import Checker
from restmon.ingest.values.base import rows_with
from restmon.ingest.writer import clean_up, write
from restmon.leasing import jobs
from restmon.storage import database
from restmon.storage.changes import ContinuedLog
from restmon.storage.models import COMPLETE, Import, now

NAMES = {
    POLLS: "live polls",
    BUSINESS_HOURS: "live business hours",
    TIMEZONES: "live time zones",
}
"""What is fed, and the name of its import for people."""
MOST_ITEMS = 10_000
LONGEST_WAIT_SECONDS = 20
MOST_WAITING = 8

_turn = threading.Lock()
_waiting = threading.BoundedSemaphore(MOST_WAITING)


@dataclass(frozen=True)
class Taken:
    """What one call brought: the counts of its items, and every rejected one, whose ``line`` is its
    index from 0. ``import_id`` is the import that collects it (None: there was no item)."""

    import_id: str | None = None
    counts: Counts = field(default_factory=Counts)
    rejections: list[Rejection] = field(default_factory=list)
    revision: int | None = None


def take(kind: str, items: Sequence[Any], actor: Actor, requested_by: str = "api") -> Taken:
    """Check items of one kind and write the good ones, with the audit entry of their import.

    An item is a mapping with the names of a file's columns. Values are text, or numbers as
    `item_batches.DECODER` reads them.

    Raises Forbidden; BadRequest for more than 10,000 items; FileRejected if all of them lack a
    column; Busy if the database is being written for too long. Then nothing has changed.
    """
    actor.must(Role.FEED)
    if kind not in NAMES:
        raise BadRequest(f"{kind!r} is not fed.", f"Use {', '.join(NAMES)}.")
    if len(items) > MOST_ITEMS:
        raise BadRequest(
            f"There are {len(items):,} items, and at most {MOST_ITEMS:,} in one call.",
            "Send them in several calls, or import a file.",
        )
    if not items:
        return Taken()
    staging, rejections, lines = _check(kind, items, actor)
    with _one_at_a_time(), database.writing():
        row = _row_of_the_hour(kind, actor, requested_by)
        result = write(staging, ContinuedLog(row.id))
        counts = result.total
        _add(row, kind, counts, rejections)
        room = max(MOST_LINES - (row.counts or {}).get("rejected", 0), 0)
        keep_lines(row.id, kind, lines[:room])
    clean_up(result)
    return Taken(row.id, counts, rejections, result.revision)


def _check(
    kind: str, items: Sequence[Any], actor: Actor
) -> tuple[Staging, list[Rejection], list[Line]]:
    permitted = None if actor.groups is None else visibility.find_store_ids(actor.groups)
    allowed = Allowed(permitted=permitted, latest=database.latest_instant())
    # Neither of the two paths is used: nothing this small is put aside on the disk.
    staging = Staging(Path(), RejectedLines(Path()), allowed)
    batch = make_batch(kind, items, "The body")
    checker = Checker(kind, staging.ids, allowed.latest, asks=False)
    found = checker.check(batch)
    staging.take(kind, Path(), found)
    spoiled: set[str] = set()
    if found.spoiled:
        staging.spoiled.append(found.spoiled)
        spoiled |= {staging.ids.names[number] for number in found.spoiled.names.tolist()}
        spoiled |= found.spoiled.perhaps
    staging.flush()
    return staging, found.rejections, _list_lines(kind, items, found.rejections, batch, spoiled)


def _list_lines(
    kind: str,
    items: Sequence[Any],
    rejections: Sequence[Rejection],
    batch: Batch,
    spoiled: set[str],
) -> list[Line]:
    """Return what belongs into the file of rejected items: those that were rejected and, of
    business hours, which replace what a store has, all others of the ``spoiled`` stores."""
    problems = {one.line: problem_of(one) for one in rejections}
    if kind == BUSINESS_HOURS and spoiled:
        owners = {name.encode() for name in spoiled}
        for index in batch.line[rows_with(batch.columns["store_id"], owners)].tolist():
            problems.setdefault(index, GOOD_LINE)
    return [(index, problems[index], items[index]) for index in sorted(problems)]


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let the calls of this process write one after the other. SQLite makes those who wait for its
    lock sleep, in no order. Raises Busy if it takes too long, or many wait already."""
    if not _waiting.acquire(blocking=False):
        raise Busy("Many calls wait for the database already.", "Send the same again.")
    try:
        if not _turn.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise Busy("The database is being written for long.", "Send the same again.")
        try:
            yield
        finally:
            _turn.release()
    finally:
        _waiting.release()


def _row_of_the_hour(kind: str, actor: Actor, requested_by: str) -> Import:
    """The row that collects this hour's items of a kind by an actor. Makes it, with its audit
    entry, if it is missing, was undone, or is of other groups than the actor has now. The caller
    holds the write transaction."""
    hour = now() // HOUR * HOUR
    query = Import.select().where(
        (Import.collected_from == hour)
        & (Import.actor == actor.name)
        & (Import.requested_by == requested_by)
        & Import.undone_at.is_null()
    )
    groups = visibility.stored_groups(actor)
    for row in query:
        if row.files[0]["kind"] == kind and row.groups == groups:
            return row
    return jobs.record(
        Import,
        actor,
        requested_by,
        files=[{"kind": kind, "name": NAMES[kind], "path": ""}],
        status=COMPLETE,
        progress=1.0,
        collected_from=hour,
        resumable=False,
    )


def _add(row: Import, kind: str, counts: Counts, rejections: list[Rejection]) -> None:
    """Add what one call brought to the row that collects it."""
    before = (row.counts or {}).get("kinds", {}).get(kind, {})
    total = Counts(**before) + counts
    values: dict[str, Any] = {
        "counts": {**asdict(total), "kinds": {kind: asdict(total)}},
        "finished_at": now(),
    }
    room = KEPT_REJECTIONS - len(row.rejections)
    if rejections and room > 0:
        name = row.files[0]["name"]
        more = [{"file": name, **asdict(one)} for one in rejections[:room]]
        values["rejections"] = row.rejections + more
    Import.update(**values).where(Import.id == row.id).execute()
