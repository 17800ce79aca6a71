"""Every accepted form of a value means the same as the plainest one, alone and in whole files of
any container, and every near miss is rejected with the reason that mends it."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from restmon.ingest import imports, incoming_files
from restmon.ingest.choices import Choices
from restmon.ingest.values.base import Parsed
from restmon.ingest.values.days import parse_days
from restmon.ingest.values.statuses import parse_statuses
from restmon.ingest.values.store_ids import StoreIds
from restmon.ingest.values.times_of_day import CLOSED, parse_opening, parse_times, spans_of_cell
from restmon.ingest.values.timestamps import Timestamps
from restmon.ingest.values.zones import parse_zones
from restmon.reporting.snapshot import current_revision
from restmon.storage.models import COMPLETE
from tests.support import written
from tests.support.examples import examples
from tests.support.workspace import Workspace

DATE_ORDERS = [None, "month-first", "day-first"]
A_FEW = settings(
    max_examples=examples(25),
    # To make a whole import small takes minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def column(*values: str) -> pa.Array:
    return pa.array([value.encode() for value in values], pa.binary())


def only(found: Parsed, text: str) -> Any:
    assert found.good.all(), found.reason(text.encode())
    return found.values[0]


def assert_missed(found: Parsed, text: str, says: str) -> None:
    assert not found.good.any(), (text, found.values)
    assert says in found.reason(text.encode())


@given(written.instants, st.sampled_from(DATE_ORDERS), st.data())
def test_timestamps(instant: int, order: str | None, data: st.DataObject):
    text = data.draw(written.timestamps(instant, order))
    assert only(Timestamps(order)(column(text)), text) == instant
    # Among others the form is read by another way through the parser.
    both = Timestamps(order)(column(text, "2024-01-01 00:00:00 UTC", "?"))
    assert both.good.tolist() == [True, True, False]
    assert both.values[0] == instant


@given(written.times, st.data())
def test_times_of_day(time: int, data: st.DataObject):
    for is_end in (False, True):
        text = data.draw(written.times_of_day(time, is_end=is_end))
        assert only(parse_times(column(text), is_end=is_end), text) == time


@given(st.one_of(st.none(), written.spans, st.just((0, written.DAY))), st.data())
def test_the_two_cells_of_a_day(span: tuple[int, int] | None, data: st.DataObject):
    start, end = data.draw(written.opening(span))
    found = parse_opening(column(start), column(end))
    assert (only(found.start, start), only(found.end, end)) == (span or (CLOSED, CLOSED))


@given(st.lists(written.spans, max_size=3), st.data())
def test_the_cell_of_a_weekday(spans: list[tuple[int, int]], data: st.DataObject):
    text = data.draw(written.wide_cells(spans))
    assert spans_of_cell(text.encode()) == (spans or [(CLOSED, CLOSED)])


@given(st.integers(0, 6), st.sampled_from(list(written.NUMBERED)), st.data())
def test_days(day: int, numbering: str | None, data: st.DataObject):
    text = data.draw(written.days(day, numbering))
    assert only(parse_days(column(text), numbering), text) == day


@given(st.booleans(), st.data())
def test_statuses(active: bool, data: st.DataObject):
    text = data.draw(written.statuses(active))
    assert only(parse_statuses(column(text)), text) == active


@given(written.zones())
def test_zones(case: tuple[str, str]):
    zone, text = case
    assert only(parse_zones(column(text)), text) == zone


@given(written.bad_timestamps())
def test_near_misses_of_timestamps(case: written.Missed):
    for order in ("month-first", "day-first"):
        assert_missed(Timestamps(order)(column(case[0])), *case)


@given(written.bad_openings())
def test_near_misses_of_the_two_cells_of_a_day(case: tuple[str, str, str]):
    start, end, says = case
    found = parse_opening(column(start), column(end))
    bad = [
        (parsed, text)
        for parsed, text in ((found.start, start), (found.end, end))
        if not parsed.good[0]
    ]
    assert bad, case
    assert says in bad[0][0].reason(bad[0][1].encode())


@given(written.bad_days())
def test_near_misses_of_days(case: written.Missed):
    assert_missed(parse_days(column(case[0])), *case)


@given(written.bad_statuses())
def test_near_misses_of_statuses(case: written.Missed):
    assert_missed(parse_statuses(column(case[0])), *case)


@given(written.bad_zones())
def test_near_misses_of_zones(case: written.Missed):
    assert_missed(parse_zones(column(case[0])), *case)


@given(written.bad_ids())
def test_near_misses_of_store_ids(case: written.Missed):
    assert_missed(StoreIds().parse(column(case[0])), *case)


# Whole files


@st.composite
def stores(draw: st.DrawFn) -> dict[str, Any]:
    """What some stores' files say: polls, weeks, zones with the text of each."""
    ids = draw(st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,9}", fullmatch=True),
                        min_size=1, max_size=3, unique_by=str.lower))  # fmt: skip
    polls = draw(
        st.lists(
            st.tuples(st.sampled_from(ids), written.instants, st.booleans()),
            min_size=1,
            max_size=6,
            unique_by=lambda poll: poll[:2],
        )
    )
    return {
        "polls": polls,
        "weeks": {store: draw(written.weeks) for store in ids},
        "zones": {store: draw(written.zones()) for store in ids},
    }


def plain_files(said: dict[str, Any]) -> dict[str, str]:
    hours = [
        [store, day, *cells]
        for store, week in said["weeks"].items()
        for day, spans in week.spans.items()
        for cells in [[written.plain_time(t) for t in span] for span in spans] or [["closed"] * 2]
    ]
    return {
        "polls": written.canonical(
            "polls",
            [
                [store, "active" if active else "inactive", written.plain_instant(instant)]
                for store, instant, active in said["polls"]
            ],
        ),
        "business_hours": written.canonical("business_hours", hours),
        "timezones": written.canonical(
            "timezones", [[store, zone] for store, (zone, _) in said["zones"].items()]
        ),
    }


@st.composite
def free_tables(draw: st.DrawFn, said: dict[str, Any], choices: Choices) -> dict[str, Any]:
    """The same as tables of free forms, header first; the hours as long or wide."""

    def header(*columns: str) -> list[str]:
        return [draw(written.column_names(name)) for name in columns]

    polls = [
        [
            store,
            draw(written.timestamps(instant, choices.date_order)),
            draw(written.statuses(active)),
        ]
        for store, instant, active in said["polls"]
    ]
    whole = all(len(week.spans) == 7 for week in said["weeks"].values())
    if whole:
        names = [draw(written.in_any_case(f"{d} hours")) for d in written.DAY_NAMES]
        hours = [[*header("store_id"), *names]] + [
            [store, *(draw(written.wide_cells(week.spans[day])) for day in range(7))]
            for store, week in said["weeks"].items()
        ]
    else:
        hours = [header("store_id", "dayOfWeek", "start_time_local", "end_time_local")] + [
            [store, draw(written.days(day, choices.day_numbers)), *draw(written.opening(span))]
            for store, week in said["weeks"].items()
            for day, spans in week.spans.items()
            for span in spans or [None]
        ]
    return {
        "polls": [header("store_id", "timestamp_utc", "status"), *polls],
        "hours": hours,
        "zones": [header("store_id", "timezone_str")]
        + [[store, text] for store, (_, text) in said["zones"].items()],
    }


@pytest.mark.slow
@pytest.mark.both_databases
@given(stores(), st.sampled_from(DATE_ORDERS), st.sampled_from(list(written.NUMBERED)), st.data())
@A_FEW
def test_files_of_any_form_say_the_same_as_the_plainest(
    workspace: Workspace,
    said: dict[str, Any],
    order: str | None,
    numbering: str | None,
    data: st.DataObject,
):
    plain = [
        file
        for kind, text in plain_files(said).items()
        for file in incoming_files.tables_of(workspace.write(f"{kind}.csv", text), f"{kind}.csv")
    ]
    first = imports.run_now(plain)
    assert (first.status, first.counts["rejected"]) == (COMPLETE, 0)
    before = current_revision()
    choices = Choices(numbering, order)
    tables = data.draw(free_tables(said, choices))
    free = [
        file
        for name, content in data.draw(written.files(tables)).items()
        for file in incoming_files.tables_of(workspace.write(name, content), name, None, choices)
    ]
    row = imports.run_now(free)
    assert row.status == COMPLETE, row.error
    assert row.rejections == []
    changed = [row.counts[name] for name in ("new", "updated", "removed")]
    assert (changed, row.counts["unchanged"]) == ([0, 0, 0], row.counts["read"])
    assert len(row.counts["kinds"]) == 3
    assert current_revision() == before
