"""Requests into the internet to addresses that people typed, without opening the own network.

A name is looked up once. Every address it has is checked, and the connection goes to a checked
one, so that a name that changes its address in between leads nowhere else. The Host header and
the check of the certificate stay those of the name. Redirects are not followed, proxies of the
environment not used; time and the size of the answer are bounded. Nothing is logged.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import httpx

from restmon.errors import RestmonError
from restmon.notify.public_addresses import (
    PORTS,
    Address,
    AddressRefused,
    may_be_asked,
    read_address,
    read_url,
)
from restmon.setting_values import Network
from restmon.settings import get_settings

Resolver = Callable[[str], Awaitable[Sequence[Address]]]

NAME, CONNECTION, CERTIFICATE, TIME, ANSWER = "name", "connection", "certificate", "time", "answer"
"""Why a request failed: the name is unknown, nobody answers there, the certificate is not the
name's, it took too long, the answer is not HTTP."""

ALLOW_HINT = "An operator can allow it with the setting {setting}."
MOST_ADDRESSES = 8

for _name in ("httpx", "httpcore"):  # they log whole URLs, which hold secrets
    logging.getLogger(_name).setLevel(logging.WARNING)


class NotAnswered(RestmonError):
    """A request that got no whole answer; ``kind`` is one of the words above. Sending it again
    later may help."""

    code = "not_answered"

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Answer:
    """What a server answered: at most ``Limits.answer_bytes`` of its body, unpacked."""

    status: int
    body: bytes
    headers: httpx.Headers
    is_cut: bool

    @property
    def is_success(self) -> bool:
        """Whether the status is one of 200 to 299. A redirect is no success."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Limits:
    """How long a request may take in all, in seconds, and how much of its answer is read."""

    seconds: float = 10.0
    answer_bytes: int = 64 * 1024


async def look_up(name: str) -> Sequence[Address]:
    """The addresses of a name, in the system's order. Raises OSError if it has none.

    It has a thread of its own: the system's look-up cannot be stopped, and one that hangs must
    neither hold up others nor the end of the process.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Sequence[Address]] = loop.create_future()

    def settle(addresses: Sequence[Address], error: Exception | None) -> None:
        if found.done():
            return
        if error is None:
            found.set_result(addresses)
        else:
            found.set_exception(error)

    def work() -> None:
        addresses: list[Address] = []
        error: Exception | None = None
        try:
            entries = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            texts = [str(entry[4][0]).partition("%")[0] for entry in entries]
            addresses = [read for read in map(read_address, texts) if read is not None]
        except (OSError, UnicodeError) as raised:
            error = raised if isinstance(raised, OSError) else OSError(str(raised))
        with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(settle, addresses, error)

    threading.Thread(target=work, name="look-up", daemon=True).start()
    return await found


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@dataclass
class GuardedTransport(httpx.AsyncBaseTransport):
    """An httpx transport that connects to checked addresses only.

    Parameters
    ----------
    allowed
        Networks that may be asked although they are not public.
    setting
        The setting that allows more of them, for the sentence of the error.
    resolve
        Gives the addresses of a name.
    connections
        How many connections may be open at once.
    """

    allowed: Sequence[Network] = ()
    setting: str = "RESTMON_ALLOW_PRIVATE_WEBHOOKS"
    resolve: Resolver = look_up
    connections: int = 100
    certificates: ssl.SSLContext | None = None
    _inner: httpx.AsyncHTTPTransport = field(init=False)

    def __post_init__(self) -> None:
        # No connection serves two requests: one to another name at the same address would skip
        # the check of its certificate.
        self._inner = httpx.AsyncHTTPTransport(
            verify=self.certificates or _certificates(),
            trust_env=False,
            limits=httpx.Limits(max_connections=self.connections, max_keepalive_connections=0),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the first checked address that takes the connection.

        Raises AddressRefused if any address of its name may not be asked, NotAnswered if it has
        none, and httpx's errors."""
        url = read_url(str(request.url))
        name = url.raw_host.decode("ascii")
        failure: httpx.TransportError = httpx.ConnectError("no address")
        for address in await self.check(url):
            sent = httpx.Request(
                request.method,
                url.copy_with(host=str(address)),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": name.rstrip(".")},
            )
            try:
                return await self._inner.handle_async_request(sent)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure

    async def check(self, url: httpx.URL) -> list[Address]:
        """The addresses that a request to a URL may connect to, the first to be tried first.

        Raises AddressRefused or NotAnswered as a request would."""
        name = url.raw_host.decode("ascii")
        literal = read_address(name)
        try:
            addresses = [literal] if literal else list(await self.resolve(name))
        except OSError:
            addresses = []
        if not addresses:
            raise NotAnswered(f"The name {name} was not found.", NAME)
        if not all(may_be_asked(address, self.allowed) for address in addresses):
            raise AddressRefused(
                f"{name} is an address of this machine or of a private network.",
                ALLOW_HINT.format(setting=self.setting),
            )
        return list(dict.fromkeys(addresses))[:MOST_ADDRESSES]

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


def open_client(transport: GuardedTransport) -> httpx.AsyncClient:
    """A client on a guarded transport. It is closed by its ``async with``."""
    return httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False)


async def fetch(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Answer:
    """The answer to one request of a client of :func:`open_client`.

    Raises AddressRefused or NotAnswered, whose sentences name the host and nothing more of the
    URL."""
    limits = limits or Limits()
    target = read_url(url)
    host = target.raw_host.decode("ascii")
    named = {"Accept-Encoding": "identity", "User-Agent": "restmon", **(headers or {})}
    try:
        async with (
            asyncio.timeout(limits.seconds),
            client.stream(
                method, target, content=content, headers=named, timeout=limits.seconds
            ) as response,
        ):
            body, is_cut = await _read(response, limits.answer_bytes)
            return Answer(response.status_code, body, response.headers, is_cut)
    except (TimeoutError, httpx.TimeoutException):
        raise NotAnswered(
            f"{host} did not answer within {limits.seconds:g} seconds.", TIME
        ) from None
    except httpx.ConnectError as error:
        raise _explain_connection(host, target, error) from None
    except httpx.NetworkError:
        raise NotAnswered(f"{host} broke the connection off.", CONNECTION) from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError):
        raise NotAnswered(f"{host} gave no answer that is HTTP.", ANSWER) from None


def _explain_connection(host: str, url: httpx.URL, error: Exception) -> NotAnswered:
    """The sentence for a connection that was not made."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NotAnswered(f"The certificate of {host} is not valid for it.", CERTIFICATE)
        cause = cause.__cause__ or cause.__context__
    port = url.port or PORTS[url.scheme]
    return NotAnswered(f"{host} takes no connection at port {port}.", CONNECTION)


async def _read(response: httpx.Response, at_most: int) -> tuple[bytes, bool]:
    """The body's first bytes, unpacked if it is gzip or deflate, and whether there were more."""
    packed = response.headers.get("content-encoding", "").strip().lower() in {"gzip", "deflate"}
    unpack = zlib.decompressobj(wbits=47) if packed else None
    parts: list[bytes] = []
    missing = at_most + 1
    async for part in response.aiter_raw():
        data = part
        if unpack is not None:
            try:
                data = unpack.decompress(part, missing)
            except zlib.error:
                unpack = None  # it is not what it says: taken as it is
        parts.append(data[:missing])
        missing -= len(parts[-1])
        if not missing or (unpack is not None and unpack.eof):
            break
    body = b"".join(parts)
    return body[:at_most], len(body) > at_most


def post(
    url: str,
    content: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    limits: Limits | None = None,
    transport: GuardedTransport | None = None,
) -> Answer:
    """The answer to a POST of some content: a webhook. Any thread may call it that runs no event
    loop of asyncio.

    Raises AddressRefused (sending again does not help) or NotAnswered (it may)."""

    async def send() -> Answer:
        guarded = transport or GuardedTransport(get_settings().webhook_networks)
        async with open_client(guarded) as client:
            return await fetch(client, "POST", url, content=content, headers=headers, limits=limits)

    return asyncio.run(send())


def check_url(url: str) -> None:
    """Raise AddressRefused for a URL that :func:`post` would refuse now, or NotAnswered if its
    name has no address: for the form that takes it. It sends nothing."""
    target = read_url(url)

    async def check() -> None:
        async with (
            GuardedTransport(get_settings().webhook_networks) as guarded,
            asyncio.timeout(Limits().seconds),
        ):
            await guarded.check(target)

    try:
        asyncio.run(check())
    except TimeoutError:
        name = target.raw_host.decode("ascii")
        raise NotAnswered(f"The name {name} was not found in time.", NAME) from None
