"""Answers about an import: that it was accepted, its state, and its end for a client that waits."""

import threading
import time

import bottle

from restmon.access.roles import Role
from restmon.api.answers import answer, error_body
from restmon.api.models import ImportAccepted, ImportState
from restmon.api.requests import actor, origin
from restmon.errors import FileRejected
from restmon.ingest import imports
from restmon.leasing import heartbeats
from restmon.storage.models import COMPLETE, RUNNING, Import

MOST_WAITING = 8
"""How many requests may wait for an import at a time: half of the server's threads."""
LONGEST_WAIT_SECONDS = 600
LOOK_EVERY_SECONDS = 0.1
NO_WORKER = "No worker is alive; start one: python -m restmon worker"

waiting = threading.BoundedSemaphore(MOST_WAITING)
stopping = threading.Event()
"""Set when the server stops. Waiting requests are then answered at once."""


def accepted(row: Import, note: str | None = None) -> bottle.HTTPResponse:
    """Return the answer with the address of an import."""
    status_url = f"{origin()}/import_data?import_id={row.id}"
    members = {"import_id": row.id, "status": row.status, "status_url": status_url}
    if note:
        members["note"] = note
    return answer(ImportAccepted.model_validate(members), 202)


def import_state(row: Import) -> ImportState:
    """Return an import's state, its first rejected lines, and the address of all rejected lines."""
    state = ImportState.model_validate(imports.describe(row) | {"rejections": row.rejections})
    if not actor().may(Role.VIEWER):
        state.notes = []  # they name stores, also some that the files do not
        return state
    suffix = imports.find_rejected_suffix(row.id)
    if suffix is not None:
        # A ZIP of several files where lines of several tables were rejected.
        state.rejected_csv_url = f"{origin()}/import_data/{row.id}/rejected{suffix}"
    return state


def wait_for_import(row: Import) -> bottle.HTTPResponse:
    """Return the answer with an import's end, or with its address if waiting does not help.

    Waiting does not help if no worker is alive, too many requests wait already, the import takes
    longer than ten minutes, the client has hung up, or the server stops.
    """
    note = "Too many requests wait already; ask at status_url."
    client_gone = bottle.request.environ["waitress.client_disconnected"]
    if waiting.acquire(blocking=False):
        try:
            note = "It still runs; ask at status_url."
            end = time.monotonic() + LONGEST_WAIT_SECONDS
            while row.status == RUNNING and time.monotonic() < end and not client_gone():
                if not heartbeats.is_worker_alive():
                    note = NO_WORKER
                    break
                if stopping.wait(LOOK_EVERY_SECONDS):
                    break
                row = imports.get(row.id)
        finally:
            waiting.release()
    if row.status == RUNNING:
        return accepted(row, note)
    state = import_state(row)
    if row.status == COMPLETE:
        return answer(state)
    code = str(state.error_code)
    status = 422 if code == FileRejected.code else 500
    return answer(state.content() | error_body(code, str(row.error)), status)
