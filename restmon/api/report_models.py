"""The parameters and answers of the routes of reports."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from restmon.api.models import Answer, Id, Parameters, Share, Status, one_of
from restmon.api.parameters import InWindow
from restmon.core.status_now import STATUS_NAMES
from restmon.core.timeline import METHODS

FORMATS = ("json", "csv", "status", "details", "xlsx")


# Parameters


class TriggerReport(InWindow):
    """What POST /trigger_report takes. With a window the report has only details."""

    last: str | None = None
    """In place of from and to: a length of time that ends at as_of, such as 24h, 30d or 4w, or week
    or month for the last whole one (Monday to Sunday). Without any of the four the report is of the
    last hour, day and week."""
    group: str | None = None
    """Only the stores of this group."""
    store_id: str | None = None
    """Only this store."""


class GetReport(Parameters):
    """What GET /get_report takes."""

    source: ClassVar[str] = "/trigger_report"

    report_id: Annotated[str, Field(min_length=1)]
    """The id that /trigger_report answered with."""
    format: Annotated[
        str | None, AfterValidator(one_of(FORMATS)), WithJsonSchema({"enum": list(FORMATS)})
    ] = None
    """json: the state, and once complete the CSV as text, or the details of a report with a window.
    csv: the file itself, as with Accept: text/csv. details: more about every store, as CSV. xlsx:
    the details as a workbook. status: only the state. Default: json."""


# Answers


class ReportAccepted(Answer):
    """A report that was requested."""

    report_id: Id
    status: Literal["Running"]
    status_url: str
    """The address of the report's state."""


class ReportState(Answer):
    """The progress of a report, with its CSV once it is complete."""

    report_id: Id
    status: Status
    progress: Share
    as_of: str | None
    """The instant at which the windows end. Null until a worker has determined it."""
    method: Annotated[str, WithJsonSchema({"enum": list(METHODS)})]
    requested_at: str
    requested_by: str
    demo: bool
    """Whether the report is of demo stores."""
    stores: int = 0
    """How many rows the CSV has. Only when complete."""
    window: str | None
    """The requested window. Null: the last hour, day and week."""
    group: str | None
    """The group that it is limited to. Null: none."""
    store_id: str | None
    """The store that it is limited to. Null: none."""
    csv_url: str = ""
    """Where the file can be downloaded. Only when complete, and without a window."""
    details_url: str = ""
    """Where the details can be downloaded as CSV. Only when complete."""
    xlsx_url: str = ""
    """Where the details can be downloaded as a workbook. Only when complete."""
    csv: str = ""
    """The report's CSV. Only when complete, without a window, and not with format=status."""
    details: Annotated[list["StoreDetails"], Field(default_factory=list)]
    """The stores in detail. Only when complete, with a window, and not with format=status."""
    error: str = ""
    """Why the report failed. Only when failed."""


class StoreDetails(Answer):
    """A store in a window: durations in hours of business hours, shares in per cent, both with two
    decimals. Null where it is not known."""

    store_id: str
    name: str | None
    groups: list[str]
    zone: str
    zone_assumed: bool
    hours: Literal["given", "assumed", "unreadable"]
    window_from: str
    window_to: str
    open: float
    up: float
    down: float
    uptime_percent: float | None
    outages: int
    longest_outage: float | None
    mean_outage: float | None
    time_between_outages: float | None
    coverage: float | None
    last_poll: str | None
    status_now: Annotated[str, WithJsonSchema({"enum": list(STATUS_NAMES)})]
    down_since: str | None
    target: float | None
    target_status: str | None
    budget_left: float | None
    lost_sales: float | None
    """An estimate."""
