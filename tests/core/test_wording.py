"""How instants, durations and shares are told."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restmon.core import explanations, formatting
from restmon.core.fleet_summary import describe_fleet
from restmon.core.formatting import Style
from restmon.core.instants import HOUR, SECOND

MINUTE = 60 * SECOND
INSTANT = round(datetime(2023, 1, 25, 18, 13, 22, tzinfo=UTC).timestamp()) * SECOND


def test_a_moment_names_its_zone():
    assert formatting.moment(INSTANT) == "Wed, Jan 25, 2023, 6:13 PM UTC"
    assert formatting.moment(INSTANT, "America/Chicago") == "Wed, Jan 25, 2023, 12:13 PM CST"
    assert (
        formatting.moment(INSTANT, "Asia/Kolkata", seconds=True)
        == "Wed, Jan 25, 2023, 11:43:22 PM IST"
    )
    assert formatting.moment(None) == "never"


def test_a_stamp_sorts_and_names_its_zone():
    assert formatting.stamp(INSTANT) == "2023-01-25 18:13 UTC"
    assert formatting.stamp(INSTANT, "America/Chicago") == "2023-01-25 12:13 CST"
    assert formatting.stamp(INSTANT + 180 * 24 * HOUR, "America/Chicago") == "2023-07-24 13:13 CDT"
    assert formatting.stamp(-1, "UTC") == "1969-12-31 23:59 UTC"


def test_the_clock_shows_seconds_only_where_there_are_any():
    assert formatting.clock(INSTANT) == "6:13:22 PM"
    assert formatting.clock(INSTANT - 22 * SECOND, "America/Chicago") == "12:13 PM"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0 min"),
        (30 * SECOND, "30 s"),
        (59.6 * SECOND, "1 min"),
        (MINUTE, "1 min"),
        (59 * MINUTE + 31 * SECOND, "1 h 00 min"),
        (2 * HOUR + 5 * MINUTE, "2 h 05 min"),
        (1000 * HOUR, "1,000 h 00 min"),
    ],
)
def test_durations(length: float, text: str):
    assert formatting.duration(round(2 * length)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "in the future"),
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7199, "1 hour ago"),
        (7200, "2 hours ago"),
        (86_400, "1 day ago"),
        (400 * 86_400, "1 year ago"),
    ],
)
def test_ages(seconds: int, text: str):
    assert formatting.ago(INSTANT - seconds * SECOND, INSTANT) == text
    assert formatting.ago(None, INSTANT) == "never"


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "–"),
        (0, 5, "0%"),
        (5, 5, "100%"),
        (1, 3, "33.3%"),
        (99_949, 100_000, "99.9%"),
        (99_950, 100_000, "> 99.9%"),
        (50, 100_000, "0.1%"),
        (49, 100_000, "< 0.1%"),
    ],
)
def test_shares(part: float, whole: float, text: str):
    assert formatting.share(part, whole) == text


@given(whole=st.integers(1, 2**50), data=st.data())
def test_all_and_nothing_are_told_only_where_they_are_exact(whole: int, data: st.DataObject):
    part = data.draw(st.integers(0, whole))
    text = formatting.share(part, whole)
    assert (text == "100%") == (part == whole)
    assert (text == "0%") == (part == 0)
    assert text not in ("100.0%", "0.0%")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (1_234_567, "1.2 MB"),
        (2_500_000_000_000, "2,500.0 GB"),
    ],
)
def test_sizes(number: int, text: str):
    assert formatting.size(number) == text


def test_every_reason_for_an_edge_is_told_in_local_time():
    before, after = INSTANT - HOUR, INSTANT + HOUR
    told = {
        str(kind): formatting.edge(str(kind), INSTANT, (before, after), "America/Chicago")
        for kind in explanations.KINDS
    }
    assert told == {
        "opening": "12:13:22 PM (opening)",
        "closing": "12:13:22 PM (closing)",
        "midpoint": "12:13:22 PM (midpoint between polls 11:13:22 AM and 1:13:22 PM)",
        "poll": "12:13:22 PM (poll at 1:13:22 PM)",
        "range": "12:13:22 PM (edge of what is shown)",
    }


def test_a_date_of_this_year_has_no_year():
    assert formatting.moment(INSTANT, style=Style(this_year=2023)) == "Wed, Jan 25, 6:13 PM UTC"
    assert "2023" in formatting.moment(INSTANT, style=Style(this_year=2024))


def test_the_clock_of_24_hours():
    style = Style(twelve_hours=False)
    assert formatting.moment(INSTANT, style=style) == "Wed, Jan 25, 2023, 18:13 UTC"
    assert [formatting.hour_of_day(hour, style) for hour in (0, 13, 24)] == [
        "00:00",
        "13:00",
        "24:00",
    ]
    assert [formatting.hour_of_day(hour) for hour in (0, 9, 12, 13, 24)] == [
        "12 AM",
        "9 AM",
        "12 PM",
        "1 PM",
        "12 AM",
    ]


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (0.95, 0.968, "1.8 points higher than the week before"),
        (0.968, 0.95, "1.8 points lower than the week before"),
        (0.95, 0.96, "1.0 point higher than the week before"),
        (0.95, 0.95049, "no change from the week before"),
    ],
)
def test_changes(before: float, after: float, text: str):
    assert formatting.change(before, after, "week") == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (float("nan"), "–"),
        (0, "$0"),
        (9.5, "$9.50"),
        (12, "$12"),
        (99.999, "$100"),
        (1234.4, "$1,234"),
        (-3, "-$3"),
    ],
)
def test_money(amount: float, text: str):
    assert formatting.money(amount) == text
    assert formatting.money(amount, Style(currency="€")) == text.replace("$", "€")


UP, DOWN, CLOSED, SILENT, NO_DATA, UNREADABLE, RETIRED = range(7)


@pytest.mark.parametrize(
    ("counts", "stale", "text"),
    [
        (
            {UP: 30, DOWN: 3, CLOSED: 5, SILENT: 2},
            False,
            "3 of 40 stores are down, 2 have stopped reporting, the rest are fine.",
        ),
        (
            {UP: 30, DOWN: 1, CLOSED: 5, SILENT: 1, RETIRED: 4},
            True,
            "At the last poll, 1 of 37 stores was down, 1 had stopped reporting, the rest were "
            "fine.",
        ),
        ({NO_DATA: 1, UP: 1}, False, "1 of 2 stores has no polls, the rest are fine."),
        ({UNREADABLE: 2}, False, "2 of 2 stores have unreadable hours."),
        ({UP: 40}, False, "All 40 stores are up."),
        ({UP: 39, CLOSED: 1}, False, "All 40 stores are up or closed."),
        ({CLOSED: 1}, False, "The one store is closed."),
        ({UP: 2}, True, "At the last poll, all 2 stores were up."),
        ({RETIRED: 2}, False, "No store is in business."),
    ],
)
def test_the_sentence_on_a_fleet(counts: dict[int, int], stale: bool, text: str):
    assert describe_fleet([counts.get(n, 0) for n in range(7)], stale=stale) == text
