"""The optional feeds of the made-up stores: the directory, a holiday, hourly sales. Rows of text.

Stores are brands with a street, as people call them; the stores of the chain that goes down in one
evening are all of the first brand.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import numpy as np

from restmon.core.hours import DEFAULT_ZONE
from restmon.core.instants import HOUR
from restmon.demo.chance import DIRECTORY, SALES, Ints, open_stream
from restmon.demo.made_stores import HoursRow, MadeStores, wall_time
from restmon.storage.demo_groups import BRANDS, REGIONS

Row = tuple[str, ...]

DIRECTORY_HEADER = ("store_id", "name", "address", "groups", "sales_per_hour", "opened_on")
DATES_HEADER = ("store_id", "group", "date", "start_time_local", "end_time_local", "note")
SALES_HEADER = ("store_id", "dayOfWeek", "hour", "sales")

STREETS = (
    *("Oak Street", "Main Street", "Lake Avenue", "Mill Road", "Pine Street", "Union Square"),
    *("Harbor Drive", "Second Avenue", "College Road", "Church Street", "River Walk"),
)

EAST, CENTRAL, WEST = REGIONS
PLACES = {
    "America/New_York": ("Brooklyn, NY 11201", EAST),
    "America/Chicago": ("Austin, TX 78701", CENTRAL),
    "America/Los_Angeles": ("Portland, OR 97201", WEST),
    "America/Denver": ("Denver, CO 80202", WEST),
    "America/Phoenix": ("Tempe, AZ 85281", WEST),
    "America/Detroit": ("Detroit, MI 48226", EAST),
    "America/Indiana/Indianapolis": ("Indianapolis, IN 46204", EAST),
    "America/Boise": ("Boise, ID 83702", WEST),
    "Pacific/Honolulu": ("Honolulu, HI 96813", WEST),
    "America/Anchorage": ("Anchorage, AK 99501", WEST),
}
"""A town and the region of each zone."""

HOLIDAY, HOLIDAY_BRAND = "Founder’s Day", BRANDS[1]
DAYS_SINCE_HOLIDAY = 4

WITH_HOURLY_SALES = 3  # one store in so many has them
AT_HOUR = np.array([1] * 6 + [2, 3, 4, 4, 5, 8, 12, 11, 6, 5, 6, 9, 13, 12, 8, 5, 3, 2]) / 6
"""Sales of each hour of the day, as a multiple of the store's usual hour."""
AT_DAY = (0.8, 0.8, 0.9, 1.0, 1.3, 1.4, 1.1)


def deal_brands(number: int, struck: Ints, seed: int) -> list[str]:
    """The brand of each store; the stores ``struck`` by the incident are of the first one."""
    places = open_stream(seed, DIRECTORY).integers(1, len(BRANDS), number)
    places[struck] = 0
    return [BRANDS[place] for place in places]


def make_directory(made: MadeStores, brands: list[str], seed: int, end: date) -> Iterator[Row]:
    """The lines of the directory. One store opened ten days before the end."""
    rng = open_stream(seed, DIRECTORY, 1)
    seen: Counter[str] = Counter()
    new = int(rng.integers(len(made.ids)))
    for n, (store, zone, brand) in enumerate(zip(made.ids, made.zones, brands, strict=True)):
        street = STREETS[int(rng.integers(len(STREETS)))]
        name = f"{brand}, {street}"
        seen[name] += 1
        if seen[name] > 1:
            name += f" {seen[name]}"
        place, region = PLACES.get(zone or DEFAULT_ZONE, PLACES[DEFAULT_ZONE])
        address = f"{rng.integers(1, 990)} {street}, {place}"
        rate = f"{rng.integers(12, 60) * 10}"
        opened = end - timedelta(days=10 if n == new else int(rng.integers(200, 4000)))
        yield (
            *(store, name, address, f"{brand}; {region}"),
            *("" if n % WITH_HOURLY_SALES == 0 else rate, opened.isoformat()),
        )


def make_dates(made: MadeStores, brands: list[str], end: date) -> Iterator[Row]:
    """A holiday of one brand: closed, but for one of its stores, which is open for lunch."""
    day = (end - timedelta(days=DAYS_SINCE_HOLIDAY)).isoformat()
    yield ("", HOLIDAY_BRAND, day, "", "", HOLIDAY)
    own = [store for store, brand in zip(made.ids, brands, strict=True) if brand == HOLIDAY_BRAND]
    yield from ((store, "", day, "11:00", "15:00", HOLIDAY) for store in own[:1])


def make_sales(made: MadeStores, seed: int) -> Iterator[Row]:
    """The sales of every third store in each hour in which it is open."""
    rng = open_stream(seed, SALES)
    for store, rows in zip(
        made.ids[::WITH_HOURLY_SALES], made.hours[::WITH_HOURLY_SALES], strict=True
    ):
        usual = rng.uniform(120, 480)
        for day, hour in sorted(_open_hours(rows)):
            amount = usual * AT_DAY[day] * AT_HOUR[hour] * rng.uniform(0.9, 1.1)
            yield (store, str(day), str(hour), f"{amount:.0f}")


def _open_hours(rows: Iterable[HoursRow]) -> set[tuple[int, int]]:
    """The (day, hour) in which a week of hours is open; all, without a row."""
    found: set[tuple[int, int]] = set()
    for text, start, end in rows:
        day, first, last = int(text), wall_time(start), wall_time(end)
        length = (last - first) % (24 * HOUR) or 24 * HOUR
        for at in range(first // HOUR, -(-(first + length) // HOUR)):
            found.add(((day + at // 24) % 7, at % 24))
    return found or {(day, hour) for day in range(7) for hour in range(24)}


def make_wide_hours(made: MadeStores) -> Iterator[Row]:
    """A line for each store that has hours: its id and a cell a weekday, from Monday."""
    for store, rows in zip(made.ids, made.hours, strict=True):
        if not rows:
            continue
        days: list[list[str]] = [[] for _ in range(7)]
        for day, start, end in rows:
            whole = start.startswith("00:00") and end.startswith("23:59")
            days[int(day)].append("24h" if whole else f"{_short(start)}-{_short(end)}")
        yield (store, *(", ".join(spans) or "closed" for spans in days))


def _short(wall: str) -> str:
    return wall.removesuffix(":00") if wall.count(":") == 2 else wall
