"""Reading polls, which lie in blocks.

A block (`poll_blocks`) is one row of the table ``poll_block``. It has the polls of one period of
about three days, of one ``part`` of the stores: 64 of them by row id::

    period 5841 | part 0: stores 0 to 63 | part 1: stores 64 to 127 | ... | part -1
    period 5842 | part 0                 | part 1                   | ... | part -1 | part -1

What comes in afterwards, an hour's polls or a single one, goes into a block of its own with polls
of all stores, part -1. When there are many of those they are put into the others. So an hourly
import writes one row, a report reads a few periods from end to end, and one store's month is ten
blocks, all whatever the length of the history. No poll is in two blocks.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from peewee import Database

from restmon.core import keys
from restmon.storage import poll_blocks, poll_runs
from restmon.storage.poll_blocks import PERIOD_BITS, Polls, Stored
from restmon.storage.poll_statements import damaged_block, execute

Ints = NDArray[np.int64]
Statuses = NDArray[np.int8]

PART_BITS = 6
RECENT = -1
MANY_PARTS = 400
"""Of more parts than this a statement does not name each."""
PARTS_AT_ONCE = 400
FEW = 8
"""The polls of so many stores fit into memory, whatever the length of time."""
COLUMNS = "id, part, checksum, period, stores, counts, data"
FIRST_PERIOD, LAST_PERIOD = -(2**40), 2**40


def periods(
    first: int = FIRST_PERIOD, last: int = LAST_PERIOD, source: Database | None = None
) -> list[int]:
    """The periods that have blocks, from ``first`` to ``last``, both included. One look-up each,
    however many blocks they have."""
    found = execute(
        "WITH RECURSIVE found (period) AS (SELECT min(period) FROM poll_block WHERE period >= ?"
        " UNION ALL SELECT (SELECT min(period) FROM poll_block WHERE period > found.period)"
        " FROM found WHERE found.period <= ?) SELECT period FROM found WHERE period <= ?",
        (first, last, last),
        source,
    )
    return [period for (period,) in found.fetchall()]


def newest_poll(until: int) -> int | None:
    """By the blocks' own ends; of blocks that go on after ``until``, by their polls."""
    for period in reversed(periods(last=until >> PERIOD_BITS)):
        (newest,) = execute(
            "SELECT max(CASE WHEN last <= ? THEN last ELSE first END) FROM poll_block"
            " WHERE period = ? AND first <= ?",
            (until, period, until),
        ).fetchone()
        if newest is None:
            continue
        inside = "first <= ? AND last > ?"
        for blocks in batches(period, None, inside, until, until):
            time = poll_runs.decode([stored for _, _, stored in blocks]).time
            newest = max(newest, int(time[time <= until].max(initial=newest)))
        return int(newest)
    return None


def oldest_poll() -> int | None:
    """By the blocks' own ends."""
    (oldest,) = execute(
        "SELECT min(first) FROM poll_block WHERE period = (SELECT min(period) FROM poll_block)"
    ).fetchone()
    return None if oldest is None else int(oldest)


def has_polls() -> bool:
    """One look-up."""
    return execute("SELECT 1 FROM poll_block LIMIT 1").fetchone() is not None


def count_polls(lo: int, hi: int, at_most: int | None = None) -> int:
    """Whole blocks count by their number of polls."""
    count = 0
    for period in periods(lo >> PERIOD_BITS, hi >> PERIOD_BITS):
        (whole,) = execute(
            "SELECT coalesce(sum(polls), 0) FROM poll_block"
            " WHERE period = ? AND first >= ? AND last < ?",
            (period, lo, hi),
        ).fetchone()
        count += int(whole)
        cut = "(first < ? OR last >= ?) AND first < ? AND last >= ?"
        for blocks in batches(period, None, cut, lo, hi, hi, lo):
            time = poll_runs.decode([stored for _, _, stored in blocks]).time
            count += int(((time >= lo) & (time < hi)).sum())
        if at_most is not None and count >= at_most:
            return at_most
    return count


def polls_of_all(lo: int, hi: int, stores: Ints) -> tuple[Ints, Ints, Statuses]:
    """One stretch of the table."""
    return _fetch_all(lo, hi, stores)()


def start_polls_of_all(lo: int, hi: int, stores: Ints) -> Future[tuple[Ints, Ints, Statuses]]:
    """One stretch of the table, put in order by a thread."""
    threads = ThreadPoolExecutor(1)
    found = threads.submit(_fetch_all(lo, hi, stores))
    threads.shutdown(wait=False)
    return found


def _fetch_all(lo: int, hi: int, stores: Ints) -> Callable[[], tuple[Ints, Ints, Statuses]]:
    inside = "period BETWEEN ? AND ? AND last >= ? AND first < ?"
    blocks = fetch_blocks(inside, lo >> PERIOD_BITS, hi >> PERIOD_BITS, lo, hi)

    def put_in_order() -> tuple[Ints, Ints, Statuses]:
        runs = poll_runs.decode([stored for _, _, stored in blocks])
        place = np.empty(int(stores.max(initial=-1)) + 1, np.int64)
        place[stores] = np.arange(len(stores))
        found = runs.ordered(place[runs.store], lo, hi)
        return found.store, found.time, found.status

    return put_in_order


def polls_in_ranges(
    stores: Ints, lo: Ints, hi: Ints, at_once: int = 1_000_000
) -> Iterator[tuple[Ints, Ints, Statuses]]:
    """The blocks of some ranges' stores at once."""
    if not len(stores):
        return
    earliest, latest = int(lo.min()), int(hi.max())
    first, last = earliest >> PERIOD_BITS, latest >> PERIOD_BITS
    size = len(stores) if len(stores) <= FEW else _stores_at_once(first, last, at_once)
    for at in range(0, len(stores), size):
        part = slice(at, at + size)
        mine, place = np.unique(stores[part], return_inverse=True)
        polls = _polls_of(mine, earliest, latest)
        if not len(polls):
            continue
        space = keys.KeySpace.covering(len(mine), int(polls.time.min()), int(polls.time.max()) + 1)
        key = space.keys(polls.store, polls.time)
        starts = np.searchsorted(key, space.clipped_keys(place, lo[part]))
        ends = np.searchsorted(key, space.clipped_keys(place, hi[part]))
        counts = np.maximum(ends - starts, 0)
        total = int(counts.sum())
        if total:
            n = np.repeat(np.arange(at, at + len(counts)), counts)
            rows = np.arange(total) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
            yield n, polls.time[rows], polls.status[rows]


def _stores_at_once(first: int, last: int, polls: int) -> int:
    """How many stores have about so many polls in the periods from ``first`` to ``last``."""
    count, begin, end = execute(
        "SELECT sum(polls), min(first), max(last) FROM poll_block WHERE period BETWEEN ? AND ?",
        (first, last),
    ).fetchone()
    (stores,) = execute("SELECT count(*) FROM store").fetchone()
    return max(1, min(polls * stores // count, 2**62 // (end - begin + 1))) if count else stores + 1


def _polls_of(stores: Ints, lo: int, hi: int) -> Polls:
    """The polls of some stores (row ids, sorted, no two alike), sorted, in the blocks that reach
    into [lo, hi); the place among those stores stands in the place of the store."""
    blocks = fetch_blocks(
        "period BETWEEN ? AND ? AND last >= ? AND first < ?"
        + in_parts([RECENT, *parts_of(stores)]),
        lo >> PERIOD_BITS,
        hi >> PERIOD_BITS,
        lo,
        hi,
    )
    some = poll_blocks.chosen([stored for _, _, stored in blocks], stores)
    runs = poll_runs.decode(some)
    return runs.ordered(np.searchsorted(stores, runs.store))


def last_polls_in_ranges(stores: Ints, lo: Ints, hi: Ints) -> tuple[Ints, Ints, Statuses]:
    """The periods from the newest back, each for those that have found none yet. A block says
    which stores it has."""
    found: list[tuple[Ints, Ints, Statuses]] = []
    left = np.flatnonzero(lo < hi)
    first, last = int(lo.min(initial=0)) >> PERIOD_BITS, int(hi.max(initial=0)) >> PERIOD_BITS
    for period in reversed(periods(first, last)):
        if not len(left):
            break
        own = in_parts([RECENT, *parts_of(stores[left])])
        masks = execute(
            f"SELECT part, mask FROM poll_block WHERE period = ?{own}",  # noqa: S608 - numbers  # nosec B608
            (period,),
        )
        here = left[_may_have(stores[left], dict(masks.fetchall()))]
        begun = period << PERIOD_BITS
        here = here[(lo[here] < begun + (1 << PERIOD_BITS)) & (hi[here] > begun)]
        if not len(here):
            continue
        mine, place = np.unique(stores[here], return_inverse=True)
        ends = begun + (1 << PERIOD_BITS)
        lowest, highest = int(lo[here].min()), int(hi[here].max())
        polls = _polls_of(mine, max(lowest, begun), min(highest, ends))
        if not len(polls):
            continue
        space = keys.KeySpace.covering(len(mine), begun - 1, begun + (1 << PERIOD_BITS))
        key = space.keys(polls.store, polls.time)
        at = np.searchsorted(key, space.clipped_keys(place, hi[here])) - 1
        good = (at >= 0) & (key[at] >= space.clipped_keys(place, lo[here]))
        found.append((here[good], polls.time[at[good]], polls.status[at[good]]))
        left = left[np.isin(left, here[good], invert=True)]
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int8)
    n, time, status = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(n)
    return n[order], time[order], status[order]


def _may_have(stores: Ints, masks: dict[int, int]) -> NDArray[np.bool_]:
    """Which of the stores the blocks of a period may have polls of, given the masks by part."""
    if RECENT in masks or not masks:
        return np.full(len(stores), bool(masks))
    parts = np.array(sorted(masks), np.int64)
    mask = np.array([masks[part] for part in parts.tolist()], np.int64)
    at = np.minimum(np.searchsorted(parts, stores >> PART_BITS), len(parts) - 1)
    bit = (mask[at] >> (stores & ((1 << PART_BITS) - 1))) & 1
    return (parts[at] == stores >> PART_BITS) & (bit == 1)


def all_polls(source: Database) -> Iterator[Polls]:
    """All polls of a file, a period at a time, sorted by period, store, then time."""
    for period in periods(source=source):
        blocks = fetch_blocks("period = ?", period, source=source)
        runs = poll_runs.decode([stored for _, _, stored in blocks])
        yield runs.ordered(runs.store)


def parts_of(stores: Ints) -> list[int]:
    """The parts that some stores (row ids) belong to, sorted."""
    parts: list[int] = keys.distinct(stores >> PART_BITS).tolist()
    return parts


def in_parts(parts: list[int]) -> str:
    """The end of a condition that keeps to some parts (sorted); where they are many, to those from
    the first to the last."""
    if len(parts) <= MANY_PARTS:
        return f" AND part IN ({', '.join(map(str, parts))})"
    own = [part for part in parts if part != RECENT]
    recent = f" OR part = {RECENT}" if RECENT in parts else ""
    return f" AND part <= {own[-1]} AND (part >= {own[0]}{recent})"


def batches(
    period: int, parts: list[int] | None, condition: str = "1 = 1", *values: int
) -> Iterator[list[tuple[int, int, Stored]]]:
    """What `fetch_blocks` gives of a period, of some parts or all, some parts at a time, so that
    the memory it takes does not depend on the number of stores."""
    if parts is None:
        (last,) = execute("SELECT max(part) FROM poll_block WHERE period = ?", (period,)).fetchone()
        parts = [] if last is None else list(range(RECENT, last + 1))
    for begin in range(0, len(parts), PARTS_AT_ONCE):
        own = in_parts(parts[begin : begin + PARTS_AT_ONCE])
        blocks = fetch_blocks(f"period = ? AND {condition}{own}", period, *values)
        if blocks:
            yield blocks


def fetch_blocks(
    condition: str, *values: int, source: Database | None = None
) -> list[tuple[int, int, Stored]]:
    """(id, part, block) of blocks, by period, the recent ones of each last. Raises DatabaseDamaged
    where a block is not as it was written."""
    cursor = execute(
        f"SELECT {COLUMNS} FROM poll_block WHERE {condition}"  # noqa: S608 - names  # nosec B608
        " ORDER BY period, part < 0, part, id",
        values,
        source,
    )
    found = []
    for number, part, checksum, *block in cursor:
        stored: Stored = tuple(block)
        if not poll_blocks.is_whole(stored, checksum):
            raise damaged_block()
        found.append((number, part, stored))
    return found
