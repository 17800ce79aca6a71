"""Computes the numbers of a report (SEMANTICS.md, "The report") from one consistent state of the
data."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.instants import DAY, HOUR, SECOND
from restmon.core.intervals import OpenIntervals, replace_intervals
from restmon.core.observations import Polls, observed_between
from restmon.core.outages import Outages, find_outages
from restmon.core.timeline import METHODS, NEAREST, Timeline, build_timeline
from restmon.core.uptime import measure_uptime
from restmon.errors import BadRequest, NoPolls
from restmon.ingest.values.one_timestamp import timestamp
from restmon.reporting import kept_lines, last_observations
from restmon.reporting.csv_lines import write_lines
from restmon.reporting.kept_lines import KeptLine
from restmon.reporting.listed_only import find_named
from restmon.reporting.snapshot import FOR_EVER, LOOKBACK, WEEK, Snapshot, Source, Stores
from restmon.reporting.snapshot import cache as shared_cache
from restmon.storage import database

Ints = NDArray[np.int64]

HEADER = (
    "store_id,uptime_last_hour,uptime_last_day,uptime_last_week,"
    "downtime_last_hour,downtime_last_day,downtime_last_week"
)
COLUMNS = HEADER.split(",")[1:]
"""The numbers of a report, in the order of its CSV."""
WINDOWS = [HOUR, DAY, WEEK]
UNITS = [60 * SECOND, HOUR, HOUR]
"""Microseconds of the unit each window is given in: minutes, hours, hours."""
HORIZON = 15 * DAY
"""The horizon is at least this long before a window (see `_bring_near`)."""

Progress = Callable[[float], None]


def parse_as_of(text: str) -> int:
    """Parse the instant of a report. Raises BadRequest."""
    return parse_instant("as_of", text)


def parse_instant(name: str, text: str) -> int:
    """Parse the instant in the parameter ``name``, in any form that polls files may use. Raises
    BadRequest, which names the parameter."""
    instant = timestamp(text.strip().encode("utf-8", "replace"))
    if instant is None:
        raise BadRequest(
            f"{name}={text[:60]!r} is not an instant.",
            "Write it as 2023-01-25 18:13:22 UTC or 2023-01-25T18:13:22Z.",
        )
    return instant


def check_method(method: str) -> str:
    """Return the method's name. Raises BadRequest for an unknown one."""
    if method not in METHODS:
        raise BadRequest(f"method={method[:60]!r} is not known.", f"Use {' or '.join(METHODS)}.")
    return method


def explain_no_polls() -> NoPolls:
    """The error that says why there are no polls to report on. The caller holds a connection."""
    if not database.has_polls():
        return NoPolls("There are no polls in the database yet.", "Import some first.")
    if database.newest_poll() is None:
        return NoPolls(
            "Every poll in the database is from the future.",
            "Check this machine's clock; python -m restmon forget --after now removes them.",
        )
    return NoPolls("There are no polls of your stores yet.", "Import some first.")


@dataclass(frozen=True)
class ReportData:
    """The numbers of a report.

    ``up`` and ``down`` are the exact half microseconds of the last hour, day and week: int64 of
    shape (stores, 3), rows in the order of ``stores.ids``. ``named`` masks the stores in polls,
    hours or time zones (None: all are, see `listed_only`). The others have no line in the CSV.
    """

    as_of: int
    method: str
    stores: Stores
    line: Timeline
    up: Ints
    down: Ints
    named: NDArray[np.bool_] | None = None

    def outages(self, window: int = WEEK) -> Outages:
        """The outages that overlap the window (microseconds) that ends at ``as_of``."""
        return find_outages(self.line, self.as_of, self.as_of - window)

    def csv(self, wanted: NDArray[np.bool_] | None = None) -> str:
        """The report's text, as SEMANTICS.md defines it. Each line ends with a newline. ``wanted``
        masks the stores to include (None: all)."""
        columns = [
            round_to_hundredths(times[:, w], unit)
            for times in (self.up, self.down)
            for w, unit in enumerate(UNITS)
        ]
        masks = [mask for mask in (wanted, self.named) if mask is not None]
        mask = np.logical_and.reduce(masks) if masks else None
        return f"{HEADER}\n{write_lines(self.stores.ids_as_bytes, columns, mask)}"


def round_to_hundredths(half_microseconds: Ints, unit: int) -> Ints:
    """Durations in hundredths of a unit (microseconds), rounded half to even, exactly."""
    divisor = unit // 50
    quotient = half_microseconds // divisor  # several times as fast as divmod
    rest = half_microseconds - quotient * divisor
    up = (2 * rest > divisor) | ((2 * rest == divisor) & (quotient % 2 == 1))
    return quotient + up


@dataclass(frozen=True)
class History:
    """Every store's timeline up to ``as_of``, from one consistent state of the data.

    It is correct in the requested window before ``as_of``. ``polls`` are those of the window and of
    a little time before it.
    """

    as_of: int
    method: str
    stores: Stores
    polls: Polls
    line: Timeline
    earlier: Polls


def read_history(
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
        snapshot, as_of = _read_state(as_of, window, cache)
        progress(0.4)
        marks = _read_marks(snapshot, as_of, window)
    progress(0.7)
    return _draw(snapshot, as_of, method, marks)


def _read_state(as_of: int | None, window: int, cache: Source) -> tuple[Snapshot, int]:
    """The snapshot for a report, and its instant. The caller holds a read transaction."""
    snapshot = cache.get(as_of, window)
    if as_of is None:
        as_of = snapshot.newest(database.latest_instant())
    if as_of is None or not (len(snapshot.parts) or database.has_polls()):
        raise explain_no_polls()
    return snapshot, as_of


@dataclass(frozen=True)
class _Marks:
    """What a timeline is made of: open intervals, polls, and the last observations before them."""

    intervals: OpenIntervals
    polls: Polls
    earlier: Polls


def _read_marks(snapshot: Snapshot, as_of: int, window: int) -> _Marks:
    stores = snapshot.stores
    begin, lo = as_of - window, as_of - window - LOOKBACK
    polls = snapshot.polls.between(lo, as_of)
    intervals = stores.open_between(lo, as_of)
    unseen = ~observed_between(len(stores.ids), intervals, polls, lo, begin)
    earlier = last_observations.last_observations(stores, np.flatnonzero(unseen), lo)
    if len(earlier.store):
        horizon = begin - max(HORIZON, window + DAY)
        earlier, theirs = _bring_near(stores, earlier, horizon, as_of)
        intervals = replace_intervals(intervals, earlier.store, theirs)
    return _Marks(intervals, polls, earlier)


def _draw(snapshot: Snapshot, as_of: int, method: str, marks: _Marks) -> History:
    line = build_timeline(marks.intervals, marks.polls, method, marks.earlier, runs=True)
    return History(as_of, method, snapshot.stores, marks.polls, line, marks.earlier)


def _bring_near(
    stores: Stores, earlier: Polls, horizon: int, as_of: int
) -> tuple[Polls, OpenIntervals]:
    """Move observations from before the horizon to it, so that the open intervals need not reach
    back to them. Return the observations and the intervals, up to ``as_of``.

    The window begins at least its own length and a day after the horizon. So no number in it
    changes:

    1. ``nearest``: the switch from an earlier observation to the next one is at their midpoint,
       which is at least half a day before the window, with or without the move.
    2. ``previous``: an earlier observation holds beyond an opening only in its own interval. A
       store that is open for 15 days without a break has the same week over and over, so it has
       been open ever since: both places are in the interval, or neither is.
    3. If weeks differ (other hours on dates), the store may have closed in between. This is
       checked, and the interval around the horizon is then cut to begin after it.
    """
    time = np.maximum(earlier.time, horizon)
    moved = Polls(earlier.store, time, earlier.status)
    intervals = last_observations.intervals_of(stores, earlier.store, time, as_of)
    odd = (time > earlier.time) & stores.schedule.has_exceptions[earlier.store]
    if odd.any():
        n = np.flatnonzero(odd)
        made = earlier.time[n]
        since = last_observations.intervals_of(stores, earlier.store[n], made, horizon + 1)
        unbroken = np.zeros(len(n), bool)
        of = since.store
        unbroken[of[(since.start <= made[of]) & (since.end > horizon)]] = True
        intervals = intervals.clipped(
            np.where(_at(n[~unbroken], len(time)), horizon + 1, -FOR_EVER), FOR_EVER
        )
    return moved, intervals


def _at(places: Ints, length: int) -> NDArray[np.bool_]:
    """The mask that is true at the places."""
    mask = np.zeros(length, bool)
    mask[places] = True
    return mask


def compute(
    as_of: int | None = None,
    method: str = NEAREST,
    progress: Progress | None = None,
    cache: Source = shared_cache,
) -> ReportData:
    """Compute the report as of an instant (None: the newest poll), from one state of the data.

    Raises :class:`~restmon.errors.NoPolls` if the database has no poll at all.
    """
    tell = progress or (lambda _: None)
    with database.reading():
        snapshot, as_of = _read_state(as_of, WEEK, cache)
        named = find_named(snapshot.stores)
        tell(0.4)
        kept = snapshot.lines.get(method)
        serves = kept is not None and kept.serves(as_of, WEEK)
        marks = None if serves else _read_marks(snapshot, as_of, WEEK)
    tell(0.7)
    if kept is None or marks is not None:
        assert marks is not None  # noqa: S101 - for the type checker
        line = _draw_anew(snapshot, as_of, method, marks)
    else:
        line = _go_on(snapshot, as_of, kept)
    up, down = measure_uptime(line, as_of, WINDOWS)
    tell(0.9)
    return ReportData(as_of, method, snapshot.stores, line, up, down, named)


def _draw_anew(snapshot: Snapshot, as_of: int, method: str, marks: _Marks) -> Timeline:
    """The timeline of a report, which is kept for the next one."""
    found = _draw(snapshot, as_of, method, marks)
    kept = snapshot.lines.get(method)
    if kept is None or kept.until <= as_of:
        span = as_of - WEEK, as_of
        made = kept_lines.keep(found.line, method, found.polls, found.earlier, span, snapshot.late)
        snapshot.lines[method] = made
    return found.line


def _go_on(snapshot: Snapshot, as_of: int, kept: KeptLine) -> Timeline:
    """The kept timeline with what follows it up to the report's instant."""
    polls = snapshot.parts.between(kept.until, as_of)
    longer = kept.going_on(as_of, polls)
    if longer is not kept:
        kept, polls = longer, polls.between(longer.until, as_of)
        snapshot.lines[kept.settled.method] = kept
    return kept.followed(polls)
