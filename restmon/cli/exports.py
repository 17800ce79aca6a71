"""``python -m restmon export``."""

from pathlib import Path

import click

from restmon.cli.options import FILE
from restmon.files import write_file
from restmon.ingest.feeds_csv import EXPORTS, export_csv
from restmon.ingest.headers import POLLS
from restmon.ingest.polls_export import CSV, FORMATS, export_polls
from restmon.storage import database


@click.command("export")
@click.argument("kind", type=click.Choice([*EXPORTS, POLLS]))
@click.option(
    "--output", type=FILE, help="File to write (default: standard output; polls need one)."
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default=CSV, help="Of polls: csv or parquet."
)
def export_command(kind: str, output: Path | None, form: str) -> None:
    """Write a feed as CSV that can be imported again; polls also as Parquet."""
    if kind == POLLS and output is None:
        raise click.UsageError("Polls are written to a file: name it with --output.")
    if kind != POLLS and form != CSV:
        raise click.UsageError("Only polls are written as Parquet; leave --format out.")
    database.configure()
    if output is None:
        click.echo(export_csv(kind), nl=False)
        return
    if kind == POLLS:
        click.echo(f"{output}: {export_polls(output, form):,} polls")
        return
    text = export_csv(kind)
    write_file(output, text.encode())
    click.echo(f"{output}: {len(text.encode()):,} bytes")
