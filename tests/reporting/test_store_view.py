"""What the Store page shows, out of a database: worked by hand, and against the reference."""

from datetime import UTC, date, datetime
from itertools import product
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restmon.core.explanations import CLOSING, MIDPOINT, OPENING, POLL, RANGE, join_spans
from restmon.core.hours import CLOSED
from restmon.core.timeline import METHODS, NEAREST
from restmon.errors import BadRequest, NotFound
from restmon.reporting import reports
from restmon.reporting.store_timeline import read_store, weekly_hours
from restmon.storage import database, models
from tests import reference
from tests.support.examples import examples
from tests.support.halves import halves
from tests.support.imported import import_stores
from tests.support.stores import DAY, HOUR, MINUTE, SECOND, AStore, cases
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

MONDAY = "a,0,09:00,12:00\n"
CHICAGO = "a,America/Chicago\n"


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def polls(*rows: str, store: str = "a") -> str:
    """Lines from "2023-01-23 16:14 up"."""
    text = ""
    for row in rows:
        day, time, word = row.split()
        status = {"up": "active", "down": "inactive"}[word]
        text += f"{store},{status},{day} {time}:00 UTC\n"
    return text


def test_the_worked_example(workspace: Workspace):
    workspace.import_now(
        polls("2023-01-23 14:30 down", "2023-01-23 16:14 up", "2023-01-23 17:15 down"),
        MONDAY,
        CHICAGO,
    )
    noon = utc("2023-01-23 18:00")
    found = read_store("a", noon - DAY, noon, as_of=noon)
    opening, middle = utc("2023-01-23 15:00"), utc("2023-01-23 16:44:30")
    first, second = utc("2023-01-23 16:14"), utc("2023-01-23 17:15")
    assert (found.zone, found.zone_assumed, found.hours_assumed) == (
        "America/Chicago",
        False,
        False,
    )
    assert found.hours == [(0, 9 * HOUR, 12 * HOUR)]
    assert (found.open_start.tolist(), found.open_end.tolist()) == ([opening], [noon])
    assert found.polls.time.tolist() == [utc("2023-01-23 14:30"), first, second]
    assert found.polls.counts.tolist() == [False, True, True]
    spans = found.spans
    assert spans.start.tolist() == [opening, middle]
    assert spans.end.tolist() == [middle, noon]
    assert spans.status.tolist() == [1, 0]
    assert spans.poll.tolist() == [first, second]
    assert spans.carried.tolist() == [False, False]
    assert spans.starts.kind.tolist() == [OPENING, MIDPOINT]
    assert spans.ends.kind.tolist() == [MIDPOINT, CLOSING]
    assert (spans.ends.before[0], spans.ends.after[0]) == (first, second)
    assert (spans.starts.before[1], spans.starts.after[1]) == (first, second)
    assert found.up == 2 * (104 * MINUTE + 30 * SECOND)
    assert found.down == 2 * (75 * MINUTE + 30 * SECOND)
    assert found.days.date.astype(object).tolist() == [date(2023, 1, 22), date(2023, 1, 23)]
    assert found.days.open.tolist() == [0, 2 * 180 * MINUTE]
    assert found.days.down.tolist() == [0, found.down]
    assert found.outages.start.tolist() == [middle]
    assert found.outages.ongoing.tolist() == [True]
    assert (found.last_poll, found.last_poll_active) == (second, False)
    assert found.first_observation == first  # not the poll before opening
    assert found.open_before_first == 2 * 74 * MINUTE

    previous = read_store("a", noon - DAY, noon, "previous", as_of=noon)
    assert previous.spans.start.tolist() == [opening, second]
    assert previous.spans.starts.kind.tolist() == [OPENING, POLL]
    assert (previous.spans.starts.before[1], previous.spans.starts.after[1]) == (first, second)
    assert previous.down == 2 * 45 * MINUTE


def test_the_range_cuts_and_the_poll_beyond_it_still_counts(workspace: Workspace):
    workspace.import_now(polls("2023-01-23 16:14 up", "2023-01-23 17:15 down"), MONDAY, CHICAGO)
    lo, hi = utc("2023-01-23 16:30"), utc("2023-01-23 17:00")
    found = read_store("a", lo, hi)
    assert (found.first_observation, found.open_before_first) == (None, 0)
    early = read_store("a", utc("2023-01-23 15:20"), utc("2023-01-23 15:50"))
    assert early.first_observation == utc("2023-01-23 16:14")
    assert early.open_before_first == early.up == 2 * 30 * MINUTE
    assert len(found.polls.time) == 0
    assert found.spans.status.tolist() == [1, 0]
    assert found.spans.end[0] == found.spans.start[1] == utc("2023-01-23 16:44:30")
    assert found.spans.starts.kind.tolist() == [RANGE, MIDPOINT]
    assert found.spans.ends.kind.tolist() == [MIDPOINT, RANGE]
    assert found.up + found.down == found.open == 2 * (hi - lo)
    assert found.outages.start.tolist() == [utc("2023-01-23 16:44:30")]
    # The outage begins where this range ends, and is none of its.
    assert read_store("a", lo, utc("2023-01-23 16:44:30")).outages.start.tolist() == []
    assert read_store("a", lo, utc("2023-01-23 16:40")).outages.start.tolist() == []
    # Where the range ends at a turn, the turn is the reason.
    opening = utc("2023-01-23 15:00")
    exact = read_store("a", opening, utc("2023-01-23 18:00"), as_of=hi + DAY).spans
    assert (exact.starts.kind[0], exact.ends.kind[-1]) == (OPENING, CLOSING)
    beyond = read_store("a", opening + 1, utc("2023-01-23 18:00") - 1, as_of=hi + DAY).spans
    assert (beyond.starts.kind[0], beyond.ends.kind[-1]) == (RANGE, RANGE)
    middle = read_store("a", utc("2023-01-23 16:44:30"), hi).spans
    assert middle.starts.kind.tolist() == [MIDPOINT]
    # As of a time before the second poll it was not known yet.
    early = read_store("a", lo, hi, as_of=utc("2023-01-23 17:00"))
    assert early.spans.status.tolist() == [1]


def test_the_end_is_clipped_to_the_newest_poll_which_is_shown(workspace: Workspace):
    workspace.import_now(
        polls("2023-01-23 16:14 up", "2023-01-23 17:15 down")
        + polls("2023-01-23 17:20 up", store="b"),
        MONDAY,
        CHICAGO,
    )
    newest = utc("2023-01-23 17:20")
    found = read_store("a", newest - DAY, newest + 10 * DAY)
    assert (found.as_of, found.hi) == (newest, newest)
    assert found.spans.end[-1] == newest
    assert found.spans.ends.kind[-1] == RANGE
    assert read_store("b", newest - DAY, newest + DAY).polls.time.tolist() == [newest]
    past = read_store("a", newest + DAY, newest + 2 * DAY)
    assert (past.lo, past.hi) == (newest, newest)
    assert (len(past.spans), len(past.days.date), past.open) == (0, 0, 0)
    # An import makes another poll the newest one.
    workspace.import_now(polls("2023-01-23 17:40 up", store="b"))
    assert read_store("a", newest - DAY, newest + DAY).hi == utc("2023-01-23 17:40")


def test_an_interval_without_a_poll_takes_the_nearest_and_says_so(workspace: Workspace):
    hours = "".join(f"a,{day},09:00,12:00\n" for day in range(7))
    workspace.import_now(
        polls("2023-01-23 17:00 up", "2023-01-26 17:00 down"), hours, "a,America/Chicago\n"
    )
    found = read_store(
        "a", utc("2023-01-23 06:00"), utc("2023-01-27 06:00"), as_of=utc("2023-01-28")
    )
    # Monday, Tuesday up to the middle of the two polls (Wednesday 05:00 UTC), then down.
    assert found.spans.status.tolist() == [1, 1, 0, 0]
    assert found.spans.carried.tolist() == [False, True, True, False]
    assert set(found.spans.starts.kind.tolist()) == {OPENING}
    assert found.outages.start.tolist() == [utc("2023-01-25 15:00")]
    # With the switch inside an interval: the polls lie in other ones.
    workspace.import_now(polls("2023-01-26 15:30 down", "2023-01-24 15:30 up"))
    found = read_store("a", utc("2023-01-25 06:00"), utc("2023-01-26 06:00"))
    assert found.spans.starts.kind.tolist() == [OPENING, MIDPOINT]
    assert found.spans.carried.tolist() == [True, True]
    assert found.spans.ends.before[0] == utc("2023-01-24 15:30")
    assert found.spans.ends.after[0] == utc("2023-01-26 15:30")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("days", [3, 40, 900])
def test_an_outage_is_whole_however_long(workspace: Workspace, days: int, method: str):
    half = HOUR if method == NEAREST else 0  # from the switch to the poll that brings it
    begin = utc("2020-01-06 12:00")
    rows = [(begin + half - 2 * HOUR, "active"), (begin + half, "inactive")]
    rows += [(begin + day * DAY, "inactive") for day in range(1, days, 7)]
    end = begin + days * DAY
    rows += [(end + half - 2 * HOUR, "inactive"), (end + half, "active")]
    rows.append((end + half + 2 * HOUR, "inactive"))
    text = "".join(f"a,{status},{reports.as_text(time)}\n" for time, status in rows)
    workspace.import_now(text)
    middle = begin + days * DAY // 2
    found = read_store("a", middle, middle + DAY, method)
    assert found.outages.start.tolist() == [begin]
    assert found.outages.end.tolist() == [end]
    assert found.outages.open_time.tolist() == [2 * (end - begin)]
    assert found.outages.ongoing.tolist() == [False]
    assert found.down == found.open == 2 * DAY
    last = read_store("a", end - HOUR, end + half + 2 * HOUR, method)
    ongoing = method == NEAREST  # by the other one, down only from the last poll on
    assert last.outages.start.tolist() == [begin, *([end + 2 * HOUR] * ongoing)]
    assert last.outages.ongoing.tolist() == [False, *([True] * ongoing)]
    assert read_store("a", begin - DAY, begin, method).outages.start.tolist() == []


def test_what_is_missing_is_assumed_and_said(workspace: Workspace):
    workspace.import_now(polls("2023-01-23 17:00 up"), "b,1,18:00,02:00\n")
    now = utc("2023-01-23 17:00")
    found = read_store("a", now - 2 * DAY, now)
    assert (found.zone, found.zone_assumed) == ("America/Chicago", True)
    assert (found.hours, found.hours_assumed) == ([], True)
    assert (found.open, found.up, found.observed) == (4 * DAY, 4 * DAY, True)
    assert (found.open_start.tolist(), found.open_end.tolist()) == ([now - 2 * DAY], [now])
    assert len(found.days.date) == 3
    never = read_store("b", now - 7 * DAY, now)
    assert not never.observed
    assert (never.last_poll, never.last_poll_active) == (None, None)
    assert (never.up, never.down, len(never.spans)) == (0, 0, 0)
    assert never.open == 2 * 8 * HOUR


def test_a_database_without_polls(workspace: Workspace):
    workspace.import_now(hours=MONDAY)
    found = read_store("a", utc("2023-01-23 00:00"), utc("2023-01-24 00:00"))
    assert (found.hi, found.observed, found.open) == (utc("2023-01-24"), False, 2 * 3 * HOUR)


def test_what_cannot_be_shown(workspace: Workspace):
    workspace.import_now(polls("2023-01-23 17:00 up"))
    with pytest.raises(NotFound, match="no store 'z'"):
        read_store("z", 0, 1)
    with pytest.raises(BadRequest, match="method"):
        read_store("a", 0, 1, "median")


def test_the_day_of_a_change_of_clocks_is_an_hour_shorter(workspace: Workspace):
    workspace.import_now(polls("2023-03-13 12:00 up"), zones="a,America/Denver\n")
    found = read_store("a", utc("2023-03-11 07:00"), utc("2023-03-13 06:00"))
    assert found.days.date.astype(object).tolist() == [date(2023, 3, 11), date(2023, 3, 12)]
    assert found.days.open.tolist() == [2 * 24 * HOUR, 2 * 23 * HOUR]


def test_only_the_polls_of_the_range_and_their_neighbours_are_read(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    begin = utc("2022-01-03 00:00")
    text = "".join(f"a,active,{reports.as_text(begin + hour * HOUR)}\n" for hour in range(400 * 24))
    workspace.import_now(text)
    read = 0
    original = database.polls_in_ranges

    def counting(*arguments, **options):
        nonlocal read
        for store, time, status in original(*arguments, **options):
            read += len(time)
            yield store, time, status

    monkeypatch.setattr(database, "polls_in_ranges", counting)
    found = read_store("a", begin + 200 * DAY, begin + 230 * DAY)
    assert len(found.polls.time) == 30 * 24
    assert read < 32 * 24 + 10


def test_hours_as_text():
    rows = [(0, 9 * HOUR, 17 * HOUR), (0, 18 * HOUR, DAY - MINUTE), (2, 22 * HOUR, 2 * HOUR)]
    rows += [
        (1, CLOSED, CLOSED),
        (3, 0, DAY),
        (4, 8 * HOUR + 30 * SECOND, DAY - SECOND),
        (5, 9 * HOUR, 9 * HOUR),
    ]
    lines = weekly_hours(rows[::-1])
    assert lines == [
        ("Monday", "09:00–17:00, 18:00–23:59"),
        ("Tuesday", "closed"),
        ("Wednesday", "22:00–02:00 (next day)"),
        ("Thursday", "00:00–24:00"),
        ("Friday", "08:00:30–23:59:59"),
        ("Saturday", "09:00–09:00 (next day)"),
        ("Sunday", "closed"),
    ]
    assert {text for _, text in weekly_hours([])} == {"open 24 hours"}
    assert {text for _, text in weekly_hours([(6, CLOSED, CLOSED)])} == {"closed"}


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@given(
    case=cases(max_stores=3),
    ranges=st.lists(
        st.tuples(
            st.integers(1, 40 * DAY) | st.integers(1, 2 * DAY),
            st.integers(0, 1000),
            st.integers(-10 * DAY, 10 * DAY) | st.integers(-2 * HOUR, 2 * HOUR) | st.just(0),
        ),
        min_size=3,
        max_size=3,
    ),
)
@settings(
    max_examples=examples(50),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_view_is_the_references(
    workspace: Workspace,
    method: str,
    case: tuple[list[AStore], int],
    ranges: list[tuple[int, int, int]],
):
    stores, as_of = case
    named = import_stores(workspace, stores)
    for s, (length, pick, further) in product(named, ranges):
        # The range ends at or near a poll.
        store = stores[s]
        moments = [as_of, *sorted(t for t, _ in store.polls)]
        asked = moments[pick % len(moments)] + further
        found = read_store(f"s{s}", asked - length, asked, method, as_of)
        hi = min(asked, as_of)
        lo = min(asked - length, hi)
        assert (found.lo, found.hi, found.as_of) == (lo, hi, as_of)
        everything = (store.hours, store.zone, store.polls, as_of, method)

        up, down = reference.time_between(*everything, lo, hi)
        assert (found.up, found.down) == (halves(up), halves(down))
        assert found.open == found.days.open.sum()
        by_date: dict[int, list[int]] = {}
        for (day, _), (up, down) in reference.time_by_clock(*everything, lo, hi).items():
            total = by_date.setdefault(day, [0, 0])
            total[0] += halves(up)
            total[1] += halves(down)
        days = found.days.date.astype(np.int64).tolist()
        rows = zip(days, found.days.up.tolist(), found.days.down.tolist(), strict=True)
        assert {day: [up, down] for day, up, down in rows if up or down} == by_date

        expected = [
            (start, end, open_us, ongoing)
            for start, end, open_us, ongoing in reference.outages(*everything, since=lo)
            if reference.time_between(*everything, max(floor(start), lo), min(ceil(end), hi))[1]
        ]
        assert found.outages.start.tolist() == [int(start) for start, _, _, _ in expected]
        assert found.outages.end.tolist() == [int(end) for _, end, _, _ in expected]
        assert found.outages.open_time.tolist() == [2 * o for _, _, o, _ in expected]
        assert found.outages.ongoing.tolist() == [ongoing for _, _, _, ongoing in expected]

        intervals, seen = reference.look(store.hours, store.zone, store.polls, as_of, lo)
        assert found.observed == bool(seen)
        if store.hours:
            clipped = [(max(a, lo), min(b, hi)) for a, b in intervals]
            clipped = [(a, b) for a, b in clipped if a < b]
            assert (found.open_start.tolist(), found.open_end.tolist()) == (
                [a for a, _ in clipped],
                [b for _, b in clipped],
            )
        polls = sorted((t, a) for t, a in dict(store.polls).items() if t <= as_of)
        shown = [(t, a) for t, a in polls if lo <= t < hi or t == hi == as_of]
        assert found.polls.time.tolist() == [t for t, _ in shown]
        assert found.polls.status.tolist() == [int(a) for _, a in shown]
        counted = {t for t, _, _ in seen}
        assert found.polls.counts.tolist() == [t in counted for t, _ in shown]
        last = polls[-1] if polls else (None, None)
        assert (found.last_poll, found.last_poll_active) == last
        times = sorted(counted)
        spans = found.spans
        for k in range(len(spans)):
            middle = (int(spans.start[k]) + int(spans.end[k])) // 2
            if spans.start[k] < middle:
                assert bool(spans.status[k]) == reference.status_at(
                    middle, store.hours, store.zone, store.polls, as_of, method
                )
            assert int(spans.poll[k]) in counted
            for edges in (spans.starts, spans.ends):
                if edges.kind[k] in (MIDPOINT, POLL):
                    at = times.index(int(edges.before[k]))
                    assert times[at + 1] == edges.after[k]
        assert join_spans(spans).polls.sum() == len(spans)


def test_no_row_is_written_by_looking(workspace: Workspace):
    workspace.import_now(polls("2023-01-23 17:00 up"))
    before = models.Revision.select().count()
    read_store("a", 0, utc("2023-01-24"))
    assert models.Revision.select().count() == before
