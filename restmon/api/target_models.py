"""The parameters and answers of the routes of targets."""

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from restmon.api.models import Answer, Parameters
from restmon.api.outage_models import Format
from restmon.api.store_models import Instant, TargetStanding
from restmon.errors import BadRequest
from restmon.stores.subjects import Subject
from restmon.stores.targets import parse_target


class _OfSubject(Parameters):
    store_id: str | None = None
    """The store of the target. Without a store and a group: all stores."""
    group: str | None = None
    """The group of the target."""

    def subject(self) -> Subject:
        """Return the store or group of the target. Raises BadRequest if both are given."""
        if self.store_id and self.group:
            raise BadRequest(
                "The request names a store and a group.",
                "Give store_id or group; neither stands for all stores.",
            )
        return Subject(self.store_id, self.group)


class GetTargets(Parameters):
    """What GET /targets takes."""

    format: Format = "json"
    """csv: a file with the same columns, which can be imported as targets again. Default: json."""


class RemoveTarget(_OfSubject):
    """What DELETE /targets takes."""


def _parse(value: Any) -> int:
    return parse_target(str(value))


class SetTarget(_OfSubject):
    """What PUT /targets takes."""

    target: Annotated[
        int,
        BeforeValidator(_parse),
        WithJsonSchema({"type": "number", "minimum": 1, "maximum": 100}),
    ]
    """The uptime to reach, per cent, with at most 4 decimals."""


class TargetOf(Answer):
    """The store or the group of a target. All stores if both are null."""

    store_id: str | None
    group: str | None


class TargetEntry(TargetOf):
    """A target that was set."""

    target: float
    """Per cent."""


class TargetListEntry(TargetEntry, TargetStanding):
    """A target that was set, and how its stores stand together, each by the target that holds for
    it."""

    target: float
    """Per cent."""
    stores: int
    """How many stores it is of: of all, of the group, or 1."""


class TargetList(Answer):
    """The targets that were set: of all stores, then of groups, then of stores."""

    as_of: Instant | None
    """The standing is that of the month of this instant. Null before the first poll."""
    targets: list[TargetListEntry]
