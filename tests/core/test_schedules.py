"""Open intervals with other hours, closed days and a store's first and last day, against the slow
reference (SEMANTICS.md, "Open intervals")."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings

from restmon.core.hours import CLOSED, OtherHoursRows, Schedule, WeeklyHours, open_intervals
from restmon.core.instants import DAY, HOUR, day_number
from restmon.core.observations import Polls
from restmon.core.timeline import METHODS, build_timeline
from restmon.core.uptime import measure_uptime
from tests import reference
from tests.reference import Hours
from tests.support.examples import examples
from tests.support.schedules import schedule_of, timetables
from tests.support.stores import ZONES

THANKSGIVING = day_number(date(2023, 11, 23))
EVERY_DAY = tuple((day, 9 * HOUR, 17 * HOUR) for day in range(7))


@given(case=timetables(ZONES))
@settings(max_examples=examples(300), deadline=None)
def test_open_intervals_are_the_references(case: tuple[list, int, int]):
    stores, lo, hi = case
    found = open_intervals(schedule_of(stores), lo, hi).clipped(lo, hi)
    for s, (hours, zone) in enumerate(stores):
        mine = slice(found.first[s], found.first[s + 1])
        expected = [
            (max(start, lo), min(end, hi))
            for start, end in reference.open_intervals(hours, zone, lo, hi)
        ]
        assert list(zip(found.start[mine], found.end[mine], strict=True)) == expected


@given(case=timetables(ZONES))
@settings(max_examples=examples(100), deadline=None)
def test_a_part_of_the_stores_has_the_same_hours(case: tuple[list, int, int]):
    stores, lo, hi = case
    whole = open_intervals(schedule_of(stores), lo, hi).clipped(lo, hi)
    chosen = np.arange(0, len(stores), 2)
    part = open_intervals(schedule_of(stores).chosen(chosen), lo, hi).clipped(lo, hi)
    for n, s in enumerate(chosen.tolist()):
        a, b = slice(whole.first[s], whole.first[s + 1]), slice(part.first[n], part.first[n + 1])
        assert whole.start[a].tolist() == part.start[b].tolist()
        assert whole.end[a].tolist() == part.end[b].tolist()


@pytest.mark.parametrize("method", METHODS)
@given(case=timetables(ZONES))
@settings(max_examples=examples(100), deadline=None)
def test_up_and_down_time_are_the_references(method: str, case: tuple[list, int, int]):
    stores, lo, as_of = case
    times = [lo + n * 7 * HOUR for n in range((as_of - lo) // (7 * HOUR) + 1)]
    polls = [[(t, (n + s) % 3 != 0) for n, t in enumerate(times)] for s in range(len(stores))]
    columns = np.array(
        [(s, t, active) for s, own in enumerate(polls) for t, active in own], np.int64
    ).T
    seen = Polls(columns[0], columns[1], columns[2].astype(np.int8))
    begin = min(lo, as_of - 2 * DAY)
    line = build_timeline(open_intervals(schedule_of(stores), begin, as_of), seen, method)
    up, down = measure_uptime(line, as_of, [HOUR, 2 * DAY])
    for s, (hours, zone) in enumerate(stores):
        for w, window in enumerate([HOUR, 2 * DAY]):
            expected = reference.uptime(hours, zone, polls[s], as_of, method, window)
            assert (up[s, w] / 2, down[s, w] / 2) == expected


def wall_hours(hours: Hours, first: int, days: int = 1, zone: str = "America/New_York") -> list:
    """The open intervals on local dates, in hours after the first one begins."""
    midnight = reference.wall_to_utc(first * DAY, zone, is_end=False)
    end = reference.wall_to_utc((first + days) * DAY, zone, is_end=False)
    found = open_intervals(schedule_of([(hours, zone)]), midnight, end).clipped(midnight, end)
    pairs = zip((found.start - midnight) / HOUR, (found.end - midnight) / HOUR, strict=True)
    return [(float(a), float(b)) for a, b in pairs]


CLOSED_THEN = ((THANKSGIVING, (None,)),)
MORNING = ((THANKSGIVING, ((8 * HOUR, 11 * HOUR),)),)
EVENING = ((THANKSGIVING, ((18 * HOUR, 20 * HOUR),)),)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (Hours(EVERY_DAY), [(9, 17)]),
        (Hours(EVERY_DAY, own=CLOSED_THEN), []),
        (Hours(EVERY_DAY, own=MORNING), [(8, 11)]),
        (Hours(EVERY_DAY, groups=(MORNING, EVENING)), [(8, 11), (18, 20)]),
        (Hours(EVERY_DAY, groups=(MORNING, CLOSED_THEN)), [(8, 11)]),
        (Hours(EVERY_DAY, groups=(CLOSED_THEN, CLOSED_THEN)), []),
        (Hours(EVERY_DAY, own=EVENING, groups=(MORNING, CLOSED_THEN)), [(18, 20)]),
        (Hours(EVERY_DAY, own=CLOSED_THEN, groups=(MORNING,)), []),
        # The night before reaches in and stays.
        (Hours(((2, 20 * HOUR, 2 * HOUR),), own=CLOSED_THEN), [(0, 2)]),
        (Hours(((2, 20 * HOUR, 2 * HOUR),), own=MORNING), [(0, 2), (8, 11)]),
        # Open around the clock, but for that date.
        (Hours(own=CLOSED_THEN), []),
        (Hours(own=MORNING), [(8, 11)]),
        (Hours(opened_on=THANKSGIVING + 1), []),
        (Hours(opened_on=THANKSGIVING), [(0, 24)]),
        (Hours(closed_on=THANKSGIVING), []),
        (Hours(closed_on=THANKSGIVING + 1), [(0, 24)]),
        (Hours(EVERY_DAY, own=MORNING, opened_on=THANKSGIVING + 1), []),
        (Hours(closed_days=tuple(range(7))), []),
        (Hours(closed_days=(3,)), []),
        (Hours(closed_days=(3,), own=MORNING), [(8, 11)]),
        (Hours(EVERY_DAY, closed_days=(3,)), [(9, 17)]),
        (Hours(unreadable=True), []),
        (Hours(unreadable=True, own=MORNING), []),
    ],
)
def test_thanksgiving(hours: Hours, expected: list[tuple[float, float]]):
    assert wall_hours(hours, THANKSGIVING) == expected
    zone = "America/New_York"
    lo = reference.wall_to_utc(THANKSGIVING * DAY, zone, is_end=False)
    slow = reference.open_intervals(hours, zone, lo, lo + DAY)
    assert [(max(a - lo, 0) / HOUR, min(b - lo, DAY) / HOUR) for a, b in slow] == expected


def test_who_is_assumed_to_be_open_around_the_clock():
    rows = WeeklyHours(*np.array([[1, 0, CLOSED, CLOSED], [2, 0, 0, HOUR]], np.int64).T)
    other = OtherHoursRows(*(np.array([n], np.int64) for n in (4, 0, 0, HOUR)), np.array([True]))
    schedule = Schedule(
        ["UTC"],
        np.zeros(5, np.int64),
        rows,
        other,
        unreadable=np.array([False, False, False, True, False]),
    )
    assert schedule.hours_assumed.tolist() == [True, False, False, False, True]
    assert schedule.has_exceptions.tolist() == [False, False, False, False, True]
