"""Notes on outages: who wrote what about an outage, and its cause (SEMANTICS.md, "Notes").

A note belongs to a store and an instant. An owner writes about their own stores. A person changes
only their own notes; an operator may delete any.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.instants import MINUTE, as_text
from restmon.errors import BadRequest, Forbidden, NotFound
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import OutageNote, Store, now
from restmon.stores.subjects import Subject, find_row

CAUSES = (
    "Internet outage",
    "Power outage",
    "Tablet off",
    "Forgot to open",
    "Closed on purpose",
    "Too busy",
    "Platform error",
    "Other",
)
LONGEST_TEXT = 500
INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
MOST_FEW = 500


@dataclass(frozen=True)
class Note:
    """A note as it is stored: on the store of row ``store``, about the outage that the instant
    ``at`` is part of. ``cause`` is one of CAUSES, or None. ``changed_at`` is None until it was
    changed."""

    id: int
    store: int
    at: int
    cause: str | None
    text: str
    actor: str
    written_at: int
    changed_at: int | None

    def may_change(self, who: Actor) -> bool:
        """Whether it is the actor's own, and they may write notes."""
        return who.may(Role.OWNER) and who.name == self.actor

    def may_delete(self, who: Actor) -> bool:
        """Whether it is the actor's own, or they are an operator."""
        return self.may_change(who) or who.may(Role.OPERATOR)


def clean_note(cause: str | None, text: str) -> tuple[str | None, str]:
    """The cause and text of a note as they are stored: without characters that nobody sees.

    Raises BadRequest for a cause that is not one of CAUSES, a text of more than 500 characters, and
    where there is neither.
    """
    chosen = (cause or "").strip() or None
    if chosen is not None and chosen not in CAUSES:
        raise BadRequest(f"The cause {chosen[:40]!r} is not known.", f"Use {', '.join(CAUSES)}.")
    lines = unicodedata.normalize("NFC", text).splitlines()
    seen = ("".join(c for c in line if unicodedata.category(c) not in INVISIBLE) for line in lines)
    cleaned = "\n".join(" ".join(line.split()) for line in seen).strip()
    if len(cleaned) > LONGEST_TEXT:
        raise BadRequest(
            f"The note has {len(cleaned):,} characters.", f"Write at most {LONGEST_TEXT}."
        )
    if not chosen and not cleaned:
        raise BadRequest("The note is empty.", "Choose a cause, or write a text.")
    return chosen, cleaned


def add_note(
    store_id: str, at: int, cause: str | None, text: str, actor: Actor = THIS_MACHINE
) -> Note:
    """Write a note on a store about an instant. Raises NotFound, Forbidden, and BadRequest (see
    `clean_note`; also for an instant in the future)."""
    actor.must(Role.OWNER)
    cause, text = clean_note(cause, text)
    if at > now() + get_settings().max_ahead_minutes * MINUTE:
        raise BadRequest(f"The note is about {as_text(at)}, in the future.", "Check the time.")
    with database.writing():
        row = OutageNote.create(
            store=find_row(Subject(store=store_id), actor),
            at=at,
            cause=cause,
            text=text,
            actor=actor.name,
            written_at=now(),
        )
        audit.note(actor, audit.NOTE_WRITTEN, _subject(row.id, store_id, at))
        return _read(row)


def change_note(note_id: int, cause: str | None, text: str, actor: Actor = THIS_MACHINE) -> Note:
    """Change the cause and the text of one's own note. Raises NotFound, Forbidden, BadRequest."""
    actor.must(Role.OWNER)
    cause, text = clean_note(cause, text)
    with database.writing():
        row, store_id = _find(note_id, actor)
        if not _read(row).may_change(actor):
            raise Forbidden("Somebody else wrote this note.", "Write another one.")
        row.cause, row.text, row.changed_at = cause, text, now()
        row.save()
        audit.note(actor, audit.NOTE_CHANGED, _subject(note_id, store_id, row.at))
        return _read(row)


def delete_note(note_id: int, actor: Actor = THIS_MACHINE, store_id: str | None = None) -> None:
    """Delete a note: one's own, or, for an operator, any. With a store's id, only one of that
    store. Raises NotFound, Forbidden."""
    actor.must(Role.OWNER)
    with database.writing():
        row, owner = _find(note_id, actor, store_id)
        if not _read(row).may_delete(actor):
            raise Forbidden("Somebody else wrote this note.", "Only they or an operator may.")
        row.delete_instance()
        audit.note(actor, audit.NOTE_DELETED, _subject(note_id, owner, row.at))


def list_notes(store_id: str, actor: Actor = THIS_MACHINE) -> list[Note]:
    """The notes on a store, those about the latest instants first. Raises NotFound."""
    with database.reading():
        row = find_row(Subject(store=store_id), actor)
        return read_notes([row])[::-1]


def read_notes(rows: Iterable[int] | None = None, since: int | None = None) -> list[Note]:
    """The notes on stores (row ids; None: all) about instants from ``since`` on, in the order of
    the instants, then as they were written. The caller holds a connection."""
    query = OutageNote.select().order_by(OutageNote.at, OutageNote.id)
    wanted = None if rows is None else set(rows)
    if wanted is not None and len(wanted) <= MOST_FEW:
        query = query.where(OutageNote.store.in_(sorted(wanted)))
    if since is not None:
        query = query.where(OutageNote.at >= since)
    notes = map(_read, query)
    return [note for note in notes if wanted is None or note.store in wanted]


def _find(note_id: int, actor: Actor, store_id: str | None = None) -> tuple[OutageNote, str]:
    """The row of a note and the id of its store. Raises NotFound unless the actor sees the store,
    as for an unknown note."""
    found = OutageNote.select(OutageNote, Store).join(Store).where(OutageNote.id == note_id).first()
    if found is not None and store_id in (None, found.store.store_id):
        try:
            find_row(Subject(store=found.store.store_id), actor)
        except NotFound:
            found = None
    else:
        found = None
    if found is None:
        raise NotFound(f"There is no note {note_id}.", "It may have been deleted.")
    return found, str(found.store.store_id)


def _read(row: OutageNote) -> Note:
    stored: Any = row
    return Note(
        stored.id,
        stored.store_id,
        stored.at,
        stored.cause,
        stored.text,
        stored.actor,
        stored.written_at,
        stored.changed_at,
    )


def _subject(note_id: int, store_id: str, at: int) -> str:
    return f"note {note_id} on store {store_id} at {as_text(at)}"
