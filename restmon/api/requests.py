"""What a request says: who sent it, to which address, with which values."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import bottle

from restmon.access.forwarded import Client, client_of
from restmon.access.roles import Actor
from restmon.api.models import Nested
from restmon.errors import BadRequest
from restmon.settings import get_settings

LARGEST_FORM = 2**20
"""The most bytes of a body that holds values, not files."""
ACTOR = "restmon.actor"
"""The WSGI variable in which the guard stores who sent the request."""

bottle.BaseRequest.MEMFILE_MAX = LARGEST_FORM


def header(name: str, default: str = "") -> str:
    """Return a header of the request, its bytes read as Latin-1.

    Bottle's own function fails for bytes that are not UTF-8.
    """
    return str(bottle.request.environ.get(f"HTTP_{name.upper().replace('-', '_')}", default))


def read_weights(name: str) -> dict[str, float]:
    """Return the choices of an Accept header, in small letters, each with its weight."""
    weights: dict[str, float] = {}
    for choice in header(name).lower().replace(" ", "").split(","):
        kind, *options = choice.split(";")
        weight = next((o[2:] for o in options if o.startswith("q=")), "1")
        try:
            weights[kind] = float(weight)
        except ValueError:
            weights[kind] = 0.0
    return weights


def client() -> Client:
    """Return who sent the request, as far as trusted proxies say."""
    environ = bottle.request.environ
    peer, scheme = environ.get("REMOTE_ADDR", ""), environ["wsgi.url_scheme"]
    found = client_of(peer, scheme, header, get_settings().trusted_networks)
    own = f"127.0.0.1:{environ.get('SERVER_PORT', '')}".rstrip(":")
    return found if found.host else replace(found, host=own)


def actor() -> Actor:
    """Return the actor that the guard has found."""
    found: Actor = bottle.request.environ[ACTOR]
    return replace(found, address=client().address)


def origin() -> str:
    """Return the API's address as the client wrote it."""
    found = client()
    return f"{found.scheme}://{found.host}"


def query_values() -> dict[str, str]:
    """Return the values of the query.

    Raises
    ------
    BadRequest
        If they are not UTF-8 text.
    """
    try:
        return dict(bottle.request.query.decode())
    except UnicodeError:
        raise BadRequest("The query is not UTF-8 text.", "Percent-encode it as UTF-8.") from None


def body_values() -> dict[str, str]:
    """Return the values of the body, which is a JSON object or a form.

    Raises
    ------
    BadRequest
        If it is neither.
    bottle.HTTPError
        With status 413, if the body is larger than ``LARGEST_FORM``.
    """
    request = bottle.request
    if request.content_length > LARGEST_FORM:
        raise bottle.HTTPError(413)
    try:
        values = _form() if request.content_type.startswith("multipart/") else _text()
        for value in values.values():
            value.encode()  # JSON may hold half a surrogate pair, which is not text
    except (bottle.HTTPError, ValueError, LookupError, AttributeError, RecursionError):
        raise BadRequest(
            "The body of the request is neither a JSON object nor a form.",
            'Send {"name": "value"} as application/json, or name=value.',
        ) from None
    return dict(values)


def _as_text(value: Any) -> str:
    return Nested(value) if isinstance(value, dict | list) else str(value)


def _form() -> Mapping[str, str]:
    return dict(bottle.request.forms.decode())


def _text() -> Mapping[str, str]:
    text = bottle.request.body.read().strip()
    if not text:
        return {}
    # curl -d calls whatever it sends a form, so JSON is also recognized by its first character.
    if "json" in bottle.request.content_type or text.startswith(b"{"):
        return {k: _as_text(v) for k, v in json.loads(text).items() if v is not None}
    return _form()
