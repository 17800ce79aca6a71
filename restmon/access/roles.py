"""Actors and roles: who does something, and what they may do."""

from dataclasses import dataclass, field
from enum import StrEnum

from restmon.errors import Forbidden


class Role(StrEnum):
    """What a person or a key may do.

    An *operator* may do everything. An *owner* sees, imports and reports the stores of their own
    groups, and edits their hours and zones. A *viewer* sees the stores of their groups, or all
    stores if they have no group, and changes nothing.
    """

    OPERATOR = "operator"
    OWNER = "owner"
    VIEWER = "viewer"


MAY = {
    Role.OPERATOR: frozenset(Role),
    Role.OWNER: frozenset({Role.OWNER, Role.VIEWER}),
    Role.VIEWER: frozenset({Role.VIEWER}),
}
"""For each role, the roles whose rights it has."""


@dataclass(frozen=True)
class Actor:
    """Who acts: a ``name`` for the records and a role.

    ``groups`` are the row ids of the groups whose stores they see (None: every store). ``address``
    is their network address for the audit ("" if there is none).
    """

    name: str
    role: Role
    groups: frozenset[int] | None = None
    address: str = field(default="", compare=False)

    def may(self, needed: Role) -> bool:
        """Whether they may do what requires the role."""
        return needed in MAY[self.role]

    def must(self, needed: Role) -> None:
        """Raise Forbidden unless they may do what requires the role."""
        if not self.may(needed):
            raise Forbidden(
                f"{'An' if self.role != Role.VIEWER else 'A'} {self.role} may not do this.",
                f"Ask {'an owner or ' if needed == Role.OWNER else ''}an operator.",
            )


THIS_MACHINE = Actor("this machine", Role.OPERATOR)
"""Anyone who uses restmon on its own machine, where no login is required."""

NOBODY = Actor("nobody", Role.VIEWER, frozenset())
"""Whoever has not shown who they are: sees no store."""

SCHEDULE = Actor("the schedule", Role.OPERATOR)
"""What restmon does by itself at set times."""
