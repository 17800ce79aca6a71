"""Hypothesis strategies: stores with hours, zones and polls, and an instant to report on."""

from dataclasses import dataclass

from hypothesis import strategies as st

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

ZONES = [
    None,
    "America/Chicago",
    "America/New_York",
    "America/Los_Angeles",
    "America/Boise",
    "America/Phoenix",
    "US/Central",
    "Pacific/Honolulu",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "UTC",
]
# Around both changes of 2023 in the US (March 12, November 5), in Lord Howe (April 2, October
# 1), and days without any.
CENTERS = [1678608000, 1699171200, 1680364800, 1696118400, 1674670398, 1709251200]
ROUND_WALL = [0, 30 * MINUTE, HOUR, 90 * MINUTE, 2 * HOUR, 150 * MINUTE, 3 * HOUR, 9 * HOUR]
ROUND_WALL += [12 * HOUR, 17 * HOUR, 22 * HOUR, DAY - HOUR, DAY - 30 * MINUTE]
ENDS_OF_DAY = [DAY - MINUTE, DAY - SECOND, DAY - 1, DAY]


@dataclass(frozen=True)
class AStore:
    """hours: [(day_of_week, start, end)]; polls: [(timestamp, active)] in import order."""

    hours: list[tuple[int, int, int]]
    zone: str | None
    polls: list[tuple[int, bool]]


starts = st.sampled_from([*ROUND_WALL, DAY - MINUTE]) | st.integers(0, DAY - 1)
ends = st.sampled_from(ROUND_WALL + ENDS_OF_DAY) | st.integers(0, DAY)
rows = st.tuples(st.integers(0, 6), starts, ends)
every_day = st.builds(lambda start, end: [(day, start, end) for day in range(7)], starts, ends)
split_nights = st.builds(
    lambda start, end: [
        row for day in range(7) for row in ((day, start, DAY - SECOND), (day, 0, end))
    ],
    st.sampled_from([17 * HOUR, 20 * HOUR]),
    st.sampled_from([HOUR, 2 * HOUR, 3 * HOUR]),
)
schedules = st.just([]) | st.lists(rows, min_size=1, max_size=10) | every_day | split_nights


def instants(center: int) -> st.SearchStrategy[int]:
    """Instants near the center (seconds), on round minutes, odd microseconds, and long before."""
    base = center * SECOND
    near = st.integers(-9 * DAY, 2 * DAY).map(lambda d: base + d)
    on_minute = st.integers(-9 * 48, 2 * 48).map(lambda n: (base // HOUR) * HOUR + n * 30 * MINUTE)
    long_before = st.integers(-60 * DAY, -9 * DAY).map(lambda d: base + d)
    years_before = st.integers(-800 * DAY, -60 * DAY).map(lambda d: base + d)
    return st.one_of(near, near, on_minute, on_minute, long_before, years_before)


@st.composite
def cases(draw: st.DrawFn, max_stores: int = 4) -> tuple[list[AStore], int]:
    """(stores, as_of)."""
    center = draw(st.sampled_from(CENTERS))
    moments = instants(center)
    stores = []
    for _ in range(draw(st.integers(1, max_stores))):
        regular = draw(st.booleans())
        if regular:
            first = draw(st.integers(-9 * 24, 0)) * HOUR + center * SECOND
            step = draw(st.sampled_from([HOUR, HOUR + 1, 5 * HOUR, 26 * HOUR + 7 * SECOND]))
            flags = draw(st.lists(st.booleans(), max_size=30))
            polls = [(first + n * step, flag) for n, flag in enumerate(flags)]
            polls += draw(st.lists(st.tuples(moments, st.booleans()), max_size=3))
        else:
            polls = draw(st.lists(st.tuples(moments, st.booleans()), max_size=12))
        if polls and draw(st.booleans()):
            polls.append((draw(st.sampled_from(polls))[0], draw(st.booleans())))
        stores.append(AStore(draw(schedules), draw(st.sampled_from(ZONES)), polls))
    everything = [t for store in stores for t, _ in store.polls]
    as_of = draw(st.sampled_from(everything) if everything and draw(st.booleans()) else moments)
    if draw(st.booleans()):
        as_of += draw(st.sampled_from([0, 1, -1, HOUR]))
    return stores, as_of
