"""Other hours, closed days, first and last days as they are stored: the report, the shards and
the page of one store out of a database, against the reference."""

from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restmon.core.hours import CLOSED
from restmon.core.instants import DAY, HOUR, day_number
from restmon.core.timeline import METHODS
from restmon.reporting import computation, store_timeline
from restmon.reporting.shards import StoreRange
from restmon.reporting.snapshot import SnapshotCache
from restmon.storage import database, models
from restmon.stores import groups
from tests import reference
from tests.reference import Hours
from tests.support.examples import examples
from tests.support.imported import import_stores
from tests.support.schedules import DATES, Dated, hours_near
from tests.support.stores import ZONES, AStore
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

Case = tuple[list[tuple[Hours, AStore]], int]


@st.composite
def stored_cases(draw: st.DrawFn) -> Case:
    """(stores, as_of): polled every few hours for some days, some of them not since weeks."""
    center = day_number(draw(st.sampled_from(DATES)))
    as_of = center * DAY + draw(st.integers(0, 3 * DAY))
    stores = []
    for _ in range(draw(st.integers(1, 3))):
        hours = draw(hours_near(center))
        last = as_of - draw(st.sampled_from([0, HOUR, 2 * DAY, 17 * DAY, 33 * DAY]))
        step = draw(st.sampled_from([5 * HOUR, 26 * HOUR]))
        flags = draw(st.lists(st.booleans(), min_size=1, max_size=20))
        polls = [(last - n * step, active) for n, active in enumerate(flags)]
        if draw(st.booleans()):
            polls.append((as_of - draw(st.integers(0, 3 * DAY)), draw(st.booleans())))
        zone = draw(st.sampled_from(ZONES))
        stores.append((hours, AStore(list(hours.weekly), zone, polls)))
    return stores, as_of


def store_exceptions(stores: list[Hours]) -> None:
    """Write what no file says yet of the stores s0, s1, … into their tables."""
    with database.writing():
        models.Group.delete().execute()
        row_of = {row.store_id: row.id for row in models.Store.select()}
        for s, hours in enumerate(stores):
            store = row_of[f"s{s}"]
            if hours.closed_days:
                lines = models.BusinessHours.select().where(models.BusinessHours.store == store)
                own = [(h.day_of_week, h.start_time, h.end_time) for h in lines]
                own += [(day, CLOSED, CLOSED) for day in hours.closed_days]
                packed = np.array([(store, *line) for line in own], np.int64)
                database.replace_hours(packed[:1, 0], packed)
            if hours.opened_on is not None or hours.closed_on is not None:
                models.StoreDirectory.create(
                    store=store, opened_on=hours.opened_on, closed_on=hours.closed_on
                )
            if hours.unreadable:
                models.Store.update(hours_unreadable=True).where(models.Store.id == store).execute()
            add_other_hours(hours.own, store=store)
            for g, dated in enumerate(hours.groups):
                group = models.Group.create(name=f"g{s}.{g}", same_name=f"g{s}.{g}")
                models.GroupMember.create(group=group, store=store)
                add_other_hours(dated, group=group)
        models.Revision.create(rebuild=True)


def add_other_hours(dated: Dated, **owner: object) -> None:
    for day, rows in dated:
        for times in rows:
            start, end = times or (None, None)
            models.OtherHours.create(date=day, start_time=start, end_time=end, **owner)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@given(case=stored_cases())
@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_reports_shards_and_pages_are_the_references(workspace: Workspace, method: str, case: Case):
    stores, as_of = case
    import_stores(workspace, [store for _, store in stores])
    store_exceptions([hours for hours, _ in stores])
    text = computation.compute(as_of, method, cache=SnapshotCache()).csv()
    part = computation.compute(as_of, method, cache=StoreRange("s0", "s1")).csv()
    found = {line.split(",")[0]: line.split(",")[1:] for line in text.splitlines()[1:]}
    for s, (hours, store) in enumerate(stores):
        if f"s{s}" not in found:
            continue
        expected = reference.report_row(hours, store.zone, store.polls, as_of, method)
        assert found[f"s{s}"] == expected
        seen = store_timeline.read_store(f"s{s}", as_of - 2 * DAY, as_of, method, as_of)
        times = reference.uptime(hours, store.zone, store.polls, as_of, method, 2 * DAY)
        assert (seen.up / 2, seen.down / 2) == times
        assert seen.hours_unreadable == hours.unreadable
    assert part.splitlines()[1] == text.splitlines()[1]


POLLS = "s0,active,2023-11-23 15:00:00 UTC\ns1,active,2023-11-23 15:00:00 UTC\n"
THANKSGIVING = day_number(date(2023, 11, 23))


def test_a_change_of_members_changes_hours_where_the_group_has_dates(workspace: Workspace):
    workspace.import_now(POLLS)
    groups.create("holiday")
    groups.create("plain")

    def open_last_day() -> dict[str, str]:
        lines = computation.compute().csv().splitlines()[1:]
        return {line.split(",")[0]: line.split(",")[2] for line in lines}

    before = open_last_day()
    groups.set_members("holiday", ["s0"])
    with database.writing():
        holiday = models.Group.get(models.Group.name == "holiday")
        add_other_hours(((THANKSGIVING, (None,)),), group=holiday)
        models.Revision.create(stores_changed=True)
    closed = open_last_day()
    assert closed["s0"] != before["s0"]
    assert closed["s1"] == before["s1"]
    groups.set_members("plain", ["s0", "s1"])
    assert open_last_day() == closed
    groups.add("holiday", ["s1"])
    assert open_last_day()["s1"] == closed["s0"]
    groups.delete("holiday")
    assert open_last_day() == before


def test_reasons_are_forgotten_with_their_polls(workspace: Workspace):
    workspace.import_now(POLLS + "s0,inactive,2023-10-01 15:00:00 UTC\n")
    with database.writing():
        store = models.Store.get(models.Store.store_id == "s0")
        for (time,) in database.tuples(models.Poll.select(models.Poll.timestamp)):
            if not models.PollReason.get_or_none(models.PollReason.timestamp == time):
                models.PollReason.create(store=store, timestamp=time, reason="paused")
    assert database.forget((THANKSGIVING - 3) * DAY) == 1
    with database.session():
        assert models.PollReason.select().count() == 1
    assert database.delete_polls((THANKSGIVING - 3) * DAY + 1, 2**62) == 2
    with database.session():
        assert models.PollReason.select().count() == 0


@pytest.mark.parametrize("closed_days_ago", [10, 30, None])
@pytest.mark.parametrize("method", METHODS)
def test_a_closed_day_long_ago_ends_what_an_old_poll_says(
    workspace: Workspace, method: str, closed_days_ago: int | None
):
    as_of = THANKSGIVING * DAY + 18 * HOUR
    own = () if closed_days_ago is None else ((THANKSGIVING - closed_days_ago, (None,)),)
    hours = Hours(tuple((day, 0, DAY) for day in range(7)), own=own)
    store = AStore(list(hours.weekly), "UTC", [(as_of - 40 * DAY, False), (as_of - DAY, True)])
    import_stores(workspace, [store])
    store_exceptions([hours])
    found = computation.compute(as_of, method, cache=SnapshotCache()).csv().splitlines()[1]
    expected = reference.report_row(hours, "UTC", store.polls, as_of, method)
    assert found.split(",")[1:] == expected
    # Held since 40 days ago unless the store has closed in between.
    assert (float(expected[5]) > 0) == (method == "previous" and closed_days_ago is None)
