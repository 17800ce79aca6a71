"""The parameters and answers of the routes of outages and incidents."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from restmon.api.models import Answer, one_of, yes_or_no
from restmon.api.note_models import OutageNote
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
    """The name of a group, for its stores only."""
    format: Format = "json"
    """csv: a file with the same columns. Default: json."""


class GetOutages(InWindow):
    """What GET /outages takes."""

    store_id: str | None = None
    """Only this store."""
    group: str | None = None
    """The name of a group, for its stores only."""
    ongoing: Annotated[
        bool | None, BeforeValidator(yes_or_no), WithJsonSchema({"type": "boolean"})
    ] = None
    """true: only outages that go on. false: only outages that have ended."""
    min_minutes: Annotated[
        float,
        BeforeValidator(_minutes),
        WithJsonSchema({"type": "number", "minimum": 0, "maximum": MOST_MINUTES}),
    ] = 0.0
    """Only outages that have lasted at least this many open minutes."""
    format: Format = "json"
    """csv: a file with the same columns. Default: json."""


# Answers


class Outage(Answer):
    """A whole outage. A value that is unknown, or has not happened yet, is null."""

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
    """The reason of its first poll that gave one, or else the cause that a note gives."""
    incident_id: str | None
    """The incident that the store was part of. Null if the request names one store."""
    lost_sales: float | None
    """An estimate."""
    last_up_poll: Instant | None
    """This poll and first_down_poll decided its start."""
    first_down_poll: Instant
    last_down_poll: Instant
    """This poll and next_up_poll decided its end."""
    next_up_poll: Instant | None
    notes: list[OutageNote]


class OutageList(Answer):
    """The outages that overlap a window, by store, then start."""

    as_of: Instant
    window: str
    """The window as it was requested."""
    count: int
    outages: list[Outage]


class Incident(Answer):
    """A time in which many stores were down at once."""

    incident_id: str
    start: Instant
    end: Instant
    stores: int
    """How many stores were down in it."""
    most_down: int
    """The most that were down at once."""
    peak_share: Percent
    """The highest share of open stores that were down, per cent."""
    minutes_lost: Minutes
    """The open minutes that its stores were down in it, summed."""
    zones: list[str]
    """The zones with most of its stores, with counts: America/Chicago (12)."""
    groups: list[str]
    """The groups with most of its stores, with counts."""


class IncidentList(Answer):
    """The incidents of a window, in order."""

    as_of: Instant
    window_from: Instant
    window_to: Instant
    count: int
    incidents: list[Incident]
