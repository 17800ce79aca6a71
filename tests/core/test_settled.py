"""A timeline that goes on is the one that is made of everything at once."""

from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restmon.core.observations import NOWHERE, Polls, find_observations, intervals_around
from restmon.core.settled import UNSEEN, go_on, settle
from restmon.core.timeline import METHODS, Timeline, build_timeline
from restmon.core.uptime import measure_uptime
from tests.support.core import build, polls_of
from tests.support.examples import examples
from tests.support.stores import DAY, HOUR, AStore, cases

FIRST, LAST = -(2**60), 2**60


def assert_same(found: Timeline, expected: Timeline) -> None:
    for field in fields(Timeline):
        if field.name not in ("clock", "stores"):
            a, b = getattr(found, field.name), getattr(expected, field.name)
            assert a.tolist() == b.tolist(), field.name
            assert a.dtype == b.dtype, field.name


@pytest.mark.parametrize("method", METHODS)
@given(
    case=cases(),
    ages=st.lists(st.integers(0, 9 * 24), max_size=4),
    begin=st.none() | st.integers(0, 9 * 24),
)
@settings(max_examples=examples(300), deadline=None)
def test_a_timeline_goes_on_as_if_made_at_once(
    method: str, case: tuple[list[AStore], int], ages: list[int], begin: int | None
):
    stores, as_of = case
    intervals = build(stores, as_of, method).clock.intervals
    polls, earlier = polls_of(stores, as_of), Polls.none()
    if begin is not None:  # the last observation before an instant stands for those before it
        seen = find_observations(intervals, polls.between(FIRST, as_of - begin * HOUR - 1))
        last = np.append(seen.store[1:] != seen.store[:-1], True)[: len(seen.store)]
        earlier = Polls(seen.store[last], seen.time[last], seen.status[last])
        polls = polls.between(as_of - begin * HOUR, LAST)
    expected = build_timeline(intervals, polls, method, earlier, runs=True)

    cuts = sorted(as_of - age * HOUR for age in ages if begin is None or age <= begin)
    cuts = [*cuts, as_of + 1]
    known = polls.between(FIRST, cuts[0] - 1)
    # The clock of all of them, so that readings can be compared.
    line = settle(expected, method, polls, earlier, cuts[0])
    assert_same(line.line, build_timeline(intervals, known, method, earlier, runs=True))
    for lo, hi in pairwise(cuts):
        line = go_on(line, polls.between(lo, hi - 1))
    assert_same(line.line, expected)
    for ours, other in zip(
        measure_uptime(line.line, as_of, [HOUR, DAY]),
        measure_uptime(expected, as_of, [HOUR, DAY]),
        strict=True,
    ):
        assert ours.tolist() == other.tolist()

    whole = settle(expected, method, polls, earlier)
    seen = whole.status != UNSEEN
    assert (line.status == whole.status).all()
    assert (line.time[seen] == whole.time[seen]).all()
    assert (line.interval[seen] == whole.interval[seen]).all()


def test_a_poll_outside_of_all_intervals_is_nowhere():
    store = AStore([(0, 9 * HOUR, 12 * HOUR)], "UTC", [])
    monday = 1_674_432_000_000_000  # 2023-01-23
    clock = build([store], monday + DAY, "nearest").clock
    time = monday + np.array([-400 * DAY, 8 * HOUR, 9 * HOUR, 12 * HOUR - 1, 12 * HOUR, 400 * DAY])
    polls = Polls(np.zeros(6, np.int64), time, np.ones(6, np.int8))
    found = intervals_around(polls, clock)
    assert (found == NOWHERE).tolist() == [True, True, False, False, True, True]
