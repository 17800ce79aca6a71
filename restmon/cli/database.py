"""Care for the database: ``backup``, ``restore``, ``vacuum``, ``forget``, ``migrate-to``."""

import sys
from pathlib import Path

import click

from restmon.cli.options import FILE
from restmon.core.instants import as_text
from restmon.errors import RestmonError
from restmon.ops import backup, deletion, future_polls, retention
from restmon.reporting import computation
from restmon.settings import shown_url
from restmon.storage import database


@click.command("backup")
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Overwrite FILE.")
def backup_command(file: Path, force: bool) -> None:
    """Copy the SQLite database, with reports, to FILE. Works while restmon runs."""
    database.configure()
    size = backup.backup(file, overwrite=force)
    click.echo(f"{file}: {size:,} bytes, checked")


@click.command()
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Replace a database that has stores or is damaged.")
def restore(file: Path, force: bool) -> None:
    """Replace the SQLite database with the backup FILE."""
    stores = backup.restore(file, overwrite=force)
    click.echo(f"{file} is restored: {stores:,} stores")


@click.command("migrate-to")
@click.argument("url")
def migrate_to(url: str) -> None:
    """Copy the SQLite database to the empty PostgreSQL database URL and verify the copy."""
    from restmon.ops import sqlite_to_postgres  # noqa: PLC0415 - only this command needs psycopg

    database.configure()
    counts = sqlite_to_postgres.move_to(url)
    for table, rows in counts.items():
        what = "" if table == "files" else "rows "
        click.echo(f"{table:14} {rows:>13,} {what}copied and compared")
    click.echo(f"Now set RESTMON_DATABASE_URL={shown_url(url)}")


@click.command()
@click.option("--yes", is_flag=True, help="Delete even more than half of all polls.")
def vacuum(yes: bool) -> None:
    """Delete polls older than RESTMON_RETENTION_DAYS; shrink the database."""
    database.configure()
    deleted = retention.apply(accept_much=yes)
    space = retention.vacuum()
    click.echo(
        f"{deleted:,} old polls deleted; the database takes {space.after:,} bytes, "
        f"{max(0, space.before - space.after):,} fewer than before"
    )


@click.command()
@click.option(
    "--after",
    metavar="now|INSTANT",
    help="Delete polls later than this UTC instant. now: the current time plus "
    "RESTMON_MAX_AHEAD_MINUTES, the latest poll that an import accepts.",
)
@click.option("--from", "begin", metavar="INSTANT", help="Delete polls from this UTC instant on.")
@click.option("--to", "end", metavar="INSTANT", help="Delete polls before this UTC instant.")
@click.option("--store", metavar="ID", help="Delete polls of this store alone.")
@click.option("--all", "whole", is_flag=True, help="Delete the --store with everything of it.")
@click.option("--yes", is_flag=True, help="Delete without asking.")
def forget(
    after: str | None,
    begin: str | None,
    end: str | None,
    store: str | None,
    whole: bool,
    yes: bool,
) -> None:
    """Delete polls of a range of time or of a store, or a store with everything of it."""
    if whole and (store is None or after or begin or end):
        raise click.UsageError("--all deletes a store: give --store ID and no time.")
    if after and (begin or end or store):
        raise click.UsageError("Give --after alone, or --from, --to and --store.")
    if not (after or begin or end or store):
        raise click.UsageError("Give --after, --from, --to or --store.")
    database.configure()
    if after:
        _forget_after(after, yes)
        return
    chosen = deletion.PollRange(
        computation.parse_instant("from", begin) if begin else None,
        computation.parse_instant("to", end) if end else None,
        store,
    )
    found = deletion.count_polls(chosen)
    polls = f"{found:,} poll{'' if found == 1 else 's'} {chosen}"
    if whole:
        click.echo(f"The store {store} will be deleted, with {polls} and everything else of it.")
        _confirm(yes)
        click.echo(
            f"The store {store} is deleted, with {deletion.delete_store(str(store)):,} polls"
        )
    elif not found:
        click.echo(f"There are {polls}.")
    else:
        click.echo(f"{polls} will be deleted.")
        _confirm(yes)
        click.echo(f"{deletion.delete_polls(chosen):,} deleted")


def _forget_after(after: str, yes: bool) -> None:
    instant = (
        database.latest_instant() if after == "now" else computation.parse_instant("after", after)
    )
    found = future_polls.count(instant)
    polls = f"{found:,} poll{'' if found == 1 else 's'} after {as_text(instant)}"
    if not found:
        click.echo(f"There are {polls}.")
        return
    click.echo(f"{polls} will be deleted.")
    _confirm(yes)
    click.echo(f"{future_polls.forget(instant):,} deleted")


def _confirm(yes: bool) -> None:
    """Raise RestmonError unless the user agrees."""
    if not yes and not (sys.stdin.isatty() and click.confirm("Delete them?")):
        raise RestmonError("Nothing was deleted.", "Add --yes to delete them.")
