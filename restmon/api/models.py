"""The parameters and answers of every route.

The routes parse requests into these models and answer with them, and the OpenAPI document is
generated from them (`restmon.api.openapi`), so what it says is what the API does.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from restmon.core.findings import FINDING_CODES, MOST_EXAMPLES
from restmon.errors import BadRequest
from restmon.ingest.feeds_csv import EXPORTS

YES = ("true", "1", "yes")
NO = ("false", "0", "no")

Status = Literal["Running", "Complete", "Failed"]
Id = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
Share = Annotated[float, Field(ge=0, le=1)]


# Parameters


class Nested(str):
    """The text of a value of a JSON body that is an object or a list, which no parameter is."""


class Parameters(BaseModel):
    """The values of a request. An empty value counts as absent."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    source: ClassVar[str] = ""
    """The route that answers with the required id, if the request requires one."""

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_nested(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, Nested):
            raise BadRequest(
                f"The value of {info.field_name} is an object or a list.",
                "Send one text, number, true or false.",
            )
        return value

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        """Check the values of a request.

        Parameters
        ----------
        values
            The values by name, as text. Names that the route does not know are ignored.

        Returns
        -------
        Self
            The checked values.

        Raises
        ------
        BadRequest
            If a value is missing or cannot be used.
        """
        given = {name: value for name, value in values.items() if value}
        for name, field in cls.model_fields.items():
            if field.is_required() and (field.alias or name) not in given:
                hint = f"Add ?{name}=… from {cls.source}." if cls.source else f"Give {name}."
                raise BadRequest(f"The {name} is missing.", hint)
        return cls.model_validate(given)


def _unknown(name: str | None, value: str, *known: str) -> BadRequest:
    return BadRequest(f"{name}={value[:40]!r} is not known.", f"Use {' or '.join(known)}.")


def one_of(values: tuple[str, ...]) -> Callable[[str, ValidationInfo], str]:
    """Return a validator that raises BadRequest for any value but these."""

    def check(value: str, info: ValidationInfo) -> str:
        if value not in values:
            raise _unknown(info.field_name, value, *values)
        return value

    return check


def yes_or_no(value: Any, info: ValidationInfo) -> bool:
    """Return what a word says. Raises BadRequest for a word that is neither in YES nor in NO."""
    word = str(value).lower()
    if word not in YES + NO:
        raise _unknown(info.field_name, str(value), "true", "false")
    return word in YES


YesNo = Annotated[
    bool, BeforeValidator(yes_or_no), WithJsonSchema({"enum": [True, False, 1, 0, "yes", "no"]})
]
"""A choice between yes and no, in any of the ways in which it is written."""


class StartImport(Parameters):
    """What POST /import_data takes besides the files."""

    wait: Annotated[bool, BeforeValidator(yes_or_no), WithJsonSchema({"type": "boolean"})] = False
    """Answer when the import has ended, or after ten minutes at the latest. If the import failed,
    the answer holds the error together with the import's state."""


class GetImport(Parameters):
    """What GET /import_data takes."""

    source: ClassVar[str] = "POST /import_data"

    import_id: Annotated[str, Field(min_length=1)]
    """The id that POST /import_data answered with."""


class GetExport(Parameters):
    """What GET /export_data takes."""

    kind: Annotated[
        str, AfterValidator(one_of(tuple(EXPORTS))), WithJsonSchema({"enum": list(EXPORTS)})
    ]
    """Which feed."""


# Answers


def _allow_more(schema: dict[str, Any]) -> None:
    """A later release may add members, so a client must accept them."""
    schema.pop("additionalProperties", None)


class Answer(BaseModel):
    """The body of an answer. A member that was not set is left out, whatever its default."""

    model_config = ConfigDict(
        extra="forbid", use_attribute_docstrings=True, json_schema_extra=_allow_more
    )

    def content(self) -> dict[str, Any]:
        """Return the members that were set, ready for `json.dumps`."""
        return self.model_dump(mode="json", exclude_unset=True, by_alias=True)


class ErrorDetails(Answer):
    """What went wrong."""

    code: str
    """A stable word for programs."""
    message: str
    """One sentence that says what is wrong, and where."""
    hint: str
    """One sentence that says how to correct it. Empty when the message already does."""


class Error(Answer):
    """The body of every error."""

    error: ErrorDetails


class ImportAccepted(Answer):
    """An import that was requested."""

    import_id: Id
    status: Status
    status_url: str
    """The address of the import's state."""
    note: str = ""
    """Why the answer does not have the import's end, although the request asked to wait."""


class ImportedFile(Answer):
    """A file of an import."""

    kind: str
    name: str


class Counts(Answer):
    """What an import did, in lines of its files."""

    read: int
    new: int
    updated: int
    unchanged: int
    rejected: int
    removed: int


class AllCounts(Counts):
    """What an import did, in all and by kind of file."""

    kinds: dict[str, Counts]


class RejectedLine(Answer):
    """A line that was rejected, and why."""

    file: str
    line: int
    column: str
    value: str
    reason: str


class ImportNote(Answer):
    """Something that was missing for stores of an import when it was written."""

    code: str
    count: int
    message: str
    examples: list["FindingExample"]


class ImportState(Answer):
    """The progress of an import, its counts and its first rejected lines."""

    import_id: Id
    status: Status
    progress: Share
    files: list[ImportedFile]
    requested_at: str
    requested_by: str
    demo: bool
    """Whether demo stores were imported."""
    counts: AllCounts | None
    """Null until the import is complete."""
    notices: list[str]
    """Sentences about the files, such as what was left out."""
    notes: list[ImportNote]
    """What was missing for the stores of the import when it was written."""
    undone_at: str | None
    """When the import was undone."""
    error: str | None
    error_code: str | None
    rejections: list[RejectedLine]
    """The first 1,000 rejected lines."""
    rejected_csv_url: str = ""
    """Where all rejected lines can be downloaded. Only when there are any."""


class FindingExample(Answer):
    """A store that a finding is about."""

    store_id: str
    name: str | None
    likely: str | None
    """The id of the store that is likely the same one."""
    detail: str


class Finding(Answer):
    """Something that is likely wrong with the data."""

    code: Annotated[str, WithJsonSchema({"enum": list(FINDING_CODES)})]
    count: int
    message: str
    action: str
    """The one thing to do."""
    examples: Annotated[list[FindingExample], Field(max_length=MOST_EXAMPLES)]


class DataCheck(Answer):
    """What is likely wrong with the data, most urgent first."""

    checked_at: str
    stores: int
    """How many stores were checked."""
    findings: list[Finding]


class Health(Answer):
    """Whether database, queue and worker work."""

    status: Literal["ok", "degraded", "failing"]
    """degraded: all parts work, but the feed is stale, the watched folder cannot be used, a message
    cannot be sent, or work waits for long."""
    database: str
    """ok, or what is wrong with the database."""
    queue: str
    """ok, or what is wrong with the queue."""
    worker: str
    """ok, or what is wrong with the workers."""
    outbox: str = "ok"
    """ok, or what is wrong with the messages that are to be sent."""
    unsure_messages: int = 0
    """Messages that may have arrived: their worker ended, or the receiver fell silent, while they
    were handed over. This alone does not degrade the service."""
    worker_alive: bool = False
    worker_slow: bool = False
    """A report or an import waits for longer than 10 minutes for a worker."""
    queue_depth: int = 0
    worker_seen_seconds_ago: float | None = None
    newest_poll: str | None = None
    newest_poll_age_seconds: float | None = None
    watched_folder: str = "ok"
    """ok (also where none is set), or why nothing is imported from it."""
    future_polls: int = 0
    """Polls from the future, which count nowhere."""
    feed: Literal["ok", "stale", "none"] = "none"
    """stale: the newest poll is older than three times the median gap between polls of a store in
    the last week, at least 3 hours, of time in which any store is open. none: there are no
    polls."""
