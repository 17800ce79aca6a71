"""Other hours on the public holidays of the United States or of one state, of a group or a store.

The library ``holidays`` has the dates. It is imported when it is needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from restmon.access.roles import THIS_MACHINE, Actor
from restmon.errors import BadRequest
from restmon.ingest import store_editing
from restmon.stores.subjects import Subject

FIRST_YEAR, LAST_YEAR = 1971, 2199
"""The years of holidays. Before the first, most stood on other dates."""


@dataclass(frozen=True)
class Holiday:
    """A holiday and its ``date``."""

    date: date
    name: str


@dataclass(frozen=True)
class HolidayHours:
    """Hours on the holidays of a ``year``, of the United States or of one ``state`` (its two
    letters). Closed if both times are empty. ``names`` limits them to some holidays."""

    year: int
    state: str | None = None
    names: Sequence[str] = ()
    opens: str = ""
    closes: str = ""


def list_states() -> list[str]:
    """The two letters of each state and territory with its own holidays."""
    import holidays  # noqa: PLC0415 - its calendars take a while to load

    return sorted(holidays.country_holidays("US").subdivisions)


def list_holidays(year: int, state: str | None = None) -> list[Holiday]:
    """The holidays of a year by date, also dates on which they are observed. Raises BadRequest for
    an unknown year or state."""
    import holidays  # noqa: PLC0415 - its calendars take a while to load

    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadRequest(
            f"There are no holidays of the year {year}.",
            f"Use a year from {FIRST_YEAR} to {LAST_YEAR}.",
        )
    state = state.strip().upper() if state else None
    if state is not None and state not in list_states():
        raise BadRequest(
            f"There is no state {state[:40]!r}.", "Use its two letters, such as CA or NY."
        )
    found = holidays.country_holidays("US", subdiv=state, years=year)
    return [Holiday(day, name) for day, name in sorted(found.items())]


def save_holiday_hours(
    subject: Subject, chosen: HolidayHours, actor: Actor = THIS_MACHINE
) -> list[Holiday]:
    """Replace the other hours of a store or a group on the dates of holidays. Other dates stay.
    Returns the holidays.

    Raises NotFound, Forbidden, BadRequest for an unknown year, state or holiday, and HoursRejected
    for times that are not valid. Then nothing has changed.
    """
    every = list_holidays(chosen.year, chosen.state)
    wanted = {_compared(name): name for name in chosen.names}
    dates = [holiday for holiday in every if not wanted or _compared(holiday.name) in wanted]
    unknown = set(wanted) - {_compared(holiday.name) for holiday in dates}
    if unknown:
        raise BadRequest(
            f"There is no holiday {wanted[min(unknown)][:60]!r} in {chosen.year}.",
            "Use a name of the list of holidays.",
        )
    rows = [(h.date.isoformat(), chosen.opens, chosen.closes, h.name) for h in dates]
    store_editing.add_dates(subject, rows, actor)
    return dates


def _compared(name: str) -> str:
    return " ".join(name.replace("’", "'").split()).casefold()
