"""HTTP requests to the processes under test."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag

import httpx

# Nothing is asked of a proxy that the environment names; every request has its own connection.
CLIENT = httpx.Client(
    limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
    trust_env=False,
    verify=False,
)
"""One client for all threads."""
PLAIN = {"Accept-Encoding": "identity", "Connection": "close"}


@dataclass
class Answer:
    """An HTTP answer: status, headers (lower-case names) and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


def http(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    timeout: float = 60,
) -> Answer:
    """One HTTP request to 127.0.0.1, whatever the status of its answer. The path is sent, and the
    body returned, as it is. Raises httpx.HTTPError."""
    sent = {name: value.encode("latin-1") for name, value in (PLAIN | (headers or {})).items()}
    request = CLIENT.build_request(method, url, content=body, headers=sent, timeout=timeout)
    # httpx would tidy the path up ("/../"), which a test may mean.
    _, slash, path = urldefrag(url).url.partition("://")[2].partition("/")
    if slash:
        request.extensions["target"] = f"/{path}".encode()
    while True:
        answer = CLIENT.send(request, stream=True)
        try:
            content = b"".join(answer.iter_raw())
        finally:
            answer.close()
        if answer.next_request is None:
            return Answer(answer.status_code, dict(answer.headers.items()), content)
        request = answer.next_request
        request.extensions.pop("target", None)


def multipart(files: list[tuple[str, str, bytes]]) -> tuple[bytes, dict[str, str]]:
    """(body, headers) of a multipart form with (field, file name, content) parts."""
    parts = [(field, (name, content, "text/csv")) for field, name, content in files]
    request = httpx.Request("POST", "http://127.0.0.1", files=parts)
    return request.read(), {"Content-Type": request.headers["Content-Type"]}
