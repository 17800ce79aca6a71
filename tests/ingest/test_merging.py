"""What a file changes of stored hours and zones, against a line-by-line definition."""

from collections import Counter, defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from restmon.ingest.merging import compare_hours, compare_zones

line = st.tuples(*(st.integers(0, most) for most in (3, 2, 1, 1)))
ZONES = ["America/Boise", "America/Chicago", "UTC"]


def table(lines: list[tuple[int, ...]]) -> np.ndarray:
    return np.array(lines, np.int64).reshape(-1, 4)


@given(lines=st.lists(line, max_size=12), stored=st.lists(line, max_size=12))
def test_hours(lines: list[tuple[int, ...]], stored: list[tuple[int, ...]]):
    stored = [each for each in stored if each[0] in {x[0] for x in lines}]
    counts: Counter[str] = Counter()
    for i, each in enumerate(lines):
        if each in stored or each in lines[:i]:
            counts["unchanged"] += 1
        else:
            counts["updated" if any(x[:2] == each[:2] for x in stored) else "new"] += 1
    lost: defaultdict[tuple[int, ...], int] = defaultdict(int)
    for each in stored:
        lost[each[:2]] += each not in lines
    for each in set(lines):
        lost[each[:2]] -= each not in stored
    rows = {x[0] for x in set(lines) ^ set(stored)}

    found = compare_hours(table(lines), table(stored))
    assert (found.new, found.updated, found.unchanged) == (
        counts["new"],
        counts["updated"],
        counts["unchanged"],
    )
    assert found.removed == sum(max(0, number) for number in lost.values())
    assert found.rows.tolist() == sorted(rows)
    expected = sorted(each for each in set(lines) if each[0] in rows)
    assert [tuple(each) for each in found.hours.tolist()] == expected


@given(
    lines=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(ZONES)), max_size=12),
    stored=st.dictionaries(st.integers(0, 3), st.sampled_from(ZONES)),
)
def test_zones(lines: list[tuple[int, str]], stored: dict[int, str]):
    rows = np.array([row for row, _ in lines], np.int64)
    zones = np.array([zone for _, zone in lines], object)
    found = compare_zones(rows, zones, stored)
    after = {**stored, **dict(lines)}
    assert found.new + found.updated + found.unchanged == len(lines)
    assert found.new == len(after) - len(stored)
    assert {**stored, **found.final} == after
    assert all(stored.get(row) != zone for row, zone in found.final.items())
    one_by_one = dict(stored)
    unchanged = 0
    for row, zone in lines:
        unchanged += one_by_one.get(row) == zone
        one_by_one[row] = zone
    assert found.unchanged == unchanged
