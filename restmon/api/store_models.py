"""The parameters and answers of the routes of stores and groups."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from restmon.api.models import Answer, Parameters, one_of
from restmon.api.parameters import InWindow, Limit
from restmon.core.periods import BY_DAY, PERIODS
from restmon.core.status_now import STATUS_NAMES
from restmon.reporting.details_table import ASSUMED, GIVEN, UNREADABLE
from restmon.reporting.store_list import SORTS

SORT_WORDS = tuple(word for name in SORTS for word in (name, f"-{name}"))

Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
StatusNow = Annotated[str, WithJsonSchema({"enum": list(STATUS_NAMES)})]
Hours = Annotated[float, Field(ge=0)]
Percent = Annotated[float, Field(ge=0, le=100)]
HoursKnown = Annotated[str, WithJsonSchema({"enum": [GIVEN, ASSUMED, UNREADABLE]})]


# Parameters


class GetStores(Parameters):
    """What GET /stores takes."""

    search: str | None = None
    """Text in the store's id or name, in any case."""
    group: str | None = None
    """The name of a group, for its stores only."""
    zone: str | None = None
    """An IANA name such as America/Chicago, for the stores of this zone only."""
    status: Annotated[
        str | None,
        AfterValidator(one_of(STATUS_NAMES)),
        WithJsonSchema({"enum": list(STATUS_NAMES)}),
    ] = None
    """Only stores that have this status now."""
    sort: Annotated[
        str, AfterValidator(one_of(SORT_WORDS)), WithJsonSchema({"enum": list(SORT_WORDS)})
    ] = "store_id"
    """What to sort by. A - before it means largest first. Stores without a value come last.
    Default: store_id."""
    limit: Limit = 100
    """The most stores on a page. Default: 100."""
    cursor: str | None = None
    """The value of next in the page before."""


class GetStore(Parameters):
    """What GET /stores/ID takes."""

    store_id: Annotated[str, Field(min_length=1)]
    """The store."""


class _ByPeriod(InWindow):
    by: Annotated[str, AfterValidator(one_of(PERIODS)), WithJsonSchema({"enum": list(PERIODS)})] = (
        BY_DAY
    )
    """The length of the periods: hours of UTC, or days, weeks (from Monday) and months of the
    store's own calendar. Default: day."""


class GetStoreUptime(_ByPeriod):
    """What GET /stores/ID/uptime takes."""

    store_id: Annotated[str, Field(min_length=1)]
    """The store."""


class GetStoreSpans(InWindow):
    """What GET /stores/ID/spans takes."""

    store_id: Annotated[str, Field(min_length=1)]
    """The store."""


class GetGroupUptime(_ByPeriod):
    """What GET /groups/NAME/uptime takes."""

    group: Annotated[str, Field(min_length=1)]
    """The name of the group."""


# Answers


class StoreEntry(Answer):
    """A store as it is now, and its last 168 hours."""

    store_id: str
    name: str | None
    groups: list[str]
    zone: str
    zone_assumed: bool
    """Whether the store has no zone of its own, so that America/Chicago is assumed."""
    hours: HoursKnown
    """Whether its business hours are given, assumed (open 24×7), or unreadable (then it has no open
    time)."""
    status_now: StatusNow
    down_since: Instant | None
    """If it is down now: when that outage began, at the earliest 168 hours ago."""
    last_poll: Instant | None
    up: Hours
    """Hours."""
    down: Hours
    """Hours."""
    uptime_percent: Percent | None
    outages: int
    """How many outages overlap the 168 hours."""


class StoreList(Answer):
    """A page of stores."""

    as_of: Instant
    window_from: Instant
    window_to: Instant
    count: int
    """How many stores match, on all pages."""
    stores: list[StoreEntry]
    next: str | None
    """The cursor of the next page; null on the last one."""


class BusinessHoursRow(Answer):
    """A row of business hours."""

    day_of_week: Annotated[int, Field(ge=0, le=6)]
    """0 for Monday through 6 for Sunday."""
    start_time_local: str | None
    """Null with end_time_local: closed on that day."""
    end_time_local: str | None


class TargetStanding(Answer):
    """How one or more stores compare with their targets in the calendar month of as_of. All values
    are null without a target."""

    target: Percent | None
    """Per cent."""
    target_status: Literal["met", "at risk", "missed"] | None
    budget: Hours | None
    """Hours that may be down in the whole month."""
    used: Hours | None
    """Hours that were down so far."""
    budget_left: float | None
    """Hours; below 0 where the target is missed."""
    burn_rate: Annotated[float, Field(ge=0)] | None
    """1 uses up the budget exactly. Null also if nothing was open so far, or if there is no
    budget."""


class Store(TargetStanding):
    """Everything known about a store: its state now, its last 168 hours, its target."""

    store_id: str
    name: str | None
    address: str | None
    groups: list[str]
    zone: str
    zone_assumed: bool
    hours: HoursKnown
    business_hours: list[BusinessHoursRow]
    """A store without any is open 24×7, unless its hours could not be read."""
    sales_per_hour: float | None
    opened_on: str | None
    closed_on: str | None
    as_of: Instant
    window_from: Instant
    window_to: Instant
    open: Hours
    """Hours, as are the other times."""
    up: Hours
    down: Hours
    uptime_percent: Percent | None
    outages: int
    longest_outage: Hours | None
    mean_outage: Hours | None
    time_between_outages: Hours | None
    coverage: Percent | None
    """Per cent of the open time that is near a poll."""
    last_poll: Instant | None
    status_now: StatusNow
    down_since: Instant | None
    lost_sales: float | None
    """An estimate. Null where no rate of sales is known."""


class UptimePeriod(Answer):
    """The uptime in a period."""

    start: Instant
    end: Instant
    date: str | None
    """The first day of the period on the store's calendar; null if the periods are hours."""
    open: Hours
    """Hours, as are the other times."""
    up: Hours
    down: Hours
    uptime_percent: Percent | None
    coverage: Percent | None


class UptimeTotal(Answer):
    """The uptime in the whole window."""

    open: Hours
    """Hours, as are the other times."""
    up: Hours
    down: Hours
    uptime_percent: Percent | None
    coverage: Percent | None
    outages: int
    """How many outages overlap the window."""


class StoreUptime(Answer):
    """The uptime of a store in a window, by periods."""

    store_id: str
    as_of: Instant
    window_from: Instant
    window_to: Instant
    method: str
    by: Literal["hour", "day", "week", "month"]
    total: UptimeTotal
    periods: list[UptimePeriod]


class GroupUptime(TargetStanding):
    """The sums of a group's stores in a window, by periods. Its target is the one set for the
    group, or else for all stores. The other members about targets are sums of its stores, each with
    the target that applies to it."""

    group: str
    as_of: Instant
    window_from: Instant
    """The earliest beginning among its stores, whose zones may differ."""
    window_to: Instant
    """The latest end among its stores."""
    method: str
    by: Literal["hour", "day", "week", "month"]
    stores: int
    never_observed: int
    """How many stores have no poll in business hours. They have open time, but neither uptime nor
    downtime."""
    total: UptimeTotal
    periods: list[UptimePeriod]


class Span(Answer):
    """A stretch of one status in business hours. One poll decides it."""

    start: Instant
    end: Instant
    status: Literal["up", "down"]
    poll: Instant
    """The poll that decides the status."""
    starts_at: Literal["opening", "midpoint", "poll", "range"]
    """Why it starts there: the store opens, the midpoint of two polls, a poll (method previous), or
    the edge of the window."""
    ends_at: Literal["closing", "midpoint", "poll", "range"]


class StoreSpans(Answer):
    """The timeline of a store in a window. Between spans it is closed."""

    store_id: str
    as_of: Instant
    window_from: Instant
    window_to: Instant
    method: str
    spans: list[Span]


class StatusCounts(Answer):
    """How many stores have each status now."""

    up: int
    down: int
    closed: int
    not_reporting: int
    no_data: int
    hours_unreadable: int
    retired: int


class GroupEntry(Answer):
    """A group: the statuses of its stores now, and the sums of their last 24 hours."""

    group: str
    stores: int
    statuses: StatusCounts
    open: Hours
    """Hours, as are the other times."""
    up: Hours
    down: Hours
    uptime_percent: Percent | None
    coverage: Percent | None


class GroupList(Answer):
    """The groups, by name."""

    as_of: Instant
    window_from: Instant
    window_to: Instant
    groups: list[GroupEntry]
