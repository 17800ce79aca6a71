"""``python -m restmon undo``."""

import click

from restmon.ingest import undo
from restmon.storage import database


@click.command("undo")
@click.argument("import_id", metavar="ID")
def undo_command(import_id: str) -> None:
    """Undo the import ID: what it replaced comes back."""
    database.configure()
    click.echo(undo.undo(import_id).sentence)
