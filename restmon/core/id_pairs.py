"""Store ids that are likely one store, written in two ways. Pure.

Spreadsheets and programs that take an id for a number change it: ``7310294856120394857`` becomes
``7310294856120390000``, ``1001`` becomes ``1001.0``, and ``0042`` becomes ``42``. Each form is a
valid id, so restmon reports such pairs and does not join them.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROUNDED, DECIMALS, ZEROS, CASE = "rounded", "decimals", "leading_zeros", "case"
"""How an id was changed: digits lost, ``.0`` added, leading zeros lost, other capitals."""

KEPT_DIGITS = 15
"""A spreadsheet keeps this many digits of a number and writes zeros for the others."""
FIRST, LAST = 10 ** (KEPT_DIGITS - 1), 10**KEPT_DIGITS - 1
"""The lowest and the highest number of so many digits."""
NUMBER = re.compile(r"([0-9]+)(\.0+)?")


@dataclass(frozen=True)
class IdPair:
    """An id that likely names another store of the list.

    Attributes
    ----------
    written : str
        The changed id.
    likely : str or None
        The original id; None if there are several candidates.
    candidates : tuple of str
        All ids that it may be, sorted.
    kind : str
        ROUNDED, DECIMALS, ZEROS or CASE.
    """

    written: str
    likely: str | None
    candidates: tuple[str, ...]
    kind: str


def find_pairs(ids: Sequence[str], feeds: NDArray[np.int64], polled: int = 1) -> list[IdPair]:
    """Return the ids that likely name the same store as another one, in the order of the ids.

    Two ids that differ only by their form are a pair if one of them is missing in a feed that names
    the other: ``42`` has only hours and ``0042`` has only polls. If both are in the same feeds,
    both count as stores.

    Parameters
    ----------
    ids : sequence of str, no id twice
    feeds : int64 array of shape (ids,)
        A bit for each feed that names the id.
    polled : int
        The bit of the polls. Among several candidates, those with polls come first.
    """
    feeds_of = dict(zip(ids, feeds.tolist(), strict=True))
    pairs: dict[tuple[str, ...], IdPair] = {}

    def note(one: str, others: list[str], pair_of: Callable[[str, str], tuple[str, str]]) -> None:
        others = [other for other in others if feeds_of[other] & polled] or others
        if len(others) == 1:
            written, kind = pair_of(one, others[0])
            likely = others[0] if written == one else one
            pair = IdPair(written, likely, (likely,), kind)
        else:
            pair = IdPair(one, None, tuple(sorted(others)), pair_of(one, others[0])[1])
        pairs.setdefault(tuple(sorted((pair.written, *pair.candidates))), pair)

    digits = list(map(_digits, ids))
    for written, originals in _rounded(ids, digits).items():
        others = [other for other in originals if feeds_of[other] != feeds_of[written]]
        if others:
            note(written, others, lambda one, _: (one, ROUNDED))
    for alike in _same_number_or_name(ids, digits):
        for one in alike:
            own = feeds_of[one]
            others = [other for other in alike if feeds_of[other] & ~own]
            if others and not (own & polled and not any(feeds_of[o] & polled for o in others)):
                note(one, others, _changed)
    place = {store_id: n for n, store_id in enumerate(ids)}
    return sorted(pairs.values(), key=lambda pair: place[pair.written])


def look_rounded(ids: Sequence[str]) -> NDArray[np.bool_]:
    """Return which ids look like numbers that a spreadsheet rounded: bool, shape (ids,).

    They have more than 15 digits, with zeros after the 15th. More than half of all ids of that
    length must look so, because some ids end in zeros by chance.
    """
    numbers = _long_numbers(map(_digits, ids))
    lengths = np.array([len(digits) for digits in numbers], np.int64)
    zeros = np.array([bool(d) and not d[KEPT_DIGITS:].strip("0") for d in numbers], bool)
    of_length = np.bincount(lengths) if len(lengths) else np.zeros(1, np.int64)
    zeros_of_length = np.bincount(lengths[zeros], minlength=len(of_length))
    return zeros & (2 * zeros_of_length > of_length)[lengths]


def _changed(one: str, other: str) -> tuple[str, str]:
    """Which of two ids with the same number or name is the changed one, and how."""
    if not _digits(one):
        return one, CASE
    if ("." in one) != ("." in other):
        return (one if "." in one else other), DECIMALS
    return min(one, other, key=len), ZEROS


def _digits(store_id: str) -> str:
    """The digits of an id that is a whole number, "" for another id."""
    if store_id.isdecimal() and store_id.isascii():
        return store_id
    found = NUMBER.fullmatch(store_id) if "." in store_id else None
    return found[1] if found else ""


def _long_numbers(digits: Iterable[str]) -> list[str]:
    """The ``digits`` of each id that is a number too long for a spreadsheet, "" for the others."""
    return [own if len(own) > KEPT_DIGITS else "" for own in digits]


def _same_number_or_name(ids: Sequence[str], digits: Sequence[str]) -> list[list[str]]:
    """The groups of ids that are the same number, or differ only in capitals."""
    forms = [
        own.lstrip("0") or "0" if own else name.casefold()
        for own, name in zip(digits, ids, strict=True)
    ]
    if len(set(forms)) == len(forms):
        return []
    alike: dict[str, list[str]] = defaultdict(list)
    for form, store_id in zip(forms, ids, strict=True):
        alike[form].append(store_id)
    return [members for members in alike.values() if len(members) > 1]


def _rounded(ids: Sequence[str], digits: Sequence[str]) -> dict[str, list[str]]:
    """For each id, the ids that it may be the rounded form of."""
    numbers = _long_numbers(digits)
    long_ids = [(ids[n], numbers[n]) for n in _near_another(numbers)]
    by_digits: dict[str, list[str]] = defaultdict(list)
    for store_id, own in long_ids:
        by_digits[own].append(store_id)
    found: dict[str, list[str]] = defaultdict(list)
    for original, own in long_ids:
        for form in _forms_when_rounded(own) - {own}:
            for written in by_digits.get(form, ()):
                found[written].append(original)
    return found


def _near_another(numbers: Sequence[str]) -> list[int]:
    """The places of the long numbers (`_long_numbers`) of which one may be another's rounded form.

    To round a number changes its first 15 digits by one at most, and its length only from 99… to
    100…. To make the forms of every id takes many times as long.
    """
    places = [n for n, digits in enumerate(numbers) if digits]
    first = np.array([int(numbers[n][:KEPT_DIGITS]) for n in places], np.int64)
    length = np.array([len(numbers[n]) for n in places], np.int64)
    key = length * 10**KEPT_DIGITS + first
    order = np.argsort(key)
    close = np.diff(key[order]) <= 1
    near = (first == LAST) | (first == FIRST)
    near[order] |= np.append(close, False) | np.append(False, close)
    return [places[n] for n in np.flatnonzero(near).tolist()]


def _forms_when_rounded(digits: str) -> set[str]:
    """The forms into which spreadsheets and programs turn a number: cut to 15 digits, rounded to 15
    digits, and the nearest floating-point number, in full or in its shortest form."""
    number, lost = int(digits), 10 ** (len(digits) - KEPT_DIGITS)
    nearest = float(number)
    shortest = repr(nearest)
    if "e" in shortest:
        mantissa, _, exponent = shortest.partition("e")
        whole, _, fraction = mantissa.partition(".")
        shortest = whole + fraction.ljust(int(exponent), "0")
    return {
        str(number // lost * lost).zfill(len(digits)),
        str((number + lost // 2) // lost * lost).zfill(len(digits)),
        str(int(nearest)).zfill(len(digits)),
        shortest.removesuffix(".0").zfill(len(digits)),
    }
