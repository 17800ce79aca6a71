"""Routes besides the three endpoints of the exercise (`api_server`)."""

import bottle

from restmon.access.roles import Role
from restmon.api import (
    alert_routes,
    api_docs,
    audit_routes,
    deletion_routes,
    document_routes,
    feed_routes,
    holiday_routes,
    index_page,
    note_routes,
    openapi,
    outage_routes,
    schedule_routes,
    status_routes,
    store_routes,
    target_routes,
)
from restmon.api.answers import answer
from restmon.api.application import Application
from restmon.api.import_answers import NO_WORKER, import_state
from restmon.api.models import DataCheck, GetExport, GetImport, Health, ImportState
from restmon.api.operations import Operation
from restmon.api.requests import actor, origin
from restmon.api.work_queue import queue_depth
from restmon.errors import Forbidden, NotFound, RestmonError
from restmon.ingest import imports, undo, watched_folder
from restmon.ingest.feeds_csv import export_csv
from restmon.notify import health as notify_health
from restmon.notify import outbox
from restmon.ops import metrics, summary
from restmon.reporting import feed
from restmon.reporting.data_check import check_data
from restmon.storage import database

HEALTH_FACTS = (
    "worker_alive",
    "worker_seen_seconds_ago",
    "newest_poll",
    "newest_poll_age_seconds",
    "future_polls",
    "feed",
)


def make_app() -> bottle.Bottle:
    """Return an application that has the routes of this package."""
    app = Application()
    rooms = (
        feed_routes,
        *(store_routes, note_routes, outage_routes, target_routes),
        *(deletion_routes, holiday_routes, audit_routes, alert_routes),
        document_routes,
        status_routes,
        schedule_routes,
    )
    for more in (routes, *(room.routes for room in rooms)):
        app.merge(more)
    return app


routes = Application()


@routes.get(
    "/import_data",
    needs=Role.VIEWER,
    operation=Operation("get_import", takes=GetImport, gives={200: [ImportState]}, errors=(404,)),
)
def get_import(asked: GetImport) -> bottle.HTTPResponse:
    """Get an import's state, counts and first rejected lines."""
    return answer(import_state(imports.get(asked.import_id, actor())))


@routes.get(
    "/import_data/<import_id>/rejected.csv",
    needs=Role.VIEWER,
    operation=Operation(
        "get_rejected_lines", takes=GetImport, gives={200: ["text/csv"]}, errors=(404,)
    ),
)
@routes.get(
    "/import_data/<import_id>/rejected.zip",
    needs=Role.VIEWER,
    operation=Operation(
        "get_rejected_zip", takes=GetImport, gives={200: ["application/zip"]}, errors=(404,)
    ),
)
def get_rejected_lines(asked: GetImport) -> bottle.HTTPResponse:
    """Download every rejected line of an import.

    The file is a ZIP if lines of several tables were rejected. Of an import that collects a live
    feed it has the first 10,000 rejected items.
    """
    found = imports.find_rejected(imports.get(asked.import_id, actor()).id)
    if found is None:
        raise NotFound("No line of this import was rejected.")
    kind = "application/zip" if found.suffix == ".zip" else "text/csv; charset=utf-8"
    name = f"rejected-{asked.import_id}{found.suffix}"
    headers = {
        "Content-Type": kind,
        "Content-Length": str(found.size),
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return bottle.HTTPResponse(imports.open_rejected(found), 200, headers)


@routes.delete(
    "/import_data/<import_id>",
    needs=Role.OWNER,
    operation=Operation(
        "undo_import",
        main="DELETE",
        takes=GetImport,
        gives={200: [ImportState]},
        errors=(404, 409),
        texts={200: "The import is undone."},
    ),
)
def undo_import(asked: GetImport) -> bottle.HTTPResponse:
    """Undo an import: what it replaced comes back.

    Not possible if a later import changed the same rows. The error names that import.
    """
    undo.undo(asked.import_id, actor())
    return answer(import_state(imports.get(asked.import_id, actor())))


@routes.get(
    "/data_check",
    needs=Role.VIEWER,
    operation=Operation("get_data_check", gives={200: [DataCheck]}),
)
def get_data_check() -> bottle.HTTPResponse:
    """Get what is likely wrong with the data, and what to do about it."""
    return answer(DataCheck.model_validate(check_data(actor()).as_json()))


@routes.get(
    "/export_data",
    needs=Role.VIEWER,
    operation=Operation("export_data", takes=GetExport, gives={200: ["text/csv"]}),
)
def export_data(asked: GetExport) -> bottle.HTTPResponse:
    """Download a feed as CSV that can be imported again.

    The file has the stores and groups that the key sees.
    """
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{asked.kind}.csv"',
    }
    return bottle.HTTPResponse(export_csv(asked.kind, actor()), 200, headers)


@routes.get(
    "/healthz",
    needs=None,
    operation=Operation(
        "get_health",
        gives={200: [Health], 503: [Health]},
        texts={200: "All parts work; the service may be degraded.", 503: "A part does not work."},
    ),
)
def get_health() -> bottle.HTTPResponse:
    """Check that database, queue and worker work, and that polls come in.

    If polls no longer come in, messages cannot be sent, or work waits for long, the service is
    degraded, but up.
    """
    health = Health(status="failing", database="ok", queue="ok", worker="ok")
    try:
        with database.explain_errors():
            facts = summary.read_facts()
        for name in HEALTH_FACTS:
            setattr(health, name, facts[name])
        if not facts["worker_alive"]:
            health.worker = NO_WORKER
        with database.explain_errors():
            health.worker_slow = summary.is_worker_slow()
            depth = outbox.measure_depth()
            health.outbox = notify_health.describe_outbox(depth)
            health.unsure_messages = depth.unsure
    except RestmonError as error:
        health.database = str(error)
        health.worker = "Not known while the database does not answer."
    try:
        health.queue_depth = queue_depth()
        health.watched_folder = watched_folder.find_problem() or "ok"
    except RestmonError as error:
        health.queue = str(error)
    if (health.database, health.queue, health.worker) != ("ok", "ok", "ok"):
        return answer(health, 503)
    stale = health.feed == feed.STALE or health.watched_folder != "ok"
    degraded = stale or health.outbox != notify_health.OK or health.worker_slow
    health.status = "degraded" if degraded else "ok"
    return answer(health)


@routes.get(
    "/metrics",
    needs=Role.VIEWER,
    operation=Operation("get_metrics", gives={200: ["text/plain"]}),
)
def get_metrics() -> bottle.HTTPResponse:
    """Get counts of requests and the state of restmon, for Prometheus.

    Requires a key that sees every store.
    """
    if actor().groups is not None:
        raise Forbidden("The metrics are of all stores.", "Use a key that sees every store.")
    headers = {"Content-Type": metrics.TYPE, "Cache-Control": "no-store"}
    return bottle.HTTPResponse(metrics.text(), 200, headers)


@routes.get("/openapi.json", needs=None, operation=Operation("get_openapi", gives={200: [dict]}))
def get_openapi() -> bottle.HTTPResponse:
    """Get this document."""
    return answer(openapi.document(bottle.request.app.routes, origin()))


@routes.get("/docs", needs=None, operation=Operation("get_docs", gives={200: ["text/html"]}))
def get_docs() -> bottle.HTTPResponse:
    """Get the documentation of every route, with an example of each, as a page for people."""
    headers = {"Content-Type": "text/html; charset=utf-8"}
    return bottle.HTTPResponse(api_docs.page_of(bottle.request.app, origin()), 200, headers)


@routes.get("/", needs=None, operation=Operation("get_index", gives={200: ["text/html"]}))
def get_index() -> bottle.HTTPResponse:
    """Get a page for people."""
    headers = {"Content-Type": "text/html; charset=utf-8"}
    return bottle.HTTPResponse(index_page.index_page(origin()), 200, headers)
