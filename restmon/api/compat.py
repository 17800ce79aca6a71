"""Private parts of Waitress that restmon uses or changes (seen in Waitress 3.0.2).

Waitress documents only ``serve`` and ``create_server`` with their settings. None of these limits
how long a request may take to arrive or how many connections an address may have, or answers a
request that cannot be received with JSON. This module does. ``test_waitress_is_as_compat_expects``
(tests/api/test_slow_clients.py) fails when a release changes what this relies on.

Nothing private of Bottle is used.
"""

import errno
import logging
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask
from waitress.utilities import Error

log = logging.getLogger("restmon.api")
HEAD_SECONDS = 20
"""How long a request's head may take, from the connection or from its first byte on."""
BODY_SECONDS, LEAST_BYTES_A_SECOND = 30, 16 * 1024
"""A body may take the first number of seconds, plus the time its bytes need at the second speed."""
GOODBYE_SECONDS = 10
"""A connection is cut off this long after the answer "too slow"."""
MOST_CONNECTIONS, MOST_OF_ADDRESS = 500, 100
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
WORDS = {
    408: "Request Timeout",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}


class Failure(Error):
    """Why a request that did not arrive whole is refused."""

    def __init__(self, code: int, body: str) -> None:
        super().__init__(body)
        self.code = code
        self.reason = WORDS[code]


class Parser(HTTPRequestParser):
    """Waitress's parser, but it answers 507 or 503 if a body cannot be written to disk.

    It reads and drops the rest of the body, so that the sender reads the answer.
    """

    failure: Failure | None = None
    left = 0
    folder_is_there = False

    def received(self, data: bytes) -> int:
        """Take a piece of the request and return how many of its bytes were used."""
        try:
            if self.headers_finished and not self.folder_is_there and not self.failure:
                Path(tempfile.gettempdir()).mkdir(parents=True, exist_ok=True)
                self.folder_is_there = True
            if not self.failure:
                return int(super().received(data))
        except OSError as error:
            full = error.errno in NO_ROOM
            log.warning("an upload cannot be kept in %s: %s", tempfile.gettempdir(), error)
            said = f"The upload cannot be kept: {error.strerror or error}."
            self.failure = Failure(507 if full else 503, said)
            self.left = max(0, self.content_length - self.body_bytes_received)
        return self._throw_away(len(data))

    def close(self) -> None:
        """Close the body's file."""
        with suppress(OSError):  # a full disk: the rest cannot be written either
            super().close()

    def _throw_away(self, size: int) -> int:
        taken = min(size, self.left) if self.left else size
        self.left = max(0, self.left - taken)
        self.body_bytes_received += taken
        if not self.left:
            self.error = self.failure
            self.completed = True
        return taken


class Channel(HTTPChannel):
    """A connection whose requests must arrive in time."""

    parser_class = Parser
    exempt: Callable[[str], bool] = staticmethod(lambda address: False)
    """Whether an address is a proxy's, whose connections serve many people."""
    waits_since = 0.0
    """When waiting for the request began that is being received (`time.monotonic`); 0: none."""
    told_at = 0.0
    request: Any = None
    will_close = False

    def __init__(self, server: Any, sock: Any, addr: Any, adj: Any, map: Any = None) -> None:
        self.waits_since = time.monotonic()
        super().__init__(server, sock, addr, adj, map=map)
        make_room(server.active_channels.values(), self)

    def received(self, data: bytes) -> bool:
        """Take the bytes that arrived."""
        before, moment = self.request, time.monotonic()
        if not self.waits_since:
            self.waits_since = moment
        done = bool(super().received(data))
        if self.request is None:
            self.waits_since = 0.0
        elif before is not None and self.request is not before:
            self.waits_since = moment
        return done

    def writable(self) -> bool:
        """Return whether there is something to send. Waitress asks at least once a second."""
        self._end_when_late()
        return bool(super().writable())

    def _end_when_late(self) -> None:
        moment = time.monotonic()
        if self.told_at:
            self.will_close = self.will_close or moment > self.told_at + GOODBYE_SECONDS
        elif self.waits_since and moment > self.waits_since + allowed_seconds(self.request):
            self.told_at = moment
            with self.requests_lock:
                request, self.request = self.request, None
                if request is None or self.requests:
                    self.will_close = True
                    return
                request.error = Failure(408, "it did not arrive in time")
                request.completed = True
                self.requests.append(request)
                self.server.add_task(self)


def allowed_seconds(request: Any) -> float:
    """Return how many seconds a request may take (None: nothing of it came yet)."""
    if request is None or not request.headers_finished:
        return HEAD_SECONDS
    return HEAD_SECONDS + BODY_SECONDS + request.body_bytes_received / LEAST_BYTES_A_SECOND


def make_room(channels: Iterable[Any], new: Any) -> None:
    """End a connection if there are too many, in all or of the new one's address.

    Ends the one that has waited longest for its request, first of all one without a whole head. If
    all are busy, ends the new one.
    """
    everything = [c for c in channels if not c.will_close]
    address = new.addr[0]
    of_address = [c for c in everything if c.addr[0] == address]
    if len(of_address) > MOST_OF_ADDRESS and not new.exempt(address):
        crowd = of_address
    elif len(everything) > MOST_CONNECTIONS:
        crowd = everything
    else:
        return
    waiting = [c for c in crowd if c is not new and not c.requests and not c.total_outbufs_len]
    if waiting:
        oldest = min(
            waiting,
            key=lambda c: (bool(c.request and c.request.headers_finished), c.creation_time),
        )
        oldest.will_close = True
    else:
        new.will_close = True


class JsonErrorTask(ErrorTask):
    """Answers a request that never reaches the application, with JSON."""

    body_of: Callable[[int, str], bytes] = staticmethod(lambda status, text: b"{}")

    def execute(self) -> None:
        """Write the answer."""
        error = self.request.error
        body = self.body_of(error.code, str(error.body))
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json; charset=utf-8"))
        self.content_length = len(body)
        self.set_close_on_finish()
        self.write(body)


def install(body_of: Callable[[int, str], bytes], exempt: Callable[[str], bool]) -> None:
    """Let the Waitress servers of this process use these connections.

    Parameters
    ----------
    body_of
        Makes the JSON body for a request that cannot be received, from the status and Waitress's
        text.
    exempt
        Returns whether an address is a proxy's, which may have any number of connections.
    """
    JsonErrorTask.body_of = staticmethod(body_of)
    Channel.error_task_class = JsonErrorTask
    Channel.exempt = staticmethod(exempt)
    TcpWSGIServer.channel_class = Channel


def send_rest(channels: dict[int, Any]) -> None:
    """Send the answers that were written while the server stopped; ``channels`` is its map."""
    wasyncore.loop(timeout=0.1, map=channels, count=3)
