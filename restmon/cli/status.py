"""``python -m restmon status``."""

import json
from datetime import UTC, datetime

import click

from restmon.errors import RestmonError
from restmon.leasing import heartbeats
from restmon.ops import summary
from restmon.reporting import feed
from restmon.settings import get_settings, shown_url
from restmon.storage import database


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.option(
    "--worker", "of_worker", is_flag=True, help="Fail unless a worker on this machine is alive."
)
def status(as_json: bool, of_worker: bool) -> None:
    """Show what is in the database and whether a worker is alive."""
    database.configure()
    if of_worker:
        if not heartbeats.count_alive(on=heartbeats.machine_prefix()):
            raise RestmonError(
                "No worker on this machine is alive.", "Start one: python -m restmon worker"
            )
        click.echo("A worker on this machine is alive.")
        return
    facts = summary.read_facts() | summary.read_details()
    if as_json:
        click.echo(json.dumps(facts))
        return
    settings = get_settings()
    newest = facts["newest_poll"]
    stale = " (stale)" if facts["feed"] == feed.STALE else ""
    click.echo(f"database   {shown_url(settings.database_url)}")
    click.echo(f"size       {facts['database_bytes']:,} bytes")
    click.echo(f"stores     {facts['stores']:,}{' (demo data)' if facts['demo'] else ''}")
    if unreadable := facts["unreadable_hours"]:
        click.echo(
            f"hours      {unreadable:,} store{'s have' if unreadable > 1 else ' has'} unreadable "
            f"hours and count{'' if unreadable > 1 else 's'} as never open until a file or the "
            "Settings page gives good ones"
        )
    click.echo(f"newest poll {newest or 'none'}{stale}")
    if facts["future_polls"]:
        polls = f"{facts['future_polls']:,} poll{'' if facts['future_polls'] == 1 else 's'}"
        click.echo(f"future     {polls}; python -m restmon forget --after now deletes them")
    if facts["retention_held"]:
        click.echo(f"retention  {facts['retention_held']}")
    for name in ("reports", "imports"):
        click.echo(
            f"{name}    {facts[f'{name}_running']:,} running, {facts[name]:,} in all, "
            f"{_space(facts['space'][name])}"
        )
    audited = facts["space"]["audit"]
    click.echo(f"audit      {audited['rows']:,} entries, {_space(audited)}")
    click.echo(
        f"worker     {'alive' if facts['worker_alive'] else 'none: python -m restmon worker'}"
    )
    click.echo(f"checked    {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")


def _space(space: dict[str, int]) -> str:
    return f"{space['database_bytes']:,} bytes in the database, {space['file_bytes']:,} in files"
