"""Examples for the documentation of the API. A name has the same value everywhere."""

from typing import Any

from restmon.api.openapi import Schema

BY_NAME: dict[str, Any] = {
    "actor": "anna@example.com",
    "at": "2023-01-25T17:05:42.100000Z",
    "text": "The router was unplugged. Plugged in again.",
    "action": "Import a time zone file that names them.",
    "cause": "paused by the store",
    "status_url": "http://127.0.0.1:8000/get_report?report_id=5f20ef905c8e4a5b9a1e3f0d7c6b2a48",
    "checked_at": "2023-01-25 18:20:00.000000 UTC",
    "column": "status",
    "database": "ok",
    "detail": "",
    "error_code": None,
    "file": "polls.csv",
    "kind": "polls",
    "likely": None,
    "method": "nearest",
    "notices": ["polls.csv: line 3 is taken as the header."],
    "queue": "ok",
    "reason": "use active or inactive",
    "requested_at": "2023-01-25 18:20:00.000000 UTC",
    "requested_by": "api",
    "undone_at": None,
    "value": "broken",
    "window": "last=30d",
    "worker": "ok",
    "address": "12 Main St, Chicago",
    "as_of": "2023-01-25T18:13:22.047000Z",
    "budget": 3.72,
    "budget_left": 1.22,
    "burn_rate": 0.83,
    "closed_on": None,
    "code": "not_found",
    "count": 1,
    "coverage": 97.5,
    "date": "2023-01-24",
    "day_of_week": 0,
    "down": 2.5,
    "down_since": "2023-01-25T17:40:10.500000Z",
    "end": "2023-01-25T06:00:00.000000Z",
    "end_time_local": "22:00",
    "ends_at": "midpoint",
    "error": None,
    "from": "2023-01-18",
    "group": "Downtown",
    "groups": ["Downtown", "Pizza"],
    "hint": "Look for it among the stores.",
    "hour": 12,
    "import_id": "607e896e0c1d4f5d8d0f6a3a5e1b2c4d",
    "last": "30d",
    "last_poll": "2023-01-25T18:05:31.382000Z",
    "limit": 2,
    "longest_outage": 1.5,
    "lost_sales": 412.5,
    "mean_outage": 1.25,
    "message": "There is no store '77'.",
    "month": "2023-01",
    "name": "Main Street Pizza",
    "never_observed": 0,
    "newest_poll": "2023-01-25 18:13:22.047000 UTC",
    "next": "WyItZG93biIsMTgwMDAwMDAwMDAsIjEwMDM3MTM5MjMxMTU4OTAyMzgiXQ",
    "open": 84.0,
    "opened_on": "2021-05-01",
    "outages": 2,
    "poll": "2023-01-25T17:05:42.100000Z",
    "report_id": "5f20ef905c8e4a5b9a1e3f0d7c6b2a48",
    "sales_per_hour": 165.0,
    "search": "main",
    "sort": "-down",
    "start": "2023-01-24T06:00:00.000000Z",
    "start_time_local": "10:00",
    "starts_at": "opening",
    "store_id": "1003713923115890238",
    "target": 99.5,
    "time_between_outages": 40.75,
    "timestamp_utc": "2023-01-25T18:13:22Z",
    "timezone_str": "America/Chicago",
    "dayOfWeek": "0",
    "index": 0,
    "status": "inactive",
    "to": "2023-01-25",
    "up": 81.5,
    "uptime_percent": 97.02,
    "used": 2.5,
    "window_from": "2023-01-18T18:13:22.047000Z",
    "window_to": "2023-01-25T18:13:22.047000Z",
    "year": 2026,
    "zone": "America/Chicago",
}
"""Values that fit together. The schema gives the others."""
ASKED: dict[str, tuple[str, ...]] = {
    "get_stores": ("group", "sort", "limit"),
    "get_store_uptime": ("from", "to", "by"),
    "get_store_spans": ("last",),
    "get_group_uptime": ("month", "by"),
    "get_outages": ("group", "last"),
    "get_incidents": ("from", "to"),
    "add_note": ("cause", "text"),
    "set_target": ("group",),
    "remove_target": ("group",),
}
"""The optional parameters that an example shows, by operation."""
OF_TYPE: dict[str, Any] = {"string": "…", "number": 1.5, "integer": 3, "boolean": False}


def make_example(schema: Schema, components: Schema, name: str = "") -> Any:
    """Return a value of a schema of the document.

    Parameters
    ----------
    schema
        The schema of the value.
    components
        The schemas that the document names.
    name
        The name of its member or parameter.
    """
    if "$ref" in schema:
        return make_example(components[schema["$ref"].rpartition("/")[2]], components, name)
    kinds = schema.get("anyOf", [schema])
    if name in BY_NAME and any(_is_of(BY_NAME[name], kind) for kind in kinds):
        return BY_NAME[name]
    if "anyOf" in schema:
        return make_example(kinds[0], components, name)
    if "enum" in schema or "const" in schema:
        return schema.get("enum", [schema.get("const")])[0]
    if "properties" in schema:
        return {key: make_example(kind, components, key) for key, kind in _members(schema)}
    if schema.get("type") == "array":
        return [make_example(schema["items"], components, name)]
    if schema.get("type") == "object":
        return {}
    if schema.get("format") == "date-time":
        return BY_NAME["as_of"]
    if "pattern" in schema:
        return BY_NAME["report_id"]
    number = OF_TYPE.get(schema.get("type", "string"), "…")
    if isinstance(number, int | float) and not isinstance(number, bool):
        number = max(number, schema.get("minimum", number))
        number = min(number, schema.get("maximum", number))
    return number


def _members(schema: Schema) -> list[tuple[str, Schema]]:
    """The members that an answer always has, or all members if there are no such ones."""
    required = schema.get("required", [])
    found = [(key, kind) for key, kind in schema["properties"].items() if key in required]
    return found or list(schema["properties"].items())


def _is_of(value: Any, schema: Schema) -> bool:
    """Whether a value by name fits a schema without members."""
    if "$ref" in schema or "properties" in schema:
        return False
    if "anyOf" in schema:
        return any(_is_of(value, kind) for kind in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return value in schema.get("enum", [schema.get("const")])
    kinds = {
        "": "type" not in schema,
        "string": isinstance(value, str),
        "number": isinstance(value, int | float),
        "integer": isinstance(value, int),
        "array": isinstance(value, list) and schema.get("items", {}).get("type") == "string",
        "null": value is None,
    }
    return kinds.get(schema.get("type", ""), False)
