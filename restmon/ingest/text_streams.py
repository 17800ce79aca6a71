"""Streams of CSV text in UTF-8. Rejects other content and names what it is."""

import codecs
import io
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from restmon.errors import FileRejected

AS_CSV = "Export it as “CSV UTF-8 (comma delimited)”."
NAMED: list[tuple[bytes, str, str]] = [
    (
        b"version https://git-lfs.github.com/spec/",
        "is a Git LFS pointer, not the file itself",
        "Fetch the file with git lfs pull, or download it.",
    ),
    (b"%PDF-", "is a PDF", "Export the table as CSV."),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "is an old Excel workbook (.xls) or one with a password",
        "Save it as .xlsx without a password, or as CSV UTF-8.",
    ),
    (b"SQLite format 3\0", "is an SQLite database", "Export its tables as CSV."),
    (b"PAR1", "is a Parquet file", "Export it as CSV."),
    (b"\x89PNG", "is a picture", "Export the table as CSV."),
    (b"\xff\xd8\xff", "is a picture", "Export the table as CSV."),
    (b"GIF8", "is a picture", "Export the table as CSV."),
    (b"{\\rtf", "is an RTF document", "Export the table as CSV."),
    (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive", "Unpack it, or make a ZIP of it."),
    (b"Rar!", "is a RAR archive", "Unpack it, or make a ZIP of it."),
    (b"BZh", "is a bzip2 file", "Unpack it, or compress it with gzip."),
    (b"\xfd7zXZ\0", "is an xz file", "Unpack it, or compress it with gzip."),
    (b"\x28\xb5\x2f\xfd", "is a Zstandard file", "Unpack it, or compress it with gzip."),
]
"""The beginnings of files that are not tables, what they are, and what to do."""
HTML = re.compile(
    rb"(?is)\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype html|html|head|body)\b"
)


class Prefixed(io.RawIOBase):
    """A stream with its beginning, which was read already, put back."""

    def __init__(self, head: bytes, rest: Any) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int = -1) -> bytes:
        if self._head:
            head, self._head = self._head[:size], self._head[size:] if size >= 0 else b""
            if size < 0:
                return head + bytes(self._rest.read())
            return head + bytes(self._rest.read(size - len(head)) if len(head) < size else b"")
        return bytes(self._rest.read(size))


class Utf16(io.RawIOBase):
    """UTF-16 as UTF-8. Invalid bytes become the replacement character."""

    def __init__(self, rest: Any) -> None:
        self._rest = rest
        self._decoder = codecs.getincrementaldecoder("utf-16")("replace")

    def read(self, size: int = -1) -> bytes:
        while True:
            raw = self._rest.read(size)
            text = self._decoder.decode(raw, final=not raw)
            if text or not raw:
                return text.encode("utf-8", "replace")


class Lines(io.RawIOBase):
    """Pieces of text as a stream, which knows their share of a file of ``total`` bytes."""

    def __init__(self, pieces: Iterator[tuple[bytes, float]], total: int) -> None:
        self._pieces, self._total = pieces, total
        self._rest = b""
        self._share = 0.0

    def read(self, size: int = -1) -> bytes:
        parts, length = [self._rest], len(self._rest)
        while size < 0 or length < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            parts.append(piece[0])
            length += len(piece[0])
            self._share = piece[1]
        data = b"".join(parts)
        self._rest = data[size:] if size >= 0 else b""
        return data[:size] if size >= 0 else data

    def tell(self) -> int:
        return int(self._share * self._total)


def decode(head: bytes, text: BinaryIO, name: str) -> BinaryIO:
    """A text as UTF-8. Raises FileRejected for other content, and names what it is."""
    for begins, what, hint in NAMED:
        if head.startswith(begins):
            raise FileRejected(f"{name} {what}.", hint)
    if head[257:262] == b"ustar":
        raise FileRejected(f"{name} is a tar archive.", "Unpack it, or make a ZIP of it.")
    if HTML.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise FileRejected(
            f"{name} is an HTML page, perhaps of a login or an error.",
            "Download the file itself.",
        )
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) and not head.startswith(b"\xff\xfe\0\0"):
        return cast("BinaryIO", Utf16(text))
    if b"\0" in head:
        raise FileRejected(
            f"{name} is not CSV text in UTF-8 (it has NUL bytes).",
            AS_CSV,
        )
    if head[:1] in b"[{" and re.match(rb'\s*[\[{]\s*[{"\]}]', head):
        raise FileRejected(f"{name} is JSON, not a table.", "Export it as CSV with a header line.")
    return text
