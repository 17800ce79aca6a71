"""Schedules: due at the right local times, each once, whatever becomes of the workers."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import tasks
from restmon.access import accounts, audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.instants import DAY, HOUR, MINUTE, as_datetime, from_datetime
from restmon.documents import documents
from restmon.errors import BadRequest, Forbidden, NotFound
from restmon.leasing import leases
from restmon.notify import channels, schedule_runs, schedules
from restmon.notify.schedule_times import DAILY, MONTHLY, WEEKLY, Plan
from restmon.notify.schedules import WantedSchedule
from restmon.ops import schedule_metrics
from restmon.settings import get_settings
from restmon.storage import database, models
from restmon.storage.access_models import AuditEntry
from restmon.storage.document_models import Document, Schedule, ScheduleRun
from restmon.storage.notify_models import OutboxMessage
from restmon.stores import groups
from tests.notify.test_channels import SLACK
from tests.support.environment import ROOT, wait_until
from tests.support.examples import examples
from tests.support.pages import page, seen, well
from tests.support.people import actor_of
from tests.support.receivers import mail_server
from tests.support.workspace import Workspace
from tests.support.wsgi import ask, get, refused

ZONES = ["America/New_York", "America/Chicago", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]
YEAR = from_datetime(datetime(2023, 1, 1))


def minutes(zone: str, lo: int, hi: int) -> Iterator[tuple[int, datetime]]:
    """Every minute from lo to hi with its local time."""
    info = ZoneInfo(zone)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=lo)
    for n in range((hi - lo) // MINUTE):
        yield lo + n * MINUTE, (moment + timedelta(minutes=n)).astimezone(info)


def slow_due(plan: Plan, lo: int, hi: int) -> list[int]:
    """Each time in [lo, hi): the first minute of a fitting date at which the clock shows the plan's
    time, or later where it never shows it."""
    found: list[int] = []
    done: set[date] = set()
    for instant, local in minutes(plan.zone, lo, hi):
        day = local.date()
        tomorrow = day + timedelta(days=1)
        fits = {
            DAILY: True,
            WEEKLY: day.weekday() == plan.day,
            MONTHLY: day.day == plan.day
            or (tomorrow.month != day.month and day.day < (plan.day or 0)),
        }[plan.every]
        shown = (local.hour * 60 + local.minute) * MINUTE
        if fits and day not in done and shown >= plan.time:
            done.add(day)
            found.append(instant)
    return found


plans = st.one_of(
    *(
        st.builds(
            Plan,
            st.just(every),
            days,
            st.integers(0, 95).map(lambda n: n * 15 * MINUTE),
            st.sampled_from(ZONES),
        )
        for every, days in (
            (DAILY, st.none()),
            (WEEKLY, st.integers(0, 6)),
            (MONTHLY, st.integers(1, 31)),
        )
    )
)


@settings(max_examples=examples(12))
@given(plans, st.integers(0, 330))
def test_due_times_are_those_of_a_slow_definition(plan: Plan, first: int):
    lo = YEAR + first * DAY
    hi = lo + 34 * DAY
    slow = slow_due(plan, lo - 2 * DAY, hi)
    wanted = [instant for instant in slow if instant >= lo]
    found, instant = [], lo - 1
    while (instant := plan.next_due(instant)) < hi:
        found.append(instant)
    assert found == wanted
    for n, due in enumerate(wanted):
        assert plan.last_due(due) == due
        assert plan.last_due(due + MINUTE) == due
        if n:
            assert plan.last_due(due - 1) == wanted[n - 1]


@pytest.mark.parametrize(
    ("day", "time", "utc"),
    [
        ("2023-03-12", 150, "2023-03-12 08:00"),  # 2:30 does not exist: the jump
        ("2023-11-05", 90, "2023-11-05 06:30"),  # 1:30 comes twice: the first one
        ("2023-03-13", 150, "2023-03-13 07:30"),
    ],
)
def test_days_on_which_the_clocks_change(day: str, time: int, utc: str):
    plan = Plan(DAILY, None, time * MINUTE, "America/Chicago")
    instant = plan.instant_on(date.fromisoformat(day))
    assert f"{as_datetime(instant):%Y-%m-%d %H:%M}" == utc
    assert plan.next_due(instant) - instant > 20 * HOUR


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    """Two stores in New York and one in Los Angeles; one group of two."""
    workspace.import_now(
        "".join(
            f"{store},{status},2023-01-{day:02} {hour:02}:00:00 UTC\n"
            for store, status in (("a", "active"), ("b", "inactive"), ("c", "active"))
            for day in range(9, 26)
            for hour in range(0, 24, 6)
        ),
        zones="a,America/New_York\nb,America/New_York\nc,America/Los_Angeles\n",
    )
    groups.create("Mine")
    groups.add("Mine", ["a", "b"])
    return workspace


def at(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text))


def begin(row: Schedule, moment: int) -> None:
    """Let a schedule begin at an instant of the test."""
    with database.writing():
        Schedule.update(since=moment).where(Schedule.id == row.id).execute()


def work_all(ids: list[str]) -> None:
    for document_id in ids:
        assert documents.work(document_id)


@pytest.mark.both_databases
def test_a_week_is_reported_on_monday_and_sent_once(stores: Workspace):
    channel = channels.add_channel("Mail", SLACK)
    row = schedules.add(WantedSchedule("Weekly", group="Mine", channels=[channel]))
    assert (row.zone, row.period) == ("America/New_York", "last week")
    begin(row, at("2023-01-20 00:00"))
    assert schedule_runs.claim_due(at("2023-01-23 12:59")) == []
    (document_id,) = schedule_runs.claim_due(at("2023-01-23 13:01"))
    assert schedule_runs.claim_due(at("2023-01-23 13:02")) == []
    assert schedule_runs.deliver_ready() == []
    work_all([document_id])
    document = documents.get(document_id)
    assert document.as_of == at("2023-01-23 13:00")
    assert documents.file_name(document) == "restmon-Mine-2023-01-16-to-2023-01-22.pdf"
    (message_id,) = schedule_runs.deliver(document_id)
    assert schedule_runs.deliver(document_id) == schedule_runs.deliver_ready() == []
    with database.session():
        message = OutboxMessage.get_by_id(message_id)
    assert message.attachment_name == documents.file_name(document)
    assert bytes(message.attachment) == documents.read_file(document)
    assert message.subject.startswith("Weekly: restmon-Mine-2023-01-16")
    (run,) = schedules.list_runs(row.id)
    assert (run.state, run.row.note) == ("Sent", None)


@pytest.mark.parametrize("seed", range(3))
def test_a_year_of_ticks_with_pauses_of_the_worker(stores: Workspace, seed: int):
    """A fake clock over a year: what is claimed is the latest due time at each tick, once."""
    chance = random.Random(seed)
    plan_of = {
        DAILY: WantedSchedule("d", DAILY, time="02:30", zone="America/New_York"),
        WEEKLY: WantedSchedule("w", WEEKLY, "Sunday", "01:30", "America/Chicago"),
        MONTHLY: WantedSchedule("m", MONTHLY, "31", "23:45", "Asia/Kolkata"),
    }
    with database.writing():
        Schedule.delete().execute()
        Document.delete().execute()
    rows = [schedules.add(wanted) for wanted in plan_of.values()]
    for row in rows:
        begin(row, YEAR)
    claimed: dict[int, list[int]] = {row.id: [] for row in rows}
    expected: dict[int, list[int]] = {row.id: [] for row in rows}
    due = {row.id: slow_cached(schedules.plan_of(row)) for row in rows}
    moment, before = YEAR, YEAR
    while moment < YEAR + 365 * DAY:
        moment += chance.choice([HOUR, 7 * HOUR, DAY, 3 * DAY, 40 * DAY])
        schedule_runs.claim_due(moment)
        for row in rows:
            passed = [one for one in due[row.id] if before < one <= moment]
            expected[row.id] += passed[-1:]
        before = moment
    for run in ScheduleRun.select().order_by(ScheduleRun.due_at):
        claimed[run.schedule_id].append(run.due_at)
    assert claimed == expected
    assert Document.select().count() == sum(map(len, claimed.values()))


_SLOW: dict[Plan, list[int]] = {}


def slow_cached(plan: Plan) -> list[int]:
    if plan not in _SLOW:
        _SLOW[plan] = [one for one in slow_due(plan, YEAR - DAY, YEAR + 410 * DAY) if one > YEAR]
    return _SLOW[plan]


@pytest.mark.both_databases
def test_many_workers_claim_a_due_time_once(stores: Workspace):
    for n in range(3):
        begin(schedules.add(WantedSchedule(f"s{n}", DAILY)), at("2023-01-20 00:00"))
    moments = [at("2023-01-21 18:00")] * 8
    with ThreadPoolExecutor(8) as pool:
        found = [one for ids in pool.map(schedule_runs.claim_due, moments) for one in ids]
    assert len(found) == len(set(found)) == 3
    with database.session():
        assert ScheduleRun.select().count() == Document.select().count() == 3
        noted = AuditEntry.select().where(AuditEntry.action == audit.DOCUMENT_REQUESTED)
        assert noted.count() == 3


TICKS = """
import sys
from restmon.notify import schedule_runs
from restmon.storage import database

database.configure()
print("ready", flush=True)
for moment in range(int(sys.argv[1]), int(sys.argv[2]), 3_600_000_000):
    schedule_runs.claim_due(moment)
print("done", flush=True)
"""


@pytest.mark.slow
@pytest.mark.both_databases
def test_each_due_time_has_one_run_whatever_is_killed(stores: Workspace):
    """Three processes go through the same months at once. Most are killed on the way."""
    rows = [schedules.add(WantedSchedule(f"s{n}", DAILY, time=f"{n:02}:30")) for n in range(4)]
    lo, hi = at("2023-03-01 00:00"), at("2023-03-20 00:00")
    for row in rows:
        begin(row, lo)
    env = {**os.environ, **stores.env, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", TICKS, str(lo), str(hi)]

    def start() -> subprocess.Popen[str]:
        found = subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
        assert found.stdout is not None
        assert found.stdout.readline() == "ready\n"
        return found

    for most in (3, 15, 30, 45):
        running = [start() for _ in range(3)]
        wait_until("some are claimed", lambda most=most: count_runs() >= most)
        for process in running:
            process.kill()
            process.wait(10)
    last = start()
    assert last.wait(120) == 0
    wanted = {row.id: [] for row in rows}
    for row in rows:
        plan = schedules.plan_of(row)
        instant = lo
        while (instant := plan.next_due(instant)) < hi - HOUR:
            wanted[row.id].append(instant)
    found: dict[int, list[int]] = {row.id: [] for row in rows}
    with database.session():
        for run in ScheduleRun.select().order_by(ScheduleRun.due_at):
            assert run.document_id
            found[run.schedule_id].append(run.due_at)
        assert Document.select().count() == ScheduleRun.select().count()
    assert found == wanted


def count_runs() -> int:
    with database.session():
        return int(ScheduleRun.select().count())


def test_a_worker_that_died_leaves_what_the_next_one_ends(stores: Workspace):
    channel = channels.add_channel("Mail", SLACK)
    row = schedules.add(WantedSchedule("Daily", DAILY, channels=[channel]))
    begin(row, at("2023-01-20 00:00"))
    (document_id,) = schedule_runs.claim_due(at("2023-01-21 18:00"))
    # Killed before it enqueued the document: the sweep finds the row.
    assert leases.list_waiting(Document) == [document_id]
    work_all([document_id])
    # Killed before it put the document into the outbox: the next minute does.
    assert len(schedule_runs.deliver_ready()) == 1
    assert schedule_runs.deliver_ready() == []
    with database.session():
        assert OutboxMessage.select().count() == 1


def test_a_document_that_failed_is_told(stores: Workspace):
    channel = channels.add_channel("Mail", SLACK)
    row = schedules.add(WantedSchedule("Daily", DAILY, group="Mine", channels=[channel]))
    document_id = schedule_runs.run_now(row.id)
    with database.writing():
        Document.update(status="Failed", error="It broke.").execute()
    schedule_runs.deliver(document_id)
    with database.session():
        message = OutboxMessage.get()
    assert message.subject == "Daily: the document could not be made"
    assert message.attachment is None
    (run,) = schedules.list_runs(row.id)
    assert (run.state, run.row.note) == ("Failed", "It broke.")
    samples = {
        one.name: one.value for family in schedule_metrics.collect() for one in family.samples
    }
    assert samples["restmon_schedule_last_run_failed"] == 1
    assert samples["restmon_schedule_running"] == 0
    assert samples["restmon_schedule_last_run_timestamp_seconds"] * 1_000_000 == run.row.due_at


def test_a_pause_makes_nothing_up(stores: Workspace):
    row = schedules.add(WantedSchedule("Daily", DAILY))
    begin(row, at("2023-01-20 00:00"))
    schedules.set_paused(row.id, True)
    assert schedule_runs.claim_due(at("2023-01-25 18:00")) == []
    schedules.set_paused(row.id, False)
    assert schedule_runs.claim_due(models.now()) == []
    assert len(schedule_runs.claim_due(models.now() + DAY)) == 1


def test_a_deleted_group_or_channel_stops_it(stores: Workspace):
    channel = channels.add_channel("Mail", SLACK)
    row = schedules.add(WantedSchedule("Daily", DAILY, channels=[channel]))
    channels.delete_channel(channel)
    work_all([schedule_runs.run_now(row.id)])
    assert schedule_runs.deliver_ready() == []
    assert "A channel is gone" in str(schedules.list_runs(row.id)[0].row.note)
    schedules.add(WantedSchedule("Of a group", DAILY, group="Mine"))
    groups.delete("Mine")
    assert [one.row.name for one in schedules.list_schedules()] == ["Daily"]


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (WantedSchedule(" "), "has 1 to 64 characters"),
        (WantedSchedule("a", "hourly"), "'hourly' is not known"),
        (WantedSchedule("a", WEEKLY, "Funday"), "is no day of the week"),
        (WantedSchedule("a", MONTHLY, "32"), "is no day of the month"),
        (WantedSchedule("a", time="25:00"), "is no time of day"),
        (WantedSchedule("a", zone="Moon"), "'Moon' cannot be used"),
        (WantedSchedule("a", period="soon"), "'soon' is not known"),
        (WantedSchedule("a", form="docx"), "'docx' is not known"),
    ],
)
def test_bad_wishes_are_one_sentence(stores: Workspace, wanted: WantedSchedule, sentence: str):
    with pytest.raises(BadRequest, match=sentence):
        schedules.add(wanted)
    assert schedules.list_schedules() == []


def test_owners_have_schedules_of_their_own_stores(people: Workspace):
    owner = actor_of("owner")
    row = schedules.add(WantedSchedule("Mine", DAILY), owner)
    other = schedules.add(WantedSchedule("Theirs", DAILY, group="Theirs"))
    assert [one.row.id for one in schedules.list_schedules(owner)] == [row.id]
    for call in (
        lambda: schedules.list_runs(other.id, owner),
        lambda: schedules.delete(other.id, owner),
        lambda: schedule_runs.run_now(other.id, owner),
        lambda: schedules.add(WantedSchedule("x", group="Theirs"), owner),
    ):
        with pytest.raises(NotFound):
            call()
    with pytest.raises(Forbidden):
        schedules.add(WantedSchedule("x"), Actor("v@example.com", Role.VIEWER))
    document_id = schedule_runs.run_now(row.id, owner)
    assert documents.work(document_id)
    assert documents.get(document_id, owner).stores == 1
    # An owner who has lost their stores gets no more of them.
    accounts.change("owner@example.com", "owner", ["Theirs"])
    with pytest.raises(BadRequest, match="does not see these stores any more"):
        schedule_runs.run_now(row.id, THIS_MACHINE)


def test_a_channel_of_an_owner_gets_no_other_stores(people: Workspace):
    owner = actor_of("owner")
    channel = channels.add_channel("Mail", SLACK, actor=owner)
    with pytest.raises(BadRequest, match="do not see all of these stores"):
        schedules.add(WantedSchedule("Everything", channels=[channel]))
    schedules.add(WantedSchedule("Mine", group="Mine", channels=[channel]))


def changes() -> list[str]:
    """What the audit says was changed of schedules."""
    with database.session():
        query = AuditEntry.select().where(AuditEntry.action == audit.SCHEDULE_CHANGED)
        return [entry.subject for entry in query.order_by(AuditEntry.id)]


def test_what_is_changed_is_due_at_its_new_time(stores: Workspace):
    row = schedules.add(WantedSchedule("Weekly", group="Mine", time="09:00"))
    begin(row, at("2023-01-01 00:00"))
    channel = channels.add_channel("Mail", SLACK)
    changed = schedules.change(row.id, {"time": "7:30", "name": " Early  birds "})
    assert (changed.name, changed.time) == ("Early birds", 7 * HOUR + HOUR // 2)
    assert changed.since > at("2023-01-01 00:00")  # so nothing of before is made up
    begin(changed, at("2023-01-01 00:00"))
    changed = schedules.change(row.id, {"name": "Weekly", "channels": [channel], "form": "xlsx"})
    assert changed.since == at("2023-01-01 00:00")  # what was missed is still made up
    assert (changed.form, changed.channels) == ("xlsx", [channel])
    monthly = schedules.change(row.id, {"every": "monthly"})
    assert (monthly.day, monthly.period) == (1, "last month")
    again = schedules.change(row.id, {"every": "weekly", "day": "Fri", "period": "7d"})
    assert (again.day, again.period) == (4, "7d")
    assert schedules.change(row.id, {"every": "daily"}).period == "7d"
    assert changes()[-5:] == [
        "Early birds: changed",
        "Weekly: changed",
        "Weekly: changed",
        "Weekly: changed",
        "Weekly: changed",
    ]
    count = len(changes())
    schedules.change(row.id, {"every": "daily"})  # as it is
    assert len(changes()) == count
    for bad in ({"time": "25:00"}, {"name": ""}, {"every": "hourly"}, {"zone": "Moon"}):
        with pytest.raises(BadRequest):
            schedules.change(row.id, bad)
    channels.delete_channel(channel)
    assert schedules.change(row.id, {"paused": True, "name": "x"}).channels == []


def test_a_changed_schedule_stays_within_the_stores_of_its_maker(people: Workspace):
    owner, viewer = actor_of("owner"), Actor("v@example.com", Role.VIEWER)
    row = schedules.add(WantedSchedule("Mine", DAILY), owner)
    other = schedules.add(WantedSchedule("Theirs", DAILY, group="Theirs"))
    with pytest.raises(NotFound):
        schedules.change(other.id, {"name": "x"}, owner)
    with pytest.raises(NotFound):
        schedules.change(row.id, {"group": "Theirs"}, owner)
    with pytest.raises(NotFound):  # also an operator's hand shows its maker no other stores
        schedules.change(row.id, {"group": "Theirs"})
    with pytest.raises(Forbidden):
        schedules.change(row.id, {"name": "x"}, viewer)
    of_operator = channels.add_channel("Mail", SLACK)
    with pytest.raises(NotFound):
        schedules.change(row.id, {"channels": [of_operator]}, owner)
    changed = schedules.change(row.id, {"channels": [of_operator], "name": "Better"})
    assert (changed.actor, changed.groups) == (row.actor, row.groups)
    assert schedules.change(row.id, {"time": "06:00"}, owner).channels == [of_operator]
    document_id = schedule_runs.run_now(row.id, owner)
    assert documents.work(document_id)
    assert documents.get(document_id, owner).stores == 1


def test_over_http(stores: Workspace):
    made = ask("/schedules", "POST", name="Monday", group="Mine", time="7:30", day="tue")
    assert made.status_code == 200, made.text
    number = made.json()["schedule_id"]
    (entry,) = get("/schedules")["schedules"]
    assert (entry["when"], entry["window"]) == (
        "Tuesdays at 7:30 AM, America/New_York",
        "last week",
    )
    started = ask(f"/schedules/{number}/run", "POST")
    assert started.status_code == 202
    tasks.run_document.call_local(started.json()["document_id"])
    (run,) = get(f"/schedules/{number}/runs")["runs"]
    assert (run["state"], run["by_hand"]) == ("Complete", True)
    assert ask(f"/schedules/{number}", "PUT", every="daily", time="6:15").status_code == 200
    (entry,) = get("/schedules")["schedules"]
    assert (entry["when"], entry["group"], entry["window"]) == (
        "Daily at 6:15 AM, America/New_York",
        "Mine",
        "yesterday",
    )
    assert ask(f"/schedules/{number}", "PUT", all_stores="yes", format="csv").status_code == 200
    (entry,) = get("/schedules")["schedules"]
    assert (entry["group"], entry["format"]) == (None, "csv")
    for bad in ({"every": "hourly"}, {"time": "x"}, {"group": "Mine", "all_stores": "true"}):
        assert ask(f"/schedules/{number}", "PUT", **bad).status_code == 400
    assert ask(f"/schedules/{number}", "PUT", paused="true").status_code == 200
    assert get("/schedules")["schedules"][0]["next_at"] is None
    assert ask(f"/schedules/{number}", "DELETE").status_code == 200
    assert "There is no schedule" in refused(f"/schedules/{number}/runs", 404)
    assert "no id of a schedule" in refused("/schedules/x/runs", 400)


def test_by_the_command_line(stores: Workspace):
    done = stores.command("schedules", "add", "Monthly", "--every", "monthly", "--day", "31")
    assert done.returncode == 0, done.stderr
    assert "Day 31 of each month at 8:00 AM, America/New_York" in done.stdout
    number = schedules.list_schedules()[0].row.id
    assert "kept only; next" in stores.command("schedules", "list").stdout
    done = stores.command("schedules", "change", number, "--day", "2", "--group", "Mine")
    assert "Day 2 of each month at 8:00 AM, America/New_York, next" in done.stdout
    assert schedules.list_schedules()[0].group == "Mine"
    done = stores.command("schedules", "change", number, "--all-stores", "--each-store")
    assert (done.returncode, schedules.list_schedules()[0].group) == (0, None)
    assert schedules.list_schedules()[0].row.each_store
    for bad_options in ([], ["--all-stores", "--group", "Mine"], ["--time", "25:00"]):
        assert stores.command("schedules", "change", number, *bad_options).returncode == 2
    assert "is made." in stores.command("schedules", "run", number).stdout
    assert "Complete" in stores.command("schedules", "history", number).stdout
    assert "paused" in stores.command("schedules", "pause", number).stdout
    assert "goes on" in stores.command("schedules", "resume", number).stdout
    assert "deleted" in stores.command("schedules", "delete", number).stdout
    bad = stores.command("schedules", "run", number)
    assert (bad.returncode, "There is no schedule" in bad.stderr) == (2, True)


def test_the_command_line_runs_a_schedule_at_once_without_a_worker(
    stores: Workspace, monkeypatch: pytest.MonkeyPatch
):
    stores.env["RESTMON_ALLOW_PRIVATE_WEBHOOKS"] = "yes"
    monkeypatch.setenv("RESTMON_ALLOW_PRIVATE_WEBHOOKS", "yes")
    get_settings.cache_clear()
    with mail_server() as inbox:
        channel = channels.add_channel("Mail", inbox.url)
        row = schedules.add(schedules.WantedSchedule("Weekly", channels=(channel,)))
        done = stores.command("schedules", "run", row.id)
        assert done.returncode == 0, done.stderr
        assert "To Mail: sent" in done.stdout
        ((_, mail),) = inbox.mails
        (attached,) = mail.iter_attachments()
        assert attached.get_content().startswith(b"%PDF")
        inbox.refuse = "451 Try again later"
        said = stores.command("schedules", "run", row.id).stdout
        assert "To Mail: waiting: The mail server answered with code 451." in said
    assert schedules.list_runs(row.id)[1].state == "Sent"


def test_on_the_page(stores: Workspace):
    found: Any = page("documents", part="Schedules")
    assert "No schedule yet." in seen(found)
    assert "documents, schedules and messages wait" in seen(found)
    assert "documents, schedules and messages wait" in seen(page("documents"))
    found.text_input(key="schedule_name").set_value("Every Monday")
    (button,) = [one for one in found.button if one.label == "Add the schedule"]
    found = well(button.click().run())
    assert "Mondays at 8:00 AM, America/New_York" in seen(found)
    found = well(found.button(key="run_now").click().run())
    (run,) = schedules.list_runs(schedules.list_schedules()[0].row.id)
    assert run.state == "Running"
    tasks.run_document.call_local(run.row.document_id)
    found = page("documents", part="Schedules")
    assert "Download restmon-All-stores" in seen(found)
    number = schedules.list_schedules()[0].row.id
    found.text_input(key=f"change_schedule_{number}_name").set_value("Every Tuesday")
    found.selectbox(key=f"change_schedule_{number}_weekday").set_value("Tuesday")
    (button,) = [one for one in found.button if one.label == "Save the changes"]
    found = well(button.click().run())
    assert "The schedule Every Tuesday is changed." in seen(found)
    (one,) = schedules.list_schedules()
    assert (one.row.name, one.plan.day, one.row.period) == ("Every Tuesday", 1, "last week")
    found = well(found.button(key="pause").click().run())
    assert schedules.list_schedules()[0].row.paused
