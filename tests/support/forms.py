"""Requests as a client may write them, and damaged files."""

import gzip
import socket

from tests.support.http import Answer
from tests.support.workspace import POLLS_HEADER, Workspace


def raw(service: Workspace, content: bytes) -> bytes:
    """The API's answer to these bytes, however broken they are."""
    with socket.create_connection(("127.0.0.1", service.api_port), 30) as connection:
        connection.sendall(content)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


def parsed(received: bytes) -> Answer:
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
    return Answer(int(first.split()[1]), headers, body)


def torn_gzip() -> bytes:
    """A gzip file whose first megabytes are good. Only a reader of all of it finds the damage."""
    lines = (f"s{n},active,2023-01-24 10:00:00.{n:06} UTC" for n in range(200_000))
    whole = gzip.compress((POLLS_HEADER + "\n".join(lines)).encode(), compresslevel=1)
    return whole[: len(whole) * 3 // 4]
