"""What an actor gets to see: the stores of their groups, and the reports and imports of those.

Groups may change at any time; what is asked here is of the groups as they are now.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from restmon import database
from restmon.errors import BadRequest, NotFound
from restmon.groups import ids_of
from restmon.models import GroupMember, Import, Report, Store
from restmon.roles import Actor, Role

JobType = TypeVar("JobType", Report, Import)


def store_ids(groups: Iterable[int]) -> frozenset[str]:
    """The ids of the stores in any of the groups (group row ids)."""
    with database.session():
        rows = database.tuples(
            GroupMember.select(Store.store_id)
            .join(Store)
            .where(GroupMember.group.in_(sorted(groups)))
        )
    return frozenset(store_id for (store_id,) in rows)


def mask(groups: Iterable[int] | None, ids: list[str]) -> NDArray[np.bool_]:
    """Which of the stores ``ids`` are in any of the groups; all where that is None."""
    if groups is None:
        return np.ones(len(ids), bool)
    seen = store_ids(groups)
    return np.fromiter((store_id in seen for store_id in ids), bool, len(ids))


def checked_scope(role: str, groups: Sequence[str]) -> list[int] | None:
    """The row ids of the groups that a role is confined to, None for every store. Raises
    BadRequest for a role there is not, and for groups that do not go with it; NotFound."""
    if role not in list(Role):
        raise BadRequest(f"{role[:40]!r} is no role.", f"Use {', '.join(Role)}.")
    if role == Role.OPERATOR and groups:
        raise BadRequest("An operator sees every store.", "Give no group, or another role.")
    if role == Role.OWNER and not groups:
        raise BadRequest("An owner needs at least one group of stores.", "Name one of the groups.")
    return ids_of(groups) if groups else None


def must_see(actor: Actor, store_id: str) -> None:
    """Raise NotFound, as for a store that is not there, unless the actor may see the store."""
    if actor.groups is not None and store_id not in store_ids(actor.groups):
        raise NotFound(f"There is no store {store_id[:64]!r}.", "Choose one of your own stores.")


def groups_of(actor: Actor) -> list[int] | None:
    """The actor's groups as a report or an import keeps them."""
    return None if actor.groups is None else sorted(actor.groups)


def sees(actor: Actor, job: Report | Import) -> bool:
    """Whether a report or import is there for the actor: all are for whoever sees all stores; to
    others, those of no other groups than theirs, to an owner only their own."""
    if actor.groups is None:
        return True
    if job.groups is None or not actor.groups.issuperset(job.groups):
        return False
    return actor.role != Role.OWNER or bool(job.actor == actor.name)


def find(model: type[JobType], actor: Actor, job_id: str) -> JobType | None:
    """The report, or import, of an id as somebody wrote it, or None where it is not there for the
    actor."""
    with database.session():
        job = model.find(job_id)
    return job if job is not None and sees(actor, job) else None


def recent(model: type[JobType], actor: Actor, limit: int) -> list[JobType]:
    """The newest reports, or imports, that are there for the actor, newest first."""
    with database.session():
        query = model.select().order_by(model.requested_at.desc())
        if actor.groups is None:
            return list(query.limit(limit))
        query = query.where(model.groups.is_null(False))
        if actor.role == Role.OWNER:
            query = query.where(model.actor == actor.name)
        return list(islice((job for job in query.iterator() if sees(actor, job)), limit))
