"""Schedules: documents that are made daily, weekly or monthly, and sent or only kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time as WallTime
from typing import Any

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.access.visibility import stored_groups
from restmon.core.formatting import US, WEEKDAYS, Style, wall_time
from restmon.core.instants import HOUR, MINUTE
from restmon.documents import documents, pdf
from restmon.documents.periods import check_period, main_zone
from restmon.errors import BadRequest, NotFound
from restmon.notify.channels import find_channel
from restmon.notify.schedule_times import DAILY, EVERY, MONTHLY, WEEKLY, Plan
from restmon.notify.visibility import is_within, may_use
from restmon.reporting.scopes import find_scope, read_scope
from restmon.reporting.style import read_style
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.document_models import Document, Schedule, ScheduleRun
from restmon.storage.models import COMPLETE, Group
from restmon.storage.notify_models import Channel

PERIODS = {DAILY: "yesterday", WEEKLY: "last week", MONTHLY: "last month"}
"""What a document is about unless something else is chosen."""
LONGEST_NAME = 64
MOST_RUNS = 50


@dataclass(frozen=True)
class WantedSchedule:
    """What is wanted of a schedule. ``day`` is a day of the week by its name, or 1 to 31 (weekly:
    Monday and monthly: 1, where none is given), ``time`` HH:MM, ``zone`` None for that of most of
    the stores, ``period`` None for yesterday, last week or last month, and ``channels`` are ids."""

    name: str
    every: str = WEEKLY
    day: str | None = None
    time: str = "08:00"
    zone: str | None = None
    group: str | None = None
    form: str = documents.PDF
    period: str | None = None
    paper: str | None = None
    each_store: bool = False
    channels: Sequence[int] = field(default_factory=tuple)


@dataclass(frozen=True)
class ShownSchedule:
    """A schedule as it is shown: its row, the name of its ``group`` (None: all stores), the names
    of its ``channels``, its ``plan``, and its last run (None: none yet)."""

    row: Schedule
    group: str | None
    channels: list[str]
    plan: Plan
    last: "ShownRun | None"

    @property
    def when(self) -> str:
        """When it is due, in words."""
        return describe_plan(self.plan, read_style())


@dataclass(frozen=True)
class ShownRun:
    """A run of a schedule with its document (None: it was not made, or is deleted). ``is_sent``:
    the schedule has channels."""

    row: ScheduleRun
    document: Document | None
    is_sent: bool

    @property
    def state(self) -> str:
        """In a word: Running, Complete, Failed or Sent; Skipped where no document was asked for."""
        if self.document is None:
            return "Skipped" if self.row.document_id is None else "Deleted"
        done = self.row.delivered_at is not None and self.row.note is None
        if done and self.is_sent and self.document.status == COMPLETE:
            return "Sent"
        return str(self.document.status)


def plan_of(row: Schedule) -> Plan:
    """When a schedule is due."""
    return Plan(row.every, row.day, row.time, row.zone)


def describe_plan(plan: Plan, style: Style = US) -> str:
    """When a plan is due, in words such as ``Mondays at 8:00 AM, America/Chicago``."""
    clock = f"{wall_time(plan.time, style)}, {plan.zone}"
    if plan.every == WEEKLY:
        return f"{WEEKDAYS[plan.day or 0]}s at {clock}"
    if plan.every == MONTHLY:
        return f"Day {plan.day} of each month at {clock}"
    return f"Daily at {clock}"


def add(wanted: WantedSchedule, actor: Actor = THIS_MACHINE) -> Schedule:
    """Add a schedule. Raises BadRequest for what is not valid, NotFound for a group or a channel
    that the actor does not see, and Forbidden."""
    actor.must(Role.OWNER)
    with database.writing():
        row = Schedule.create(
            actor=actor.name,
            groups=stored_groups(actor),
            **_check(wanted, actor, [find_channel(one, actor) for one in wanted.channels]),
        )
        audit.note(actor, audit.SCHEDULE_CHANGED, f"{row.name}: added")
        return row


def read_wanted(row: Schedule) -> WantedSchedule:
    """What is wanted of a schedule that there is. The caller holds a connection."""
    day = None if row.day is None else str(row.day)
    minutes = row.time // MINUTE
    return WantedSchedule(
        name=row.name,
        every=row.every,
        day=WEEKDAYS[row.day or 0] if row.every == WEEKLY else day,
        time=f"{minutes // 60:02}:{minutes % 60:02}",
        zone=row.zone,
        group=None if row.group_id is None else Group.get_by_id(row.group_id).name,
        form=row.form,
        period=row.period,
        paper=row.paper,
        each_store=row.each_store,
        channels=tuple(row.channels),
    )


def find_wanted(schedule_id: int, actor: Actor = THIS_MACHINE) -> WantedSchedule:
    """What is wanted of a schedule that the actor may see. Raises NotFound."""
    with database.session():
        return read_wanted(find(schedule_id, actor))


def change(schedule_id: int, changes: Mapping[str, Any], actor: Actor = THIS_MACHINE) -> Schedule:
    """Change a schedule: the values of `WantedSchedule` by name, and ``paused``. What is not named
    stays, but a schedule of other times has the day and the window that are usual for it.

    It stays a schedule of whoever made it. After a change of its times only what comes later is
    due, and likewise when it is resumed. Raises BadRequest, NotFound, Forbidden as `add` does.
    """
    actor.must(Role.OWNER)
    with database.writing():
        row = find(schedule_id, actor)
        new = {} if set(changes) <= {"paused"} else _check_changes(row, changes, actor)
        new["paused"] = bool(changes.get("paused", row.paused))
        old = {name: getattr(row, name) for name in new} | {"group": row.group_id}
        differing = {name for name in new if new[name] != old[name]}
        if not differing:
            return row
        resumed = "paused" in differing and not new["paused"]
        if resumed or differing & {"every", "day", "time", "zone"}:
            new["since"] = database.clock()
        Schedule.update(new).where(Schedule.id == row.id).execute()
        said = [] if differing == {"paused"} else ["changed"]
        if "paused" in differing:
            said.append("paused" if new["paused"] else "resumed")
        name = new.get("name", row.name)
        audit.note(actor, audit.SCHEDULE_CHANGED, f"{name}: {', '.join(said)}")
        return find(row.id, actor)


def _check_changes(row: Schedule, changes: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """The columns of a schedule once it is changed."""
    wanted = _with_changes(read_wanted(row), changes)
    # The editor may see more than the schedule may show.
    maker = Actor(row.actor, actor.role, None if row.groups is None else frozenset(row.groups))
    to = [_keep_or_find(row, one, actor) for one in wanted.channels]
    return _check(wanted, maker, [one for one in to if one is not None])


def _with_changes(old: WantedSchedule, changes: Mapping[str, Any]) -> WantedSchedule:
    named = {name: value for name, value in changes.items() if name != "paused"}
    if named.get("every", old.every) != old.every:
        named = {"day": None} | named
        if old.period == PERIODS[old.every]:
            named = {"period": None} | named
    return replace(old, **named)


def _keep_or_find(row: Schedule, channel_id: int, actor: Actor) -> Channel | None:
    """A channel that the schedule has already, None if it is gone, or one that the actor may
    use."""
    if channel_id in row.channels:
        return Channel.get_or_none(Channel.id == channel_id)
    return find_channel(channel_id, actor)


def _check(wanted: WantedSchedule, actor: Actor, channels: Sequence[Channel]) -> dict[str, Any]:
    """The columns of a schedule of an actor."""
    name = " ".join(wanted.name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadRequest("The name of a schedule has 1 to 64 characters.", "Write another.")
    if wanted.every not in EVERY:
        raise BadRequest(f"{wanted.every[:20]!r} is not known.", f"Use {', '.join(EVERY)}.")
    scope = find_scope(actor, wanted.group)
    zone = documents.check_zone(wanted.zone) or main_zone(read_scope(scope))
    rows = stored_groups(actor) if scope.group_row is None else [scope.group_row]
    for channel in channels:
        if not is_within(rows, channel.groups):
            raise BadRequest(
                f"The people of the channel {channel.name!r} do not see all of these stores.",
                "Choose another channel, or a group of theirs.",
            )
    return {
        "name": name,
        "group": scope.group_row,
        "every": wanted.every,
        "day": _read_day(wanted.every, (wanted.day or "").strip()),
        "time": _read_time(wanted.time),
        "zone": zone,
        "form": documents.check_form(wanted.form),
        "paper": pdf.check_paper(wanted.paper or get_settings().paper),
        "period": check_period(wanted.period or PERIODS[wanted.every]),
        "each_store": wanted.each_store,
        "channels": list(dict.fromkeys(channel.id for channel in channels)),
    }


def _read_day(every: str, text: str) -> int | None:
    if every == DAILY:
        return None
    if every == WEEKLY:
        known = [day.lower() for day in WEEKDAYS]
        found = [
            n for n, day in enumerate(known) if len(text) >= 3 and day.startswith(text.lower())
        ]
        if text and not found:
            raise BadRequest(f"{text[:20]!r} is no day of the week.", "Use Monday to Sunday.")
        return found[0] if found else 0
    if not text:
        return 1
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:3]) <= 31):
        raise BadRequest(f"{text[:20]!r} is no day of the month.", "Use 1 to 31.")
    return int(text)


def _read_time(text: str) -> int:
    try:
        found = WallTime.fromisoformat(text.strip().zfill(5))
    except ValueError:
        raise BadRequest(f"{text[:20]!r} is no time of day.", "Write it as 08:30.") from None
    return found.hour * HOUR + found.minute * MINUTE


def find(schedule_id: int, actor: Actor = THIS_MACHINE) -> Schedule:
    """The row of a schedule. Raises NotFound if there is none that the actor may see. The caller
    holds a connection."""
    row = Schedule.get_or_none(Schedule.id == schedule_id) if abs(schedule_id) < 2**62 else None
    if row is None or not may_use(actor, row.groups):
        raise NotFound(f"There is no schedule {schedule_id}.", "Choose one of your own.")
    return row


def set_paused(schedule_id: int, paused: bool, actor: Actor = THIS_MACHINE) -> None:
    """Pause a schedule, or let it go on. What was due while it was paused is not made up. Raises
    NotFound, Forbidden."""
    change(schedule_id, {"paused": paused}, actor)


def delete(schedule_id: int, actor: Actor = THIS_MACHINE) -> None:
    """Delete a schedule with its history. Its documents stay. Raises NotFound, Forbidden."""
    actor.must(Role.OWNER)
    with database.writing():
        row = find(schedule_id, actor)
        Schedule.delete().where(Schedule.id == row.id).execute()
        audit.note(actor, audit.SCHEDULE_CHANGED, f"{row.name}: deleted")


def list_schedules(actor: Actor = THIS_MACHINE) -> list[ShownSchedule]:
    """The schedules that the actor may see, by name."""
    with database.session():
        rows = [row for row in Schedule.select() if may_use(actor, row.groups)]
        groups: dict[int, str] = dict(database.tuples(Group.select(Group.id, Group.name)))
        names: dict[int, str] = dict(database.tuples(Channel.select(Channel.id, Channel.name)))
        shown = [
            ShownSchedule(
                row,
                None if row.group_id is None else groups.get(row.group_id),
                [names.get(channel, "(deleted)") for channel in row.channels],
                plan_of(row),
                next(iter(_read_runs(row, 1)), None),
            )
            for row in rows
        ]
    return sorted(shown, key=lambda one: (one.row.name.casefold(), one.row.id))


def list_runs(schedule_id: int, actor: Actor = THIS_MACHINE) -> list[ShownRun]:
    """The last runs of a schedule, newest first. Raises NotFound."""
    with database.session():
        return _read_runs(find(schedule_id, actor), MOST_RUNS)


def _read_runs(row: Schedule, most: int) -> list[ShownRun]:
    query = ScheduleRun.select().where(ScheduleRun.schedule == row.id)
    runs = list(query.order_by(ScheduleRun.due_at.desc()).limit(most))
    ids = [run.document_id for run in runs if run.document_id]
    made = {one.id: one for one in Document.select().where(Document.id.in_(ids))} if ids else {}
    return [ShownRun(run, made.get(run.document_id or ""), bool(row.channels)) for run in runs]
