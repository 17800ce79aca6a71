"""Hours on public holidays: by service, command line and page."""

from typing import Any

import pytest

from restmon.core.instants import as_datetime
from restmon.errors import BadRequest
from restmon.ingest.holiday_hours import HolidayHours, list_holidays, save_holiday_hours
from restmon.ingest.hours_editing import HoursRejected
from restmon.ingest.store_editing import read_dates, save_dates
from restmon.storage.models import now
from restmon.stores import groups
from restmon.stores.subjects import Subject
from tests.support.pages import page, well
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

MINE = Subject(group="Mine")


@pytest.fixture
def stored(workspace: Workspace) -> Workspace:
    """A store with a poll, in the group Mine, which has other hours on two dates."""
    workspace.import_now("a,active,2023-01-25 18:00:00 UTC\n")
    groups.create("Mine")
    groups.add("Mine", ["a"])
    save_dates(MINE, [("2026-12-24", "9:00", "12:00", ""), ("2026-12-25", "9:00", "12:00", "")])
    return workspace


def dates(subject: Subject = MINE) -> dict[str, list[str]]:
    return {row[0]: list(row[1:]) for row in read_dates(subject).values.tolist()}


def test_holidays_replace_their_dates_alone(stored: Workspace):
    found = save_holiday_hours(MINE, HolidayHours(2026, names=["Christmas  day"]))
    assert [str(holiday.date) for holiday in found] == ["2026-12-25"]
    assert dates() == {
        "2026-12-24": ["09:00", "12:00", ""],
        "2026-12-25": ["", "", "Christmas Day"],
    }
    everything = save_holiday_hours(MINE, HolidayHours(2027, "ny", (), "10:00", "2 PM"))
    assert len(everything) == len(list_holidays(2027, "NY"))
    assert dates()["2027-11-25"] == ["10:00", "14:00", "Thanksgiving Day"]
    assert dates()["2026-12-24"] == ["09:00", "12:00", ""]


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (HolidayHours(1492), "no holidays of the year 1492"),
        (HolidayHours(2026, "Bavaria"), "no state 'BAVARIA'"),
        (HolidayHours(2026, None, ["Festivus"]), "no holiday 'Festivus' in 2026"),
        (HolidayHours(2026, opens="10:00"), "end"),
    ],
)
def test_what_cannot_be_kept_changes_nothing(stored: Workspace, hours: HolidayHours, said: str):
    before = dates()
    with pytest.raises(BadRequest, match=said):
        save_holiday_hours(MINE, hours)
    assert dates() == before
    assert issubclass(HoursRejected, BadRequest)


def test_the_command_line(stored: Workspace):
    listed = stored.command("groups", "holidays", "--year", 2026, "--state", "CA").stdout
    assert "2026-11-27  Day After Thanksgiving\n" in listed
    done = stored.command(
        "groups", "holidays", "mine", "--year", 2026, "--holiday", "Labor Day",
        "--opens", "9 AM", "--closes", "noon",
    )  # fmt: skip
    assert done.stdout == "2026-09-07  Labor Day: open 9 AM to noon\n"
    assert dates()["2026-09-07"] == ["09:00", "12:00", "Labor Day"]
    year = ("--year", 2026)
    for wrong in (["--year", "x"], [*year, "--state", "ZZ"], [*year, "--opens", "?"]):
        done = stored.command("groups", "holidays", "Mine", *wrong)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_the_page(stored: Workspace):
    year = as_datetime(now()).year
    at = page("settings", store="a")
    at = well(at.selectbox("dates_group").select("Mine").run())
    (chosen,) = [m for m in at.multiselect if m.key.startswith("holidays_of_group_Mine")]
    at = well(chosen.select("Veterans Day").run())
    at.text_input("holiday_opens_group_Mine").input("11 AM")
    at = well(at.button("add_holidays_group_Mine").click().run())
    assert "This cannot be saved; nothing was changed." in at.error.values
    at.text_input("holiday_closes_group_Mine").input("3 PM")
    at = well(at.button("add_holidays_group_Mine").click().run())
    assert "Saved." in at.success.values
    assert dates()[f"{year}-11-11"] == ["11:00", "15:00", "Veterans Day"]
    own: Any = page("settings", store="a").button("add_holidays_store_a")
    well(own.click().run())
    assert f"{year}-12-25" in dates(Subject(store="a"))
