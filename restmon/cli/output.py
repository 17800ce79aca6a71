"""What several commands write: progress, rejected lines, values in a list."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from restmon.core.instants import as_datetime

if TYPE_CHECKING:
    from rich.progress import Progress

    from restmon.ingest.writer import StageProgress


@contextmanager
def progress_bar(title: str) -> "Iterator[Progress | None]":
    """A progress bar on standard error if that is a terminal, else None."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        bar.add_task(title, total=1.0)
        yield bar


def stage_progress(bar: "Progress | None") -> "StageProgress | None":
    """A function that shows an import's stage and progress on the bar."""
    if bar is None:
        return None

    def show(stage: str, done: int, total: int) -> None:
        task = bar.task_ids[0]
        bar.update(task, description=f"{stage:8}", completed=done / total if total else 1.0)

    return show


def print_rejected(rejections: list[dict[str, Any]]) -> None:
    """Print the first ten rejected lines on standard error."""
    for r in rejections[:10]:
        where = f", column {r['column']}" if r["column"] else ""
        click.echo(
            f"  {r['file']} line {r['line']}{where}: {r['value']!r}: {r['reason']}", err=True
        )


def format_minute(instant: int | None) -> str:
    """An instant to the minute, UTC; "never" for None."""
    return "never" if instant is None else f"{as_datetime(instant):%Y-%m-%d %H:%M}"


def format_groups(groups: list[str] | None) -> str:
    """The names of groups, in parentheses after a space; "" for None, which means all stores."""
    return "" if groups is None else f" ({', '.join(groups) or 'no group'})"
