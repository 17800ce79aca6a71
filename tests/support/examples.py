"""How many examples a property test tries."""

import os

SHARE = float(os.environ.get("RESTMON_TEST_EXAMPLES", "0.3"))
"""The share of its examples that a run of the tests tries, other ones each time."""


def examples(most: int) -> int:
    """The number of examples for this run; all of them where ``RESTMON_TEST_EXAMPLES`` is 1."""
    return max(5, round(most * SHARE))
