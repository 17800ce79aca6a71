"""Types and help texts of options that several commands have."""

from pathlib import Path

import click

from restmon.access.roles import Role

FILE = click.Path(path_type=Path)
ROLES = click.Choice([str(role) for role in Role])
ROLES_HELP = (
    "operator: may do everything; owner: sees, imports and reports the stores of the groups; "
    "viewer: sees the stores of the groups, or all, and changes nothing."
)
GROUPS_HELP = "Sees only the stores of this group. Can be repeated."
