"""Private API of Python's smtplib, as seen in 3.11, and what Apprise does with requests."""

import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


@dataclass
class Answers:
    """The answers to requests: how many did not come, or not in time (``lost``), and how many are
    waited for (``due``)."""

    lost: int = 0
    due: int = 0


_answers: ContextVar[Answers | None] = ContextVar("answers", default=None)
_wrapping = threading.Lock()


@contextmanager
def watching_answers() -> Iterator[Answers]:
    """Count the answers to what Apprise sends by requests. After a lost one nothing more is sent.

    Apprise only says that a message was not sent, also where its receiver took it and answered too
    late. It makes the sessions of requests itself, so their class is wrapped, once a process.
    Apprise may send in other threads, which it gives a copy of the context.
    """
    import requests  # noqa: PLC0415 - only a worker needs it

    with _wrapping:
        if not hasattr(requests.Session.send, "counts_answers"):
            requests.Session.send = _counting(requests.Session.send)  # type: ignore[method-assign]
    answers = Answers()
    token = _answers.set(answers)
    try:
        yield answers
    finally:
        _answers.reset(token)


def _counting(send: Any) -> Any:
    from requests import exceptions  # noqa: PLC0415
    from urllib3.exceptions import ProtocolError, ReadTimeoutError  # noqa: PLC0415

    def is_lost(error: exceptions.RequestException) -> bool:
        if isinstance(error, exceptions.ReadTimeout | exceptions.ChunkedEncodingError):
            return True
        # A connection that broke, or stalled within the answer. One that was never made has other
        # causes.
        cause = next(iter(error.args), None)
        return isinstance(cause, ProtocolError | ReadTimeoutError)

    def send_and_count(*args: Any, **options: Any) -> Any:
        answers = _answers.get()
        if answers is None:
            return send(*args, **options)
        if answers.lost:
            raise exceptions.ConnectionError("an answer was lost")
        answers.due += 1
        try:
            return send(*args, **options)
        except exceptions.RequestException as error:
            answers.lost += is_lost(error)
            raise
        finally:
            answers.due -= 1

    send_and_count.counts_answers = True  # type: ignore[attr-defined]
    return send_and_count


class SmtpAt(smtplib.SMTP):
    """An SMTP connection to an address that was checked, whatever its host's name leads to by now.
    The certificate is still that of the host's name."""

    def __init__(self, host: str, port: int, *, address: str, **options: Any) -> None:
        self.address = address
        super().__init__(host, port, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        return socket.create_connection((self.address, port), timeout)


class SmtpOverTlsAt(smtplib.SMTP_SSL):
    """The same, with TLS from the beginning."""

    def __init__(self, host: str, port: int, *, address: str, **options: Any) -> None:
        self.address = address
        super().__init__(host, port, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        plain = socket.create_connection((self.address, port), timeout)
        return self.context.wrap_socket(plain, server_hostname=self._host)  # type: ignore[attr-defined]
