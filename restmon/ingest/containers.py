"""Files in any container as streams of CSV text in UTF-8: plain, gzip, ZIP, workbook, UTF-16.

Only a workbook inside a ZIP is unpacked to the disk. Memory is bounded by the block that is read,
and by the cells of one sheet.
"""

import gzip
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from restmon.errors import FileRejected
from restmon.ingest.file_sources import Position, Source, TableInFile, in_sentences, on_disk
from restmon.ingest.text_streams import Prefixed, decode
from restmon.ingest.workbooks import (
    WORKBOOK_BYTES,
    check_workbook,
    explain_too_large,
    list_sheets,
    read_sheet,
)
from restmon.ingest.zip_archives import (
    explain_nested,
    is_workbook,
    is_zip,
    list_members,
    open_member,
    refuse_archive,
    refuse_office,
)

HEAD = 4096


@contextmanager
def open_table(source: Source, name: str) -> Iterator[tuple[BinaryIO, Position]]:
    """(text in UTF-8, position of reading) of a table.

    Reads an open file from its beginning, puts it back there and leaves it open. Raises
    :class:`FileRejected` if the file cannot be opened or unpacked, or is not a table.
    """
    path = source.path if isinstance(source, TableInFile) else ()
    whole = source.source if isinstance(source, TableInFile) else source
    with in_sentences(name), ExitStack() as stack:
        disk = stack.enter_context(on_disk(whole))
        head = disk.read(HEAD)
        disk.seek(0)
        if is_zip(head):
            yield _open_in_zip(disk, whole, path, name, stack)
            return
        text: BinaryIO = disk
        if head.startswith(b"\x1f\x8b"):
            text = cast("BinaryIO", stack.enter_context(gzip.open(disk)))
            head = text.read(HEAD)
            refuse_archive(head, name)
            text = cast("BinaryIO", Prefixed(head, text))
        yield decode(head, text, name), disk


def _open_in_zip(
    disk: BinaryIO,
    whole: "Path | BinaryIO",
    path: tuple[str, ...],
    name: str,
    stack: ExitStack,
) -> tuple[BinaryIO, Position]:
    """A member or a sheet of a ZIP, by its path."""
    archive = stack.enter_context(zipfile.ZipFile(disk))
    if is_workbook(archive):
        return read_sheet(disk, whole, path[0] if path else "", name)
    refuse_office(archive, name)
    if not path:
        raise FileRejected(f"{name} is a ZIP.", "Name the file in it that is meant.")
    infos = [info for info in list_members(archive, name) if info.filename == path[0]]
    if not infos:
        raise FileRejected(f"{name} is not in the ZIP any more.", "Upload it again.")
    member = stack.enter_context(open_member(archive, infos[-1], name))
    head = member.read(HEAD)
    if is_zip(head):
        inner = _unpack_workbook(Prefixed(head, member), name, stack)
        book = stack.enter_context(zipfile.ZipFile(inner))
        if not is_workbook(book):
            raise explain_nested(name)
        return read_sheet(inner, inner, path[1] if len(path) > 1 else "", name)
    text: BinaryIO = cast("BinaryIO", Prefixed(head, member))
    if head.startswith(b"\x1f\x8b"):
        text = cast("BinaryIO", stack.enter_context(gzip.GzipFile(fileobj=text)))
        head = text.read(HEAD)
        refuse_archive(head, name)
        text = cast("BinaryIO", Prefixed(head, text))
    return decode(head, text, name), disk


def list_sheets_of_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> list[str]:
    """The sheets of a workbook inside a ZIP."""
    with ExitStack() as stack:
        inner = _unpack_workbook(stack.enter_context(open_member(archive, info, name)), name, stack)
        with zipfile.ZipFile(inner) as book:
            if not is_workbook(book):
                refuse_office(book, name)
                raise explain_nested(name)
        check_workbook(inner, name)
        return list_sheets(inner, name)


def _unpack_workbook(member: Any, name: str, stack: ExitStack) -> BinaryIO:
    """A workbook that is a member of a ZIP, unpacked to a temporary file."""
    file = stack.enter_context(tempfile.SpooledTemporaryFile(16 * 2**20))  # noqa: SIM115
    size = 0
    while block := member.read(2**20):
        size += len(block)
        if size > WORKBOOK_BYTES:
            raise explain_too_large(name)
        file.write(block)
    file.seek(0)
    return cast("BinaryIO", file)
