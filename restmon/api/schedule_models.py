"""The parameters and answers of the routes of schedules."""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from restmon.api.document_models import FORMS, Form, Paper
from restmon.api.models import Answer, Id, Parameters, YesNo, one_of, yes_or_no
from restmon.api.store_models import Instant
from restmon.documents.documents import PDF
from restmon.errors import BadRequest
from restmon.notify.schedule_times import EVERY, WEEKLY

ID_SCHEMA = {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}


def _number(value: Any) -> int:
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BadRequest(f"schedule_id={text[:40]!r} is no id of a schedule.", "See /schedules.")
    return int(text)


def _channels(value: Any) -> tuple[int, ...]:
    parts = [part.strip() for part in str(value).strip("[]() ").split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and len(part) < 16 for part in parts):
        raise BadRequest(
            f"channels={str(value)[:40]!r} are no ids of channels.", "Separate ids by commas."
        )
    return tuple(map(int, parts))


PerhapsYesNo = Annotated[
    bool | None,
    BeforeValidator(yes_or_no),
    WithJsonSchema({"enum": [True, False, 1, 0, "yes", "no"]}),
]


# Parameters


class AddSchedule(Parameters):
    """What POST /schedules takes."""

    name: Annotated[
        str,
        Field(min_length=1),
        WithJsonSchema(
            {"anyOf": [{"type": "string", "minLength": 1}, {"type": "number"}, {"type": "boolean"}]}
        ),
    ]
    """1 to 64 characters."""
    every: Annotated[str, AfterValidator(one_of(EVERY)), WithJsonSchema({"enum": list(EVERY)})] = (
        WEEKLY
    )
    """Default: weekly."""
    day: str | None = None
    """Weekly: a day of the week, such as Monday (the default). Monthly: 1 (the default) to 31; the
    last day where a month has fewer."""
    time: str = "08:00"
    """The time of day, such as 08:00, in the zone."""
    zone: str | None = None
    """The time zone. Default: that of most of the stores."""
    group: str | None = None
    """Only the stores of this group. Default: all that the key sees."""
    format: Form = PDF
    """Default: pdf."""
    window: str | None = None
    """As of POST /documents. Default: yesterday, last week or last month."""
    paper: Paper = None
    """The paper of the PDF. Default: the setting RESTMON_PAPER."""
    each_store: YesNo = False
    """true: the PDF also has half a page of every store."""
    channels: Annotated[
        tuple[int, ...], BeforeValidator(_channels), WithJsonSchema({"type": "string"})
    ] = ()
    """The ids of the channels that get it, separated by commas. Default: it is only kept."""


class OfSchedule(Parameters):
    """What the routes of one schedule take."""

    source: ClassVar[str] = "/schedules"

    schedule_id: Annotated[int, BeforeValidator(_number), WithJsonSchema(ID_SCHEMA)]
    """The id of a schedule."""


class ChangeSchedule(OfSchedule):
    """What PUT /schedules/{schedule_id} takes. What is not given stays as it is."""

    paused: PerhapsYesNo = None
    """true: nothing is due. false: it goes on from now."""
    name: str | None = None
    """1 to 64 characters."""
    every: Annotated[
        str | None, AfterValidator(one_of(EVERY)), WithJsonSchema({"enum": list(EVERY)})
    ] = None
    """Of another interval the day and the usual window are the default ones, if none is given."""
    day: str | None = None
    """As of POST /schedules."""
    time: str | None = None
    """The time of day, such as 08:00, in the zone."""
    zone: str | None = None
    """The time zone."""
    group: str | None = None
    """Only the stores of this group."""
    all_stores: YesNo = False
    """true: of all stores, not of a group."""
    format: Annotated[
        str | None, AfterValidator(one_of(FORMS)), WithJsonSchema({"enum": list(FORMS)})
    ] = None
    """pdf, xlsx or csv."""
    window: str | None = None
    """As of POST /documents."""
    paper: Paper = None
    """The paper of the PDF."""
    each_store: PerhapsYesNo = None
    """true: the PDF also has half a page of every store."""
    channels: Annotated[
        tuple[int, ...] | None, BeforeValidator(_channels), WithJsonSchema({"type": "string"})
    ] = None
    """The ids of the channels that get it, separated by commas. []: it is only kept."""

    def changes(self) -> dict[str, Any]:
        """Return the changes by the names of the service."""
        renamed = {"format": "form", "window": "period"}
        given = self.model_dump(exclude={"schedule_id", "all_stores"}, exclude_none=True)
        found = {renamed.get(name, name): value for name, value in given.items()}
        if not self.all_stores:
            return found
        if self.group is not None:
            raise BadRequest("group and all_stores cannot be combined.", "Give one of them.")
        return found | {"group": None}


# Answers


class ScheduleRunEntry(Answer):
    """A run of a schedule."""

    due_at: Instant
    by_hand: bool
    state: str
    """Running, Complete, Failed, Sent, Skipped, or Deleted (of its document)."""
    document_id: str | None
    note: str | None
    """Why it was not made, or not sent to a channel."""


class ScheduleEntry(Answer):
    """A schedule."""

    schedule_id: int
    name: str
    group: str | None
    every: Annotated[str, WithJsonSchema({"enum": list(EVERY)})]
    when: str
    """When it is due, in words."""
    zone: str
    format: Annotated[str, WithJsonSchema({"enum": list(FORMS)})]
    window: str
    channels: list[str]
    paused: bool
    next_at: Instant | None
    """When it is due next. Null while it is paused."""
    last_run: ScheduleRunEntry | None


class ScheduleList(Answer):
    """The schedules, by name."""

    schedules: list[ScheduleEntry]


class ScheduleRunList(Answer):
    """The last 50 runs of a schedule, newest first."""

    runs: list[ScheduleRunEntry]


class ScheduleAdded(Answer):
    """A schedule that was added, changed or deleted."""

    schedule_id: int


class ScheduleStarted(Answer):
    """A run that was asked for."""

    schedule_id: int
    document_id: Id
