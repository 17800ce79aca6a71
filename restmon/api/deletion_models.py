"""The parameters and answers of the routes that delete by hand."""

from functools import partial
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from restmon.api.models import Answer, Parameters, yes_or_no
from restmon.errors import BadRequest
from restmon.ops.deletion import PollRange
from restmon.reporting.computation import parse_instant

INSTANT = WithJsonSchema({"type": "string", "format": "date-time"})
DryRun = Annotated[bool, BeforeValidator(yes_or_no), WithJsonSchema({"type": "boolean"})]


class DeletePolls(Parameters):
    """What DELETE /polls takes: at least one of from, to and store_id."""

    begin: Annotated[
        int | None,
        Field(alias="from"),
        BeforeValidator(partial(parse_instant, "from")),
        INSTANT,
    ] = None
    """Polls from this UTC instant on."""
    end: Annotated[
        int | None,
        Field(alias="to"),
        BeforeValidator(partial(parse_instant, "to")),
        INSTANT,
    ] = None
    """Polls before this UTC instant."""
    store_id: str | None = None
    """Only the polls of this store."""
    dry_run: DryRun = False
    """Count them, and delete nothing."""

    def polls(self) -> PollRange:
        """Return which polls. Raises BadRequest for a request without any limit."""
        if self.begin is None and self.end is None and self.store_id is None:
            raise BadRequest("The request does not say which polls.", "Give from, to or store_id.")
        return PollRange(self.begin, self.end, self.store_id)


class DeleteStore(Parameters):
    """What DELETE /stores/… takes."""

    source: ClassVar[str] = "the stores of a report"
    store_id: Annotated[str, Field(min_length=1)]
    """The store to delete, with its polls, hours and everything else that belongs to it."""
    dry_run: DryRun = False
    """Count its polls, and delete nothing."""


class Deletion(Answer):
    """What was deleted, or would be with dry_run."""

    polls: int
    """How many polls."""
    store_id: str | None
    """Whose polls. Null: of all stores."""
    deleted: bool
    """False with dry_run."""
