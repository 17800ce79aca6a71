"""Hypothesis strategies for schedules with exceptions, and the same schedules as arrays."""

from datetime import date

import numpy as np
from hypothesis import strategies as st

from restmon.core.hours import (
    ALWAYS,
    CLOSED,
    DEFAULT_ZONE,
    NEVER,
    OtherHoursRows,
    Schedule,
    WeeklyHours,
)
from restmon.core.instants import DAY, day_number
from tests.reference import Hours
from tests.support.stores import ends, schedules, starts

DATES = [
    date(2023, 3, 12),  # the clocks of the US go forward
    date(2023, 11, 5),  # and back
    date(2023, 11, 23),  # Thanksgiving
    date(2024, 2, 29),
    date(2023, 12, 31),
    date(2023, 4, 2),  # the clocks of Lord Howe go back, by half an hour
]

Dated = tuple[tuple[int, tuple[tuple[int, int] | None, ...]], ...]


def _dated(center: int) -> st.SearchStrategy[Dated]:
    times = st.none() | st.tuples(starts, ends)
    return st.dictionaries(
        st.integers(center - 5, center + 5) | st.integers(center - 45, center - 12),
        st.lists(times, min_size=1, max_size=3).map(tuple),
        max_size=4,
    ).map(lambda found: tuple(found.items()))


@st.composite
def hours_near(draw: st.DrawFn, center: int) -> Hours:
    """The hours of one store, with exceptions near a date (days since the epoch)."""
    without_a_break = st.just([(day, 0, DAY) for day in range(7)])
    weekly = tuple(draw(schedules | without_a_break))
    lifespan = st.none() | st.integers(center - 6, center + 6)
    return Hours(
        weekly,
        tuple(draw(st.just(()) | st.lists(st.integers(0, 6), max_size=3))),
        draw(st.just(()) | _dated(center)),
        tuple(draw(st.lists(_dated(center), max_size=3))),
        draw(lifespan),
        draw(lifespan),
        draw(st.integers(0, 9)) == 0,
    )


def schedule_of(stores: list[tuple[Hours, str | None]]) -> Schedule:
    """The (hours, zone) of stores as the arrays that the core takes."""
    weekly = [(s, *row) for s, (hours, _) in enumerate(stores) for row in hours.weekly]
    weekly += [
        (s, day, CLOSED, CLOSED) for s, (hours, _) in enumerate(stores) for day in hours.closed_days
    ]
    other = [
        (s, day, *(times or (CLOSED, CLOSED)), own)
        for s, (hours, _) in enumerate(stores)
        for own, entries in ((1, hours.own), *((0, group) for group in hours.groups))
        for day, rows in entries
        for times in rows
    ]
    zones = sorted({zone or DEFAULT_ZONE for _, zone in stores})
    others = np.array(other, np.int64).reshape(-1, 5)
    return Schedule(
        zones,
        np.array([zones.index(zone or DEFAULT_ZONE) for _, zone in stores], np.int64),
        WeeklyHours(*np.array(weekly, np.int64).reshape(-1, 4).T),
        OtherHoursRows(*others.T[:4], others[:, 4] == 1) if len(others) else None,
        np.array([ALWAYS if h.opened_on is None else h.opened_on for h, _ in stores], np.int64),
        np.array([NEVER if h.closed_on is None else h.closed_on for h, _ in stores], np.int64),
        np.array([hours.unreadable for hours, _ in stores]),
    )


@st.composite
def timetables(draw: st.DrawFn, zones: list[str | None]) -> tuple[list, int, int]:
    """(stores as (hours, zone), lo, hi): a range of a few days around a date of interest."""
    center = day_number(draw(st.sampled_from(DATES)))
    stores = draw(
        st.lists(st.tuples(hours_near(center), st.sampled_from(zones)), min_size=1, max_size=3)
    )
    lo = (center - draw(st.integers(0, 4))) * DAY + draw(st.sampled_from([0, 1, DAY // 3]))
    return stores, lo, lo + draw(st.integers(1, 6 * DAY))
