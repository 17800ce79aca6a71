"""Files in pieces of 1 MiB, compressed where that pays."""

import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from restmon.storage.files.kinds import Content

CHUNK = 2**20
PAYS = 0.9
"""A chunk is kept compressed if that takes less than this share of it."""
TRIED_AGAIN = 16
"""After a chunk for which it did not pay, so many are not tried."""


@dataclass(frozen=True)
class Chunk:
    """A piece of a file: its ``data``, whether they are ``compressed``, and how many bytes they
    stand for (``size``)."""

    data: bytes
    compressed: bool
    size: int


def pack(content: Content) -> Iterator[Chunk]:
    """The pieces of a file, one at a time. A stream is read as they are taken."""
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    skip = 0
    while piece := _read(stream):
        skip -= 1
        if skip < 0:
            packed = zlib.compress(piece, 1)
            if len(packed) < PAYS * len(piece):
                yield Chunk(packed, True, len(piece))
                continue
            skip = TRIED_AGAIN
        yield Chunk(piece, False, len(piece))


def _read(stream: IO[bytes]) -> bytes:
    """The next piece: a stream may give less than it was asked for."""
    piece = stream.read(CHUNK)
    while piece and len(piece) < CHUNK and (more := stream.read(CHUNK - len(piece))):
        piece += more
    return piece


def unpack(data: Any, *, compressed: bool) -> bytes:
    """The bytes that a chunk stands for."""
    return zlib.decompress(data) if compressed else bytes(data)


class ChunkReader(io.RawIOBase):
    """The bytes of chunks, one of which is in memory at a time. ``get`` returns the chunk of a
    number, b"" after the last."""

    def __init__(self, get: Callable[[int], bytes]) -> None:
        self._get = get
        self._number = 0
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Put the next bytes into the buffer; returns how many."""
        if not self._rest:
            self._rest = memoryview(self._get(self._number))
            self._number += 1
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
