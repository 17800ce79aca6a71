"""The documentation of the API, made from the OpenAPI document: docs/API.md and ``GET /docs``."""

import html
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Any
from urllib.parse import quote, urlencode

import bottle
from markdown_it import MarkdownIt

from restmon.api import openapi
from restmon.api.doc_examples import ASKED, make_example
from restmon.api.openapi import Schema

SERVER = "http://127.0.0.1:8000"
"""The address in the examples of docs/API.md."""
SHORT_WORDS = {
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "true or false",
    "object": "object",
    "null": "null",
}
INTRODUCTION = '''\
# The API

This page is made from the OpenAPI document (`/openapi.json`) by `make api-docs`; the API itself
shows it at `/docs`. What every number means is in [SEMANTICS.md](SEMANTICS.md).

- Answers are JSON. Times are in hours and shares in per cent, both as numbers with two decimals;
  instants are ISO 8601 with `Z`. What is not known is `null`.
- An error is `{"error": {"code", "message", "hint"}}` with the fitting status: `code` is a stable
  word for programs, `message` says what is wrong and `hint` how to correct it.
- A key goes into a header: `Authorization: Bearer THE_KEY`; an operator makes one with
  `python -m restmon keys make NAME`. To an owner's key the stores of others are not there (404).
- A window of time is named by `from` and `to`, by `month` or by `last`; without any it is the last
  168 hours. Later releases may add members to answers.

## From Python

```python
"""The stores that are down, and how the worst one of the last week did day by day."""

import json
from urllib.parse import urlencode
from urllib.request import Request, urlopen

API = "http://127.0.0.1:8000"
KEY = ""  # from: python -m restmon keys make NAME


def get(path, **query):
    headers = {"Authorization": f"Bearer {KEY}"} if KEY else {}
    with urlopen(Request(f"{API}{path}?{urlencode(query)}", headers=headers)) as answer:
        return json.load(answer)


def list_stores(**query):
    page = get("/stores", **query)
    yield from page["stores"]
    while page["next"]:
        page = get("/stores", **query, cursor=page["next"])
        yield from page["stores"]


for store in list_stores(status="down"):
    print(store["store_id"], "is down since", store["down_since"])

worst = next(list_stores(sort="-down", limit=1))
days = get(f"/stores/{worst['store_id']}/uptime", last="7d", by="day")["periods"]
for day in days:
    print(day["date"], f"{day['down']} hours down of {day['open']}")
```

As a data frame, a row for each day (`API` as above):

```python
import pandas as pd

days = pd.DataFrame(pd.read_json(f"{API}/stores/THE_STORE/uptime", typ="series")["periods"])
```

(With a key: `pd.read_json(…, storage_options={"Authorization": "Bearer THE_KEY"})`.)
'''
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>restmon API: every route</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }}
pre {{ background: #8881; border: 1px solid #8884; border-radius: 6px; padding: .7rem .9rem;
  overflow-x: auto; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
th, td {{ border: 1px solid #8884; padding: .25rem .6rem; text-align: left; vertical-align: top; }}
h2 {{ margin-top: 2.5rem; font-size: 1.25rem; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def write_markdown(document: Schema) -> str:
    """Return the documentation of an OpenAPI document as Markdown."""
    components = document["components"]["schemas"]
    operations = list(_main_operations(document))
    lines = ["## Routes", ""]
    for title, operation, _ in operations:
        lines.append(f"- [{title}](#{slug(title)}): {_first_small(operation['summary'])}")
    for title, operation, others in operations:
        lines += ["", f"## {title}", "", f"{operation['summary']}.", ""]
        about = [operation.get("description", "")]
        about += [f"Also by {' and '.join(others)}."] if others else []
        lines += [" ".join(filter(None, about)), ""]
        lines += _write_parameters(operation)
        lines += _write_example(title, operation, components)
        lines += _write_answer(operation, components)
    routes = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
    return f"{INTRODUCTION}\n{routes.rstrip()}\n"


def _main_operations(document: Schema) -> Iterable[tuple[str, Schema, list[str]]]:
    """(title, operation, its other methods) of each operation, by path."""
    for path, methods in sorted(document["paths"].items()):
        alike: dict[str, list[str]] = {}
        for method, operation in methods.items():
            main = operation["operationId"].removesuffix(f"_{method}")
            alike.setdefault(main, []).append(method)
        for method, operation in sorted(methods.items()):
            main = operation["operationId"]
            if main in alike:
                others = [other.upper() for other in alike[main] if other != method]
                yield f"{method.upper()} {path}", operation, others


def _first_small(text: str) -> str:
    return text[:1].lower() + text[1:]


def slug(title: str) -> str:
    """Return the anchor of a heading, in the form that code hosts use."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _body(operation: Schema) -> tuple[str, Schema]:
    """(media type, schema) of the body of a request; empty if it has none."""
    contents = operation.get("requestBody", {}).get("content", {})
    kind = next(iter(contents), "")
    return kind, contents.get(kind, {}).get("schema", {})


def _write_parameters(operation: Schema) -> list[str]:
    rows = [
        (one["name"], "path" if one["in"] == "path" else "query", one["required"], one)
        for one in operation.get("parameters", [])
    ]
    _, body = _body(operation)
    required = body.get("required", [])
    if body.get("type") == "array":
        body = body["items"]
        required = body["x-required"]
    rows += [
        (name, "body", name in required, {"schema": one, "description": one.get("description", "")})
        for name, one in body.get("properties", {}).items()
    ]
    if not rows:
        return []
    lines = ["| parameter | in | type | what it is |", "| --- | --- | --- | --- |"]
    for name, place, needed, one in rows:
        what = _cell(one["description"]) + (" **Required.**" if needed else "")
        lines.append(f"| `{name}` | {place} | {_cell(_type(one['schema']))} | {what.strip()} |")
    return [*lines, ""]


def _type(schema: Schema) -> str:
    """A type in words."""
    if "$ref" in schema:
        return "object"
    if "anyOf" in schema:
        kinds = [_type(kind) for kind in schema["anyOf"] if kind.get("enum") != [""]]
        kinds = [kind for one in kinds for kind in one.split(" or null")[:1] if kind != "null"]
        null = any("null" in _type(kind).split() for kind in schema["anyOf"])
        return " or ".join(dict.fromkeys(kinds)) + (" or null" if null else "")
    if "enum" in schema or "const" in schema:
        words = schema.get("enum", [schema.get("const")])
        return ", ".join(f"`{word}`" for word in words if word not in {"", None})
    if schema.get("format") == "date-time":
        return "instant"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return SHORT_WORDS.get(schema.get("type", "string"), "text")


def _write_example(title: str, operation: Schema, components: Schema) -> list[str]:
    """The example's request, for a shell."""
    method, path = title.split(" ", 1)
    shown = ASKED.get(operation["operationId"], ())
    query: dict[str, Any] = {}
    for one in operation.get("parameters", []):
        value = make_example(one["schema"], components, one["name"])
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", quote(str(value)))
        elif one["required"] or one["name"] in shown:
            query[one["name"]] = value
    url = f"{SERVER}{path}{'?' if query else ''}{urlencode(query)}"
    words = ["curl", *([] if method == "GET" else ["-X", method])]
    kind, body = _body(operation)
    if "multipart" in kind:
        words = ["curl", "-F polls=@polls.csv", "-F business_hours=@hours.csv"]
    elif body.get("type") == "array":
        item = make_example(body["items"], components)
        words += ["-H 'Content-Type: application/json'", f"-d '{json.dumps([item])}'"]
    elif body:
        wanted = {*body.get("required", []), *shown}
        sent = {
            name: make_example(one, components, name)
            for name, one in body["properties"].items()
            if name in wanted
        }
        if sent:
            words += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(sent)}'"]
    return ["```sh", " ".join([*words, f'"{url}"']), "```", ""]


def _write_answer(operation: Schema, components: Schema) -> list[str]:
    """The answer: an example, the members, the statuses of errors."""
    statuses = [status for status in operation["responses"] if status.isdigit()]
    good = [status for status in statuses if int(status) < 300]
    lines: list[str] = []
    for status in good[:1]:
        contents = operation["responses"][status]["content"]
        schema = contents.get("application/json", {}).get("schema", {})
        if "$ref" not in schema:
            lines += [f"Answers {status} with {' or '.join(contents)}.", ""]
            continue
        others = [kind for kind in contents if kind != "application/json"]
        also = f" (or {', '.join(others)})" if others else ""
        example = json.dumps(make_example(schema, components), indent=2, ensure_ascii=False)
        lines += [f"Answers {status}{also}:", "", "```json", example, "```", ""]
        lines += ["| member | type | what it is |", "| --- | --- | --- |"]
        lines += _write_members(schema, components, "")
        lines += [""]
    errors = [status for status in statuses if int(status) >= 300 and status not in good]
    if len(good) > 1:
        lines += [f"Other answers: {', '.join(good[1:])}.", ""]
    if errors:
        lines += [f"Errors: {', '.join(errors)}."]
    return lines


def _write_members(schema: Schema, components: Schema, before: str) -> list[str]:
    """A row for each member, followed by its own members."""
    found = components[schema["$ref"].rpartition("/")[2]]
    rows = []
    for name, one in found["properties"].items():
        rows.append(
            f"| `{before}{name}` | {_cell(_type(one))} | {_cell(one.get('description', ''))} |"
        )
        kinds = [one, *one.get("anyOf", []), one.get("items", {})]
        for kind in kinds:
            if "$ref" in kind:
                many = "[]" if one.get("type") == "array" else ""
                rows += _write_members(kind, components, f"{before}{name}{many}.")
    return rows


def write_page(document: Schema) -> str:
    """Return the documentation as a page of HTML that fetches nothing."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    text = write_markdown(document).replace("[SEMANTICS.md](SEMANTICS.md)", "docs/SEMANTICS.md")
    tokens = markdown.parse(text)
    for heading, content in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", slug(content.content))
    return PAGE.format(body=markdown.renderer.render(tokens, markdown.options, {}))


@lru_cache(maxsize=1)
def _write_page_of(app: bottle.Bottle) -> str:
    """The page of an application, whose routes stay as they are."""
    return write_page(openapi.document(app.routes, SERVER))


def page_of(app: bottle.Bottle, origin: str) -> str:
    """Return the page of an application; ``origin`` is the API's address, not escaped."""
    return _write_page_of(app).replace(SERVER, html.escape(origin))
