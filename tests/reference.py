"""The slow, obvious reading of SEMANTICS.md for one store, as a check on the fast one.

Instants are int microseconds since the Unix epoch, UTC. Wall-clock times are int microseconds
since local midnight (24:00 is 86_400_000_000). Durations are microseconds. Results that can fall
between two microseconds are Fractions. Nothing here is shared with the code it checks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from itertools import groupby, pairwise
from statistics import median, median_low
from zoneinfo import ZoneInfo

HOUR = 3_600_000_000
DAY = 24 * HOUR
LAST_MINUTE = DAY - 60_000_000
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1)
DEFAULT_ZONE = "America/Chicago"

# A switch is halfway between two instants, and the status of a piece is asked for halfway between
# two switches: counted in quarters of a microsecond all of these are whole numbers.
TICKS = 4

Row = tuple[int, int, int]  # day of week (0 = Monday), start, end
Times = tuple[int, int] | None  # start, end; None: closed
Poll = tuple[int, bool]  # instant, active
Interval = tuple[int, int]  # [start, end)
Observation = tuple[int, bool, Interval]  # instant, active, the open interval it was made in
Piece = tuple[int, int, bool]  # start, end (in ticks), active


# --- Open intervals -------------------------------------------------------------------------


def local_clock(instant: int, zone: str) -> int:
    """What a clock in `zone` shows at `instant`: microseconds since 1970-01-01 00:00 on it."""
    utc = EPOCH.replace(tzinfo=UTC) + instant * MICROSECOND
    return (utc.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - EPOCH) // MICROSECOND


@cache
def offsets_near(date: int, zone: str) -> frozenset[int]:
    """Every UTC offset in effect from 36 h before a local date begins to 36 h after it ends."""
    instants = [date * DAY + hours * HOUR for hours in range(-36, 24 + 36 + 1)]
    return frozenset(local_clock(instant, zone) - instant for instant in instants)


@cache
def wall_to_utc(wall: int, zone: str, is_end: bool) -> int:
    """The instant of a wall-clock time (SEMANTICS.md "Open intervals", "Wall clock to UTC").

    `wall` is microseconds since 1970-01-01 00:00 on the local clock. A time that happens twice is
    its first occurrence for a start and its second for an end; one that is skipped is the jump.
    """
    candidates = [wall - offset for offset in offsets_near(wall // DAY, zone)]
    occurrences = [instant for instant in candidates if local_clock(instant, zone) == wall]
    if occurrences:
        return max(occurrences) if is_end else min(occurrences)
    before, after = wall - 36 * HOUR, wall + 36 * HOUR
    while after - before > 1:  # the clock is short of `wall` at `before`, beyond it at `after`
        middle = (before + after) // 2
        if local_clock(middle, zone) < wall:
            before = middle
        else:
            after = middle
    return after


def merge(intervals: list[Interval]) -> list[Interval]:
    """Sorted, with those that overlap or touch made one (SEMANTICS.md "Open intervals")."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


@dataclass(frozen=True)
class Hours:
    """Everything SEMANTICS.md "Open intervals" lets decide when a store is open.

    `weekly` are the open rows, `closed_days` the weekdays with a closed row. `own` and `groups`
    are other hours: {date: rows}, the store's and those of each of its groups. Dates are days
    since 1970-01-01. `unreadable`: no row could be read, so the store is never open.
    """

    weekly: tuple[Row, ...] = ()
    closed_days: tuple[int, ...] = ()
    own: tuple[tuple[int, tuple[Times, ...]], ...] = ()
    groups: tuple[tuple[tuple[int, tuple[Times, ...]], ...], ...] = ()
    opened_on: int | None = None
    closed_on: int | None = None
    unreadable: bool = False


def rows_of(hours: Hours, date: int) -> list[tuple[int, int]]:
    """The rows that open on a local date: (start, end) as they are written."""
    if hours.opened_on is not None and date < hours.opened_on:
        return []
    if hours.closed_on is not None and date >= hours.closed_on:
        return []
    if date in dict(hours.own):
        return [times for times in dict(hours.own)[date] if times]
    of_groups = [dict(group)[date] for group in hours.groups if date in dict(group)]
    if of_groups:
        return [times for rows in of_groups for times in rows if times]
    if not hours.weekly and not hours.closed_days:
        return [(0, DAY)]
    weekday = (date + 3) % 7  # 1970-01-01, date 0, was a Thursday
    return [(start, end) for day, start, end in hours.weekly if day == weekday]


def open_intervals(hours: list[Row] | Hours, zone: str | None, lo: int, hi: int) -> list[Interval]:
    """The merged open intervals that share an instant with [lo, hi), in UTC and sorted.

    SEMANTICS.md "Open intervals". They are not clipped to [lo, hi), but only the dates from 3 days
    before `lo` to 3 days after `hi` are expanded, so one that goes on beyond those is cut there.
    A store with no hours, and nothing else that says otherwise, is open throughout: [(lo, hi)].
    """
    if isinstance(hours, list):
        hours = Hours(tuple(hours))
    if hours == Hours():
        return [(lo, hi)] if lo < hi else []
    if hours.unreadable:
        return []
    zone = zone or DEFAULT_ZONE
    found = []
    for date in range(lo // DAY - 3, hi // DAY + 3 + 1):
        for start, written_end in rows_of(hours, date):
            end = DAY if written_end >= LAST_MINUTE else written_end
            days_later = 0 if end > start else 1
            opens = wall_to_utc(date * DAY + start, zone, is_end=False)
            closes = wall_to_utc((date + days_later) * DAY + end, zone, is_end=True)
            if opens < closes:
                found.append((opens, closes))
    return [(start, end) for start, end in merge(found) if start < hi and end > lo]


# --- From polls to time ---------------------------------------------------------------------


def look(
    hours: list[Row] | Hours, zone: str | None, polls: list[Poll], as_of: int, since: int
) -> tuple[list[Interval], list[Observation]]:
    """The open intervals from `since`, or from the first poll if that is earlier, to `as_of`
    inclusive, and the observations in them. One expansion serves both, so that an interval which
    holds an old poll and the present is the same interval for both."""
    latest = dict(polls)  # the later line for a timestamp wins
    kept = sorted((instant, active) for instant, active in latest.items() if instant <= as_of)
    lo = min([since, as_of] + [instant for instant, _ in kept])
    intervals = open_intervals(hours, zone, lo, as_of + 1)
    seen = [
        (instant, active, (start, end))
        for instant, active in kept
        for start, end in intervals
        if start <= instant < end
    ]
    return intervals, seen


def observations(
    hours: list[Row] | Hours, zone: str | None, polls: list[Poll], as_of: int
) -> list[Observation]:
    """The polls that count, sorted: (instant, active, the open interval it is inside).

    SEMANTICS.md "Now" (nothing after `as_of`), "From polls to time" (only inside an open interval)
    and "Inputs" (`polls` is in import order; for one timestamp the later wins).
    """
    return look(hours, zone, polls, as_of, as_of)[1]


def status(t: int | Fraction, inside: list[Poll], everywhere: list[Poll], method: str) -> bool:
    """Whether the store is up at an open instant: SEMANTICS.md "From polls to time", literally.

    `inside`: the (time, active) observations of the interval `t` is in; `everywhere`: all of the
    store's, of which there is at least one. Both sorted, in the same unit of time as `t`.
    """
    if method == "nearest":
        return min(inside or everywhere, key=lambda poll: (abs(poll[0] - t), poll[0]))[1]
    if method == "previous":
        among = inside or everywhere
        earlier = [active for time, active in among if time <= t]
        return earlier[-1] if earlier else among[0][1]
    raise ValueError(f"unknown method {method!r}")


def status_at(
    t: int | Fraction,
    hours: list[Row] | Hours,
    zone: str | None,
    polls: list[Poll],
    as_of: int,
    method: str,
) -> bool | None:
    """Whether the store is up at `t` <= `as_of`; None if it is closed then or was never seen.

    SEMANTICS.md "From polls to time".
    """
    intervals, seen = look(hours, zone, polls, as_of, int(t // 1))
    for start, end in intervals:
        if seen and start <= t < end:
            inside = [(time, active) for time, active, where in seen if where == (start, end)]
            everywhere = [(time, active) for time, active, _ in seen]
            return status(t, inside, everywhere, method)
    return None


def pieces(
    intervals: list[Interval], seen: list[Observation], method: str, lo: int, hi: int
) -> Iterator[Piece]:
    """The open time in [lo, hi), in order, cut wherever the status could change; each piece with
    its status, asked for at its middle."""
    everywhere = [(time * TICKS, active) for time, active, _ in seen]
    times = [time for time, _ in everywhere]
    # The observations of an interval are neighbors in this list too, so whichever of the two
    # sets is asked, the nearest one changes only halfway between neighbors.
    midpoints = [(a + b) // 2 for a, b in pairwise(times)]
    switches = sorted(times + midpoints)
    for interval in intervals:
        start, end = max(interval[0], lo) * TICKS, min(interval[1], hi) * TICKS
        if not seen or start >= end:
            continue
        inside = [(time * TICKS, active) for time, active, where in seen if where == interval]
        cuts = [start, *(switch for switch in switches if start < switch < end), end]
        for a, b in pairwise(cuts):
            if a < b:
                yield a, b, status((a + b) // 2, inside, everywhere, method)


def uptime(
    hours: list[Row] | Hours,
    zone: str | None,
    polls: list[Poll],
    as_of: int,
    method: str,
    window: int,
) -> tuple[Fraction, Fraction]:
    """(uptime, downtime) in [as_of - window, as_of), in microseconds, exact.

    SEMANTICS.md "Now" and "From polls to time". Both are 0 without any observation.
    """
    return time_between(hours, zone, polls, as_of, method, as_of - window, as_of)


def time_between(
    hours: list[Row] | Hours,
    zone: str | None,
    polls: list[Poll],
    as_of: int,
    method: str,
    lo: int,
    hi: int,
) -> tuple[Fraction, Fraction]:
    """(uptime, downtime) in [lo, hi), hi <= as_of, in microseconds, exact."""
    intervals, seen = look(hours, zone, polls, as_of, lo)
    total = {True: 0, False: 0}
    for start, end, active in pieces(intervals, seen, method, lo, hi):
        total[active] += end - start
    return Fraction(total[True], TICKS), Fraction(total[False], TICKS)


def time_by_clock(
    hours: list[Row] | Hours,
    zone: str | None,
    polls: list[Poll],
    as_of: int,
    method: str,
    lo: int,
    hi: int,
) -> dict[tuple[int, int], tuple[Fraction, Fraction]]:
    """(uptime, downtime) in [lo, hi), hi <= as_of, in microseconds, by (date, hour) on the
    store's clock; the date in days since 1970-01-01. Only those with some time are there.

    The clocks of today's zones start their hours, and jump, at whole quarters of an hour UTC.
    """
    intervals, seen = look(hours, zone, polls, as_of, lo)
    quarter = HOUR // 4
    total: dict[tuple[int, int], dict[bool, int]] = {}
    for piece_start, piece_end, active in pieces(intervals, seen, method, lo, hi):
        start = piece_start
        while start < piece_end:
            instant = start // TICKS
            end = min((instant // quarter + 1) * quarter * TICKS, piece_end)
            date, wall = divmod(local_clock(instant, zone or DEFAULT_ZONE), DAY)
            cell = total.setdefault((date, wall // HOUR), {True: 0, False: 0})
            cell[active] += end - start
            start = end
    return {
        key: (Fraction(cell[True], TICKS), Fraction(cell[False], TICKS))
        for key, cell in total.items()
    }


def last_status(
    hours: list[Row] | Hours, zone: str | None, polls: list[Poll], as_of: int, method: str
) -> tuple[bool, bool | None]:
    """(whether the store is open at `as_of`, whether it is up then, or if it is closed, was at
    its last open moment before); None if it was never seen."""
    intervals, seen = look(hours, zone, polls, as_of, as_of)
    is_open = any(start <= as_of < end for start, end in intervals)
    if not seen:
        return is_open, None
    if is_open:
        return True, status_at(as_of, hours, zone, polls, as_of, method)
    return False, list(pieces(intervals, seen, method, seen[0][0], as_of))[-1][2]


# --- The report -----------------------------------------------------------------------------


def two_decimals(value: Fraction) -> str:
    """Rounded half to even from the exact value (SEMANTICS.md "The report"); value >= 0."""
    hundredths = round(value * 100)  # a Fraction rounds exactly, half to even
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def report_row(
    hours: list[Row] | Hours, zone: str | None, polls: list[Poll], as_of: int, method: str
) -> list[str]:
    """The six columns after store_id: uptime, then downtime, of the last hour, day and week.

    SEMANTICS.md "The report": the hour columns in minutes, the others in hours.
    """
    up, down = [], []
    for window, unit in ((HOUR, HOUR // 60), (DAY, HOUR), (7 * DAY, HOUR)):
        up_us, down_us = uptime(hours, zone, polls, as_of, method, window)
        up.append(two_decimals(up_us / unit))
        down.append(two_decimals(down_us / unit))
    return up + down


# --- An outage ------------------------------------------------------------------------------


def outages(
    hours: list[Row] | Hours,
    zone: str | None,
    polls: list[Poll],
    as_of: int,
    method: str,
    since: int,
) -> list[tuple[Fraction, Fraction, Fraction, bool]]:
    """(start, end, open_us, ongoing) of each outage with down time in [since, as_of), in order.

    SEMANTICS.md "An outage". `start` and `end` are instants, `open_us` the microseconds of open
    time in the whole run, also before `since` but not after `as_of`; `ongoing`: the store is down
    at the last open moment before `as_of`. A store has its first observation's status all the way
    back, so a run that reaches back to that has no start of its own: what is before both the first
    observation and `since` is not looked at.
    """
    intervals, seen = look(hours, zone, polls, as_of, since)
    first = min([since] + [time for time, _, _ in seen])
    found = list(pieces(intervals, seen, method, first, as_of))
    result = []
    for active, group in groupby(found, key=lambda piece: piece[2]):
        run = list(group)
        if active or run[-1][1] <= since * TICKS:
            continue
        open_ticks = sum(end - start for start, end, _ in run)
        start, end, open_us = (Fraction(x, TICKS) for x in (run[0][0], run[-1][1], open_ticks))
        result.append((start, end, open_us, run[-1] is found[-1]))
    return result


# --- Coverage -------------------------------------------------------------------------------


def coverage(
    hours: list[Row] | Hours,
    zone: str | None,
    polls: list[Poll],
    as_of: int,
    lo: int,
    hi: int,
    near: int,
) -> tuple[int, int]:
    """(covered, open) time in [lo, hi), microseconds. SEMANTICS.md "Coverage"."""
    _, seen = look(hours, zone, polls, as_of, lo)
    around = merge([(time - near, time + near) for time, _, _ in seen])
    intervals = [
        (max(start, lo), min(end, hi)) for start, end in open_intervals(hours, zone, lo, hi)
    ]
    covered = sum(
        max(0, min(end, b) - max(start, a)) for start, end in intervals for a, b in around
    )
    return covered, sum(end - start for start, end in intervals)


def is_stale(hours: list[Row] | Hours, zone: str | None, polls: list[Poll], as_of: int) -> bool:
    """Whether no poll came for too much of the open time. SEMANTICS.md "Coverage"."""
    times = sorted({time for time, _ in polls if time <= as_of})
    if not times:
        return False
    recent = [time for time in times if time >= as_of - 7 * DAY]
    gaps = sorted(b - a for a, b in pairwise(recent))
    usual = median_low(gaps) if gaps else 0
    since = open_intervals(hours, zone, times[-1], as_of)
    age = sum(min(end, as_of) - max(start, times[-1]) for start, end in since)
    return age > max(3 * usual, 3 * HOUR)


# --- How often, and why ---------------------------------------------------------------------


def outage_statistics(
    hours: list[Row] | Hours,
    zone: str | None,
    polls: list[Poll],
    as_of: int,
    method: str,
    lo: int,
    hi: int,
) -> tuple[int, int, Fraction, Fraction]:
    """(outages, begun, longest, total) of the window [lo, hi): SEMANTICS.md "An outage".

    Durations are whole, in microseconds. A run that reaches back to the store's first observation
    has no start, so it is not one that begins in the window.
    """
    intervals, seen = look(hours, zone, polls, as_of, lo)
    first = min([lo] + [time for time, _, _ in seen])
    durations, begun = [Fraction(0)], 0
    runs = groupby(pieces(intervals, seen, method, first, as_of), key=lambda piece: piece[2])
    for number, (active, group) in enumerate(runs):
        run = list(group)
        touches = any(end > lo * TICKS and start < hi * TICKS for start, end, _ in run)
        if active or not touches:
            continue
        durations.append(Fraction(sum(end - start for start, end, _ in run), TICKS))
        begun += number > 0 and run[0][0] >= lo * TICKS
    return len(durations) - 1, begun, max(durations), sum(durations, Fraction(0))


def cause(
    hours: list[Row] | Hours,
    zone: str | None,
    polls: list[Poll],
    reasons: dict[int, int],
    as_of: int,
    outage: tuple[Fraction, Fraction],
) -> int | None:
    """The reason of the first inactive observation of an outage (start, end) that has one."""
    seen = observations(hours, zone, polls, as_of)
    for active, group in groupby(seen, key=lambda observation: observation[1]):
        times = [time for time, _, _ in group]
        # Up again is seen between an outage's observations and the next outage's start; the last
        # one's may be made at as_of itself, after its open time.
        if not active and times[-1] >= outage[0]:
            return next((reasons[time] for time in times if time in reasons), None)
    raise AssertionError("an outage without an observation")


# --- An incident ----------------------------------------------------------------------------

Everything = tuple[list[Row] | Hours, str | None, list[Poll]]


def incidents(
    stores: list[Everything], as_of: int, method: str, lo: int, hi: int
) -> list[tuple[int, int, int, Fraction, list[int]]]:
    """(start, end, most down, peak share, stores struck) of each incident in [lo, hi).

    SEMANTICS.md "An outage". Every store is looked at at the start of every quarter hour.
    """
    quarter = HOUR // 4
    quarters = [q * quarter for q in range(-(-lo // quarter), -(-hi // quarter))]
    now = {
        q: [status_at(q, hours, zone, polls, as_of, method) for hours, zone, polls in stores]
        for q in quarters
    }
    down = {q: [s for s, status in enumerate(now[q]) if status is False] for q in quarters}
    share = {
        q: Fraction(len(down[q]), max(sum(status is not None for status in now[q]), 1))
        for q in quarters
    }
    usual = median(share.values()) if quarters else Fraction(0)

    def unusual(q: int) -> bool:
        return len(down[q]) >= 5 and share[q] >= Fraction(5, 100) and share[q] >= 2 * usual

    result = []
    for is_incident, group in groupby(quarters, key=unusual):
        run = list(group)
        if is_incident:
            struck = sorted({s for q in run for s in down[q]})
            most, peak = max(len(down[q]) for q in run), max(share[q] for q in run)
            result.append((run[0], run[-1] + quarter, most, peak, struck))
    return result


# --- Targets and lost sales -----------------------------------------------------------------


def judge(
    stores: list[tuple[Fraction | None, int, int, int]],
) -> tuple[str, Fraction, Fraction, Fraction | float | None]:
    """(status, budget, used, burn rate) of the sum of stores, each (target, open time of the
    month, open time so far, downtime so far). SEMANTICS.md "Targets"."""
    known = [store for store in stores if store[0] is not None]
    if not known:
        return "", Fraction(0), Fraction(0), None
    budget = sum((1 - target) * month for target, month, _, _ in known)
    pace = sum((1 - target) * so_far for target, _, so_far, _ in known)
    used = Fraction(sum(down for _, _, _, down in known))
    burn = used / pace if pace else Fraction(0) if not used else float("inf")
    status = "missed" if used > budget else "at risk" if burn > 1 else "met"
    return status, budget, used, burn if any(so_far for _, _, so_far, _ in known) else None


def lost_sales(
    down: dict[tuple[int, int], Fraction],
    per_hour: Fraction | None,
    hourly: dict[tuple[int, int], Fraction],
) -> Fraction | None:
    """The estimate from downtime (microseconds) by (weekday, hour). SEMANTICS.md "Lost sales"."""
    if per_hour is None and not hourly:
        return None
    total = Fraction(0)
    for cell, time in down.items():
        rate = hourly.get(cell, per_hour)
        if rate is None and time:
            return None
        total += time / HOUR * (rate or 0)
    return total
