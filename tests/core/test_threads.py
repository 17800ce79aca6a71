"""What threads make of parts is what one makes of the whole."""

from unittest.mock import patch

import pytest
from hypothesis import given, settings

from restmon.core import threads, uptime
from restmon.core.timeline import METHODS
from restmon.core.uptime import measure_uptime
from tests.support.core import build
from tests.support.examples import examples
from tests.support.stores import DAY, HOUR, AStore, cases

WINDOWS = [HOUR, DAY, 7 * DAY]


@pytest.mark.parametrize("method", METHODS)
@given(case=cases())
@settings(max_examples=examples(100), deadline=None)
def test_a_timeline_made_in_parts_is_the_same(method: str, case: tuple[list[AStore], int]):
    stores, as_of = case
    expected = measure_uptime(build(stores, as_of, method, runs=True), as_of, WINDOWS)
    with patch.object(threads, "AT_ONCE", 2), patch.object(uptime, "AT_ONCE", 0):
        found = measure_uptime(build(stores, as_of, method, runs=True), as_of, WINDOWS)
    assert [times.tolist() for times in found] == [times.tolist() for times in expected]


def test_an_error_in_a_part_is_the_callers():
    with pytest.raises(ZeroDivisionError):
        threads.map_parts(lambda part: 1 // part, [3, 2, 1, 0])


def test_results_are_in_the_order_of_the_parts():
    assert threads.map_parts(str, range(9)) == list("012345678")
    assert [range(300_000)[part] for part in threads.slices(300_000)] == [
        range(131_072),
        range(131_072, 262_144),
        range(262_144, 300_000),
    ]
