"""Rounding of exact quotients. Pure."""

import numpy as np
from numpy.typing import NDArray

from restmon.core.instants import HOUR

Ints = NDArray[np.int64]

HUNDREDTH_OF_HOUR = 2 * HOUR // 100
"""Half microseconds."""


def divide_half_even(numerator: Ints, denominator: int | Ints) -> Ints:
    """Return quotients, rounded to whole numbers, half to even, exactly.

    Parameters
    ----------
    numerator : int64 array
    denominator : int, or int64 array of the same shape
        Above 0, and below 2**62.

    Returns
    -------
    int64 array of the same shape
    """
    quotient, rest = np.divmod(numerator, denominator)
    up = (2 * rest > denominator) | ((2 * rest == denominator) & (quotient % 2 == 1))
    return quotient + up


def hours_in_hundredths(half_microseconds: Ints, among: int | Ints = 1) -> Ints:
    """Return durations, divided by ``among``, in hundredths of an hour (see
    `divide_half_even`)."""
    return divide_half_even(half_microseconds, HUNDREDTH_OF_HOUR * np.asarray(among, np.int64))


def percent_in_hundredths(part: Ints, whole: Ints) -> Ints:
    """Return parts of wholes in hundredths of a per cent; both below 2**48, the whole above 0."""
    return divide_half_even(10_000 * part, whole)
