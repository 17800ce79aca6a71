"""A mail server and a receiver of webhooks, real ones on ports of this machine."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from tests.support.environment import free_port


@dataclass
class Inbox:
    """What a mail server got: (recipients, mail). ``refuse`` makes it answer with that code,
    ``hangs_up`` take a mail and end the connection without an answer. It looks at each mail for
    ``delay`` seconds."""

    port: int
    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    refuse: str = ""
    hangs_up: bool = False
    delay: float = 0.0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuse:
            return self.refuse
        await asyncio.sleep(self.delay)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append((list(envelope.rcpt_tos), mail))  # type: ignore[arg-type]
        if self.hangs_up:
            server.transport.abort()
        return "250 OK"

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=restmon@example.com&to=owner@example.com"


@contextmanager
def mail_server() -> Iterator[Inbox]:
    inbox = Inbox(free_port())
    server = Controller(inbox, hostname="127.0.0.1", port=inbox.port)
    server.start()
    try:
        yield inbox
    finally:
        server.stop()


@dataclass
class Receiver:
    """What a receiver of webhooks got: (path, headers, body), and the status of its answers."""

    port: int
    status: int = 204
    location: str = ""
    delay: float = 0.0
    fault: str = ""
    """What it does once it has a message: ``late`` answers at the end of the test, ``hangs_up``
    never, ``stalls`` within the answer, ``cut_off`` breaks off there."""
    ended: threading.Event = field(default_factory=threading.Event)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/secret-path"


@contextmanager
def webhook_receiver(port: int = 0) -> Iterator[Receiver]:
    receiver = Receiver(port)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            time.sleep(receiver.delay)
            receiver.requests.append((self.path, dict(self.headers), body))
            if receiver.fault == "late":
                receiver.ended.wait()
            if receiver.fault == "hangs_up":
                self.close_connection = True
                return
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", "9" if receiver.fault else "0")
            self.end_headers()
            if receiver.fault:
                self.wfile.write(b"part")
                self.close_connection = True
            if receiver.fault == "stalls":
                receiver.ended.wait()

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
