import numpy as np
import pytest

from restmon.core.uptime_bins import BINS, count_by_uptime


@pytest.mark.parametrize(
    ("share", "name"),
    [
        (0, "< 50%"),
        (49.99, "< 50%"),
        (50, "50–80%"),
        (80, "80–90%"),
        (90, "90–95%"),
        (95, "95–98%"),
        (98, "98–99%"),
        (99, "99–99.9%"),
        (99.9, "99.9–100%"),
        (99.95, "99.9–100%"),
        (np.nextafter(100, 0), "99.9–100%"),
        (100, "100%"),
    ],
)
def test_each_share_is_counted_in_its_bin(share: float, name: str):
    counts = dict(zip(BINS, count_by_uptime(np.array([share])).tolist(), strict=True))
    assert counts[name] == 1
    assert sum(counts.values()) == 1


def test_stores_that_were_never_open_are_in_no_bin():
    assert count_by_uptime(np.array([np.nan, 100.0])).sum() == 1
    assert count_by_uptime(np.array([])).tolist() == [0] * len(BINS)
