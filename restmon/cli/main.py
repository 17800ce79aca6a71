"""python -m restmon …: every task of restmon from a shell."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from restmon import (
    __version__,
    accounts,
    api_keys,
    audit,
    backup,
    database,
    demo,
    demo_data,
    groups,
    imports,
    processes,
    reports,
    retention,
)
from restmon.errors import RestmonError, told_at_the_end
from restmon.ingest import StageProgress
from restmon.models import COMPLETE
from restmon.roles import THIS_MACHINE, Role
from restmon.settings import get_settings, shown_url
from restmon.uptime import METHODS, NEAREST


class Group(click.Group):
    """Tells restmon's own errors in one sentence on standard error, with exit status 2."""

    def invoke(self, ctx: click.Context) -> object:
        with told_at_the_end():
            return super().invoke(ctx)


@contextmanager
def progress_bar(title: str) -> Iterator[Progress | None]:
    """A progress bar on a terminal, none in a pipe."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        bar.add_task(title, total=1.0)
        yield bar


def _stage_progress(bar: Progress | None) -> StageProgress | None:
    if bar is None:
        return None

    def tell(stage: str, done: int, total: int) -> None:
        task = bar.task_ids[0]
        bar.update(task, description=f"{stage:8}", completed=done / total if total else 1.0)

    return tell


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="restmon")
def main() -> None:
    """How often, and for how long, restaurants were offline in business hours."""


FILE = click.Path(path_type=Path)


def _tell_rejected(rejections: list[dict[str, Any]]) -> None:
    """The first ten rejected lines, on standard error."""
    for r in rejections[:10]:
        where = f", column {r['column']}" if r["column"] else ""
        click.echo(
            f"  {r['file']} line {r['line']}{where}: {r['value']!r}: {r['reason']}", err=True
        )


@main.command("import")
@click.option("--polls", type=FILE, help="CSV of polls: store_id, timestamp_utc, status.")
@click.option(
    "--business-hours",
    type=FILE,
    help="CSV of business hours: store_id, dayOfWeek, start_time_local, end_time_local.",
)
@click.option("--timezones", type=FILE, help="CSV of time zones: store_id, timezone_str.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as a last line of JSON.")
def import_command(
    polls: Path | None, business_hours: Path | None, timezones: Path | None, as_json: bool
) -> None:
    """Import CSV files (plain or gzipped) into the database, in one transaction."""
    given = {"polls": polls, "business_hours": business_hours, "timezones": timezones}
    files = [imports.source_file(kind, path) for kind, path in given.items() if path]
    if not files:
        raise click.UsageError("Give at least one of --polls, --business-hours, --timezones.")
    database.configure()
    with progress_bar("reading") as bar:
        row = imports.run_now(files, progress=_stage_progress(bar))
    if row.status != COMPLETE:
        raise RestmonError(row.error or "The import failed.")
    counts = row.counts
    for kind, c in counts["kinds"].items():
        click.echo(
            f"{kind}: {c['read']:,} lines read, {c['new']:,} new, {c['updated']:,} updated, "
            f"{c['unchanged']:,} unchanged, {c['rejected']:,} rejected",
            err=as_json,
        )
    _tell_rejected(row.rejections)
    if counts["rejected"]:
        click.echo(
            f"  all {counts['rejected']:,} rejected lines: {imports.rejected_path(row.id)}",
            err=True,
        )
    if as_json:
        click.echo(json.dumps({"import_id": row.id, **counts}))


@main.command()
@click.option("--as-of", help="Report as of this UTC instant (default: the newest poll).")
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default=NEAREST,
    show_default=True,
    help="How time between polls is filled.",
)
@click.option("--output", required=True, type=FILE, help="The CSV file to write.")
def report(as_of: str | None, method: str, output: Path) -> None:
    """Compute a report in this process and write its CSV."""
    instant = None if as_of is None else reports.parse_as_of(as_of)
    database.configure()
    with progress_bar("computing") as bar:

        def tell(done: float) -> None:
            if bar:
                bar.update(bar.task_ids[0], completed=done)

        data = reports.compute(instant, method, tell)
        reports.write_beside(output, data.csv().encode())
    click.echo(f"{output}: {len(data.stores.ids):,} stores as of {reports.as_text(data.as_of)}")


@main.command("demo")
@click.option("--stores", default=50, show_default=True, help="How many stores.")
@click.option("--days", default=8, show_default=True, help="How many days of polls.")
@click.option("--seed", default=1, show_default=True, help="Same seed, same files.")
@click.option("--output", type=FILE, default=Path("demo"), show_default=True, help="The folder.")
@click.option(
    "--end", help="The instant of the last polls, UTC (default: a fixed one, for same files)."
)
@click.option("--hours-from", type=FILE, help="Take stores and hours from this CSV.")
@click.option("--timezones-from", type=FILE, help="Take time zones from this CSV.")
@click.option("--load", is_flag=True, help="Load the demo stores if the database is empty.")
@click.option("--clear", is_flag=True, help="Remove the demo stores from the database.")
def demo_command(
    stores: int,
    days: int,
    seed: int,
    output: Path,
    end: str | None,
    hours_from: Path | None,
    timezones_from: Path | None,
    load: bool,
    clear: bool,
) -> None:
    """Write CSV files of made-up stores; or load, or clear, the demo in the database."""
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
                f"--{'load' if load else 'clear'} is of the demo stores as they are; leave out "
                f"{', '.join(others)}, or write files without it and import them."
            )
    if clear:
        database.configure()
        found = demo_data.clear_demo()
        click.echo("The demo stores are removed." if found else "There are no demo stores.")
        return
    if load:
        database.configure()
        row = imports.load_demo()
        click.echo("The demo stores are loaded." if row else "The database has stores already.")
        return
    until = {"end": reports.utc(reports.parse_as_of(end))} if end else {}
    with progress_bar("writing") as bar:

        def tell(done: int, total: int) -> None:
            if bar:
                bar.update(bar.task_ids[0], completed=done / total)

        try:
            files = demo.generate(
                output,
                stores=stores,
                days=days,
                seed=seed,
                hours_from=hours_from,
                timezones_from=timezones_from,
                progress=tell,
                **until,
            )
        except ValueError as error:
            raise RestmonError(str(error)) from None
        except OSError as error:
            raise RestmonError(f"{output} cannot be written: {error.strerror or error}.") from None
    for path in (files.polls, files.business_hours, files.timezones):
        click.echo(f"{path}: {path.stat().st_size:,} bytes")


@main.group("groups")
def groups_command() -> None:
    """Groups of stores: a brand, an owner, a city."""


@groups_command.command("list")
def groups_list() -> None:
    """List the groups and how many stores each has."""
    database.configure()
    found = groups.listed()
    width = max((len(f"{group.stores:,}") for group in found), default=0)
    for group in found:
        unit = "store " if group.stores == 1 else "stores"
        click.echo(f"{group.stores:{width},} {unit}  {group.name}")
    if not found:
        click.echo("There are no groups.")


@groups_command.command("import")
@click.argument("file", type=FILE)
def groups_import(file: Path) -> None:
    """Put stores into groups as a CSV FILE of store_id, group says."""
    database.configure()
    done = groups.import_csv(file, file.name)
    audit.note(THIS_MACHINE, audit.GROUPS_CHANGED, file.name)
    counts = done.counts
    click.echo(
        f"{file.name}: {counts.read:,} lines read, {counts.new:,} new, "
        f"{counts.unchanged:,} unchanged, {counts.rejected:,} rejected"
    )
    _tell_rejected([{"file": file.name, **asdict(r)} for r in done.rejections])


@groups_command.command("export")
def groups_export() -> None:
    """Print a CSV of store_id, group that can be imported."""
    database.configure()
    click.echo(groups.export_csv(), nl=False)


ROLES = click.Choice([str(role) for role in Role])
ROLES_HELP = (
    "operator: everything; owner: sees, imports and reports the stores of the groups; viewer: may "
    "look, may change nothing."
)
GROUPS_HELP = "Sees the stores of this group alone; may be given again."


@main.group("accounts")
def accounts_command() -> None:
    """Accounts of the dashboard, which it asks for where it listens beyond this machine."""


@accounts_command.command("add")
@click.argument("email")
@click.option("--role", type=ROLES, default=str(Role.VIEWER), show_default=True, help=ROLES_HELP)
@click.option("--group", "groups", multiple=True, help=GROUPS_HELP)
@click.option("--no-password", is_flag=True, help="The person logs in by OIDC alone.")
def accounts_add(email: str, role: str, groups: tuple[str, ...], no_password: bool) -> None:
    """Make an account for EMAIL; the password is asked for, or read from standard input."""
    database.configure()
    accounts.add(email, role, None if no_password else _password(), groups)
    audit.note(THIS_MACHINE, audit.ACCOUNT_CHANGED, email.strip())
    click.echo(f"The account {email.strip()} is there, as {role}.")


@accounts_command.command("change")
@click.argument("email")
@click.option("--role", type=ROLES, required=True, help=ROLES_HELP)
@click.option("--group", "groups", multiple=True, help=GROUPS_HELP)
def accounts_change(email: str, role: str, groups: tuple[str, ...]) -> None:
    """Give the account EMAIL another role, and these groups."""
    database.configure()
    accounts.change(email, role, groups)
    audit.note(THIS_MACHINE, audit.ACCOUNT_CHANGED, email.strip())
    click.echo(f"The account {email.strip()} is changed, to {role}.")


@accounts_command.command("password")
@click.argument("email")
def accounts_password(email: str) -> None:
    """Give the account EMAIL another password, and end its logins."""
    database.configure()
    accounts.set_password(email, _password())
    audit.note(THIS_MACHINE, audit.ACCOUNT_CHANGED, email.strip())
    click.echo(f"The account {email.strip()} has another password.")


@accounts_command.command("disable")
@click.argument("email")
def accounts_disable(email: str) -> None:
    """End the logins of the account EMAIL, and let it log in no longer."""
    database.configure()
    accounts.set_active(email, False)
    audit.note(THIS_MACHINE, audit.ACCOUNT_CHANGED, email.strip())
    click.echo(f"The account {email.strip()} is disabled.")


@accounts_command.command("enable")
@click.argument("email")
def accounts_enable(email: str) -> None:
    """Let the account EMAIL log in again."""
    database.configure()
    accounts.set_active(email, True)
    audit.note(THIS_MACHINE, audit.ACCOUNT_CHANGED, email.strip())
    click.echo(f"The account {email.strip()} is enabled.")


@accounts_command.command("list")
def accounts_list() -> None:
    """List all accounts: state, role, last login (UTC) and groups."""
    database.configure()
    people = accounts.listed()
    for person in people:
        state = "active" if person.active else "disabled"
        click.echo(
            f"{state:8} {person.role:9} last login {_minute(person.last_login_at):16}  "
            f"{person.email}{_of_groups(person.groups)}"
        )
    if not people:
        click.echo("There are no accounts.")


def _password() -> str:
    """A password, typed twice without being shown, or the first line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _minute(instant: int | None) -> str:
    return "never" if instant is None else f"{reports.utc(instant):%Y-%m-%d %H:%M}"


def _of_groups(groups: list[str] | None) -> str:
    return "" if groups is None else f" ({', '.join(groups) or 'no group'})"


@main.command("audit")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many.")
def audit_command(limit: int) -> None:
    """List who did what, newest first (UTC)."""
    database.configure()
    for entry in audit.recent(limit):
        place = f" from {entry.address}" if entry.address else ""
        click.echo(
            f"{reports.utc(entry.at):%Y-%m-%d %H:%M:%S}  {entry.actor} {entry.action} "
            f"{entry.subject}".rstrip()
            + place
        )


@main.group("keys")
def keys_command() -> None:
    """Keys of the API, which it asks for where it listens beyond this machine."""


@keys_command.command("make")
@click.argument("name")
@click.option(
    "--role",
    type=ROLES,
    default=str(Role.VIEWER),
    show_default=True,
    help=ROLES_HELP,
)
@click.option("--group", "groups", multiple=True, help=GROUPS_HELP)
@click.option("--days", type=int, help="The key expires after so many days (default: never).")
def keys_make(name: str, role: str, groups: tuple[str, ...], days: int | None) -> None:
    """Make the key NAME and print it; it is not shown again."""
    database.configure()
    click.echo(api_keys.make(name, role, days, groups))
    audit.note(THIS_MACHINE, audit.KEY_CHANGED, name.strip())
    click.echo("Keep it safe: it is not shown again. Send it as", err=True)
    click.echo("  Authorization: Bearer THE_KEY", err=True)


@keys_command.command("list")
def keys_list() -> None:
    """List all keys: state, role, beginning, last use and expiry (UTC)."""
    database.configure()
    rows, groups_of_keys = api_keys.listed(), api_keys.groups_of_keys()
    for row in rows:
        seen = None if row.every_store else groups_of_keys.get(row.name, [])
        click.echo(
            f"{api_keys.state(row):8} {row.role:9} {row.start}…  last used "
            f"{_minute(row.last_used_at):16}  expires {_minute(row.expires_at):16}  {row.name}"
            f"{_of_groups(seen)}"
        )
    if not rows:
        click.echo("There are no keys.")


@keys_command.command("revoke")
@click.argument("name")
def keys_revoke(name: str) -> None:
    """Make the key NAME worthless from now on."""
    database.configure()
    api_keys.revoke(name)
    audit.note(THIS_MACHINE, audit.KEY_CHANGED, name.strip())
    click.echo(f"The key {name.strip()} is revoked.")


@main.command()
def worker() -> None:
    """Run a worker in the foreground."""
    processes.worker()


@main.command()
def api() -> None:
    """Run the REST API in the foreground."""
    processes.api()


@main.command()
def dashboard() -> None:
    """Run the dashboard in the foreground."""
    processes.dashboard()


@main.command()
def run() -> None:
    """Run dashboard, API and worker together until Ctrl-C, with demo stores if there are none."""
    sys.exit(processes.run_all())


@main.command()
def vacuum() -> None:
    """Apply the retention, if one is set, and give unused disk space back."""
    database.configure()
    deleted = retention.apply()
    space = retention.vacuum()
    click.echo(
        f"{deleted:,} old polls deleted; the database has {space.after:,} bytes, "
        f"{space.before - space.after:,} fewer than before"
    )


@main.command("backup")
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Overwrite FILE.")
def backup_command(file: Path, force: bool) -> None:
    """Copy the SQLite database, also while it is in use, to FILE."""
    database.configure()
    size = backup.backup(file, overwrite=force)
    click.echo(f"{file}: {size:,} bytes, checked")


@main.command()
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Replace a database that holds stores, or is damaged.")
def restore(file: Path, force: bool) -> None:
    """Make the SQLite database what the backup FILE holds."""
    stores = backup.restore(file, overwrite=force)
    click.echo(f"{file} is restored: {stores:,} stores")


@main.command("migrate-to")
@click.argument("url")
def migrate_to(url: str) -> None:
    """Copy everything from the SQLite file to the empty PostgreSQL database URL, and verify it."""
    from restmon import moving  # noqa: PLC0415 - only this command needs it

    database.configure()
    counts = moving.move_to(url)
    for table, rows in counts.items():
        click.echo(f"{table:14} {rows:>13,} rows copied and compared")
    click.echo(f"Now set RESTMON_DATABASE_URL={shown_url(url)}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def status(as_json: bool) -> None:
    """Tell what is in the database and whether a worker is alive."""
    from restmon import overview  # noqa: PLC0415 - only this command needs it

    database.configure()
    facts = overview.facts()
    if as_json:
        click.echo(json.dumps(facts))
        return
    settings = get_settings()
    newest = facts["newest_poll"]
    click.echo(f"database   {shown_url(settings.database_url)}")
    click.echo(f"stores     {facts['stores']:,}{' (demo data)' if facts['demo'] else ''}")
    click.echo(f"newest poll {newest or 'none'}")
    click.echo(f"reports    {facts['reports_running']:,} running, {facts['reports']:,} in all")
    click.echo(f"imports    {facts['imports_running']:,} running, {facts['imports']:,} in all")
    click.echo(
        f"worker     {'alive' if facts['worker_alive'] else 'none: python -m restmon worker'}"
    )
    click.echo(f"checked    {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
