"""Private API of Python's smtplib, as seen in 3.11."""

import smtplib
import socket
from typing import Any


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
