"""Who asks, and what they may: the roles, and the groups of stores a person is confined to."""

from dataclasses import dataclass
from enum import StrEnum

from restmon.errors import Forbidden


class Role(StrEnum):
    """What a person or a key is for.

    An *operator* may do everything. An *owner* sees, imports and reports the stores of their own
    groups, and edits their hours and zones. A *viewer* looks, at the stores of their groups or,
    where they have none, at all, and changes nothing.
    """

    OPERATOR = "operator"
    OWNER = "owner"
    VIEWER = "viewer"


MAY = {
    Role.OPERATOR: frozenset(Role),
    Role.OWNER: frozenset({Role.OWNER, Role.VIEWER}),
    Role.VIEWER: frozenset({Role.VIEWER}),
}
"""The roles whose doings each role may do."""


@dataclass(frozen=True)
class Actor:
    """Who asks: a ``name`` for the records, a role, and the ids of the ``groups`` whose stores
    are all there is for them (None: every store)."""

    name: str
    role: Role
    groups: frozenset[int] | None = None

    def may(self, needed: Role) -> bool:
        """Whether they may do what takes the needed role."""
        return needed in MAY[self.role]

    def must(self, needed: Role) -> None:
        """Raise Forbidden unless they may do what takes the needed role."""
        if not self.may(needed):
            raise Forbidden(
                f"{'An' if self.role != Role.VIEWER else 'A'} {self.role} may not do this.",
                f"It takes {'an owner or ' if needed == Role.OWNER else ''}an operator.",
            )


THIS_MACHINE = Actor("this machine", Role.OPERATOR)
"""Whoever uses restmon at its own machine, where no login is asked for."""
