"""Bodies of complete reports, kept as they are sent: made once, compressed once."""

import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import bottle

from restmon.api.requests import read_weights

MOST_BYTES = 64 * 2**20
"""The most that all kept bodies take."""
LEVEL = 4
"""Of the compression: a higher one takes three times as long for a twentieth less."""
GZIP_FORM = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class Body:
    """A body, and what it was made of: it counts as long as the ``mark`` is the same."""

    mark: Hashable
    plain: bytes

    @cached_property
    def gzipped(self) -> bytes:
        """The body compressed."""
        packing = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP_FORM)
        return packing.compress(self.plain) + packing.flush()

    @property
    def size(self) -> int:
        """The bytes of both, as if there were no compression."""
        return 2 * len(self.plain)


class KeptBodies:
    """The bodies that were sent last. Safe to use from several threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._bodies: OrderedDict[Hashable, Body] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def find_or_make(self, name: Hashable, mark: Hashable, make: Callable[[], bytes]) -> Body:
        """Return the body of a name, made by ``make`` unless one of the same mark is kept. One
        without a mark is not kept."""
        with self._lock:
            found = self._bodies.get(name)
            if found is not None and found.mark == mark:
                self._bodies.move_to_end(name)
                return found
        body = Body(mark, make())
        with self._lock:
            self._drop(name)
            if mark is not None and body.size <= self._most:
                self._bodies[name] = body
                self._size += body.size
            while self._size > self._most:
                self._drop(next(iter(self._bodies)))
        return body

    def _drop(self, name: Hashable) -> None:
        found = self._bodies.pop(name, None)
        if found is not None:
            self._size -= found.size


kept = KeptBodies()


def send_body(body: Body, headers: dict[str, str]) -> bottle.HTTPResponse:
    """Return the answer with a body, compressed where the client accepts that."""
    headers = headers | {"Vary": "Accept-Encoding"}
    if accepts_gzip():
        return bottle.HTTPResponse(body.gzipped, 200, headers | {"Content-Encoding": "gzip"})
    return bottle.HTTPResponse(body.plain, 200, headers)


def accepts_gzip() -> bool:
    """Return whether the Accept-Encoding header names gzip and does not prefer no encoding."""
    weights = read_weights("Accept-Encoding")
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)
