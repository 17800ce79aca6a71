"""Coverage, outage statistics, causes, incidents, targets and lost sales against the reference."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restmon.core.aggregation import by_weekday_hour, down_stretches
from restmon.core.coverage import find_stale, is_feed_stale, measure_coverage
from restmon.core.hours import DEFAULT_ZONE, open_intervals
from restmon.core.incidents import count_quarters, find_incidents
from restmon.core.lost_sales import HourlySalesRows, estimate_lost_sales, total_lost_sales
from restmon.core.observations import Polls
from restmon.core.outage_statistics import UNKNOWN, Reasons, find_causes, measure_outages
from restmon.core.targets import NO_TARGET, WHOLE, effective_targets, judge, judge_groups
from restmon.core.timeline import METHODS, NEAREST, build_timeline
from tests import reference
from tests.reference import Hours
from tests.support.core import build, polls_of
from tests.support.examples import examples
from tests.support.schedules import schedule_of
from tests.support.stores import DAY, HOUR, MINUTE, AStore, cases

Case = tuple[list[AStore], int]
WINDOWS = [HOUR, DAY, 7 * DAY]


@given(
    case=cases(), after=st.sampled_from([0, 1, HOUR]), near=st.sampled_from([0, HOUR, 90 * MINUTE])
)
@settings(max_examples=examples(200), deadline=None)
def test_coverage_is_the_references(case: Case, after: int, near: int):
    stores, as_of = case
    clock = build(stores, as_of, NEAREST).clock
    hi = as_of - after
    for window in WINDOWS:
        lo = hi - window
        covered, opened = measure_coverage(clock, polls_of(stores, as_of), lo, hi, near)
        for s, store in enumerate(stores):
            expected = reference.coverage(store.hours, store.zone, store.polls, as_of, lo, hi, near)
            assert (covered[s] / 2, opened[s] / 2) == expected


@given(case=cases(), later=st.sampled_from([0, 2 * HOUR, 4 * HOUR, DAY]))
@settings(max_examples=examples(200), deadline=None)
def test_stale_stores_are_the_references(case: Case, later: int):
    stores, newest = case
    as_of = newest + later
    clock = build(stores, as_of, NEAREST).clock
    found = find_stale(clock, polls_of(stores, as_of), as_of)
    assert found.tolist() == [
        reference.is_stale(store.hours, store.zone, store.polls, as_of) for store in stores
    ]


@given(case=cases(max_stores=1), later=st.sampled_from([0, 2 * HOUR, 4 * HOUR, DAY]))
@settings(max_examples=examples(100), deadline=None)
def test_a_feed_of_one_store_is_stale_when_the_store_is(case: Case, later: int):
    [store], newest = case
    as_of = newest + later
    intervals = build([store], as_of, NEAREST).clock.intervals
    expected = reference.is_stale(store.hours, store.zone, store.polls, as_of)
    assert is_feed_stale(intervals, polls_of([store], as_of), as_of) == expected


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(), after=st.sampled_from([0, 1, DAY]), runs=st.booleans())
@settings(max_examples=examples(150), deadline=None)
def test_outage_statistics_are_the_references(method: str, case: Case, after: int, runs: bool):
    stores, as_of = case
    line = build(stores, as_of, method, runs=runs)
    hi = as_of - after
    for window in WINDOWS:
        lo = hi - window
        found = measure_outages(line, as_of, lo, hi)
        for s, store in enumerate(stores):
            expected = reference.outage_statistics(
                store.hours, store.zone, store.polls, as_of, method, lo, hi
            )
            assert (
                found.outages[s],
                found.begun[s],
                Fraction(int(found.longest[s]), 2),
                Fraction(int(found.total[s]), 2),
            ) == expected


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(max_stores=3), runs=st.booleans(), data=st.data())
@settings(max_examples=examples(150), deadline=None)
def test_causes_are_the_references(method: str, case: Case, runs: bool, data: st.DataObject):
    stores, as_of = case
    line = build(stores, as_of, method, runs=runs)
    said: list[dict[int, int]] = []
    for store in stores:
        times = sorted({time for time, _ in store.polls})
        some = data.draw(st.lists(st.sampled_from(times), unique=True)) if times else []
        said.append({time: code for code, time in enumerate(sorted(some))})
    rows = [(s, t, code) for s, own in enumerate(said) for t, code in sorted(own.items())]
    reasons = Reasons(*np.array(rows, np.int64).reshape(-1, 3).T)
    since = as_of - 3 * DAY
    found = find_causes(line, as_of, since, as_of, reasons).tolist()
    expected = []
    for s, store in enumerate(stores):
        everything = (store.hours, store.zone, store.polls)
        for start, end, _, _ in reference.outages(*everything, as_of, method, since):
            why = reference.cause(*everything, said[s], as_of, (start, end))
            expected.append(UNKNOWN if why is None else why)
    assert found == expected


@st.composite
def fleets(draw: st.DrawFn) -> tuple[list[AStore], int]:
    """(stores, as_of): stores that are polled at round times, often down together."""
    as_of = 1678608000_000_000 + draw(st.integers(0, 40)) * 15 * MINUTE
    schedule = st.sampled_from([[], [(day, 6 * HOUR, 14 * HOUR) for day in range(7)]])
    together = draw(st.lists(st.booleans(), min_size=8, max_size=8))
    stores = []
    for _ in range(draw(st.integers(5, 9))):
        step = draw(st.sampled_from([30 * MINUTE, HOUR, 90 * MINUTE, 12 * HOUR]))
        own = together if draw(st.integers(0, 3)) else draw(st.lists(st.booleans(), max_size=8))
        shift = draw(st.sampled_from([0, 15 * MINUTE, MINUTE]))
        polls = [(as_of - shift - n * step, active) for n, active in enumerate(own)]
        stores.append(AStore(draw(schedule), "America/Chicago", polls))
    return stores, as_of


@pytest.mark.parametrize("method", METHODS)
@given(case=fleets(), runs=st.booleans(), length=st.sampled_from([2 * HOUR, 6 * HOUR - 1]))
@settings(max_examples=examples(40), deadline=None)
def test_incidents_are_the_references(method: str, case: Case, runs: bool, length: int):
    stores, as_of = case
    lo = as_of - length
    line = build(stores, as_of, method, runs=runs)
    found = find_incidents(line, lo, as_of)
    everything = [(store.hours, store.zone, store.polls) for store in stores]
    counted = count_quarters(line, lo, as_of)
    for n, instant in enumerate(counted.start.tolist()):
        now = [reference.status_at(instant, *each, as_of, method) for each in everything]
        assert counted.down[n] == sum(status is False for status in now)
        assert counted.open[n] == sum(status is not None for status in now)
    expected = reference.incidents(everything, as_of, method, lo, as_of)
    mine = [
        (
            int(found.start[i]),
            int(found.end[i]),
            int(found.most_down[i]),
            float(found.peak_share[i]),
            found.store[found.incident == i].tolist(),
        )
        for i in range(len(found.start))
    ]
    assert mine == [(a, b, most, float(peak), struck) for a, b, most, peak, struck in expected]


def test_an_incident_of_chosen_stores():
    polls = [(n * HOUR, n not in (5, 6)) for n in range(24)]
    stores = [AStore([], "UTC", polls) for _ in range(6)]
    stores += [AStore([], "UTC", [(n * HOUR, True) for n in range(24)])]
    line = build(stores, 23 * HOUR, NEAREST)
    found = find_incidents(line, 0, 23 * HOUR)
    # Down after 4:30, at which the poll of 4:00 still holds, up after 6:30.
    assert (found.start.tolist(), found.end.tolist()) == (
        [4 * HOUR + 45 * MINUTE],
        [6 * HOUR + 45 * MINUTE],
    )
    assert (found.most_down.tolist(), found.peak_share.tolist()) == ([6], [6 / 7])
    assert found.store.tolist() == [0, 1, 2, 3, 4, 5]
    four = np.arange(7) < 4
    assert len(find_incidents(line, 0, 23 * HOUR, four).start) == 0


targets = st.none() | st.sampled_from([990_000, 995_000, 999_900, WHOLE, 0])
times = st.integers(0, 2 * 31 * DAY)


@st.composite
def months(draw: st.DrawFn) -> tuple[int | None, int, int, int]:
    """(target, open time of the month, open time so far, downtime so far)."""
    month = draw(times)
    so_far = draw(st.integers(0, month))
    used = draw(st.integers(0, so_far) | st.sampled_from([0, so_far, so_far // 200]))
    return draw(targets), month, so_far, min(used, so_far)


@given(stores=st.lists(st.tuples(months(), st.integers(0, 2)), min_size=1, max_size=8))
def test_judgements_are_the_references(stores: list):
    table = np.array(
        [(NO_TARGET if m[0] is None else m[0], *m[1:], group) for m, group in stores], np.int64
    )
    plain = [(None if m[0] is None else Fraction(m[0], WHOLE), *m[1:]) for m, _ in stores]
    each, summed = judge(*table.T[:4]), judge_groups(*table.T)
    of_groups = [
        [store for store, row in zip(plain, table, strict=True) if row[4] == group]
        for group in range(int(table[:, 4].max()) + 1)
    ]
    for found, expected in ((each, [[store] for store in plain]), (summed, of_groups)):
        for n, members in enumerate(expected):
            status, budget, used, burn = reference.judge(members)
            assert found.status[n] == status
            if not status:
                assert np.isnan(found.budget[n])
                continue
            assert found.budget[n] == pytest.approx(float(budget))
            assert found.used[n] == float(used)
            if burn is None:
                assert np.isnan(found.burn_rate[n])
            else:
                assert found.burn_rate[n] == pytest.approx(float(burn))


def test_whose_target_holds():
    own = np.array([1, NO_TARGET, NO_TARGET, 0], np.int64)
    store, target = np.array([0, 1, 1, 3], np.int64), np.array([9, 5, 7, 9], np.int64)
    assert effective_targets(own, store, target, 2).tolist() == [1, 7, 2, 0]
    assert effective_targets(own, store, target).tolist() == [1, 7, NO_TARGET, 0]


@given(case=cases(max_stores=3), data=st.data())
@settings(max_examples=examples(60), deadline=None)
def test_lost_sales_are_the_references(case: Case, data: st.DataObject):
    stores, as_of = case
    lo = as_of - 2 * DAY
    zones = sorted({store.zone or DEFAULT_ZONE for store in stores})
    zone_of = np.array([zones.index(s.zone or DEFAULT_ZONE) for s in stores], np.int64)
    line = build(stores, as_of, NEAREST)
    down = by_weekday_hour(down_stretches(line, lo, as_of), zone_of, zones, lo, as_of)
    cells = st.tuples(st.integers(0, 6), st.integers(0, 23))
    rates = st.integers(0, 4000).map(lambda n: Fraction(n, 4))
    week = [(day, hour) for day in range(7) for hour in range(24)]
    every_hour = st.just({cell: Fraction(sum(cell)) for cell in week})
    own = [data.draw(st.dictionaries(cells, rates, max_size=4) | every_hour) for _ in stores]
    single = [data.draw(st.none() | rates) for _ in stores]
    rows = [(s, *cell, rate) for s, found in enumerate(own) for cell, rate in found.items()]
    columns = np.array([row[:3] for row in rows], np.int64).reshape(-1, 3).T
    hourly = HourlySalesRows(*columns, np.array([float(row[3]) for row in rows]))
    per_hour = np.array([np.nan if rate is None else float(rate) for rate in single])
    lost = estimate_lost_sales(down, per_hour, hourly)
    expected = []
    for s, store in enumerate(stores):
        by_clock = reference.time_by_clock(
            store.hours, store.zone, store.polls, as_of, NEAREST, lo, as_of
        )
        of_cell: dict[tuple[int, int], Fraction] = {}
        for (day, hour), (_, time) in by_clock.items():
            cell = ((day + 3) % 7, hour)
            of_cell[cell] = of_cell.get(cell, Fraction(0)) + time
        expected.append(reference.lost_sales(of_cell, single[s], own[s]))
        if expected[-1] is None:
            assert np.isnan(lost[s])
        else:
            assert lost[s] == pytest.approx(float(expected[-1]))
    total, left_out = total_lost_sales(lost)
    known = [float(value) for value in expected if value is not None]
    assert left_out == len(expected) - len(known)
    assert total == pytest.approx(sum(known)) if known else np.isnan(total)


def test_a_tie_at_an_opening_is_the_earlier_ones():
    # Polled at 21:00 on two days: 9:00, at which the store opens unobserved, is halfway.
    hours = [(day, *row) for day in range(7) for row in ((9, 10), (20, 22))]
    hours = [(day, start * HOUR, end * HOUR) for day, start, end in hours]
    for first in (False, True):
        polls = [(10 * DAY + 21 * HOUR, first), (11 * DAY + 21 * HOUR, not first)]
        store, as_of = AStore(hours, "UTC", polls), 11 * DAY + 21 * HOUR
        line = build([store], as_of, NEAREST)
        found = count_quarters(line, 11 * DAY, as_of)
        expected = [
            reference.status_at(t, store.hours, store.zone, polls, as_of, NEAREST) is False
            for t in found.start.tolist()
        ]
        assert found.down.tolist() == expected
        at_nine = found.start.tolist().index(11 * DAY + 9 * HOUR)
        assert expected[at_nine] != expected[at_nine + 1]


def test_a_store_that_was_never_up_began_no_outage():
    opens = Hours(tuple((day, 9 * HOUR, 17 * HOUR) for day in range(7)), opened_on=10)
    polls = Polls(np.array([0]), np.array([10 * DAY + 12 * HOUR]), np.array([0], np.int8))
    as_of = 11 * DAY
    intervals = open_intervals(schedule_of([(opens, "UTC")]), as_of - 7 * DAY, as_of)
    found = measure_outages(build_timeline(intervals, polls), as_of, as_of - 7 * DAY)
    times = [(int(polls.time[0]), False)]
    expected = reference.outage_statistics(
        opens, "UTC", times, as_of, NEAREST, as_of - 7 * DAY, as_of
    )
    assert expected[:2] == (1, 0)
    assert (found.outages.tolist(), found.begun.tolist()) == ([1], [0])
