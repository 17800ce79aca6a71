"""Sums by hour, day, week and month against the reference, and where periods begin."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restmon.core.aggregation import down_stretches, open_stretches
from restmon.core.coverage import covered_stretches, measure_coverage
from restmon.core.hours import DEFAULT_ZONE
from restmon.core.instants import as_datetime, date_of, from_datetime
from restmon.core.periods import BY_HOUR, PERIODS, find_periods, sum_in_periods
from restmon.core.timeline import METHODS
from tests import reference
from tests.support.core import build, polls_of
from tests.support.examples import examples
from tests.support.halves import halves
from tests.support.stores import DAY, HOUR, MINUTE, AStore, cases

Case = tuple[list[AStore], int]


def period_of(moment: datetime, by: str) -> date | datetime:
    """The slow way to the period of a moment on a store's clock."""
    if by == BY_HOUR:
        return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    day = moment.date()
    if by == "month":
        return day.replace(day=1)
    if by == "week":
        return date.fromordinal(day.toordinal() - day.weekday())
    return day


@pytest.mark.parametrize("by", PERIODS)
@pytest.mark.parametrize("zone", ["UTC", "America/Chicago", "Asia/Kathmandu", "Pacific/Apia"])
@given(
    lo=st.integers(1_322_600_000_000_000, 1_330_000_000_000_000),
    length=st.integers(1, 60 * DAY),
    at=st.floats(0, 1),
)
@settings(max_examples=examples(40), deadline=None)
def test_an_instant_is_in_its_period(by: str, zone: str, lo: int, length: int, at: float):
    """Pacific/Apia left a whole day out in December 2011."""
    found = find_periods(zone, lo, lo + length, by)
    assert (found.edges[0], found.edges[-1]) == (lo, lo + length)
    assert (np.diff(found.edges) > 0).all()
    assert (np.diff(found.number) > 0).all()
    instant = min(lo + int(length * at), lo + length - 1)
    k = int(np.searchsorted(found.edges, instant, "right")) - 1
    expected = period_of(as_datetime(instant).astimezone(ZoneInfo(zone)), by)
    number = int(found.number[k])
    begins = as_datetime(number * HOUR) if by == BY_HOUR else date_of(number)
    assert begins == expected


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(max_stores=3), by=st.sampled_from(PERIODS), hours=st.integers(1, 80))
@settings(max_examples=examples(60), deadline=None)
def test_sums_by_period_are_the_references(method: str, case: Case, by: str, hours: int):
    stores, as_of = case
    line = build(stores, as_of, method)
    lo, near = as_of - hours * HOUR, 90 * MINUTE
    zone = stores[0].zone or DEFAULT_ZONE
    edges = find_periods(zone, lo, as_of, by).edges
    down = sum_in_periods(down_stretches(line, lo, as_of), edges)
    opened = sum_in_periods(open_stretches(line.clock.intervals, lo, as_of), edges)
    covered = covered_stretches(line.clock, polls_of(stores, as_of), lo, as_of, near)
    seen = sum_in_periods(covered, edges)
    for k, (begin, end) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        times = [
            (
                reference.time_between(s.hours, s.zone, s.polls, as_of, method, begin, end),
                reference.coverage(s.hours, s.zone, s.polls, as_of, begin, end, near),
            )
            for s in stores
        ]
        assert down[k] == sum(halves(down_time) for (_, down_time), _ in times)
        assert opened[k] == sum(2 * open_time for _, (_, open_time) in times)
        assert seen[k] == sum(2 * covered_time for _, (covered_time, _) in times)


@given(case=cases(max_stores=3), hours=st.integers(1, 80))
@settings(max_examples=examples(60), deadline=None)
def test_what_was_covered_adds_up(case: Case, hours: int):
    stores, as_of = case
    clock = build(stores, as_of, METHODS[0]).clock
    given_all = (clock, polls_of(stores, as_of), as_of - hours * HOUR, as_of)
    found = covered_stretches(*given_all)
    assert (found.start < found.end).all()
    each = np.zeros(len(stores), np.int64)
    np.add.at(each, found.store, found.end - found.start)
    assert each.tolist() == measure_coverage(*given_all)[0].tolist()


def test_a_window_of_nothing_has_no_period():
    instant = from_datetime(datetime(2023, 1, 25))
    for by in PERIODS:
        assert not len(find_periods("UTC", instant, instant, by).number)
