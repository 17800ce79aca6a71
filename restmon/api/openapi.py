"""The OpenAPI document, generated from the routes and their models."""

import inspect
import re
from collections.abc import Iterable
from typing import Any

import bottle
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from restmon import __version__
from restmon.access.roles import Role
from restmon.api.models import Answer, Error, Parameters
from restmon.api.operations import Content, Operation
from restmon.api.uploads import FILE_FIELDS
from restmon.ingest.choices import OPTIONS
from restmon.ingest.headers import COLUMNS, columns_of
from restmon.ingest.live_feed import MOST_ITEMS

Schema = dict[str, Any]

IN_PATH = re.compile("<([a-z_]+)(?::path)?>")
"""A parameter in the rule of a route. A path may contain slashes."""
REF = "#/components/schemas/{model}"
TEXT: Schema = {"type": "string"}
LINES = "application/x-ndjson"
COLUMN: Schema = {"type": "string", "minLength": 1, "maxLength": 1000, "pattern": r"^\S+$"}
FILE_TYPES = (
    "text/csv",
    "application/gzip",
    "application/zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
DONE = {200: "Done.", 202: "Accepted; under way."}
ERRORS = {
    400: "A value is missing or cannot be used.",
    401: "The request has no API key where one is needed, or the key is not good.",
    403: "The key's role, or the site that sent the request, does not allow this.",
    404: "There is no such thing.",
    409: "This is not possible in the present state.",
    422: "The input was rejected whole; nothing was changed.",
    503: "The database or the queue does not answer.",
}
OTHERWISE = (
    "The request cannot be read (400), its method is not allowed (405), it did not arrive in time "
    "(408), it is too large (413), the key was used too often (429), the server failed (500), or "
    "its disk is full (507)."
)
INFO: Schema = {
    "title": "restmon",
    "version": __version__,
    "description": "Uptime and downtime of stores during their business hours. Every request needs "
    "an API key, except on the API's own machine as long as there is neither a key nor an account.",
}


class JsonSchemas(GenerateJsonSchema):
    """JSON schemas without generated titles and defaults. An answer leaves out a member that was
    not set, so no client sees its default."""

    def default_schema(self, schema: Any) -> Schema:
        """Return the schema of a value that has a default."""
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        """Return whether a member's name is repeated as its title."""
        return False


def document(routes: Iterable[bottle.Route], server: str) -> Schema:
    """Generate the OpenAPI 3.1 document.

    Parameters
    ----------
    routes
        The application's routes. Each has an `Operation` among its options.
    server
        The address of the API.

    Returns
    -------
    dict
        The document, ready for `json.dumps`.
    """
    paths: dict[str, Schema] = {}
    for route in routes:
        path = IN_PATH.sub(r"{\1}", route.rule)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": server}],
        # Without a key only on this machine, as long as there is neither a key nor an account.
        "security": [{}, {"key": []}],
        "paths": paths,
        "components": {
            "schemas": _components(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: bottle.Route) -> Schema:
    operation: Operation = route.config["operation"]
    needs: Role | None = route.config.get("needs", Role.OPERATOR)
    main = route.method == operation.main
    summary, _, more = (inspect.getdoc(route.callback) or "").partition("\n\n")
    described: Schema = {
        "operationId": operation.id if main else f"{operation.id}_{route.method.lower()}",
        "summary": " ".join(summary.split()).rstrip("."),
        "responses": _responses(operation, needs),
    }
    role = f"Requires the role {needs} or a higher one." if needs else ""
    if needs == Role.FEED:  # which a viewer does not have
        role = "Requires the role feed, owner or operator."
    if description := " ".join([*more.split(), *role.split()]):
        described["description"] = description
    if operation.takes:
        in_path = IN_PATH.findall(route.rule)
        in_body = route.method in {"POST", "PUT"} and not operation.takes_files
        if not in_body:
            described["parameters"] = _parameters(operation.takes, in_path)
        else:
            described["requestBody"] = _body(operation.takes, in_path)
            if in_path:
                every = _parameters(operation.takes, in_path)
                described["parameters"] = [one for one in every if one["in"] == "path"]
    if operation.takes_files and route.method == "POST":
        described["requestBody"] = _files()
    if operation.takes_items:
        described["requestBody"] = _items(operation.takes_items)
    return described


def _responses(operation: Operation, needs: Role | None) -> Schema:
    responses: Schema = {}
    for status, contents in operation.gives.items():
        text = operation.texts.get(status) or DONE[status]
        responses[str(status)] = {"description": text, "content": _contents(contents)}
    error = _contents([Error])
    errors = {*operation.errors, *((401, 403, 503) if needs else ())}
    errors |= {400} if operation.takes else set()
    for status in sorted(errors - set(operation.gives)):
        responses[str(status)] = {"description": ERRORS[status], "content": error}
    return responses | {"default": {"description": OTHERWISE, "content": error}}


def _contents(contents: Iterable[Content]) -> Schema:
    found: Schema = {}
    for content in contents:
        if isinstance(content, str):
            found[content] = {"schema": TEXT}
        elif issubclass(content, Answer):
            found["application/json"] = {"schema": {"$ref": REF.format(model=content.__name__)}}
        else:
            found["application/json"] = {"schema": {"type": "object"}}
    return found


def _members(takes: type[Parameters]) -> dict[str, tuple[Schema, str, bool]]:
    """Return schema, description and whether it is required, of each parameter."""
    schema = takes.model_json_schema(schema_generator=JsonSchemas)
    required = schema.get("required", [])
    return {
        name: (found, " ".join(found.pop("description", "").split()), name in required)
        for name, found in schema["properties"].items()
    }


def _or_empty(schema: Schema, *empty: None) -> Schema:
    """Return the schema of a value that may be empty. An empty value counts as absent."""
    return {"anyOf": [schema, {"enum": ["", *empty]}]}


def _parameters(takes: type[Parameters], in_path: list[str]) -> list[Schema]:
    return [
        {
            "name": name,
            "in": "path" if name in in_path else "query",
            "required": required,
            "description": description,
            "schema": schema if required else _or_empty(schema),
        }
        for name, (schema, description, required) in _members(takes).items()
    ]


def _body(takes: type[Parameters], in_path: list[str]) -> Schema:
    """Return a body with the parameters that are not in the path, as a JSON object or a form."""
    members = {name: found for name, found in _members(takes).items() if name not in in_path}
    names = [name for name, (_, _, required) in members.items() if required]

    def content(*empty: None) -> Schema:
        properties = {
            name: (schema if required else _or_empty(schema, *empty)) | {"description": description}
            for name, (schema, description, required) in members.items()
        }
        return {"schema": {"type": "object", "required": names, "properties": properties}}

    return {
        "content": {
            "application/json": content(None),
            "application/x-www-form-urlencoded": content(),
        },
        "required": bool(names),
    }


def _files() -> Schema:
    """Return a body with files, and with the choices for files that can be read in two ways."""
    binary = {"type": "string", "contentMediaType": "application/octet-stream"}
    fields: Schema = {
        field: {"type": "array", "items": binary, "minItems": 1} for field in FILE_FIELDS
    }
    fields |= {choice: {"enum": list(options)} for choice, options in OPTIONS.items()}
    fields["columns"] = {
        "type": "object",
        "description": "Which column is which where the header does not say it: by kind of file, "
        'then by restmon\'s name, as {"polls": {"timestamp_utc": "Checked at"}}.',
        "properties": {
            kind: {
                "type": "object",
                "properties": dict.fromkeys(columns_of(kind), COLUMN),
                "additionalProperties": False,
            }
            for kind in COLUMNS
        },
        "additionalProperties": False,
    }
    schema = {
        "type": "object",
        "properties": fields,
        "anyOf": [{"required": [field]} for field in FILE_FIELDS],
        "additionalProperties": False,
    }
    types = ", ".join(FILE_TYPES)
    encoding = {field: {"contentType": types} for field in FILE_FIELDS}
    return {"content": {"multipart/form-data": {"schema": schema, "encoding": encoding}}}


def _items(model: type[BaseModel]) -> Schema:
    """Return a body with items, as a JSON array or as JSON lines.

    No item makes a request fail, so any value fits the schema of one; ``x-required`` names what a
    good one has.
    """
    found = model.model_json_schema(schema_generator=JsonSchemas)
    members = {
        name: {"description": " ".join(one["description"].split())}
        for name, one in found["properties"].items()
    }
    item = {
        "description": " ".join(found["description"].split()),
        "properties": members,
        "x-required": found["required"],
    }
    lines = {"description": "One JSON object a line, such as the array holds."}
    array = {"type": "array", "items": item, "minItems": 1, "maxItems": MOST_ITEMS}
    return {
        "content": {"application/json": {"schema": array}, LINES: {"schema": lines}},
        "required": True,
    }


def _components() -> Schema:
    """Return the schemas of all answers by their names."""
    _, schemas = models_json_schema(
        [(model, "serialization") for model in _subclasses(Answer)],
        ref_template=REF,
        schema_generator=JsonSchemas,
    )
    found: Schema = schemas["$defs"]
    for schema in found.values():
        for one in (schema, *schema["properties"].values()):
            if "description" in one:
                one["description"] = " ".join(one["description"].split())
    return dict(sorted(found.items()))


def _subclasses(model: type[Answer]) -> list[type[Answer]]:
    found = []
    for one in model.__subclasses__():
        found += [one, *_subclasses(one)]
    return found
