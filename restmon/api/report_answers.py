"""Answers about a report: its state, and its files."""

import json
from typing import Any

import bottle

from restmon.api.answers import JSON_TYPE, answer, problem
from restmon.api.kept_answers import kept, send_body
from restmon.api.report_models import ReportState
from restmon.api.requests import origin, read_weights
from restmon.reporting import report_details, reports, workbook
from restmon.reporting.workbook import make_workbook
from restmon.storage.models import COMPLETE, FAILED, RUNNING, Report

CSV_TYPE = "text/csv; charset=utf-8"


def report_state(report: Report, *, whole: bool) -> bottle.HTTPResponse:
    """Return the answer with a report's state, and with its content if that is complete and wanted.

    A report that is complete does not change, so its answer is kept.
    """
    if report.status == COMPLETE and whole and report.window is None:
        mark = reports.find_mark(report)
        name = ("json", report.id, origin())
        body = kept.find_or_make(name, mark, lambda: _write_whole(report))
        return send_body(body, {"Content-Type": JSON_TYPE, "Cache-Control": "no-store"})
    return answer(_describe(report, whole=whole))


def _write_whole(report: Report) -> bytes:
    return json.dumps(_describe(report, whole=True)).encode()


def _describe(report: Report, *, whole: bool) -> dict[str, Any]:
    """The members of the answer with a report's state.

    The CSV or the details may have megabytes, so they bypass the model, which would check and copy
    them.
    """
    state = ReportState.model_validate(reports.describe(report))
    if report.status == COMPLETE:
        address = f"{origin()}/get_report?report_id={report.id}&format="
        state.stores = report.stores or 0
        state.details_url, state.xlsx_url = f"{address}details", f"{address}xlsx"
        if report.window is None:
            state.csv_url = f"{address}csv"
        if whole:
            return state.content() | _whole(report)
    elif report.status == FAILED:
        state.error = str(report.error)
    return state.content()


def _whole(report: Report) -> dict[str, Any]:
    if report.window is None:
        return {"csv": reports.read_csv(report).decode()}
    return {"details": report_details.read(report).records()}


def report_file(report: Report, form: str) -> bottle.HTTPResponse:
    """Return the answer with a report as a file (``form`` is csv, details or xlsx), or with its
    progress as text."""
    if report.status == FAILED:
        return problem(
            409,
            "report_failed",
            str(report.error),
            "Trigger a new report.",
            **{"X-Report-Status": FAILED},
        )
    headers = {"X-Report-Status": report.status, "Cache-Control": "no-store"}
    if report.status == RUNNING:
        headers["Content-Type"] = "text/plain; charset=utf-8"
        return bottle.HTTPResponse(RUNNING, 202, headers)
    attachment = f'attachment; filename="restmon-{report.id}'
    if form == "csv":
        mark = reports.find_mark(report)
        body = kept.find_or_make(("csv", report.id), mark, lambda: reports.read_csv(report))
        headers["Content-Type"] = CSV_TYPE
        headers["Content-Disposition"] = f'{attachment}.csv"'
        return send_body(body, headers)
    content, kind, suffix = _read_details(report, form)
    headers["Content-Type"] = kind
    headers["Content-Disposition"] = f'{attachment}{suffix}"'
    return bottle.HTTPResponse(content, 200, headers)


def _read_details(report: Report, form: str) -> tuple[bytes, str, str]:
    """(content, media type, end of the name) of a report's details as a file."""
    table = report_details.read(report)
    if form == "details":
        return table.csv().encode(), CSV_TYPE, "-details.csv"
    return make_workbook(table), workbook.TYPE, ".xlsx"


def wants_csv() -> bool:
    """Return whether the Accept header names text/csv and does not prefer JSON."""
    weights = read_weights("Accept")
    csv = weights.get("text/csv", 0.0)
    return csv > 0 and csv >= weights.get("application/json", 0)
