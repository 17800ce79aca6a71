"""``python -m restmon``: the table of the commands.

A command's module is imported when the command is used. ``--help`` imports click alone.
"""

import gc
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from restmon import __version__
from restmon.errors import RestmonError, exit_on_error


class Entry(NamedTuple):
    """The module of a command in this package, its name there, and its short help, which is the
    first sentence of its docstring (a test compares the two)."""

    module: str
    attribute: str
    short_help: str


COMMANDS = {
    "accounts": Entry("accounts", "accounts_command", "Manage accounts of the dashboard."),
    "alerts": Entry(
        "alerts",
        "alerts_command",
        "Manage channels and rules of messages, and list what was sent.",
    ),
    "api": Entry("processes", "api", "Run the REST API in the foreground."),
    "audit": Entry("audit", "audit_command", "List who did what, newest first, with times in UTC."),
    "backup": Entry(
        "database", "backup_command", "Copy the SQLite database, with reports, to FILE."
    ),
    "check": Entry("check", "check_command", "Find what is likely wrong with the data."),
    "dashboard": Entry("processes", "dashboard", "Run the dashboard in the foreground."),
    "demo": Entry("demo", "demo_command", "Write CSV files of made-up stores."),
    "document": Entry(
        "documents",
        "document",
        "Write a PDF, a workbook or a CSV about a window, to read and to send on.",
    ),
    "export": Entry(
        "exports",
        "export_command",
        "Write a feed as CSV that can be imported again; polls also as Parquet.",
    ),
    "forget": Entry(
        "database",
        "forget",
        "Delete polls of a range of time or of a store, or a store with everything of it.",
    ),
    "groups": Entry("groups", "groups_command", "Groups of stores: a brand, an owner, a city."),
    "import": Entry(
        "imports",
        "import_command",
        "Import files in one transaction: CSV (plain or gzipped), ZIP, .xlsx.",
    ),
    "incidents": Entry(
        "outages", "incidents_command", "List when many stores were down at once, in a window."
    ),
    "keys": Entry("keys", "keys_command", "Manage keys of the API."),
    "migrate-to": Entry(
        "database",
        "migrate_to",
        "Copy the SQLite database to the empty PostgreSQL database URL and verify the copy.",
    ),
    "outages": Entry(
        "outages", "outages_command", "List outages in a window: since when, how long, and why."
    ),
    "poll": Entry(
        "poll",
        "poll",
        "Ask each store's own address whether it is online, and store the answers as polls.",
    ),
    "report": Entry("reports", "report", "Compute a report and write it as a file."),
    "restore": Entry("database", "restore", "Replace the SQLite database with the backup FILE."),
    "run": Entry("processes", "run", "Run dashboard, API and worker until Ctrl-C."),
    "schedules": Entry(
        "schedules",
        "schedules_command",
        "Manage documents that are made daily, weekly or monthly.",
    ),
    "status": Entry(
        "status", "status", "Show what is in the database and whether a worker is alive."
    ),
    "status-pages": Entry(
        "status_pages",
        "status_pages_command",
        "Manage public status pages of groups, which need no login.",
    ),
    "targets": Entry(
        "targets",
        "targets_command",
        "Manage uptime targets of stores, of groups and of all stores.",
    ),
    "undo": Entry("undo", "undo_command", "Undo the import ID: what it replaced comes back."),
    "vacuum": Entry(
        "database", "vacuum", "Delete polls older than RESTMON_RETENTION_DAYS; shrink the database."
    ),
    "worker": Entry("processes", "worker", "Run a worker in the foreground."),
}


class LazyCommands(Mapping[str, click.Command]):
    """Commands by name. Looking one up imports its module; listing names imports nothing."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self.entries = entries

    def __getitem__(self, name: str) -> click.Command:
        from restmon.storage import compat  # noqa: PLC0415 - --help does not need it

        entry = self.entries[name]
        # Modules make many objects and no garbage. To look for some takes a tenth of the time.
        gc.disable()
        try:
            compat.import_peewee()
            module = import_module(f"restmon.cli.{entry.module}")
        finally:
            gc.freeze()
            gc.enable()
        command: click.Command = getattr(module, entry.attribute)
        return command

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


class MainGroup(click.Group):
    """The group of all commands.

    An error of the database, of a file or of the user ends the process with one sentence on
    standard error and exit status 2.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = LazyCommands(COMMANDS)  # type: ignore[assignment]

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 (click fixes the signature)
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the list of commands from the table, so that no command's module is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.short_help) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; explain its errors."""
        with exit_on_error():
            try:
                return super().invoke(ctx)
            except (RestmonError, click.ClickException, click.exceptions.Exit, click.Abort):
                raise
            except BrokenPipeError:  # The reader of the output has seen enough. click ends quietly.
                raise
            except OSError as error:
                place = error.filename or "The disk"
                raise RestmonError(f"{place} cannot be used: {error.strerror or error}.") from error
            except Exception:
                from restmon.storage import database  # noqa: PLC0415 - --help does not need it

                with database.explain_errors(thoroughly=True):
                    raise


@click.group(cls=MainGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="restmon")
def main() -> None:
    """How often, and for how long, restaurants were offline in business hours."""
