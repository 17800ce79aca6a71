"""Sums of stores' time by day, and by weeks and months of them. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.instants import EPOCH_WEEKDAY

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Days:
    """Days of a store, or the sums of some: int64 arrays of one length.

    ``dates`` are days since 1970-01-01, one after the other. ``open``, ``up``, ``down`` and
    ``covered`` are half microseconds.
    """

    dates: Ints
    open: Ints
    up: Ints
    down: Ints
    covered: Ints

    def __len__(self) -> int:
        return len(self.dates)

    def last(self, days: int) -> "Days":
        """Return the last so many days."""
        return Days(*(column[max(len(self) - days, 0) :] for column in vars(self).values()))

    def since(self, date: int) -> "Days":
        """Return the days from a date on."""
        return Days(*(column[self.dates >= date] for column in vars(self).values()))


BY_WEEK, BY_MONTH = "week", "month"


def find_periods_of(dates: Ints, by: str) -> Ints:
    """Return the first date of the week (Monday to Sunday) or calendar month of each date, as days
    since 1970-01-01."""
    if by == BY_WEEK:
        return dates - (dates + EPOCH_WEEKDAY) % 7
    return dates.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(int)


def sum_by(days: Days, by: str) -> Days:
    """Return the sums of the days by BY_WEEK or BY_MONTH; ``dates`` are the first of each."""
    period = find_periods_of(days.dates, by)
    first = np.flatnonzero(np.append(True, period[1:] != period[:-1])[: len(period)])
    if not len(first):
        return days
    columns = (days.open, days.up, days.down, days.covered)
    return Days(period[first], *(np.add.reduceat(column, first) for column in columns))
