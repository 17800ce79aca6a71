"""What an engine does with polls, against a dictionary; the same tests over both databases."""

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restmon.storage import (
    database,
    models,
    poll_blocks,
    poll_changes,
    poll_reading,
    poll_runs,
    poll_statements,
    poll_writing,
)
from restmon.storage.poll_changes import PollChanges
from tests.support.examples import examples
from tests.support.polls import delete_everything
from tests.support.workspace import Workspace

HOUR = 3_600_000_000
PERIOD = 1 << poll_blocks.PERIOD_BITS
BASE = 6092 * PERIOD
"""An instant at which a period begins."""
ALWAYS = (BASE - 10 * PERIOD, BASE + 10 * PERIOD)
Truth = dict[tuple[int, int], int]

instants = st.one_of(
    st.integers(-3, 40).map(lambda n: BASE + n * HOUR),
    st.integers(-2, 3).flatmap(lambda n: st.integers(-2, 2).map(lambda k: BASE + n * PERIOD + k)),
)
some_polls = st.dictionaries(
    st.tuples(st.integers(0, 129), instants), st.integers(0, 1), min_size=1, max_size=40
)
bounds = st.tuples(instants, instants).map(lambda two: (min(two), max(two)))
steps = st.one_of(
    st.tuples(st.just("merge"), some_polls),
    st.tuples(
        st.just("merge"),
        st.dictionaries(
            st.tuples(st.integers(0, 2), instants), st.integers(0, 1), min_size=1, max_size=2
        ),
    ),
    st.tuples(st.just("set"), some_polls),
    st.tuples(st.just("delete"), bounds),
    st.tuples(st.just("delete_ranges"), st.dictionaries(st.integers(0, 129), bounds, max_size=5)),
    st.tuples(st.just("forget"), instants),
)


def columns(polls: Truth) -> tuple[Any, Any, Any]:
    rows = sorted((store, time, status) for (store, time), status in polls.items())
    table = np.array(rows, np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2].astype(np.int8)


def ranges(chosen: dict[int, tuple[int, int]]) -> tuple[Any, Any, Any]:
    stores = np.array(list(chosen), np.int64)
    lo, hi = (np.array([b[n] for b in chosen.values()], np.int64) for n in (0, 1))
    return stores, lo, hi


def merge(truth: Truth, rows: list[int], new: Truth) -> None:
    new = {(rows[n], time): status for (n, time), status in new.items()}
    with database.writing():
        merged = database.merge_polls(*columns(new), columns(new)[2])
    known = {key: truth[key] for key in new if key in truth}
    assert merged.new == len(new) - len(known)
    assert merged.unchanged == sum(new[key] == status for key, status in known.items())
    assert merged.updated == len(known) - merged.unchanged
    written = [time for (store, time), status in new.items() if truth.get((store, time)) != status]
    assert merged.earliest == min(written, default=None)
    truth |= new


def set_statuses(truth: Truth, rows: list[int], wanted: Truth) -> None:
    """Of those polls of the wanted ones that there are."""
    wanted = {(rows[n], time): status for (n, time), status in wanted.items()}
    wanted = {key: status for key, status in wanted.items() if key in truth}
    with database.writing():
        database.set_statuses(*columns(wanted))
    truth |= wanted


def delete(truth: Truth, rows: list[int], chosen: tuple[int, int]) -> None:
    gone = [key for key in truth if chosen[0] <= key[1] < chosen[1]]
    with database.writing():
        assert database.delete_polls(*chosen) == len(gone)
    for key in gone:
        del truth[key]


def delete_ranges(truth: Truth, rows: list[int], chosen: dict[int, tuple[int, int]]) -> None:
    chosen = {rows[n]: bounds for n, bounds in chosen.items()}
    gone = [
        key for key in truth if key[0] in chosen and chosen[key[0]][0] <= key[1] < chosen[key[0]][1]
    ]
    with database.writing():
        assert database.delete_polls_in_ranges(*ranges(chosen)) == len(gone)
    for key in gone:
        del truth[key]


def forget(truth: Truth, rows: list[int], before: int) -> None:
    gone = [key for key in truth if key[1] < before]
    with database.session():
        assert database.forget(before) == len(gone)
    for key in gone:
        del truth[key]


DO: dict[str, Callable[..., None]] = {
    "merge": merge,
    "set": set_statuses,
    "delete": delete,
    "delete_ranges": delete_ranges,
    "forget": forget,
}


def check(truth: Truth, rows: list[int], lo: int, hi: int) -> None:
    """All ways to read give what is there."""
    inside = {key: status for key, status in truth.items() if lo <= key[1] < hi}
    place = {row: n for n, row in enumerate(rows)}
    expected = sorted((place[store], time, status) for (store, time), status in inside.items())
    with database.reading():
        assert triples(database.polls_of_all(lo, hi, np.array(rows))) == expected
        chosen = dict.fromkeys(rows[::-1], (lo, hi))
        for at_once in (1, 7, 10**6):
            found = [
                triple
                for part in database.polls_in_ranges(*ranges(chosen), at_once)
                for triple in triples(part)
            ]
            assert [(len(rows) - 1 - n, *rest) for n, *rest in sorted(found)] == sorted(
                expected, key=lambda row: (-row[0], row[1])
            )
        last = {row[0]: row for row in expected}
        found = triples(database.last_polls_in_ranges(*ranges(dict.fromkeys(rows, (lo, hi)))))
        assert found == [last[n] for n in sorted(last)]
        assert database.count_polls(lo, hi) == len(expected)
        assert database.count_polls(lo, hi, 3) == min(3, len(expected))
        until = [time for _, time in truth if time <= hi]
        assert database.newest_poll(hi) == max(until, default=None)
        assert database.has_polls() == bool(truth)
        query = models.Poll.select(models.Poll.store, models.Poll.timestamp, models.Poll.status)
        assert sorted(database.tuples(query)) == sorted((*key, truth[key]) for key in truth)


def triples(found: tuple[Any, Any, Any]) -> list[tuple[int, int, int]]:
    return list(zip(*(column.tolist() for column in found), strict=True))


def stores(number: int) -> list[int]:
    """The row ids of so many stores, in the order of their ids as text."""
    with database.writing():
        models.Store.insert_many([{"store_id": f"{n:03}"} for n in range(number)]).execute()
    with database.session():
        query = models.Store.select(models.Store.id).order_by(models.Store.store_id)
        return [row for (row,) in database.tuples(query)]


@pytest.mark.both_databases
@given(steps=st.lists(steps, min_size=1, max_size=12), window=bounds, most=st.integers(0, 4))
@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_polls_are_read_as_they_were_written(
    workspace: Workspace, steps: list[tuple[str, Any]], window: tuple[int, int], most: int
):
    with database.writing():
        delete_everything()
    rows = stores(130)
    truth: Truth = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(poll_writing, "MOST_RECENT", most)
        patch.setattr(poll_writing, "SMALL", 2)
        patch.setattr(poll_reading, "MANY_PARTS", 1 if most % 2 else 400)
        for module in (poll_reading, poll_writing):
            patch.setattr(module, "PARTS_AT_ONCE", 1 if most > 1 else 400)
        for name, what in steps:
            DO[name](truth, rows, what)
            check(truth, rows, *window)
        check(truth, rows, *ALWAYS)


@pytest.mark.both_databases
def test_a_period_is_put_in_order_when_the_next_one_begins(workspace: Workspace):
    """Later reads of one store then need no block of all stores."""
    rows = stores(130)
    truth: Truth = {}
    parts = "SELECT count(*) FROM poll_block WHERE period = ? AND part < 0"
    merge(truth, rows, {(n, BASE + k * HOUR): 1 for n in range(130) for k in range(20)})
    for k in range(20, 23):
        merge(truth, rows, {(n, BASE + k * HOUR): 0 for n in range(130)})
    with database.session():
        assert poll_statements.execute(parts, (BASE // PERIOD,)).fetchone() == (3,)
    merge(truth, rows, {(7, BASE + PERIOD + HOUR): 1})
    with database.session():
        assert poll_statements.execute(parts, (BASE // PERIOD,)).fetchone() == (0,)
    check(truth, rows, *ALWAYS)


@given(
    blocks=st.lists(
        st.tuples(
            st.integers(-3, 7000),
            st.dictionaries(
                st.tuples(st.integers(0, 2**31 - 1), st.integers(0, PERIOD - 1)),
                st.integers(0, 1),
                min_size=1,
                max_size=8,
            ),
        ),
        max_size=4,
    )
)
def test_a_block_gives_back_its_polls(blocks: list[tuple[int, Truth]]):
    stored, expected = [], []
    for period, offsets in blocks:
        begun = period << poll_blocks.PERIOD_BITS
        mine = {(store, begun + offset): on for (store, offset), on in offsets.items()}
        each = poll_blocks.Polls(*columns(mine))
        stored.append((period, *poll_blocks.encode(each, period)))
        expected += triples((each.store, each.time, each.status))
    found = poll_runs.decode(stored).polls()
    assert triples((found.store, found.time, found.status)) == expected
    named = sorted({store for store, _, _ in expected})[::2]
    some = poll_runs.decode(poll_blocks.chosen(stored, np.array(named, np.int64))).polls()
    assert triples((some.store, some.time, some.status)) == [
        row for row in expected if row[0] in named
    ]


def test_a_record_of_changes_can_be_read_in_both_its_compressions():
    numbers = np.arange(1000, dtype=np.int64)
    changes = PollChanges(numbers, numbers * 7, numbers * 7 + 3, numbers % 3 - 1)
    packed = changes.pack()
    size = int.from_bytes(packed[: poll_changes.LENGTH_BYTES], "little")
    by_zstd = poll_changes.compress(zlib.decompress(packed[poll_changes.LENGTH_BYTES :]))
    assert by_zstd != packed
    for data in (packed, by_zstd):
        assert PollChanges.count(data) == 1000
        found = PollChanges.unpack(data)
        for name in ("store", "first", "last", "former"):
            assert (getattr(found, name) == getattr(changes, name)).all(), name
    assert size == 1000 * poll_changes.BYTES_OF_ONE
    assert len(PollChanges.unpack(PollChanges.none().pack())) == 0
