"""Polls from the future that are in the database: counting and deleting them.

Imports reject such polls. A database may still have some, from an older restmon or from a time when
the clock was wrong. The default ``as_of`` and the retention ignore them.
"""

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.instants import as_text
from restmon.reporting.snapshot import FOR_EVER, cache
from restmon.storage import database
from restmon.storage.revisions import new_revision


def count(after: int | None = None) -> int:
    """How many polls are later than an instant (None: `database.latest_instant`)."""
    with database.reading():
        if after is None:
            return cache.future_polls()
        return database.count_polls(after + 1, FOR_EVER)


def forget(after: int, actor: Actor = THIS_MACHINE) -> int:
    """Delete the polls later than an instant and write the audit entry, in one transaction. Returns
    how many. Raises Forbidden unless the actor is an operator."""
    actor.must(Role.OPERATOR)
    with database.writing():
        deleted = database.delete_polls(after + 1, FOR_EVER)
        if deleted:
            new_revision(rebuild=True)
            audit.note(actor, audit.POLLS_FORGOTTEN, f"{deleted:,} after {as_text(after)}")
    return deleted
