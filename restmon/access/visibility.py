"""What an actor may see: the stores of their groups, and the reports and imports of those stores.

Groups may change at any time. All answers are about the groups as they are now.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from restmon.access.roles import PEOPLE, Actor, Role
from restmon.errors import BadRequest, NotFound
from restmon.storage import database
from restmon.storage.models import AskedFor, Group, GroupMember, Store


def find_store_ids(groups: Iterable[int]) -> frozenset[str]:
    """The ids of the stores in any of the groups (group row ids)."""
    with database.session():
        rows = database.tuples(
            GroupMember.select(Store.store_id)
            .join(Store)
            .where(GroupMember.group.in_(sorted(groups)))
        )
    return frozenset(store_id for (store_id,) in rows)


def find_group_names(groups: Iterable[int] | None) -> frozenset[str]:
    """The names of groups (row ids; None: all), as `same_name` compares them."""
    query = Group.select(Group.same_name)
    if groups is not None:
        query = query.where(Group.id.in_(sorted(groups)))
    with database.session():
        return frozenset(name for (name,) in database.tuples(query))


def mask_stores(groups: Iterable[int] | None, ids: list[str]) -> NDArray[np.bool_]:
    """Which of the stores ``ids`` are in any of the groups; all where that is None."""
    if groups is None:
        return np.ones(len(ids), bool)
    seen = find_store_ids(groups)
    return np.fromiter((store_id in seen for store_id in ids), bool, len(ids))


def check_scope(
    role: str, groups: Sequence[str], roles: Sequence[Role] = PEOPLE
) -> list[int] | None:
    """The row ids of the groups that limit an account or key of the role, which is one of ``roles``
    (None: every store).

    Raises BadRequest for an unknown role and for groups that the role cannot have, and NotFound for
    an unknown group.
    """
    if role not in list(Role):
        raise BadRequest(f"{role[:40]!r} is not a role.", f"Use {', '.join(roles)}.")
    if role not in roles:
        raise BadRequest(f"Only a key has the role {role}.", f"Use {', '.join(roles)}.")
    if role == Role.OPERATOR and groups:
        raise BadRequest("An operator sees every store.", "Give no group, or another role.")
    if role == Role.OWNER and not groups:
        raise BadRequest("An owner needs at least one group of stores.", "Name one of the groups.")
    if not groups:
        return None
    with database.session():
        return sorted({int(Group.named(name).id) for name in groups})


def must_see(actor: Actor, store_id: str) -> None:
    """Raise NotFound, as for an unknown store, unless the actor may see the store."""
    if actor.groups is not None and store_id not in find_store_ids(actor.groups):
        raise NotFound(f"There is no store {store_id[:64]!r}.", "Choose one of your own stores.")


def stored_groups(actor: Actor) -> list[int] | None:
    """The actor's groups in the form that a report or an import stores."""
    return None if actor.groups is None else sorted(actor.groups)


def sees(actor: Actor, job: AskedFor) -> bool:
    """Whether the actor may see a report, a document or an import.

    An actor who sees all stores sees all of them. Others see those whose groups are all among their
    own, and an owner only those that they asked for. Nobody else has a deleted group, so its
    reports remain for those who see all stores.
    """
    if actor.groups is None:
        return True
    if job.groups is None or not actor.groups.issuperset(job.groups):
        return False
    return (actor.role != Role.OWNER and bool(job.groups)) or bool(job.actor == actor.name)
