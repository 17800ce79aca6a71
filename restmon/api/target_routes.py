"""The routes of targets."""

import bottle

from restmon.access.roles import Role
from restmon.api.answers import answer, answer_csv
from restmon.api.application import Application
from restmon.api.operations import Operation
from restmon.api.requests import actor
from restmon.api.store_answers import iso
from restmon.api.target_models import (
    GetTargets,
    RemoveTarget,
    SetTarget,
    TargetEntry,
    TargetList,
    TargetListEntry,
    TargetOf,
)
from restmon.reporting.target_list import export_csv, list_target_standings
from restmon.reporting.target_standing import describe_standing
from restmon.stores import targets

routes = Application()


@routes.get(
    "/targets",
    needs=Role.VIEWER,
    operation=Operation("get_targets", takes=GetTargets, gives={200: [TargetList, "text/csv"]}),
)
def get_targets(asked: GetTargets) -> bottle.HTTPResponse:
    """Get the uptime targets that were set, and how the stores of each stand this month.

    A store's own target comes first, then the highest of its groups', then that of all stores.
    """
    if asked.format == "csv":
        return answer_csv("targets", export_csv(actor()))
    as_of, found = list_target_standings(actor())
    entries = [
        TargetListEntry(
            store_id=one.target.store,
            group=one.target.group,
            target=one.target.percent,
            stores=one.stores,
            **describe_standing(one.standing),
        )
        for one in found
    ]
    return answer(TargetList(as_of=None if as_of is None else iso(as_of), targets=entries))


@routes.put(
    "/targets",
    needs=Role.OWNER,
    operation=Operation(
        "set_target", main="PUT", takes=SetTarget, gives={200: [TargetEntry]}, errors=(404,)
    ),
)
def set_target(asked: SetTarget) -> bottle.HTTPResponse:
    """Set the uptime target of a store, a group or all stores.

    The target of all stores requires the role operator.
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

    The target of all stores requires the role operator.
    """
    subject = asked.subject()
    targets.remove_target(subject, actor())
    return answer(TargetOf(store_id=subject.store, group=subject.group))
