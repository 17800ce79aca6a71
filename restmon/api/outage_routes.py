"""The routes of outages and incidents."""

import bottle

from restmon.access.roles import Role
from restmon.api.answers import answer, answer_csv
from restmon.api.application import Application
from restmon.api.operations import Operation
from restmon.api.outage_models import GetIncidents, GetOutages, IncidentList, OutageList
from restmon.api.requests import actor
from restmon.api.store_answers import iso
from restmon.errors import BadRequest
from restmon.reporting import incident_list, outage_list
from restmon.reporting.answer_limits import check_length
from restmon.reporting.details_table import write_csv
from restmon.reporting.scopes import find_scope

MOST_OUTAGES = 100_000
"""The most outages in one answer as JSON. A CSV file has any number."""

routes = Application()


@routes.get(
    "/outages",
    needs=Role.VIEWER,
    operation=Operation(
        "get_outages",
        takes=GetOutages,
        gives={200: [OutageList, "text/csv"]},
        errors=(404, 409),
    ),
)
def get_outages(asked: GetOutages) -> bottle.HTTPResponse:
    """Get the outages that overlap a window. None is cut at its edges.

    The window has at most 450,000 days of stores, such as a month of 14,000 stores or a year of
    1,200; up to 8 days it may be of any number.
    """
    scope = find_scope(actor(), asked.group, asked.store_id)
    check_length(scope, asked.window(), asked.as_of)
    found = outage_list.find_outages_in(scope, asked.window(), asked.as_of, asked.method)
    chosen = found.filtered(asked.ongoing, asked.min_minutes)
    if asked.format != "csv" and len(chosen) > MOST_OUTAGES:
        raise BadRequest(
            f"There are {len(chosen):,} outages, and an answer has at most {MOST_OUTAGES:,}.",
            "Ask for a group or a shorter window, or use format=csv.",
        )
    rows = outage_list.make_rows(found, chosen)
    if asked.format == "csv":
        return answer_csv("outages", write_csv(outage_list.COLUMNS, rows))
    return answer(
        {
            "as_of": iso(found.as_of),
            "window": found.window.text,
            "count": len(rows),
            "outages": [dict(zip(outage_list.COLUMNS, row, strict=True)) for row in rows],
        }
    )


@routes.get(
    "/incidents",
    needs=Role.VIEWER,
    operation=Operation(
        "get_incidents",
        takes=GetIncidents,
        gives={200: [IncidentList, "text/csv"]},
        errors=(404, 409),
    ),
)
def get_incidents(asked: GetIncidents) -> bottle.HTTPResponse:
    """Get when many stores were down at once, in a window.

    The window is at most as long as that of GET /outages.
    """
    scope = find_scope(actor(), asked.group)
    check_length(scope, asked.window(), asked.as_of)
    found = incident_list.list_incidents(scope, asked.window(), asked.as_of, asked.method)
    rows = incident_list.make_rows(found, scope.seen)
    if asked.format == "csv":
        return answer_csv("incidents", write_csv(incident_list.COLUMNS, rows))
    return answer(
        {
            "as_of": iso(found.as_of),
            "window_from": iso(found.lo),
            "window_to": iso(found.hi),
            "count": len(rows),
            "incidents": [dict(zip(incident_list.COLUMNS, row, strict=True)) for row in rows],
        }
    )
