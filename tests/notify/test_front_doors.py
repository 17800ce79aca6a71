"""Channels, rules and messages over HTTP and on the command line; /healthz and /metrics."""

import json
from typing import Any

from restmon.access import api_keys
from restmon.access.roles import THIS_MACHINE
from restmon.core.instants import HOUR
from restmon.notify import channels, health, outbox
from restmon.ops import summary
from restmon.storage import database
from restmon.storage.models import FAILED, Report, now
from restmon.storage.notify_models import AlertState, OutboxMessage
from tests.support.receivers import webhook_receiver
from tests.support.workspace import Workspace
from tests.support.wsgi import ask

ALLOWED = {"RESTMON_ALLOW_PRIVATE_WEBHOOKS": "yes"}
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"


def test_health_and_metrics_tell_of_a_message_that_was_given_up(workspace: Workspace):
    assert health.describe_outbox(outbox.measure_depth()) == health.OK
    channel = channels.add_channel("Chat", SLACK)
    message = channels.send_test(channel)
    assert health.describe_outbox(outbox.measure_depth()) == health.OK
    with database.writing():
        OutboxMessage.update(give_up_at=now() + 22 * HOUR).execute()
    assert "is due for 120 minutes" in health.describe_outbox(outbox.measure_depth())
    with database.writing():
        OutboxMessage.update(status=FAILED, finished_at=now()).execute()
        channels.Channel.update(last_failed_at=now()).execute()
    assert "1 message was given up" in health.describe_outbox(outbox.measure_depth())
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in health.collect()
        for sample in metric.samples
    }
    assert samples["restmon_messages", "failed"] == 1
    assert samples["restmon_messages", "unsure"] == 0
    assert samples["restmon_channel_up", str(channel)] == 0
    assert outbox.get(message, THIS_MACHINE).status == FAILED


def test_a_report_that_waits_means_a_slow_worker(workspace: Workspace):
    assert not summary.is_worker_slow()
    with database.writing():
        Report.create(requested_at=now() - HOUR)
    assert summary.is_worker_slow()


def test_the_command_line(workspace: Workspace):
    def run(*words: str, text: str = "") -> Any:
        done = workspace.command("alerts", *words, env=ALLOWED, input=text)
        return done.returncode, done.stdout + done.stderr

    assert "There are no channels" in run("channels")[1]
    assert "has the id 1" in run("add-channel", "Chat", text=SLACK + "\n")[1]
    with webhook_receiver() as receiver:
        _, added = run("add-webhook", "Till", receiver.url, "--event", "import.completed")
        secret = added.split()[-1]
        assert len(secret) > 30
        assert "was taken" in run("test", "2")[1]
        assert len(receiver.requests) == 1
        port = receiver.port
    listed = run("channels")[1]
    assert "slack://***" in listed
    assert "TIiaj" not in listed
    assert secret not in listed
    assert "has the id 2" in run("add-rule", "down", "--channel", "1", "--minutes", "5")[1]
    assert "down  all stores  to Chat" in run("rules")[1]
    assert "Test message" in run("messages")[1]
    said = run("quiet-hours", "1", "--zone", "America/Denver", "--from", "22:00", "--to", "07:00")
    assert "is quiet from 22:00 to 07:00" in said[1]
    assert "is no time of day" in run("quiet-hours", "1", "--from", "25:00", "--to", "7")[1]
    assert "A webhook has no quiet hours" in run("quiet-hours", "2")[1]
    assert "has no quiet hours" in run("quiet-hours", "1")[1]
    message = run("messages")[1].split()[0]
    assert "This message is sent." in run("send-again", message)[1]
    with database.writing():
        OutboxMessage.update(status=outbox.UNSURE, error=outbox.WORKER_ENDED).execute()
    assert f"unsure  Till  Test message from restmon  {outbox.WORKER_ENDED}" in run("messages")[1]
    with webhook_receiver(port) as receiver:
        assert "was taken" in run("send-again", message)[1]
        assert len(receiver.requests) == 1
    assert "There are no open alerts" in run("open")[1]
    with database.writing():
        AlertState.create(rule=2, is_open=True, values={"alert": 5, "since": 3})
    assert "2-0-5  down  The rule's stores  since 1970-01-01" in run("open")[1]
    assert "is acknowledged: Down" in run("acknowledge", "2-0-5")[1]
    assert "acknowledged by " in run("open")[1]
    assert "This alert is over" in run("acknowledge", "2-0-6")[1]
    assert "is deleted" in run("delete-rule", "2")[1]
    assert "is deleted" in run("delete-channel", "1")[1]
    code, bad = run("add-rule", "down", "--channel", "77")
    assert code == 2
    assert "There is no channel 77" in bad


def test_the_api(people: Workspace):
    own = api_keys.make("own", "owner", None, ["Mine"])
    other = api_keys.make("other", "owner", None, ["Theirs"])
    viewer = api_keys.make("viewer", "viewer", None, ["Mine"])

    def call(method: str, path: str, key: str = own, **values: str) -> tuple[int, Any]:
        found = ask(path, method, key, **values)
        return found.status_code, found.json()

    status, added = call("POST", "/channels", name="Chat", url=SLACK)
    assert (status, added["secret"]) == (200, None)
    channel = str(added["channel_id"])
    status, found = call("GET", "/channels")
    assert found["channels"][0]["address"] == "slack://***"
    assert "TIiaj" not in json.dumps(found)
    assert call("GET", "/channels", other)[1]["count"] == 0
    assert call("GET", "/channels", viewer)[0] == 403
    assert call("DELETE", "/channels", other, channel_id=channel)[0] == 404
    status, rule = call("POST", "/rules", condition="down", channels=channel, reminder="60")
    assert status == 200
    assert call("GET", "/rules")[1]["rules"][0]["reminder"] == 60
    assert call("GET", "/rules", other)[1]["count"] == 0
    assert call("DELETE", "/rules", other, rule_id=str(rule["rule_id"]))[0] == 404
    assert call("POST", f"/channels/{channel}/test")[0] == 200
    assert call("GET", "/messages")[1]["messages"][0]["state"] == "waiting"
    assert call("GET", "/messages", other)[1]["count"] == 0
    status, _ = call(
        "PUT", f"/channels/{channel}", zone="America/Denver", quiet_from="22:00", quiet_to="07:00"
    )
    assert status == 200
    (shown,) = call("GET", "/channels")[1]["channels"]
    assert (shown["zone"], shown["quiet_from"], shown["quiet_to"]) == (
        *("America/Denver", "22:00", "07:00"),
    )
    assert call("PUT", f"/channels/{channel}", quiet_from="22:00")[0] == 400
    assert call("PUT", f"/channels/{channel}", other)[0] == 404
    message = call("GET", "/messages")[1]["messages"][0]["message_id"]
    assert call("POST", f"/messages/{message}/send_again")[0] == 400  # it waits
    with database.writing():
        OutboxMessage.update(status=outbox.UNSURE, error=outbox.WORKER_ENDED).execute()
        AlertState.create(rule=rule["rule_id"], is_open=True, values={"alert": 5, "since": 3})
    assert call("GET", "/messages")[1]["messages"][0]["state"] == "unsure"
    assert call("POST", f"/messages/{message}/send_again", other)[0] == 404
    assert call("POST", f"/messages/{message}/send_again") == (200, {"message_id": message})
    assert outbox.list_due() == [message]
    assert call("GET", "/alerts", other)[1]["count"] == 0
    (alert,) = call("GET", "/alerts")[1]["alerts"]
    assert (alert["since"], alert["acknowledged_by"]) == ("1970-01-01T00:00:00.000003Z", None)
    acknowledge = f"/alerts/{alert['alert_id']}/acknowledge"
    assert call("POST", acknowledge, other)[0] == 404
    assert call("POST", acknowledge, viewer)[0] == 403
    assert call("POST", acknowledge)[0] == 200
    assert call("GET", "/alerts")[1]["alerts"][0]["acknowledged_by"] == "key own"
    for values in (
        {"name": "x", "url": "foo://y"},
        {"name": "x", "url": "https://127.0.0.1/", "events": "outage.opened"},
        {"name": "x", "url": "https://8.8.8.8/", "events": "nonsense"},
        {"name": "x", "url": SLACK, "zone": "Mars", "quiet_from": "22:00", "quiet_to": "07:00"},
        {"name": "x", "url": SLACK, "quiet_from": "25:00"},
    ):
        status, refused = call("POST", "/channels", **values)
        assert status in {400, 422}, refused
        assert "TIiaj" not in json.dumps(refused)
    assert call("POST", "/rules", condition="down", channels="x")[0] == 400
    assert call("POST", "/rules", condition="nonsense", channels=channel)[0] == 400
