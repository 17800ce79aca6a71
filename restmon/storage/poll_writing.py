"""Writing polls, which lie in blocks (`poll_reading`)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.core import keys
from restmon.storage import poll_blocks, poll_runs
from restmon.storage.poll_blocks import PERIOD_BITS, Polls
from restmon.storage.poll_reading import (
    PART_BITS,
    PARTS_AT_ONCE,
    RECENT,
    batches,
    fetch_blocks,
    in_parts,
    parts_of,
    periods,
    polls_in_ranges,
)
from restmon.storage.poll_statements import execute, execute_many
from restmon.storage.revisions import new_revision
from restmon.storage.upsert import Merged, compare_with_stored

Ints = NDArray[np.int64]
Statuses = NDArray[np.int8]

MOST_RECENT = 12
"""So many blocks of part -1 a period may have."""
SMALL = 8
"""They stay apart from the others as long as they have less than this part of the polls."""


def merge_polls(row: Ints, time: Ints, first: Statuses, last: Statuses) -> Merged:
    """Compare with what is stored, then write what differs."""
    compared = compare_with_stored(row, time, first, last, polls_in_ranges)
    new, changed = compared.new, compared.changed
    if new.all():
        insert_polls(row, time, last)
    elif new.any():
        insert_polls(row[new], time[new], last[new])
    if changed.any():
        set_statuses(row[changed], time[changed], last[changed])
    return compared.merged


def insert_polls(stores: Ints, timestamps: Ints, statuses: Statuses) -> None:
    """Insert polls that are not there yet: arrays of one length, sorted by store, then time."""
    polls, period = Polls(stores, timestamps, statuses), timestamps >> PERIOD_BITS
    for number in keys.distinct(period).tolist():
        mine = period == number
        _insert(number, polls if mine.all() else polls.of(mine))


def _insert(period: int, polls: Polls) -> None:
    """Insert polls of one period: beside the others where those are many more, else among them."""
    there = _count_in_parts(period, parts_of(polls.store))
    if there > len(polls) * SMALL:
        _write(period, [(RECENT, polls)])
        _join_recent(period)
    else:
        if not there:
            _finish_before(period)
        _insert_into_parts(period, polls)


def _count_in_parts(period: int, parts: list[int]) -> int:
    """How many polls the parts have, without recent ones."""
    sql = "SELECT coalesce(sum(polls), 0) FROM poll_block WHERE period = ? AND part >= 0"
    (count,) = execute(sql + in_parts(parts), (period,)).fetchone()
    return int(count)


def _join_recent(period: int) -> None:
    """Where a period has too many recent blocks, make one of them, or put them into the parts."""
    recent, small, others = execute(
        "SELECT count(*) FILTER (WHERE part < 0),"
        " coalesce(sum(polls) FILTER (WHERE part < 0), 0),"
        " coalesce(sum(polls) FILTER (WHERE part >= 0), 0) FROM poll_block WHERE period = ?",
        (period,),
    ).fetchone()
    if recent <= MOST_RECENT:
        return
    polls = _take_recent(period)
    if small * SMALL < others:
        _write(period, [(RECENT, polls)])
    else:
        _insert_into_parts(period, polls)


def _finish_before(period: int) -> None:
    """Before a new period begins, put the recent blocks of the one before it into the parts: what
    is read of one store later is then no more than its part."""
    (former,) = execute(
        "SELECT max(period) FROM poll_block WHERE period < ?"
        " AND NOT EXISTS (SELECT 1 FROM poll_block WHERE period = ?)",
        (period, period),
    ).fetchone()
    if former is not None:
        polls = _take_recent(former)
        if len(polls):
            _insert_into_parts(former, polls)


def _take_recent(period: int) -> Polls:
    """The polls of the recent blocks of a period, sorted; removes those blocks."""
    blocks = [stored for _, _, stored in fetch_blocks("period = ? AND part = ?", period, RECENT)]
    execute("DELETE FROM poll_block WHERE period = ? AND part = ?", (period, RECENT))
    runs = poll_runs.decode(blocks)
    return runs.ordered(runs.store)


def _insert_into_parts(period: int, polls: Polls) -> None:
    """Write the parts of sorted polls anew, with these among those that are there."""
    parts = parts_of(polls.store)
    for begin in range(0, len(parts), PARTS_AT_ONCE):
        own = parts[begin : begin + PARTS_AT_ONCE]
        lo, hi = np.searchsorted(polls.store, [own[0] << PART_BITS, (own[-1] + 1) << PART_BITS])
        _insert_into_some_parts(period, own, polls.of(slice(lo, hi)))


def _insert_into_some_parts(period: int, parts: list[int], polls: Polls) -> None:
    touched = set(parts)
    there = fetch_blocks("period = ? AND part >= 0" + in_parts(parts), period)
    former = [(number, stored) for number, part, stored in there if part in touched]
    if former:
        both = Polls.joined(poll_runs.decode([stored for _, stored in former]).polls(), polls)
        polls = Polls(*keys.sorted_columns(both.store, both.time, both.status))
        execute_many("DELETE FROM poll_block WHERE id = ?", [(number,) for number, _ in former])
    part_of = polls.store >> PART_BITS
    begins = np.searchsorted(part_of, parts).tolist()
    ends = [*begins[1:], len(polls)]
    ranges = zip(parts, begins, ends, strict=True)
    _write(period, [(part, polls.of(slice(begin, end))) for part, begin, end in ranges])


def _write(period: int, blocks: list[tuple[int, Polls]]) -> None:
    """Insert blocks: parts and their sorted polls."""
    execute_many(
        "INSERT INTO poll_block"
        " (period, part, mask, first, last, polls, checksum, stores, counts, data)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (period, part, *_describe(part, polls), *_encode(period, polls))
            for part, polls in blocks
        ],
    )


def _describe(part: int, polls: Polls) -> tuple[int, int, int, int]:
    """What a block says of itself: mask, first, last, number of polls."""
    mask = 0
    if part != RECENT:
        bits = np.bitwise_or.reduce(np.int64(1) << (polls.store & ((1 << PART_BITS) - 1)))
        mask = int(bits)
    return mask, int(polls.time.min()), int(polls.time.max()), len(polls)


def _encode(period: int, polls: Polls) -> tuple[int, bytes, bytes, bytes]:
    """The checksum of a block, and its columns."""
    stored = (period, *poll_blocks.encode(polls, period))
    return (poll_blocks.checksum(stored), *stored[1:])


def _blocks_of(
    period: int, stores: Ints | None, condition: str = "1 = 1", *values: int
) -> Iterator[tuple[int, int, Polls]]:
    """(id, part, polls) of the blocks of a period in which some stores, or any, may be."""
    parts = None if stores is None else [RECENT, *parts_of(stores)]
    named = set(parts or ())
    for blocks in batches(period, parts, condition, *values):
        for number, part, stored in blocks:
            if parts is None or part in named:
                yield number, part, poll_runs.decode([stored]).polls()


def _rewrite(number: int, period: int, part: int, polls: Polls) -> None:
    """Put other polls into a block, or remove it where there are none."""
    if not len(polls):
        execute("DELETE FROM poll_block WHERE id = ?", (number,))
        return
    execute(
        "UPDATE poll_block SET mask = ?, first = ?, last = ?, polls = ?, checksum = ?,"
        " stores = ?, counts = ?, data = ? WHERE id = ?",
        (*_describe(part, polls), *_encode(period, polls), number),
    )


def set_statuses(stores: Ints, timestamps: Ints, statuses: Statuses) -> None:
    """The blocks of their periods are written anew."""
    order = keys.sort_order(stores - stores.min(), timestamps)
    wanted = Polls(stores, timestamps, statuses).of(order)
    period = wanted.time >> PERIOD_BITS
    for number in keys.distinct(period).tolist():
        mine = wanted.of(period == number)
        for block, part, polls in _blocks_of(number, mine.store):
            at = keys.find(mine.store, mine.time, polls.store, polls.time)
            known = at >= 0
            if known.any():
                status = polls.status.copy()
                status[at[known]] = mine.status[known]
                _rewrite(block, number, part, Polls(polls.store, polls.time, status))


def forget(before: int, transaction: Callable[[], AbstractContextManager[Any]]) -> int:
    """Delete in a ``transaction`` a period, so that imports and reports get their turn in
    between."""
    deleted = 0
    for period in periods(last=before >> PERIOD_BITS):
        with transaction():
            gone = _delete_in_period(period, period << PERIOD_BITS, before)
            if gone:
                new_revision(period << PERIOD_BITS)
        deleted += gone
    return deleted


def delete_polls(lo: int, hi: int) -> int:
    """Whole blocks go as they are; those at the ends are written anew."""
    found = periods(lo >> PERIOD_BITS, hi >> PERIOD_BITS)
    return sum(_delete_in_period(period, lo, hi) for period in found)


def _delete_in_period(period: int, lo: int, hi: int) -> int:
    whole = (period, lo, hi)
    inside = "period = ? AND first >= ? AND last < ?"
    (deleted,) = execute(
        f"SELECT coalesce(sum(polls), 0) FROM poll_block WHERE {inside}",  # noqa: S608 - names  # nosec B608
        whole,
    ).fetchone()
    execute(f"DELETE FROM poll_block WHERE {inside}", whole)  # noqa: S608 - names  # nosec B608
    for block, part, polls in _blocks_of(period, None, "first < ? AND last >= ?", hi, lo):
        gone = (polls.time >= lo) & (polls.time < hi)
        if gone.any():
            deleted += int(gone.sum())
            _rewrite(block, period, part, polls.of(~gone))
    return int(deleted)


def delete_polls_in_ranges(stores: Ints, lo: Ints, hi: Ints) -> int:
    """The blocks that have such polls are written anew."""
    order = np.lexsort((lo, stores))
    stores, lo, hi = stores[order], lo[order], hi[order]
    deleted = 0
    for period in periods(int(lo.min()) >> PERIOD_BITS, int(hi.max()) >> PERIOD_BITS):
        begun = period << PERIOD_BITS
        ends = begun + (1 << PERIOD_BITS)
        here = (lo < ends) & (hi > begun)
        if not here.any():
            continue
        mine, place = np.unique(stores[here], return_inverse=True)
        space = keys.KeySpace.covering(len(mine) + 1, begun, ends)
        begins = space.clipped_keys(place, lo[here])
        stops = space.clipped_keys(place, hi[here])
        for block, part, polls in _blocks_of(period, mine):
            at = np.minimum(np.searchsorted(mine, polls.store), len(mine) - 1)
            key = space.keys(at, polls.time)
            n = np.searchsorted(begins, key, side="right") - 1
            gone = (mine[at] == polls.store) & (n >= 0) & (key < stops[n])
            if gone.any():
                deleted += int(gone.sum())
                _rewrite(block, period, part, polls.of(~gone))
    return deleted
