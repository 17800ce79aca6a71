"""``python -m restmon accounts``."""

import click

from restmon.access import accounts, password_links, sessions
from restmon.access.roles import Role
from restmon.cli.hidden import read_hidden
from restmon.cli.options import GROUPS_HELP, ROLES, ROLES_HELP
from restmon.cli.output import format_groups, format_minute
from restmon.errors import BadRequest
from restmon.settings import get_settings
from restmon.storage import database


@click.group("accounts")
def accounts_command() -> None:
    """Manage accounts of the dashboard. From the first account on, it requires a login."""


@accounts_command.command("add")
@click.argument("email")
@click.option("--role", type=ROLES, default=str(Role.VIEWER), show_default=True, help=ROLES_HELP)
@click.option("--group", "groups", multiple=True, help=GROUPS_HELP)
@click.option("--no-password", is_flag=True, help="No password: the person logs in by OIDC.")
def accounts_add(email: str, role: str, groups: tuple[str, ...], no_password: bool) -> None:
    """Create an account for EMAIL. Prompts for the password, or reads it from standard input."""
    database.configure()
    accounts.add(email, role, None if no_password else read_hidden("Password", twice=True), groups)
    click.echo(f"The account {email.strip()} is created, with the role {role}.")


@accounts_command.command("invite")
@click.argument("email")
@click.option("--role", type=ROLES, default=str(Role.VIEWER), show_default=True, help=ROLES_HELP)
@click.option("--group", "groups", multiple=True, help=GROUPS_HELP)
def accounts_invite(email: str, role: str, groups: tuple[str, ...]) -> None:
    """Create an account for EMAIL and print a link by which the person sets the password."""
    database.configure()
    accounts.add(email, role, None, groups)
    click.echo(f"The account {email.strip()} is created, with the role {role}.", err=True)
    print_link(email)


@accounts_command.command("link")
@click.argument("email")
def accounts_link(email: str) -> None:
    """Print a link by which the person of the account EMAIL sets a new password."""
    database.configure()
    print_link(email)


@accounts_command.command("change")
@click.argument("email")
@click.option("--role", type=ROLES, required=True, help=ROLES_HELP)
@click.option("--group", "groups", multiple=True, help=GROUPS_HELP)
def accounts_change(email: str, role: str, groups: tuple[str, ...]) -> None:
    """Set the role and the groups of the account EMAIL."""
    database.configure()
    accounts.change(email, role, groups)
    click.echo(f"The account {email.strip()} has the role {role} now.")


@accounts_command.command("password")
@click.argument("email")
def accounts_password(email: str) -> None:
    """Set a new password for the account EMAIL and end its sessions."""
    database.configure()
    accounts.set_password(email, read_hidden("Password", twice=True))
    click.echo(f"The account {email.strip()} has a new password.")


@accounts_command.command("disable")
@click.argument("email")
def accounts_disable(email: str) -> None:
    """Disable the account EMAIL and end its sessions."""
    database.configure()
    accounts.set_active(email, False)
    click.echo(f"The account {email.strip()} is disabled.")


@accounts_command.command("enable")
@click.argument("email")
def accounts_enable(email: str) -> None:
    """Enable the disabled account EMAIL."""
    database.configure()
    accounts.set_active(email, True)
    click.echo(f"The account {email.strip()} is enabled.")


@accounts_command.command("delete")
@click.argument("email")
def accounts_delete(email: str) -> None:
    """Delete the account EMAIL and end its sessions. Its audit entries stay."""
    database.configure()
    accounts.delete(email)
    click.echo(f"The account {email.strip()} is deleted.")


@accounts_command.command("unlock")
@click.argument("email")
def accounts_unlock(email: str) -> None:
    """Unlock the account EMAIL after too many failed logins."""
    database.configure()
    accounts.unlock(email)
    click.echo(f"The account {email.strip()} may log in again.")


@accounts_command.command("sessions")
@click.argument("email")
def accounts_sessions(email: str) -> None:
    """List the sessions of the account EMAIL: id, last seen (UTC), browser, address."""
    database.configure()
    found = sessions.list_sessions(email)
    for session in found:
        browser = session.browser or "unknown browser"
        place = f" from {session.address}" if session.address else ""
        click.echo(f"{session.id}  last seen {format_minute(session.seen)}  {browser}{place}")
    if not found:
        click.echo(f"The account {email.strip()} is logged in nowhere.")


@accounts_command.command("end-sessions")
@click.argument("email")
@click.option("--id", "session_id", help="End only the session with this id (default: all).")
def accounts_end_sessions(email: str, session_id: str | None) -> None:
    """End sessions of the account EMAIL."""
    database.configure()
    count = sessions.end_sessions(email, session_id)
    click.echo(f"{count:,} session{'' if count == 1 else 's'} of {email.strip()} ended.")


@accounts_command.command("reset")
@click.option("--yes", is_flag=True, help="Delete all accounts without asking.")
def accounts_reset(yes: bool) -> None:
    """Delete all accounts. This machine then requires no login."""
    database.configure()
    if not yes:
        raise BadRequest(
            f"This deletes all {len(accounts.list_accounts()):,} accounts and ends all sessions. "
            "Then anyone on this machine may do everything without a login.",
            "Add --yes to do it.",
        )
    count = accounts.reset()
    click.echo(f"{count:,} account{'' if count == 1 else 's'} deleted. No login is required now.")


@accounts_command.command("list")
def accounts_list() -> None:
    """List all accounts: state, role, last login (UTC) and groups."""
    database.configure()
    people = accounts.list_accounts()
    for person in people:
        state = "active" if person.active else "disabled"
        click.echo(
            f"{state:8} {person.role:9} last login {format_minute(person.last_login_at):16}  "
            f"{person.email}{format_groups(person.groups)}"
        )
    if not people:
        click.echo("There are no accounts.")


def print_link(email: str) -> None:
    """Make a link for a password and print it."""
    link = password_links.make_link(email)
    click.echo(
        f"Send this link to {email.strip()} alone. It sets the password once, within "
        f"{password_links.DAYS} days:",
        err=True,
    )
    click.echo(get_settings().dashboard_url + link)
