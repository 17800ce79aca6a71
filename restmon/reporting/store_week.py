"""What the last week cost some stores, and how they stand against their target of the month."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.instants import HOUR
from restmon.core.lost_sales import estimate_lost_sales
from restmon.reporting.fleet import Fleet
from restmon.reporting.store_facts import read_sales
from restmon.reporting.target_standing import Standing, judge_now
from restmon.reporting.window_lines import Reading
from restmon.storage import database


@dataclass(frozen=True)
class StoreWeek:
    """Of some stores: the estimate of the sales ``lost`` in the last week (float64, NaN where there
    is none), and their ``standing`` in the month of ``as_of``."""

    lost: NDArray[np.float64]
    standing: Standing


def read_week(found: Fleet, rows: NDArray[np.int64]) -> StoreWeek:
    """What the last week cost the stores at some places of the fleet, in their order."""
    order = np.argsort(rows)
    mask = np.zeros(len(found.ids), bool)
    mask[rows] = True
    chosen = found.chosen(mask)
    with database.reading():
        sales = read_sales(chosen.stores)
        standing = judge_now(chosen.stores, Reading(found.as_of, found.method))
    halves = chosen.down_by_weekday_hour.astype(np.float64) * (2 * HOUR)
    lost = estimate_lost_sales(halves, sales.per_hour, sales.hourly)
    back = np.argsort(order)
    return StoreWeek(lost[back], Standing(*(column[back] for column in vars(standing).values())))
