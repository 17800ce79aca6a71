"""The arrows of the design: who may import whom."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

PURE = ["keys", "hours", "uptime", "outages", "reasons", "buckets"]
MAY_IMPORT = {"numpy", "pandas", "zoneinfo", "dataclasses", "datetime", "functools"}


def imported(path: Path) -> set[str]:
    """The dotted names a file imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


def files(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


@pytest.mark.parametrize("path", files("restmon"), ids=lambda p: p.name)
def test_restmon_knows_no_web_page_and_no_queue(path: Path):
    assert not tops(path) & {"bottle", "streamlit", "huey", "jobs", "api_server", "pages", "app"}


@pytest.mark.parametrize("name", PURE)
def test_the_core_is_pure(name: str):
    path = ROOT / "restmon" / f"{name}.py"
    for module in imported(path):
        top = module.split(".")[0]
        if top == "restmon":
            assert module.split(".")[1] in PURE
        else:
            assert top in MAY_IMPORT, module


def test_charts_are_pure():
    for module in imported(ROOT / "restmon" / "charts.py"):
        assert not module.startswith(("restmon.database", "restmon.models", "restmon.settings"))
        assert module.split(".")[0] != "peewee"


@pytest.mark.parametrize("path", [*files("pages"), ROOT / "app.py"], ids=lambda p: p.name)
def test_pages_query_no_model(path: Path):
    assert "restmon.models.Poll" not in imported(path)
    assert not tops(path) & {"peewee", "bottle", "sqlite3"}


def test_the_api_knows_no_dashboard():
    assert not tops(ROOT / "api_server.py") & {"streamlit", "plotly", "peewee", "pages"}


def test_the_reference_is_written_apart():
    assert "restmon" not in tops(ROOT / "tests" / "reference.py")
