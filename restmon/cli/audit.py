"""``python -m restmon audit``."""

from pathlib import Path

import click

from restmon.cli.options import FILE
from restmon.core.instants import as_datetime
from restmon.files import write_file
from restmon.ops import audit_list
from restmon.storage import database


@click.command("audit")
@click.option("--person", help="Only what this person or key did: the name as it is listed.")
@click.option(
    "--kind",
    type=click.Choice(audit_list.KINDS, case_sensitive=False),
    help="Only entries of this kind.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="Number of entries (default: 100 as text, all as CSV).",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "csv"]),
    default="text",
    show_default=True,
    help="Lines of text, or CSV: at_utc, actor, action, subject, address, what.",
)
@click.option("--output", type=FILE, help="CSV file to write (default: standard output).")
def audit_command(
    person: str | None, kind: str | None, limit: int | None, form: str, output: Path | None
) -> None:
    """List who did what, newest first, with times in UTC."""
    if output and form != "csv":
        raise click.UsageError("--output requires --format csv.")
    database.configure()
    if form == "csv":
        text = audit_list.make_csv(audit_list.AuditQuery(person, kind, limit))
        if output is None:
            click.echo(text, nl=False)
            return
        write_file(output, text.encode())
        click.echo(f"{output}: {len(text.encode()):,} bytes")
        return
    for line in audit_list.list_lines(audit_list.AuditQuery(person, kind, limit or 100)):
        entry = line.entry
        place = f" from {entry.address}" if entry.address else ""
        click.echo(f"{as_datetime(entry.at):%Y-%m-%d %H:%M:%S}  {entry.actor} {line.what}{place}")
