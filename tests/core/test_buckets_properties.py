"""Time by hour, weekday and date, and the reasons of spans, against the slow reference."""

from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restmon.core.aggregation import (
    by_hour,
    by_weekday_hour,
    down_stretches,
    local_days,
    open_stretches,
    sum_between,
)
from restmon.core.explanations import (
    CLOSING,
    MIDPOINT,
    OPENING,
    POLL,
    RANGE,
    explain_spans,
    join_spans,
)
from restmon.core.hours import DEFAULT_ZONE
from restmon.core.timeline import METHODS, NEAREST, PREVIOUS
from tests import reference
from tests.support.core import build
from tests.support.examples import examples
from tests.support.halves import halves
from tests.support.stores import DAY, HOUR, AStore, cases

Case = tuple[list[AStore], int]


def zones_of(stores: list[AStore]) -> tuple[np.ndarray, list[str]]:
    zones = sorted({store.zone or DEFAULT_ZONE for store in stores})
    return np.array([zones.index(s.zone or DEFAULT_ZONE) for s in stores], np.int64), zones


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(max_stores=3), hours=st.integers(1, 30))
@settings(max_examples=examples(60), deadline=None)
def test_hour_buckets_are_the_references(method: str, case: Case, hours: int):
    stores, as_of = case
    line = build(stores, as_of, method)
    begin = as_of - hours * HOUR
    down = by_hour(len(stores), down_stretches(line, begin, as_of), begin, hours)
    opened = by_hour(len(stores), open_stretches(line.clock.intervals, begin, as_of), begin, hours)
    assert down.shape == opened.shape == (len(stores), hours)
    for s, store in enumerate(stores):
        everything = (store.hours, store.zone, store.polls, as_of, method)
        seen = reference.observations(store.hours, store.zone, store.polls, as_of)
        for k in range(hours):
            lo = begin + k * HOUR
            up_time, down_time = reference.time_between(*everything, lo, lo + HOUR)
            assert down[s, k] == halves(down_time)
            if seen:
                assert opened[s, k] - down[s, k] == halves(up_time)


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(max_stores=3), length=st.sampled_from([HOUR, DAY, 7 * DAY, 8 * DAY - 1]))
@settings(max_examples=examples(60), deadline=None)
def test_weekday_and_hour_cells_are_the_references(method: str, case: Case, length: int):
    stores, as_of = case
    line = build(stores, as_of, method)
    begin = as_of - length
    zones = zones_of(stores)
    down = by_weekday_hour(down_stretches(line, begin, as_of), *zones, begin, as_of)
    opened = by_weekday_hour(
        open_stretches(line.clock.intervals, begin, as_of), *zones, begin, as_of
    )
    for s, store in enumerate(stores):
        cells: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
        by_clock = reference.time_by_clock(
            store.hours, store.zone, store.polls, as_of, method, begin, as_of
        )
        for (date, hour), (up_time, down_time) in by_clock.items():
            cell = cells[(date + 3) % 7, hour]
            cell[0] += halves(up_time)
            cell[1] += halves(down_time)
        seen = reference.observations(store.hours, store.zone, store.polls, as_of)
        for day in range(7):
            for hour in range(24):
                up_time, down_time = cells[day, hour]
                assert down[s, day, hour] == down_time
                if seen:
                    assert opened[s, day, hour] - down_time == up_time


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(max_stores=1), length=st.integers(0, 8 * DAY), after=st.integers(0, DAY))
@settings(max_examples=examples(60), deadline=None)
def test_daily_sums_are_the_references(method: str, case: Case, length: int, after: int):
    [store], as_of = case
    line = build([store], as_of, method)
    hi = as_of - min(after, length)
    lo = as_of - length
    dates, edges = local_days(store.zone or DEFAULT_ZONE, lo, hi)
    assert (np.diff(edges) > 0).all()
    assert len(dates) == 0 or (edges[0], edges[-1]) == (lo, hi)
    opened = sum_between(open_stretches(line.clock.intervals, lo, hi), edges)
    down = sum_between(down_stretches(line, lo, hi), edges)
    expected: dict[int, list[int]] = {d: [0, 0] for d in dates.astype(np.int64).tolist()}
    by_clock = reference.time_by_clock(store.hours, store.zone, store.polls, as_of, method, lo, hi)
    for (date, _), (up_time, down_time) in by_clock.items():
        expected[date][0] += halves(up_time)
        expected[date][1] += halves(down_time)
    assert down.tolist() == [down_time for _, down_time in expected.values()]
    if reference.observations(store.hours, store.zone, store.polls, as_of):
        assert (opened - down).tolist() == [up_time for up_time, _ in expected.values()]


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(max_stores=2), length=st.integers(1, 8 * DAY), after=st.integers(0, DAY))
@settings(max_examples=examples(150), deadline=None)
def test_the_reason_of_every_edge_is_true(method: str, case: Case, length: int, after: int):
    stores, as_of = case
    lo, hi = as_of - length, as_of - min(after, length - 1)
    found = explain_spans(build(stores, as_of, method), lo, hi, method)
    assert (found.start < found.end).all()
    for s, store in enumerate(stores):
        intervals, seen = reference.look(store.hours, store.zone, store.polls, as_of, lo)
        status_of = {time: active for time, active, _ in seen}
        times = sorted(status_of)
        for k in np.flatnonzero(found.store == s).tolist():
            start, end, poll = int(found.start[k]), int(found.end[k]), int(found.poll[k])
            [interval] = [i for i in intervals if i[0] <= start < i[1]]
            assert end <= interval[1] or not store.hours
            assert bool(found.status[k]) == status_of[poll]
            middle = Fraction(start + end, 2)
            assert status_of[poll] == reference.status_at(
                middle, store.hours, store.zone, store.polls, as_of, method
            )
            inside = [time for time, _, where in seen if where == interval]
            assert found.carried[k] == (not inside)
            if inside:
                assert poll in inside
            if method == NEAREST:
                distance = min(abs(time - middle) for time in inside or times)
                assert abs(poll - middle) == distance
            for edges, turn, word, instant, cut in (
                (found.starts, interval[0], OPENING, start, lo),
                (found.ends, interval[1], CLOSING, end, hi),
            ):
                kind, before, after_ = edges.kind[k], int(edges.before[k]), int(edges.after[k])
                if kind in (MIDPOINT, POLL):
                    assert times.index(after_) == times.index(before) + 1
                    assert poll == (after_ if word == OPENING else before)
                    assert (kind == POLL) == (method == PREVIOUS)
                    expected = after_ if kind == POLL else (before + after_) // 2
                    assert instant == expected
                else:
                    assert (before, after_) == (0, 0)
                    assert kind in (word, RANGE)
                    assert instant == (turn if kind == word else cut)


@given(case=cases(max_stores=3), length=st.integers(1, 8 * DAY))
@settings(max_examples=examples(80), deadline=None)
def test_joined_spans_are_the_same_time_with_no_seams(case: Case, length: int):
    stores, as_of = case
    lo = as_of - length
    found = explain_spans(build(stores, as_of, NEAREST), lo, as_of, NEAREST)
    runs = join_spans(found)
    for status in (0, 1):
        length_of_spans = found.end[found.status == status] - found.start[found.status == status]
        length_of_runs = runs.end[runs.status == status] - runs.start[runs.status == status]
        assert length_of_spans.sum() == length_of_runs.sum()
    assert runs.polls.sum() == len(found)
    for k in range(len(runs) - 1):
        if runs.store[k] == runs.store[k + 1] and runs.status[k] == runs.status[k + 1]:
            assert runs.ends.kind[k] == CLOSING
    for k in range(len(runs)):
        own = (found.start >= runs.start[k]) & (found.end <= runs.end[k])
        own &= found.store == runs.store[k]
        assert own.sum() == runs.polls[k]
        assert runs.poll[k] == found.poll[own].min()
        assert runs.last_poll[k] == found.poll[own].max()
