"""ZIP files: which members may be tables, and which archives are refused."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from restmon.errors import FileRejected

MOST_MEMBERS = 1000
SKIPPED_FOLDERS = {"__MACOSX"}
SKIPPED_FILES = {".DS_Store", "Thumbs.db", "desktop.ini"}


def is_zip(head: bytes) -> bool:
    """Whether a file with this beginning is a ZIP."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"))


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Whether a ZIP is an .xlsx workbook."""
    return "xl/workbook.xml" in archive.namelist()


def list_members(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """The files in a ZIP that may be tables. Raises FileRejected for a ZIP that is not
    acceptable."""
    found = []
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        raise FileRejected(
            f"{name} holds {len(infos):,} files; at most {MOST_MEMBERS:,} are read.",
            "Import it in parts.",
        )
    for info in infos:
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if ".." in path.parts or path.is_absolute() or re.match(r"[A-Za-z]:", info.filename):
            raise FileRejected(
                f"{name} holds a file whose name leads out of it: {info.filename[:80]!r}.",
                "Pack the files again, by their names alone.",
            )
        if info.is_dir() or not path.parts or SKIPPED_FOLDERS & set(path.parts):
            continue
        if path.name in SKIPPED_FILES or path.name.startswith("._"):
            continue
        found.append(info)
    return found


def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Any:
    """A member's bytes. Raises FileRejected if they cannot be read."""
    try:
        return archive.open(info)
    except (NotImplementedError, RuntimeError):
        raise explain_unusual(name) from None


def inflate(disk: BinaryIO, info: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    """A member's actual bytes, whatever size the ZIP claims."""
    disk.seek(info.header_offset)
    header = disk.read(30)
    if len(header) < 30 or not header.startswith(b"PK\x03\x04"):
        raise zipfile.BadZipFile
    if info.flag_bits & 1:
        raise explain_unusual(name)
    skip = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    disk.seek(skip, io.SEEK_CUR)
    left = info.compress_size
    inflate = zlib.decompressobj(-15) if info.compress_type == zipfile.ZIP_DEFLATED else None
    if inflate is None and info.compress_type != zipfile.ZIP_STORED:
        raise explain_unusual(name)
    while left > 0:
        raw = disk.read(min(left, 2**18))
        if not raw:
            return
        left -= len(raw)
        if inflate is None:
            yield raw
            continue
        while raw:
            yield inflate.decompress(raw, 2**20)
            raw = inflate.unconsumed_tail
        if inflate.eof:
            return


def refuse_office(archive: zipfile.ZipFile, name: str) -> None:
    """Raise FileRejected for a document that is a ZIP inside."""
    names = set(archive.namelist())
    if "word/document.xml" in names or "ppt/presentation.xml" in names:
        raise FileRejected(f"{name} is a document, not a workbook.", "Export the table as CSV.")
    if "mimetype" in names and "content.xml" in names:
        raise FileRejected(
            f"{name} is an OpenDocument file.", "Save it as .xlsx, or export it as CSV UTF-8."
        )
    if "xl/workbook.bin" in names:
        raise FileRejected(
            f"{name} is a binary workbook (.xlsb).", "Save it as .xlsx, or export it as CSV UTF-8."
        )
    if "Index/Document.iwa" in names or any(n.endswith(".iwa") for n in names):
        raise FileRejected(f"{name} is a Numbers document.", "Export it as .xlsx or CSV.")


def refuse_archive(head: bytes, name: str) -> None:
    if is_zip(head) or head.startswith(b"\x1f\x8b"):
        raise FileRejected(
            f"{name} is packed twice (an archive in a gzip file); in it is no CSV text in UTF-8.",
            "Unpack it once.",
        )


def explain_unusual(name: str) -> FileRejected:
    return FileRejected(
        f"{name} is in a ZIP with a password, or compressed in an unusual way.",
        "Unpack it and import what is in it.",
    )


def explain_nested(name: str) -> FileRejected:
    return FileRejected(f"{name} is a ZIP inside a ZIP.", "Unpack it and import what is in it.")
