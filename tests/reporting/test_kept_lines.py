"""A report of a process that has served others is the report of one that has not, whatever came in
between."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restmon.core.instants import as_text
from restmon.core.timeline import METHODS
from restmon.ingest import undo
from restmon.reporting import computation, shards
from restmon.reporting.kept_lines import LAG, LONGEST_LATER
from restmon.reporting.snapshot import WEEK, SnapshotCache
from restmon.storage import database
from tests.support.examples import examples
from tests.support.imported import import_stores, wall
from tests.support.stores import DAY, HOUR, MINUTE, ZONES, AStore, cases, schedules
from tests.support.workspace import Workspace

POLLS, HOURS, ZONE, UNDO, EARLIER = "polls", "hours", "zone", "undo", "earlier"

marks = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6)
soon = st.integers(0, 3 * HOUR) | st.integers(1, 6).map(lambda n: n * 30 * MINUTE)
steps = st.one_of(
    # (what, how much later than the newest poll, stores and statuses)
    st.tuples(st.just(POLLS), soon, marks),
    st.tuples(st.just(POLLS), soon, marks),
    st.tuples(st.just(POLLS), st.sampled_from([DAY, 3 * DAY, 10 * DAY]), marks),
    st.tuples(st.just(POLLS), st.integers(-2 * HOUR, 0), marks),
    st.tuples(st.just(POLLS), st.integers(-9 * DAY, 0), marks),
    st.tuples(st.just(HOURS), st.integers(0, 3), schedules),
    st.tuples(st.just(ZONE), st.integers(0, 3), st.sampled_from(ZONES[1:])),
    st.tuples(st.just(UNDO), st.just(0), st.none()),
    st.tuples(st.just(EARLIER), soon, st.none()),
)


FIRST = 1_672_531_200_000_000
"""2023-01-01 00:00 UTC."""


def hourly_polls(store: str, first: int, flags: str) -> str:
    """A poll an hour from the instant on: "u" active, "d" inactive."""
    return "".join(
        f"{store},{'active' if flag == 'u' else 'inactive'},{as_text(first + n * HOUR)}\n"
        for n, flag in enumerate(flags)
    )


def assert_both_same(warm: SnapshotCache, as_of: int | None, method: str) -> None:
    ours = computation.compute(as_of, method, cache=warm)
    anew = computation.compute(as_of, method, cache=SnapshotCache())
    assert ours.csv() == anew.csv()
    assert (ours.up.tolist(), ours.down.tolist()) == (anew.up.tolist(), anew.down.tolist())
    found, expected = ours.outages(), anew.outages()
    for name in ("store", "end", "ongoing"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist(), name
    # A report does not look for when an outage began that began before its window.
    inside = expected.start > ours.as_of - WEEK
    for name in ("start", "open_time"):
        assert (getattr(found, name) == getattr(expected, name))[inside].all(), name
    part = computation.compute(ours.as_of, method, cache=shards.StoreRange("s0", "s3"))
    lines = {line.split(",")[0]: line for line in ours.csv().splitlines()}
    assert part.csv().splitlines()[1:] == [lines[store_id] for store_id in part.stores.ids]


@pytest.mark.slow
@pytest.mark.both_databases
@given(case=cases(max_stores=4), then=st.lists(steps, min_size=1, max_size=8))
@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_report_goes_on_as_if_made_anew(
    workspace: Workspace, case: tuple[list[AStore], int], then: list[tuple[str, int, object]]
):
    stores, as_of = case
    import_stores(workspace, stores, f"anchor,active,{as_text(as_of)}\n")
    warm, shards.memory._kept = SnapshotCache(), {}
    imports: list[str] = []
    for method in METHODS:
        assert_both_same(warm, None, method)
    for what, number, more in then:
        with database.session():
            newest = database.newest_poll()
        assert newest is not None
        asked = None
        if what == POLLS:
            lines = [
                f"s{s},{'active' if active else 'inactive'},{as_text(newest + number + n)}\n"
                for n, (s, active) in enumerate(more)  # type: ignore[arg-type]
            ]
            imports.append(workspace.import_now("".join(lines)).id)
        elif what == HOURS:
            rows = [
                f"s{number},{day},{wall(start)},{wall(end)}\n"
                for day, start, end in more  # type: ignore[attr-defined]
            ]
            if rows:
                workspace.import_now(hours="".join(rows))
        elif what == ZONE:
            workspace.import_now(zones=f"s{number},{more}\n")
        elif what == UNDO and imports:
            undo.undo(imports.pop())
        elif what == EARLIER:
            asked = newest - number
        for method in METHODS:
            assert_both_same(warm, asked, method)


def test_an_hours_polls_are_all_that_a_report_looks_at(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    workspace.import_now(hourly_polls("s0", FIRST, "ud" * 150) + hourly_polls("s1", FIRST, "u"))
    warm = SnapshotCache()
    computation.compute(cache=warm)
    drawn = []
    draw = computation.build_timeline

    def count(*arguments: object, **more: object) -> object:
        drawn.append(arguments)
        return draw(*arguments, **more)  # type: ignore[arg-type]

    begin = FIRST + 300 * HOUR
    for n in range(9):  # to 20:00: the first is at noon
        workspace.import_now(hourly_polls("s0", begin + n * HOUR, "u" if n % 3 else "d"))
        expected = computation.compute(cache=SnapshotCache()).csv()
        with monkeypatch.context() as patch:
            patch.setattr(computation, "build_timeline", count)
            assert computation.compute(cache=warm).csv() == expected
        assert drawn == []
    with database.reading():
        kept = warm.get().lines["nearest"]
    newest = begin + 8 * HOUR
    assert newest - LONGEST_LATER <= kept.until <= newest - LAG
    assert not kept.serves(newest, 2 * WEEK)
    assert not kept.serves(newest + DAY, WEEK)


def test_polls_that_come_in_late_are_looked_at_from_then_on(workspace: Workspace):
    workspace.import_now(hourly_polls("s0", FIRST, "ud" * 150))
    warm = SnapshotCache()
    for minutes in (0, 30, 20, 70, 40, -600, 65):
        instant = as_text(FIRST + 300 * HOUR + minutes * MINUTE)
        workspace.import_now(f"s1,inactive,{instant}\ns0,active,{instant}\n")
        assert_both_same(warm, None, "nearest")
    with database.reading():
        assert warm.get().late
