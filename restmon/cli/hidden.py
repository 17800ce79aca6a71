"""Values that are not shown while they are typed."""

import sys

import click


def read_hidden(label: str, *, twice: bool = False) -> str:
    """Prompt for a value, hidden, and perhaps a second time; or read the first line of standard
    input."""
    if sys.stdin.isatty():
        return str(click.prompt(label, hide_input=True, confirmation_prompt=twice))
    return sys.stdin.readline().rstrip("\r\n")
