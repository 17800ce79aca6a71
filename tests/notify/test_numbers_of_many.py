"""A message about many stores and its end speak of the same stores."""

from collections.abc import Callable

import pytest

from restmon.access.roles import THIS_MACHINE
from restmon.core.instants import DAY, HOUR
from restmon.ingest import hours_editing
from restmon.notify import acknowledgements, channels, outbox, rules
from restmon.notify.rules import Wanted
from restmon.ops import deletion
from restmon.storage import database
from restmon.stores import groups
from tests.notify.test_evaluation import SLACK, Day, make_day

__all__ = ["make_day"]
pytestmark = pytest.mark.both_databases
STORES = [f"s{n:02d}" for n in range(40)]
STRUCK = tuple(STORES[:25])
START = "25 of 40 stores went down at 11:15 AM CST; probably one shared cause"


def body_of(subject: str) -> str:
    (body,) = [m.body for m in outbox.list_recent(THIS_MACHINE, 5000) if m.subject == subject]
    return body


def begin(make_day: Callable[..., Day], before: Callable[[Day], None] = lambda _: None) -> Day:
    """A day up to 11:30, when the incident of 11:15 was told."""
    day = make_day(*STORES)
    channel = channels.add_channel("Chat", SLACK)
    groups.create("All")
    groups.add("All", STORES)
    rules.add_rule(Wanted("down", minutes=10, group="All"), [channel])
    day.poll(9, 0)
    before(day)
    day.poll(11, 0, down=())
    day.poll(11, 10, down=STRUCK)
    assert START in day.poll(11, 30, down=STRUCK)
    return day


def make_flapping(day: Day) -> None:
    said = []
    for minutes in (0, 30, 60):
        for later, down in ((0, ()), (10, ("s00",)), (20, ("s00",))):
            at = 9 * 60 + 15 + minutes + later
            said += day.poll(at // 60, at % 60, down)
    assert said[-1] == "s00 is flapping: down for the third time in 24 hours"


def test_a_flapping_store_that_is_up_too_is_among_them(make_day: Callable[..., Day]):
    day = begin(make_day, make_flapping)
    assert day.poll(12, 0) == ["All 25 stores are back up"]
    assert "at first" not in body_of("All 25 stores are back up")


def test_a_flapping_store_that_is_not_up_is_named(make_day: Callable[..., Day]):
    day = begin(make_day, make_flapping)
    (subject,) = day.poll(12, 0, down=("s00",))
    assert subject == "24 of 25 stores are back up; s00 is flapping"
    assert body_of(subject).startswith("Not yet:\n- s00: since 11:05 AM (55 min); flapping\n")
    assert day.poll(12, 30) == []
    assert "s00 is steady again" in [*day.poll(14, 0), *day.poll(15, 0), *day.poll(16, 0)]


def test_reminders_count_them_too(make_day: Callable[..., Day]):
    day = make_day(*STORES)
    rules.add_rule(Wanted("down", minutes=10, reminder=30), [channels.add_channel("Chat", SLACK)])
    make_flapping(day)
    day.poll(11, 0)
    day.poll(11, 10, down=STRUCK)
    assert START in day.poll(11, 30, down=STRUCK)
    assert day.poll(12, 0, down=STRUCK) == ["Reminder: 25 stores are still down"]
    (one,) = [alert for alert in acknowledgements.list_open() if alert.store_id is None]
    assert one.title == "25 stores"


def test_a_store_that_was_told_alone_and_acknowledged(make_day: Callable[..., Day]):
    """It has an end of its own, and is in the numbers of the incident."""

    def tell_alone(day: Day) -> None:
        assert day.poll(10, 30, ("s24",)) == ["s24 is down since 9:45 AM (45 min)"]
        (alert,) = acknowledgements.list_open()
        acknowledgements.acknowledge_alert(alert.id)
        day.stores = STORES[:24] + STORES[25:]  # no poll of it at 11:00

    day = begin(make_day, tell_alone)
    day.stores = STORES
    (subject,) = day.poll(12, 0, down=("s24",))
    assert subject == "24 of 25 stores are back up"
    assert "- s24: since 9:45 AM" in body_of(subject)
    assert day.poll(12, 20) == ["s24 is back up after 2 h 25 min"]


def test_a_store_that_goes_up_and_down_counts_once(make_day: Callable[..., Day]):
    day = begin(make_day)
    assert day.poll(11, 40, down=STRUCK[1:]) == []
    assert day.poll(11, 50, down=STRUCK) == []
    assert day.poll(12, 0, down=STRUCK) == []
    assert day.poll(12, 30) == ["All 25 stores are back up"]


def test_a_store_that_closed_meanwhile_is_not_called_up_or_down(make_day: Callable[..., Day]):
    day = begin(make_day)
    hours_editing.set_hours("s05", [(str(n), "09:00", "11:50") for n in range(7)])
    (subject,) = day.poll(12, 0)
    assert subject == "24 of 25 stores are back up"
    assert body_of(subject).startswith("Not yet:\n- s05: closed now\n")


@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_store_that_is_not_watched_any_more(make_day: Callable[..., Day], is_deleted: bool):
    day = begin(make_day)
    if is_deleted:
        day.stores = STORES[:5] + STORES[6:]
        deletion.delete_store("s05")
    else:
        groups.remove("All", ["s05"])
    (subject,) = day.poll(12, 0)
    assert subject == "24 of 25 stores are back up"
    assert body_of(subject).startswith(
        "1 store is not watched any more: not in the group, retired, or deleted.\n"
    )


def test_a_store_that_joins_the_group_and_the_incident_later(make_day: Callable[..., Day]):
    day = make_day(*STORES, "late")
    groups.create("All")
    groups.add("All", STORES)
    channel = channels.add_channel("Chat", SLACK)
    rules.add_rule(Wanted("down", minutes=10, group="All"), [channel])
    for hour in (9, 11):
        day.poll(hour, 0)
    day.poll(11, 10, down=(*STRUCK, "late"))
    assert day.poll(11, 30, down=(*STRUCK, "late")) == [START]
    groups.add("All", ["late"])
    assert day.poll(11, 40, down=(*STRUCK, "late")) == []
    (subject,) = day.poll(12, 10)
    assert subject == "All 26 stores are back up"
    assert body_of(subject).startswith("25 of the 26 were down at first, others later.\n")


@pytest.mark.parametrize("left", ["", "s03"])
def test_quiet_hours_hold_up_both_or_neither(make_day: Callable[..., Day], left: str):
    """An incident that is over before they end has no message. Where a store is left, its start and
    its end have one each."""

    def be_quiet(_: Day) -> None:
        (channel,) = channels.list_channels()
        with database.session():
            wall = database.clock() - 6 * HOUR
        quiet = ((wall - 2 * HOUR) % DAY, (wall + 12 * HOUR) % DAY)
        channels.set_recipient(channel.id, channels.Recipient("America/Chicago", *quiet))

    def waiting() -> list[str]:
        found = outbox.list_recent(THIS_MACHINE, 5000)
        return sorted(m.subject for m in found if outbox.name_state(m) == "waiting")

    day = begin(make_day, be_quiet)
    assert waiting() == [START]
    day.poll(12, 0, down=(left,))
    assert waiting() == (["24 of 25 stores are back up", START] if left else [])
    day.poll(12, 30)
    more = ["24 of 25 stores are back up", START, "s03 is back up after 1 h 10 min"]
    assert waiting() == (more if left else [])
