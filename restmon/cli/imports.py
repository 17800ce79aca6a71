"""``python -m restmon import``."""

import json
from pathlib import Path

import click

from restmon.cli.options import FILE
from restmon.cli.output import print_rejected, progress_bar, stage_progress
from restmon.errors import RestmonError
from restmon.ingest import imports, incoming_files, undo
from restmon.ingest.choices import DATE_ORDER, DAY_NUMBERS, OPTIONS, Choices
from restmon.ingest.headers import COLUMNS
from restmon.storage import database
from restmon.storage.models import COMPLETE


def _columns(given: tuple[str, ...]) -> dict[str, str]:
    """The names given by ``--column polls.timestamp_utc=NAME``, by our name. Raises
    click.UsageError."""
    found = {}
    for text in given:
        ours, equals, theirs = text.partition("=")
        if not equals:
            raise click.UsageError(
                f'--column {text!r}: write it as polls.timestamp_utc="Checked at".'
            )
        found[ours.strip()] = theirs.strip().strip("\"'")
    return found


@click.command("import")
@click.argument("files", nargs=-1, type=FILE)
@click.option("--polls", type=FILE, help="File of polls: store_id, timestamp_utc, status.")
@click.option(
    "--business-hours",
    type=FILE,
    help="File of business hours: store_id, dayOfWeek, start_time_local, end_time_local.",
)
@click.option("--timezones", type=FILE, help="File of time zones: store_id, timezone_str.")
@click.option(
    "--directory",
    type=FILE,
    help="Store directory: store_id, any of name, address, groups, sales_per_hour, opened_on, "
    "closed_on.",
)
@click.option(
    "--other-hours",
    type=FILE,
    help="File of hours on dates, such as holidays: store_id or group, date (or start_date, "
    "end_date), start_time_local, end_time_local, note.",
)
@click.option("--sales", type=FILE, help="File of hourly sales: store_id, dayOfWeek, hour, sales.")
@click.option(
    "--day-numbers",
    type=click.Choice(OPTIONS[DAY_NUMBERS]),
    help="How the files number the days (default: 0-monday; a file with a 7 needs it).",
)
@click.option(
    "--date-order",
    type=click.Choice(OPTIONS[DATE_ORDER]),
    help="How to read a date such as 11/12/2026, where the file does not show it.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="KIND.COLUMN=NAME",
    help='Which column is which, as polls.timestamp_utc="Checked at"; may be given again.',
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one line of JSON, last.")
def import_command(
    files: tuple[Path, ...],
    day_numbers: str | None,
    date_order: str | None,
    columns: tuple[str, ...],
    as_json: bool,
    **named: Path | None,
) -> None:
    """Import files in one transaction: CSV (plain or gzipped), ZIP, .xlsx.

    The header of each of FILES, and of each table in a ZIP or a workbook, says its kind. The exit
    status is 2 if every line was rejected.
    """
    wanted: list[tuple[Path, str | None]] = [(path, None) for path in files]
    wanted += [(path, kind) for kind, path in named.items() if path]
    if not wanted:
        options = ", ".join(f"--{kind.replace('_', '-')}" for kind in COLUMNS)
        raise click.UsageError(f"Give FILES, or at least one of {options}.")
    choices = Choices.of(
        {DAY_NUMBERS: day_numbers, DATE_ORDER: date_order, "columns": _columns(columns)}
    )
    database.configure()
    # A ZIP or a workbook may stand for several of the options.
    found = [
        table
        for path, kind in wanted
        for table in incoming_files.tables_of(path, path.name, kind, choices)
    ]
    tables = list({(table.path, table.member, table.kind): table for table in found}.values())
    with progress_bar("reading") as bar:
        row = imports.run_now(tables, progress=stage_progress(bar))
    if row.status != COMPLETE:
        raise RestmonError(row.error or "The import failed.")
    counts = imports.complete_counts(row) or {}
    for kind, c in counts["kinds"].items():
        click.echo(
            f"{kind}: {c['read']:,} lines read, {c['new']:,} new, {c['updated']:,} updated, "
            f"{c['unchanged']:,} unchanged, {c['rejected']:,} rejected, {c['removed']:,} removed",
            err=as_json,
        )
    if not counts["read"]:
        click.echo(imports.NO_DATA_LINES, err=True)
    for notice in imports.notices_of(row):
        click.echo(f"  {notice}", err=True)
    print_rejected(row.rejections)
    if counts["rejected"]:
        click.echo(
            f"  all {counts['rejected']:,} rejected lines: {imports.name_rejected(row.id)}",
            err=True,
        )
    notes = imports.notes_of(row)
    for note in notes:
        click.echo(f"note: {note['message']}", err=True)
    if undo.can_undo(row):
        click.echo(f"To undo this import: python -m restmon undo {row.id}", err=True)
    if as_json:
        click.echo(json.dumps({"import_id": row.id, **counts, "notes": notes}))
    if imports.is_rejected_whole(row):
        raise SystemExit(2)
