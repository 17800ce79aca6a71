"""``python -m restmon targets``."""

from dataclasses import asdict
from pathlib import Path

import click

from restmon.cli.options import FILE
from restmon.cli.output import print_rejected
from restmon.files import write_file
from restmon.ingest import targets_csv
from restmon.reporting import target_list
from restmon.storage import database
from restmon.stores import targets
from restmon.stores.subjects import Subject

OF_STORE = click.option("--store", help="The target of the store with this id.")
OF_GROUP = click.option("--group", help="The target of this group.")


@click.group("targets")
def targets_command() -> None:
    """Manage uptime targets of stores, of groups and of all stores."""


@targets_command.command("list")
def targets_list() -> None:
    """List the targets that were set: of all stores, of groups, of stores."""
    database.configure()
    found = targets.list_targets()
    for one in found:
        subject = targets.name_subject(Subject(one.store, one.group))
        click.echo(f"{one.percent:g} %  {subject}")
    if not found:
        click.echo("There are no targets.")


@targets_command.command("set")
@click.argument("target")
@OF_STORE
@OF_GROUP
def targets_set(target: str, store: str | None, group: str | None) -> None:
    """Set TARGET, per cent, of a store, of a group, or without either of all stores."""
    subject = _subject(store, group)
    number = targets.parse_target(target)
    database.configure()
    targets.set_target(subject, number)
    click.echo(
        f"The target of {targets.name_subject(subject)} is {targets.as_percent(number):g} % now."
    )


@targets_command.command("remove")
@OF_STORE
@OF_GROUP
def targets_remove(store: str | None, group: str | None) -> None:
    """Remove the target of a store, of a group, or without either of all stores."""
    subject = _subject(store, group)
    database.configure()
    targets.remove_target(subject)
    click.echo(f"The target of {targets.name_subject(subject)} is removed.")


@targets_command.command("export")
@click.option("--output", type=FILE, help="CSV file to write (default: standard output).")
def targets_export(output: Path | None) -> None:
    """Write the targets, and how their stores stand this month, as CSV.

    It can be imported again.
    """
    database.configure()
    text = target_list.export_csv()
    if output is None:
        click.echo(text, nl=False)
        return
    write_file(output, text.encode())
    click.echo(f"{output}: {len(text.splitlines()) - 1:,} targets")


@targets_command.command("import")
@click.argument("file", type=FILE)
def targets_import(file: Path) -> None:
    """Import a CSV FILE with the columns store_id or group (* for all stores) and target."""
    database.configure()
    done = targets_csv.import_targets_csv(file, file.name)
    counts = done.counts
    click.echo(
        f"{file.name}: {counts.read:,} lines read, {counts.new:,} new, {counts.updated:,} updated, "
        f"{counts.unchanged:,} unchanged, {counts.rejected:,} rejected"
    )
    print_rejected([{"file": file.name, **asdict(r)} for r in done.rejections])


def _subject(store: str | None, group: str | None) -> Subject:
    if store is not None and group is not None:
        raise click.UsageError("Give --store or --group, not both.")
    return Subject(store, group)
