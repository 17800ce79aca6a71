"""Parameters that several routes have: windows of time, whole numbers, cursors."""

import base64
import binascii
import json
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from restmon.api.models import Parameters, one_of
from restmon.core.timeline import METHODS, NEAREST
from restmon.errors import BadRequest
from restmon.reporting import computation
from restmon.reporting.store_list import KEY_TYPES, Place
from restmon.reporting.windows import Window, parse_window

MOST_AT_ONCE = 1000
LARGEST_KEY = 2**63

AsOf = Annotated[
    int | None,
    BeforeValidator(computation.parse_as_of),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Method = Annotated[str, AfterValidator(one_of(METHODS)), WithJsonSchema({"enum": list(METHODS)})]


def _limit(value: Any) -> int:
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_AT_ONCE):
        raise BadRequest(f"limit={text[:40]!r} cannot be used.", f"Use 1 to {MOST_AT_ONCE:,}.")
    return int(text)


Limit = Annotated[
    int,
    BeforeValidator(_limit),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE}),
]


class InWindow(Parameters):
    """The parameters that say which window of time is meant."""

    since: Annotated[str | None, Field(alias="from")] = None
    """The beginning of the window: an instant such as 2023-01-25T18:13:22Z, or a date such as
    2023-01-25, which means midnight in each store's own zone."""
    to: str | None = None
    """The end of the window, in the same forms. Default: as_of."""
    month: str | None = None
    """In place of from and to: a calendar month in each store's zone, such as 2023-01."""
    last: str | None = None
    """In place of from and to: a length of time that ends at as_of, such as 24h, 30d or 4w, or week
    or month for the last whole one (Monday to Sunday). Without any of the four the window is the
    last 168 hours."""
    as_of: AsOf = None
    """The UTC instant of the answer. Later polls do not count. Default: the newest poll."""
    method: Method = NEAREST
    """How time between two polls is divided. Default: nearest."""

    def words(self) -> dict[str, str | None]:
        """Return the words of the window (`windows.NAMES`)."""
        return {"from": self.since, "to": self.to, "month": self.month, "last": self.last}

    def window(self) -> Window | None:
        """Return the window. Raises BadRequest for words that say none."""
        return parse_window(self.words())


def write_cursor(sort: str, place: Place) -> str:
    """Return the cursor of the next page: a place in a list sorted by ``sort``, as text."""
    text = json.dumps([sort, place.key, place.store_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, sort: str) -> Place:
    """Return the place in a cursor. Raises BadRequest for text that `write_cursor` did not
    write."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        written, key, store_id = json.loads(raw)
        kind = KEY_TYPES[str(written).removeprefix("-")]
        good = (key is None or type(key) is kind) and isinstance(store_id, str)
        if not good or (kind is int and abs(key or 0) >= LARGEST_KEY):
            raise ValueError
    except (ValueError, TypeError, KeyError, binascii.Error, RecursionError):
        raise BadRequest(
            "The cursor is not one that this route has given.", "Take next from its answer."
        ) from None
    if written != sort:
        raise BadRequest(
            f"The cursor is of a list sorted by {written}.",
            "Keep sort as it was, or leave cursor out.",
        )
    return Place(key, store_id)
