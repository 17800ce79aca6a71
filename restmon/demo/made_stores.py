"""The made-up stores: their ids, zones and business hours, from a seed or from given files."""

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from restmon.core.instants import HOUR, MINUTE, SECOND
from restmon.demo.chance import HOURS, ZONES, deal, open_stream

HoursRow = tuple[str, str, str]  # day of week, start, end: as text, as in the file

ZONE_SHARES = {
    "America/New_York": 0.36,
    "America/Chicago": 0.22,
    "America/Los_Angeles": 0.17,
    "America/Denver": 0.05,
    "America/Phoenix": 0.04,
    "America/Detroit": 0.04,
    "America/Indiana/Indianapolis": 0.03,
    "America/Boise": 0.025,
    "Pacific/Honolulu": 0.025,
    "America/Anchorage": 0.02,
    None: 0.02,  # a store without a line in the file
}


@dataclass(frozen=True)
class KindOfHours:
    """One kind of opening hours: its share of the stores and what it opens on every day.

    A span whose end is earlier than its start closes on the next day, and is written as one row,
    or ``cut`` at midnight into two. ``closes``: some of these stores keep a closing day.
    """

    share: float
    spans: tuple[tuple[str, str], ...]
    cut: bool = False
    closes: bool = True


SCHEDULES = (
    KindOfHours(0.05, ()),  # a store without a line in the file: always open
    KindOfHours(0.07, (("00:00:00", "23:59:00"),), closes=False),
    KindOfHours(0.04, (("00:00:00", "23:59:59"),), closes=False),
    KindOfHours(0.13, (("11:00:00", "21:00:00"),)),
    KindOfHours(0.10, (("11:00:00", "23:00:00"),)),
    KindOfHours(0.06, (("10:30:00", "22:30:00"),)),
    KindOfHours(0.05, (("06:00:00", "19:00:00"),)),
    KindOfHours(0.06, (("07:00:00", "22:00:00"),)),
    KindOfHours(0.07, (("11:00:00", "23:59:59"),)),
    KindOfHours(0.03, (("10:00:00", "23:59:00"),)),
    KindOfHours(0.08, (("11:30:00", "14:30:00"), ("17:00:00", "21:30:00"))),
    KindOfHours(0.05, (("11:00:00", "15:00:00"), ("16:30:00", "22:00:00"))),
    KindOfHours(0.10, (("17:00:00", "02:00:00"),), cut=True),
    KindOfHours(0.05, (("11:00:00", "01:00:00"),), cut=True),
    KindOfHours(0.04, (("18:00:00", "02:00:00"),)),
    KindOfHours(0.02, (("20:00:00", "03:30:00"),)),
)

CLOSING_DAYS = {0: 0.12, 6: 0.04, None: 0.84}  # Monday, Sunday, none


@dataclass(frozen=True)
class MadeStores:
    """Lists of one length, an entry a store: ids, zones (None: no line) and rows of hours."""

    ids: list[str]
    zones: list[str | None]
    hours: list[list[HoursRow]]


def make_stores(
    number: int, seed: int, hours_from: Path | None, zones_from: Path | None
) -> MadeStores:
    """The stores, from the files given, or made up."""
    hours = None if hours_from is None else _read_hours(hours_from)
    zones = None if zones_from is None else _read_zones(zones_from)
    known = sorted({*(hours or ()), *(zones or ())})[:number]
    if not known and (hours_from or zones_from):
        named = " and ".join(str(path) for path in (hours_from, zones_from) if path)
        raise ValueError(f"There is no store in {named}.")
    ids = known + list(islice(_new_ids(set(known)), number - len(known)))
    donors = list(islice(cycle(known), number))
    return MadeStores(
        ids,
        _make_zones(number, seed) if zones is None else [zones.get(donor) for donor in donors],
        _make_hours(number, seed) if hours is None else [hours.get(d, []) for d in donors],
    )


def _new_ids(taken: set[str]) -> Iterator[str]:
    """`demo-00001` and so on, without those taken."""
    return (name for name in (f"demo-{n:05d}" for n in count(1)) if name not in taken)


def _make_zones(number: int, seed: int) -> list[str | None]:
    """A zone, or none, for each store."""
    return deal(open_stream(seed, ZONES), ZONE_SHARES, number)


def _make_hours(number: int, seed: int) -> list[list[HoursRow]]:
    """Rows of business hours for each store."""
    rng = open_stream(seed, HOURS)
    kinds = deal(rng, {kind: kind.share for kind in SCHEDULES}, number)
    closing = deal(rng, CLOSING_DAYS, number)
    return [_rows(kind, day) for kind, day in zip(kinds, closing, strict=True)]


def _rows(kind: KindOfHours, closing_day: int | None) -> list[HoursRow]:
    """A week of a schedule, sorted; nothing begins on the closing day."""
    rows = []
    for day in range(7):
        if kind.closes and day == closing_day:
            continue
        for start, end in kind.spans:
            if kind.cut and end < start:
                rows.append((str(day), start, "23:59:59"))
                rows.append((str((day + 1) % 7), "00:00:00", end))
            else:
                rows.append((str(day), start, end))
    return sorted(rows)


def _read_hours(path: Path) -> dict[str, list[HoursRow]]:
    """The rows of each store of a business-hours file."""
    hours: dict[str, list[HoursRow]] = {}
    days = "day", "dayOfWeek", "day_of_week"
    columns = ("store_id",), days, ("start_time_local",), ("end_time_local",)
    for store, day, start, end in _read(path, columns):
        if day not in {"0", "1", "2", "3", "4", "5", "6"}:
            raise ValueError(f"{path} has a day of the week that is not 0 to 6: {day!r}.")
        try:
            wall_time(start), wall_time(end)
        except ValueError:
            raise ValueError(f"{path} has a time that is not HH:MM: {start!r}, {end!r}.") from None
        hours.setdefault(store, []).append((day, start, end))
    return hours


def _read_zones(path: Path) -> dict[str, str]:
    """The zone of each store of a time-zone file; of two lines the later."""
    zones = dict(_read(path, (("store_id",), ("timezone_str",))))
    for zone in set(zones.values()):
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{path} has an unknown time zone: {zone!r}.") from None
    return zones


def _read(path: Path, columns: Sequence[tuple[str, ...]]) -> Iterator[Any]:
    """The columns (each by any of its names) of each line of a CSV file, as tuples of text."""
    if not path.is_file():
        raise ValueError(f"There is no file {path}.")
    try:
        with _open(path) as file:
            lines = csv.reader(file)
            at = _places(path, [name.strip() for name in next(lines, [])], columns)
            for line in lines:
                if len(line) > max(at):
                    yield tuple(line[k].strip() for k in at)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read as CSV: {error}.") from None


def _places(path: Path, header: list[str], columns: Sequence[tuple[str, ...]]) -> list[int]:
    """Where the header has each column, by any of its names."""
    at = []
    for names in columns:
        found = [header.index(name) for name in names if name in header]
        if not found:
            raise ValueError(f"{path} has no column {names[0]}.")
        at.append(found[0])
    return at


def _open(path: Path) -> TextIO:
    """A text file, plain or gzipped, with or without a byte order mark."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


@lru_cache(maxsize=4096)
def wall_time(text: str) -> int:
    """Microseconds since midnight of `HH:MM` or `HH:MM:SS[.ffffff]`."""
    hour, minute, second, *_ = *text.split(":"), "0"
    return int(hour) * HOUR + int(minute) * MINUTE + round(float(second) * SECOND)
