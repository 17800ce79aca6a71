"""What import-linter's contracts (pyproject.toml) cannot say of the design."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.environment import ROOT


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


def files(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


@pytest.mark.parametrize("path", [*files("pages"), ROOT / "app.py"], ids=lambda p: p.name)
def test_pages_query_no_model(path: Path):
    names = imported(path)
    assert "restmon.storage.models.Poll" not in names
    assert not {name.split(".")[0] for name in names} & {"peewee", "bottle", "sqlite3"}


def test_the_reference_is_written_apart():
    names = imported(ROOT / "tests" / "reference.py")
    assert not any(name.split(".")[0] == "restmon" for name in names)


def test_the_hooks_of_pre_commit_are_the_commands_of_make_lint():
    recipe = (ROOT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    lines = recipe.replace("\\\n", " ").replace("2>/dev/null", "").splitlines()[1:]
    commands = [" ".join(line.split()).removeprefix("@") for line in lines]
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook["entry"] for repo in config["repos"] for hook in repo["hooks"]]
    assert hooks == [command.replace("$(VENV)", ".venv") for command in commands]
    assert len(hooks) >= 5


def test_no_package_brings_components(no_components: Callable[[], list]):
    assert no_components() == []
