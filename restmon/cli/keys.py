"""``python -m restmon keys``."""

import click

from restmon.access import api_keys
from restmon.access.roles import Role
from restmon.cli.options import GROUPS_HELP, KEY_ROLES, KEY_ROLES_HELP
from restmon.cli.output import format_groups, format_minute
from restmon.storage import database


@click.group("keys")
def keys_command() -> None:
    """Manage keys of the API. From the first key or account on, it requires a key."""


@keys_command.command("make")
@click.argument("name")
@click.option(
    "--role",
    type=KEY_ROLES,
    default=str(Role.VIEWER),
    show_default=True,
    help=KEY_ROLES_HELP,
)
@click.option("--group", "groups", multiple=True, help=GROUPS_HELP)
@click.option("--days", type=int, help="Days until the key expires (default: never).")
def keys_make(name: str, role: str, groups: tuple[str, ...], days: int | None) -> None:
    """Create the key NAME and print it. It is not shown again."""
    database.configure()
    click.echo(api_keys.make(name, role, days, groups))
    click.echo("Keep it safe: it is not shown again. Send it as this header:", err=True)
    click.echo("  Authorization: Bearer THE_KEY", err=True)


@keys_command.command("list")
def keys_list() -> None:
    """List all keys: state, role, first characters, last use and expiry (UTC)."""
    database.configure()
    rows, groups_of_keys = api_keys.list_keys(), api_keys.list_groups_of_keys()
    for row in rows:
        seen = None if row.every_store else groups_of_keys.get(row.name, [])
        click.echo(
            f"{api_keys.state(row):8} {row.role:9} {row.start}…  last used "
            f"{format_minute(row.last_used_at):16}  expires {format_minute(row.expires_at):16}  "
            f"{row.name}{format_groups(seen)}"
        )
    if not rows:
        click.echo("There are no keys.")


@keys_command.command("revoke")
@click.argument("name")
def keys_revoke(name: str) -> None:
    """Revoke the key NAME."""
    database.configure()
    api_keys.revoke(name)
    click.echo(f"The key {name.strip()} is revoked.")
