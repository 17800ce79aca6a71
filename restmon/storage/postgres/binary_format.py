r"""PostgreSQL's binary forms of arrays and of COPY, written and read by NumPy.

All numbers are big-endian. An array of ``bigint``, here ``{5,7}``::

    header, 20 bytes                                     an item, 12 bytes each
    +----------+----------+----------+---------+-------+ +-------+------------------+ +-------+-...
    |dimensions| has NULL | type oid | length  | first | | bytes | value            | | bytes |
    | 00000001 | 00000000 | 00000014 | 00000002| 0001  | | 00..08| 0000000000000005 | | 00..08|
    +----------+----------+----------+---------+-------+ +-------+------------------+ +-------+-...

``first`` (4 bytes) is the index of the first item. A NULL item would have -1 for its bytes and no
value: no array here has one, so each item has the same size, and the items are a NumPy array of
the type `ITEM`.

``COPY poll (timestamp, store_id, status) FROM STDIN (FORMAT BINARY)``::

    header   | "PGCOPY\n" ff 0d 0a 00 | flags 00000000 | extension 00000000 |            19 bytes
    a row    | columns 0003 | bytes 00000008 | timestamp, 8 bytes
                            | bytes 00000004 | store, 4 bytes
                            | bytes 00000002 | status, 2 bytes |                         28 bytes
    the end  | ffff |                                                                     2 bytes

Each row has the same size, too, and the rows are a NumPy array of the type `COPY_ROW`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format

from restmon.storage import models

Ints = NDArray[np.int64]
Statuses = NDArray[np.int8]

INT8, INT8_ARRAY = 20, 1016
"""The oids of the types ``bigint`` and ``bigint[]``."""
ITEM = np.dtype([("bytes", ">i4"), ("value", ">i8")])
ARRAY_HEADER_BYTES = 20
COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
COPY_END = b"\xff\xff"
COPY_ROW = np.dtype(
    [
        ("columns", ">i2"),
        ("bytes_1", ">i4"),
        ("timestamp", ">i8"),
        ("bytes_2", ">i4"),
        ("store", ">i4"),
        ("bytes_3", ">i4"),
        ("status", ">i2"),
    ]
)
ROWS_AT_ONCE = 200_000


class ArrayDumper(Dumper):
    """Sends an int64 NumPy array as a parameter of the type ``bigint[]``."""

    format = Format.BINARY
    oid = INT8_ARRAY

    def dump(self, obj: Ints) -> bytes:
        header = np.array([1, 0, INT8, len(obj), 1], ">i4").tobytes()
        items = np.empty(len(obj), ITEM)
        items["bytes"], items["value"] = 8, obj
        return header + items.tobytes()


class ArrayLoader(Loader):
    """Receives a ``bigint[]`` without NULLs as the bytes of its items, for `read_items`."""

    format = Format.BINARY

    def load(self, data: Any) -> bytes:
        return bytes(data[ARRAY_HEADER_BYTES:])


def read_items(items: bytes) -> Ints:
    """The values in the bytes of an array's items, or of several arrays' one after the other."""
    return np.frombuffer(items, ITEM)["value"].astype(np.int64)


def open_cursor(name: str = "") -> Any:
    """A cursor that takes NumPy arrays as parameters and returns arrays as the bytes of their
    items; with a name it stays on the server and fetches rows as they are read."""
    cursor = models.database.connection().cursor(name, binary=True)
    cursor.adapters.register_dumper(np.ndarray, ArrayDumper)
    cursor.adapters.register_loader(INT8_ARRAY, ArrayLoader)
    return cursor


def copy_polls(table: str, row: Ints, time: Ints, status: Statuses) -> None:
    """COPY polls into a table with the columns timestamp, store_id and status: arrays of one
    length."""
    target = sql.SQL("COPY {} (timestamp, store_id, status) FROM STDIN (FORMAT BINARY)")
    with (
        models.database.connection().cursor() as cursor,
        cursor.copy(target.format(sql.Identifier(table))) as copy,
    ):
        copy.write(COPY_HEADER)
        for begin in range(0, len(row), ROWS_AT_ONCE):
            part = slice(begin, begin + ROWS_AT_ONCE)
            rows = np.empty(len(row[part]), COPY_ROW)
            rows["columns"], rows["bytes_1"], rows["bytes_2"], rows["bytes_3"] = 3, 8, 4, 2
            rows["timestamp"], rows["store"], rows["status"] = time[part], row[part], status[part]
            copy.write(rows.tobytes())
        copy.write(COPY_END)
