"""``python -m restmon demo``."""

from pathlib import Path
from typing import Any

import click

from restmon.cli.options import FILE
from restmon.cli.output import progress_bar
from restmon.core.instants import as_datetime
from restmon.demo import demo_stores, generator
from restmon.errors import RestmonError
from restmon.reporting import computation
from restmon.storage import database


@click.command("demo")
@click.option("--stores", default=50, show_default=True, help="Number of stores.")
@click.option("--days", default=8, show_default=True, help="Number of days of polls.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same files.")
@click.option(
    "--output", type=FILE, default=Path("demo"), show_default=True, help="Folder for the files."
)
@click.option(
    "--end",
    help="UTC instant of the last polls (default: a fixed one, so that files can be compared).",
)
@click.option("--hours-from", type=FILE, help="Use the stores and hours of this CSV file.")
@click.option("--timezones-from", type=FILE, help="Use the time zones of this CSV file.")
@click.option(
    "--everything",
    is_flag=True,
    help="Also a directory, other hours, sales and reasons; hours with a column a weekday.",
)
@click.option("--load", is_flag=True, help="Load the demo stores if the database is empty.")
@click.option("--clear", is_flag=True, help="Remove the demo stores from the database.")
def demo_command(output: Path, end: str | None, load: bool, clear: bool, **wanted: Any) -> None:
    """Write CSV files of made-up stores.

    With --load or --clear: load the demo stores into the database, or remove them.
    """
    if load and clear:
        raise click.UsageError("Give --load or --clear, not both.")
    if load or clear:
        given = click.get_current_context()
        others = [
            f"--{name.replace('_', '-')}"
            for name in given.params
            if name not in {"load", "clear"}
            and given.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        ]
        if others:
            raise click.UsageError(
                f"--{'load' if load else 'clear'} takes no other options; leave out "
                f"{', '.join(others)}, or write files and import them."
            )
    if clear:
        database.configure()
        found = demo_stores.clear_demo()
        click.echo("The demo stores are removed." if found else "There are no demo stores.")
        return
    if load:
        database.configure()
        row = demo_stores.load_demo()
        click.echo("The demo stores are loaded." if row else "The database has stores already.")
        return
    if end:
        wanted["end"] = as_datetime(computation.parse_instant("end", end))
    with progress_bar("writing") as bar:

        def tell(done: int, total: int) -> None:
            if bar:
                bar.update(bar.task_ids[0], completed=done / total)

        try:
            files = generator.generate(output, generator.DemoPlan(**wanted), tell)
        except ValueError as error:
            raise RestmonError(str(error)) from None
        except OSError as error:
            raise RestmonError(f"{output} cannot be written: {error.strerror or error}.") from None
    for path in files.every:
        click.echo(f"{path}: {path.stat().st_size:,} bytes")
