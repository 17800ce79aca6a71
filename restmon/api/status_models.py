"""The parameters and answers of the routes of public status pages."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, WithJsonSchema

from restmon.api.models import Answer, Parameters, YesNo, one_of
from restmon.api.store_models import Instant, Percent

SHOWN = ("uptime", "now")


# Parameters


class GetStatus(Parameters):
    """What the routes of one status page take."""

    source: ClassVar[str] = "PUT /status_pages"

    slug: Annotated[str, Field(min_length=1)]
    """The last part of the address of the status page."""


class GetBadge(GetStatus):
    """What GET /badge takes."""

    show: Annotated[str, AfterValidator(one_of(SHOWN)), WithJsonSchema({"enum": list(SHOWN)})] = (
        "uptime"
    )
    """uptime: of the last 30 days. now: the status now. Default: uptime."""


class OfGroup(Parameters):
    """A group whose status page is meant."""

    group: Annotated[str, Field(min_length=1)]
    """The name of a group."""


class TurnOn(OfGroup):
    """What PUT /status_pages takes."""

    slug: str | None = None
    """The last part of the address: 3 to 64 of a to z, 0 to 9 and -. Default: as it is, or random
    at first."""
    show_ids: YesNo | None = None
    """Whether it shows the ids of stores. Default: as it is, or false at first."""


# Answers


class StatusPageEntry(Answer):
    """A status page that is on."""

    group: str
    slug: str
    show_ids: bool
    status_url: str
    json_url: str
    badge_url: str


class StatusPageList(Answer):
    """The status pages that are on, by group."""

    status_pages: list[StatusPageEntry]


class StatusPageOff(Answer):
    """A status page that was turned off."""

    group: str
    was_on: bool


class StatusOutage(Answer):
    """A store that is down now."""

    name: str | None
    store_id: str = ""
    """Only if the page shows ids."""
    since: Instant | None
    """Null: for more than a week."""


class StatusDay(Answer):
    """A local date."""

    date: str
    uptime: Percent | None
    """Per cent of the observed business hours. Null where there are none."""
    coverage: Percent | None
    """The open time that was near a poll, per cent."""


class PublicState(Answer):
    """The status of a group's stores."""

    name: str
    """The name of the group."""
    as_of: Instant | None
    """The newest poll. Null: there is none."""
    state: Annotated[
        str, WithJsonSchema({"enum": ["up", "some down", "all down", "closed", "no data"]})
    ]
    stores: int
    statuses: dict[str, int]
    """How many stores have each status."""
    uptime_30_days: Percent | None
    uptime_90_days: Percent | None
    coverage_30_days: Percent
    """The open time that was near a poll, per cent."""
    coverage_90_days: Percent
    days: list[StatusDay]
    outages: list[StatusOutage]
    """The stores that are down now, longest first."""
