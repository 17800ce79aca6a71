"""What a process keeps from one report to the next gives what would be made anew."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restmon.core.hours import open_intervals
from restmon.core.instants import DAY
from restmon.core.keys import sort_order
from restmon.core.observations import Polls
from restmon.reporting.snapshot import append_polls, read_stores
from restmon.storage import database
from tests.support.examples import examples
from tests.support.imported import import_stores
from tests.support.stores import AStore, cases
from tests.support.workspace import Workspace

SPANS = st.lists(st.tuples(st.integers(-3 * DAY, 3 * DAY), st.integers(0, 9 * DAY)), min_size=1)


@given(case=cases(max_stores=4), spans=SPANS)
@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_kept_open_intervals_are_those_that_would_be_made(
    workspace: Workspace, case: tuple[list[AStore], int], spans: list[tuple[int, int]]
):
    stores, as_of = case
    import_stores(workspace, stores)
    with database.session():
        found = read_stores()
    for shift, length in spans:
        hi = as_of + shift
        lo = hi - length
        ours, anew = found.open_between(lo, hi), open_intervals(found.schedule, lo, hi)
        assert found.open_between(lo, hi) is ours
        # Of a store that is open around the clock a little more, at both ends.
        always = found.schedule.hours_assumed[anew.store]
        for name in ("store", "first"):
            assert np.array_equal(getattr(ours, name), getattr(anew, name)), name
        for name in ("start", "end"):
            a, b = getattr(ours, name), getattr(anew, name)
            assert np.array_equal(a[~always], b[~always]), name
        assert (ours.start <= anew.start).all()
        assert (ours.end >= anew.end).all()


@given(
    earlier=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50)), unique=True),
    later=st.lists(st.tuples(st.integers(0, 5), st.integers(51, 99)), unique=True),
)
def test_later_polls_are_put_behind_those_of_their_stores(
    earlier: list[tuple[int, int]], later: list[tuple[int, int]]
):
    def polls(pairs: list[tuple[int, int]]) -> Polls:
        store, time = np.array(pairs, np.int64).reshape(-1, 2).T
        order = sort_order(store, time)
        return Polls(store[order], time[order], (time[order] % 2).astype(np.int8))

    found, expected = append_polls(polls(earlier), polls(later)), polls(earlier + later)
    for name in ("store", "time", "status"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()
        assert getattr(found, name).dtype == getattr(expected, name).dtype
