"""The REST front door: the application and the three endpoints of the exercise.

What they are made of, and the other routes, are in `restmon.api`.
"""

import bottle

from jobs import tasks
from restmon.access.roles import Role
from restmon.api import server
from restmon.api.answers import answer
from restmon.api.import_answers import accepted, wait_for_import
from restmon.api.models import ImportAccepted, ImportState, StartImport
from restmon.api.operations import Content, Operation
from restmon.api.report_answers import report_file, report_state, wants_csv
from restmon.api.report_models import GetReport, ReportAccepted, ReportState, TriggerReport
from restmon.api.requests import actor, origin
from restmon.api.routes import make_app
from restmon.api.uploads import spooled_uploads
from restmon.api.work_queue import queue_depth
from restmon.ingest import incoming_files
from restmon.reporting import reports, workbook
from restmon.settings import get_settings

app = make_app()

REPORT: dict[int, list[Content]] = {
    200: [ReportState, "text/csv", workbook.TYPE],
    202: ["text/plain"],
}


@app.route(
    "/trigger_report",
    ["GET", "POST"],
    needs=Role.OWNER,
    operation=Operation(
        "trigger_report",
        main="POST",
        takes=TriggerReport,
        gives={202: [ReportAccepted]},
        errors=(404, 409),
    ),
)
def trigger_report(asked: TriggerReport) -> bottle.HTTPResponse:
    """Ask for a report.

    It is computed in the background; ask for it at /get_report.
    """
    if bottle.request.method == "HEAD":  # Bottle would treat it as GET, and it asks for nothing
        raise bottle.HTTPError(405, Allow="GET,POST")
    queue_depth()  # so that nothing is put on record that would not be enqueued
    report = tasks.enqueue_report(
        as_of=asked.as_of,
        method=asked.method,
        requested_by="api",
        actor=actor(),
        part=reports.Part(asked.words(), asked.group, asked.store_id),
    )
    status_url = f"{origin()}/get_report?report_id={report.id}"
    return answer(ReportAccepted(report_id=report.id, status="Running", status_url=status_url), 202)


@app.route(
    "/get_report",
    ["GET", "POST"],
    needs=Role.VIEWER,
    operation=Operation("get_report", takes=GetReport, gives=REPORT, errors=(404, 409)),
)
@app.route(
    "/get_report/<report_id>",
    needs=Role.VIEWER,
    operation=Operation("get_report_by_path", takes=GetReport, gives=REPORT, errors=(404, 409)),
)
def get_report(asked: GetReport) -> bottle.HTTPResponse:
    """Get a report's state, with its CSV when it is complete, or a file of it."""
    report = reports.get(asked.report_id, actor())
    as_text = "csv" if report.window is None else "details"
    form = asked.format or (as_text if wants_csv() else "json")
    if form in {"json", "status"}:
        return report_state(report, whole=form == "json")
    return report_file(report, form)


@app.post(
    "/import_data",
    needs=Role.FEED,
    operation=Operation(
        "import_data",
        main="POST",
        takes=StartImport,
        takes_files=True,
        gives={200: [ImportState], 202: [ImportAccepted]},
        errors=(404, 422),
    ),
)
def import_data(asked: StartImport) -> bottle.HTTPResponse:
    """Import uploaded files, or without a body those of the import folder.

    The import folder requires the role operator.
    """
    queue_depth()  # so that nothing is put on record that would not be enqueued
    uploads = spooled_uploads()
    try:
        if not uploads:
            actor().must(Role.OPERATOR)
        files = uploads or incoming_files.find_files(get_settings().effective_import_dir)
        row = tasks.enqueue_import(files, "api", actor())
    except Exception:
        incoming_files.discard(uploads)
        raise
    return wait_for_import(row) if asked.wait else accepted(row)


serve = server.logged(app)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    server.run(serve)


if __name__ == "__main__":
    main()
