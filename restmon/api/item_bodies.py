"""Bodies of many items: JSON lines or a JSON array, plain or gzipped."""

import json
import zlib
from collections.abc import Iterator
from typing import Any

import bottle

from restmon.api.requests import header
from restmon.errors import BadRequest
from restmon.ingest.item_batches import DECODER, Unreadable
from restmon.ingest.live_feed import MOST_ITEMS

LARGEST_BODY = 16 * 2**20
"""The most bytes of a body, unpacked."""
HINT = (
    "Send one JSON object a line (curl --data-binary @FILE keeps the line ends), or a JSON array "
    "of objects."
)


def read_items() -> list[Any]:
    """Read the items of the request's body.

    Returns
    -------
    list
        The items in order, as `item_batches.DECODER` reads them. A line that is not JSON is an
        `Unreadable`.

    Raises
    ------
    BadRequest
        If the body is empty, damaged or cut off, or holds too many items.
    bottle.HTTPError
        With status 413, if it is larger than ``LARGEST_BODY``.
    """
    if bottle.request.content_length > LARGEST_BODY:
        raise bottle.HTTPError(413)
    body = bottle.request.environ["wsgi.input"].read(LARGEST_BODY + 1)
    coding = header("Content-Encoding").strip().lower()
    if coding in {"gzip", "x-gzip"}:
        body = _unpack(body)
    elif coding not in {"", "identity"}:
        raise BadRequest("The body is packed in an unknown way.", "Send it plain or gzipped.")
    if len(body) > LARGEST_BODY:
        raise bottle.HTTPError(413)
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        raise BadRequest("The request has no items.", HINT)
    is_array = body.startswith(b"[") or bottle.request.content_type.startswith("application/json")
    items = _read_array(body) if is_array else list(_read_lines(body))
    if not items:
        raise BadRequest("The request has no items.", HINT)
    if len(items) > MOST_ITEMS:
        raise BadRequest(
            f"The request has more than {MOST_ITEMS:,} items.", "Send them in several requests."
        )
    return items


def _unpack(body: bytes) -> bytes:
    unpack = zlib.decompressobj(wbits=31)
    try:
        text = unpack.decompress(body, LARGEST_BODY + 1)
    except zlib.error:
        raise BadRequest("The body is not gzipped, or damaged.", "Send it again.") from None
    if len(text) > LARGEST_BODY:
        raise bottle.HTTPError(413)
    if not unpack.eof:
        raise BadRequest("The gzipped body is cut off.", "Send it again.")
    return text


def _read_array(body: bytes) -> list[Any]:
    items: Any
    try:
        items = DECODER.decode(body.decode())
        if not isinstance(items, list):
            raise BadRequest("The body is not a JSON array.", HINT)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not a JSON array: {_explain(error)}.", HINT) from None
    return items


def _explain(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return "it is not UTF-8 text" if isinstance(error, UnicodeError) else "it is nested too deeply"


def _read_lines(body: bytes) -> Iterator[Any]:
    """The items of JSON lines, at most one more than is allowed. A blank line is none."""
    lines = (line for line in body.split(b"\n") if line.strip())
    for _, line in zip(range(MOST_ITEMS + 1), lines, strict=False):
        try:
            yield DECODER.decode(line.strip().decode())
        except (ValueError, RecursionError):
            yield Unreadable(line[:200].decode("utf-8", "replace"))
