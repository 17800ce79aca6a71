"""``python -m restmon outages`` and ``python -m restmon incidents``."""

import json
from pathlib import Path
from typing import Any

import click

from restmon.cli.options import FILE
from restmon.cli.reports import pop_as_of, pop_window, window_options
from restmon.files import write_file
from restmon.reporting import incident_list, outage_list
from restmon.reporting.details_table import write_csv
from restmon.reporting.scopes import find_scope
from restmon.storage import database

FORM = click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json"]),
    default="csv",
    show_default=True,
    help="Form of the list.",
)
OUTPUT = click.option("--output", type=FILE, help="The file to write (default: standard output).")


@click.command("outages")
@window_options
@click.option("--store", help="Only this store.")
@click.option("--ongoing/--ended", default=None, help="Only those that go on, or have ended.")
@click.option(
    "--min-minutes",
    type=click.FloatRange(0),
    default=0.0,
    help="Only those that have lasted so many open minutes.",
)
@FORM
@OUTPUT
def outages_command(
    store: str | None,
    ongoing: bool | None,
    min_minutes: float,
    form: str,
    output: Path | None,
    **words: Any,
) -> None:
    """List outages in a window: since when, how long, and why.

    Without a window it is the last 168 hours.
    """
    window, as_of = pop_window(words), pop_as_of(words)
    database.configure()
    scope = find_scope(group=words["group"], store_id=store)
    found = outage_list.find_outages_in(scope, window, as_of, words["method"])
    rows = outage_list.make_rows(found, found.filtered(ongoing, min_minutes))
    _write(outage_list.COLUMNS, rows, form, output)


@click.command("incidents")
@window_options
@FORM
@OUTPUT
def incidents_command(form: str, output: Path | None, **words: Any) -> None:
    """List when many stores were down at once, in a window.

    Without a window it is the last 168 hours. Dates and months are those of UTC.
    """
    window, as_of = pop_window(words), pop_as_of(words)
    database.configure()
    scope = find_scope(group=words["group"])
    found = incident_list.list_incidents(scope, window, as_of, words["method"])
    _write(incident_list.COLUMNS, incident_list.make_rows(found, scope.seen), form, output)


def _write(columns: dict[str, int], rows: list[list[Any]], form: str, output: Path | None) -> None:
    if form == "json":
        records = [dict(zip(columns, row, strict=True)) for row in rows]
        text = json.dumps(records, ensure_ascii=False) + "\n"
    else:
        text = write_csv(columns, rows)
    if output is None:
        click.echo(text, nl=False)
        return
    write_file(output, text.encode())
    click.echo(f"{output}: {len(rows):,} lines")
