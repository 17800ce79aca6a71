"""Made-up restaurants: the input files of restmon, written from a seed.

A pure file writer, without database or settings. The polls are modeled on the real feed: a poller
asks every store once an hour, day and night, mostly in the first quarter of the hour, and now and
then misses an hour or a day of everything. A store's answers do not depend on its business hours,
except for a few stores that switch off when they close.

Instants are int64 microseconds since the epoch, UTC; a store is its index (0 …).
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from restmon.core.formatting import WEEKDAYS
from restmon.core.instants import DAY, from_datetime
from restmon.demo import made_feeds
from restmon.demo.chance import POLLS, Ints, open_stream
from restmon.demo.made_stores import MadeStores, make_stores
from restmon.demo.poll_model import (
    IN_INCIDENT,
    IN_LARGE_INCIDENT,
    REASONS,
    Roles,
    deal_roles,
    make_down_times,
    make_polls,
    plan_polling,
    plan_runs,
)
from restmon.files import part_file

Progress = Callable[[int, int], None]

END = datetime(2026, 11, 1, 18, tzinfo=UTC)


@dataclass(frozen=True)
class DemoFiles:
    """The paths of the files. Those of optional feeds are None if the plan leaves them out."""

    polls: Path
    business_hours: Path
    timezones: Path
    directory: Path | None = None
    other_hours: Path | None = None
    sales: Path | None = None

    @property
    def every(self) -> list[Path]:
        """All paths that are not None."""
        return [path for path in vars(self).values() if path is not None]


@dataclass(frozen=True, kw_only=True)
class DemoPlan:
    """What to make up; the same plan gives the same bytes.

    The polls are those of the ``days`` times 24 hours before ``end`` (without a zone: UTC), about
    16 a store and day, in random order within a day. From ten ``stores`` (and four days) on, every
    sort of trouble is there at least once.

    ``hours_from`` and ``timezones_from`` are files to take stores from, plain or `.gz`: the first
    ``stores`` ids of both, sorted as text. When they have too few, more stores are made with
    their hours and zones in turn. Without a file, its content is made up.

    With ``everything`` the files are like real exports: there are also `directory.csv`,
    `other_hours.csv` and `sales.csv`, inactive polls have a reason, and hours have a column a
    weekday and closed days in words. No day of polls is missing, more stores go down in the bad
    evening, and one store is no longer polled for a day or two.

    Raises ValueError for values that cannot be used.
    """

    stores: int = 50
    days: int = 8
    seed: int = 1
    end: datetime = END
    hours_from: Path | None = None
    timezones_from: Path | None = None
    everything: bool = False

    def __post_init__(self) -> None:
        if self.stores < 1:
            raise ValueError(f"The number of stores must be at least 1, not {self.stores}.")
        if self.days < 1:
            raise ValueError(f"The number of days must be at least 1, not {self.days}.")
        if self.seed < 0:
            raise ValueError(f"The seed must be 0 or more, not {self.seed}.")


def generate(
    folder: Path, plan: DemoPlan | None = None, progress: Progress | None = None
) -> DemoFiles:
    """Write `polls.csv`, `business_hours.csv`, `timezones.csv` and the plan's other files into
    ``folder``.

    ``progress`` is called with (done, in all) after each part of the polls: about a day each.
    Raises ValueError for files that cannot be used.
    """
    plan = plan or DemoPlan()
    stores, days, seed, everything = plan.stores, plan.days, plan.seed, plan.everything
    made = make_stores(stores, seed, plan.hours_from, plan.timezones_from)
    hi = from_datetime(plan.end)
    lo = hi - days * DAY
    folder.mkdir(parents=True, exist_ok=True)
    files = DemoFiles(folder / "polls.csv", folder / "business_hours.csv", folder / "timezones.csv")
    in_incident = IN_LARGE_INCIDENT if everything else IN_INCIDENT
    roles = deal_roles(stores, days, seed, in_incident)
    if everything:
        files = _write_optional_feeds(files, made, roles, seed, plan.end)
    else:
        _write_hours(files.business_hours, made)
    _write_zones(files.timezones, made)
    _write_polls(files.polls, made, roles, _Polled(lo, hi, seed, everything), progress)
    return files


@dataclass(frozen=True)
class _Polled:
    """The polls to write: those in [lo, hi), of a seed; ``everything`` as in `generate`."""

    lo: int
    hi: int
    seed: int
    everything: bool


@contextmanager
def _write_in_place(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, moved in place if the block ends without an error."""
    with part_file(path) as part:
        yield part
        part.replace(path)


def _write_hours(path: Path, made: MadeStores) -> None:
    """The rows of hours of the stores, store by store."""
    with _write_in_place(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        file.write("store_id,day,start_time_local,end_time_local\n")
        for store, rows in zip(made.ids, made.hours, strict=True):
            file.writelines(f"{store},{','.join(row)}\n" for row in rows)


def _write_zones(path: Path, made: MadeStores) -> None:
    """A line for each store that has a zone."""
    with _write_in_place(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        file.write("store_id,timezone_str\n")
        pairs = zip(made.ids, made.zones, strict=True)
        file.writelines(f"{store},{zone}\n" for store, zone in pairs if zone)


def _write_optional_feeds(
    files: DemoFiles, made: MadeStores, roles: Roles, seed: int, end: datetime
) -> DemoFiles:
    """The directory, the other hours and the sales, and the hours with a column a weekday."""
    folder, day = files.polls.parent, end.date()
    directory, dates, sales = (
        folder / f"{name}.csv" for name in ("directory", "other_hours", "sales")
    )
    brands = made_feeds.deal_brands(len(made.ids), roles.incident, seed)
    tables: list[tuple[Path, Iterable[str], Iterable[made_feeds.Row]]] = [
        (
            directory,
            made_feeds.DIRECTORY_HEADER,
            made_feeds.make_directory(made, brands, seed, day),
        ),
        (
            dates,
            made_feeds.DATES_HEADER,
            made_feeds.make_dates(made, brands, day),
        ),
        (sales, made_feeds.SALES_HEADER, made_feeds.make_sales(made, seed)),
        (files.business_hours, ("store_id", *WEEKDAYS), made_feeds.make_wide_hours(made)),
    ]
    for path, header, rows in tables:
        with _write_in_place(path) as part, part.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return replace(files, directory=directory, other_hours=dates, sales=sales)


def _write_polls(
    path: Path, made: MadeStores, roles: Roles, polled: _Polled, progress: Progress | None
) -> None:
    """The polls, day by day."""
    number = len(made.ids)
    lo, hi, seed = polled.lo, polled.hi, polled.seed
    polling = plan_polling(roles, number, lo, hi, seed, polled.everything)
    down = make_down_times(made, roles, lo, hi, seed)
    days = plan_runs(lo, hi, seed, polled.everything)
    ids, answers, reasons = map(pa.array, (made.ids, ["active", "inactive"], REASONS))
    names = ["store_id", "status", "timestamp_utc", *["reason"] * polled.everything]
    schema = pa.schema([(name, pa.string()) for name in names])
    options = pa.csv.WriteOptions(include_header=False, quoting_style="none")
    with _write_in_place(path) as part, part.open("wb") as file:
        file.write(f"{','.join(schema.names)}\n".encode())
        with pa.csv.CSVWriter(file, schema, write_options=options) as writer:
            for done, runs in enumerate(days, 1):
                store, instant = make_polls(open_stream(seed, POLLS, done), polling, runs, lo)
                answer = down.at(store, instant).astype(np.int8)
                columns = [ids.take(pa.array(store)), answers.take(pa.array(answer))]
                columns.append(_timestamps(instant))
                if polled.everything:
                    columns.append(reasons.take(pa.array(down.reasons_at(store, instant))))
                writer.write(pa.table(columns, schema))
                if progress:
                    progress(done, len(days))


def _timestamps(instant: Ints) -> Any:
    """Text like `2026-10-24 12:09:39.388884 UTC`: an Arrow array.

    Zeros at the end of the fraction, which must not be 0, are left out, as in the real feed.
    """
    text = pa.array(instant).cast(pa.timestamp("us")).cast(pa.string())
    return pc.binary_join_element_wise(pc.ascii_rtrim(text, characters="0"), "UTC", " ")
