"""The parameters and answers of the routes of notes."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from restmon.api.models import Answer, Parameters, one_of
from restmon.api.store_models import Instant
from restmon.errors import BadRequest
from restmon.reporting.computation import parse_instant
from restmon.stores.notes import CAUSES, LONGEST_TEXT

LARGEST_ID = 2**31


def _parse_at(value: Any) -> int:
    return parse_instant("at", str(value))


def _parse_id(value: Any) -> int:
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) < LARGEST_ID):
        raise BadRequest(f"note_id={text[:40]!r} is no id of a note.", "Take one that is listed.")
    return int(text)


class GetNotes(Parameters):
    """What GET /stores/{store_id}/notes takes."""

    store_id: str
    """The store."""


class AddNote(GetNotes):
    """What POST /stores/{store_id}/notes takes: a cause, a text, or both."""

    at: Annotated[
        int,
        BeforeValidator(_parse_at),
        WithJsonSchema({"type": "string", "format": "date-time"}),
    ]
    """An instant of the outage. Give its first_down_poll, which stays in it when later polls move
    its start."""
    cause: Annotated[
        str | None, AfterValidator(one_of(CAUSES)), WithJsonSchema({"enum": list(CAUSES)})
    ] = None
    """Counts as the outage's cause if polls give none."""
    text: Annotated[str, WithJsonSchema({"type": "string", "maxLength": LONGEST_TEXT})] = ""
    """At most 500 characters."""


class DeleteNote(GetNotes):
    """What DELETE /stores/{store_id}/notes takes."""

    note_id: Annotated[
        int,
        BeforeValidator(_parse_id),
        WithJsonSchema({"type": "integer", "minimum": 0, "maximum": LARGEST_ID - 1}),
    ]
    """The id of the note."""


class OutageNote(Answer):
    """What somebody wrote about an outage."""

    note_id: int
    at: Instant
    """The note belongs to the outage that this instant is part of."""
    cause: Annotated[str, Field(json_schema_extra={"enum": list(CAUSES)})] | None
    text: str
    actor: str
    """Who wrote it."""
    written_at: Instant
    changed_at: Instant | None


class NoteList(Answer):
    """The notes on a store, those about the latest instants first."""

    store_id: str
    count: int
    notes: list[OutageNote]


class NoteDeleted(Answer):
    """The note that was deleted."""

    note_id: int
    status: Literal["deleted"]
