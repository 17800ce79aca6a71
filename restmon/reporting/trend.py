"""The last 13 weeks and 13 months of a store, a group or all stores, and who is getting worse."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.day_sums import BY_MONTH, BY_WEEK, Days, find_periods_of, sum_by
from restmon.core.trends import Weeks, Worse, find_getting_worse
from restmon.reporting.day_measures import find_first_date
from restmon.reporting.history import DaySource, find_source
from restmon.reporting.scopes import Scope
from restmon.reporting.snapshot import Stores
from restmon.storage import database

Ints = NDArray[np.int64]

PERIODS = 13
DAYS = 400
"""13 months, and the rest of the month in which the first of them begins."""


@dataclass(frozen=True)
class Trend:
    """The ``weeks`` (Monday to Sunday) and calendar ``months`` of some stores, the last of each not
    over yet, through ``as_of``; and the stores that are getting ``worse`` (places in ``stores``).
    ``behind``: newer polls are still to be added."""

    as_of: int
    behind: bool
    stores: Stores
    weeks: Days
    months: Days
    worse: Worse


def read_trend(scope: Scope) -> Trend | None:
    """The trend of the stores of a scope, made once a revision; None while the day sums are still
    to be made. Raises NoPolls, and NotFound where the group or store is gone."""
    with database.reading():
        source = find_source(scope, DAYS)
        if source is None:
            return None
        return source.remember("trend", lambda: _make(source))


def _make(source: DaySource) -> Trend:
    count = len(source.stores.ids)
    first = source.last - DAYS + 1
    sums = np.zeros((4, DAYS), np.int64)
    weeks = Weeks(*(np.zeros((count, PERIODS), np.int64) for _ in range(4)))
    # Whole days in every zone, seven at a time.
    end = find_first_date(source.stores, source.as_of)
    begin = None
    for date, row in source.read(DAYS):
        begin = date if begin is None else begin
        columns = (row.open, row.up, row.down, row.covered)
        week = PERIODS - 1 - (end - 1 - date) // 7
        for n, (column, of_week) in enumerate(zip(columns, vars(weeks).values(), strict=True)):
            sums[n, date - first] = column.sum()
            if 0 <= week < PERIODS:
                of_week[:, week] += column
    begin = source.last + 1 if begin is None else begin
    days = Days(np.arange(begin, source.last + 1), *sums[:, begin - first :])
    return Trend(
        source.as_of,
        source.behind,
        source.stores,
        _last(days, BY_WEEK),
        _last(days, BY_MONTH),
        find_getting_worse(weeks),
    )


def _last(days: Days, by: str) -> Days:
    """The last 13 weeks or months."""
    if not len(days):
        return days
    periods = np.unique(find_periods_of(days.dates, by))
    return sum_by(days.since(int(periods[-PERIODS:][0])), by)
