"""The worked example of SEMANTICS.md ("From polls to time"), computed by the core itself. Pure."""

from dataclasses import dataclass, replace

import numpy as np

from restmon.hours import HOUR, MINUTE, WeeklyHours, open_intervals
from restmon.uptime import Polls, Spans, spans, timeline, uptime

MONDAY = 4 * 24 * HOUR  # 1970-01-05; the example's clock is UTC
OPENS, CLOSES = 9 * HOUR, 12 * HOUR
POLLS = ((10 * HOUR + 14 * MINUTE, 1), (11 * HOUR + 15 * MINUTE, 0))


@dataclass(frozen=True)
class Example:
    """What a method makes of the example: its spans (instants since midnight, microseconds) and
    the minutes up and down."""

    method: str
    spans: Spans
    up_minutes: float
    down_minutes: float


def worked(method: str) -> Example:
    """The example by one of the methods."""
    row = np.array([[0, 0, OPENS, CLOSES]], np.int64).T
    polls = Polls(
        np.zeros(len(POLLS), np.int64),
        np.array([MONDAY + time for time, _ in POLLS], np.int64),
        np.array([status for _, status in POLLS], np.int8),
    )
    as_of = MONDAY + CLOSES
    zone = np.zeros(1, np.int64)
    intervals = open_intervals(1, WeeklyHours(*row), zone, ["UTC"], MONDAY, as_of)
    line = timeline(1, intervals, polls, method)
    up, down = uptime(line, as_of, [24 * HOUR])
    found = spans(line, MONDAY, as_of)
    shifted = replace(found, start=found.start - MONDAY, end=found.end - MONDAY)
    return Example(method, shifted, up[0, 0] / 2 / MINUTE, down[0, 0] / 2 / MINUTE)
