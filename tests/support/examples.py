"""How many examples a property test tries, and which."""

import os

CHOSEN = os.environ.get("RESTMON_TEST_EXAMPLES")
SHARE = float(CHOSEN or "0.3")
"""The share of its examples that a run of the tests tries."""
ALWAYS_THE_SAME = CHOSEN is None
"""Whether each run tries the same examples, so that a failure is the change's and not luck's.
Runs that ask for a share try others each time."""


def examples(most: int) -> int:
    """The number of examples for this run; all of them where ``RESTMON_TEST_EXAMPLES`` is 1."""
    return max(5, round(most * SHARE))
