"""Items of a live feed as a batch of raw columns, to be checked as the lines of a file are."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from restmon.ingest import arrow_arrays
from restmon.ingest.batches import Batch, Rejection, shown
from restmon.ingest.headers import COLUMNS, Header, column_positions, loose

EXACT_DIGITS = 15
"""A number of more digits may have been rounded by the program that wrote it."""
NO_OBJECT = 'an item is a JSON object, such as {"store_id": "7", …}'


class Number(str):
    """A number of JSON as it was written."""

    __slots__ = ()


class Unreadable(str):
    """The text of an item that is not JSON."""

    __slots__ = ()


DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=Number)
"""Numbers stay as they were written, so that none is rounded."""


def make_batch(kind: str, items: Sequence[Any], name: str) -> Batch:
    """The items as raw columns. The ``line`` of an item is its index, from 0.

    Raises FileRejected if no item has one of the kind's columns: then nothing can be taken.
    """
    shapes = dict.fromkeys(tuple(item) for item in items if isinstance(item, Mapping))
    written: dict[str, str] = {}
    for key in dict.fromkeys(key for shape in shapes for key in shape):
        written.setdefault(loose(key), key)
    header = Header(list(written.values()) or list(COLUMNS[kind]), 1)
    places = column_positions(header, kind, name)
    names = {column: loose(header.names[place]) for column, place in places.items()}
    keys_of = {shape: _keys(shape, names) for shape in shapes}
    rows: list[list[bytes]] = []
    lines: list[int] = []
    malformed: list[Rejection] = []
    remains: list[dict[str, bytes]] = []
    for index, item in enumerate(items):
        if not isinstance(item, Mapping):
            malformed.append(_not_an_object(index, item))
            continue
        keys = keys_of[tuple(item)]
        values = {column: item[key] for column, key in keys.items()}
        reasons = {
            column: reason
            for column, value in values.items()
            if type(value) is not str and (reason := _why_not(column, value))
        }
        cells = {c: _cell(value) for c, value in values.items() if c not in reasons}
        if reasons:
            column, reason = next(iter(reasons.items()))
            malformed.append(Rejection(index, column, shown(_text(values[column])), reason))
            remains.append(cells)
            continue
        lines.append(index)
        rows.append([cells.get(column, b"") for column in names])
    columns: list[Sequence[bytes]] = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return Batch(
        {name: arrow_arrays.of_bytes(list(raw)) for name, raw in zip(names, columns, strict=True)},
        np.array(lines, np.int64),
        malformed,
        remains,
        header,
    )


def _keys(shape: tuple[str, ...], names: Mapping[str, str]) -> dict[str, str]:
    """The key of each column that an item with such keys has."""
    written = {loose(key): key for key in shape}
    return {column: written[name] for column, name in names.items() if name in written}


def _not_an_object(index: int, item: Any) -> Rejection:
    if isinstance(item, Unreadable):
        return Rejection(index, "", shown(str(item)), "the line is not JSON")
    return Rejection(index, "", shown(_text(item)), NO_OBJECT)


def _why_not(column: str, value: Any) -> str:
    """Why a value of an item cannot be one of a column; "" if it may be."""
    if isinstance(value, Mapping | list):
        return "it is a list or an object; send text"
    if column == "store_id":
        if isinstance(value, bool) or (isinstance(value, Number) and not value.isdigit()):
            return "a store id is text; send it in quotes"
        if isinstance(value, Number) and len(value) > EXACT_DIGITS:
            return (
                f"many programs round a number of more than {EXACT_DIGITS} digits; "
                "send the store id in quotes"
            )
    return ""


def _cell(value: Any) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bool):
        return b"true" if value else b"false"
    return str(value).encode("utf-8", "replace")


def _text(value: Any) -> str:
    try:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "…"
