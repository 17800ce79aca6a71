"""``python -m restmon report``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from restmon.cli.options import FILE
from restmon.cli.output import progress_bar
from restmon.core.instants import as_text
from restmon.core.timeline import METHODS, NEAREST
from restmon.errors import BadRequest
from restmon.files import write_file
from restmon.reporting import computation
from restmon.reporting.details import compute_details
from restmon.reporting.details_table import DetailsTable, make_table
from restmon.reporting.scopes import find_scope, mask_ids
from restmon.reporting.windows import Window, parse_window
from restmon.storage import database

FORMATS = ("csv", "details", "xlsx", "json")

Command = Callable[..., None]


def window_options(command: Command) -> Command:
    """Give a command the options of a window, and a group."""
    for option in reversed(
        [
            click.option(
                "--from",
                "since",
                help="Begin of the window: an instant, or a date, which is midnight in each "
                "store's zone.",
            ),
            click.option("--to", help="End of the window (default: as of)."),
            click.option("--month", help="A calendar month in each store's zone: 2023-01."),
            click.option(
                "--last",
                help="A length of time that ends as of: 24h, 30d or 4w; or week or month, the last "
                "whole one (Monday to Sunday).",
            ),
            click.option("--group", help="Only the stores of this group."),
            click.option("--as-of", help="As of this UTC instant (default: the newest poll)."),
            click.option(
                "--method",
                type=click.Choice(METHODS),
                default=NEAREST,
                show_default=True,
                help="Status between two polls: that of the nearer one, or of the previous one.",
            ),
        ]
    ):
        command = option(command)
    return command


def pop_window(words: dict[str, Any]) -> Window | None:
    """Remove the words of a window from a command's values and return them."""
    given = {name: words.pop(name) for name in ("to", "month", "last")}
    return parse_window({"from": words.pop("since"), **given})


def pop_as_of(words: dict[str, Any]) -> int | None:
    """Remove the instant from a command's values and return it."""
    text = words.pop("as_of")
    return None if text is None else computation.parse_as_of(text)


@click.command()
@window_options
@click.option("--store", help="Only this store.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="csv: the seven columns; details: more of every store, as CSV; xlsx, json: the details "
    "(default: csv, with a window details).",
)
@click.option("--output", required=True, type=FILE, help="The file to write.")
def report(form: str | None, store: str | None, output: Path, **words: Any) -> None:
    """Compute a report and write it as a file."""
    window, as_of = pop_window(words), pop_as_of(words)
    form = form or ("csv" if window is None else "details")
    if form == "csv" and window is not None:
        raise BadRequest(
            "The seven columns are of the last hour, day and week, not of another window.",
            "Use --format details, xlsx or json.",
        )
    database.configure()
    scope = find_scope(group=words["group"], store_id=store)
    with progress_bar("computing") as bar:

        def show(done: float) -> None:
            if bar:
                bar.update(bar.task_ids[0], completed=done)

        if form == "csv":
            with database.reading():
                data = computation.compute(as_of, words["method"], show)
                wanted = mask_ids(scope, data.stores.ids)
            content, instant = data.csv(wanted).encode(), data.as_of
            stores = content.count(b"\n") - 1
        else:
            found = compute_details(scope, window, as_of, words["method"], show)
            content, instant = _write(make_table(found), form), found.as_of
            stores = len(found.stores.ids)
        write_file(output, content)
    click.echo(f"{output}: {stores:,} stores as of {as_text(instant)}")


def _write(table: DetailsTable, form: str) -> bytes:
    if form == "details":
        return table.csv().encode()
    if form == "json":
        return json.dumps({"about": table.about, "stores": table.records()}).encode()
    from restmon.reporting.workbook import make_workbook  # noqa: PLC0415

    return make_workbook(table)
