"""The API and who sends slowly, too much, too often, or onto a full disk."""

import inspect
import re
import resource
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask
from waitress.utilities import Error

from restmon.access import api_keys, audit
from restmon.api import compat
from restmon.api.limits import MOST_ADDRESSES, OTHERS, QUARTER_HOUR, RefusalCounter, RequestRates
from restmon.errors import TooManyRequests
from tests.support.environment import ROOT
from tests.support.http import http, multipart
from tests.support.workspace import POLLS_HEADER, Workspace

HALVES = {
    "nothing": b"",
    "half a head": b"GET /healthz HTTP/1.1\r\nHost: x",
    "half a body": b"POST /import_data HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nabc",
    "half a chunk": b"POST /import_data HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nff\r\nabc",
}
SOCKETS = 300


@pytest.mark.parametrize("half", list(HALVES))
def test_many_half_requests_do_not_stop_the_api(workspace: Workspace, half: str):
    workspace.start_api()
    with ExitStack() as stack:
        for _ in range(SOCKETS):
            one = socket.create_connection(("127.0.0.1", workspace.api_port), 10)
            stack.enter_context(one)
            one.sendall(HALVES[half])
        for _ in range(5):
            assert http(f"{workspace.api}/healthz").status in {200, 503}


# When a request is late


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(compat.time, "monotonic", made)
    return made


@pytest.fixture
def connection(clock: Clock) -> Iterator[Any]:
    """A connection of a server that runs no loop, and what it would do."""
    ours, theirs = socket.socketpair()
    tasks: list[Any] = []
    server = SimpleNamespace(active_channels={}, add_task=tasks.append)
    channel = compat.Channel(server, ours, ("127.0.0.1", 1), Adjustments(), map={})
    yield SimpleNamespace(channel=channel, tasks=tasks, server=server)
    theirs.close()
    channel.close()


def test_a_connection_without_a_request_is_closed(connection: Any, clock: Clock):
    assert not connection.channel.writable()
    clock.seconds += compat.HEAD_SECONDS + 1
    assert connection.channel.writable()
    assert connection.channel.will_close


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        (HALVES["half a head"], compat.HEAD_SECONDS),
        (HALVES["half a body"], compat.HEAD_SECONDS + compat.BODY_SECONDS),
        (HALVES["half a chunk"], compat.HEAD_SECONDS + compat.BODY_SECONDS),
    ],
)
def test_a_request_that_is_late_is_told_and_then_cut_off(
    connection: Any, clock: Clock, sent: bytes, seconds: int
):
    channel = connection.channel
    channel.received(sent)
    clock.seconds += seconds - 1
    channel.writable()
    assert connection.tasks == []
    clock.seconds += 2
    channel.writable()
    assert connection.tasks == [channel]
    assert channel.requests[0].error.code == 408
    assert not channel.will_close
    clock.seconds += compat.GOODBYE_SECONDS + 1
    channel.writable()
    assert channel.will_close


def test_dripping_bytes_gain_no_time(connection: Any, clock: Clock):
    connection.channel.received(HALVES["half a head"])
    for _ in range(compat.HEAD_SECONDS + 1):
        clock.seconds += 1
        connection.channel.received(b"x")
        connection.channel.writable()
    assert connection.tasks


def test_a_large_body_has_the_time_it_takes(connection: Any, clock: Clock):
    channel = connection.channel
    size = 100 * compat.LEAST_BYTES_A_SECOND
    head = f"POST /import_data HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
    channel.received(head.encode())
    for _ in range(99):
        clock.seconds += 1.1
        channel.received(b"x" * compat.LEAST_BYTES_A_SECOND)
        channel.writable()
    assert connection.tasks == []
    channel.received(b"x" * compat.LEAST_BYTES_A_SECOND)
    assert connection.tasks == [channel]
    assert channel.requests[0].error is None
    clock.seconds += 3600
    channel.writable()
    assert not channel.will_close, "a request that was received is worked on as long as it takes"


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.booleans()), max_size=260),
    st.booleans(),
)
def test_who_is_ended_when_there_are_too_many(given_: list[tuple[str, bool, bool]], proxy: bool):
    channels = [
        SimpleNamespace(
            addr=(address, n),
            will_close=False,
            requests=[1] if busy else [],
            total_outbufs_len=0,
            request=SimpleNamespace(headers_finished=True) if head else None,
            creation_time=n,
        )
        for n, (address, busy, head) in enumerate(given_)
    ]
    new = SimpleNamespace(
        addr=("a", 0),
        will_close=False,
        requests=[],
        total_outbufs_len=0,
        request=None,
        creation_time=9999,
        exempt=lambda _: proxy,
    )
    compat.make_room([*channels, new], new)
    ended = [c for c in channels if c.will_close]
    crowded = sum(c.addr[0] == "a" for c in channels) >= compat.MOST_OF_ADDRESS and not proxy
    assert len(ended) + new.will_close == crowded
    for one in ended:
        assert one.addr[0] == "a"
        assert not one.requests


# What cannot be written down


def shrunk(workspace: Workspace, size: int) -> Any:
    """An API whose files cannot grow beyond a size, as if the disk were full."""
    running = workspace.start_api()
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (size, size))
    return running


BIG = POLLS_HEADER + "x,active,2023-01-23 16:14:00 UTC\n" * 200_000
BIG_BODY, BIG_FORM = multipart([("polls", "polls.csv", BIG.encode())])


@pytest.mark.parametrize("chunked", [False, True])
def test_a_full_disk_while_an_upload_is_received(workspace: Workspace, chunked: bool):
    running = shrunk(workspace, 600 * 1024)
    told = send(workspace, BIG_BODY, BIG_FORM, chunked=chunked)
    assert b" 507 Insufficient Storage" in told
    assert b'"code": "no_room"' in told
    assert b"cannot be kept" in told
    assert "Traceback" not in running.output
    assert http(f"{workspace.api}/healthz").status in {200, 503}
    assert leftovers(workspace) == []


@pytest.mark.parametrize("size", [0, 70_000, 200_000, 400_000, 700_000, 1_500_000, 6_000_000])
def test_a_full_disk_at_any_place_is_told(workspace: Workspace, size: int):
    """Whatever file does not fit: Waitress's own, the form's parts, the spooled upload."""
    running = shrunk(workspace, size)
    for lines in (3_000, 12_000, 200_000):
        content = POLLS_HEADER + "x,active,2023-01-23 16:14:00 UTC\n" * lines
        body, form = multipart([("polls", "polls.csv", content.encode())])
        told = send(workspace, body, form)
        status = int(told.split(b" ")[1])
        assert status in {202, 503, 507}, told[:300]
        if status != 202:
            assert re.search(rb'"message": "[^"]+\."', told)
    assert "Traceback" not in running.output


@pytest.mark.parametrize("gone", ["gone", "a file"])
def test_the_spool_folder_gone(workspace: Workspace, gone: str):
    workspace.start_worker()
    running = workspace.start_api()
    spool = workspace.path / "data" / "spool"
    shutil.rmtree(spool)
    if gone == "a file":
        spool.write_text("")
    for size in (1, 200_000):
        content = POLLS_HEADER + "x,active,2023-01-23 16:14:00 UTC\n" * size
        body, form = multipart([("polls", "polls.csv", content.encode())])
        told = send(workspace, body, form)
        if gone == "gone":
            assert b" 202 " in told[:30], told[:300]
            shutil.rmtree(spool, ignore_errors=True)
        else:
            assert b" 503 " in told[:30], told[:300]
            assert b'"code": "not_writable"' in told
    assert "Traceback" not in running.output


def send(
    workspace: Workspace, body: bytes, headers: dict[str, str], *, chunked: bool = False
) -> bytes:
    """POST /import_data; everything that is answered."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    head = (
        f"POST /import_data HTTP/1.1\r\nHost: 127.0.0.1:{workspace.api_port}\r\n{lines}{length}\r\n"
        "Connection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", workspace.api_port), 60) as connection:
        connection.sendall(head.encode())
        try:
            if chunked:
                for n in range(0, len(body), 100_000):
                    part = body[n : n + 100_000]
                    connection.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                connection.sendall(b"0\r\n\r\n")
            else:
                connection.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            assert chunked
        told = b""
        while part := connection.recv(65536):
            told += part
    return told


def leftovers(workspace: Workspace) -> list[Path]:
    return list((workspace.path / "data" / "spool").iterdir())


# Too often


def test_a_key_that_is_used_too_often_is_told_to_wait(workspace: Workspace):
    busy, other = api_keys.make("busy", "viewer"), api_keys.make("other", "viewer")
    workspace.start_api(env={"RESTMON_REQUESTS_PER_MINUTE": "3"})
    url = f"{workspace.api}/get_report"
    answers = [http(url, headers={"Authorization": f"Bearer {busy}"}) for _ in range(4)]
    assert [a.status for a in answers[:3]] == [400] * 3
    last = answers[3]
    assert (last.status, last.json["error"]["code"]) == (429, "too_many_requests")
    assert 1 <= int(last.headers["retry-after"]) <= 20
    assert http(url, headers={"Authorization": f"Bearer {other}"}).status == 400
    assert http(f"{workspace.api}/healthz").status in {200, 503}


@given(st.integers(1, 50), st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=100))
def test_no_minute_has_more_than_twice_the_requests(per_minute: int, gaps: list[float]):
    clock = Clock()
    rates = RequestRates(clock)
    taken: list[float] = []
    for gap in gaps:
        clock.seconds += gap
        try:
            rates.take("x", per_minute)
        except TooManyRequests as error:
            clock.seconds += error.retry_after
            rates.take("x", per_minute)
        taken.append(clock.seconds)
    for begin in taken:
        assert sum(begin <= t < begin + 60 for t in taken) <= 2 * per_minute


def test_refused_requests_are_counted_not_written_one_by_one(workspace: Workspace):
    api_keys.make("only", "viewer")
    running = workspace.start_api()
    for n in range(40):
        headers = {"Authorization": f"Bearer restmon_{n}"} if n % 2 else {}
        assert http(f"{workspace.api}/get_report", headers=headers).status == 401
    assert running.stop() == 0
    entries = [e for e in audit.list_recent() if e.action == audit.KEY_REFUSED]
    assert 2 <= len(entries) <= 4
    assert {e.address for e in entries} == {"127.0.0.1"}
    assert sum(int(e.subject.split()[0]) for e in entries) == 40


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 400)), max_size=300))
def test_every_refusal_is_in_one_line(given_: list[tuple[int, int]]):
    clock = Clock()
    counter = RefusalCounter(clock)
    lines = []
    for address, gap in given_:
        clock.seconds += gap
        lines += counter.count(str(address))
    lines += counter.due(all_of_them=True)
    assert sum(line.count for line in lines) == len(given_)
    quarters = {(line.address, line.begin) for line in lines}
    assert all(sum((x.address, x.begin) == q for x in lines) <= 2 for q in quarters)


def test_addresses_without_bound_are_counted_together():
    clock = Clock()
    counter = RefusalCounter(clock)
    lines = [line for n in range(2 * MOST_ADDRESSES) for line in counter.count(str(n))]
    assert len(lines) == MOST_ADDRESSES + 1
    assert lines[-1].address == OTHERS
    clock.seconds += QUARTER_HOUR
    assert sum(line.count for line in counter.due()) == MOST_ADDRESSES - 1


# What is Waitress's own


def names_of(kind: type) -> set[str]:
    """The attributes of a class, and those that the constructors of it and its bases mention."""
    made = [base.__dict__["__init__"] for base in kind.__mro__[:-1] if "__init__" in vars(base)]
    return set(dir(kind)).union(*(function.__code__.co_names for function in made))


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            HTTPChannel,
            "parser_class error_task_class request requests requests_lock received writable "
            "will_close server addr creation_time total_outbufs_len",
        ),
        (
            HTTPRequestParser,
            "headers_finished body_bytes_received content_length completed error received close",
        ),
        (TcpWSGIServer, "channel_class active_channels add_task"),
        (
            ErrorTask,
            "request status response_headers content_length set_close_on_finish write execute",
        ),
        (Error, "body"),
    ],
)
def test_waitress_is_as_compat_expects(kind: type, names: str):
    """`compat` uses these of its names."""
    assert not set(names.split()) - names_of(kind)


def test_waitress_asks_for_the_classes_that_compat_puts_in_place():
    assert "parser_class" in HTTPChannel.received.__code__.co_names
    assert "error_task_class" in HTTPChannel.service.__code__.co_names
    assert "channel_class" in TcpWSGIServer.handle_accept.__code__.co_names
    assert TcpWSGIServer.channel_class in {HTTPChannel, compat.Channel}
    assert {"timeout", "map", "count"} <= set(inspect.signature(wasyncore.loop).parameters)
    assert (ROOT / "restmon" / "api" / "server.py").read_text().count("compat.install(") == 1
