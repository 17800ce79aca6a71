"""Answers as JSON, and every error as the one error model."""

import json
from typing import Any

import bottle

from restmon.api.models import Answer, Error, ErrorDetails
from restmon.errors import (
    BadRequest,
    CannotUndo,
    DatabaseUnavailable,
    DatabaseUnusable,
    DataChanged,
    FileRejected,
    Forbidden,
    NoPolls,
    NoRoom,
    NotFound,
    NotLoggedIn,
    NotWritable,
    RestmonError,
    TooManyRequests,
)
from restmon.settings import get_settings

JSON_TYPE = "application/json; charset=utf-8"
STATUSES: list[tuple[type[RestmonError], int]] = [
    (NotFound, 404),
    (BadRequest, 400),
    (NotLoggedIn, 401),
    (Forbidden, 403),
    (TooManyRequests, 429),
    (NoPolls, 409),
    (CannotUndo, 409),
    (DataChanged, 409),
    (FileRejected, 422),
    (NoRoom, 507),
    (NotWritable, 503),
    (DatabaseUnavailable, 503),
]

Details = tuple[str, str, str]
"""Code, message and hint of an error."""

INTERNAL_ERROR: Details = ("internal_error", "The server could not answer.", "Its log says why.")
TOO_LARGE: Details = (
    "too_large",
    "The request is too large.",
    "Send files as multipart form data.",
)
TOO_LONG: Details = (
    "too_long",
    "The address or a header of the request is too long.",
    "Shorten it.",
)
TOO_SLOW: Details = (
    "too_slow",
    "The request did not arrive in time.",
    "Send it faster, or in smaller parts.",
)
UNREADABLE: Details = ("bad_request", "The request cannot be read.", "See /openapi.json.")
RETRY_AFTER_SECONDS = "5"
"""How long to wait for a database that is busy, or does not answer."""
MAKE_ROOM = "Make room or make the folder writable, then try again."


def answer(
    content: Answer | dict[str, Any], status: int = 200, **headers: str
) -> bottle.HTTPResponse:
    """Return a JSON answer that no cache stores."""
    members = content.content() if isinstance(content, Answer) else content
    headers |= {"Content-Type": JSON_TYPE, "Cache-Control": "no-store"}
    return bottle.HTTPResponse(json.dumps(members), status, headers)


def answer_csv(name: str, text: str) -> bottle.HTTPResponse:
    """Return a CSV file to download, which no cache keeps."""
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        "Cache-Control": "no-store",
    }
    return bottle.HTTPResponse(text, 200, headers)


def error_body(code: str, message: str, hint: str = "") -> dict[str, Any]:
    """Return the body of an error's answer."""
    return Error(error=ErrorDetails(code=code, message=message, hint=hint)).content()


def problem(
    status: int, code: str, message: str, hint: str = "", **headers: str
) -> bottle.HTTPResponse:
    """Return an error's answer."""
    return answer(error_body(code, message, hint), status, **headers)


def refusal(error: RestmonError) -> bottle.HTTPResponse:
    """Return the answer for one of restmon's errors, with its status."""
    status = next((s for kind, s in STATUSES if isinstance(error, kind)), 500)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, DatabaseUnavailable) and not isinstance(error, DatabaseUnusable):
        headers["Retry-After"] = RETRY_AFTER_SECONDS
    return problem(status, error.code, error.message, error.hint, **headers)


def routing_error(error: bottle.HTTPError) -> str:
    """Return the body for an error that Bottle raises, such as for a path that no route has."""
    request, response = bottle.request, bottle.response
    path = request.path[:80]
    details: dict[int, Details] = {
        404: ("not_found", f"There is nothing at {path}.", "See /openapi.json."),
        405: (
            "method_not_allowed",
            f"{request.method} is not allowed at {path}.",
            f"Use {error.headers.get('Allow', 'another method')}.",
        ),
        413: TOO_LARGE,
        500: INTERNAL_ERROR,
    }
    response.content_type = JSON_TYPE
    response.set_header("Cache-Control", "no-store")
    return json.dumps(error_body(*details.get(error.status_code, UNREADABLE)))


def transport_error(status: int, text: str) -> bytes:
    """Return the body for a request that Waitress refuses before any route sees it.

    Parameters
    ----------
    status
        The HTTP status.
    text
        What Waitress says is wrong.
    """
    limit = get_settings().max_upload_mb
    details: dict[int, Details] = {
        408: TOO_SLOW,
        413: (
            "too_large",
            f"The request is larger than {limit:,} MB.",
            "Send files gzipped or in parts, import them by the command line, or raise "
            "RESTMON_MAX_UPLOAD_MB.",
        ),
        431: TOO_LONG,
        500: INTERNAL_ERROR,
        503: (NotWritable.code, text, MAKE_ROOM),
        507: (NoRoom.code, text, MAKE_ROOM),
    }
    bad = ("bad_request", f"The request is not proper HTTP: {text}.", "Correct the client.")
    return json.dumps(error_body(*details.get(status, bad))).encode()
