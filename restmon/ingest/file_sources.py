"""The source of a table: a file by its path, an open upload, or a part of either."""

import gzip
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import SEEK_END
from pathlib import Path
from typing import BinaryIO, Protocol

from restmon.errors import FileRejected


@dataclass(frozen=True)
class TableInFile:
    """A table inside a file. Each step of its ``path`` is the name of a member or a sheet."""

    source: "Path | BinaryIO"
    path: tuple[str, ...]


Source = Path | BinaryIO | TableInFile
"""A file by its path, an open one that can seek (an upload), read from its beginning, or a part."""


class Position(Protocol):
    """The position of reading."""

    def tell(self) -> int:
        """How many bytes of the file were read."""


def size_of(source: Source) -> int:
    """The size of a file on disk in bytes; 0 if there is none."""
    if isinstance(source, TableInFile):
        return size_of(source.source)
    if isinstance(source, Path):
        return source.stat().st_size if source.exists() else 0
    here = source.tell()
    end = source.seek(0, SEEK_END)
    source.seek(here)
    return end


@contextmanager
def on_disk(source: "Path | BinaryIO") -> Iterator[BinaryIO]:
    """The open file, at its beginning. Afterward, a file that was open is put back there."""
    if isinstance(source, Path):
        if source.exists() and not stat.S_ISREG(source.stat().st_mode):
            raise IsADirectoryError
        with source.open("rb") as file:
            yield file
        return
    source.seek(0)
    try:
        yield source
    finally:
        source.seek(0)


@contextmanager
def in_sentences(name: str) -> Iterator[None]:
    """Turn an error of reading a file into one sentence."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError):
        raise explain_damage(name, "a gzip file") from None
    except zlib.error:
        raise explain_damage(name, "a compressed file") from None
    except zipfile.BadZipFile:
        raise explain_damage(name, "a ZIP file") from None
    except (FileNotFoundError, IsADirectoryError):
        raise FileRejected(f"{name} is not a file.", "Check the path.") from None
    except OSError as error:
        raise FileRejected(
            f"{name} cannot be read: {error.strerror or error}.", "Check the path and its rights."
        ) from None


def explain_damage(name: str, what: str) -> FileRejected:
    return FileRejected(
        f"{name} is {what} that is damaged or cut off.", "Compress or download it again."
    )
