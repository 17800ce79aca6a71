"""Files that are written beside their place and moved in once they are whole."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from restmon.errors import RestmonError


def part_of(target: Path) -> Path:
    """A path beside the target to which nobody else writes."""
    return target.with_name(f"{target.name}.{os.getpid()}-{secrets.token_hex(6)}.part")


@contextmanager
def part_file(target: Path) -> Iterator[Path]:
    """A path beside the target. The block writes the file there and moves it in. A file that was
    not moved is deleted."""
    part = part_of(target)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


@contextmanager
def prepare_file(target: Path, content: bytes) -> Iterator[Path]:
    """Write a file with the content beside its place and flush it. The block moves it in, or it is
    deleted. Makes a missing folder. Raises RestmonError if the file cannot be written."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part_file(target) as part:
            part.write_bytes(content)
            flush(part)
            yield part
    except OSError as error:
        raise explain_write_error(target, error) from error


def explain_write_error(target: Path, error: OSError) -> RestmonError:
    """The error of a file that cannot be written, for the user."""
    return RestmonError(
        f"The file {target} cannot be written: {error.strerror or error}.",
        "Make room or make the folder writable, then try again.",
    )


def write_file(target: Path, content: bytes) -> None:
    """Write a file beside its place, flush it to the disk and move it in. Raises RestmonError."""
    with prepare_file(target, content) as part:
        part.replace(target)
