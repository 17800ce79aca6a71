"""docs/API.md is current, its examples are of the API's own schemas, and its code works."""

import json
import re
from typing import Any

import jsonschema_rs
import pandas as pd
import pytest

import api_server
from restmon.api import api_docs, openapi
from restmon.stores import groups
from tests.support.environment import ROOT
from tests.support.workspace import Workspace
from tests.support.wsgi import ask

DOCUMENT = openapi.document(api_server.app.routes, api_docs.SERVER)
TEXT = (ROOT / "docs" / "API.md").read_text(encoding="utf-8")
POLLS = "".join(
    f"{store},{status},2023-01-25 {hour:02}:30:00 UTC\n"
    for store, status in (("up", "active"), ("down", "inactive"))
    for hour in range(12)
)


def code(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_the_file_is_current():
    assert api_docs.write_markdown(DOCUMENT) == TEXT, "Run make api-docs."


def operations() -> list[tuple[str, Any]]:
    """The part of the file about each route, by its heading."""
    parts = re.split(r"^## ((?:GET|POST|PUT|DELETE) .*)\n", TEXT, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def test_every_route_has_an_example():
    found = dict(operations())
    assert len(found) > 20
    for path, methods in DOCUMENT["paths"].items():
        main = {f"{method.upper()} {path}" for method in methods} & found.keys()
        assert main, path
        for title in main:
            assert "curl " in found[title]
    links = re.findall(r"^- \[.*?\]\(#(.*?)\)", TEXT, re.MULTILINE)
    assert links == [api_docs.slug(title) for title in found]


@pytest.mark.parametrize(("title", "part"), operations(), ids=lambda text: text[:40])
def test_an_example_is_of_its_schema(title: str, part: str):
    method, path = title.split(" ")
    operation = DOCUMENT["paths"][path][method.lower()]
    definitions = {"components": DOCUMENT["components"]}
    for status, example in re.findall(
        r"^Answers (\d+).*?:\n\n```json\n(.*?)^```", part, re.M | re.S
    ):
        schema = operation["responses"][status]["content"]["application/json"]["schema"]
        jsonschema_rs.validator_for({**schema, **definitions}).validate(json.loads(example))
    for sent in re.findall(r"-d '(.*?)'", part):
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        jsonschema_rs.validator_for({**body, **definitions}).validate(json.loads(sent))


def test_the_page_shows_it_and_fetches_nothing(workspace: Workspace):
    found = ask("/docs")
    assert found.status_code == 200
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"<(script|link|img|iframe)|src=|url\(|@import", found.text)
    anchors = set(re.findall(r'<h2 id="([^"]+)"', found.text))
    links = re.findall(r'href="([^"]+)"', found.text)
    assert links
    assert {link.removeprefix("#") for link in links} <= anchors
    assert "<table>" in found.text
    assert f"curl &quot;{api_docs.SERVER.rpartition(':')[0]}/stores" in found.text


def test_the_code_works_as_written(workspace: Workspace, capsys: pytest.CaptureFixture[str]):
    workspace.import_now(POLLS)
    groups.create("Downtown")
    workspace.start_api()
    program, one_line = code("python")
    assert len([line for line in program.splitlines() if line.strip()]) <= 30
    names: dict[str, Any] = {}
    assert program.count(api_docs.SERVER) == 1
    exec(program.replace(api_docs.SERVER, workspace.api), names)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("down is down since 2023-01-")
    assert said[-1].startswith("2023-01-25 ")
    exec(one_line.replace("THE_STORE", "down"), names)
    assert isinstance(names["days"], pd.DataFrame)
    assert names["days"]["down"].sum() == pytest.approx(
        sum(day["down"] for day in names["get"]("/stores/down/uptime")["periods"])
    )
    assert len(names["days"]) > 5
