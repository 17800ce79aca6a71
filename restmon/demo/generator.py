"""Made-up restaurants: the three input files of restmon, written from a seed.

A pure file writer, without database or settings. The polls are modelled on the real feed: a poller
that asks every store once an hour, day and night, mostly in the first quarter of the hour, and
that now and then misses an hour or a day of everything. What a store answers does not depend on
its business hours, but for a few that switch off when they close.

Instants are int64 microseconds since the epoch, UTC; a store is its index (0 …).
"""

import csv
import gzip
import os
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any, TextIO, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from restmon.hours import (
    DAY,
    DEFAULT_ZONE,
    HOUR,
    MINUTE,
    SECOND,
    WeeklyHours,
    merge,
    open_intervals,
)
from restmon.keys import KeySpace

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Spans = tuple[Ints, Ints, Ints]  # stores, starts, ends: one length
Progress = Callable[[int, int], None]
Kind = TypeVar("Kind", bound=Hashable)
HoursRow = tuple[str, str, str]  # day of week, start, end: as text, as in the file

END = datetime(2026, 11, 1, 18, tzinfo=UTC)
NEVER = int(np.iinfo(np.int64).max)

# One random stream for each purpose, so that changing one part leaves the others' draws alone.
ZONES, HOURS, ROLES, POLLER, OUTAGES, POLLS = range(6)

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
class Schedule:
    """One kind of opening hours: its share of the stores and what it opens on every day.

    A span whose end is earlier than its start closes on the next day, and is written as one row,
    or ``cut`` at midnight into two. ``closes``: some of these stores keep a closing day.
    """

    share: float
    spans: tuple[tuple[str, str], ...]
    cut: bool = False
    closes: bool = True


SCHEDULES = (
    Schedule(0.05, ()),  # a store without a line in the file: always open
    Schedule(0.07, (("00:00:00", "23:59:00"),), closes=False),
    Schedule(0.04, (("00:00:00", "23:59:59"),), closes=False),
    Schedule(0.13, (("11:00:00", "21:00:00"),)),
    Schedule(0.10, (("11:00:00", "23:00:00"),)),
    Schedule(0.06, (("10:30:00", "22:30:00"),)),
    Schedule(0.05, (("06:00:00", "19:00:00"),)),
    Schedule(0.06, (("07:00:00", "22:00:00"),)),
    Schedule(0.07, (("11:00:00", "23:59:59"),)),
    Schedule(0.03, (("10:00:00", "23:59:00"),)),
    Schedule(0.08, (("11:30:00", "14:30:00"), ("17:00:00", "21:30:00"))),
    Schedule(0.05, (("11:00:00", "15:00:00"), ("16:30:00", "22:00:00"))),
    Schedule(0.10, (("17:00:00", "02:00:00"),), cut=True),
    Schedule(0.05, (("11:00:00", "01:00:00"),), cut=True),
    Schedule(0.04, (("18:00:00", "02:00:00"),)),
    Schedule(0.02, (("20:00:00", "03:30:00"),)),
)
CLOSING_DAYS = {0: 0.12, 6: 0.04, None: 0.84}  # Monday, Sunday, none

SILENT = 0.01  # stores without any poll
WITH_GAP = 0.02  # stores not polled for a day or two
IN_INCIDENT = 0.08  # stores of the chain that goes down in one evening
OFF_WHEN_CLOSED = 0.08  # stores that answer `inactive` outside their hours


@dataclass(frozen=True)
class Reliability:
    """How often stores of one sort go down (outages a day), for how long (median, in hours)."""

    share: float
    a_day: float
    median: float


TERRIBLE = Reliability(0.03, 2.0, 3.0)
BAD = Reliability(0.12, 1.0, 1.0)
GOOD = Reliability(1.0, 1 / 14, 0.75)  # all the others


@dataclass(frozen=True)
class DemoFiles:
    """Where the three files are."""

    polls: Path
    business_hours: Path
    timezones: Path


@dataclass(frozen=True)
class Stores:
    """Lists of one length, an entry a store: ids, zones (None: no line) and rows of hours."""

    ids: list[str]
    zones: list[str | None]
    hours: list[list[HoursRow]]


@dataclass(frozen=True)
class Polling:
    """When each store is polled: arrays of one entry a store.

    ``phase`` is microseconds after the full hour, ``kept`` the probability that a poll is not
    lost; a store is not polled in [gap_start, gap_end) nor from ``until`` on.
    """

    phase: Ints
    kept: Floats
    gap_start: Ints
    gap_end: Ints
    until: Ints


@dataclass(frozen=True)
class Roles:
    """Which stores (their indices) play which part; no store plays two."""

    silent: Ints
    dead: Ints
    gap: Ints
    terrible: Ints
    bad: Ints
    incident: Ints
    good: Ints  # with those of the incident


@dataclass(frozen=True)
class DownTimes:
    """When stores answer `inactive`: sorted keys of spans that do not touch."""

    space: KeySpace
    start: Ints
    end: Ints  # one entry more: before the first span there is one that ends before everything

    def at(self, store: Ints, instant: Ints) -> NDArray[np.bool_]:
        """Whether each store is down at each instant (arrays of one length)."""
        key = self.space.keys(store, instant)
        found: NDArray[np.bool_] = key < self.end[np.searchsorted(self.start, key, side="right")]
        return found


def generate(
    folder: Path,
    *,
    stores: int = 50,
    days: int = 8,
    seed: int = 1,
    end: datetime = END,
    hours_from: Path | None = None,
    timezones_from: Path | None = None,
    progress: Progress | None = None,
) -> DemoFiles:
    """Write `polls.csv`, `business_hours.csv` and `timezones.csv` into ``folder``.

    The polls are those of the ``days`` times 24 hours before ``end`` (without a zone: UTC), about
    16 a store and day, in random order within a day. The same arguments write the same bytes.
    From ten stores (and four days) on, every sort of trouble is there at least once.

    ``hours_from`` and ``timezones_from`` are files to take stores from, plain or `.gz`: the first
    ``stores`` ids of both, sorted as text. When they have too few, more stores are made with
    their hours and zones in turn. What a file would tell, and is not given, is made up.

    ``progress`` is called with (done, in all) after each part of the polls: about a day each.

    Raises ValueError for arguments, or files, that cannot be used.
    """
    if stores < 1:
        raise ValueError(f"The number of stores must be at least 1, not {stores}.")
    if days < 1:
        raise ValueError(f"The number of days must be at least 1, not {days}.")
    if seed < 0:
        raise ValueError(f"The seed must be 0 or more, not {seed}.")
    made = _stores(stores, seed, hours_from, timezones_from)
    hi = _instant(end)
    lo = hi - days * DAY
    folder.mkdir(parents=True, exist_ok=True)
    files = DemoFiles(folder / "polls.csv", folder / "business_hours.csv", folder / "timezones.csv")
    _write_hours(files.business_hours, made)
    _write_zones(files.timezones, made)
    _write_polls(files.polls, made, lo, hi, seed, progress)
    return files


# Stores


def _stores(number: int, seed: int, hours_from: Path | None, zones_from: Path | None) -> Stores:
    """The stores, from the files given, or made up."""
    hours = None if hours_from is None else _read_hours(hours_from)
    zones = None if zones_from is None else _read_zones(zones_from)
    known = sorted({*(hours or ()), *(zones or ())})[:number]
    if not known and (hours_from or zones_from):
        named = " and ".join(str(path) for path in (hours_from, zones_from) if path)
        raise ValueError(f"There is no store in {named}.")
    ids = known + list(islice(_new_ids(set(known)), number - len(known)))
    donors = list(islice(cycle(known), number))
    return Stores(
        ids,
        _made_zones(number, seed) if zones is None else [zones.get(donor) for donor in donors],
        _made_hours(number, seed) if hours is None else [hours.get(d, []) for d in donors],
    )


def _new_ids(taken: set[str]) -> Iterator[str]:
    """`demo-00001` and so on, without those taken."""
    return (name for name in (f"demo-{n:05d}" for n in count(1)) if name not in taken)


def _made_zones(number: int, seed: int) -> list[str | None]:
    """A zone, or none, for each store."""
    return _dealt(_rng(seed, ZONES), ZONE_SHARES, number)


def _made_hours(number: int, seed: int) -> list[list[HoursRow]]:
    """Rows of business hours for each store."""
    rng = _rng(seed, HOURS)
    kinds = _dealt(rng, {kind: kind.share for kind in SCHEDULES}, number)
    closing = _dealt(rng, CLOSING_DAYS, number)
    return [_rows(kind, day) for kind, day in zip(kinds, closing, strict=True)]


def _rows(kind: Schedule, closing_day: int | None) -> list[HoursRow]:
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
            _wall(start), _wall(end)
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
        with _opened(path) as file:
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


def _opened(path: Path) -> TextIO:
    """A text file, plain or gzipped, with or without a byte order mark."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


@lru_cache(maxsize=4096)
def _wall(text: str) -> int:
    """Microseconds since midnight of `HH:MM` or `HH:MM:SS[.ffffff]`."""
    hour, minute, second, *_ = *text.split(":"), "0"
    return int(hour) * HOUR + int(minute) * MINUTE + round(float(second) * SECOND)


# Polls: who is polled when, and who answers what


def _roles(number: int, days: int, seed: int) -> Roles:
    """Deal the parts. Below ten stores nobody plays a special one."""
    left = _rng(seed, ROLES).permutation(number)
    special = number >= 10

    def take(wanted: int) -> Ints:
        nonlocal left
        taken, left = left[:wanted], left[wanted:]
        return taken

    def share(part: float) -> Ints:
        return take(_at_least_one(part, number) if special else 0)

    long_enough = special and days >= 4
    silent = share(SILENT)
    dead = take((1 if number < 1000 else 2) if long_enough else 0)
    gap = share(WITH_GAP) if long_enough else take(0)
    terrible, bad = share(TERRIBLE.share), share(BAD.share)
    incident = left[: _at_least_one(IN_INCIDENT, number)] if special else left[:0]
    return Roles(silent, dead, gap, terrible, bad, incident, left)


def _polling(roles: Roles, number: int, lo: int, hi: int, seed: int) -> Polling:
    """When the stores are polled, between lo and hi."""
    rng = _rng(seed, POLLER, 1)
    early = rng.gamma(1.5, 3 * MINUTE, number)
    anytime = rng.uniform(0, 57 * MINUTE, number)
    phase = np.where(rng.random(number) < 0.85, np.minimum(early, 56 * MINUTE), anytime)
    kept = np.clip(rng.normal(0.86, 0.07, number), 0.5, 0.98)
    kept[roles.silent] = 0
    gap_start = np.full(number, NEVER)
    gap_end = np.full(number, NEVER)
    gap_start[roles.gap] = rng.integers(lo, max(hi - 2 * DAY, lo + 1), len(roles.gap))
    gap_end[roles.gap] = gap_start[roles.gap] + rng.integers(DAY, 2 * DAY, len(roles.gap))
    until = np.full(number, hi)
    until[roles.dead] = lo + rng.integers(DAY, 2 * DAY, len(roles.dead))
    return Polling(phase.astype(np.int64), kept, gap_start, gap_end, until)


def _runs(lo: int, hi: int, seed: int) -> list[Ints]:
    """The full hours at which the poller sets out, in lists for 24 hours each.

    It misses about a day in every eight, and single hours, but none of the last 24.
    """
    rng = _rng(seed, POLLER)
    hours = np.arange(lo // HOUR, -(-hi // HOUR))
    works = rng.random(len(hours)) >= 0.08
    for block in range(0, len(hours) - 8 * 24 + 1, 8 * 24):
        stop = block + rng.integers(0, 86)
        works[stop : stop + rng.integers(20, 31)] = False
    works[-24:] = True
    return [hours[k : k + 24][works[k : k + 24]] * HOUR for k in range(0, len(hours), 24)]


def _down_times(made: Stores, roles: Roles, lo: int, hi: int, seed: int) -> DownTimes:
    """Everything that makes stores answer `inactive` between lo and hi."""
    number = len(made.ids)
    rng = _rng(seed, OUTAGES)
    parts = [
        *(
            _outages(rng, stores, sort, lo, hi)
            for stores, sort in ((roles.terrible, TERRIBLE), (roles.bad, BAD), (roles.good, GOOD))
        ),
        _incident(rng, roles.incident, lo, hi),
        _closed(made, _off_when_closed(rng, made), lo, hi),
    ]
    store, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
    spans = merge(number, store, start, end)
    space = KeySpace.covering(number, lo, hi)
    ends = space.keys(spans.store, spans.end)
    return DownTimes(space, space.keys(spans.store, spans.start), np.insert(ends, 0, -1))


def _outages(rng: np.random.Generator, stores: Ints, sort: Reliability, lo: int, hi: int) -> Spans:
    """Outages at any time, three minutes to two days long, of stores of one sort."""
    number = rng.poisson(sort.a_day * (hi - lo) / DAY, len(stores))
    store = np.repeat(stores, number)
    start = rng.integers(lo, hi, len(store))
    length = rng.lognormal(np.log(sort.median * HOUR), 1.2, len(store))
    return store, start, start + np.clip(length, 3 * MINUTE, 2 * DAY).astype(np.int64)


def _incident(rng: np.random.Generator, stores: Ints, lo: int, hi: int) -> Spans:
    """The chain's bad evening, one of the last three: down within minutes, up one by one."""
    evening = (hi - 27 * HOUR) // DAY * DAY + 23 * HOUR
    evening -= DAY * int(rng.integers(0, min((hi - lo) // DAY, 3)))
    start = max(evening, lo) + rng.integers(0, 15 * MINUTE, len(stores))
    return stores, start, start + rng.integers(150 * MINUTE, 230 * MINUTE, len(stores))


def _off_when_closed(rng: np.random.Generator, made: Stores) -> Ints:
    """The stores that switch off outside their hours: some of those that have any."""
    closing = np.flatnonzero([bool(rows) for rows in made.hours])
    number = _at_least_one(OFF_WHEN_CLOSED, len(closing)) if len(made.ids) >= 10 else 0
    return rng.permutation(closing)[:number]


def _closed(made: Stores, stores: Ints, lo: int, hi: int) -> Spans:
    """The closed times between lo and hi of some stores."""
    rows = [(s, *row) for s, store in enumerate(stores) for row in made.hours[store]]
    table = np.array(
        [(s, int(day), _wall(start), _wall(end)) for s, day, start, end in rows], np.int64
    ).reshape(-1, 4)
    zones = sorted({made.zones[store] or DEFAULT_ZONE for store in stores})
    zone = np.array([zones.index(made.zones[s] or DEFAULT_ZONE) for s in stores], np.int64)
    opened = open_intervals(len(stores), WeeklyHours(*table.T), zone, zones, lo, hi)
    # Closed is from lo, and from each interval's end, to the next start, in the end to hi.
    owner = np.insert(opened.store, opened.first[:-1], np.arange(len(stores)))
    start = np.clip(np.insert(opened.end, opened.first[:-1], lo), lo, hi)
    end = np.clip(np.insert(opened.start, opened.first[1:], hi), lo, hi)
    closed = end > start
    return stores[owner[closed]], start[closed], end[closed]


# Files


def _write_hours(path: Path, made: Stores) -> None:
    """The rows of hours of the stores, store by store."""
    with _written(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        file.write("store_id,day,start_time_local,end_time_local\n")
        for store, rows in zip(made.ids, made.hours, strict=True):
            file.writelines(f"{store},{','.join(row)}\n" for row in rows)


def _write_zones(path: Path, made: Stores) -> None:
    """A line for each store that has a zone."""
    with _written(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        file.write("store_id,timezone_str\n")
        pairs = zip(made.ids, made.zones, strict=True)
        file.writelines(f"{store},{zone}\n" for store, zone in pairs if zone)


def _write_polls(
    path: Path, made: Stores, lo: int, hi: int, seed: int, progress: Progress | None
) -> None:
    """The polls in [lo, hi), day by day."""
    number = len(made.ids)
    roles = _roles(number, (hi - lo) // DAY, seed)
    polling = _polling(roles, number, lo, hi, seed)
    down = _down_times(made, roles, lo, hi, seed)
    days = _runs(lo, hi, seed)
    ids, answers = pa.array(made.ids), pa.array(["active", "inactive"])
    schema = pa.schema([(name, pa.string()) for name in ("store_id", "status", "timestamp_utc")])
    options = pa.csv.WriteOptions(include_header=False, quoting_style="none")
    with _written(path) as part, part.open("wb") as file:
        file.write(f"{','.join(schema.names)}\n".encode())
        with pa.csv.CSVWriter(file, schema, write_options=options) as writer:
            for done, runs in enumerate(days, 1):
                store, instant = _polls(_rng(seed, POLLS, done), polling, runs, lo)
                answer = down.at(store, instant).astype(np.int8)
                columns = [ids.take(pa.array(store)), answers.take(pa.array(answer))]
                writer.write(pa.table([*columns, _timestamps(instant)], schema))
                if progress:
                    progress(done, len(days))


def _polls(rng: np.random.Generator, polling: Polling, runs: Ints, lo: int) -> tuple[Ints, Ints]:
    """The stores and instants of the polls of some runs, shuffled; none is before lo."""
    run, store = np.nonzero(rng.random((len(runs), len(polling.kept))) < polling.kept)
    instant = runs[run] + polling.phase[store] + rng.integers(0, 3 * MINUTE, len(store))
    instant += instant % SECOND == 0  # so that there always is a fraction, as in the real feed
    asked = (instant >= lo) & (instant < polling.until[store])
    asked &= (instant < polling.gap_start[store]) | (instant >= polling.gap_end[store])
    order = rng.permutation(np.flatnonzero(asked))
    return store[order], instant[order]


def _timestamps(instant: Ints) -> Any:
    """Text like `2026-10-24 12:09:39.388884 UTC`: an Arrow array.

    Zeros at the end of the fraction, which must not be 0, are left out, as in the real feed.
    """
    text = pa.array(instant).cast(pa.timestamp("us")).cast(pa.string())
    return pc.binary_join_element_wise(pc.ascii_rtrim(text, characters="0"), "UTC", " ")


@contextmanager
def _written(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, moved in place when the block has ended well."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


# Chance


def _rng(seed: int, purpose: int, part: int = 0) -> np.random.Generator:
    """The random stream of one purpose, or of one part of it."""
    return np.random.default_rng([seed, purpose, part])


def _dealt(rng: np.random.Generator, shares: Mapping[Kind, float], number: int) -> list[Kind]:
    """``number`` kinds in random order, each as often as its share of 1 asks for."""
    kinds = list(shares)
    places = (rng.permutation(number) + 0.5) / number
    edges = np.cumsum(list(shares.values()))
    chosen = np.minimum(np.searchsorted(edges, places), len(kinds) - 1)
    return [kinds[k] for k in chosen]


def _at_least_one(share: float, number: int) -> int:
    """A share of a number, rounded, and not none."""
    return max(1, round(share * number))


def _instant(moment: datetime) -> int:
    """A datetime (without a zone: UTC) in microseconds since the epoch."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
