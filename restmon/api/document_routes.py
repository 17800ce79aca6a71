"""The routes of documents: PDF, Excel and CSV of a group, a store or all stores."""

import bottle

from jobs import tasks
from restmon.access.roles import Role
from restmon.api.answers import answer, problem
from restmon.api.application import Application
from restmon.api.document_models import (
    AskForDocument,
    DocumentAccepted,
    DocumentList,
    DocumentState,
    GetDocument,
)
from restmon.api.operations import Operation
from restmon.api.requests import actor, origin
from restmon.api.work_queue import queue_depth
from restmon.documents import documents
from restmon.documents.documents import TYPES, Wanted
from restmon.storage.document_models import Document
from restmon.storage.models import COMPLETE, FAILED, RUNNING

routes = Application()


@routes.post(
    "/documents",
    needs=Role.OWNER,
    operation=Operation(
        "ask_for_document",
        main="POST",
        takes=AskForDocument,
        gives={202: [DocumentAccepted]},
        errors=(404, 409),
    ),
)
def ask_for_document(asked: AskForDocument) -> bottle.HTTPResponse:
    """Ask for a document of a window: PDF, Excel workbook or CSV.

    It is made in the background; ask for its state at /documents/{document_id}.
    """
    queue_depth()  # so that nothing is put on record that would not be enqueued
    wanted = Wanted(
        form=asked.format,
        period=asked.window,
        group=asked.group,
        store_id=asked.store_id,
        each_store=asked.each_store,
        paper=asked.paper,
        zone=asked.zone,
        as_of=asked.as_of,
        method=asked.method,
    )
    document = tasks.enqueue_document(wanted, "api", actor())
    status_url = f"{origin()}/documents/{document.id}"
    return answer(
        DocumentAccepted(document_id=document.id, status="Running", status_url=status_url), 202
    )


@routes.get(
    "/documents",
    needs=Role.VIEWER,
    operation=Operation("get_documents", gives={200: [DocumentList]}),
)
def get_documents() -> bottle.HTTPResponse:
    """Get the 50 newest documents."""
    found = [_state(document) for document in documents.list_recent(actor=actor())]
    return answer(DocumentList(documents=found))


@routes.get(
    "/documents/<document_id>",
    needs=Role.VIEWER,
    operation=Operation(
        "get_document", takes=GetDocument, gives={200: [DocumentState]}, errors=(404,)
    ),
)
def get_document(asked: GetDocument) -> bottle.HTTPResponse:
    """Get a document's state, with the address of its file when it is complete."""
    return answer(_state(documents.get(asked.document_id, actor())))


@routes.get(
    "/documents/<document_id>/file",
    needs=Role.VIEWER,
    operation=Operation(
        "get_document_file",
        takes=GetDocument,
        gives={200: list(TYPES.values()), 202: [DocumentState]},
        errors=(404, 409),
        texts={202: "It is not complete yet."},
    ),
)
def get_document_file(asked: GetDocument) -> bottle.HTTPResponse:
    """Download a document.

    While it is not complete, the answer is its state, with status 202.
    """
    document = documents.get(asked.document_id, actor())
    if document.status == FAILED:
        return problem(409, "document_failed", str(document.error), "Ask for a new document.")
    if document.status == RUNNING:
        return answer(_state(document), 202)
    headers = {
        "Content-Type": TYPES[document.form],
        "Content-Disposition": f'attachment; filename="{documents.file_name(document)}"',
        "Cache-Control": "no-store",
    }
    return bottle.HTTPResponse(documents.read_file(document), 200, headers)


def _state(document: Document) -> DocumentState:
    state = DocumentState.model_validate(documents.describe(document))
    if document.status == COMPLETE:
        state.stores, state.size = document.stores or 0, document.size or 0
        state.file_url = f"{origin()}/documents/{document.id}/file"
    elif document.status == FAILED:
        state.error = str(document.error)
    return state
