"""The outbox: real mail, real webhooks, retries, repeats, and nothing of an address in any log."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from restmon.access.roles import SCHEDULE
from restmon.core.instants import DAY, HOUR, MINUTE, SECOND
from restmon.notify import channels, delivery, mail, outbox, senders
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import now
from restmon.storage.notify_models import Channel, OutboxMessage
from tests.support.environment import wait_until
from tests.support.receivers import (
    Inbox,
    Receiver,
    closed_port,
    mail_server,
    webhook_receiver,
)
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def own_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("RESTMON_ALLOW_PRIVATE_WEBHOOKS", "yes")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server() as found:
        yield found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with webhook_receiver() as found:
        yield found


def add(channel_id: int, draft: outbox.Draft) -> str | None:
    with database.writing():
        return outbox.add(Channel.get_by_id(channel_id), draft, SCHEDULE)


def stored(message_id: str) -> OutboxMessage:
    with database.session():
        return OutboxMessage.get_by_id(message_id)


def change(message_id: str, **values: object) -> None:
    with database.writing():
        OutboxMessage.update(**values).where(OutboxMessage.id == message_id).execute()


def test_a_mail_arrives_with_its_file(workspace: Workspace, inbox: Inbox):
    channel = channels.add_channel("Mail", inbox.url + ",boss@example.com")
    file = outbox.Attachment(b"%PDF-1.7", "week.pdf", "application/pdf")
    message = add(channel, outbox.Draft("k", outbox.DOCUMENT, "Your week", "Hi.", attachment=file))
    assert message is not None
    assert outbox.list_due() == [message]
    assert delivery.deliver(message)
    ((to, mail),) = inbox.mails
    assert to == ["owner@example.com", "boss@example.com"]
    assert mail["Subject"] == "Your week"
    assert mail["Message-ID"] == f"<{message}@example.com>"
    body = mail.get_body()
    assert body is not None
    assert body.get_content_type() == "text/plain"
    assert body.get_content().strip() == "Hi."
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("week.pdf", b"%PDF-1.7")
    assert outbox.name_state(stored(message)) == "sent"
    assert outbox.list_due() == []
    assert not delivery.deliver(message)


@pytest.mark.parametrize(
    "name", ["Joe's\r\nBcc: x@example.com", "Joe's\nX-Evil: 1", "<b>Joe</b>", "=?utf-8?q?x?="]
)
def test_a_name_cannot_add_headers_to_a_mail(workspace: Workspace, inbox: Inbox, name: str):
    channel = channels.add_channel("Mail", inbox.url)
    message = add(channel, outbox.Draft("k", outbox.ALERT, f"{name} is down", f"Store: {name}"))
    assert message is not None
    assert delivery.deliver(message)
    ((to, mail),) = inbox.mails
    assert to == ["owner@example.com"]
    assert "Bcc" not in mail
    assert "X-Evil" not in mail
    assert mail["To"] == "owner@example.com"
    assert mail.get_content_type() == "text/plain"


def test_a_webhook_is_signed(workspace: Workspace, receiver: Receiver):
    channel, secret = channels.add_webhook("Till", receiver.url, [channels.IMPORTED])
    payload = json.dumps({"event": "import.completed", "name": "Früh"})
    message = add(channel, outbox.Draft("k", channels.IMPORTED, "Import", payload=payload))
    assert message is not None
    assert delivery.deliver(message)
    ((path, headers, body),) = receiver.requests
    assert path == "/hook/secret-path"
    assert json.loads(body) == json.loads(payload)
    assert headers[senders.DELIVERY] == message
    assert headers[senders.EVENT] == "import.completed"
    stamp = headers[senders.TIMESTAMP]
    assert abs(int(stamp) - now() // SECOND) < 600
    assert headers[senders.SIGNATURE] == senders.sign(secret, stamp, body)
    assert headers[senders.SIGNATURE] != senders.sign(secret, str(int(stamp) + 1), body)


def test_a_redirect_is_not_followed(workspace: Workspace, receiver: Receiver):
    receiver.status, receiver.location = 307, receiver.url
    channel, _ = channels.add_webhook("Till", receiver.url, [channels.IMPORTED])
    message = add(channel, outbox.Draft("k", channels.IMPORTED, "Import", payload="{}"))
    assert message is not None
    assert not delivery.deliver(message)
    assert len(receiver.requests) == 1
    assert stored(message).error == "The receiver answered with status 307."


def test_a_webhook_into_the_own_network_is_given_up_at_once(
    workspace: Workspace, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    channel, _ = channels.add_webhook("Till", receiver.url, [channels.IMPORTED])
    message = add(channel, outbox.Draft("k", channels.IMPORTED, "Import", payload="{}"))
    assert message is not None
    monkeypatch.setenv("RESTMON_ALLOW_PRIVATE_WEBHOOKS", "no")
    get_settings.cache_clear()
    assert not delivery.deliver(message)
    assert receiver.requests == []
    assert outbox.name_state(stored(message)) == "failed"
    assert "private network" in (stored(message).error or "")


def test_a_channel_that_is_down_is_tried_for_a_day_and_then_given_up(workspace: Workspace):
    url = f"mailto://127.0.0.1:{closed_port()}?from=a@example.com&to=b@example.com"
    channel = channels.add_channel("Mail", url)
    message = add(channel, outbox.Draft("k", outbox.ALERT, "Down"))
    assert message is not None
    waited = []
    while outbox.name_state(stored(message)) == "waiting":
        change(message, due_at=now())
        assert not delivery.deliver(message)
        row = stored(message)
        waited.append((row.due_at - now()) / SECOND)
        # The time until the next try passes.
        change(message, give_up_at=row.give_up_at - max(row.due_at - now(), 0))
    assert 27 <= len(waited) <= 32
    assert waited[0] == pytest.approx(30, abs=5)
    assert waited[10] == pytest.approx(3600, abs=5)
    row = stored(message)
    assert outbox.name_state(row) == "failed"
    assert row.error is not None
    assert row.error.startswith(f"Given up after {len(waited)} tries")
    assert "did not answer" in row.error
    depth = outbox.measure_depth()
    assert (depth.waiting, depth.failed_today) == (0, 1)
    assert depth.is_stuck
    (shown,) = channels.list_channels()
    assert shown.last_error == "The mail server did not answer, or broke the connection off."


def test_a_message_waits_for_a_channel_that_comes_back(workspace: Workspace, inbox: Inbox):
    channel = channels.add_channel("Mail", inbox.url)
    message = add(channel, outbox.Draft("k", outbox.ALERT, "Down"))
    assert message is not None
    inbox.refuse = "451 Try again later"
    assert not delivery.deliver(message)
    assert stored(message).error == "The mail server answered with code 451."
    assert outbox.list_due() == []
    inbox.refuse = ""
    change(message, due_at=now())
    assert delivery.deliver(message)
    assert len(inbox.mails) == 1


def test_one_key_is_one_message(workspace: Workspace, inbox: Inbox):
    channel = channels.add_channel("Mail", inbox.url)
    other = channels.add_channel("More", inbox.url)
    assert add(channel, outbox.Draft("k", outbox.ALERT, "Down"))
    assert add(channel, outbox.Draft("k", outbox.ALERT, "Down")) is None
    assert add(other, outbox.Draft("k", outbox.ALERT, "Down"))


def test_a_message_is_only_added_in_a_transaction(workspace: Workspace, inbox: Inbox):
    channel = channels.add_channel("Mail", inbox.url)
    with database.session(), pytest.raises(RuntimeError):
        outbox.add(Channel.get_by_id(channel), outbox.Draft("k", "alert", "x"), SCHEDULE)


def test_two_workers_send_a_message_once(workspace: Workspace, inbox: Inbox):
    channel = channels.add_channel("Mail", inbox.url)
    message = add(channel, outbox.Draft("k", outbox.ALERT, "Down"))
    assert message is not None
    assert outbox.claim(message)
    assert outbox.claim(message) is None
    assert not delivery.deliver(message)
    assert outbox.list_due() == []


def leave(message_id: str, **values: object) -> None:
    """Leave a message as a worker did that died, and whose lease has expired since."""
    assert outbox.claim(message_id)
    change(message_id, lease_until=now() - SECOND, **values)


def test_a_mail_of_a_worker_that_died_before_the_end_of_it_is_sent(
    workspace: Workspace, inbox: Inbox
):
    channel = channels.add_channel("Mail", inbox.url)
    message = add(channel, outbox.Draft("k", outbox.ALERT, "Down"))
    assert message is not None
    leave(message)
    assert outbox.list_due() == [message]
    assert delivery.deliver(message)
    assert len(inbox.mails) == 1
    # Another one takes every worker down: it ends.
    again = add(channel, outbox.Draft("k2", outbox.ALERT, "Down"))
    assert again is not None
    for _ in range(outbox.MOST_SENDS):
        leave(again)
    assert not delivery.deliver(again)
    assert len(inbox.mails) == 1
    assert "stopped 10 times" in (stored(again).error or "")


def test_a_mail_that_was_handed_over_is_not_sent_again_by_itself(
    workspace: Workspace, inbox: Inbox
):
    channel = channels.add_channel("Mail", inbox.url)
    message = add(channel, outbox.Draft("k", outbox.ALERT, "Down"))
    assert message is not None
    leave(message, sending_at=now() - SECOND)
    assert outbox.list_due() == [message]
    for _ in range(2):
        assert not delivery.deliver(message)
    row = stored(message)
    assert (outbox.name_state(row), row.error) == ("unsure", outbox.WORKER_ENDED)
    assert inbox.mails == []
    assert outbox.list_due() == []
    depth = outbox.measure_depth()
    assert (depth.unsure, depth.is_stuck) == (1, False)


def test_a_worker_that_was_taken_for_dead_still_says_that_it_sent(
    workspace: Workspace, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
):
    channel = channels.add_channel("Mail", inbox.url)
    message = add(channel, outbox.Draft("k", outbox.ALERT, "Down"))
    assert message is not None
    found, send = [], mail.send_mail

    def stand_still(*given: object, **more: object) -> str:
        said = send(*given, **more)  # type: ignore[arg-type]
        change(message, lease_until=now() - SECOND)
        found.append(outbox.claim(message))
        found.append(outbox.name_state(stored(message)))
        return said

    monkeypatch.setattr(mail, "send_mail", stand_still)
    assert delivery.deliver(message)
    assert found == [None, "unsure"]
    assert outbox.name_state(stored(message)) == "sent"
    assert stored(message).error is None


def test_a_worker_whose_message_was_taken_over_sends_nothing(
    workspace: Workspace, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
):
    channel = channels.add_channel("Mail", inbox.url)
    message = add(channel, outbox.Draft("k", outbox.ALERT, "Down"))
    assert message is not None
    prepare = mail._prepare
    claimed = []

    def stand_still(*given: object) -> int:
        refused = prepare(*given)  # type: ignore[arg-type]
        change(message, lease_until=now() - SECOND)
        claimed.append(outbox.claim(message))
        return refused

    monkeypatch.setattr(mail, "_prepare", stand_still)
    assert not delivery.deliver(message)
    assert claimed[0] is not None
    assert inbox.mails == []


def test_a_mail_server_that_hangs_up_after_the_end_may_have_the_mail(
    workspace: Workspace, inbox: Inbox
):
    channel = channels.add_channel("Mail", inbox.url)
    message = add(channel, outbox.Draft("k", outbox.ALERT, "Down"))
    assert message is not None
    inbox.hangs_up = True
    assert not delivery.deliver(message)
    row = stored(message)
    assert outbox.name_state(row) == "unsure"
    assert row.error == "May have arrived: the mail server had it whole and did not answer."
    assert len(inbox.mails) == 1
    assert outbox.list_due() == []


def test_a_webhook_whose_worker_died_is_sent_again_with_the_same_id(
    workspace: Workspace, receiver: Receiver
):
    channel, _ = channels.add_webhook("Till", receiver.url, [channels.IMPORTED])
    message = add(channel, outbox.Draft("k", channels.IMPORTED, "Import", payload="{}"))
    assert message is not None
    leave(message)
    assert delivery.deliver(message)
    ((_, headers, _),) = receiver.requests
    assert headers[senders.DELIVERY] == message


@pytest.mark.parametrize("ending", ["plain", "東京 – Früh", "long " * 400])
def test_lines_that_begin_with_a_point_and_letters_of_any_kind_arrive(
    workspace: Workspace, inbox: Inbox, ending: str
):
    channel = channels.add_channel("Mail", inbox.url)
    body = f".\n..hidden\nFrom here\n{ending}\n."
    message = add(channel, outbox.Draft("k", outbox.ALERT, "Früh 東京", body))
    assert message is not None
    assert delivery.deliver(message)
    ((_, got),) = inbox.mails
    assert got["Subject"] == "Früh 東京"
    assert got.get_content().replace("\r\n", "\n") == f"{body}\n"


def test_quiet_hours_hold_a_message_and_what_is_over_by_then_is_not_sent(
    workspace: Workspace, inbox: Inbox
):
    minute = now() // MINUTE % (24 * 60)
    begin, end = ((minute + shift) % (24 * 60) * MINUTE for shift in (-60, 60))
    channel = channels.add_channel("Mail", inbox.url, channels.Recipient("Etc/UTC", begin, end))
    first = outbox.Draft("down", outbox.ALERT, "Down", rule=1, alert="1::5")
    message = add(channel, first)
    assert message is not None
    row = stored(message)
    assert 0 < row.due_at - row.requested_at <= HOUR
    assert row.give_up_at - row.due_at == DAY
    assert outbox.list_due() == []
    assert not delivery.deliver(message)
    reminder = outbox.Draft("r1", outbox.ALERT, "Still", rule=1, alert="1::5", reminds=True)
    assert add(channel, reminder) is None  # the first message is not sent yet
    over = outbox.Draft("up", outbox.ALERT, "Up", rule=1, alert="1::5", ends=True)
    assert add(channel, over) is None
    assert outbox.name_state(stored(message)) == "not sent"
    assert channels.send_test(channel) in outbox.list_due()


def test_quiet_hours_leave_one_reminder(workspace: Workspace, inbox: Inbox):
    minute = now() // MINUTE % (24 * 60)
    begin, end = ((minute + shift) % (24 * 60) * MINUTE for shift in (-60, 60))
    channel = channels.add_channel("Mail", inbox.url)
    first = add(channel, outbox.Draft("down", outbox.ALERT, "Down", rule=1, alert="1::5"))
    assert first is not None
    assert delivery.deliver(first)
    channels.set_recipient(channel, channels.Recipient("Etc/UTC", begin, end))
    held = [
        add(
            channel,
            outbox.Draft(f"r{n}", outbox.ALERT, f"Still {n}", rule=1, alert="1::5", reminds=True),
        )
        for n in range(3)
    ]
    assert [outbox.name_state(stored(str(one))) for one in held] == [
        "not sent",
        "not sent",
        "waiting",
    ]
    assert stored(str(held[0])).error == "A later one says more."
    over = add(channel, outbox.Draft("up", outbox.ALERT, "Up", rule=1, alert="1::5", ends=True))
    assert over is not None
    assert outbox.name_state(stored(str(held[2]))) == "not sent"
    assert outbox.name_state(stored(over)) == "waiting"


def test_a_deleted_channel_sends_nothing_more(workspace: Workspace, inbox: Inbox):
    channel = channels.add_channel("Mail", inbox.url)
    message = add(channel, outbox.Draft("k", outbox.ALERT, "Down"))
    assert message is not None
    channels.delete_channel(channel)
    assert not delivery.deliver(message)
    assert stored(message).error == "The channel was deleted."
    assert stored(message).channel_name == "Mail"


def test_no_log_holds_an_address(
    workspace: Workspace, receiver: Receiver, inbox: Inbox, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # the server of the test
    host = f"127.0.0.1:{receiver.port}"
    ids = [
        channels.add_channel("A", f"mmost://{host}/secretsecretsecretsecret24"),
        channels.add_channel("B", inbox.url + "&name=secret-name"),
        channels.add_webhook("C", receiver.url, [channels.IMPORTED])[0],
        channels.add_channel(
            "D",
            f"mailto://secret-user:secret-word@127.0.0.1:{closed_port()}?to=x@example.com&from=y@example.com",
        ),
    ]
    for status in (200, 500):
        receiver.status = status
        for channel in ids:
            delivery.deliver(channels.send_test(channel))
    assert len(receiver.requests) == 4
    shown = caplog.text + "".join(str(one.error) for one in outbox.list_recent(SCHEDULE))
    for part in ("secret-path", "secretsecret", "secret-user", "secret-word", "secret-name"):
        assert part not in shown


def test_a_chat_shows_a_name_as_it_is(workspace: Workspace, receiver: Receiver):
    name = "<!channel> [Joe](http://evil.example) *@here* <script>"
    host = f"127.0.0.1:{receiver.port}"
    channel = channels.add_channel("Chat", f"mmost://{host}/abcdefghijklmnopqrstuvwx")
    link = f"{get_settings().link_url}/store?store=a"
    draft = outbox.Draft("k", outbox.ALERT, f"{name} is down", f"Store: {name}\n{link}")
    message = add(channel, draft)
    assert message is not None
    receiver.status = 200
    assert delivery.deliver(message)
    text = receiver.requests[0][2].decode()
    assert link in text
    for part in ("<", "](", "http://evil", "@here", "*"):
        assert part not in text


def chat_of(receiver: Receiver, patience: float = 60) -> str:
    address = f"mmost://127.0.0.1:{receiver.port}/abcdefghijklmnopqrstuvwx?rto={patience}"
    channel = channels.add_channel("Chat", address)
    message = add(channel, outbox.Draft("k", outbox.ALERT, "Down"))
    assert message is not None
    return message


@pytest.mark.parametrize("fault", ["late", "hangs_up", "stalls", "cut_off"])
def test_a_chat_service_that_had_a_message_and_did_not_answer_may_have_it(
    workspace: Workspace, receiver: Receiver, fault: str
):
    message = chat_of(receiver, patience=0.5)
    receiver.status, receiver.fault = 200, fault
    assert not delivery.deliver(message)
    row = stored(message)
    assert outbox.name_state(row) == "unsure"
    assert row.error == "May have arrived: the service had the message and did not answer."
    assert outbox.list_due() == []
    wait_until("the receiver has read it", lambda: receiver.requests)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("fault", ["refuses", "is_away"])
def test_a_chat_service_that_did_not_take_a_message_is_tried_again(
    workspace: Workspace, receiver: Receiver, fault: str
):
    if fault == "is_away":
        receiver.port = closed_port()
    message = chat_of(receiver)
    receiver.status = 503
    assert not delivery.deliver(message)
    row = stored(message)
    assert outbox.name_state(row) == "waiting"
    assert row.error == "The service did not take the message."
    if fault == "refuses":
        receiver.status = 200
        change(message, due_at=now())
        assert delivery.deliver(message)
        assert len(receiver.requests) == 2


def test_front_doors_start_without_the_libraries_that_send():
    code = (
        "import sys; import jobs.tasks, restmon.notify.channels;"
        "heavy = ('apprise', 'httpx', 'cryptography.fernet', 'requests');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
