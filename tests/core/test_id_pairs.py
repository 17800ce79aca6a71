"""Ids that are likely one store, written in two ways."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restmon.core.fixed_zones import explain_fixed_zone
from restmon.core.id_pairs import (
    CASE,
    DECIMALS,
    ROUNDED,
    ZEROS,
    IdPair,
    find_pairs,
    look_rounded,
)

POLLS, HOURS, ZONE = 1, 2, 4
ALL = POLLS | HOURS | ZONE


def pairs_of(*named: tuple[str, int]) -> list[IdPair]:
    """The pairs of (id, feeds) each, whatever their order."""
    found = find_pairs([name for name, _ in named], np.array([bits for _, bits in named], np.int64))
    backward = find_pairs(
        [name for name, _ in named[::-1]], np.array([bits for _, bits in named[::-1]], np.int64)
    )
    assert sorted(map(str, found)) == sorted(map(str, backward))
    return found


def spreadsheet(digits: str) -> str:
    """What a spreadsheet keeps of a number."""
    return digits[:15] + "0" * (len(digits) - 15)


def javascript(digits: str) -> str:
    """What JSON.parse and JSON.stringify make of a number below 10^21."""
    shortest = np.format_float_positional(float(digits), unique=True, trim="-")
    return shortest.rstrip(".")


CHANGES = {
    "spreadsheet": (ROUNDED, spreadsheet),
    "pandas": (ROUNDED, lambda digits: str(int(float(digits)))),
    "javascript": (ROUNDED, javascript),
    "float": (DECIMALS, lambda digits: f"{digits}.0"),
    "float with two decimals": (DECIMALS, lambda digits: f"{digits}.00"),
    "rounded float": (ROUNDED, lambda digits: f"{spreadsheet(digits)}.0"),
}
LONG = st.from_regex(r"[1-9][0-9]{16,18}[1-9]", fullmatch=True)
DISJOINT = [(POLLS, HOURS | ZONE), (POLLS | ZONE, HOURS), (POLLS, ZONE), (HOURS | ZONE, POLLS)]


@pytest.mark.parametrize("change", CHANGES)
@given(digits=LONG, feeds=st.sampled_from(DISJOINT))
def test_a_long_number_and_what_a_program_made_of_it(
    change: str, digits: str, feeds: tuple[int, int]
):
    kind, changed = CHANGES[change]
    written = changed(digits)
    if written == digits or digits in {change(written) for _, change in CHANGES.values()}:
        return  # each may be the other's
    expected = [IdPair(written, digits, (digits,), kind)]
    assert pairs_of((digits, feeds[0]), (written, feeds[1])) == expected


@pytest.mark.parametrize(
    ("written", "likely", "kind"),
    [
        ("1001.0", "1001", DECIMALS),
        ("42", "0042", ZEROS),
        ("42.0", "0042", DECIMALS),
        ("0", "000", ZEROS),
        ("7310294856120390000", "7310294856120394857", ROUNDED),
        ("1234567890123450", "1234567890123454", ROUNDED),
        ("1234567890123460000", "1234567890123459999", ROUNDED),
        ("1000000000000000000", "999999999999999999", ROUNDED),
    ],
)
@pytest.mark.parametrize("feeds", DISJOINT)
def test_pairs_of_numbers(written: str, likely: str, kind: str, feeds: tuple[int, int]):
    found = pairs_of((likely, feeds[0]), (written, feeds[1]), ("other", ALL))
    assert found == [IdPair(written, likely, (likely,), kind)]


@given(
    name=st.from_regex(r"[A-Za-z][A-Za-z0-9_.:-]{0,20}", fullmatch=True),
    feeds=st.sampled_from(DISJOINT),
)
def test_names_that_differ_in_capitals(name: str, feeds: tuple[int, int]):
    found = pairs_of((name, feeds[0]), (name.swapcase(), feeds[1]))
    assert [(pair.kind, {pair.written, pair.likely}) for pair in found] == [
        (CASE, {name, name.swapcase()})
    ]


@pytest.mark.parametrize("ids", [("42", "0042"), ("a", "A"), ("1001.0", "1001")])
@pytest.mark.parametrize("feeds", [ALL, POLLS, POLLS | HOURS, HOURS | ZONE])
def test_two_ids_of_the_same_feeds_are_two_stores(ids: tuple[str, str], feeds: int):
    assert pairs_of((ids[0], feeds), (ids[1], feeds)) == []


@pytest.mark.parametrize("more", [HOURS, ZONE, HOURS | ZONE])
def test_what_an_earlier_import_left_is_told(more: int):
    """The file was mended: the changed id has hours for good, the right one everything."""
    assert pairs_of(("0042", ALL), ("42", more)) == [IdPair("42", "0042", ("0042",), ZEROS)]


def test_of_several_that_it_may_be_the_polled_one_is_likely():
    found = pairs_of(("0042", POLLS), ("00042", ZONE), ("42", HOURS))
    assert IdPair("42", "0042", ("0042",), ZEROS) in found


@pytest.mark.parametrize("count", [2, 3, 5])
def test_an_id_that_may_be_any_of_several_has_no_likely_one(count: int):
    originals = tuple(f"731029485612039{n}857" for n in range(1, count + 1))
    found = pairs_of(*((name, POLLS) for name in originals), ("7310294856120390000", HOURS))
    assert found == [IdPair("7310294856120390000", None, originals, ROUNDED)]


@given(st.lists(st.from_regex(r"[1-9][0-9]{0,14}", fullmatch=True), unique=True, max_size=30))
def test_other_numbers_are_no_pairs(ids: list[str]):
    feeds = [n % 7 + 1 for n in range(len(ids))]
    assert pairs_of(*zip(ids, feeds, strict=True)) == []


def test_ids_look_rounded_where_most_of_their_length_do():
    good = [f"73102948561203{n:05d}" for n in range(11, 20)]
    bad = [f"{n:015d}0000" for n in range(100_000_000_000_000, 100_000_000_000_010)]
    assert look_rounded(bad).all()
    assert look_rounded([*good, *bad]).tolist() == [False] * 9 + [True] * 10
    assert not look_rounded([*good, bad[0]]).any()
    assert not look_rounded(["100000000000000", "a0000000000000000", "0"]).any()
    assert look_rounded([]).tolist() == []


FIXED = {
    "EST": "UTC−5",
    "MST": "UTC−7",
    "HST": "UTC−10",
    "Etc/GMT+5": "UTC−5",
    "Etc/GMT-5": "UTC+5",
    "Etc/GMT-14": "UTC+14",
}


@pytest.mark.parametrize("zone", FIXED)
def test_a_fixed_zone_is_explained(zone: str):
    told = explain_fixed_zone(zone)
    assert told is not None
    assert told.startswith(f"{zone} is {FIXED[zone]} all year")
    assert ("inverted" in told) == zone.startswith("Etc")


@pytest.mark.parametrize(
    "zone", ["America/New_York", "EST5EDT", "UTC", "Etc/UTC", "Etc/GMT", "Etc/GMT+0", "GMT"]
)
def test_other_zones_mean_what_they_say(zone: str):
    assert explain_fixed_zone(zone) is None
