"""The routes of holidays."""

from collections.abc import Iterable

import bottle

from restmon.access.roles import Role
from restmon.api.answers import answer
from restmon.api.application import Application
from restmon.api.holiday_models import GetHolidays, HolidayEntry, HolidayList, SetHolidays
from restmon.api.operations import Operation
from restmon.api.requests import actor
from restmon.ingest import holiday_hours
from restmon.ingest.holiday_hours import Holiday

routes = Application()


@routes.get(
    "/holidays",
    needs=Role.VIEWER,
    operation=Operation("get_holidays", takes=GetHolidays, gives={200: [HolidayList]}),
)
def get_holidays(asked: GetHolidays) -> bottle.HTTPResponse:
    """Get the public holidays of the United States, or of a state, in a year."""
    return _answer(holiday_hours.list_holidays(asked.year, asked.state))


@routes.put(
    "/holidays",
    needs=Role.OWNER,
    operation=Operation(
        "set_holiday_hours",
        main="PUT",
        takes=SetHolidays,
        gives={200: [HolidayList]},
        errors=(404,),
    ),
)
def set_holiday_hours(asked: SetHolidays) -> bottle.HTTPResponse:
    """Set the hours of a group or a store on public holidays.

    They replace any other hours on those dates. The answer has the holidays.
    """
    found = holiday_hours.save_holiday_hours(asked.subject(), asked.hours(), actor())
    return _answer(found)


def _answer(found: Iterable[Holiday]) -> bottle.HTTPResponse:
    entries = [HolidayEntry(date=day.date.isoformat(), name=day.name) for day in found]
    return answer(HolidayList(holidays=entries))
