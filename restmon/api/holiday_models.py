"""The parameters and answers of the routes of holidays."""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, WithJsonSchema

from restmon.api.models import Answer, Parameters
from restmon.errors import BadRequest
from restmon.ingest.holiday_hours import FIRST_YEAR, LAST_YEAR, HolidayHours
from restmon.stores.subjects import Subject


def _parse_year(value: Any) -> int:
    text = str(value)
    if not text.isascii() or not text.isdigit():
        raise BadRequest(f"year={text[:40]!r} is no year.", "Use four digits, such as 2026.")
    return int(text[:9])


class GetHolidays(Parameters):
    """What GET /holidays takes."""

    source: ClassVar[str] = "the calendar"
    year: Annotated[
        int,
        BeforeValidator(_parse_year),
        WithJsonSchema({"type": "integer", "minimum": FIRST_YEAR, "maximum": LAST_YEAR}),
    ]
    """The year of the holidays."""
    state: str | None = None
    """The two letters of a state, for its holidays. Default: the federal holidays."""


class SetHolidays(GetHolidays):
    """What PUT /holidays takes: a group or a store_id, and a year."""

    group: str | None = None
    """The group whose hours to set."""
    store_id: str | None = None
    """The store whose hours to set."""
    holidays: str = ""
    """The names of the holidays, separated by semicolons. Default: all of the year."""
    opens: str = ""
    """When the stores open on these dates, such as 10:00 or 10 AM. Default: they are closed."""
    closes: str = ""
    """When the stores close on these dates."""

    def subject(self) -> Subject:
        """Return the store or the group. Raises BadRequest unless there is exactly one."""
        if bool(self.store_id) == bool(self.group):
            raise BadRequest(
                "The request names no store and no group, or both.", "Give store_id or group."
            )
        return Subject(self.store_id, self.group)

    def hours(self) -> HolidayHours:
        """Return the hours on the holidays."""
        names = tuple(name.strip() for name in self.holidays.split(";") if name.strip())
        return HolidayHours(self.year, self.state, names, self.opens, self.closes)


class HolidayEntry(Answer):
    """A holiday."""

    date: str
    name: str


class HolidayList(Answer):
    """Holidays by date."""

    holidays: list[HolidayEntry]
