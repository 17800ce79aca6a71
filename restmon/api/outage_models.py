"""The parameters and answers of the routes of outages and incidents."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from restmon.api.models import Answer, one_of, yes_or_no
from restmon.api.parameters import InWindow
from restmon.api.store_models import Instant, Percent
from restmon.errors import BadRequest

FORMATS = ("json", "csv")
MOST_MINUTES = 1_000_000
Minutes = Annotated[float, Field(ge=0)]
Format = Annotated[str, AfterValidator(one_of(FORMATS)), WithJsonSchema({"enum": list(FORMATS)})]


def _minutes(value: Any) -> float:
    text = str(value).strip()
    try:
        number = float(text) if text.isascii() else -1.0
    except ValueError:
        number = -1.0
    if not 0 <= number <= MOST_MINUTES:
        raise BadRequest(
            f"min_minutes={text[:40]!r} cannot be used.", f"Use 0 to {MOST_MINUTES:,}."
        )
    return number


# Parameters


class GetIncidents(InWindow):
    """What GET /incidents takes. Dates and months are those of UTC."""

    group: str | None = None
    """The name of a group: its stores alone."""
    format: Format = "json"
    """csv: a file with the same columns. Default: json."""


class GetOutages(InWindow):
    """What GET /outages takes."""

    store_id: str | None = None
    """This store alone."""
    group: str | None = None
    """The name of a group: its stores alone."""
    ongoing: Annotated[
        bool | None, BeforeValidator(yes_or_no), WithJsonSchema({"type": "boolean"})
    ] = None
    """true: those that go on alone; false: those that have ended alone."""
    min_minutes: Annotated[
        float,
        BeforeValidator(_minutes),
        WithJsonSchema({"type": "number", "minimum": 0, "maximum": MOST_MINUTES}),
    ] = 0.0
    """Those that have lasted so many open minutes alone."""
    format: Format = "json"
    """csv: a file with the same columns. Default: json."""


# Answers


class Outage(Answer):
    """An outage, whole. What is not known, or has not happened, is null."""

    store_id: str
    name: str | None
    zone: str
    start: Instant
    end: Instant | None
    """Null while it goes on."""
    start_local: str
    """By the store's clock, with the offset."""
    end_local: str | None
    ongoing: bool
    open_minutes: Minutes
    """How long it has lasted, in business hours."""
    cause: str | None
    """The reason of its first poll that told one."""
    incident_id: str | None
    """The incident that the store was part of. Null where one store alone was asked for."""
    lost_sales: float | None
    """An estimate."""
    last_up_poll: Instant | None
    """With the next one, the polls that decided its start."""
    first_down_poll: Instant
    last_down_poll: Instant
    """With the next one, the polls that decided its end."""
    next_up_poll: Instant | None


class OutageList(Answer):
    """The outages that overlap a window, by store, then start."""

    as_of: Instant
    window: str
    """As it was asked for."""
    count: int
    outages: list[Outage]


class Incident(Answer):
    """A time in which many stores were down at once."""

    incident_id: str
    start: Instant
    end: Instant
    stores: int
    """How many were down in it."""
    most_down: int
    """The most that were down at once."""
    peak_share: Percent
    """The highest share of open stores that were down, per cent."""
    minutes_lost: Minutes
    """The open minutes that its stores were down in it, all together."""
    zones: list[str]
    """The zones of the most of its stores, with how many: America/Chicago (12)."""
    groups: list[str]
    """The groups of the most of its stores, with how many."""


class IncidentList(Answer):
    """The incidents of a window, in order."""

    as_of: Instant
    window_from: Instant
    window_to: Instant
    count: int
    incidents: list[Incident]
