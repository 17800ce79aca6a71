"""Polls out of blocks, put in order some at a time by threads."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restmon.storage import poll_blocks, poll_runs
from restmon.storage.poll_blocks import PERIOD_BITS, Polls

Truth = dict[tuple[int, int], int]

polls = st.dictionaries(
    st.tuples(st.integers(0, 6), st.integers(0, 40)), st.integers(0, 1), max_size=40
)


def columns(truth: Truth) -> Polls:
    rows = [(store, time, truth[store, time]) for store, time in sorted(truth)]
    table = np.array(rows, np.int64).reshape(-1, 3)
    return Polls(table[:, 0], table[:, 1], table[:, 2].astype(np.int8))


@pytest.mark.parametrize("at_once", [1, 5, 10**6])
@given(
    truth=polls,
    of_block=st.lists(st.integers(0, 3), min_size=287, max_size=287),
    ranks=st.permutations(range(7)),
    window=st.tuples(st.integers(-1, 41), st.integers(-1, 42)),
)
def test_polls_are_put_in_order(
    at_once: int, truth: Truth, of_block: list[int], ranks: list[int], window: tuple[int, int]
):
    # Instants 0 to 20 lie at the end of one period, the others at the beginning of the next.
    shift = (6000 << PERIOD_BITS) - 20
    stored = []
    for period in (5999, 6000):
        for block in range(4):
            mine = {
                (store, shift + time): status
                for (store, time), status in truth.items()
                if of_block[store * 41 + time] == block and (shift + time) >> PERIOD_BITS == period
            }
            if mine:
                stored.append((period, *poll_blocks.encode(columns(mine), period)))
    lo, hi = shift + window[0], shift + window[1]
    with patch.object(poll_runs, "AT_ONCE", at_once):
        runs = poll_runs.decode(stored)
        rank = np.array(ranks, np.int64)[runs.store]
        everything, some = runs.ordered(rank), runs.ordered(rank, lo, hi)
    for found, begin, end in ((everything, shift, shift + 41), (some, lo, hi)):
        expected = columns(
            {
                (ranks[store], shift + time): status
                for (store, time), status in truth.items()
                if begin <= shift + time < end
            }
        )
        for name in ("store", "time", "status"):
            ours, theirs = getattr(found, name), getattr(expected, name)
            assert ours.tolist() == theirs.tolist(), name
            assert ours.dtype == theirs.dtype, name
