"""``python -m restmon export``."""

from pathlib import Path

import click

from restmon.cli.options import FILE
from restmon.files import write_file
from restmon.ingest.feeds_csv import EXPORTS, export_csv
from restmon.storage import database


@click.command("export")
@click.argument("kind", type=click.Choice(list(EXPORTS)))
@click.option("--output", type=FILE, help="CSV file to write (default: standard output).")
def export_command(kind: str, output: Path | None) -> None:
    """Write a feed other than polls as CSV that can be imported again."""
    database.configure()
    text = export_csv(kind)
    if output is None:
        click.echo(text, nl=False)
        return
    write_file(output, text.encode())
    click.echo(f"{output}: {len(text.encode()):,} bytes")
