"""Rules against real polls and a clock that stands where the test says."""

from collections.abc import Callable
from typing import Any

import pytest

from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.instants import HOUR
from restmon.errors import BadRequest, NotFound, RestmonError
from restmon.ingest import hours_editing, imports, incoming_files, store_editing
from restmon.ingest.values.one_timestamp import timestamp
from restmon.notify import acknowledgements, channels, evaluation, outbox, rules
from restmon.notify.rules import Wanted
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import Group
from restmon.storage.notify_models import AlertState, OutboxMessage, Rule
from restmon.stores import groups, targets
from tests.support.clock import set_clock
from tests.support.workspace import POLLS_HEADER, Workspace

pytestmark = pytest.mark.both_databases
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"
DAY = "2023-01-25"


def at(hour: int, minute: int = 0) -> int:
    """An instant by the clock of Chicago."""
    found = timestamp(f"{DAY} {hour + 6:02d}:{minute:02d}:00 UTC".encode())
    assert found is not None
    return found


class Day:
    """A day of polls, a status of each store every 10 minutes, and what the rules say of it."""

    def __init__(self, workspace: Workspace, monkeypatch: Any, stores: list[str]) -> None:
        self.workspace, self.monkeypatch, self.stores = workspace, monkeypatch, stores
        self.seen: set[str] = set()
        self.go_to(8, 0)
        self.poll(8, 0)
        for store in stores:
            hours_editing.set_hours(store, [(str(day), "09:00", "22:00") for day in range(7)])

    def go_to(self, hour: int, minute: int) -> None:
        set_clock(self.monkeypatch, at(hour, minute))

    def poll(self, hour: int, minute: int, down: tuple[str, ...] = (), reason: str = "") -> list:
        """One poll of each store; returns the subjects of the new messages."""
        self.go_to(hour, minute)
        when = f"{DAY} {hour + 6:02d}:{minute:02d}:00 UTC"
        lines = [
            f"{store},{'inactive' if store in down else 'active'},{when},{reason}\n"
            for store in self.stores
        ]
        header = POLLS_HEADER.strip() + ",reason\n"
        path = self.workspace.write("polls.csv", header + "".join(lines))
        imports.run_now([incoming_files.source_file("polls", path)])
        return self.evaluate()

    def evaluate(self) -> list[str]:
        evaluation.evaluate_rules()
        assert evaluation.evaluate_rules() == []
        return [message.subject for message in self.new_messages()]

    def new_messages(self) -> list[OutboxMessage]:
        found = [m for m in outbox.list_recent(THIS_MACHINE, 5000) if m.id not in self.seen]
        self.seen |= {message.id for message in found}
        return sorted(found, key=lambda message: message.subject)


@pytest.fixture
def make_day(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Day]:
    return lambda *stores: Day(workspace, monkeypatch, list(stores))


def test_a_store_goes_down_and_comes_back(make_day: Callable[..., Day]):
    day = make_day("a", "b")
    store_editing.save_entry("a", {"name": "Main Street Deli", "sales_per_hour": "240"})
    channel = channels.add_channel("Chat", SLACK)
    rules.add_rule(Wanted("down", minutes=20, reminder=60), [channel])
    assert day.poll(12, 0) == []
    assert day.poll(12, 20, down=("a",), reason="tablet off") == []
    assert day.poll(12, 40, down=("a",)) == ["Main Street Deli is down since 12:10 PM (30 min)"]
    with database.session():
        body = OutboxMessage.get().body
    lines = body.split("\n")
    assert lines[:4] == [
        "Store: Main Street Deli (a)",
        "Down since: Wed, Jan 25, 12:10 PM CST, for 30 min of business hours",
        "Reason: tablet off",
        "Estimated loss so far: $120",
    ]
    assert f"{get_settings().link_url}/store?store=a" in lines
    (link,) = [line for line in lines if "/acknowledge?token=" in line]
    assert day.poll(13, 0, down=("a",)) == []
    assert day.poll(13, 40, down=("a",)) == [
        "Reminder: Main Street Deli is still down since 12:10 PM (1 h 30 min)"
    ]
    (reminder,) = [m for m in outbox.list_recent(THIS_MACHINE) if "Reminder" in m.subject]
    assert link in reminder.body
    found = acknowledgements.acknowledge(link.partition("token=")[2])
    assert found.title == "Main Street Deli"
    assert day.poll(15, 0, down=("a",)) == []
    assert day.poll(15, 20) == ["Main Street Deli is back up after 3 h 00 min"]
    with pytest.raises(NotFound):
        acknowledgements.find_alert(link.partition("token=")[2])


def make_unsure(message_id: str) -> None:
    """Hand a message over with a worker that ends meanwhile."""
    assert outbox.claim(message_id)
    with database.writing():
        OutboxMessage.update(sending_at=1, lease_until=1).where(
            OutboxMessage.id == message_id
        ).execute()
    assert outbox.claim(message_id) is None


def test_a_message_that_may_have_arrived_is_followed_by_a_reminder(make_day: Callable[..., Day]):
    """Of its channel alone, once, while the store is open and nobody acknowledged the alert."""
    day = make_day("a")
    lost, fine = channels.add_channel("Chat", SLACK), channels.add_channel("Fine", SLACK)
    rules.add_rule(Wanted("down", minutes=0), [lost, fine])
    hours_editing.set_hours("a", [(str(n), "09:00", "12:00") for n in range(7)])
    day.poll(11, 0)
    assert day.poll(11, 40, down=("a",)) == ["a is down since 11:20 AM (20 min)"] * 2
    first = {m.channel_name: m for m in outbox.list_recent(THIS_MACHINE)}["Chat"]
    make_unsure(first.id)
    assert day.evaluate() == ["Reminder: a is still down since 11:20 AM (20 min)"]
    (reminder,) = [m for m in outbox.list_recent(THIS_MACHINE) if "Reminder" in m.subject]
    assert reminder.channel_name == "Chat"
    assert day.poll(11, 50, down=("a",)) == []
    make_unsure(reminder.id)
    assert day.poll(12, 10, down=("a",)) == []  # closed
    (alert,) = acknowledgements.list_open()
    acknowledgements.acknowledge_alert(alert.id)
    with database.writing():
        Rule.update(revision=None).execute()
    assert day.evaluate() == []


def test_what_may_have_arrived_of_many_is_followed_by_one_reminder(make_day: Callable[..., Day]):
    day = make_day(*[f"s{n}" for n in range(8)])
    rules.add_rule(Wanted("down", minutes=0), [channels.add_channel("Chat", SLACK)])
    struck = tuple(day.stores[:7])
    day.poll(11, 0)
    day.poll(11, 6, down=struck)
    (message,) = outbox.list_recent(THIS_MACHINE)
    make_unsure(message.id)
    assert day.evaluate() == ["Reminder: 7 stores are still down"]
    (alert,) = acknowledgements.list_open()
    assert (alert.title, alert.store_id, alert.condition) == ("7 stores", None, "down")
    assert day.poll(11, 30) == ["All 7 stores are back up"]
    assert acknowledgements.list_open() == []


def test_what_may_have_arrived_of_an_alert_that_is_over_is_not_followed(
    make_day: Callable[..., Day],
):
    day = make_day("a")
    rules.add_rule(Wanted("down", minutes=0), [channels.add_channel("Chat", SLACK)])
    day.poll(11, 0)
    day.poll(11, 6, down=("a",))
    (message,) = outbox.list_recent(THIS_MACHINE)
    make_unsure(message.id)
    assert day.poll(11, 30) == ["a is back up after 15 min"]


def test_more_stores_of_many_that_are_acknowledged_are_told(make_day: Callable[..., Day]):
    """The acknowledgement was of those that were told; the link of the next message is of all."""
    day = make_day(*[f"s{n:02d}" for n in range(60)])
    rules.add_rule(Wanted("down", minutes=0, reminder=30), [channels.add_channel("Chat", SLACK)])
    day.poll(11, 0)
    day.poll(11, 6, down=tuple(day.stores[:7]))
    (alert,) = acknowledgements.list_open()
    acknowledgements.acknowledge_alert(alert.id)
    assert day.poll(11, 45, down=tuple(day.stores[:7])) == []
    more = tuple(day.stores[:15])
    assert len(day.poll(11, 55, down=more)) == 1
    (alert,) = acknowledgements.list_open()
    assert (alert.title, alert.acknowledged_at) == ("15 stores", None)
    newest = max(outbox.list_recent(THIS_MACHINE), key=lambda message: message.requested_at)
    token = newest.body.partition("token=")[2]
    assert acknowledgements.find_alert(token).title == "Several stores"
    assert day.poll(12, 30, down=more) == ["Reminder: 15 stores are still down"]


def test_what_happens_while_closed_waits_until_opening(make_day: Callable[..., Day]):
    day = make_day("a")
    rules.add_rule(Wanted("down", minutes=20), [channels.add_channel("Chat", SLACK)])
    assert day.poll(8, 10, down=("a",)) == []
    assert day.poll(8, 50, down=("a",)) == []
    assert day.poll(9, 10, down=("a",)) == []
    assert day.poll(9, 20, down=("a",)) == ["a is down since 9:00 AM (20 min)"]


def test_an_incident_is_one_message(make_day: Callable[..., Day]):
    stores = [f"s{n:02d}" for n in range(40)]
    day = make_day(*stores)
    channel = channels.add_channel("Chat", SLACK)
    rules.add_rule(Wanted("down", minutes=10), [channel])
    rules.add_rule(Wanted("incident"), [channel])
    struck = tuple(stores[:24])
    for hour in range(9, 12):
        assert day.poll(hour, 0) == []
    said = day.poll(11, 10, down=struck) + day.poll(11, 30, down=struck)
    assert said == ["24 of 40 stores went down at 11:15 AM CST; probably one shared cause"] * 2
    (body,) = {m.body for m in outbox.list_recent(THIS_MACHINE)}
    assert body.count("\n- s") == 9  # the first one begins the body
    assert "and 14 more" in body
    assert "/outages" in body
    assert day.poll(12, 0, down=struck) == []
    assert day.poll(12, 20, down=("s03",)) == ["23 of 24 stores are back up"]
    assert day.poll(13, 0) == [
        "The incident of 11:15 AM CST is over",
        "s03 is back up after 1 h 35 min",
    ]


def test_many_that_go_down_together_are_named_so_before_they_are_an_incident(
    make_day: Callable[..., Day],
):
    day = make_day(*[f"s{n:02d}" for n in range(30)])
    rules.add_rule(Wanted("down", minutes=10), [channels.add_channel("Chat", SLACK)])
    struck = tuple(day.stores[:8])
    assert day.poll(11, 0) == []
    assert day.poll(11, 6, down=struck) == []
    assert day.poll(11, 14, down=struck) == [
        "8 of 30 stores went down at 11:03 AM CST; probably one shared cause"
    ]
    assert day.poll(11, 50) == ["All 8 stores are back up"]


def test_quiet_stores_and_a_feed_that_stops(make_day: Callable[..., Day]):
    day = make_day("a", "b")
    channel = channels.add_channel("Chat", SLACK)
    for condition in ("not reporting", "feed stopped", "down"):
        rules.add_rule(Wanted(condition, minutes=0), [channel])
    assert day.poll(9, 0) == []
    day.stores = ["b"]
    for hour in range(10, 12):
        assert day.poll(hour, 0) == []
    assert day.poll(12, 30) == ["a stopped reporting; last poll Wed, Jan 25, 9:00 AM CST"]
    day.go_to(15, 40)
    assert day.evaluate() == ["No polls come in since Wed, Jan 25, 6:30 PM UTC"]
    day.go_to(16, 40)
    assert day.evaluate() == []
    day.stores = ["a", "b"]
    assert day.poll(17, 0) == ["Polls come in again", "a reports again"]


def test_a_target_is_told_once_a_month(make_day: Callable[..., Day]):
    day = make_day("a", "b")
    targets.set_target(targets.ALL_STORES, 999_900)
    rules.add_rule(Wanted("target"), [channels.add_channel("Chat", SLACK)])
    day.poll(10, 0)
    assert day.poll(10, 30, down=("a",)) == []  # a month is looked at once an hour
    assert day.poll(11, 10, down=("a",)) == ["a missed its uptime target of January"]
    assert day.poll(13, 0) == []


def test_targets_of_many_stores_are_one_message_a_day(make_day: Callable[..., Day]):
    """The first one comes at once; what follows is gathered, the worst first."""
    day = make_day(*[f"s{n:02d}" for n in range(20)])
    hours_editing.set_hours("s15", [(str(n), "09:00", "16:45") for n in range(7)])
    targets.set_target(targets.ALL_STORES, 999_900)
    rules.add_rule(Wanted("target"), [channels.add_channel("Chat", SLACK)])
    day.poll(10, 0)
    assert day.poll(11, 10, down=("s00",)) == ["s00 missed its uptime target of January"]
    for hour in range(12, 17):
        assert day.poll(hour, 30, down=tuple(day.stores[:hour])) == []
    with database.writing():
        Rule.update(revision=None).execute()
        row = AlertState.get(AlertState.part == "bundle")
        row.values["told_for"] -= 24 * HOUR
        row.save()
    assert day.poll(17, 30, down=("s19",)) == ["16 stores missed their uptime targets of January"]
    (body,) = [m.body for m in outbox.list_recent(THIS_MACHINE) if "16 stores" in m.subject]
    assert body.startswith("- s01: target 99.99%")
    assert "- s15" not in body.split("and 6 more")[0]
    assert day.poll(17, 59) == []


def test_an_import_with_rejected_lines_is_told_once(make_day: Callable[..., Day]):
    day = make_day("a")
    rules.add_rule(Wanted("import"), [channels.add_channel("Chat", SLACK)])
    day.go_to(9, 5)
    day.workspace.import_now(f"a,active,{DAY} 14:00:00 UTC\na,broken,x\n")
    (subject,) = day.evaluate()
    assert subject.startswith("1 of 2 lines of ")
    assert day.evaluate() == []


def test_webhooks_get_events(make_day: Callable[..., Day]):
    day = make_day("a")
    channels.add_webhook("Till", "https://8.8.8.8/", channels.EVENTS)
    day.poll(9, 0)
    day.new_messages()
    for minute, down in ((10, ("a",)), (20, ("a",)), (40, ())):
        day.poll(9, minute, down)
    events = [m for m in outbox.list_recent(THIS_MACHINE) if m.kind.startswith("outage")]
    events.sort(key=lambda m: m.requested_at)
    assert [m.kind for m in events] == ["outage.opened", "outage.closed"]
    assert '"start": "2023-01-25T15:05:00Z"' in str(events[0].payload)
    assert '"end": "2023-01-25T15:30:00Z"' in str(events[1].payload)
    assert '"minutes": 25.0' in str(events[1].payload)


def test_a_rule_of_an_owner_tells_of_their_own_stores_alone(make_day: Callable[..., Day]):
    day = make_day("a", "b")
    for name, store in (("Mine", "a"), ("Theirs", "b")):
        groups.create(name)
        groups.add(name, [store])
    with database.session():
        rows = {group.name: group.id for group in Group.select()}
    owner = Actor("owner@example.com", Role.OWNER, frozenset({rows["Mine"]}))
    own = channels.add_channel("Ours", SLACK, actor=owner)
    of_all = channels.add_channel("All", SLACK)
    rules.add_rule(Wanted("down", minutes=0), [own], owner)
    with pytest.raises(NotFound):
        rules.add_rule(Wanted("down"), [of_all], owner)
    with pytest.raises(NotFound):
        rules.add_rule(Wanted("down", group="Theirs"), [own], owner)
    with pytest.raises(NotFound):
        rules.add_rule(Wanted("down", store="b"), [own], owner)
    with pytest.raises(BadRequest, match="must not see"):
        rules.add_rule(Wanted("down", group="Theirs"), [own])  # not an operator either
    assert rules.list_rules(Actor("x", Role.OWNER, frozenset({rows["Theirs"]}))) == []
    day.poll(9, 0)
    assert day.poll(9, 20, down=("a", "b")) == ["a is down since 9:10 AM (10 min)"]
    groups.remove("Mine", ["a"])
    day.poll(9, 40)
    assert day.poll(10, 0, down=("a", "b")) == []


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted("nonsense"),
        Wanted("down", minutes=-1),
        Wanted("down", minutes=1441),
        Wanted("down", reminder=1),
        Wanted("down", group="a", store="b"),
        Wanted("feed stopped", store="a"),
        Wanted("down", group="No such group"),
        Wanted("down", store="no-such-store"),
    ],
)
def test_bad_rules_are_refused(make_day: Callable[..., Day], wanted: Wanted):
    make_day("a")
    channel = channels.add_channel("Chat", SLACK)
    with pytest.raises(RestmonError):
        rules.add_rule(wanted, [channel])
    assert rules.list_rules() == []


def test_two_workers_that_evaluate_at_once_say_it_once(make_day: Callable[..., Day]):
    day = make_day("a")
    rule = rules.add_rule(Wanted("down", minutes=0), [channels.add_channel("Chat", SLACK)])
    day.poll(9, 0)
    with database.session():
        stale = Rule.get_by_id(rule)  # as the other worker read it
    assert day.poll(9, 20, down=("a",)) == ["a is down since 9:10 AM (10 min)"]
    assert evaluation.evaluate(stale) == []
    assert len(outbox.list_recent(THIS_MACHINE)) == 1


def test_a_name_of_a_store_stays_text(make_day: Callable[..., Day]):
    day = make_day("a")
    store_editing.save_entry("a", {"name": "Joe's <b> \u202e=cmd|' @here"})
    rules.add_rule(Wanted("down", minutes=0), [channels.add_channel("Chat", SLACK)])
    day.poll(9, 0)
    (subject,) = day.poll(9, 20, down=("a",))
    assert subject == "Joe's <b> =cmd|' @here is down since 9:10 AM (10 min)"
