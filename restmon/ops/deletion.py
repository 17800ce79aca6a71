"""Deleting by hand, for operators: the polls of one store or of all in a range of time, or a store
with everything that belongs to it.

Deleted data do not come back, not even when an earlier import is undone.
"""

from dataclasses import dataclass

import numpy as np

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.instants import as_text
from restmon.errors import BadRequest, NotFound
from restmon.reporting.snapshot import FOR_EVER
from restmon.storage import database
from restmon.storage.models import Store
from restmon.storage.revisions import new_revision

BEGINNING = -FOR_EVER


@dataclass(frozen=True)
class PollRange:
    """Polls with ``begin`` <= timestamp < ``end`` (microseconds; None: no bound), of the store of
    an id or of all stores (None)."""

    begin: int | None = None
    end: int | None = None
    store_id: str | None = None

    def __post_init__(self) -> None:
        if self.begin is not None and self.end is not None and self.begin >= self.end:
            raise BadRequest("The range of time is empty.", "Give an end later than its beginning.")

    @property
    def bounds(self) -> tuple[int, int]:
        """From which instant, up to, not including, which."""
        return (
            BEGINNING if self.begin is None else self.begin,
            FOR_EVER if self.end is None else self.end,
        )

    def __str__(self) -> str:
        parts = [
            f"from {as_text(self.begin)}" if self.begin is not None else "",
            f"before {as_text(self.end)}" if self.end is not None else "",
            f"of store {self.store_id}" if self.store_id is not None else "of all stores",
        ]
        return " ".join(part for part in parts if part)


def count_polls(chosen: PollRange) -> int:
    """How many polls `delete_polls` would delete. Raises NotFound for an unknown store."""
    lo, hi = chosen.bounds
    with database.reading():
        if chosen.store_id is None:
            return database.count_polls(lo, hi)
        row = np.array([_row_of(chosen.store_id)], np.int64)
        oldest, newest = database.oldest_poll(), database.newest_poll(FOR_EVER)
        if oldest is None or newest is None:
            return 0
        within = np.array([max(lo, oldest)]), np.array([min(hi, newest + 1)])
        found = database.polls_in_ranges(row, *within)
        return sum(len(time) for _, time, _ in found)


def delete_polls(chosen: PollRange, actor: Actor = THIS_MACHINE) -> int:
    """Delete polls and write the audit entry, in one transaction. Returns how many. Raises
    Forbidden unless the actor is an operator, NotFound for an unknown store."""
    actor.must(Role.OPERATOR)
    lo, hi = chosen.bounds
    with database.writing():
        if chosen.store_id is None:
            deleted = database.delete_polls(lo, hi)
        else:
            row = np.array([_row_of(chosen.store_id)], np.int64)
            deleted = database.delete_polls_in_ranges(row, np.array([lo]), np.array([hi]))
        if deleted:
            new_revision(rebuild=True)
            audit.note(actor, audit.POLLS_FORGOTTEN, f"{deleted:,} {chosen}")
    return deleted


def delete_store(store_id: str, actor: Actor = THIS_MACHINE) -> int:
    """Delete a store with its polls, hours and everything else that belongs to it, and write the
    audit entry, in one transaction. Returns how many polls. Raises Forbidden unless the actor is an
    operator, NotFound for an unknown store."""
    actor.must(Role.OPERATOR)
    with database.writing():
        row = _row_of(store_id)
        deleted = database.delete_polls_of([row])
        Store.delete().where(Store.id == row).execute()
        new_revision(stores_changed=True, rebuild=True)
        audit.note(actor, audit.STORE_DELETED, store_id)
    return deleted


def _row_of(store_id: str) -> int:
    row = None
    if "\0" not in store_id:  # PostgreSQL accepts it in no text
        row = Store.select(Store.id).where(Store.store_id == store_id).scalar()
    if row is None:
        raise NotFound(f"There is no store {store_id[:64]!r}.", "Give the id of a known store.")
    return int(row)
