"""The worked example of SEMANTICS.md ("From polls to time"), computed by the core itself. Pure."""

from dataclasses import dataclass, replace

import numpy as np

from restmon.core.hours import Schedule, WeeklyHours, open_intervals
from restmon.core.instants import DAY, HOUR, MINUTE
from restmon.core.observations import Polls
from restmon.core.timeline import Spans, build_timeline, cut_spans
from restmon.core.uptime import measure_uptime

MONDAY = 4 * DAY
"""1970-01-05; the example's clock is UTC."""
OPENS, CLOSES = 9 * HOUR, 12 * HOUR
POLLS = ((10 * HOUR + 14 * MINUTE, 1), (11 * HOUR + 15 * MINUTE, 0))


@dataclass(frozen=True)
class WorkedExample:
    """The result of one method for the example.

    Attributes
    ----------
    method : str
    spans : Spans
        Instants in microseconds since midnight.
    up_minutes, down_minutes : float
    """

    method: str
    spans: Spans
    up_minutes: float
    down_minutes: float


def work_example(method: str) -> WorkedExample:
    """Return the example worked by one of the METHODS."""
    row = np.array([[0, 0, OPENS, CLOSES]], np.int64).T
    polls = Polls(
        np.zeros(len(POLLS), np.int64),
        np.array([MONDAY + time for time, _ in POLLS], np.int64),
        np.array([status for _, status in POLLS], np.int8),
    )
    as_of = MONDAY + CLOSES
    schedule = Schedule(["UTC"], np.zeros(1, np.int64), WeeklyHours(*row))
    line = build_timeline(open_intervals(schedule, MONDAY, as_of), polls, method)
    up, down = measure_uptime(line, as_of, [DAY])
    found = cut_spans(line, MONDAY, as_of)
    shifted = replace(found, start=found.start - MONDAY, end=found.end - MONDAY)
    return WorkedExample(method, shifted, up[0, 0] / 2 / MINUTE, down[0, 0] / 2 / MINUTE)
