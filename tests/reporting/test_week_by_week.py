"""One store's last seven dates beside the seven before, its month, and its dates with other
hours."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.instants import HOUR, from_datetime
from restmon.core.targets import open_time_until_missed
from restmon.errors import NotFound
from restmon.ingest.store_editing import save_dates, save_entry
from restmon.reporting.other_dates import OtherDate, read_other_dates
from restmon.reporting.store_timeline import read_store
from restmon.reporting.week_by_week import read_weeks
from restmon.storage import database
from restmon.storage.models import Group
from restmon.stores import groups, targets
from restmon.stores.subjects import Subject
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

ZONE = "America/Chicago"
AS_OF = datetime(2026, 11, 5, 15, 30, tzinfo=ZoneInfo(ZONE))  # clocks went back on November 1
HALVES = 2 * HOUR


def polls(store: str = "a") -> str:
    """A poll each half hour of three weeks, inactive from 12 to 14 on days by three."""
    rows = []
    for n in range(3 * 7 * 48):
        local = (AS_OF - timedelta(minutes=30 * n)).astimezone(ZoneInfo(ZONE))
        down = local.day % 3 == 0 and 12 <= local.hour < 14
        utc = local.astimezone(ZoneInfo("UTC"))
        rows.append(f"{store},{'inactive' if down else 'active'},{utc:%Y-%m-%d %H:%M:%S} UTC\n")
    return "".join(rows)


@pytest.fixture
def store(workspace: Workspace) -> Workspace:
    hours = "".join(f"a,{day},10:00,20:00\n" for day in range(6))
    workspace.import_now(polls(), hours, f"a,{ZONE}\nidle,{ZONE}\n")
    return workspace


def test_each_date_is_what_the_page_says_of_it_alone(store: Workspace):
    as_of = from_datetime(AS_OF)
    found = read_weeks("a", as_of)
    assert found.this.dates == [date(2026, 10, 30) + timedelta(days=n) for n in range(7)]
    assert found.before.dates == [date(2026, 10, 23) + timedelta(days=n) for n in range(7)]
    for week, end in ((found.this, AS_OF), (found.before, AS_OF - timedelta(days=7))):
        for n, day in enumerate(week.dates):
            lo = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(ZONE))
            tomorrow = day + timedelta(days=1)
            hi = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=ZoneInfo(ZONE))
            alone = read_store("a", from_datetime(lo), from_datetime(min(hi, end)), as_of=as_of)
            measured = (int(week.open[n]), int(week.up[n]), int(week.down[n]), week.outages[n])
            assert measured == (alone.open, alone.up, alone.down, len(alone.outages))
    assert found.this.down.sum() > 0
    assert found.this.open[2] == 0  # closed on Sundays
    assert found.this.open[-1] == found.before.open[-1] == 11 * HOUR  # half microseconds: 5.5 h


def test_the_loss_of_week_and_month_is_downtime_times_sales(store: Workspace):
    as_of = from_datetime(AS_OF)
    assert np.isnan(read_weeks("a", as_of).lost_in_month)
    save_entry("a", {"sales_per_hour": "50"})
    found = read_weeks("a", as_of)
    assert found.this.lost == pytest.approx(50 * found.this.down.sum() / HALVES)
    month = from_datetime(datetime(2026, 11, 1, tzinfo=ZoneInfo(ZONE)))
    assert found.lost_in_month == pytest.approx(50 * read_store("a", month, as_of).down / HALVES)


def test_when_the_target_will_be_missed_at_this_pace(store: Workspace):
    """The store was down for 2 of 35.5 open hours of November, which has 250."""
    as_of = from_datetime(AS_OF)
    assert read_weeks("a", as_of).missed_at is None
    targets.set_target(targets.ALL_STORES, 950_000)
    found = read_weeks("a", as_of)
    used, so_far = int(found.standing.used[0]), int(found.standing.so_far[0])
    assert (used, so_far, int(found.standing.of_month[0])) == (
        2 * HALVES,
        round(35.5 * HALVES),
        250 * HALVES,
    )
    # 12.5 hours are allowed. At 2 in 35.5 hours they are used after 221.875 hours: on the 23rd
    # day, 1.875 hours after the opening.
    wanted = datetime(2026, 11, 27, 11, 52, 30, tzinfo=ZoneInfo(ZONE))
    assert found.missed_at == from_datetime(wanted)
    targets.set_target(targets.ALL_STORES, 940_000)
    assert read_weeks("a", as_of).missed_at is None
    targets.set_target(targets.ALL_STORES, 999_000)
    missed = read_weeks("a", as_of).missed_at
    assert missed is not None
    assert missed < as_of


def test_a_budget_is_used_up_by_the_pace_so_far():
    assert open_time_until_missed(10.0, 0.0, 5) == float("inf")
    assert open_time_until_missed(10.0, 2.0, 5) == 25.0


def test_a_store_that_was_never_polled_claims_nothing(store: Workspace):
    found = read_weeks("idle", from_datetime(AS_OF))
    assert not found.observed
    assert found.this.up.sum() == found.this.down.sum() == found.this.all_outages == 0
    with pytest.raises(NotFound):
        read_weeks("nobody", 0)


def test_dates_before_the_first_poll_are_unseen(workspace: Workspace):
    first = datetime(2026, 10, 27, 16, tzinfo=ZoneInfo(ZONE))
    workspace.import_now(
        "".join(
            f"new,active,{first + timedelta(hours=n):%Y-%m-%d %H:%M:%S} UTC\n" for n in range(200)
        ),
        "".join(f"new,{day},00:00,23:59:59\n" for day in range(7)),
        f"new,{ZONE}\n",
    )
    found = read_weeks("new", from_datetime(AS_OF))
    assert found.before.dates[4] == date(2026, 10, 27)
    assert (found.before.unseen, found.this.unseen) == (4, 0)


def test_dates_with_other_hours_are_the_stores_own_or_its_groups(store: Workspace):
    for name in ("Mine", "Theirs"):
        groups.create(name)
        groups.set_members(name, ["a"])
    save_dates(
        Subject(group="Mine"),
        [("2026-11-26", "", "", "Thanksgiving"), ("2026-12-25", "10:00", "12:00", "Christmas")],
    )
    save_dates(
        Subject(group="Theirs"),
        [("2026-12-25", "14:00", "16:00", "Secret"), ("2026-12-31", "", "", "Secret")],
    )
    save_dates(Subject(store="a"), [("2026-12-31", "10:00", "15:00", "New Year’s Eve")])
    first, last = date(2026, 11, 26), date(2026, 12, 31)
    thanksgiving = OtherDate(first, "closed", "Thanksgiving")
    assert thanksgiving.text == "Thanksgiving: closed"
    eve = OtherDate(last, "10:00–15:00", "New Year’s Eve")
    christmas = date(2026, 12, 25)
    both = "10:00–12:00, 14:00–16:00"
    assert read_other_dates("a", first, last, THIS_MACHINE) == [
        thanksgiving,
        OtherDate(christmas, both, "Christmas, Secret"),
        eve,
    ]
    with database.session():
        owner = Actor("o", Role.OWNER, frozenset({Group.named("Mine").id}))
    assert read_other_dates("a", first, last, owner) == [
        thanksgiving,
        OtherDate(christmas, both, "Christmas"),
        eve,
    ]
    assert read_other_dates("a", first, first, owner) == [thanksgiving]
    with pytest.raises(NotFound):
        read_other_dates("idle", first, last, owner)
