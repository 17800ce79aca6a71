"""``python -m restmon groups``."""

from dataclasses import asdict
from pathlib import Path

import click

from restmon.cli.options import FILE
from restmon.cli.output import print_rejected
from restmon.ingest import groups_csv, holiday_hours
from restmon.storage import database
from restmon.stores import groups
from restmon.stores.subjects import Subject


@click.group("groups")
def groups_command() -> None:
    """Groups of stores: a brand, an owner, a city."""


@groups_command.command("list")
def groups_list() -> None:
    """List all groups with their number of stores."""
    database.configure()
    found = groups.list_groups()
    width = max((len(f"{group.stores:,}") for group in found), default=0)
    for group in found:
        unit = "store " if group.stores == 1 else "stores"
        click.echo(f"{group.stores:{width},} {unit}  {group.name}")
    if not found:
        click.echo("There are no groups.")


@groups_command.command("import")
@click.argument("file", type=FILE)
def groups_import(file: Path) -> None:
    """Import a CSV FILE with the columns store_id and group."""
    database.configure()
    done = groups_csv.import_csv(file, file.name)
    counts = done.counts
    click.echo(
        f"{file.name}: {counts.read:,} lines read, {counts.new:,} new, "
        f"{counts.unchanged:,} unchanged, {counts.rejected:,} rejected"
    )
    print_rejected([{"file": file.name, **asdict(r)} for r in done.rejections])


@groups_command.command("holidays")
@click.argument("group", required=False)
@click.option("--year", type=int, required=True, help="The year of the holidays.")
@click.option("--state", help="Two letters of a state, for its holidays (default: federal ones).")
@click.option("--holiday", "names", multiple=True, help="Only this holiday. Can be repeated.")
@click.option("--opens", default="", help="When the stores open on them (default: closed).")
@click.option("--closes", default="", help="When they close.")
def groups_holidays(
    group: str | None, year: int, state: str | None, names: tuple[str, ...], opens: str, closes: str
) -> None:
    """Set the hours of a GROUP on holidays; without a GROUP, list the holidays."""
    if group is None:
        for holiday in holiday_hours.list_holidays(year, state):
            click.echo(f"{holiday.date}  {holiday.name}")
        return
    database.configure()
    chosen = holiday_hours.HolidayHours(year, state, names, opens, closes)
    found = holiday_hours.save_holiday_hours(Subject(group=group), chosen)
    hours = f"open {opens} to {closes}" if opens or closes else "closed"
    for holiday in found:
        click.echo(f"{holiday.date}  {holiday.name}: {hours}")


@groups_command.command("export")
def groups_export() -> None:
    """Print all groups as CSV that can be imported again."""
    database.configure()
    click.echo(groups.export_csv(), nl=False)
