"""Files in folders of the data folder, each moved in place once it is whole."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from restmon.core.instants import SECOND
from restmon.files import explain_write_error, flush, part_file, prepare_file
from restmon.settings import Settings
from restmon.storage.files.kinds import Content, Kind, Stored

PARTS_SUFFIX = ".parts"
"""The end of the name of the folder with a report's parts."""
UNFINISHED = ".part"
AT_ONCE = 2**20


class FolderFiles:
    """The files below a data folder. All users of the database share it, on one machine."""

    def __init__(self, settings: Settings) -> None:
        self._folders = {
            Kind.UPLOAD: settings.spool_dir,
            Kind.PART: settings.reports_dir,
            Kind.REPORT: settings.reports_dir,
            Kind.DOCUMENT: settings.documents_dir,
            Kind.REJECTED: settings.rejected_dir,
        }

    def where(self, kind: Kind) -> str:
        names = {Kind.UPLOAD: "spool", Kind.REJECTED: "rejected"}
        return f"the {names.get(kind, self._folders[kind].name)} folder"

    def path(self, kind: Kind, key: str) -> Path:
        """Where a file is, or would be."""
        if kind == Kind.PART:
            report_id, _, name = key.partition("/")
            return self._folders[kind] / f"{report_id}{PARTS_SUFFIX}" / name
        return self._folders[kind] / key

    @contextmanager
    def prepare(self, kind: Kind, key: str, content: bytes) -> Iterator[Callable[[], None]]:
        target = self.path(kind, key)
        with prepare_file(target, content) as part:
            yield lambda: _move(part, target)

    def save(self, kind: Kind, key: str, content: Content) -> int:
        if isinstance(content, bytes):
            with self.prepare(kind, key, content) as keep:
                keep()
            return len(content)
        target = self.path(kind, key)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with part_file(target) as part:
                with part.open("wb") as out:
                    shutil.copyfileobj(content, out, AT_ONCE)
                flush(part)
                size = part.stat().st_size
                part.replace(target)
        except OSError as error:
            raise explain_write_error(target, error) from error
        return size

    def take(self, kind: Kind, key: str, path: Path) -> None:
        target = self.path(kind, key)
        if path.absolute() == target.absolute():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with part_file(target) as part:  # another disk
                shutil.copyfile(path, part)
                part.replace(target)
            path.unlink(missing_ok=True)

    def open(self, kind: Kind, key: str) -> IO[bytes]:
        return self.path(kind, key).open("rb")

    def copy(self, kind: Kind, key: str, folder: Path) -> Path:  # noqa: ARG002 - it needs no copy
        path = self.path(kind, key)
        path.stat()
        return path

    def find(self, kind: Kind, key: str) -> Stored | None:
        return _describe(self.path(kind, key), key)

    def list(self, kind: Kind, prefix: str = "") -> Iterator[Stored]:
        for key, path in self._keys(kind):
            found = _describe(path, key) if key.startswith(prefix) else None
            if found is not None:
                yield found

    def _keys(self, kind: Kind) -> Iterator[tuple[str, Path]]:
        folder = self._folders[kind]
        if kind == Kind.PART:
            for parts in sorted(folder.glob(f"*{PARTS_SUFFIX}")):
                report_id = parts.name.removesuffix(PARTS_SUFFIX)
                for path in sorted(parts.glob("*")):
                    if path.suffix != UNFINISHED:
                        yield f"{report_id}/{path.name}", path
            return
        pattern = "*.upload" if kind == Kind.UPLOAD else "*"
        for path in sorted(folder.glob(pattern)):
            if path.suffix not in {UNFINISHED, PARTS_SUFFIX}:
                yield path.name, path

    def delete(self, kind: Kind, key: str) -> None:
        path = self.path(kind, key)
        with suppress(NotADirectoryError):
            path.unlink(missing_ok=True)
        if kind == Kind.PART:
            with suppress(OSError):  # others are in it
                path.parent.rmdir()

    def can_delete(self, kind: Kind) -> bool:
        folder = self._folders[kind]
        return not folder.exists() or os.access(folder, os.W_OK | os.X_OK)

    def clean(self, before: int) -> int:
        count = 0
        for folder in set(self._folders.values()):
            for path in folder.glob(f"**/*{UNFINISHED}"):
                with suppress(OSError):
                    if path.stat().st_mtime < before / SECOND:
                        path.unlink()
                        count += 1
            for parts in folder.glob(f"*{PARTS_SUFFIX}"):
                with suppress(OSError):  # not empty
                    if parts.stat().st_mtime < before / SECOND:
                        parts.rmdir()
                        count += 1
        return count


def _move(part: Path, target: Path) -> None:
    part.replace(target)


def _describe(path: Path, key: str) -> Stored | None:
    """The file at a path; None if there is none."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not path.is_file():
        return None
    size, changed_at = found.st_size, found.st_mtime_ns // 1000
    return Stored(key, size, size, changed_at, found.st_ino)
