"""Requests into the internet: where they may go, and what is read of the answer."""

import asyncio
import ipaddress
import logging
import socket
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from restmon.notify import safe_http
from restmon.notify.public_addresses import (
    AddressRefused,
    is_public,
    may_be_asked,
    read_url,
    shown_address,
)
from restmon.notify.safe_http import GuardedTransport, Limits, NotAnswered, post
from restmon.setting_values import parse_allowed
from tests.support.origins import Names, certificate_of, origin, plain

HERE = parse_allowed("127.0.0.0/8")

SPECIAL = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12
192.0.0.0/24 192.0.2.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4
240.0.0.0/4 255.255.255.255/32
::/128 ::1/128 ::/96 ::ffff:0:0/96 64:ff9b:1::/48 100::/64 2001:db8::/32 2001::/32 2002::/16
3fff::/20 5f00::/16 fc00::/7 fd00:ec2::254/128 fe80::/10 fec0::/10 ff00::/8
"""
"""IANA's registries of special addresses, multicast, and clouds' metadata."""
PUBLIC = ["1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "2606:4700::1111"]


@st.composite
def not_public(draw: st.DrawFn) -> str:
    """An address of this machine, of a private network or of none."""
    network = ipaddress.ip_network(draw(st.sampled_from(SPECIAL.split())))
    offset = draw(st.integers(0, network.num_addresses - 1))
    return str(network[offset])


def spellings(address: str) -> list[str]:
    """Ways to write an IPv4 address that some programs understand."""
    number = int(ipaddress.IPv4Address(address))
    a, b, c, d = address.split(".")
    return [
        str(number),
        hex(number),
        f"0{number:o}",
        f"{a}.{(int(b) << 16) + (int(c) << 8) + int(d)}",
        f"{a}.{b}.{(int(c) << 8) + int(d)}",
        ".".join(f"0{int(part):o}" for part in (a, b, c, d)),
        ".".join(hex(int(part)) for part in (a, b, c, d)),
        f"{address}.",
        f"{number}.",
        f"[::ffff:{address}]",
        f"[::{address}]",
        f"[64:ff9b::{address}]",
        f"user@{address}",
        f"good.example@{address}",
        f"good.example:80@{address}",
        f"{address}\\@good.example",
        f"good.example\\@{address}",
        f"{address}%00.good.example",
        f"{address}%2egood",
        address.replace(".", "。"),
        address.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
    ]


@given(not_public())
@example("169.254.169.254")
def test_no_private_address_is_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_asked(address):
    assert may_be_asked(ipaddress.ip_address(address), ())


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_judged_by_itself(address):
    """NAT64 leads to the address within; other forms with one in it are refused."""
    assert is_public(ipaddress.ip_address(f"64:ff9b::{address}")) == is_public(address)
    assert not is_public(ipaddress.ip_address(f"::ffff:{address}"))
    assert not is_public(ipaddress.ip_address(f"::{address}"))


@pytest.mark.parametrize("scheme", ["http", "https"])
@given(address=not_public().filter(lambda text: ":" not in text))
@example("127.0.0.1")
@example("169.254.169.254")
def test_no_spelling_of_a_private_address_is_asked(scheme, address):
    """However an address is written, its request ends with a refusal or an unknown name, and no
    connection is opened."""
    opened = []

    class Recorder(GuardedTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            opened.append(await self.check(request.url))
            raise httpx.ConnectError("not here")

    async def numeric(name):
        """The system's look-up without a network: it reads numbers as addresses, too."""
        try:
            return [ipaddress.ip_address(socket.inet_aton(name.rstrip(".")))]
        except (OSError, UnicodeError):
            raise OSError("no such name") from None

    for host in [address, *spellings(address)]:
        with pytest.raises((AddressRefused, NotAnswered)):
            post(f"{scheme}://{host}/x", b"", transport=Recorder(resolve=numeric))
    assert not opened


@pytest.mark.parametrize(
    "url",
    ["", "x", "//h/", "http:h", "http:///x", "ftp://h/", "file:///etc/passwd", "gopher://h/",
     "http://h:0/", "http://h:65536/", "http://h:99999/", "http://[::1", "http://a b/", "http://a..b/",
     "http://-/", "http://h\r\nX: y/", "http://" + "a" * 300 + "/", "http://h/" + "a" * 3000,
     "javascript:alert(1)", "http://user:secret@h/", "http://h\t/"],
)  # fmt: skip
def test_urls_that_are_refused(url):
    with pytest.raises(AddressRefused) as caught:
        read_url(url)
    assert "secret" not in str(caught.value)


@given(st.text() | st.text().map(lambda text: f"http://{text}/"))
def test_any_text_is_a_url_or_one_sentence(text):
    try:
        url = read_url(text)
    except AddressRefused as error:
        assert error.message.endswith(".")
    else:
        assert url.host
        assert shown_address(text).startswith(("http://", "https://"))
    shown_address(text)


def test_logs_show_the_host_alone():
    assert shown_address("https://u:p@Hooks.example:8443/T/SECRET?key=1") == (
        "https://hooks.example:8443"
    )


def test_a_name_that_leads_into_the_own_network_is_refused(monkeypatch):
    with origin(plain()) as server:
        names = Names(inside__example=[["127.0.0.1"]], both__example=[["1.1.1.1", "10.0.0.1"]])
        for name in ("inside.example", "INSIDE.example", "inside.example.", "both.example"):
            with pytest.raises(AddressRefused, match="RESTMON_ALLOW_PRIVATE_WEBHOOKS") as caught:
                post(
                    f"http://{name}:{server.port}/", b"", transport=GuardedTransport(resolve=names)
                )
            assert "10.0.0.1" not in str(caught.value), "It tells what the own network looks like."
        for url in (f"http://127.0.0.1:{server.port}/", f"http://localhost:{server.port}/"):
            with pytest.raises(AddressRefused):
                post(url, b"")
        assert not server.connections


def test_a_setting_allows_networks(monkeypatch):
    with origin(plain()) as server:
        for value in ("yes", "127.0.0.1", "10.0.0.0/8, 127.0.0.0/8"):
            networks = parse_allowed(value)
            transport = GuardedTransport(networks)
            assert post(f"http://127.0.0.1:{server.port}/", b"", transport=transport).status == 200
        with pytest.raises(AddressRefused):
            post(f"http://127.0.0.1:{server.port}/", b"", transport=GuardedTransport(HERE[:0]))


def test_a_name_that_changes_its_address_leads_nowhere_else(monkeypatch):
    """The name is looked up once, and the connection goes to what was checked then."""
    looked_up: list[str] = []
    known = socket.getaddrinfo

    def rebinding(host, port, *args, **kwargs):
        if host != "rebind.example":
            return known(host, port, *args, **kwargs)
        looked_up.append(host)
        return known("127.0.0.1" if len(looked_up) == 1 else "127.0.0.2", port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    only = parse_allowed("127.0.0.1")
    with (
        origin(plain(body=b"outside")) as outside,
        origin(plain(body=b"inside"), "127.0.0.2", outside.port) as inside,
    ):
        url = f"http://rebind.example:{outside.port}/"
        assert post(url, b"", transport=GuardedTransport(only)).body == b"outside"
        assert looked_up == ["rebind.example"]
        with pytest.raises(AddressRefused):
            post(url, b"", transport=GuardedTransport(only))
        assert (outside.connections, inside.connections) == (1, 0)


def test_the_next_address_is_tried_where_one_takes_no_connection():
    with origin(plain(body=b"second")) as server:
        names = Names(two__example=[["127.0.0.9", "127.0.0.1"]])
        transport = GuardedTransport(HERE, resolve=names)
        assert (
            post(f"http://two.example:{server.port}/", b"", transport=transport).body == b"second"
        )


def test_host_and_certificate_are_those_of_the_name(tmp_path: Path):
    server_tls, trusted = certificate_of("hooks.example", tmp_path)
    with origin(plain(body=b"safe"), tls=server_tls) as server:
        names = Names(
            hooks__example=[["127.0.0.1"]], other__example=[["127.0.0.1"]], alone=[["127.0.0.1"]]
        )
        transport = lambda: GuardedTransport(HERE, resolve=names, certificates=trusted)  # noqa: E731
        for name in ("hooks.example", "hooks.example."):
            answer = post(f"https://{name}:{server.port}/a?b=1", b"{}", transport=transport())
            assert answer.body == b"safe"
        assert server.heads[0].startswith("POST /a?b=1 HTTP/1.1\r\n")
        assert f"\r\nhost: hooks.example:{server.port}\r\n" in server.heads[0].lower()
        for name in ("other.example", "127.0.0.1"):
            with pytest.raises(NotAnswered) as caught:
                post(f"https://{name}:{server.port}/", b"", transport=transport())
            assert caught.value.kind == safe_http.CERTIFICATE
        assert len(server.heads) == 2


def test_a_certificate_nobody_trusts_is_refused(tmp_path: Path):
    server_tls, _ = certificate_of("hooks.example", tmp_path)
    with origin(plain(), tls=server_tls) as server:
        transport = GuardedTransport(HERE, resolve=Names(hooks__example=[["127.0.0.1"]]))
        with pytest.raises(NotAnswered) as caught:
            post(f"https://hooks.example:{server.port}/", b"secret", transport=transport)
        assert caught.value.kind == safe_http.CERTIFICATE
        assert not server.heads


def test_one_connection_serves_one_name(tmp_path: Path):
    """A second name at the same address does not borrow the first one's connection, whose
    certificate was checked for the first."""
    server_tls, trusted = certificate_of("hooks.example", tmp_path)
    names = Names(hooks__example=[["127.0.0.1"]], other__example=[["127.0.0.1"]])

    async def both(port: int) -> None:
        transport = GuardedTransport(HERE, resolve=names, certificates=trusted)
        async with safe_http.open_client(transport) as client:
            await safe_http.fetch(client, "GET", f"https://hooks.example:{port}/")
            with pytest.raises(NotAnswered) as caught:
                await safe_http.fetch(client, "GET", f"https://other.example:{port}/")
            assert caught.value.kind == safe_http.CERTIFICATE

    with origin(plain(), tls=server_tls) as server:
        asyncio.run(both(server.port))


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Again", "308 Moved"])
def test_redirects_are_not_followed(status):
    with origin(plain()) as inside:
        target = f"Location: http://127.0.0.1:{inside.port}/"
        with origin(plain(status, b"", target)) as server:
            answer = post(f"http://127.0.0.1:{server.port}/", b"", transport=GuardedTransport(HERE))
        assert (answer.status, answer.is_success) == (int(status[:3]), False)
        assert not inside.connections


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    with origin(plain(body=b"proxy")) as proxy, origin(plain(body=b"direct")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        answer = post(f"http://127.0.0.1:{server.port}/", b"", transport=GuardedTransport(HERE))
        assert (answer.body, proxy.connections) == (b"direct", 0)


async def hang(head, reader, writer):
    await reader.read()


async def drip_head(head, reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_body(head, reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("handler", [hang, drip_head, drip_body])
def test_time_is_bounded_as_a_whole(handler: Callable):
    with origin(handler) as server, pytest.raises(NotAnswered) as caught:
        post(
            f"http://127.0.0.1:{server.port}/",
            b"",
            transport=GuardedTransport(HERE),
            limits=Limits(seconds=0.3),
        )
    assert caught.value.kind == safe_http.TIME
    assert "within 0.3 seconds" in caught.value.message


def test_a_look_up_that_hangs_is_given_up(monkeypatch):
    known, release = socket.getaddrinfo, threading.Event()

    def hanging(host, *args, **kwargs):
        if host == "slow.example":
            release.wait(60)
        return known("127.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    try:
        with pytest.raises(NotAnswered) as caught:
            post("http://slow.example/", b"", limits=Limits(seconds=0.2))
        assert caught.value.kind == safe_http.TIME
    finally:
        release.set()


async def endless(head, reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


def test_an_endless_answer_is_cut():
    with origin(endless) as server:
        answer = post(
            f"http://127.0.0.1:{server.port}/",
            b"",
            transport=GuardedTransport(HERE),
            limits=Limits(answer_bytes=1000),
        )
    assert (answer.body, answer.is_cut) == (b"x" * 1000, True)


def test_a_packed_answer_is_unpacked_so_far_as_it_is_read():
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packer.compress(b"\0" * 100_000_000) + packer.flush()
    for body, expected in (
        (bomb, b"\0" * 1000),
        (zlib.compress(b"short"), b"short"),
        (b"no", b"no"),
    ):
        with origin(plain("200 OK", body, "Content-Encoding: gzip")) as server:
            answer = post(
                f"http://127.0.0.1:{server.port}/",
                b"",
                transport=GuardedTransport(HERE),
                limits=Limits(answer_bytes=1000),
            )
        assert (answer.body, answer.is_cut) == (expected, body is bomb)


async def garbage(head, reader, writer):
    writer.write(b"SSH-2.0-OpenSSH_9\r\n\r\n")


async def cut_off(head, reader, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")


async def silent(head, reader, writer):
    pass


@pytest.mark.parametrize("handler", [garbage, cut_off, silent])
def test_what_is_no_answer_is_one_sentence(handler):
    with origin(handler) as server, pytest.raises(NotAnswered) as caught:
        post(f"http://127.0.0.1:{server.port}/", b"", transport=GuardedTransport(HERE))
    assert caught.value.message.endswith(".")


def test_a_closed_port_and_an_unknown_name():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(NotAnswered, match=f"takes no connection at port {port}") as caught:
            post(f"http://127.0.0.1:{port}/", b"", transport=GuardedTransport(HERE))
        assert caught.value.kind == safe_http.CONNECTION
    with pytest.raises(NotAnswered, match=r"The name none.example was not found") as caught:
        post("http://none.example/", b"", transport=GuardedTransport(resolve=Names()))
    assert caught.value.kind == safe_http.NAME


def test_nothing_of_a_secret_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    with origin(plain()) as server:
        post(
            f"http://127.0.0.1:{server.port}/T/SECRET?token=SECRET",
            b"SECRET",
            {"X-Signature": "SECRET"},
            transport=GuardedTransport(HERE),
        )
    assert "SECRET" not in caplog.text


def test_a_form_can_ask_before():
    with pytest.raises(AddressRefused):
        safe_http.check_url("http://localhost/")
    with pytest.raises(AddressRefused):
        safe_http.check_url("http://user@example.com/")
