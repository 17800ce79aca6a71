"""CSV files into the database (SEMANTICS.md, "Inputs").

An import has two phases. *Reading* parses and checks every line and keeps the good ones in
sorted chunks in a temporary folder: memory is bounded by the chunk, and the database is not
touched. *Writing* is one transaction that holds everything, the import's own row included.
"""

import csv
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from peewee import chunked

from restmon import database, keys
from restmon.checking import check
from restmon.csv_reader import (
    BUSINESS_HOURS,
    POLLS,
    TIMEZONES,
    Limits,
    Rejection,
    column_positions,
    read_batches,
    read_header,
)
from restmon.demo_data import remove_demo
from restmon.fields import StoreIds
from restmon.models import Store
from restmon.revisions import new_revision

CHUNK_LINES = 2_000_000
STAGING_PREFIX = "import-"
FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")
KEPT_REJECTIONS = 1000
LARGE = 100_000
READING, WRITING = "reading", "writing"

StageProgress = Callable[[str, int, int], None]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SourceFile:
    """One file to import: its ``kind`` (polls, business_hours or timezones), its path, and the
    name people know it by."""

    kind: str
    path: Path
    name: str


@dataclass
class Counts:
    """Data lines of a file: read = new + updated + unchanged + rejected.

    Lines count as if applied one after the other: a second line for the same poll is *unchanged*
    when it says the same as the first, *updated* when not. A line of business hours is
    *unchanged* when the store has it already, *updated* when the store had other hours on that
    day, else *new*.
    """

    read: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        mine, theirs = asdict(self), asdict(other)
        return Counts(**{name: mine[name] + theirs[name] for name in mine})


@dataclass
class Result:
    """What an import did: counts by kind, the first 1,000 rejected lines, the revision it made
    (None when nothing changed), and report files that are demo data's and can go."""

    counts: dict[str, Counts] = field(default_factory=dict)
    rejections: list[dict[str, Any]] = field(default_factory=list)
    revision: int | None = None
    orphans: list[Path] = field(default_factory=list)

    @property
    def total(self) -> Counts:
        """The counts of all files together."""
        return sum(self.counts.values(), Counts())

    def as_json(self) -> dict[str, Any]:
        """The total's counts, and ``kinds``: the counts of each kind."""
        return {**asdict(self.total), "kinds": {k: asdict(c) for k, c in self.counts.items()}}


def no_formula(text: str) -> str:
    """The text, so that a spreadsheet that opens the CSV shows it and does not run it."""
    return f"'{text}" if text.startswith(FORMULA_BEGINS) else text


class RejectedLines:
    """Collects rejected lines: all of them into a CSV file, the first ones for the database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first: list[dict[str, Any]] = []
        self.count = 0
        self._stack = ExitStack()
        self._writer: Any = None

    def add(self, name: str, rejections: Sequence[Rejection]) -> None:
        """Add a file's rejected lines, in line order."""
        if not rejections:
            return
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            out = self._stack.enter_context(self.path.open("w", newline="", encoding="utf-8"))
            self._writer = csv.writer(out)
            self._writer.writerow(["file", "line", "column", "value", "reason"])
        for r in rejections:
            value = no_formula(r.value)
            self._writer.writerow([no_formula(name), r.line, r.column, value, r.reason])
            if len(self.first) < KEPT_REJECTIONS:
                self.first.append({"file": name, **asdict(r)})
        self.count += len(rejections)

    def close(self) -> None:
        """Close the CSV file."""
        self._stack.close()


@dataclass
class _Hours:
    store: list[Ints] = field(default_factory=list)
    day: list[Ints] = field(default_factory=list)
    start: list[Ints] = field(default_factory=list)
    end: list[Ints] = field(default_factory=list)


@dataclass(frozen=True)
class _Polls:
    """Lines of polls: store number, instant and status, arrays of one length."""

    store: Ints
    time: Ints
    status: NDArray[np.int8]

    @classmethod
    def joined(cls, parts: "Sequence[_Polls]") -> "_Polls":
        if len(parts) == 1:
            return parts[0]
        columns = zip(*((part.store, part.time, part.status) for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def sorted(self) -> "_Polls":
        """By store, then time; lines for one poll in the order given."""
        return _Polls(*keys.sorted_columns(self.store, self.time, self.status))


class Staging:
    """The good lines of all files of an import, checked, sorted, and kept apart from the
    database until they are written."""

    def __init__(self, folder: Path, rejected: RejectedLines, ids: StoreIds) -> None:
        self.folder = folder
        self.rejected = rejected
        self.ids = ids
        self.counts: dict[str, Counts] = {}
        self.hours: list[pd.DataFrame] = []
        self.zones: list[pd.DataFrame] = []
        self._polls: list[_Polls] = []
        self._lines = 0
        self._chunks: list[Path] = []
        self.poll_lines = 0

    def read(
        self,
        file: SourceFile,
        progress: Callable[[int, int], None] | None,
        limits: Limits | None = None,
    ) -> None:
        """Check all lines of a file and stage the good ones."""
        counts = self.counts.setdefault(file.kind, Counts())
        for batch in read_batches(file.path, file.name, file.kind, progress, limits):
            good, parsed, bad = check(file.kind, batch, self.ids)
            rejections = sorted(batch.malformed + bad, key=lambda r: r.line)
            self.rejected.add(file.name, rejections)
            counts.read += len(batch.line) + len(batch.malformed)
            counts.rejected += len(rejections)
            values = [column.values[good] for column in parsed]
            if file.kind == POLLS:
                self._add_polls(values[0], values[1], values[2])
            elif file.kind == BUSINESS_HOURS:
                names = ["store", "day", "start", "end"]
                self.hours.append(pd.DataFrame(dict(zip(names, values, strict=True))))
            else:
                self.zones.append(pd.DataFrame({"store": values[0], "zone": values[1]}))

    def _add_polls(self, store: Ints, time: Ints, status: NDArray[np.int8]) -> None:
        self._polls.append(_Polls(store, time, status))
        self._lines += len(store)
        self.poll_lines += len(store)
        if self._lines >= CHUNK_LINES:
            self._put_aside()

    def _put_aside(self) -> None:
        """Sort the polls gathered so far and write them as one chunk."""
        chunk = _Polls.joined(self._polls).sorted()
        self._polls, self._lines = [], 0
        path = self.folder / f"polls-{len(self._chunks)}.npz"
        np.savez(path, store=chunk.store, time=chunk.time, status=chunk.status)
        self._chunks.append(path)

    def flush(self) -> None:
        """Sort what is not yet sorted, once all files are read."""
        if self._lines:
            self._polls = [_Polls.joined(self._polls).sorted()]

    def sorted_polls(self) -> Iterator[_Polls]:
        """The polls, a chunk at a time in the order of the files, each by store, then time."""
        for path in self._chunks:
            with np.load(path) as chunk:
                yield _Polls(chunk["store"], chunk["time"], chunk["status"])
        yield from self._polls

    @property
    def empty(self) -> bool:
        """Whether no line was good."""
        return not self.ids.names


def check_header(path: Path, kind: str, name: str) -> None:
    """Raise :class:`~restmon.errors.FileRejected` unless the file has the kind's columns."""
    column_positions(read_header(path, name), kind, name)


def import_files(
    files: Sequence[SourceFile],
    *,
    spool: Path,
    rejected_csv: Path,
    demo: bool = False,
    permitted: frozenset[str] | None = None,
    limits: Limits | None = None,
    progress: StageProgress | None = None,
    finish: Callable[[Result], None] | None = None,
) -> Result:
    """Import files in one transaction: all of their good lines, or none.

    ``spool`` is a folder for intermediate files, ``rejected_csv`` takes every rejected line (it
    is made only if there is one). ``progress`` is called with (stage, done, total): bytes of all
    files while reading, lines of polls while writing. ``finish`` is called with the result
    inside the transaction. Data of the demo are removed first, unless ``demo``. Lines of stores
    other than those ``permitted`` (None: all are) are rejected, and files beyond the ``limits``.

    Raises :class:`~restmon.errors.FileRejected` when a file is rejected whole: nothing has
    changed then.
    """
    spool.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=spool))
    rejected = RejectedLines(rejected_csv)
    try:
        for file in files:
            check_header(file.path, file.kind, file.name)
        staging = Staging(folder, rejected, StoreIds(permitted))
        sizes = [file.path.stat().st_size for file in files]
        for i, file in enumerate(files):
            before = sum(sizes[:i])

            def report(done: int, _: int, before: int = before) -> None:
                if progress:
                    progress(READING, before + done, sum(sizes))

            staging.read(file, report, limits)
        staging.flush()
        rejected.close()
        with database.writing():
            result = _write(staging, demo, progress)
            if finish:
                finish(result)
        for path in result.orphans:
            path.unlink(missing_ok=True)
        if result.counts.get(POLLS, Counts()).new >= LARGE:
            database.tidy()
        return result
    except BaseException:
        rejected.close()
        rejected_csv.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(staging: Staging, demo: bool, progress: StageProgress | None) -> Result:
    """Apply what was staged; the caller holds the write transaction."""
    result = Result(staging.counts, staging.rejected.first)
    if staging.empty:
        return result
    orphans = None if demo else remove_demo()
    result.orphans = orphans or []
    store_rows, new_stores = _store_rows(staging.ids.names, demo)
    changed = new_stores
    changed |= _write_zones(staging, store_rows, result)
    changed |= _write_hours(staging, store_rows, result)
    polls_from = _write_polls(staging, store_rows, result, progress)
    if changed or polls_from is not None:
        result.revision = new_revision(
            polls_from, stores_changed=changed, rebuild=orphans is not None
        )
    return result


def _store_rows(names: list[str], demo: bool) -> tuple[Ints, bool]:
    """The row ids (int64) of the stores named, which are made where they are missing."""
    known: dict[str, int] = dict(database.tuples(Store.select(Store.store_id, Store.id)))
    missing = sorted(name for name in names if name not in known)
    for part in chunked(missing, 10_000):
        Store.insert_many([{"store_id": name, "demo": demo} for name in part]).execute()
    if missing:
        known = dict(database.tuples(Store.select(Store.store_id, Store.id)))
    return np.array([known[name] for name in names], np.int64), bool(missing)


def _write_zones(staging: Staging, store_rows: Ints, result: Result) -> bool:
    if not staging.zones:
        return False
    lines = pd.concat(staging.zones, ignore_index=True)
    lines["row"] = store_rows[lines["store"].to_numpy()]
    with_zone = Store.select(Store.id, Store.timezone).where(~Store.timezone.is_null())
    stored: dict[int, str] = dict(database.tuples(with_zone))
    before = lines.groupby("row")["zone"].shift()
    before = before.where(before.notna(), lines["row"].map(stored))
    counts = result.counts[TIMEZONES]
    is_new = before.isna()
    counts.new += int(is_new.sum())
    counts.unchanged += int((before == lines["zone"]).sum())
    counts.updated += int((~is_new & (before != lines["zone"])).sum())
    final = lines.drop_duplicates("row", keep="last")
    final = final[final["zone"] != final["row"].map(stored)]
    database.set_zones(final["row"].to_numpy(), final["zone"].tolist())
    return len(final) > 0


def _write_hours(staging: Staging, store_rows: Ints, result: Result) -> bool:
    if not staging.hours:
        return False
    fields = ["row", "day", "start", "end"]
    lines = pd.concat(staging.hours, ignore_index=True)
    lines["row"] = store_rows[lines["store"].to_numpy()]
    lines = lines[fields]
    stored = pd.DataFrame(database.business_hours(), columns=fields)
    stored = stored[stored["row"].isin(lines["row"])]
    known = lines.merge(stored.drop_duplicates(), how="left", on=fields, indicator=True)
    unchanged = (known["_merge"] == "both").to_numpy() | lines.duplicated().to_numpy()
    days = stored[["row", "day"]].drop_duplicates()
    had_day = lines.merge(days, how="left", on=["row", "day"], indicator=True)["_merge"] == "both"
    counts = result.counts[BUSINESS_HOURS]
    counts.unchanged += int(unchanged.sum())
    counts.updated += int((~unchanged & had_day.to_numpy()).sum())
    counts.new += int((~unchanged & ~had_day.to_numpy()).sum())

    final = lines.drop_duplicates()
    both = final.merge(stored, how="outer", on=fields, indicator=True)
    rows = both.loc[both["_merge"] != "both", "row"].unique()
    if not len(rows):
        return False
    lines = final[final["row"].isin(rows)].sort_values(fields)
    database.replace_hours(rows, lines.to_numpy())
    return True


def _write_polls(
    staging: Staging, store_rows: Ints, result: Result, progress: StageProgress | None
) -> int | None:
    """Write the polls that are new or have another status; returns the earliest one's instant."""
    done = 0
    earliest: int | None = None
    for lines in staging.sorted_polls():
        earliest_here = _write_part(lines, store_rows, result.counts[POLLS])
        if earliest_here is not None:
            earliest = earliest_here if earliest is None else min(earliest, earliest_here)
        done += len(lines.store)
        if progress:
            progress(WRITING, done, staging.poll_lines)
    return earliest


def _write_part(lines: _Polls, store_rows: Ints, counts: Counts) -> int | None:
    store, time, status = lines.store, lines.time, lines.status
    # Lines for one poll stand together, in the order of the file: the first is compared with
    # the database, each further one with the line before it, and the last is what is stored.
    again = np.zeros(len(store), bool)
    again[1:] = (store[1:] == store[:-1]) & (time[1:] == time[:-1])
    if again.any():
        same_status = np.zeros(len(store), bool)
        same_status[1:] = status[1:] == status[:-1]
        counts.unchanged += int((again & same_status).sum())
        counts.updated += int((again & ~same_status).sum())
        last = np.append(~again[1:], True)
        first_status, last_status = status[~again], status[last]
        store, time = store[~again], time[~again]
    else:
        first_status = last_status = status

    row, order = _in_row_order(store, store_rows)
    row, time = row[order], time[order]
    first_status, last_status = first_status[order], last_status[order]
    merged = database.merge_polls(row, time, first_status, last_status)
    counts.new += merged.new
    counts.updated += merged.updated
    counts.unchanged += merged.unchanged
    return merged.earliest


def _in_row_order(store: Ints, store_rows: Ints) -> tuple[Ints, Ints]:
    """(row ids, order by row id): ``store`` is grouped, so whole groups change places."""
    starts = np.flatnonzero(np.append(True, store[1:] != store[:-1]))
    lengths = np.diff(np.append(starts, len(store)))
    row = store_rows[store]
    by_row = np.argsort(row[starts], kind="stable")
    lengths, starts = lengths[by_row], starts[by_row]
    ends = np.cumsum(lengths)
    order = np.arange(len(store)) + np.repeat(starts - (ends - lengths), lengths)
    return row, order
