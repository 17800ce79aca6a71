"""``python -m restmon document``."""

from pathlib import Path

import click

from restmon.access.roles import THIS_MACHINE
from restmon.cli.options import FILE
from restmon.core.instants import as_text
from restmon.core.timeline import METHODS, NEAREST
from restmon.documents import documents, finding
from restmon.documents.documents import PDF, TYPES, Wanted
from restmon.documents.pdf import PAPERS
from restmon.documents.periods import FORMS, LAST_WEEK
from restmon.files import write_file
from restmon.reporting.computation import parse_as_of
from restmon.reporting.scopes import Scope
from restmon.reporting.style import read_style
from restmon.storage import database


@click.command()
@click.option("--group", help="Only the stores of this group.")
@click.option("--store", help="Only this store.")
@click.option("--window", default=LAST_WEEK, show_default=True, help=f"{FORMS}.")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(TYPES)),
    default=PDF,
    show_default=True,
    help="pdf: for people; xlsx: a workbook; csv: the details of every store.",
)
@click.option(
    "--paper", type=click.Choice(list(PAPERS)), help="The paper of a PDF (default: RESTMON_PAPER)."
)
@click.option("--each-store", is_flag=True, help="In a PDF: half a page of every store.")
@click.option("--zone", help="The zone whose calendar counts (default: that of most stores).")
@click.option("--as-of", help="As of this UTC instant (default: the newest poll).")
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default=NEAREST,
    show_default=True,
    help="Status between two polls: that of the nearer one, or of the previous one.",
)
@click.option("--output", required=True, type=FILE, help="The file to write.")
def document(output: Path, store: str | None, window: str, as_of: str | None, **given: str) -> None:
    """Write a PDF, a workbook or a CSV about a window, to read and to send on."""
    database.configure()
    wanted = Wanted(
        period=window,
        store_id=store,
        as_of=None if as_of is None else parse_as_of(as_of),
        form=given["form"],
        group=given["group"],
        each_store=bool(given["each_store"]),
        paper=given["paper"],
        zone=given["zone"],
        method=given["method"],
    )
    values = documents.check(wanted, THIS_MACHINE)
    asked = finding.Question(
        Scope.on_record(None, values["scope"]),
        values["period"],
        wanted.as_of,
        wanted.method,
        values["zone"],
        wanted.each_store and wanted.form == PDF,
    )
    found = finding.find(asked)
    write_file(output, documents.write(found, wanted.form, read_style(), values["paper"]))
    click.echo(
        f"{output}: {found.count:,} stores, {found.period.name}, as of {as_text(found.as_of)}"
    )
