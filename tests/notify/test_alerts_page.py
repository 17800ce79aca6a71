"""The Alerts page, and the page of an acknowledgement link."""

from datetime import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from restmon.access import audit
from restmon.access.passwords import hash_token
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.instants import HOUR
from restmon.dashboard.server import app
from restmon.errors import NotFound
from restmon.notify import acknowledgements, channels, outbox, rules
from restmon.notify.rules import Wanted
from restmon.storage import database
from restmon.storage.models import Store, now
from restmon.storage.notify_models import AlertState, OutboxMessage
from tests.support.pages import page, seen
from tests.support.workspace import Workspace

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"


def test_a_channel_a_test_and_a_rule(people: Workspace, as_: Any):
    as_("owner")
    at = page("alerts")
    assert "send a message when a store goes down" in seen(at)
    at.text_input(key="channel_name").set_value("Night *manager*")
    at.text_input(key="channel_url").set_value(SLACK)
    at.button(key="add_channel_button").click().run()
    assert not at.exception
    (channel,) = channels.list_channels()
    assert (channel.name, channel.groups) == ("Night *manager*", ["Mine"])
    assert "TIiaj" not in seen(at)
    at = page("alerts", part="Channels")
    at.button(key=f"test_{channel.id}").click().run()
    assert not at.exception
    at = page("alerts", part="Rules")
    at.number_input(key="rule_minutes").set_value(25)
    at.selectbox(key="rule_reminder").select(60)
    at.button(key="add_rule_button").click().run()
    assert not at.exception
    (rule,) = rules.list_rules()
    assert rule.wanted == Wanted("down", None, None, 25, 60)
    at.button(key=f"pause_{rule.id}").click().run()
    assert rules.list_rules()[0].paused
    at = page("alerts", part="Messages")
    assert "Test message from restmon" in seen(at)
    at = page("alerts", part="Rules")
    at.button(key=f"delete_rule_{rule.id}").click().run()
    assert rules.list_rules() == []


def test_a_bad_address_is_one_sentence_and_the_secret_is_shown_once(people: Workspace, as_: Any):
    as_("operator")
    at = page("alerts", part="Channels")
    at.text_input(key="channel_name").set_value("X")
    at.text_input(key="channel_url").set_value("foo://secret-thing")
    at.button(key="add_channel_button").click().run()
    assert not at.exception
    assert "no service with the scheme foo" in at.error[0].value
    assert "secret-thing" not in seen(at)
    at.radio(key="channel_kind").set_value("A program (webhook)").run()
    at.text_input(key="webhook_name").set_value("Till")
    at.text_input(key="webhook_url").set_value("https://8.8.8.8/x")
    at.button(key="add_webhook_button").click().run()
    assert not at.exception
    assert len(at.code) == 1
    assert len(at.code[0].value) > 30
    at.run()
    assert not at.code


def test_other_peoples_channels_are_not_shown(people: Workspace, as_: Any):
    channels.add_channel("Secret channel", SLACK, groups=["Theirs"])
    rules.add_rule(Wanted("down", group="Theirs"), [1])
    channels.send_test(1)
    as_("owner")
    for part in ("Messages", "Rules", "Channels"):
        shown = seen(page("alerts", part=part))
        assert "Secret" not in shown
        assert "Theirs" not in shown
        assert "Test message" not in shown


def test_an_open_alert_is_acknowledged_on_the_page(people: Workspace, as_: Any):
    chat = channels.add_channel("Chat", SLACK, groups=["Mine"])
    other = channels.add_channel("Other", SLACK, groups=["Theirs"])
    mine = rules.add_rule(Wanted("down", group="Mine"), [chat])
    theirs = rules.add_rule(Wanted("down", group="Theirs"), [other])
    with database.session():
        stores = {store.store_id: store.id for store in Store.select()}
    with database.writing():
        for rule in (mine, theirs):
            for store in stores.values():
                known = {"alert": 1674670200000000, "since": 1674669000000000}
                AlertState.create(rule=rule, store=store, is_open=True, values=known)
    as_("owner")
    at = page("alerts", part="Open")
    buttons = [button for button in at.button if button.label == "Acknowledge"]
    assert len(buttons) == len(stores)
    assert f"acknowledge_{theirs}" not in "".join(str(button.key) for button in buttons)
    buttons[0].click().run()
    assert not at.exception
    assert "acknowledged. No more reminders come." in seen(at)
    with database.session():
        (row,) = AlertState.select().where(AlertState.acknowledged_at.is_null(False))
    assert row.rule_id == mine
    assert row.acknowledged_by == "owner@example.com"
    at = page("alerts", part="Open")
    assert "Acknowledged by owner@example.com" in seen(at)
    with pytest.raises(NotFound):
        acknowledgements.acknowledge_alert(
            f"{theirs}-{row.store}-1674670200000000", Actor("x", Role.OWNER, frozenset({1}))
        )


def test_quiet_hours_are_changed_on_the_page(people: Workspace, as_: Any):
    channel = channels.add_channel("Chat", SLACK, groups=["Mine"])
    as_("owner")
    at = page("alerts", part="Channels")
    at.time_input(key=f"quiet_from_{channel}").set_value(time(22, 0))
    at.time_input(key=f"quiet_to_{channel}").set_value(time(7, 30))
    at.button(key=f"save_quiet_{channel}").click().run()
    assert "Quiet hours need a time zone." in at.error[0].value
    at.selectbox(key=f"quiet_zone_{channel}").select("America/Denver")
    at.button(key=f"save_quiet_{channel}").click().run()
    assert not at.exception
    (shown,) = channels.list_channels()
    assert shown.recipient == channels.Recipient("America/Denver", 22 * HOUR, 7 * HOUR + HOUR // 2)
    newest = audit.list_recent()[0]
    assert newest.subject == "Chat: quiet from 22:00 to 07:30 (America/Denver)"


def test_a_message_that_may_have_arrived_is_sent_again_from_the_page(people: Workspace, as_: Any):
    channel = channels.add_channel("Chat", SLACK, groups=["Mine"])
    message = channels.send_test(channel)
    with database.writing():
        OutboxMessage.update(
            status=outbox.UNSURE, finished_at=now(), error=outbox.WORKER_ENDED, sending_at=now()
        ).execute()
    as_("owner")
    at = page("alerts", part="Messages")
    assert "? unsure. May have arrived: the worker ended while it was handed over." in seen(at)
    at.button(key=f"again_{message}").click().run()
    assert not at.exception
    assert outbox.list_due() == [message]
    assert audit.list_recent()[0].subject == "Test message from restmon to Chat"
    assert "… waiting" in seen(page("alerts", part="Messages"))


def test_a_link_shows_a_button_and_only_the_button_acknowledges(people: Workspace):
    rule = rules.add_rule(Wanted("down"), [channels.add_channel("Chat", SLACK)])
    with database.writing():
        AlertState.create(rule=rule, store=1, is_open=True, token_hash=hash_token("tok"))

    def acknowledged() -> bool:
        with database.session():
            return AlertState.get().acknowledged_at is not None

    client = TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 5000))
    for method in ("GET", "HEAD"):
        got = client.request(method, "/acknowledge", params={"token": "tok"})
        assert got.status_code == 200
    assert "<button>Acknowledge</button>" in client.get("/acknowledge?token=tok").text
    assert not acknowledged()
    for _ in range(2):
        done = client.post("/acknowledge", data={"token": "tok"})
        assert done.status_code == 200
        assert "is acknowledged" in done.text
    assert acknowledged()
    for token in ("", "other", "<script>"):
        gone = client.get("/acknowledge", params={"token": token})
        assert gone.status_code == 404
        assert "<script>" not in gone.text
    assert client.post("/acknowledge", data={"token": "x" * 20_000}).status_code == 413
    assert outbox.list_recent(THIS_MACHINE) == []
