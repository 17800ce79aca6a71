"""The routes of schedules: documents that are made daily, weekly or monthly."""

import bottle

from jobs import tasks
from restmon.access.roles import Role
from restmon.api.answers import answer
from restmon.api.application import Application
from restmon.api.operations import Operation
from restmon.api.requests import actor
from restmon.api.schedule_models import (
    AddSchedule,
    ChangeSchedule,
    OfSchedule,
    ScheduleAdded,
    ScheduleEntry,
    ScheduleList,
    ScheduleRunEntry,
    ScheduleRunList,
    ScheduleStarted,
)
from restmon.api.store_answers import iso
from restmon.api.work_queue import queue_depth
from restmon.notify import schedules
from restmon.notify.schedules import ShownRun, ShownSchedule, WantedSchedule
from restmon.storage.models import now

routes = Application()


@routes.get(
    "/schedules",
    needs=Role.VIEWER,
    operation=Operation("get_schedules", gives={200: [ScheduleList]}),
)
def get_schedules() -> bottle.HTTPResponse:
    """Get the schedules of the groups that the key sees, with the last run of each."""
    found = [_entry(one) for one in schedules.list_schedules(actor())]
    return answer(ScheduleList(schedules=found))


@routes.post(
    "/schedules",
    needs=Role.OWNER,
    operation=Operation(
        "add_schedule",
        main="POST",
        takes=AddSchedule,
        gives={200: [ScheduleAdded]},
        errors=(404,),
    ),
)
def add_schedule(asked: AddSchedule) -> bottle.HTTPResponse:
    """Add a schedule: a document that is made daily, weekly or monthly, and sent or only kept.

    A time that was missed is made up once.
    """
    wanted = WantedSchedule(
        name=asked.name,
        every=asked.every,
        day=asked.day,
        time=asked.time,
        zone=asked.zone,
        group=asked.group,
        form=asked.format,
        period=asked.window,
        paper=asked.paper,
        each_store=asked.each_store,
        channels=asked.channels,
    )
    return answer(ScheduleAdded(schedule_id=schedules.add(wanted, actor()).id))


@routes.put(
    "/schedules/<schedule_id>",
    needs=Role.OWNER,
    operation=Operation(
        "change_schedule",
        main="PUT",
        takes=ChangeSchedule,
        gives={200: [ScheduleAdded]},
        errors=(404,),
    ),
)
def change_schedule(asked: ChangeSchedule) -> bottle.HTTPResponse:
    """Change a schedule, pause it, or let it go on.

    After a change of its times only what comes later is due.
    """
    schedules.change(asked.schedule_id, asked.changes(), actor())
    return answer(ScheduleAdded(schedule_id=asked.schedule_id))


@routes.delete(
    "/schedules/<schedule_id>",
    needs=Role.OWNER,
    operation=Operation(
        "delete_schedule",
        main="DELETE",
        takes=OfSchedule,
        gives={200: [ScheduleAdded]},
        errors=(404,),
    ),
)
def delete_schedule(asked: OfSchedule) -> bottle.HTTPResponse:
    """Delete a schedule. Its documents stay."""
    schedules.delete(asked.schedule_id, actor())
    return answer(ScheduleAdded(schedule_id=asked.schedule_id))


@routes.post(
    "/schedules/<schedule_id>/run",
    needs=Role.OWNER,
    operation=Operation(
        "run_schedule",
        main="POST",
        takes=OfSchedule,
        gives={202: [ScheduleStarted]},
        errors=(404,),
    ),
)
def run_schedule(asked: OfSchedule) -> bottle.HTTPResponse:
    """Run a schedule at once, as of now."""
    queue_depth()  # so that nothing is put on record that would not be enqueued
    document_id = tasks.enqueue_schedule(asked.schedule_id, actor())
    return answer(ScheduleStarted(schedule_id=asked.schedule_id, document_id=document_id), 202)


@routes.get(
    "/schedules/<schedule_id>/runs",
    needs=Role.VIEWER,
    operation=Operation(
        "get_schedule_runs", takes=OfSchedule, gives={200: [ScheduleRunList]}, errors=(404,)
    ),
)
def get_schedule_runs(asked: OfSchedule) -> bottle.HTTPResponse:
    """Get the last 50 runs of a schedule, with the ids of their documents."""
    found = [_run(one) for one in schedules.list_runs(asked.schedule_id, actor())]
    return answer(ScheduleRunList(runs=found))


def _entry(one: ShownSchedule) -> ScheduleEntry:
    row = one.row
    return ScheduleEntry(
        schedule_id=row.id,
        name=row.name,
        group=one.group,
        every=row.every,
        when=one.when,
        zone=row.zone,
        format=row.form,
        window=row.period,
        channels=one.channels,
        paused=row.paused,
        next_at=None if row.paused else iso(one.plan.next_due(now())),
        last_run=None if one.last is None else _run(one.last),
    )


def _run(one: ShownRun) -> ScheduleRunEntry:
    return ScheduleRunEntry(
        due_at=iso(one.row.due_at),
        by_hand=one.row.by_hand,
        state=one.state,
        document_id=one.row.document_id,
        note=one.row.note,
    )
