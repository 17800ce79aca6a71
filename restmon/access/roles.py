"""Actors and roles: who does something, and what they may do."""

from dataclasses import dataclass, field
from enum import StrEnum

from restmon.errors import Forbidden


class Role(StrEnum):
    """What a person or a key may do.

    An *operator* may do everything. An *owner* sees, imports and reports the stores of their own
    groups, and edits their hours and zones. A *viewer* sees the stores of their groups, or all
    stores if they have no group, and changes nothing. A *feed* is a key, never a person: it sends
    polls, hours, zones and files of the stores of its groups, or of all, and reads nothing.
    """

    OPERATOR = "operator"
    OWNER = "owner"
    VIEWER = "viewer"
    FEED = "feed"


PEOPLE = (Role.OPERATOR, Role.OWNER, Role.VIEWER)
"""The roles that accounts have."""


MAY = {
    Role.OPERATOR: frozenset(Role),
    Role.OWNER: frozenset({Role.OWNER, Role.VIEWER, Role.FEED}),
    Role.VIEWER: frozenset({Role.VIEWER}),
    Role.FEED: frozenset({Role.FEED}),
}
"""For each role, the roles whose rights it has. Neither viewer nor feed has the other's."""


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
                f"{'An' if self.role[0] in 'aeiou' else 'A'} {self.role} may not do this.",
                f"Ask {'' if needed == Role.OPERATOR else 'an owner or '}an operator.",
            )


THIS_MACHINE = Actor("this machine", Role.OPERATOR)
"""Anyone who uses restmon on its own machine, where no login is required."""

NOBODY = Actor("nobody", Role.VIEWER, frozenset())
"""Whoever has not shown who they are: sees no store."""

SCHEDULE = Actor("the schedule", Role.OPERATOR)
"""What restmon does by itself at set times."""
