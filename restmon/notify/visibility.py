"""Who may see and use a channel, a rule or a message.

Each belongs to groups of stores. Whoever sees all of these groups may use it. What belongs to no
groups is for those who see every store.
"""

from collections.abc import Iterable

from restmon.access.roles import Actor


def may_use(actor: Actor, groups: Iterable[int] | None) -> bool:
    """Whether an actor may see what belongs to the groups (row ids; None: every store). Nobody but
    those who see every store has a deleted group."""
    if actor.groups is None:
        return True
    own = [] if groups is None else list(groups)
    return bool(own) and actor.groups.issuperset(own)


def is_within(inner: Iterable[int] | None, outer: Iterable[int] | None) -> bool:
    """Whether everybody who may use the outer one may know the stores of the inner one."""
    if outer is None:
        return True
    return inner is not None and set(outer).issuperset(inner)
