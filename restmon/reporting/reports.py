"""Reports: the numbers (SEMANTICS.md, "The report") and a report's life.

Asked for → Running → Complete or Failed. The row in the database is the truth; the CSV stands
in the reports folder under the report's id.
"""

import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from restmon import audit, carry_in, database, leases, scope, shards
from restmon.errors import BadRequest, NoPolls, NotFound, RestmonError
from restmon.fields import EPOCH, MICROSECOND, timestamp
from restmon.hours import DAY, HOUR, SECOND, open_intervals, replaced
from restmon.models import COMPLETE, FAILED, RUNNING, Report, Shard
from restmon.outages import Outages, outages
from restmon.roles import THIS_MACHINE, Actor, Role
from restmon.settings import get_settings
from restmon.snapshot import LOOKBACK, WEEK, Source, Stores
from restmon.snapshot import cache as shared_cache
from restmon.uptime import METHODS, NEAREST, Polls, Timeline, observed_between, timeline, uptime

Ints = NDArray[np.int64]

HEADER = (
    "store_id,uptime_last_hour,uptime_last_day,uptime_last_week,"
    "downtime_last_hour,downtime_last_day,downtime_last_week"
)
COLUMNS = HEADER.split(",")[1:]
"""The numbers of a report, in the order of its CSV."""
WINDOWS = [HOUR, DAY, WEEK]
UNITS = [60 * SECOND, HOUR, HOUR]
"""Microseconds of the unit each window is told in: minutes, hours, hours."""
HORIZON = 15 * DAY
"""An observation this long before the window (of two weeks at most) stands for one at that
distance: nearest in time, any observation of the window is nearer; held until the next, only what
is open without a break since then is still its interval, and weekly hours that go 15 days without
a break have none."""

Progress = Callable[[float], None]


def as_text(instant: int) -> str:
    """An instant in microseconds, written as in the polls file: to the microsecond, `` UTC``."""
    return f"{utc(instant).isoformat(sep=' ', timespec='microseconds')[:26]} UTC"


def parse_as_of(text: str) -> int:
    """The instant a user wrote, in any form the polls file may use; raises BadRequest."""
    instant = timestamp(text.strip().encode("utf-8", "replace"))
    if instant is None:
        raise BadRequest(
            f"as_of={text[:60]!r} is not an instant.",
            "Write it as 2023-01-25 18:13:22 UTC or 2023-01-25T18:13:22Z.",
        )
    return instant


def check_method(method: str) -> str:
    """The method's name; raises BadRequest for any other."""
    if method not in METHODS:
        raise BadRequest(f"method={method[:60]!r} is not known.", f"Use {' or '.join(METHODS)}.")
    return method


@dataclass(frozen=True)
class ReportData:
    """The numbers of a report: ``up`` and ``down`` are int64 of shape (stores, 3) in half
    microseconds, exact, for the last hour, day and week; rows in the order of ``stores.ids``."""

    as_of: int
    method: str
    stores: Stores
    line: Timeline
    up: Ints
    down: Ints

    def outages(self, window: int = WEEK) -> Outages:
        """The outages that overlap the window (microseconds) that ends at ``as_of``."""
        return outages(self.line, self.as_of, self.as_of - window)

    def csv(self, wanted: NDArray[np.bool_] | None = None) -> str:
        """The report's text, as SEMANTICS.md defines it, lines ended by a newline; of the stores
        ``wanted`` alone, where they are given."""
        columns = [hundredths(self.up[:, w], unit) for w, unit in enumerate(UNITS)]
        columns += [hundredths(self.down[:, w], unit) for w, unit in enumerate(UNITS)]
        largest = max((int(column.max()) for column in columns if len(column)), default=0)
        text = np.array([f"{n // 100}.{n % 100:02d}" for n in range(largest + 1)], object)
        rows = zip(self.stores.ids, *(text[column] for column in columns), strict=True)
        chosen = rows if wanted is None else compress(rows, wanted)
        return "\n".join([HEADER, *map(",".join, chosen)]) + "\n"


def hundredths(half_microseconds: Ints, unit: int) -> Ints:
    """Durations in hundredths of a unit (microseconds), rounded half to even, exactly."""
    divisor = unit // 50
    quotient, rest = np.divmod(half_microseconds, divisor)
    up = (2 * rest > divisor) | ((2 * rest == divisor) & (quotient % 2 == 1))
    return quotient + up


@dataclass(frozen=True)
class History:
    """Every store's timeline up to ``as_of``, of one consistent state of the data.

    It is good in the window (microseconds) before ``as_of`` that was asked for. ``polls`` are
    those of the window and of a little time before it.
    """

    as_of: int
    method: str
    stores: Stores
    polls: Polls
    line: Timeline


def history(
    as_of: int | None,
    method: str,
    window: int,
    progress: Progress = lambda _: None,
    cache: Source = shared_cache,
) -> History:
    """All stores' history as of an instant (None: the newest poll), windows up to two weeks.

    Raises :class:`~restmon.errors.NoPolls` when the database has no poll at all.
    """
    with database.reading():
        snapshot = cache.get(as_of, window)
        stores, polls = snapshot.stores, snapshot.polls
        if as_of is None:
            as_of = int(polls.time.max()) if len(polls.time) else database.newest_poll()
        if as_of is None or not (len(polls.time) or database.has_polls()):
            raise NoPolls("There are no polls in the database yet.", "Import some first.")
        progress(0.4)
        count = len(stores.ids)
        begin, lo = as_of - window, as_of - window - LOOKBACK
        polls = polls.between(lo, as_of)
        intervals = open_intervals(
            count, stores.hours, stores.zone_of_store, stores.zones, lo, as_of
        )
        progress(0.6)
        unseen = ~observed_between(count, intervals, polls, lo, begin)
        carried = carry_in.last_observations(stores, np.flatnonzero(unseen), lo)
        if len(carried.store):
            carried.time[:] = np.maximum(carried.time, begin - HORIZON)
            earlier = carry_in.intervals_of(stores, carried.store, carried.time, as_of)
            intervals = replaced(intervals, carried.store, earlier)
    progress(0.7)
    line = timeline(count, intervals, polls, method, carried, runs=True)
    return History(as_of, method, stores, polls, line)


def compute(
    as_of: int | None = None,
    method: str = NEAREST,
    progress: Progress | None = None,
    cache: Source = shared_cache,
) -> ReportData:
    """The report as of an instant (None: the newest poll), of one consistent state of the data.

    Raises :class:`~restmon.errors.NoPolls` when the database has no poll at all.
    """
    tell = progress or (lambda _: None)
    found = history(as_of, method, WEEK, tell, cache)
    up, down = uptime(found.line, found.as_of, WINDOWS)
    tell(0.9)
    return ReportData(found.as_of, method, found.stores, found.line, up, down)


def request(
    as_of: int | None = None,
    method: str = NEAREST,
    requested_by: str = "api",
    actor: Actor = THIS_MACHINE,
) -> Report:
    """Put a report on record as Running, of the stores the actor sees; the caller enqueues its
    id. Raises NoPolls when there is nothing to report on, Forbidden."""
    actor.must(Role.OWNER)
    check_method(method)
    with database.session():
        if not database.has_polls():
            raise NoPolls("There are no polls in the database yet.", "Import some first.")
        report = Report.create(
            as_of=as_of,
            method=method,
            requested_by=requested_by,
            actor=actor.name,
            groups=scope.groups_of(actor),
        )
        audit.note(actor, audit.TRIGGERED, report.id)
        return report


def get(report_id: str, actor: Actor = THIS_MACHINE) -> Report:
    """The report's row; raises NotFound, also where it is not there for the actor."""
    report = scope.find(Report, actor, report_id)
    if report is None:
        raise NotFound(f"There is no report {report_id[:64]!r}.", "Trigger one to get a report id.")
    return report


def recent(limit: int = 50, actor: Actor = THIS_MACHINE) -> list[Report]:
    """The newest reports that are there for the actor, newest first."""
    return scope.recent(Report, actor, limit)


def csv_path(report_id: str) -> Path:
    """Where the CSV of a report stands."""
    return get_settings().reports_dir / f"{report_id}.csv"


def read_csv(report: Report) -> bytes:
    """The CSV of a complete report; raises NotFound when the file is gone, RestmonError when it is
    not whole or cannot be read."""
    try:
        content = csv_path(report.id).read_bytes()
    except FileNotFoundError:
        raise NotFound(
            f"The CSV of report {report.id} is no longer in the reports folder.",
            "Trigger a new report.",
        ) from None
    except OSError as error:
        raise RestmonError(
            f"The CSV of report {report.id} cannot be read: {error.strerror or error}.",
            "Make the reports folder readable, or trigger a new report.",
        ) from None
    if report.size is not None and len(content) != report.size:
        raise _damaged(report)
    return content


def _damaged(report: Report) -> RestmonError:
    return RestmonError(
        f"The CSV of report {report.id} is damaged.", "Trigger a new report and use that."
    )


def table(report: Report) -> pd.DataFrame:
    """The CSV of a complete report: ``store_id`` as text, the six numbers as float64.

    Raises NotFound when the file is gone, RestmonError when it is not whole.
    """
    content = read_csv(report)
    types = {"store_id": "str", **dict.fromkeys(COLUMNS, "float64")}
    try:
        found = pd.read_csv(io.BytesIO(content), dtype=types, keep_default_na=False)
    except ValueError:
        raise _damaged(report) from None
    if list(found.columns) != HEADER.split(","):
        raise _damaged(report)
    return found


def work(report_id: str) -> bool:
    """Take a report up and bring it to its end, or, where it is of many stores, part it into
    shards (see :mod:`restmon.shards`); returns whether it was this call's to do."""
    lease = leases.take(Report, report_id)
    return lease is not None and leases.carry_out(lease, _work)


def _work(lease: leases.Lease) -> None:
    report = lease.job
    assert isinstance(report, Report)  # noqa: S101 - for the type checker
    parts = shards.of(report.id)
    if parts and all(part.status != RUNNING for part in parts):
        _join(lease, parts)
    elif parts or shards.part(report):
        lease.release()
    else:
        data = compute(report.as_of, report.method, lease.tell)
        text, stores = told(data, report)
        finish(lease, text.encode(), data.as_of, stores, data.stores.demo)


def told(data: ReportData, report: Report) -> tuple[str, int]:
    """The text of a report and the number of its stores: of its groups alone, where it has
    any."""
    if report.groups is None:
        return data.csv(), len(data.stores.ids)
    wanted = scope.mask(report.groups, data.stores.ids)
    return data.csv(wanted), int(wanted.sum())


def work_shard(shard_id: str) -> str | None:
    """Take a shard up and bring it to its end.

    Returns the id of its report where that is to be looked at next: all of its shards are done,
    or it is to be parted anew. None: others are still at it, or it was not this call's to do.
    """
    lease = leases.take(Shard, shard_id)
    if lease is None or not leases.carry_out(lease, _work_shard):
        return None
    shard = lease.job
    assert isinstance(shard, Shard)  # noqa: S101 - for the type checker
    return shard.report_id if shards.settled(shard.report_id) else None


def _work_shard(lease: leases.Lease) -> None:
    shard = lease.job
    assert isinstance(shard, Shard)  # noqa: S101 - for the type checker
    with database.reading():
        unchanged = shards.unchanged_since(shard.data_revision, shard.as_of)
        if unchanged:
            stores = shards.StoreRange(shard.first, shard.end)
            report = get(shard.report_id)
            data = compute(shard.as_of, report.method, lease.tell, stores)
    if not unchanged:
        shards.give_back(shard.report_id)
        return
    lines, count = told(data, report)
    text = lines.removeprefix(f"{HEADER}\n").encode()
    write_beside(shards.path(shard), text)
    lease.complete(stores=count, size=len(text), demo=data.stores.demo)


def _join(lease: leases.Lease, parts: list[Shard]) -> None:
    """Put the parts together, in order, as the report's CSV."""
    for part in parts:
        if part.status == FAILED:
            raise RestmonError(part.error or "A part of the report failed.")
    try:
        texts = [shards.path(part).read_bytes() for part in parts]
    except FileNotFoundError as error:
        raise RestmonError(
            f"A part of the report is not there: {error.filename}.",
            "RESTMON_DATA_DIR must be one folder that all workers share. Trigger a new report.",
        ) from None
    text = b"".join([f"{HEADER}\n".encode(), *texts])
    stores = sum(part.stores or 0 for part in parts)
    finish(lease, text, parts[0].as_of, stores, any(part.demo for part in parts))
    shutil.rmtree(shards.folder(lease.job.id), ignore_errors=True)


def finish(lease: leases.Lease, text: bytes, as_of: int, stores: int, demo: bool) -> None:
    """Write a report's CSV and mark the report complete, both or neither; raises LeaseLost,
    RestmonError."""
    target = csv_path(lease.job.id)
    with beside(target, text) as part, database.updating():
        # The row comes first: a worker that lost its lease must not touch another's file.
        lease.complete(as_of=as_of, stores=stores, size=len(text), demo=demo)
        part.replace(target)


def write_beside(target: Path, content: bytes) -> None:
    """Write a file beside its place, flush it to the disk and move it in; raises RestmonError."""
    with beside(target, content) as part:
        part.replace(target)


@contextmanager
def beside(target: Path, content: bytes) -> Iterator[Path]:
    """A file of the content, on the disk, beside the place it is meant for; it is deleted if it is
    not moved. Raises RestmonError where it cannot be written."""
    part = target.with_name(f"{target.name}.{os.getpid()}-{leases.new_owner()[-12:]}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            yield part
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise RestmonError(
            f"The file {target} cannot be written: {error.strerror or error}.",
            "Make room or make the folder writable, then try again.",
        ) from error


def status_of(report: Report) -> dict[str, object]:
    """A report's state as the API and the pages show it."""
    return {
        "report_id": report.id,
        "status": report.status,
        "progress": 1.0 if report.status == COMPLETE else round(report.progress, 3),
        "as_of": None if report.as_of is None else as_text(report.as_of),
        "method": report.method,
        "requested_at": as_text(report.requested_at),
        "requested_by": report.requested_by,
        "demo": bool(report.demo),
    }


def seconds(report: Report) -> float | None:
    """How long the last attempt took, in seconds."""
    if report.finished_at is None or report.started_at is None:
        return None
    return float((report.finished_at - report.started_at) / SECOND)


def utc(instant: int) -> datetime:
    """An instant in microseconds as a datetime in UTC."""
    return EPOCH + instant * MICROSECOND
