"""The routes of targets."""

import bottle

from restmon.access.roles import Role
from restmon.api.answers import answer
from restmon.api.application import Application
from restmon.api.operations import Operation
from restmon.api.requests import actor
from restmon.api.target_models import RemoveTarget, SetTarget, TargetEntry, TargetList, TargetOf
from restmon.stores import targets

routes = Application()


@routes.get(
    "/targets",
    needs=Role.VIEWER,
    operation=Operation("get_targets", gives={200: [TargetList]}),
)
def get_targets() -> bottle.HTTPResponse:
    """Get the uptime targets that were set.

    A store's own target comes first, then the highest of its groups', then that of all stores.
    """
    found = [
        TargetEntry(store_id=one.store, group=one.group, target=one.percent)
        for one in targets.list_targets(actor())
    ]
    return answer(TargetList(targets=found))


@routes.put(
    "/targets",
    needs=Role.OWNER,
    operation=Operation(
        "set_target", main="PUT", takes=SetTarget, gives={200: [TargetEntry]}, errors=(404,)
    ),
)
def set_target(asked: SetTarget) -> bottle.HTTPResponse:
    """Set the uptime target of a store, a group or all stores.

    That of all stores takes the role operator.
    """
    subject = asked.subject()
    targets.set_target(subject, asked.target, actor())
    percent = targets.as_percent(asked.target)
    return answer(TargetEntry(store_id=subject.store, group=subject.group, target=percent))


@routes.delete(
    "/targets",
    needs=Role.OWNER,
    operation=Operation(
        "remove_target", main="DELETE", takes=RemoveTarget, gives={200: [TargetOf]}, errors=(404,)
    ),
)
def remove_target(asked: RemoveTarget) -> bottle.HTTPResponse:
    """Remove the uptime target of a store, a group or all stores.

    That of all stores takes the role operator.
    """
    subject = asked.subject()
    targets.remove_target(subject, actor())
    return answer(TargetOf(store_id=subject.store, group=subject.group))
