"""Undoing an import: what it replaced comes back, unless a later change touched the same rows.

The record of what each change replaced (`storage.changes`) stays for RESTMON_KEEP_UNDO_DAYS.
Undoing an import is one transaction. It deletes the polls that the import inserted, gives those
that it replaced their former status, and puts every other kind of rows back (`undo_kinds`). It
deletes stores that the import made, unless something else names them. Data deleted meanwhile stay
deleted, also demo data.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peewee import ForeignKeyField, chunked

from restmon.access import audit, visibility
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.instants import DAY, as_text
from restmon.errors import CannotUndo, Forbidden
from restmon.ingest import imports
from restmon.settings import get_settings
from restmon.storage import database, models
from restmon.storage.changes import POLLS, STORES, Key, pack, stores_of, unpack
from restmon.storage.models import COMPLETE, RUNNING, Change, Import, ReplacedRows, Store, now
from restmon.storage.poll_changes import INSERTED, PollChanges
from restmon.storage.revisions import new_revision
from restmon.storage.tables import ALL_MODELS

Ints = NDArray[np.int64]

BEGINNING, FOR_EVER = -(2**61), 2**62
NO_STORE = 0


@dataclass
class Undone:
    """The result of an undo: how many polls were deleted, how many got their former status, the
    stores (row ids) for which something else was put back, and how many stores were deleted."""

    polls_removed: int = 0
    polls_put_back: int = 0
    stores_removed: int = 0
    stores: set[int] = field(default_factory=set)

    def __add__(self, other: "Undone") -> "Undone":
        return Undone(
            self.polls_removed + other.polls_removed,
            self.polls_put_back + other.polls_put_back,
            self.stores_removed + other.stores_removed,
            self.stores | other.stores,
        )

    @property
    def sentence(self) -> str:
        """The outcome for the user."""
        parts = [
            f"{count:,} {what}{'' if count == 1 else 's'} {done}"
            for count, what, done in (
                (self.polls_removed, "poll", "removed"),
                (self.polls_put_back, "poll", "put back"),
                (len(self.stores), "store", "set back"),
                (self.stores_removed, "store", "removed"),
            )
            if count
        ]
        return f"The import is undone: {', '.join(parts) or 'nothing was left of it'}."


def can_undo(row: Import) -> bool:
    """Whether there is a record of what the import replaced."""
    with database.session():
        return row.status == COMPLETE and bool(_changes_of(row))


def undo(import_id: str, actor: Actor = THIS_MACHINE) -> Undone:
    """Undo an import, in one transaction with its audit entry.

    Raises NotFound if the actor may not see it, Forbidden, and :class:`~restmon.errors.CannotUndo`
    if it cannot be undone. Then nothing has changed.
    """
    actor.must(Role.OWNER)
    with database.writing():
        row = imports.get(import_id, actor)
        undone = Undone()
        for change in _must_have_changes(row):
            undone += _Undo(change, actor).carry_out()
        Import.update(undone_at=now()).where(Import.id == row.id).execute()
        new_revision(stores_changed=True, rebuild=True)
        audit.note(actor, audit.UNDONE, row.id)
    return undone


def forget_old(days: int) -> int:
    """Delete the records of changes that are older than so many days; returns how many. No record
    outlives that of a later change."""
    with database.updating():
        old = Change.select(Change.id).where(Change.made_at < now() - days * DAY)
        newest = old.order_by(Change.id.desc()).limit(1).scalar()
        if newest is None:
            return 0
        return int(Change.delete().where(Change.id <= newest).execute())


def _changes_of(row: Import) -> list[Change]:
    """The import's changes, newest first. One of files has one."""
    query = Change.select().where((Change.imported == row.id) & ~Change.undone)
    return list(query.order_by(Change.id.desc()))


def _must_have_changes(row: Import) -> list[Change]:
    """The import's changes. Raises CannotUndo if there are none."""
    changes = _changes_of(row)
    if row.status == COMPLETE and changes:
        return changes
    if row.status == RUNNING:
        raise CannotUndo("The import still runs.", "Wait for its end, then undo it.")
    if row.undone_at:
        raise CannotUndo(f"The import was undone already, on {as_text(row.undone_at)}.")
    counts = imports.complete_counts(row)
    if counts is None or not counts["new"] + counts["updated"] + counts["removed"]:
        raise CannotUndo("The import changed nothing, so there is nothing to undo.")
    days = get_settings().keep_undo_days
    raise CannotUndo(
        f"What the import replaced is not on record any more: it is kept for {days:,} "
        f"day{'' if days == 1 else 's'}.",
        "RESTMON_KEEP_UNDO_DAYS says how long.",
    )


class _Undo:
    """One undo of a change. The caller holds the write transaction, and must roll it back after an
    error."""

    def __init__(self, change: Change, actor: Actor) -> None:
        self.change = change
        self.actor = actor
        self.done = Undone()
        stored = database.tuples(Store.select(Store.id, Store.store_id))
        self.names: dict[int, str] = dict(stored)
        visible = None if actor.groups is None else visibility.find_store_ids(actor.groups)
        self.hidden = {row for row, name in stored if visible is not None and name not in visible}
        self.made: set[int] = set()

    def carry_out(self) -> Undone:
        """Put everything back, the last written first."""
        own = ReplacedRows.select().where(ReplacedRows.change == self.change)
        for (number,) in database.tuples(
            own.select(ReplacedRows.id).order_by(ReplacedRows.id.desc())
        ):
            part = ReplacedRows.get_by_id(number)
            if part.kind == POLLS:
                self._put_back_polls(part)
            elif part.kind == STORES:
                self.made |= stores_of(unpack(part.data)) & set(self.names)
            else:
                self._put_back_rows(part)
        self._remove_stores()
        return self.done

    def _put_back_rows(self, part: ReplacedRows) -> None:
        former = {
            key: value
            for key, value in unpack(part.data).items()
            if stores_of([key]) <= self.names.keys() | {NO_STORE}
        }
        stores = stores_of(former) - {NO_STORE}
        self._must_see(stores)
        for later in self._later(part):
            both = former.keys() & unpack(later.data).keys()
            if both:
                raise self._conflict(later, min(stores_of(both)))
        # The writers of all feeds. Who only asks whether an import can be undone needs none.
        from restmon.ingest.undo_kinds import PUT_BACK  # noqa: PLC0415

        PUT_BACK[part.kind](former)
        self.done.stores |= stores

    def _put_back_polls(self, part: ReplacedRows) -> None:
        own = PollChanges.unpack(part.data)
        own = own.of(np.isin(own.store, np.fromiter(self.names, np.int64, len(self.names))))
        self._must_see(set(np.unique(own.store).tolist()))
        updated: list[tuple[ReplacedRows, PollChanges]] = []
        for later in self._later(part):
            found = PollChanges.unpack(later.data)
            # Polls that a later change inserted there belong to that change.
            own = own.without(found.of(found.former == INSERTED))
            updated.append((later, found.of(found.former != INSERTED)))
        for later, found in updated:
            same = own.contain(found.store, found.first)
            if same.any():
                raise self._conflict(later, int(found.store[same][0]))
        new = own.of(own.former == INSERTED)
        self.done.polls_removed += database.delete_polls_in_ranges(
            new.store, new.first, new.last + 1
        )
        old = own.of(own.former != INSERTED)
        database.set_statuses(old.store, old.first, old.former.astype(np.int8))
        self.done.polls_put_back += len(old)

    def _later(self, part: ReplacedRows) -> Iterator[ReplacedRows]:
        """The records of the same kind by later changes, newest first; for polls, those of the same
        time."""
        query = (
            ReplacedRows.select(ReplacedRows.id)
            .join(Change)
            .where((Change.id > self.change.id) & ~Change.undone)
            .where(ReplacedRows.kind == part.kind)
        )
        if part.kind == POLLS:
            query = query.where(
                (ReplacedRows.first <= part.last) & (ReplacedRows.last >= part.first)
            )
        for (number,) in database.tuples(query.order_by(ReplacedRows.id.desc())):
            yield ReplacedRows.get_by_id(number)

    def _must_see(self, stores: set[int]) -> None:
        if stores & self.hidden:
            raise Forbidden(
                "The import is of stores that are not yours any more.",
                "Ask an operator to undo it.",
            )

    def _conflict(self, later: ReplacedRows, store: int) -> CannotUndo:
        """The error that names the later change."""
        name = self.names.get(store, "")
        what = f"store {name}" if name else "the same rows"
        made = later.change
        if made.import_id is None:
            return CannotUndo(
                f"The import cannot be undone: {what} was edited by hand after it, on "
                f"{as_text(made.made_at)}.",
                "Edit the store, or import a corrected file.",
            )
        row = Import.get_by_id(made.import_id)
        if not visibility.sees(self.actor, row):
            return CannotUndo(
                f"The import cannot be undone: a later import changed the same rows of {what}.",
                "Import a corrected file.",
            )
        files = ", ".join(file["name"] for file in row.files)
        return CannotUndo(
            f"The import cannot be undone: the later import of {files} on "
            f"{as_text(made.made_at)} (id {row.id}) changed the same rows of {what}.",
            "Undo that import first.",
        )

    def _remove_stores(self) -> None:
        """Delete the stores that this import, or one undone before, made and that nothing names.
        Record which are left."""
        left = self.made | self._left_of_others()
        gone = left - _named(left)
        for part in chunked(sorted(gone), 10_000):
            Store.delete().where(Store.id.in_(part)).execute()
        self.done.stores_removed = len(gone)
        self.done.stores -= gone
        ReplacedRows.delete().where(ReplacedRows.change.in_(_undone())).execute()
        ReplacedRows.delete().where(ReplacedRows.change == self.change).execute()
        self.change.undone = True
        self.change.save()
        if left - gone:
            data = pack(dict.fromkeys(sorted(left - gone)))
            ReplacedRows.create(change=self.change, kind=STORES, data=data)

    def _left_of_others(self) -> set[int]:
        parts = ReplacedRows.select().where(ReplacedRows.change.in_(_undone()))
        rows: set[Key] = set().union(*(unpack(part.data) for part in parts))
        return stores_of(rows) & set(self.names)


def _undone() -> Any:
    return Change.select(Change.id).where(Change.undone)


def _named(stores: Iterable[int]) -> set[int]:
    """Which of the stores (row ids) have anything: a poll, hours, a zone, a group …"""
    rows = np.array(sorted(stores), np.int64)
    if not len(rows):
        return set()
    lo, hi = np.full(len(rows), BEGINNING), np.full(len(rows), FOR_EVER)
    with_polls, _, _ = database.last_polls_in_ranges(rows, lo, hi)
    found = set(rows[with_polls].tolist())
    for part in chunked(rows.tolist(), 10_000):
        own = Store.timezone.is_null(False) | Store.hours_unreadable
        query = Store.select(Store.id).where(Store.id.in_(part) & own)
        found |= {row for (row,) in database.tuples(query)}
        for column in _columns_of_stores():
            query = column.model.select(column).where(column.in_(part)).distinct()
            found |= {row for (row,) in database.tuples(query)}
    return found


def _columns_of_stores() -> list[ForeignKeyField]:
    """The columns that refer to a store, of all tables except that of polls."""
    return [
        column
        for model in ALL_MODELS
        if model is not models.Poll
        for column in model._meta.sorted_fields
        if isinstance(column, ForeignKeyField) and column.rel_model is Store
    ]
