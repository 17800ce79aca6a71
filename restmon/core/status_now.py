"""The status of each store at one instant. Everything that shows it calls this. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Codes = NDArray[np.int8]

UP, DOWN, CLOSED, NOT_REPORTING, NO_DATA, HOURS_UNREADABLE, RETIRED = range(7)
STATUS_NAMES = (
    "up",
    "down",
    "closed",
    "not reporting",
    "no data",
    "hours unreadable",
    "retired",
)
"""The name of each status, by its code; the same in columns, API fields and pages."""


@dataclass(frozen=True)
class KnownFacts:
    """What is known about each store at the instant: bool arrays of shape (stores,).

    Attributes
    ----------
    retired : bool array
        The store's ``closed_on`` has come, on its own clock.
    unreadable : bool array
        Its hours could not be read.
    observed : bool array
        It has an observation.
    stale : bool array
        Its newest poll is too old (SEMANTICS.md, "Coverage").
    open : bool array
        It is inside business hours.
    up : bool array
        The timeline has it up.
    """

    retired: Flags
    unreadable: Flags
    observed: Flags
    stale: Flags
    open: Flags
    up: Flags


def find_status_now(known: KnownFacts) -> Codes:
    """Return the status of each store, as a code into STATUS_NAMES.

    Of several that apply, the first counts: retired, hours unreadable, no data, not reporting,
    closed, up or down. So a store whose polls have stopped is never up, down or closed, which would
    be only its last known state.

    Returns
    -------
    int8 array of shape (stores,)
    """
    conditions = [known.retired, known.unreadable, ~known.observed, known.stale, ~known.open]
    codes = [RETIRED, HOURS_UNREADABLE, NO_DATA, NOT_REPORTING, CLOSED]
    up_or_down = np.where(known.up, UP, DOWN)
    return np.select(conditions, codes, up_or_down).astype(np.int8)
