"""``python -m restmon status-pages``."""

import click

from restmon.documents import status_pages
from restmon.documents.status_pages import ShownStatusPage
from restmon.settings import get_settings
from restmon.storage import database


@click.group("status-pages")
def status_pages_command() -> None:
    """Manage public status pages of groups, which need no login."""


@status_pages_command.command("list")
def list_command() -> None:
    """List the status pages that are on."""
    database.configure()
    found = status_pages.list_status_pages()
    for page in found:
        _print(page)
    if not found:
        click.echo("There are no status pages.")


@status_pages_command.command("on")
@click.argument("group")
@click.option("--slug", help="The last part of the address (default: as it is, or random).")
@click.option("--ids/--no-ids", default=None, help="Whether it shows the ids of stores.")
def on_command(group: str, slug: str | None, ids: bool | None) -> None:
    """Make a status page of GROUP that anybody can see who knows its address, or change it."""
    database.configure()
    _print(status_pages.turn_on(group, slug, ids))


@status_pages_command.command("off")
@click.argument("group")
def off_command(group: str) -> None:
    """Turn the status page of GROUP off, at once."""
    database.configure()
    was_on = status_pages.turn_off(group)
    click.echo(f"The status page of {group} is off." if was_on else f"{group} had no status page.")


def _print(page: ShownStatusPage) -> None:
    ids = ", with ids" if page.show_ids else ""
    base = get_settings().api_url
    click.echo(f"{page.group}: {base}{page.path}{ids}, badge {base}{page.badge_path}")
