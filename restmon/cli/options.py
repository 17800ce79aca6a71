"""Types and help texts of options that several commands have."""

from pathlib import Path

import click

from restmon.access.roles import PEOPLE, Role

FILE = click.Path(path_type=Path)
ROLES = click.Choice([str(role) for role in PEOPLE])
ROLES_HELP = (
    "operator: may do everything; owner: sees, imports and reports the stores of the groups; "
    "viewer: sees the stores of the groups, or all, and changes nothing."
)
KEY_ROLES = click.Choice([str(role) for role in Role])
KEY_ROLES_HELP = (
    f"{ROLES_HELP.removesuffix('.')}; feed: sends polls, hours, zones and files of the stores of "
    "the groups, or of all, and reads nothing."
)
GROUPS_HELP = "Sees only the stores of this group. Can be repeated."
