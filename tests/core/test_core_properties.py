"""The core against the slow, obvious reference, on generated stores."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restmon.core.outages import find_outages
from restmon.core.timeline import METHODS, cut_spans
from restmon.core.uptime import measure_uptime
from tests import reference
from tests.support.core import build
from tests.support.examples import examples
from tests.support.stores import DAY, HOUR, AStore, cases

WINDOWS = [HOUR, DAY, 7 * DAY]


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(), runs=st.booleans())
@settings(max_examples=examples(400), deadline=None)
def test_up_and_down_time_are_the_references(
    method: str, case: tuple[list[AStore], int], runs: bool
):
    stores, as_of = case
    up, down = measure_uptime(build(stores, as_of, method, runs=runs), as_of, WINDOWS)
    for s, store in enumerate(stores):
        for w, window in enumerate(WINDOWS):
            expected = reference.uptime(store.hours, store.zone, store.polls, as_of, method, window)
            assert (Fraction(int(up[s, w]), 2), Fraction(int(down[s, w]), 2)) == expected


@pytest.mark.parametrize("method", METHODS)
@given(case=cases())
@settings(max_examples=examples(200), deadline=None)
def test_up_and_down_add_up_to_open_time(method: str, case: tuple[list[AStore], int]):
    stores, as_of = case
    up, down = measure_uptime(build(stores, as_of, method), as_of, WINDOWS)
    for s, store in enumerate(stores):
        seen = reference.observations(store.hours, store.zone, store.polls, as_of)
        for w, window in enumerate(WINDOWS):
            begin = as_of - window
            intervals = reference.open_intervals(store.hours, store.zone, begin, as_of)
            open_time = sum(min(b, as_of) - max(a, begin) for a, b in intervals)
            assert up[s, w] >= 0
            assert down[s, w] >= 0
            assert up[s, w] + down[s, w] == (2 * open_time if seen else 0)


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(), runs=st.booleans())
@settings(max_examples=examples(300), deadline=None)
def test_outages_are_the_references(method: str, case: tuple[list[AStore], int], runs: bool):
    stores, as_of = case
    line = build(stores, as_of, method, runs=runs)
    for window in WINDOWS:
        found = find_outages(line, as_of, as_of - window)
        for s, store in enumerate(stores):
            expected = reference.outages(
                store.hours, store.zone, store.polls, as_of, method, as_of - window
            )
            mine = found.store == s
            assert [int(start) for start, _, _, _ in expected] == found.start[mine].tolist()
            assert [int(end) for _, end, _, _ in expected] == found.end[mine].tolist()
            assert [2 * o for _, _, o, _ in expected] == found.open_time[mine].tolist()
            assert [o for _, _, _, o in expected] == found.ongoing[mine].tolist()


@given(case=cases())
@settings(max_examples=examples(150), deadline=None)
def test_spans_tell_the_same_as_uptime(case: tuple[list[AStore], int]):
    stores, as_of = case
    line = build(stores, as_of, "nearest")
    up, down = measure_uptime(line, as_of, [DAY])
    found = cut_spans(line, as_of - DAY, as_of)
    length = found.end - found.start
    assert (length > 0).all()
    for s in range(len(stores)):
        mine = found.store == s
        # Each span's edges are rounded down to whole microseconds.
        slack = 2 * int(mine.sum())
        assert abs(2 * length[mine & (found.status == 1)].sum() - up[s, 0]) <= slack
        assert abs(2 * length[mine & (found.status == 0)].sum() - down[s, 0]) <= slack
    assert (np.diff(found.store) >= 0).all()
