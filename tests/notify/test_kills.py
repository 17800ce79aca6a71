"""Workers are killed again and again while messages are due: none comes twice, and each that may be
lost is told. A mail server, a chat and a receiver of webhooks count what comes."""

import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from jobs import tasks
from restmon.access.roles import SCHEDULE, THIS_MACHINE
from restmon.leasing import leases
from restmon.notify import channels, outbox, senders
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import COMPLETE, RUNNING
from restmon.storage.notify_models import Channel, OutboxMessage
from tests.support.environment import wait_until
from tests.support.receivers import Inbox, Receiver, mail_server, webhook_receiver
from tests.support.workers import start_worker
from tests.support.workspace import Workspace

KILLS = int(os.environ.get("RESTMON_SOAK_KILLS", "15"))
"""Of workers with everything that belongs to them, which take seconds to start."""
EACH = 5
"""Messages to each of the three receivers, before each of these kills."""
QUICK_KILLS = 100
MESSAGES = 250
KILLER = """
import os, random, signal, threading, time
from restmon.leasing import leases
from restmon.notify import channel_urls, delivery, outbox, safe_http, senders
from restmon.storage import database
leases.LEASE_SECONDS = 2
outbox.MOST_SENDS = 10**6  # these kills are no message's fault
channel_urls.read("gotify://127.0.0.1/token")  # once, before the workers begin

def work():
    database.configure()
    def loop():
        while True:
            for message_id in outbox.list_due(20):
                delivery.deliver(message_id)
            time.sleep(0.02)
    for _ in range(2):
        threading.Thread(target=loop).start()

def start():
    child = os.fork()
    if not child:
        work()
        threading.Event().wait()
    return child

chance = random.Random(7)
workers = [start(), start()]
print("worker ready", flush=True)
for n in range(KILLS):
    time.sleep(chance.uniform(0.05, 0.3))
    victim = chance.randrange(2)
    os.kill(workers[victim], signal.SIGKILL)
    os.waitpid(workers[victim], 0)
    workers[victim] = start()
print("killed", KILLS, flush=True)
threading.Event().wait()
"""
"""Two workers that do what workers do of messages, without the queue and with leases that expire
soon. One of them is killed every few tenths of a second, in the midst of whatever it does."""


@dataclass
class Receivers:
    """Where messages arrive, and the channels (row ids) that lead there."""

    inbox: Inbox
    chat: Receiver
    till: Receiver
    channels: tuple[int, int, int]

    def add(self, number: int) -> list[str]:
        """Add a message to each channel; returns their ids."""
        added = []
        with database.writing():
            for channel in self.channels:
                row = Channel.get_by_id(channel)
                kind = channels.IMPORTED if row.kind == outbox.WEBHOOK else outbox.ALERT
                draft = outbox.Draft(f"k{number}", kind, f"Message {number} of {channel}")
                added.append(outbox.add(row, draft, SCHEDULE))
        return [message_id for message_id in added if message_id is not None]

    def count(self) -> tuple[Counter[str], Counter[str], Counter[str]]:
        """How often each message came: mails by their subject, and those of the chat too; those of
        the till by their id."""
        mails = Counter(str(mail["Subject"]) for _, mail in list(self.inbox.mails))
        said = [json.loads(body)["title"] for _, _, body in list(self.chat.requests)]
        chats = Counter(re.sub(r"\s+", " ", title) for title in said)
        requests = list(self.till.requests)
        return mails, chats, Counter(headers[senders.DELIVERY] for _, headers, _ in requests)


@pytest.fixture
def receivers(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receivers]:
    workspace.env["RESTMON_ALLOW_PRIVATE_WEBHOOKS"] = "yes"
    monkeypatch.setenv("RESTMON_ALLOW_PRIVATE_WEBHOOKS", "yes")
    get_settings.cache_clear()
    with opened() as found:
        yield found
    get_settings.cache_clear()


@contextmanager
def opened() -> Iterator[Receivers]:
    with mail_server() as inbox, webhook_receiver() as chat, webhook_receiver() as till:
        inbox.delay = chat.delay = till.delay = 0.03  # so that kills meet it
        chat.status = 200
        yield Receivers(
            inbox,
            chat,
            till,
            (
                channels.add_channel("Mail", inbox.url),
                channels.add_channel("Chat", f"gotify://127.0.0.1:{chat.port}/token"),
                channels.add_webhook("Till", till.url, [channels.IMPORTED])[0],
            ),
        )


@pytest.mark.slow
@pytest.mark.both_databases
def test_no_message_comes_twice_and_none_is_lost_in_silence(
    workspace: Workspace, receivers: Receivers
):
    for number in range(MESSAGES):
        assert len(receivers.add(number)) == 3
    killer = workspace.start_script(KILLER.replace("KILLS", str(QUICK_KILLS)))
    done = f"killed {QUICK_KILLS}"
    wait_until("all are killed", lambda: done in killer.output, describe=lambda: killer.output)
    still = waiting()
    wait_until("nothing waits", lambda: not waiting(), describe=lambda: killer.output)
    assert still, "The kills came after the last message: more messages, or slower ones."
    check(receivers, QUICK_KILLS)


@pytest.mark.slow
@pytest.mark.both_databases
def test_the_same_with_whole_workers(workspace: Workspace, receivers: Receivers):
    chance = random.Random(11)
    running = [start_worker(workspace), start_worker(workspace)]
    for number in range(KILLS):
        for part in range(EACH):
            tasks.enqueue_messages(receivers.add(EACH * number + part))
        time.sleep(chance.uniform(0.05, 0.6))
        victim = chance.randrange(2)
        running[victim].kill()
        running[victim] = start_worker(workspace)
    wait_until("nothing waits", lambda: not waiting(), 600, lambda: running[0].output)
    check(receivers, KILLS)


def check(receivers: Receivers, kills: int) -> None:
    """Check that no message came twice, and that each that did not come is told to be unsure."""
    mails, chats, hooks = receivers.count()
    with database.session():
        rows = list(OutboxMessage.select())
    mail, chat, till = receivers.channels
    states: Counter[str] = Counter()
    for row in rows:
        state = outbox.name_state(row)
        states[f"{row.channel_name} {state}"] += 1
        came = {mail: mails[row.subject], chat: chats[row.subject], till: hooks[row.id]}
        times = came[row.channel_id]
        if row.channel_id == till:  # it drops the ids that it knows
            assert (row.status, times > 0) == (COMPLETE, True), row.error
        elif state == "unsure":
            assert times <= 1
            assert row.error == outbox.WORKER_ENDED
        else:
            assert (row.status, times) == (COMPLETE, 1), (row.subject, row.error)
    unsure = outbox.measure_depth().unsure
    assert unsure == states["Mail unsure"] + states["Chat unsure"]
    shown = [outbox.name_state(row) for row in outbox.list_recent(THIS_MACHINE, len(rows))]
    assert shown.count("unsure") == unsure
    came = sum(mails.values()) + sum(chats.values())
    repeats = sum(hooks.values()) - len(hooks)
    print(f"{kills} kills, {len(rows)} messages, {came} mails and chats, none twice")
    print(f"{unsure} may have arrived, {repeats} repeats of webhooks with a known id: {states}")


def waiting() -> int:
    with database.session():
        return int(OutboxMessage.select().where(OutboxMessage.status == RUNNING).count())


def test_a_lease_is_shorter_than_the_first_wait():
    """A message whose worker died is sent before one that was not taken is tried again."""
    assert outbox.BACKOFF[0] > leases.LEASE_SECONDS
