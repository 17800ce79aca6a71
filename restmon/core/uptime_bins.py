"""How many stores had how much uptime."""

import numpy as np
from numpy.typing import NDArray

EDGES = (0, 50, 80, 90, 95, 98, 99, 99.9, 100)
BINS = ("< 50%", "50–80%", "80–90%", "90–95%", "95–98%", "98–99%", "99–99.9%", "99.9–100%", "100%")
"""Each begins at its edge; the last is of stores without any downtime."""


def count_by_uptime(shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many stores are in each of the `BINS`. ``shares`` are percentages, float64; NaN
    (never open) is left out."""
    known = shares[np.isfinite(shares)]
    at = np.searchsorted(np.array(EDGES[1:], float), known, "right")
    at = np.where(known >= 100, len(BINS) - 1, at)
    return np.bincount(at, minlength=len(BINS))
