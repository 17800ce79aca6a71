"""An estimate of the sales that downtime cost (SEMANTICS.md, "Lost sales"). Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.instants import HOUR

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HourlySalesRows:
    """The usual sales of stores in hours of the week: arrays of one length, no hour twice.

    Attributes
    ----------
    store, day_of_week, hour : int64 arrays
        0 = Monday … 6 = Sunday; 0 … 23 on the store's clock.
    sales : float64 array
    """

    store: Ints
    day_of_week: Ints
    hour: Ints
    sales: Floats


def estimate_lost_sales(
    down: NDArray[np.floating], sales_per_hour: Floats, hourly: HourlySalesRows | None = None
) -> Floats:
    """Return the estimate of each store.

    The rate of an hour is the store's hourly sales for it, or else its ``sales_per_hour``. A store
    without any rate has no estimate. Nor has a store that was down in an hour without a rate: a sum
    without that hour would be too small.

    Parameters
    ----------
    down : float array of shape (stores, 7, 24), half microseconds
        Downtime by weekday and hour on the store's clock (see `aggregation.by_weekday_hour`).
    sales_per_hour : float64 array of shape (stores,)
        NaN where it is not known.
    hourly : HourlySalesRows, optional

    Returns
    -------
    float64 array of shape (stores,)
        In the unit of the rates; NaN where there is no estimate.
    """
    stores = len(sales_per_hour)
    hours = np.asarray(down, np.float64).reshape(stores, -1) / (2 * HOUR)
    if hourly is None or not len(hourly.store):
        return hours.sum(axis=1) * sales_per_hour
    # The rate of most stores is one number: only the others need one for each hour.
    result = hours.sum(axis=1) * sales_per_hour
    some, place = np.unique(hourly.store, return_inverse=True)
    rates = np.repeat(sales_per_hour[some, None], hours.shape[1], axis=1)
    rates[place, hourly.day_of_week * 24 + hourly.hour] = hourly.sales
    theirs = hours[some]
    result[some] = np.where(theirs > 0, theirs * rates, 0).sum(axis=1)
    return result


def total_lost_sales(estimates: Floats) -> tuple[float, int]:
    """Return the sum of the estimates (any shape), and how many stores it leaves out. The sum is
    NaN if there is no estimate at all."""
    known = np.isfinite(estimates)
    left_out = int((~known).sum())
    return (float(estimates[known].sum()) if known.any() else float("nan")), left_out
