"""When a schedule is due: local times of a zone, each once. Pure.

A time that clocks skip is due at the jump, and one that comes twice at its first. A day that a
month does not have is its last one.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from restmon.core.instants import DAY, as_datetime, day_number
from restmon.core.zone_offsets import zone_offsets

DAILY, WEEKLY, MONTHLY = "daily", "weekly", "monthly"
EVERY = (DAILY, WEEKLY, MONTHLY)
LONGEST = 63
"""Two dates of any schedule that follow on each other are fewer days apart."""


@dataclass(frozen=True)
class Plan:
    """``every`` day, week or month, on ``day`` (0 = Monday … 6 = Sunday, or 1 … 31 of the month;
    None daily), at the wall-clock ``time`` (microseconds since midnight) of a ``zone``."""

    every: str
    day: int | None
    time: int
    zone: str

    def is_on(self, day: date) -> bool:
        """Whether the plan has a time on a local date."""
        if self.every == WEEKLY:
            return day.weekday() == self.day
        if self.every == MONTHLY:
            return day.day == min(self.day or 1, monthrange(day.year, day.month)[1])
        return True

    def instant_on(self, day: date) -> int:
        """The instant of the plan's time on a local date."""
        wall = day_number(day) * DAY + self.time
        near = (day_number(day) - 2) * DAY, (day_number(day) + 3) * DAY
        found = zone_offsets(self.zone, *near).starts_to_utc(np.array([wall], np.int64))
        return int(found[0])

    def last_due(self, now: int) -> int | None:
        """The latest instant at or before ``now`` at which it was due."""
        day = as_datetime(now, self.zone).date() + timedelta(days=1)
        for _ in range(LONGEST):
            if self.is_on(day) and (instant := self.instant_on(day)) <= now:
                return instant
            day -= timedelta(days=1)
        return None

    def next_due(self, now: int) -> int:
        """The first instant after ``now`` at which it is due."""
        day = as_datetime(now, self.zone).date() - timedelta(days=1)
        while not (self.is_on(day) and self.instant_on(day) > now):
            day += timedelta(days=1)
        return self.instant_on(day)
