"""The core on cases worked out by hand."""

from datetime import UTC, datetime

import numpy as np
import pytest

from restmon.core.hours import Schedule, WeeklyHours, open_intervals
from restmon.core.instants import DAY, HOUR, SECOND
from restmon.core.outages import find_outages
from restmon.core.timeline import cut_spans
from restmon.core.uptime import measure_uptime
from restmon.reporting.computation import round_to_hundredths
from tests.support.core import build
from tests.support.stores import MINUTE, AStore


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def intervals(
    rows: list[tuple[int, int, int]], zone: str, lo: str, hi: str
) -> list[tuple[str, str]]:
    table = np.array([(0, *row) for row in rows], np.int64)
    found = open_intervals(
        Schedule([zone], np.zeros(1, np.int64), WeeklyHours(*table.T)), utc(lo), utc(hi)
    )

    def text(instant: int) -> str:
        return datetime.fromtimestamp(instant / SECOND, UTC).strftime("%m-%d %H:%M")

    return [
        (text(a), text(b))
        for a, b in zip(found.start.tolist(), found.end.tolist(), strict=True)
        if b > utc(lo) and a < utc(hi)
    ]


EVERY_DAY = range(7)


@pytest.mark.parametrize(
    ("method", "up", "down"), [("nearest", 104.5, 75.5), ("previous", 135, 45)]
)
def test_the_worked_example(method: str, up: float, down: float):
    polls = [(utc("2023-01-23 16:14"), True), (utc("2023-01-23 17:15"), False)]
    store = AStore([(0, 9 * HOUR, 12 * HOUR)], "America/Chicago", polls)
    as_of = utc("2023-01-23 18:00")
    line = build([store], as_of, method)
    found_up, found_down = measure_uptime(line, as_of, [DAY])
    assert found_up[0, 0] / 2 / MINUTE == up
    assert found_down[0, 0] / 2 / MINUTE == down
    switch = utc("2023-01-23 16:44:30") if method == "nearest" else utc("2023-01-23 17:15")
    found = cut_spans(line, as_of - DAY, as_of)
    assert found.start.tolist() == [utc("2023-01-23 15:00"), switch]
    assert found.end.tolist() == [switch, as_of]
    assert found.status.tolist() == [1, 0]
    out = find_outages(line, as_of, as_of - DAY)
    assert (out.start.tolist(), out.end.tolist()) == ([switch], [as_of])
    assert out.open_time[0] / 2 / MINUTE == down
    assert out.ongoing[0]


def test_the_end_of_day_is_written_in_three_ways():
    for end in (DAY - MINUTE, DAY - SECOND, DAY):
        rows = [(day, 17 * HOUR, end) for day in EVERY_DAY]
        rows += [(day, 0, 2 * HOUR) for day in EVERY_DAY]
        found = intervals(rows, "America/Phoenix", "2023-01-23 12:00", "2023-01-24 12:00")
        assert found == [("01-24 00:00", "01-24 09:00")]


def test_end_at_or_before_start_is_the_next_date():
    overnight = [(0, 20 * HOUR, 4 * HOUR)]
    found = intervals(overnight, "America/Phoenix", "2023-01-22 00:00", "2023-01-26 00:00")
    assert found == [("01-24 03:00", "01-24 11:00")]
    whole_day = [(0, 9 * HOUR, 9 * HOUR)]
    found = intervals(whole_day, "America/Phoenix", "2023-01-22 00:00", "2023-01-26 00:00")
    assert found == [("01-23 16:00", "01-24 16:00")]


def test_clocks_set_forward():
    # Denver, 2023-03-12: 02:00 jumps to 03:00, which is 09:00 UTC. A Sunday.
    day = ("2023-03-12 00:00", "2023-03-13 00:00")
    assert intervals([(6, HOUR, 4 * HOUR)], "America/Denver", *day) == [
        ("03-12 08:00", "03-12 10:00")
    ]
    assert intervals([(6, 150 * MINUTE, 4 * HOUR)], "America/Denver", *day) == [
        ("03-12 09:00", "03-12 10:00")
    ]
    assert intervals([(6, HOUR, 150 * MINUTE)], "America/Denver", *day) == [
        ("03-12 08:00", "03-12 09:00")
    ]
    assert intervals([(6, 130 * MINUTE, 150 * MINUTE)], "America/Denver", *day) == []


def test_clocks_set_back():
    # Denver, 2023-11-05: 02:00 falls back to 01:00; 01:30 is 07:30 and again 08:30 UTC.
    day = ("2023-11-05 00:00", "2023-11-06 00:00")
    assert intervals([(6, 90 * MINUTE, 4 * HOUR)], "America/Denver", *day) == [
        ("11-05 07:30", "11-05 11:00")
    ]
    assert intervals([(6, 0, 90 * MINUTE)], "America/Denver", *day) == [
        ("11-05 06:00", "11-05 08:30")
    ]


def test_an_outage_goes_on_across_closed_hours():
    rows = [(day, 9 * HOUR, 17 * HOUR) for day in EVERY_DAY]
    polls = [
        (utc("2023-01-23 22:00"), True),  # Monday 15:00 in Phoenix (UTC-7)
        (utc("2023-01-23 23:00"), False),  # 16:00
        (utc("2023-01-24 17:00"), False),  # Tuesday 10:00
        (utc("2023-01-24 18:00"), True),  # 11:00
    ]
    as_of = utc("2023-01-25 00:00")
    line = build([AStore(rows, "America/Phoenix", polls)], as_of, "nearest")
    found = find_outages(line, as_of, as_of - 7 * DAY)
    assert found.start.tolist() == [utc("2023-01-23 22:30")]
    assert found.end.tolist() == [utc("2023-01-24 17:30")]
    assert found.open_time[0] / 2 / MINUTE == 90 + 90
    assert not found.ongoing[0]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [("0.005", 0), ("0.015", 2), ("0.025", 2), ("0.0150000166", 2), ("12.345", 1234)],
)
def test_rounding_is_half_to_even_from_the_exact_value(minutes: str, expected: int):
    from fractions import Fraction

    halves = Fraction(minutes) * 60 * SECOND * 2
    found = round_to_hundredths(np.array([int(halves)], np.int64), MINUTE)
    assert found.tolist() == [expected]


def test_no_stores_at_all():
    line = build([], utc("2023-01-25 00:00"), "nearest")
    up, down = measure_uptime(line, utc("2023-01-25 00:00"), [DAY])
    assert up.shape == down.shape == (0, 1)
    assert len(cut_spans(line, 0, 1).start) == 0
    assert len(find_outages(line, utc("2023-01-25 00:00"), 0).start) == 0
