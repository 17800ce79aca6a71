"""How instants, durations and shares are told."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restmon.core import explanations, formatting
from restmon.core.instants import HOUR, SECOND

MINUTE = 60 * SECOND
INSTANT = round(datetime(2023, 1, 25, 18, 13, 22, tzinfo=UTC).timestamp()) * SECOND


def test_a_moment_names_its_zone():
    assert formatting.moment(INSTANT) == "Wed 25 Jan 2023 18:13 UTC"
    assert formatting.moment(INSTANT, "America/Chicago") == "Wed 25 Jan 2023 12:13 CST"
    assert (
        formatting.moment(INSTANT, "Asia/Kolkata", seconds=True) == "Wed 25 Jan 2023 23:43:22 IST"
    )
    assert formatting.moment(None) == "never"


def test_a_stamp_sorts_and_names_its_zone():
    assert formatting.stamp(INSTANT) == "2023-01-25 18:13 UTC"
    assert formatting.stamp(INSTANT, "America/Chicago") == "2023-01-25 12:13 CST"
    assert formatting.stamp(INSTANT + 180 * 24 * HOUR, "America/Chicago") == "2023-07-24 13:13 CDT"
    assert formatting.stamp(-1, "UTC") == "1969-12-31 23:59 UTC"


def test_the_clock_shows_seconds_only_where_there_are_any():
    assert formatting.clock(INSTANT) == "18:13:22"
    assert formatting.clock(INSTANT - 22 * SECOND, "America/Chicago") == "12:13"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0 s"),
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
        (0, 5, "0 %"),
        (5, 5, "100 %"),
        (1, 3, "33.3 %"),
        (99_949, 100_000, "99.9 %"),
        (99_950, 100_000, "> 99.9 %"),
        (50, 100_000, "0.1 %"),
        (49, 100_000, "< 0.1 %"),
    ],
)
def test_shares(part: float, whole: float, text: str):
    assert formatting.share(part, whole) == text


@given(whole=st.integers(1, 2**50), data=st.data())
def test_all_and_nothing_are_told_only_where_they_are_exact(whole: int, data: st.DataObject):
    part = data.draw(st.integers(0, whole))
    text = formatting.share(part, whole)
    assert (text == "100 %") == (part == whole)
    assert (text == "0 %") == (part == 0)
    assert text not in ("100.0 %", "0.0 %")


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
        str(kind): formatting.edge(str(kind), INSTANT, before, after, "America/Chicago")
        for kind in explanations.KINDS
    }
    assert told == {
        "opening": "12:13:22 (opening)",
        "closing": "12:13:22 (closing)",
        "midpoint": "12:13:22 (midpoint between polls 11:13:22 and 13:13:22)",
        "poll": "12:13:22 (poll at 13:13:22)",
        "range": "12:13:22 (edge of what is shown)",
    }
