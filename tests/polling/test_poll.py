"""The checker against a local server: what each answer says, and what a fault on this side does."""

import asyncio
import json
import secrets
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from restmon.errors import FileRejected
from restmon.ingest import imports, live_feed
from restmon.polling import rounds
from restmon.polling.addresses import StoreAddress, read_addresses
from restmon.polling.rounds import Outcome, Plan
from restmon.storage import database
from restmon.storage.models import Poll, PollReason, Store
from tests.support.environment import wait_until
from tests.support.origins import Origin
from tests.support.restaurants import failing_once, run_round
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stored() -> dict[str, tuple[int, str]]:
    with database.session():
        reasons = {row.store_id: row.reason for row in PollReason.select()}
        polls = Poll.select(Poll.store, Poll.status)
        names = {row.id: row.store_id for row in Store.select()}
        return {names[p.store_id]: (p.status, reasons.get(p.store_id, "")) for p in polls}


CASES: dict[str, tuple[str, str, str | None]] = {
    "fine": ("ok", "", ""),
    "the status": ("204", "204", ""),
    "the text": ("ok", "order now", ""),
    "an accent": ("ok", "CAFÉ", ""),
    "another text": ("ok", "Closed today", "the text 'Closed today' is missing"),
    "down": ("503", "", "HTTP 503"),
    "expected down": ("503", "503", ""),
    "another status": ("ok", "404", "HTTP 200 instead of 404"),
    "slow": ("slow", "Order now", ""),
    "hangs": ("hang", "", "timed out after 6 s"),
    "drips": ("drip", "", "timed out after 6 s"),
    "huge": ("huge", "", ""),
    "huge without": ("huge", "Order", "the text 'Order' is missing"),
    "redirects": ("redirect", "Order now", ""),
    "a redirect expected": ("redirect", "302", ""),
    "loops": ("loop", "", "more than 5 redirects"),
    "garbage": ("garbage", "", "no proper HTTP answer"),
    "silent": ("silent", "", "no proper HTTP answer"),
    "once": ("once", "", ""),
}


def test_what_each_answer_says(polling: Workspace, server: Origin):
    failing_once.clear()
    addresses = [
        StoreAddress(name.replace(" ", "-"), f"http://127.0.0.1:{server.port}/{path}", expect)
        for name, (path, expect, _) in CASES.items()
    ]
    addresses += [
        StoreAddress("nobody", f"http://127.0.0.1:{closed_port()}/"),
        StoreAddress("no-name", "http://no-such-name.invalid/"),
    ]
    outcome = run_round(addresses, seconds=6.0)
    expected = {
        name.replace(" ", "-"): (0 if reason else 1, reason)
        for name, (_, _, reason) in CASES.items()
    }
    expected |= {"nobody": (0, "no connection"), "no-name": (0, "name not found")}
    assert stored() == expected
    active = sum(status for status, _ in expected.values())
    assert outcome == Outcome(active, len(expected) - active)
    (row,) = imports.list_recent()
    assert (row.requested_by, row.actor, row.counts["new"]) == (
        "poll",
        "the checker",
        len(CASES) + 2,
    )


def test_an_address_is_asked_twice_before_its_store_is_inactive(polling: Workspace, server: Origin):
    before = len(server.heads)
    run_round([StoreAddress("a", f"http://127.0.0.1:{server.port}/503/twice")])
    assert sum("/503/twice" in head for head in server.heads[before:]) == 2
    run_round([StoreAddress("a", f"http://127.0.0.1:{server.port}/ok/one")])
    assert sum("/ok/one" in head for head in server.heads[before:]) == 1


@pytest.mark.parametrize("reachable", [True, False])
def test_a_fault_on_this_side_says_nothing_about_stores(
    polling: Workspace, server: Origin, caplog: pytest.LogCaptureFixture, reachable: bool
):
    port = closed_port()
    addresses = [StoreAddress(f"s{n}", f"http://127.0.0.1:{port}/") for n in range(19)]
    addresses.append(StoreAddress("up", f"http://127.0.0.1:{server.port}/ok"))
    reference = f"http://127.0.0.1:{server.port if reachable else port}/404"
    outcome = run_round(addresses, reference)
    if reachable:
        assert outcome == Outcome(1, 19)
        assert len(stored()) == 20
    else:
        assert outcome == Outcome(left_out=20)
        assert stored() == {}
        assert "the fault is on this side" in caplog.text


def test_fewer_failures_are_believed(polling: Workspace, server: Origin):
    port = closed_port()
    addresses = [StoreAddress(f"s{n}", f"http://127.0.0.1:{port}/") for n in range(8)]
    addresses += [StoreAddress(f"u{n}", f"http://127.0.0.1:{server.port}/503") for n in range(2)]
    assert run_round(addresses, f"http://127.0.0.1:{port}/") == Outcome(0, 10)


def test_private_addresses_are_asked_only_by_the_setting(polling: Workspace, server: Origin):
    """Also where a public address would lead there."""
    addresses = [
        StoreAddress("a", f"http://127.0.0.2:{server.port}/ok"),
        StoreAddress("b", "http://[::1]/"),
        StoreAddress("c", "http://192.168.0.1/"),
        StoreAddress("d", f"http://127.0.0.1:{server.port}/away/{server.port}"),
    ]
    assert run_round(addresses) == Outcome(not_asked=4)
    assert stored() == {}


def test_a_busy_database_is_tried_again(polling: Workspace, server: Origin, monkeypatch: Any):
    monkeypatch.setattr(live_feed, "LONGEST_WAIT_SECONDS", 0.01)
    take, tries = live_feed.take, []

    def busy(*args: Any) -> Any:
        tries.append(args)
        if len(tries) == 1:
            raise live_feed.Busy("The database is being written for long.")
        return take(*args)

    monkeypatch.setattr(live_feed, "take", busy)
    monkeypatch.setattr(rounds, "STORE_TRIES", 2)
    assert run_round([StoreAddress("a", f"http://127.0.0.1:{server.port}/ok")]) == Outcome(1)
    assert len(tries) == 2


GOOD = "store_id,url,expect\na,https://a.example/,200\nb,http://b.example:8080/x?y=1,Order now\n"


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "\ufeff" + GOOD.replace("\n", "\r\n"),
        json.dumps(
            [
                {"store_id": "a", "url": "https://a.example/", "expect": 200},
                {"url": "http://b.example:8080/x?y=1", "store_id": "b", "expect": "Order now"},
            ]
        ),
    ],
)
def test_files_of_addresses(tmp_path: Path, text: str):
    path = tmp_path / "stores.csv"
    path.write_text(text, newline="")
    found, problems = read_addresses(path)
    assert problems == []
    assert found == [
        StoreAddress("a", "https://a.example/", "200"),
        StoreAddress("b", "http://b.example:8080/x?y=1", "Order now"),
    ]
    assert [one.expected_status for one in found] == [200, None]


def test_bad_entries_are_told_and_the_others_asked(tmp_path: Path):
    path = tmp_path / "stores.csv"
    path.write_text(GOOD + "a,https://c.example/,\n,https://d.example/\nc,ftp://x/\nd\n")
    found, problems = read_addresses(path)
    assert [one.store_id for one in found] == ["a", "b"]
    assert len(problems) == 4
    assert problems[0] == "stores.csv, line 4: store a is there twice; the first address counts."
    assert all(one.startswith("stores.csv, line ") and one.endswith(".") for one in problems)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b"[", b"[1, 2]", b'store_id,url\n"a']
)
def test_a_file_without_addresses_is_one_sentence(workspace: Workspace, content: bytes):
    path = workspace.path / "stores.csv"
    path.write_bytes(content)
    with pytest.raises(FileRejected):
        read_addresses(path)
    done = workspace.restmon("poll", "--addresses", path, "--once")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_the_command(polling: Workspace, server: Origin):
    path = polling.write("stores.csv", f"store_id,url\na,http://127.0.0.1:{server.port}/ok\n?,x\n")
    done = polling.restmon("poll", "--addresses", path, "--once")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 addresses.\n1 active, 0 inactive in ")
    assert "stores.csv, line 3: '?' is not a store id." in done.stderr
    assert stored() == {"a": (1, "")}


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_what_was_found_stored(
    polling: Workspace, server: Origin, sig: signal.Signals
):
    base, token = f"http://127.0.0.1:{server.port}", secrets.token_hex(8)
    lines = "".join(f"h{n},{base}/hang/{token}\n" for n in range(5))
    lines += f"a,{base}/ok/{token}\nb,{base}/ok/{token}\n"
    path = polling.write("stores.csv", "store_id,url\n" + lines)
    options = ["--timeout", "100", "--concurrency", "6"]
    running = polling.start("poll", "--addresses", str(path), *options)
    # Of six at once five hang, so that the seventh is asked once an answer is there.
    wait_until(
        "all are asked",
        lambda: sum(token in head for head in server.heads) >= 7,
        describe=lambda: running.output,
    )
    assert running.stop(sig) == 0, running.output
    assert "Traceback" not in running.output
    assert stored().items() <= {"a": (1, ""), "b": (1, "")}.items()
    assert stored()


def test_rounds_go_on(polling: Workspace, server: Origin):
    told: list[str] = []
    reads = 0

    def read() -> list[StoreAddress]:
        nonlocal reads
        reads += 1
        if reads == 2:
            raise FileRejected("stores.csv cannot be read: it is gone.")
        return [StoreAddress("a", f"http://127.0.0.1:{server.port}/ok")]

    async def go() -> None:
        stopped = asyncio.Event()

        def tell(sentence: str) -> None:
            told.append(sentence)
            if len(told) == 3:
                stopped.set()

        await rounds.run_rounds(read, Plan(2, 1.0, ()), 0.01, stopped, tell)

    asyncio.run(go())
    assert (len(told), reads) == (3, 4)
    with database.session():
        assert Poll.select().count() == 3
