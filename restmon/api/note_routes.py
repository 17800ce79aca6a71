"""The routes of notes on outages."""

import bottle

from restmon.access.roles import Role
from restmon.api.answers import answer
from restmon.api.application import Application
from restmon.api.note_models import AddNote, DeleteNote, GetNotes, NoteDeleted, NoteList, OutageNote
from restmon.api.operations import Operation
from restmon.api.requests import actor
from restmon.reporting.outage_notes import record_note
from restmon.stores import notes

routes = Application()


@routes.get(
    "/stores/<store_id>/notes",
    needs=Role.VIEWER,
    operation=Operation("get_notes", takes=GetNotes, gives={200: [NoteList]}, errors=(404,)),
)
def get_notes(asked: GetNotes) -> bottle.HTTPResponse:
    """Get the notes on the outages of a store."""
    found = [record_note(note) for note in notes.list_notes(asked.store_id, actor())]
    return answer({"store_id": asked.store_id, "count": len(found), "notes": found})


@routes.post(
    "/stores/<store_id>/notes",
    needs=Role.OWNER,
    operation=Operation(
        "add_note", main="POST", takes=AddNote, gives={200: [OutageNote]}, errors=(404,)
    ),
)
def add_note(asked: AddNote) -> bottle.HTTPResponse:
    """Write a note on an outage of a store.

    A note belongs to the outage that its instant is part of.
    """
    note = notes.add_note(asked.store_id, asked.at, asked.cause, asked.text, actor())
    return answer(record_note(note))


@routes.delete(
    "/stores/<store_id>/notes",
    needs=Role.OWNER,
    operation=Operation(
        "delete_note", main="DELETE", takes=DeleteNote, gives={200: [NoteDeleted]}, errors=(404,)
    ),
)
def delete_note(asked: DeleteNote) -> bottle.HTTPResponse:
    """Delete a note on an outage: one's own, or any as an operator."""
    notes.delete_note(asked.note_id, actor(), asked.store_id)
    return answer({"note_id": asked.note_id, "status": "deleted"})
