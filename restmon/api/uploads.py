"""Multipart forms with files, copied to the spool folder while they are parsed, then kept."""

import io
import json
import logging
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import bottle
from python_multipart import MultipartParser
from python_multipart.multipart import MAX_BOUNDARY_LENGTH, parse_options_header

from restmon.api.requests import actor
from restmon.errors import BadRequest
from restmon.ingest import incoming_files
from restmon.ingest.choices import OPTIONS, Choices
from restmon.ingest.headers import COLUMNS
from restmon.ingest.staging import SourceFile

CHUNK = 256 * 1024
"""How many bytes of a body are in memory at a time."""
LONGEST_HEADER = 16 * 1024
MOST_HEADERS = 32
FILE_FIELDS = ("file", *COLUMNS)
"""The fields that hold files: of any kind, or of the kind in the field's name."""
CHOICE_FIELDS = (*OPTIONS, "columns")
"""The text fields with the choices that are never guessed."""
LONGEST_CHOICE = 2**20
FIELDS = (
    f"Send files in {', '.join(FILE_FIELDS)}, as curl -F polls=@polls.csv does, and choices in "
    f"{', '.join(CHOICE_FIELDS)}."
)

# It warns of each damaged form, but the client gets an error already.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


def damaged_form() -> BadRequest:
    """Return the error for a form that cannot be parsed."""
    return BadRequest(
        "The multipart form is damaged or cut off.",
        "Send files as curl -F polls=@polls.csv does.",
    )


def spooled_uploads() -> list[SourceFile]:
    """Keep the files of the request's form until a worker has imported them.

    Returns
    -------
    list[SourceFile]
        The files in the order of the form. Empty when the request has no body.

    Raises
    ------
    BadRequest
        If the body is not a form, or the form is damaged or has an unknown field or choice.
    FileRejected
        If the header of a file does not fit its field.
    NoRoom, NotWritable
        If a file cannot be stored. Any error leaves no file.
    """
    request = bottle.request
    if not request.content_type.startswith("multipart/"):
        if request.content_length > 0:
            raise BadRequest(
                "The body is not multipart form data.",
                "Send files as curl -F polls=@polls.csv does, or no body at all.",
            )
        return []
    # Not request.content_type: that is in lower case, and boundaries are not. The server ends
    # the stream where the body ends.
    form = Form(request.environ["wsgi.input"], request.environ["CONTENT_TYPE"])
    kept: list[tuple[Path, str, str | None]] = []
    chosen: dict[str, Any] = {}
    try:
        for part in form.parts():
            if part.name in CHOICE_FIELDS and part.filename is None:
                chosen[part.name] = _read_choice(part)
                continue
            _check_field(part)
            if part.filename or not part.is_empty():  # else: an empty file field
                path, name = incoming_files.spool_file(part.file, part.filename or "")
                kind = part.name if part.name in COLUMNS else None
                kept.append((path, name or f"{part.name}.csv", kind))
        choices = Choices.of(chosen)
        files = incoming_files.keep(
            [
                file
                for path, name, kind in kept
                for file in incoming_files.tables_of(path, name, kind, choices, actor())
            ]
        )
    except Exception:
        for path, _, _ in kept:
            path.unlink(missing_ok=True)
        raise
    if not files:
        raise BadRequest("The form has no file.", FIELDS)
    return files


def _check_field(part: "FormPart") -> None:
    if part.name not in FILE_FIELDS:
        field = f"the field {part.name[:40]!r}" if part.name else "a field without a name"
        raise BadRequest(f"The form has {field}.", FIELDS)
    if part.filename is None:
        raise BadRequest(f"The field {part.name!r} is text, not a file.", FIELDS)


def _read_choice(part: "FormPart") -> Any:
    """Return the value of a text field: an object for ``columns``, a word for the others."""
    content = part.file.read(LONGEST_CHOICE + 1)
    if len(content) > LONGEST_CHOICE:
        raise BadRequest(f"The field {part.name!r} is too long.", "Send a choice in it.")
    try:
        text = content.decode().strip()
        return json.loads(text) if part.name == "columns" and text else text
    except (ValueError, RecursionError):
        raise BadRequest(
            f"The field {part.name!r} cannot be read.",
            'columns is a JSON object such as {"polls": {"timestamp_utc": "Checked at"}}.',
        ) from None


class FormPart:
    """A part of a form.

    Attributes
    ----------
    name
        The name of its field. "" if it has none.
    filename
        The name of the file as the client wrote it. None for a text field.
    file
        The part's bytes, which can be read until the next part begins.
    """

    def __init__(self, headers: dict[bytes, bytes], form: "Form") -> None:
        _, options = parse_options_header(headers[b"content-disposition"])
        try:
            self.name = options.get(b"name", b"").decode()
            filename = options.get(b"filename")
            self.filename = None if filename is None else filename.decode()
        except UnicodeError:
            raise damaged_form() from None
        self.file = io.BufferedReader(_Data(form), CHUNK)

    def is_empty(self) -> bool:
        """Return whether there is no byte left to read."""
        return not self.file.peek(1)


class Form:
    """A multipart form that is parsed while it is read, with one chunk in memory at a time.

    Parameters
    ----------
    stream
        The body, which ends where the form ends.
    content_type
        The header that names the boundary.

    Raises
    ------
    BadRequest
        If the header does not name a boundary. Later, while parts are read, if the form is damaged.
    """

    def __init__(self, stream: IO[bytes], content_type: str) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary or len(boundary) > MAX_BOUNDARY_LENGTH:
            raise damaged_form()
        self._chunks = _from_first_boundary(_chunks(stream), boundary)
        self._events: deque[dict[bytes, bytes] | bytes | None] = deque()
        """What was parsed and not taken yet: a part's headers, its bytes, None at its end."""
        self._ended = False
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = b"", b""
        self._size = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_to_name,
                "on_header_value": self._add_to_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._add_data,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
            max_header_count=MOST_HEADERS,
            max_header_size=LONGEST_HEADER,
        )

    def parts(self) -> Iterator[FormPart]:
        """Yield the parts. Each can be read until the next one begins."""
        while self._parse():
            event = self._events.popleft()
            if isinstance(event, dict):  # else: the rest of a part that was not read to its end
                yield FormPart(event, self)

    def read_data(self, size: int) -> bytes:
        """Return up to ``size`` of the next bytes of the current part, b"" at its end."""
        if not self._parse() or not isinstance(self._events[0], bytes):
            return b""
        data = self._events.popleft()
        assert isinstance(data, bytes)  # noqa: S101 - for the type checker
        if len(data) > size:
            self._events.appendleft(data[size:])
        return data[:size]

    def _parse(self) -> bool:
        """Parse until there is an event to take; returns whether there is one."""
        while not self._events and not self._ended:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise damaged_form()
            try:
                self._parser.write(chunk)
            except ValueError:
                raise damaged_form() from None
        return bool(self._events)

    # The parser calls these. A ValueError stops it.

    def _begin_part(self) -> None:
        self._headers, self._size = {}, 0

    def _add_to_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _end_headers(self) -> None:
        if not self._headers.get(b"content-disposition"):
            raise ValueError("a part without Content-Disposition")
        self._events.append(self._headers)

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])
        self._size += end - start

    def _end_part(self) -> None:
        if int(self._headers.get(b"content-length", self._size)) != self._size:
            raise ValueError("a part of another length than its header says")
        self._events.append(None)

    def _end(self) -> None:
        self._ended = True


class _Data(io.RawIOBase):
    """The bytes of a form's current part."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._form.read_data(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield a body in pieces. Raises NoRoom or NotWritable if the disk fails."""
    try:
        while chunk := stream.read(CHUNK):
            yield chunk
    except OSError as error:
        raise incoming_files.explain_spool_error(error) from error


def _from_first_boundary(chunks: Iterator[bytes], boundary: bytes) -> Iterator[bytes]:
    """Skip the lines before the first boundary. RFC 2046 allows them; the parser does not."""
    line = re.compile(rb"\r\n(?=--" + re.escape(boundary) + rb"(?:--|\r\n))")
    longest = len(boundary) + 6
    seen = b"\r\n"
    for chunk in chunks:
        seen += chunk
        if found := line.search(seen):
            yield seen[found.end() :]
            yield from chunks
            return
        seen = seen[-longest:]
