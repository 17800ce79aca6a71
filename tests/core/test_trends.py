"""Weeks and months of days, and who is getting worse, against a slow reading of the rules."""

from datetime import date
from fractions import Fraction
from statistics import pstdev

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from restmon.core.day_sums import BY_MONTH, BY_WEEK, Days, sum_by
from restmon.core.instants import date_of, day_number
from restmon.core.trends import Weeks, find_getting_worse

WEEK = 7 * 24 * 3600
weeks_of_store = st.lists(
    st.tuples(
        st.sampled_from([0, WEEK, WEEK, WEEK // 2]),
        st.sampled_from([0, 0, 1, 2, 3, 10, 50]),
        st.sampled_from([0, 79, 80, 90, 100, 100]),
        st.booleans() | st.just(True),
    ),
    min_size=13,
    max_size=13,
)


def make(stores: list) -> Weeks:
    """Weeks of (open, down per cent, seen per cent, observed)."""
    table = np.array(
        [
            [
                (o, o - o * down // 100 if seen_at_all else 0, o * down // 100 * seen_at_all, o * c)
                for o, down, c, seen_at_all in store
            ]
            for store in stores
        ],
        np.int64,
    ).reshape(len(stores), 13, 4)
    opened, up, down, covered = (table[:, :, n] for n in range(4))
    return Weeks(opened, up, down, covered // 100)


def expected(weeks: Weeks, n: int) -> tuple[Fraction, Fraction] | None:
    """(now, before) of a store that is getting worse."""

    def counted(some: range) -> list[tuple[int, int]]:
        found = []
        for k in some:
            up, down = int(weeks.up[n, k]), int(weeks.down[n, k])
            if up + down and 10 * int(weeks.covered[n, k]) >= 8 * int(weeks.open[n, k]):
                found.append((up, up + down))
        return found

    now, before, earlier = (counted(range(*ends)) for ends in ((9, 13), (5, 9), (0, 9)))
    if len(now) < 3 or len(before) < 3 or len(earlier) < 4:
        return None
    spread = max(pstdev(Fraction(up, of) for up, of in earlier), 0.0025)
    share = [
        Fraction(sum(up for up, _ in some), sum(of for _, of in some)) for some in (now, before)
    ]
    return (share[0], share[1]) if share[1] - share[0] > 2 * spread + 1e-12 else None


@given(st.lists(weeks_of_store, max_size=4))
def test_getting_worse_is_what_the_rule_says(stores: list):
    weeks = make(stores)
    found = find_getting_worse(weeks)
    wanted = {n: fall for n in range(len(stores)) if (fall := expected(weeks, n))}
    assert set(found.store.tolist()) == set(wanted)
    falls = (found.before - found.now).tolist()
    assert falls == sorted(falls, reverse=True)
    for k, n in enumerate(found.store.tolist()):
        assert abs(found.now[k] - float(wanted[n][0])) < 1e-12
        assert abs(found.before[k] - float(wanted[n][1])) < 1e-12


def test_a_store_that_always_varies_is_not_getting_worse():
    wild = [(WEEK, n % 2 * 10, 100, True) for n in range(13)]
    steady = [(WEEK, 0, 100, True)] * 9 + [(WEEK, 3, 100, True)] * 4
    unseen = [(WEEK, 0, 100, True)] * 9 + [(WEEK, 30, 50, True)] * 4
    found = find_getting_worse(make([wild, steady, unseen]))
    assert found.store.tolist() == [1]
    assert found.judged == 2


numbers = st.integers(0, 2**40)


@given(
    st.dates(date(2020, 1, 1), date(2026, 1, 1)),
    st.lists(st.tuples(numbers, numbers, numbers, numbers), max_size=120),
    st.sampled_from([BY_WEEK, BY_MONTH]),
)
def test_weeks_and_months_are_sums_of_their_days(first: date, rows: list, by: str):
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    days = Days(day_number(first) + np.arange(len(rows)), *columns)
    wanted: dict[date, list[int]] = {}
    for number, row in zip(days.dates.tolist(), rows, strict=True):
        day = date_of(number)
        begin = day.replace(day=1) if by == BY_MONTH else date_of(number - day.weekday())
        sums = wanted.setdefault(begin, [0, 0, 0, 0])
        wanted[begin] = [a + b for a, b in zip(sums, row, strict=True)]
    found = sum_by(days, by)
    assert [date_of(n) for n in found.dates.tolist()] == list(wanted)
    got = zip(found.open, found.up, found.down, found.covered, strict=True)
    assert [[int(n) for n in row] for row in got] == list(wanted.values())
