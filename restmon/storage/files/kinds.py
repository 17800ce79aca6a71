"""The kinds of files that are kept beside rows, and what is known of one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from typing import IO, Protocol


class Kind(StrEnum):
    """The kinds of files. A key is a file's name, for a part ``report's id/name``."""

    UPLOAD = "upload"
    PART = "part"
    REPORT = "report"
    DOCUMENT = "document"
    REJECTED = "rejected"


Content = bytes | IO[bytes]
"""What is stored: bytes, or a stream that is read to its end, 1 MiB at a time."""


@dataclass(frozen=True)
class Stored:
    """A file that is whole: its ``key``, its ``size`` in bytes, the bytes it takes up (``packed``),
    and when it was stored (microseconds since the epoch). ``version`` is another number once
    another file has replaced it."""

    key: str
    size: int
    packed: int
    changed_at: int
    version: int

    @property
    def suffix(self) -> str:
        """The end of the key: ".csv"."""
        return PurePath(self.key).suffix


class Files(Protocol):
    """What a folder and a database each do in their own way. `storage.files` documents it."""

    def where(self, kind: Kind) -> str: ...

    def prepare(
        self, kind: Kind, key: str, content: bytes
    ) -> AbstractContextManager[Callable[[], None]]: ...

    def save(self, kind: Kind, key: str, content: Content) -> int: ...

    def take(self, kind: Kind, key: str, path: Path) -> None: ...

    def open(self, kind: Kind, key: str) -> IO[bytes]: ...

    def copy(self, kind: Kind, key: str, folder: Path) -> Path: ...

    def find(self, kind: Kind, key: str) -> Stored | None: ...

    def list(self, kind: Kind, prefix: str = "") -> Iterator[Stored]: ...

    def delete(self, kind: Kind, key: str) -> None: ...

    def can_delete(self, kind: Kind) -> bool: ...

    def clean(self, before: int) -> int: ...
