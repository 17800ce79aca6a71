"""Weeks and months in words, against the calendar."""

import calendar
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restmon.core.formatting import Style
from restmon.core.instants import from_datetime
from restmon.reporting import calendar_windows, reports
from restmon.reporting.calendar_windows import describe_window, words_of
from restmon.reporting.windows import parse_window
from tests.support.workspace import Workspace

ZONES = ["America/Los_Angeles", "America/New_York", "Pacific/Auckland"]
MOMENTS = st.datetimes(
    datetime(1990, 1, 1), datetime(2040, 1, 1), timezones=st.just(ZoneInfo("UTC"))
)


def midnight(day: date, zone: str) -> int:
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)))


def expected(name: str, today: date) -> tuple[date, date]:
    """The first day and the day after the last one, counted day by day."""
    if "week" in name:
        first = today
        while first.weekday() != 0:
            first -= timedelta(days=1)
        return (first - timedelta(days=7), first) if "last" in name else (first, today)
    first = today.replace(day=1)
    if "last" in name:
        end, first = first, (first - timedelta(days=1)).replace(day=1)
        return first, end
    return first, first + timedelta(days=calendar.monthrange(first.year, first.month)[1])


@given(moment=MOMENTS, name=st.sampled_from(calendar_windows.CALENDAR))
def test_words_are_the_calendars(moment: datetime, name: str):
    as_of = from_datetime(moment)
    today = min(moment.astimezone(ZoneInfo(zone)).date() for zone in ZONES)
    window = parse_window(words_of(name, as_of, ZONES))
    assert window is not None
    first, end = expected(name, today)
    if name == calendar_windows.THIS_WEEK and midnight(first, ZONES[0]) >= as_of:
        return  # as_of is the midnight at which the week begins
    lo, hi = window.resolve(as_of, ZONES)
    assert lo.tolist() == [min(midnight(first, zone), as_of) for zone in ZONES]
    if name.startswith("last"):
        assert hi.tolist() == [midnight(end, zone) for zone in ZONES]
        assert (hi <= as_of).all()
    else:
        over = "month" in name  # in the zones in which the next one has begun
        assert hi.tolist() == [min(midnight(end, zone), as_of) if over else as_of for zone in ZONES]


@given(moment=MOMENTS, whole=st.sampled_from(["week", "month", "Week"]))
def test_the_last_whole_one_is_the_same_in_api_words_and_stays_when_pinned(
    moment: datetime, whole: str
):
    as_of, of_stores = from_datetime(moment), np.array([0, 2, 2])
    window = parse_window({"last": whole})
    named = parse_window(words_of(f"last {whole.lower()}", as_of, [ZONES[0], ZONES[2]]))
    assert window is not None
    assert named is not None
    pinned = window.pin(as_of, ZONES, of_stores)
    assert pinned == named
    for lo_hi in (window, pinned):
        assert [e.tolist() for e in lo_hi.of_stores(as_of, ZONES, of_stores)] == [
            e.tolist() for e in named.of_stores(as_of, ZONES, of_stores)
        ]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (None, "Last hour, day and week"),
        ({"last": "24h"}, "Last 24 hours"),
        ({"last": "1d"}, "Last day"),
        ({"last": "4W"}, "Last 4 weeks"),
        ({"last": "month"}, "Last month"),
        ({"month": "2022-12"}, "December 2022"),
        ({"month": "2023-01"}, "January 2023 so far"),
        ({"from": "2023-01-16", "to": "2023-01-23"}, "Week of Jan 16 – 22, 2023"),
        ({"from": "2022-12-26", "to": "2023-01-02"}, "Week of Dec 26, 2022 – Jan 1, 2023"),
        ({"from": "2023-01-17", "to": "2023-01-24"}, "Jan 17 – 23, 2023"),
        ({"from": "2022-11-28", "to": "2022-12-02"}, "Nov 28 – Dec 1, 2022"),
        ({"from": "2023-01-17", "to": "2023-01-18"}, "Tue, Jan 17, 2023"),
        ({"from": "2023-01-17"}, "Since Tue, Jan 17, 2023"),
        (
            {"from": "2023-01-17T12:00Z", "to": "2023-01-18T13:00Z"},
            "Tue, Jan 17, 2023, 12:00 PM UTC to Wed, Jan 18, 2023, 1:00 PM UTC",
        ),
    ],
)
def test_a_window_in_words(words: dict[str, str] | None, text: str):
    as_of = from_datetime(datetime(2023, 1, 25, 18))
    assert describe_window(words, as_of) == text


def test_this_year_is_not_written():
    words = {"from": "2023-01-16", "to": "2023-01-23"}
    assert describe_window(words, None, Style(this_year=2023)) == "Week of Jan 16 – 22"


@pytest.mark.both_databases
def test_a_report_of_the_last_week_is_on_record_with_its_dates(workspace: Workspace):
    workspace.import_now("a,active,2023-01-23 04:00:00 UTC\n", zones="a,America/Denver\n")
    # It is Sunday in Denver.
    row = reports.request(part=reports.Part({"last": "week"}))
    assert row.window == {"from": "2023-01-09", "to": "2023-01-16"}
    workspace.import_now("a,active,2023-01-23 08:00:00 UTC\n")
    row = reports.request(part=reports.Part({"last": "week"}))
    assert row.window == {"from": "2023-01-16", "to": "2023-01-23"}
    assert reports.request(part=reports.Part({"last": "month"})).window == {"month": "2022-12"}
