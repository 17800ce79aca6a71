"""What the API says of itself: the OpenAPI document, and a page for people. Plain data."""

from typing import Any

from restmon import __version__
from restmon.csv_reader import COLUMNS
from restmon.uptime import METHODS, NEAREST

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}

FORMATS = ("json", "csv", "status")
YES = ("true", "1", "yes")
NO = ("false", "0", "no", "")


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": required.split(), "properties": properties}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


COUNTS = _object(
    "read new updated unchanged rejected",
    **dict.fromkeys(("read", "new", "updated", "unchanged", "rejected"), WHOLE),
)
SCHEMAS: dict[str, Schema] = {
    "Error": _object(
        "error", error=_object("code message hint", code=TEXT, message=TEXT, hint=TEXT)
    ),
    "Accepted": _object(
        "report_id status status_url",
        report_id=ID,
        status={"const": "Running"},
        status_url=TEXT,
    ),
    "Report": _object(
        "status report_id progress as_of method",
        status={"enum": ["Running", "Complete", "Failed"]},
        report_id=ID,
        progress={"type": "number", "minimum": 0, "maximum": 1},
        as_of=_or_null(TEXT),
        method={"enum": list(METHODS)},
        requested_at=TEXT,
        requested_by=TEXT,
        demo={"type": "boolean"},
        stores=WHOLE,
        csv_url=TEXT,
        csv=TEXT,
        error=TEXT,
    ),
    "ImportAccepted": _object(
        "import_id status status_url",
        import_id=ID,
        status={"enum": ["Running", "Complete", "Failed"]},
        status_url=TEXT,
        note=TEXT,
    ),
    "Import": _object(
        "import_id status progress files counts error error_code rejections",
        import_id=ID,
        status={"enum": ["Running", "Complete", "Failed"]},
        progress={"type": "number", "minimum": 0, "maximum": 1},
        files={"type": "array", "items": _object("kind name", kind=TEXT, name=TEXT)},
        requested_at=TEXT,
        requested_by=TEXT,
        demo={"type": "boolean"},
        counts=_or_null(
            {"allOf": [COUNTS, _object("kinds", kinds={"additionalProperties": COUNTS})]}
        ),
        error=_or_null(TEXT),
        error_code=_or_null(TEXT),
        rejections={
            "type": "array",
            "items": _object(
                "file line column value reason",
                file=TEXT,
                line=WHOLE,
                column=TEXT,
                value=TEXT,
                reason=TEXT,
            ),
        },
        rejected_csv_url=TEXT,
    ),
    "Health": _object(
        "status database queue worker",
        status={"enum": ["ok", "failing"]},
        database=TEXT,
        queue=TEXT,
        worker=TEXT,
        worker_alive={"type": "boolean"},
        queue_depth=WHOLE,
        worker_seen_seconds_ago=_or_null(NUMBER),
        newest_poll=_or_null(TEXT),
        newest_poll_age_seconds=_or_null(NUMBER),
    ),
}

ERRORS = {
    400: "A value is missing or cannot be used.",
    401: "An API key is needed, or the one sent is not good.",
    403: "The key's role, or the site that sent the request, is not allowed this.",
    404: "There is no such thing.",
    409: "Not possible as things are.",
    422: "The input was rejected whole; nothing was changed.",
    503: "The database or the queue does not answer.",
}
OTHERWISE = "The request cannot be read (400), its method is not allowed (405), it is too large \
(413), or the server failed (500)."
GIVEN_ID: Schema = {"type": "string", "minLength": 1}
AS_OF: Schema = {
    "type": "string",
    "format": "date-time",
    "description": "UTC instant such as 2023-01-25T18:13:22Z, or in any other form of the polls "
    "file; without it, the newest poll's.",
}
METHOD: Schema = {"enum": list(METHODS), "description": f"Without it, {NEAREST}."}
FORMAT: Schema = {
    "enum": list(FORMATS),
    "description": "csv: the file itself, as with Accept: text/csv; status: without the CSV.",
}


def _or_nothing(schema: Schema, *nothing: None) -> Schema:
    """The schema of a value that may also be empty, which is as good as absent."""
    return {"anyOf": [schema, {"enum": ["", *nothing]}]}


def _query(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "schema": _or_nothing(schema)}


def _id(name: str, where: str = "query") -> Schema:
    return {"name": name, "in": where, "required": True, "schema": GIVEN_ID}


def _content(schema: Schema, kind: str = "application/json") -> Schema:
    return {kind: {"schema": schema}}


def _body(optional: dict[str, Schema], **required: Schema) -> Schema:
    """A body with these values: a JSON object or a form."""
    names = " ".join(required)
    in_json = {name: _or_nothing(schema, None) for name, schema in optional.items()}
    in_form = {name: _or_nothing(schema) for name, schema in optional.items()}
    content = _content(_object(names, **required, **in_json)) | _content(
        _object(names, **required, **in_form), "application/x-www-form-urlencoded"
    )
    return {"content": content, "required": bool(required)}


def _operation(
    summary: str, answers: dict[int, Schema], errors: tuple[int, ...] = (), **more: Any
) -> Schema:
    texts = {200: "Done.", 202: "Accepted; under way."}
    responses = {str(s): {"description": texts[s], "content": c} for s, c in answers.items()}
    for status in errors:
        content = _content(_ref("Error"))
        responses[str(status)] = {"description": ERRORS[status], "content": content}
    responses["default"] = {"description": OTHERWISE, "content": _content(_ref("Error"))}
    return {"summary": summary, "responses": responses, **more}


def document(server: str) -> Schema:
    """The OpenAPI 3.1 document of the API at the given address."""
    triggered = {202: _content(_ref("Accepted"))}
    trigger_query = [_query("as_of", AS_OF), _query("method", METHOD)]
    trigger_body = _body({"as_of": AS_OF, "method": METHOD})
    report = {
        200: _content(_ref("Report")) | _content(TEXT, "text/csv"),
        202: _content(TEXT, "text/plain"),
    }
    binary = {"type": "string", "contentMediaType": "application/octet-stream"}
    fields = {kind: {"type": "array", "items": binary, "minItems": 1} for kind in COLUMNS}
    files = _object("", **fields) | {"minProperties": 1, "additionalProperties": False}
    upload = {"content": _content(files, "multipart/form-data")}
    types = {"contentType": "text/csv, application/gzip"}
    upload["content"]["multipart/form-data"]["encoding"] = dict.fromkeys(COLUMNS, types)
    wait = {
        "name": "wait",
        "in": "query",
        "schema": {"type": "boolean"},
        "description": "Answer when the import is done, after ten minutes at the latest; if it "
        "failed, the error comes with the import's state.",
    }
    trigger_errors = (400, 401, 403, 409, 503)
    get_errors = (400, 401, 403, 404, 409, 503)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "restmon",
            "version": __version__,
            "description": "Uptime and downtime of stores during their business hours.",
        },
        "servers": [{"url": server}],
        # At this machine without a key; elsewhere with one.
        "security": [{}, {"key": []}],
        "paths": {
            "/": {"get": _operation("A page for people", {200: _content(TEXT, "text/html")})},
            "/trigger_report": {
                "get": _operation(
                    "Ask for a report",
                    triggered,
                    trigger_errors,
                    parameters=trigger_query,
                ),
                "post": _operation(
                    "Ask for a report",
                    triggered,
                    trigger_errors,
                    requestBody=trigger_body,
                ),
            },
            "/get_report": {
                "get": _operation(
                    "A report's state, with its CSV when complete",
                    report,
                    get_errors,
                    parameters=[_id("report_id"), _query("format", FORMAT)],
                ),
                "post": _operation(
                    "The same, the id in the body",
                    report,
                    get_errors,
                    requestBody=_body({"format": FORMAT}, report_id=GIVEN_ID),
                ),
            },
            "/get_report/{report_id}": {
                "get": _operation(
                    "The same, the id in the path",
                    report,
                    get_errors,
                    parameters=[_id("report_id", "path"), _query("format", FORMAT)],
                )
            },
            "/import_data": {
                "get": _operation(
                    "An import's state",
                    {200: _content(_ref("Import"))},
                    (400, 401, 403, 404, 503),
                    parameters=[_id("import_id")],
                ),
                "post": _operation(
                    "Import uploaded files, or without a body those of the import folder",
                    {200: _content(_ref("Import")), 202: _content(_ref("ImportAccepted"))},
                    (400, 401, 403, 404, 422, 503),
                    parameters=[wait],
                    requestBody=upload,
                ),
            },
            "/import_data/{import_id}/rejected.csv": {
                "get": _operation(
                    "Every rejected line of an import",
                    {200: _content(TEXT, "text/csv")},
                    (401, 403, 404, 503),
                    parameters=[_id("import_id", "path")],
                )
            },
            "/healthz": {
                "get": {
                    "summary": "Whether database, queue and worker are well",
                    "responses": {
                        str(status): {"description": text, "content": _content(_ref("Health"))}
                        for status, text in ((200, "All is well."), (503, "Something is not."))
                    }
                    | {"default": {"description": OTHERWISE, "content": _content(_ref("Error"))}},
                }
            },
            "/metrics": {
                "get": _operation(
                    "Requests and the state of restmon, for Prometheus",
                    {200: _content(TEXT, "text/plain")},
                    (401, 403),
                )
            },
            "/openapi.json": {
                "get": _operation("This document", {200: _content({"type": "object"})})
            },
        },
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>restmon API</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto;
  padding: 0 1rem; }}
pre {{ background: #8881; border: 1px solid #8884; border-radius: 6px; padding: .7rem .9rem;
  overflow-x: auto; }}
h2 {{ margin-top: 2rem; font-size: 1.15rem; }}
</style>
</head>
<body>
<h1>restmon API</h1>
<p>How often, and for how long, stores were offline during business hours.</p>
<h2>1. Import your files</h2>
<pre>curl -F polls=@polls.csv -F business_hours=@hours.csv -F timezones=@zones.csv \\
  "{origin}/import_data?wait=true"</pre>
<h2>2. Ask for a report</h2>
<pre>curl -X POST {origin}/trigger_report</pre>
<h2>3. Get it</h2>
<pre>curl "{origin}/get_report?report_id=THE_ID"
curl -OJ "{origin}/get_report?report_id=THE_ID&amp;format=csv"</pre>
<h2>More</h2>
<ul>
<li><a href="/healthz">/healthz</a>: whether database, queue and worker are well</li>
<li><a href="/metrics">/metrics</a>: requests, queue, workers, ages, for Prometheus</li>
<li><a href="/openapi.json">/openapi.json</a>: every route and answer, as OpenAPI 3.1</li>
</ul>
</body>
</html>
"""


def page(origin: str) -> str:
    """The page for people; ``origin`` is the API's address, escaped for HTML."""
    return PAGE.format(origin=origin)
