"""README names every command, every setting and every route."""

import re
from dataclasses import fields

import click
import pytest

import api_server
from restmon.cli.main import main
from restmon.dashboard.upload_preview import ASKED
from restmon.ingest.choices import OPTIONS
from restmon.settings import Settings
from tests.support.environment import ROOT

README = (ROOT / "README.md").read_text()


def commands(command: click.Command, words: tuple[str, ...] = ()) -> list[str]:
    """The words of every command that is no group of commands."""
    if not isinstance(command, click.Group):
        return [" ".join(words)]
    return [
        found
        for name, child in command.commands.items()
        for found in commands(child, (*words, name))
    ]


def documented_commands() -> set[str]:
    """The commands of README's lines `python -m restmon a … | b …  # why`; in a line of a group
    of commands its name stands once."""
    found = set()
    for line in re.findall(r"^python -m restmon ([^#\n]+)", README, re.MULTILINE):
        first, *others = line.split(" | ")
        words = first.split()
        group = [words[0]] if isinstance(main.commands.get(words[0]), click.Group) else []
        found.add(" ".join(words[: len(group) + 1]))
        found |= {" ".join([*group, other.split()[0]]) for other in others}
    return found


def test_commands():
    assert documented_commands() == set(commands(main))


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_settings(name: str):
    assert f"| `RESTMON_{name.upper()}` |" in README


def test_routes():
    """A part of the path that is an id stands there as `…`."""
    rules = {re.sub("<[^>]+>", "…", route.rule) for route in api_server.app.routes}
    assert len(rules) > 5
    missing = {rule for rule in rules if not re.search(rf"[` ]{re.escape(rule)}[`?]", README)}
    assert not missing


@pytest.mark.parametrize("choice", OPTIONS)
def test_every_choice_of_an_import_is_in_the_readme(choice: str):
    assert f"`{choice}`" in README
    assert f"`--{choice.replace('_', '-')}`" in README
    assert ASKED[choice] in README
    for option in OPTIONS[choice]:
        assert f"`{option}`" in README
